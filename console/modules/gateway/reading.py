"""A request's parameters and body as the types that the call declares; whatever does not fit is refused by name."""

import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from aiohttp import web

from console.modules.gateway.expecting import ONCE, Expected, of_message
from qingting.contract.errors import Refusal

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
MOST_BYTES = 64 * 1024
"""A longer body is refused before it is read to its end."""
DEEPEST = 32
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_NAMED = re.compile(r"field `([^`]+)`")


class Unfit(Refusal):
    """A refusal that also tells what the field must be."""

    def __init__(self, code: str, field: str, expected: Expected) -> None:
        super().__init__(code, field=field)
        self.expected = expected


def read_params(request: web.Request, kind: type[S]) -> S:
    """Path and query as ``kind``. Raises ``api.parameter`` for what is missing, unknown, doubled or wrong."""
    known = {one.name: one.type for one in msgspec.structs.fields(kind)}
    raw: dict[str, Any] = {}
    for name in request.query:
        values = request.query.getall(name)
        if name in request.match_info or name not in known or len(values) > 1:
            shown = "".join(one for one in name[:40] if one.isprintable())
            raise Unfit("api.parameter", shown, ONCE)
        raw[name] = _typed(values[0], known[name])
    raw |= {name: _typed(value, known[name]) for name, value in request.match_info.items()}
    _check_texts(raw)
    return _converted(raw, kind, "api.parameter")


def _typed(text: str, kind: Any) -> object:
    """A parameter as its type is written: whole numbers and true or false; the rest stays text."""
    wanted = _plain(kind)
    if int in wanted and _WHOLE.fullmatch(text):
        return int(text)
    if bool in wanted and text in ("true", "false"):
        return text == "true"
    return text


def _plain(kind: Any) -> set[Any]:
    """The plain types behind annotations and unions."""
    if hasattr(kind, "__metadata__"):
        return _plain(get_args(kind)[0])
    if get_origin(kind) is None:
        return {kind}
    return set().union(*(_plain(one) for one in get_args(kind)))


async def read_body(request: web.Request) -> bytes:
    """At most :data:`MOST_BYTES`. Raises ``api.too_large``."""
    if (request.content_length or 0) > MOST_BYTES:
        raise Refusal("api.too_large", limit=MOST_BYTES)
    found = bytearray()
    async for part in request.content.iter_chunked(8192):
        found += part
        if len(found) > MOST_BYTES:
            raise Refusal("api.too_large", limit=MOST_BYTES)
    return bytes(found)


def decoded(request: web.Request, raw: bytes, kind: type[T]) -> T:
    """A body as ``kind``. Raises ``api.media``, ``api.json``, ``api.body``."""
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in (
        "utf-8", "utf8",
    ):  # fmt: skip
        raise Refusal("api.media")
    try:
        plain = msgspec.json.decode(raw)
        _check_texts(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("api.json") from error
    return _converted(plain, kind, "api.body")


def _converted(plain: object, kind: type[T], code: str) -> T:
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        raise Unfit(code, field_of(message), of_message(_PLACE.sub("", message))) from error


def field_of(message: str) -> str:
    """The path of the field that a validation message is about, ``$`` for the whole."""
    place, named = _PLACE.search(message), _NAMED.search(message)
    parts = [place[1] if place else "", named[1] if named else ""]
    return ".".join(one for one in parts if one)[:100] or "$"


def _check_texts(plain: object, depth: int = 0) -> None:
    """PostgreSQL keeps no NUL and JSON no half of a pair; neither means anything in what people write."""
    if depth > DEEPEST:
        raise Refusal("api.json")
    if isinstance(plain, str):
        if "\x00" in plain or any("\ud800" <= one <= "\udfff" for one in plain):
            raise Refusal("api.json")
    elif isinstance(plain, float):
        if not math.isfinite(plain):
            raise Refusal("api.json")
    elif isinstance(plain, Mapping):
        for name, value in plain.items():
            _check_texts(name, depth + 1)
            _check_texts(value, depth + 1)
    elif isinstance(plain, list):
        for value in plain:
            _check_texts(value, depth + 1)
