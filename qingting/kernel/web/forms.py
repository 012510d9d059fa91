"""Forms in, redirects out."""

from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from qingting.kernel.web.faulty import FormRefusal, inputs_at

T = TypeVar("T", bound=msgspec.Struct)


def is_htmx(request: web.Request) -> bool:
    """True when htmx asks for a part of a page (a restored history entry needs the whole page)."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


async def read_form(request: web.Request, kind: type[T]) -> T:
    """The form as ``kind``; empty fields count as not given. Raises ``form.invalid`` naming the field.

    A field whose type is a tuple takes every value of that name; the CSRF field is left out.
    """
    data = await request.post()
    many = {
        field.name
        for field in msgspec.structs.fields(kind)
        if getattr(field.type, "__origin__", None) is tuple
    }
    raw: dict[str, object] = {}
    for name in data:
        values = [value for value in data.getall(name) if isinstance(value, str) and value != ""]
        if name != "csrf" and values:
            raw[name] = values if name in many else values[-1]
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        field = _field_of(str(error))
        raise FormRefusal(field, inputs_at(field)) from error


def _field_of(message: str) -> str:
    """The field's name out of a validation message, never the value that was typed."""
    for mark, end in (("`$.", "`"), ("required field `", "`"), ("unknown field `", "`")):
        if mark in message:
            return message.split(mark, 1)[1].split(end, 1)[0]
    return "?"


def see_other(request: web.Request, path: str, *, done: str = "") -> web.HTTPException:
    """The answer to raise after a change: 303 to ``path``, or ``HX-Redirect`` for htmx.

    ``done`` is a text key that the next page shows as its notice.
    """
    if done:
        path, mark, place = path.partition("#")
        path += ("&" if "?" in path else "?") + urlencode({"done": done}) + mark + place
    path = quote(path, safe="/?&=%#:.-_~+,")
    if is_htmx(request):
        return web.HTTPOk(headers={"HX-Redirect": path})
    return web.HTTPSeeOther(path)
