"""The OpenAPI 3.1 document, from the types by which calls are validated. The same calls give the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import msgspec

from console.core.api import BASE, ApiEventType, ApiOperation, ApiScope, Both
from console.modules.gateway import oauth
from console.modules.gateway.expecting import of_message
from console.modules.gateway.problem import MEDIA, Problem, problem_of
from console.modules.gateway.reading import Unfit
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.states import Language

VERSION = "1.0.0"
_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_EVERY = ("api.token", "api.address", "api.scope", "api.parameter", "api.quota", "city.unavailable")
_WITH_BODY = ("api.json", "api.body", "api.media", "api.too_large")
_ONCE = ("api.key", "api.key_reused")
_LIMITS = {
    "RateLimit-Limit": Both(
        "每分钟和每天的额度中，更快用完的那一个",
        "Of the quotas a minute and a day, the one nearer to its end",
    ),
    "RateLimit-Remaining": Both("额度还剩几次", "Calls left in it"),
    "RateLimit-Reset": Both("多少秒后重新计数", "Seconds until it begins anew"),
}
_IN_WORDS = {
    "Content-Language": {
        "description": "Language of title, detail and expected: that of Accept-Language, else Chinese",
        "x-zh": "title、detail、expected 用的语言：按 Accept-Language，默认中文",
        "schema": {"type": "string", "enum": [one.value for one in Language]},
    },
    "Vary": {
        "description": "Accept-Language: another language is another answer",
        "x-zh": "Accept-Language：语言不同，回答不同",
        "schema": {"type": "string"},
    },
}
_PROBLEM = "#/components/examples/{code}.{language}"
_FIELDS = {
    "api.parameter": ("limit", of_message("Expected `int` <= 200")),
    "api.body": ("party", of_message("Object missing required field `party`")),
}
"""Of which field the examples of refused requests speak."""
_ABOUT = Both(
    "大庆政务大厅开放接口。先用接入标识和密钥取令牌，再带着令牌调用；错误都是 problem+json，代码稳定不变，给人看的文字按 Accept-Language 用中文（默认）或英文。",
    "The open API of Daqing's service halls. Get a token with your client id and secret, then call with it; errors are"
    " problem+json with stable codes; what people read in them is Chinese, or English by Accept-Language.",
)


class Example(Strict, frozen=True, kw_only=True):
    """One request and its answer, as the tests made them. ``path`` with its query; bodies as JSON."""

    path: str
    status: int
    answer: Any = None
    body: Any = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)


def _read_examples() -> dict[str, Example]:
    text = files("console.modules.gateway").joinpath("examples.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Example])


EXAMPLES = _read_examples()
"""Of each call, by its name. Read at import: a lookup in an event loop must not open a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All that the document is made of."""

    operations: Sequence[ApiOperation[Any, Any, Any]]
    events: Mapping[str, ApiEventType[Any]]
    scopes: Mapping[str, ApiScope]
    examples: Mapping[str, Example]


def source_of(
    operations: Sequence[ApiOperation[Any, Any, Any]], events: Mapping[str, ApiEventType[Any]]
) -> Source:
    """Everything that modules declared, with the committed examples. ``ValueError`` for two of one name."""
    names = [one.name for one in operations]
    if len(set(names)) != len(names):
        raise ValueError(f"a call is declared twice: {sorted(names)}")
    scopes = {one.scope.name: one.scope for one in operations}
    scopes |= {one.scope.name: one.scope for one in events.values()}
    return Source(operations=operations, events=events, scopes=scopes, examples=EXAMPLES)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every event has besides its own ``data``."""

    id: str
    kind: str
    at: int
    hall: str


def errors_of(operation: ApiOperation[Any, Any, Any]) -> list[str]:
    """Codes that a call may answer with, by status and name."""
    codes = {*_EVERY, *operation.errors}
    codes |= set(_WITH_BODY) if operation.body is not None else set()
    codes |= {"api.too_large"} if not operation.reads else set()
    codes |= set(_ONCE) if operation.once else set()
    codes |= {"api.json"}
    codes |= {"api.cursor"} if "cursor" in operation.params.__struct_fields__ else set()
    return sorted(codes, key=lambda code: (error_texts()[code].status, code))


