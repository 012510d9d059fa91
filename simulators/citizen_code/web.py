"""The platform over HTTP: what halls ask (``/api/v1/…``), and its control page with the codes on people's phones."""

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
from simulators.pages import Folder, as_json, hang_up, read_body

PLATFORM: web.AppKey[CitizenCodePlatform] = web.AppKey("PLATFORM", CitizenCodePlatform)
MAX_BODY = 16 * 1024
_FOLDER = Folder("simulators.citizen_code.page")


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
            web.get("/codes.js", _FOLDER.serve("codes.js")),
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
    if platform.fault is Fault.DOWN:
        hang_up(request)
    await platform.dawdle()
    try:
        platform.admit({name: request.headers.get(name, "") for name in request.headers}, body)
    except NotAllowedError:
        raise web.HTTPUnauthorized from None
    return body


async def _check(request: web.Request) -> web.Response:
    _ = await _admitted(request)
    return as_json({"kinds": request.app[PLATFORM].kinds})


async def _resolve(request: web.Request) -> web.Response:
    try:
        question = msgspec.json.decode(await _admitted(request), type=Question)
    except msgspec.DecodeError:
        raise web.HTTPBadRequest from None
    platform = request.app[PLATFORM]
    if platform.fault is Fault.MALFORMED:
        return web.Response(text='{"result": "ok", "person": {', content_type="application/json")
    found = platform.resolve(question.request, question.code, question.kind)
    await platform.hold.wait()
    return as_json(found)


# ---- control page ------------------------------------------------------------------------------------


async def _page(request: web.Request) -> web.Response:
    return _FOLDER.draw(request, "index.html", data={"faults": [*Fault]})


async def _state(request: web.Request) -> web.Response:
    platform = request.app[PLATFORM]
    return as_json(
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
    wanted = await read_body(request, SetFault)
    request.app[PLATFORM].set_fault(wanted.fault)
    return await _state(request)


async def _show(request: web.Request) -> web.Response:
    citizen = request.match_info["citizen"]
    if citizen not in CITIZENS:
        raise web.HTTPNotFound
    _ = request.app[PLATFORM].show(citizen)
    return as_json(_phone(request.app[PLATFORM], citizen))
