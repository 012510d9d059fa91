"""The providers over HTTP: what the city calls (``/api/sms``, ``/api/push``, ``/api/reports``, ``/alipay/gateway.do``),
Alipay's page for its users, and a page with the phones that got the messages."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from qingting.contract.base import Strict
from simulators.messages.alipay import USERS, AlipayPlatform
from simulators.messages.platform import (
    FAULTS_OF,
    Fault,
    MessagePlatform,
    NotAllowedError,
    Way,
)
from simulators.pages import Folder, as_json, hang_up, read_body

PLATFORM: web.AppKey[MessagePlatform] = web.AppKey("PLATFORM", MessagePlatform)
ALIPAY: web.AppKey[AlipayPlatform] = web.AppKey("ALIPAY", AlipayPlatform)
MAX_BODY = 64 * 1024
_FOLDER = Folder("simulators.messages.page")


class SetFault(Strict, frozen=True, kw_only=True):
    way: Way
    fault: Fault | None = None


class Uninstall(Strict, frozen=True, kw_only=True):
    token: str


def create_messages_app(
    platform: MessagePlatform, alipay: AlipayPlatform | None = None
) -> web.Application:
    """Interfaces and control page; everything is below the path where it is mounted."""
    app = web.Application(client_max_size=MAX_BODY)
    app[PLATFORM] = platform
    app.on_shutdown.append(_lift)
    app.add_routes(
        [
            web.post("/api/sms", _sms),
            web.post("/api/push", _push),
            web.post("/api/reports", _reports),
            web.get("/", _page),
            web.get("/messages.js", _FOLDER.serve("messages.js")),
            web.get("/messages.css", _FOLDER.serve("messages.css")),
            web.get("/state", _state),
            web.post("/fault", _fault),
            web.post("/uninstall", _uninstall),
        ]
    )
    if alipay is not None:
        app[ALIPAY] = alipay
        app.add_routes(
            [
                web.post("/alipay/gateway.do", _alipay),
                web.get("/alipay/form.css", _FOLDER.serve("form.css")),
                web.get("/alipay/authorize", _ask),
                web.post("/alipay/authorize", _agree),
            ]
        )
    return app


async def _lift(app: web.Application) -> None:
    for way in Way:
        app[PLATFORM].set_fault(way, None)


async def _asked(request: web.Request, way: Way) -> dict[str, Any] | web.Response:
    """The body of a call that may be answered; faults of the line come first, as in life."""
    platform, body = request.app[PLATFORM], await request.read()
    if platform.faults[way] is Fault.DOWN:
        hang_up(request)
        return web.Response(status=503)
    await platform.dawdle(way)
    if platform.faults[way] is Fault.GARBAGE:
        return web.Response(text='{"code": "OK", "refer', content_type="application/json")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        platform.admit(request.method, request.path, headers, body)
        found = msgspec.json.decode(body)
    except NotAllowedError as error:
        return as_json({"code": error.code})
    except msgspec.DecodeError:
        return as_json({"code": "bad_request"})
    return found if isinstance(found, dict) else as_json({"code": "bad_request"})


async def _sms(request: web.Request) -> web.Response:
    asked = await _asked(request, Way.SMS)
    if not isinstance(asked, dict):
        return asked
    return _answered(request, Way.SMS, request.app[PLATFORM].sms(asked))


async def _push(request: web.Request) -> web.Response:
    asked = await _asked(request, Way.PUSH)
    if not isinstance(asked, dict):
        return asked
    return _answered(request, Way.PUSH, request.app[PLATFORM].push(asked))


async def _alipay(request: web.Request) -> web.Response:
    alipay, form = request.app[ALIPAY], await request.post()
    platform = alipay.messages
    fault = platform.faults[Way.ALIPAY]
    if fault is Fault.DOWN:
        hang_up(request)
        return web.Response(status=503)
    await platform.dawdle(Way.ALIPAY)
    if fault is Fault.GARBAGE:
        return web.Response(text="<html>502</html>", content_type="text/html")
    params = dict(request.query) | {name: str(value) for name, value in form.items()}
    text = await asyncio.to_thread(alipay.answer, params)
    if fault is Fault.LOST_ANSWER:
        hang_up(request)
    return web.Response(text=text, content_type="application/json")


async def _ask(request: web.Request) -> web.Response:
    """Only an app that is known, and only back to this machine."""
    asked = {name: request.query.get(name, "") for name in ("redirect_uri", "state", "app_id")}
    here = urlsplit(asked["redirect_uri"]).hostname == "127.0.0.1"
    if asked["app_id"] != request.app[ALIPAY].app_id or not here:
        raise web.HTTPBadRequest
    return _FOLDER.draw(request, "alipay.html", asked=asked, users=list(USERS.values()))


async def _agree(request: web.Request) -> web.Response:
    form = await request.post()
    user, back = USERS.get(str(form.get("user", ""))), str(form.get("redirect_uri", ""))
    if user is None or urlsplit(back).hostname != "127.0.0.1":
        raise web.HTTPBadRequest
    raise web.HTTPSeeOther(request.app[ALIPAY].back(back, str(form.get("state", "")), user))


def _answered(request: web.Request, way: Way, found: dict[str, Any]) -> web.Response:
    if request.app[PLATFORM].faults[way] is Fault.LOST_ANSWER:
        hang_up(request)
    return as_json(found)


async def _reports(request: web.Request) -> web.Response:
    asked = await _asked(request, Way.SMS)
    if not isinstance(asked, dict):
        return asked
    most, confirmed = int(asked.get("most", 100)), str(asked.get("confirmed", ""))
    return as_json(request.app[PLATFORM].reports(most, confirmed))


# ---- control page ------------------------------------------------------------------------------------


async def _page(request: web.Request) -> web.Response:
    return _FOLDER.draw(request, "index.html", data={"faults": FAULTS_OF})


async def _state(request: web.Request) -> web.Response:
    return as_json(request.app[PLATFORM].state())


async def _fault(request: web.Request) -> web.Response:
    wanted = await read_body(request, SetFault)
    request.app[PLATFORM].set_fault(wanted.way, wanted.fault)
    return await _state(request)


async def _uninstall(request: web.Request) -> web.Response:
    """Somebody has removed the city's app from a phone."""
    wanted = await read_body(request, Uninstall)
    request.app[PLATFORM].uninstalled.add(wanted.token)
    return await _state(request)