class _Schemas:
    """Schemas of all types together, so that each has one name."""

    def __init__(self, kinds: Sequence[Any]) -> None:
        found, self.components = msgspec.json.schema_components(kinds, ref_template=_REF)
        self._of = list(zip(kinds, found, strict=True))

    def __getitem__(self, kind: Any) -> dict[str, Any]:
        return next(dict(schema) for known, schema in self._of if known is kind)


def document(source: Source) -> dict[str, Any]:
    """The whole document."""
    schemas = _Schemas(_kinds(source))
    paths: dict[str, dict[str, Any]] = {oauth.PATH: {"post": _token_call(schemas)}}
    for operation in sorted(source.operations, key=lambda one: (one.path, one.method)):
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _call(operation, schemas, source.examples)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Qingting open API",
            "version": VERSION,
            "description": _ABOUT.en,
            "x-zh": _ABOUT.zh,
        },
        "servers": [{"url": BASE}],
        "paths": dict(sorted(paths.items())),
        "webhooks": {one.kind: _webhook(one, schemas) for _, one in sorted(source.events.items())},
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "headers": {name: _header(words) for name, words in _LIMITS.items()} | _IN_WORDS,
            "examples": _problems(source),
            "securitySchemes": _security(source.scopes),
        },
    }


def _kinds(source: Source) -> list[Any]:
    kinds: list[Any] = [
        Problem, Envelope, oauth.TokenForm, oauth.TokenAnswer, oauth.TokenProblem,
    ]  # fmt: skip
    for operation in source.operations:
        kinds += [one.type for one in msgspec.structs.fields(operation.params)]
        kinds += [operation.result] + ([operation.body] if operation.body is not None else [])
    kinds += [one.payload for one in source.events.values()]
    return kinds


def _call(
    operation: ApiOperation[Any, Any, Any], schemas: _Schemas, examples: Mapping[str, Example]
) -> dict[str, Any]:
    example = examples.get(operation.name)
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        **_words(operation.summary, operation.purpose),
        "security": [{"client": [operation.scope.name]}],
        "parameters": _parameters(operation, schemas),
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": schemas[operation.body]}
        if example is not None and example.body is not None:
            content["example"] = example.body
        found["requestBody"] = {"required": True, "content": {_JSON: content}}
    found["responses"] = _responses(operation, schemas, example)
    return found


def _words(summary: Both, purpose: Both) -> dict[str, str]:
    return {
        "summary": summary.en,
        "x-summary-zh": summary.zh,
        "description": purpose.en,
        "x-zh": purpose.zh,
    }


def _parameters(operation: ApiOperation[Any, Any, Any], schemas: _Schemas) -> list[dict[str, Any]]:
    found = []
    for one in msgspec.structs.fields(operation.params):
        place = "path" if one.name in operation.variables else "query"
        schema = schemas[one.type]
        if not one.required and one.default is not None and one.default is not msgspec.NODEFAULT:
            schema["default"] = msgspec.to_builtins(one.default)
        found.append({
            "name": one.name,
            "in": place,
            "required": one.required or place == "path",
            "description": schema.get("description", ""),
            "schema": schema,
        })  # fmt: skip
    if operation.once:
        found.append(_key_parameter())
    if operation.reads:
        found.append({
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "The ETag of an answer that you have: 304 when it still holds",
            "schema": {"type": "string", "x-zh": "手上已有回答的 ETag；没有变化时回答 304"},
        })  # fmt: skip
    return found


def _key_parameter() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "A new one for each act, the same one when it is sent again: it is then done once",
        "schema": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_.:-]{8,100}$",
            "minLength": 8,
            "maxLength": 100,
            "x-zh": "每件事一个新编号，重发用同一个：只会执行一次",
        },
    }


