"""The documentation page, drawn from the document itself: what is not in it cannot be said here."""

import asyncio
import functools
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from console.core.api import BASE
from console.core.web import PAGES
from console.modules.gateway import oauth
from console.modules.gateway.document import Example, Source, document
from qingting.contract.errors import error_texts, sentence
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE

PATH = f"{BASE}/docs"
DEEPEST = 4


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A parameter or a field of a body. ``place``: path, query, header or body."""

    name: str
    place: str
    kind: str
    required: bool
    words: str


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """An error code in the reader's words."""

    code: str
    status: int
    retry: bool
    words: str


@dataclass(frozen=True, slots=True)
class CallPage:
    """One call as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    purpose: str
    scope: str
    fields: Sequence[FieldLine]
    answer: Sequence[FieldLine]
    errors: Sequence[ErrorLine]
    status: int
    curl: str
    python: str
    example: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """One event as the page shows it."""

    kind: str
    summary: str
    purpose: str
    scope: str
    fields: Sequence[FieldLine]


class Reader:
    """Reads the document in one language."""

    def __init__(self, source: Source, language: Language) -> None:
        self._source = source
        self._doc = document(source)
        self._zh = language is Language.ZH
        self._language = language

    def groups(self) -> dict[str, list[CallPage]]:
        """Calls by tag, the token first."""
        found: dict[str, list[CallPage]] = {"token": []}
        for path, item in self._doc["paths"].items():
            for method, call in item.items():
                found.setdefault(call["tags"][0], []).append(self._call(method, path, call))
        return found

    def events(self) -> list[EventPage]:
        found = []
        for kind, item in self._doc["webhooks"].items():
            call = item["post"]
            schema = call["requestBody"]["content"]["application/json"]["schema"]
            fields = [*self._fields(schema["allOf"][0], ""), *self._fields(schema["allOf"][1], "")]
            found.append(
                EventPage(kind, self._of(call, "summary"), self._of(call), call["x-scope"], fields)
            )
        return found

    def errors(self) -> list[ErrorLine]:
        """Every code that some call may answer with, by name."""
        codes = {
            code
            for item in self._doc["paths"].values()
            for call in item.values()
            for answer in call["responses"].values()
            for code in answer.get("x-codes", ())
        }
        return [self._error(code) for code in sorted(codes)]

    def scopes(self) -> list[tuple[str, str]]:
        return [
            (name, one.words.pick(self._language))
            for name, one in sorted(self._source.scopes.items())
        ]

    def _call(self, method: str, path: str, call: Mapping[str, Any]) -> CallPage:
        name = call["operationId"]
        example = self._source.examples.get(name)
        status = min(int(one) for one in call["responses"])
        content: dict[str, Any] = call["responses"][str(status)].get("content", {})
        schemas = [one["schema"] for one in content.values()]
        security = call["security"]
        return CallPage(
            id=name,
            method=method.upper(),
            path=BASE + path,
            summary=self._of(call, "summary"),
            purpose=self._of(call),
            scope=security[0]["client"][0] if security else "",
            fields=list(self._inputs(call)),
            answer=[line for schema in schemas for line in self._fields(schema, "")],
            errors=[
                self._error(code)
                for answer in call["responses"].values()
                for code in answer.get("x-codes", ())
            ],
            status=status,
            curl=curl_of(method.upper(), path, example),
            python=python_of(method.upper(), path, example),
            example=_pretty(example.answer) if example is not None else "",
        )

    def _inputs(self, call: Mapping[str, Any]) -> Iterator[FieldLine]:
        for one in call.get("parameters", ()):
            schema = one["schema"]
            words = self._words(schema) or one["description"]
            yield FieldLine(one["name"], one["in"], self._kind(schema), one["required"], words)
        for content in call.get("requestBody", {}).get("content", {}).values():
            yield from self._fields(content["schema"], "")

    def _fields(self, schema: Mapping[str, Any], start: str, depth: int = 0) -> Iterator[FieldLine]:
        found = self._resolved(schema)
        if depth > DEEPEST:
            return
        required = set(found.get("required", ()))
        for name, one in found.get("properties", {}).items():
            path = f"{start}{name}"
            yield FieldLine(path, "body", self._kind(one), name in required, self._words(one))
            inner, mark = self._inner(one)
            if inner is not None:
                yield from self._fields(inner, f"{path}{mark}.", depth + 1)

    def _inner(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
        """The object within a field, if it is one or a list of some."""
        for one in schema.get("anyOf", [schema]):
            found = self._resolved(one)
            if isinstance(found.get("items"), Mapping):
                inner, mark = self._inner(found["items"])
                return inner, f"[]{mark}"
            if "properties" in found:
                return found, ""
        return None, ""

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        found: Mapping[str, Any] = self._doc["components"]["schemas"].get(name, schema)
        return found

    def _kind(self, schema: Mapping[str, Any]) -> str:
        """A type with its limits, in few words that both languages share."""
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self._kind(one) for one in schema["anyOf"]))
        found = self._resolved(schema)
        if "enum" in found:
            return " | ".join(str(one) for one in found["enum"])
        if "const" in found:
            return str(found["const"])
        kind = str(found.get("format") or found.get("type", "any"))
        if kind == "array":
            inner = found.get("items")
            return f"{self._kind(inner)}[]" if isinstance(inner, Mapping) else "array"
        limits = [
            f"{mark}{found[name]}"
            for name, mark in (("minimum", "≥"), ("maximum", "≤"), ("maxLength", "…"))
            if name in found and abs(found[name]) < 10**9
        ]
        return " ".join([kind, *limits])

    def _words(self, schema: Mapping[str, Any]) -> str:
        found = self._resolved(schema)
        for one in (schema, *schema.get("anyOf", ()), found):
            text = one.get("x-zh" if self._zh else "description", "")
            if text and not one.get("properties"):
                return str(text)
        return ""

    def _of(self, call: Mapping[str, Any], what: str = "") -> str:
        if what:
            return str(call[f"x-{what}-zh" if self._zh else what])
        return str(call["x-zh" if self._zh else "description"])

    def _error(self, code: str) -> ErrorLine:
        text = error_texts()[code]
        return ErrorLine(code, text.status, text.retry, sentence(code, {}, self._language))


def _pretty(plain: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()


def curl_of(method: str, path: str, example: Example | None) -> str:
    """The example's request for a shell."""
    if path == oauth.PATH:
        return f"curl -u $CLIENT_ID:$CLIENT_SECRET \\\n  -d grant_type=client_credentials \\\n  $QINGTING{BASE}{path}"
    parts = ["curl", "" if method == "GET" else f"-X {method} "]
    lines = [f'{parts[0]} {parts[1]}"$QINGTING{BASE}{example.path if example else path}"']
    lines.append('-H "Authorization: Bearer $TOKEN"')
    if example is not None:
        lines += [
            f"-H {shlex.quote(f'{name}: {value}')}" for name, value in example.headers.items()
        ]
        if example.body is not None:
            text = msgspec.json.encode(example.body).decode()
            lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(text)}"]
    return " \\\n  ".join(lines)


