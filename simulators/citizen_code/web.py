"""The platform over HTTP: what halls ask (``/api/v1/…``), and its control page with the codes on people's phones."""

import asyncio
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
import segno
from aiohttp import web

from qingting.contract.base import Strict
from simulators.citizen_code.platform import (
    CITIZENS,
    CitizenCodePlatform,
    Fault,
    NotAllowedError,
)

PLATFORM: web.AppKey[CitizenCodePlatform] = web.AppKey("PLATFORM", CitizenCodePlatform)
MAX_BODY = 16 * 1024


class Question(Strict, frozen=True, kw_only=True):
    request: str
    code: str
    kind: Literal["code", "face"] = "code"


class SetFault(Strict, frozen=True, kw_only=True):
    fault: Fault | None = None


def create_platform_app(platform: CitizenCodePlatform) -> web.Application:
    """Interface and control page; everything is below the path where it is mounted."""
    app = web.Application(client_max_size=MAX_BODY)
    app[PLATFORM] = platform
    app.on_shutdown.append(_lift)
    app.add_routes(
        [
            web.post("/api/v1/resolve", _resolve),
            web.post("/api/v1/check", _check),
            web.get("/", _page),
            web.get("/codes.js", _script),
            web.get("/state", _state),
            web.post("/fault", _fault),
            web.post("/show/{citizen}", _show),
        ]
    )
    return app


async def _lift(app: web.Application) -> None:
    app[PLATFORM].set_fault(None)
    app[PLATFORM].hold.set()


async def _admitted(request: web.Request) -> bytes:
    """The body of a question that may be answered; faults of the line come first, as in life."""
    platform = request.app[PLATFORM]
    body = await request.read()
    if platform.fault is Fault.DOWN and request.transport is not None:
        request.transport.abort()
    await platform.dawdle()
    try:
        platform.admit({name: request.headers.get(name, "") for name in request.headers}, body)
    except NotAllowedError:
        raise web.HTTPUnauthorized from None
    return body


async def _check(request: web.Request) -> web.Response:
    _ = await _admitted(request)
    return _json({"kinds": request.app[PLATFORM].kinds})


async def _resolve(request: web.Request) -> web.Response:
    try:
        question = msgspec.json.decode(await _admitted(request), type=Question)
    except msgspec.DecodeError:
        raise web.HTTPBadRequest from None
    platform = request.app[PLATFORM]
    if platform.fault is Fault.MALFORMED:
        return web.Response(text='{"result": "ok", "person": {', content_type="application/json")
    answer = platform.resolve(question.request, question.code, question.kind)
    await platform.hold.wait()
    return _json(answer)


def _json(value: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


# ---- control page ------------------------------------------------------------------------------------


@cache
def _texts() -> dict[str, dict[str, str]]:
    raw = files("simulators.citizen_code.page").joinpath("texts.toml").read_text("utf-8")
    return tomllib.loads(raw)


@cache
def _file(name: str) -> str:
    return files("simulators.citizen_code.page").joinpath(name).read_text("utf-8")


def _render(english: bool) -> str:
    words = {key: text["en" if english else "zh"] for key, text in _texts().items()}
    lang = "en" if english else "zh-CN"
    data = msgspec.json.encode({"lang": lang, "texts": words, "faults": [*Fault]}).decode()
    page = _file("index.html").replace("{{lang}}", lang).replace("{{title}}", words["title"])
    return page.replace("{{data}}", data.replace("<", "\\u003c"))


async def _page(request: web.Request) -> web.Response:
    english = request.query.get("lang", "").startswith("en")
    html = await asyncio.to_thread(_render, english)
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


async def _script(request: web.Request) -> web.Response:
    return web.Response(
        text=await asyncio.to_thread(_file, "codes.js"), content_type="text/javascript"
    )


async def _state(request: web.Request) -> web.Response:
    platform = request.app[PLATFORM]
    return _json(
        {
            "fault": platform.fault,
            "asked": platform.asked,
            "citizens": [_phone(platform, one) for one in CITIZENS],
        }
    )


def _phone(platform: CitizenCodePlatform, citizen: str) -> dict[str, Any]:
    code, who = platform.shown(citizen), CITIZENS[citizen]
    return {
        "id": who.id,
        "name": who.name,
        "name_en": who.title_en,
        "code": code.text,
        "seconds": max(0, round((code.until - platform.clock.now_ms()) / 1000)),
        "svg": segno.make(code.text, error="m", micro=False).svg_data_uri(scale=4, border=2),
    }


async def _fault(request: web.Request) -> web.Response:
    try:
        wanted = msgspec.json.decode(await request.read() or b"{}", type=SetFault)
    except msgspec.DecodeError:
        raise web.HTTPUnprocessableEntity from None
    request.app[PLATFORM].set_fault(wanted.fault)
    return await _state(request)


async def _show(request: web.Request) -> web.Response:
    citizen = request.match_info["citizen"]
    if citizen not in CITIZENS:
        raise web.HTTPNotFound
    _ = request.app[PLATFORM].show(citizen)
    return _json(_phone(request.app[PLATFORM], citizen))