def _responses(
    operation: ApiOperation[Any, Any, Any], schemas: _Schemas, example: Example | None
) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schemas[operation.result]}
    if example is not None:
        content["example"] = example.answer
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _LIMITS}
    done: dict[str, Any] = {
        "description": HTTPStatus(operation.status).phrase,
        "headers": headers,
        "content": {_JSON: content},
    }
    found: dict[str, Any] = {str(operation.status): done}
    if operation.reads:
        done["headers"] = headers | {"ETag": {"schema": {"type": "string"}}}
        found["304"] = {"description": "Nothing has changed"}
    by_status: dict[int, list[str]] = {}
    for code in errors_of(operation):
        by_status.setdefault(error_texts()[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        found[str(status)] = _refusal(status, codes, schemas)
    return dict(sorted(found.items()))


def _refusal(status: int, codes: Sequence[str], schemas: _Schemas) -> dict[str, Any]:
    shown = {
        one.value: {"$ref": _PROBLEM.format(code=codes[0], language=one.value)} for one in Language
    }
    names = ("Content-Language", "Vary")
    found: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: " + ", ".join(codes),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {MEDIA: {"schema": schemas[Problem], "examples": shown}},
        "x-codes": list(codes),
    }
    if status in (429, 503):
        seconds = {"type": "integer", "description": "Seconds to wait"}
        found["headers"]["Retry-After"] = {"schema": seconds}
    return found


def _problems(source: Source) -> dict[str, Any]:
    """An example of each code in each language, made as answers are."""
    codes = {code for one in source.operations for code in errors_of(one)}
    return {
        f"{code}.{language.value}": {"value": msgspec.to_builtins(_problem(code, language))}
        for code in sorted(codes)
        for language in Language
    }


def _problem(code: str, language: Language) -> Problem:
    refusal = Unfit(code, *_FIELDS[code]) if code in _FIELDS else Refusal(code)
    return problem_of(refusal, language, "0123456789ab")


def _header(words: Both) -> dict[str, Any]:
    return {"description": words.en, "x-zh": words.zh, "schema": {"type": "integer"}}


def _token_call(schemas: _Schemas) -> dict[str, Any]:
    def refusal(status: HTTPStatus) -> dict[str, Any]:
        content = {_JSON: {"schema": schemas[oauth.TokenProblem]}}
        return {"description": status.phrase, "content": content}

    busy = [code for code in _EVERY if code == "city.unavailable"]
    return {
        "operationId": "token",
        "tags": ["token"],
        **_words(
            Both("取令牌", "Get a token"),
            Both(
                "用接入标识和密钥换一个短期令牌（OAuth 2.0 client_credentials）。标识和密钥也可以放在 HTTP Basic 里。",
                "A short-lived token for id and secret (OAuth 2.0 client credentials). Both may come by HTTP Basic instead.",
            ),
        ),
        "security": [],
        "requestBody": {
            "required": True,
            "content": {oauth.FORM: {"schema": schemas[oauth.TokenForm]}},
        },
        "responses": {
            "200": {
                "description": HTTPStatus.OK.phrase,
                "content": {_JSON: {"schema": schemas[oauth.TokenAnswer]}},
            },
            **{
                str(status.value): refusal(status)
                for status in (
                    HTTPStatus.BAD_REQUEST,
                    HTTPStatus.UNAUTHORIZED,
                    HTTPStatus.FORBIDDEN,
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                )
            },
            "503": _refusal(503, busy, schemas),
        },
    }


def _webhook(event: ApiEventType[Any], schemas: _Schemas) -> dict[str, Any]:
    data = schemas[event.payload]
    return {
        "post": {
            "operationId": event.kind,
            "tags": ["events"],
            **_words(event.summary, event.purpose),
            "security": [],
            "x-scope": event.scope.name,
            "requestBody": {
                "required": True,
                "content": {
                    _JSON: {
                        "schema": {
                            "allOf": [
                                schemas[Envelope],
                                {
                                    "type": "object",
                                    "properties": {"kind": {"const": event.kind}, "data": data},
                                    "required": ["data"],
                                },
                            ]
                        }
                    }
                },
            },
            "responses": {"2XX": {"description": "Taken"}},
        }
    }


def _security(scopes: Mapping[str, ApiScope]) -> dict[str, Any]:
    words = {name: one.words.en for name, one in sorted(scopes.items())}
    flow = {"tokenUrl": BASE + oauth.PATH, "scopes": words}
    zh = {name: one.words.zh for name, one in sorted(scopes.items())}
    return {
        "client": {
            "type": "oauth2",
            "flows": {"clientCredentials": flow},
            "x-zh": zh,
        }
    }


def written(source: Source) -> bytes:
    """The document as it is served and committed."""
    return msgspec.json.format(msgspec.json.encode(document(source)), indent=2) + b"\n"