def python_of(method: str, path: str, example: Example | None) -> str:
    """The example's request with Python's own library."""
    if path == oauth.PATH:
        return (
            "import json, urllib.parse, urllib.request\n\n"
            "form = urllib.parse.urlencode({'grant_type': 'client_credentials',\n"
            "    'client_id': client_id, 'client_secret': client_secret}).encode()\n"
            f"with urllib.request.urlopen(base + '{BASE}{path}', form) as answer:\n"
            "    token = json.load(answer)['access_token']"
        )
    url = urlsplit(example.path if example else path)
    target = url.path + (f"?{url.query}" if url.query else "")
    headers = {"Authorization": "Bearer …"} | (example.headers if example else {})
    shown = ", ".join(
        f"{name!r}: " + ("'Bearer ' + token" if name == "Authorization" else repr(value))
        for name, value in headers.items()
    )
    data = ""
    if example is not None and example.body is not None:
        shown += ", 'Content-Type': 'application/json'"
        data = f"    data=json.dumps({example.body!r}).encode(),\n"
    return (
        "import json, urllib.request\n\n"
        f"request = urllib.request.Request(base + {BASE + target!r},\n"
        f"{data}    headers={{{shown}}}, method='{method}')\n"
        "with urllib.request.urlopen(request) as answer:\n"
        "    found = json.load(answer)"
    )


def docs_route(source: Source) -> web.RouteDef:
    """GET /api/v1/docs, for everybody. What it says is read once a language, when somebody first asks: reading it takes
    a fifth of a second, which no start need wait for."""

    @functools.cache
    def page(language: Language) -> dict[str, Any]:
        return _context(source, language)

    async def docs(request: web.Request) -> web.Response:
        shown = await asyncio.to_thread(page, request[LANGUAGE])
        answer = request.app[PAGES].render(request, "api_docs.html", shown)
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    return web.get(PATH, docs)


def _context(source: Source, language: Language) -> dict[str, Any]:
    reader = Reader(source, language)
    return {
        "groups": reader.groups(),
        "events": reader.events(),
        "errors": reader.errors(),
        "scopes": reader.scopes(),
        "document": f"{BASE}/openapi.json",
    }
