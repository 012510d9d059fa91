"""The item system over HTTP: what the city asks (``/api/v1/…``), and a page on which one plays its people."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from simulators.item_system.system import Fault, ItemSystem, NotAllowedError
from simulators.pages import Folder, hang_up

SYSTEM: web.AppKey[ItemSystem] = web.AppKey("ITEM_SYSTEM", ItemSystem)
SHOWN = 40
"""Items on the control page at once."""
_FOLDER = Folder("simulators.item_system.page")


def create_item_system_app(system: ItemSystem) -> web.Application:
    """Interface and control page; everything is below the path where it is mounted."""
    app = web.Application(client_max_size=64 * 1024)
    app[SYSTEM] = system
    app.on_shutdown.append(_lift)
    app.add_routes(
        [
            web.get("/api/v1/items", _items),
            web.get("/api/v1/changes", _changes),
            web.get("/", _page),
            web.get("/items.css", _FOLDER.serve("items.css")),
            web.post("/do", _do),
        ]
    )
    return app


async def _lift(app: web.Application) -> None:
    app[SYSTEM].set_fault(None)


async def _admitted(request: web.Request, number: int) -> None:
    """Returns for a request that may be answered; faults of the line come first, as in life."""
    system = request.app[SYSTEM]
    if system.acts(number):
        if system.fault is Fault.DOWN:
            hang_up(request)
        if system.fault is Fault.ERROR:
            raise web.HTTPInternalServerError
        if system.fault is Fault.REFUSED:
            raise web.HTTPUnauthorized
    await system.dawdle()
    try:
        system.admit(request.headers, request.raw_path)
    except NotAllowedError:
        raise web.HTTPUnauthorized from None


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", "200")
    if not text.isdecimal() or not 1 <= int(text) <= 500:
        raise web.HTTPBadRequest
    return int(text)


async def _items(request: web.Request) -> web.StreamResponse:
    limit, cursor = _limit(request), request.query.get("cursor", "")
    if cursor and not cursor.isdecimal():
        raise web.HTTPBadRequest
    number = int(cursor or 0) // limit
    await _admitted(request, number)
    since = request.query.get("modified_since", "")
    return await _answer(request, request.app[SYSTEM].listing(limit, cursor, since), number)


async def _changes(request: web.Request) -> web.StreamResponse:
    limit, cursor = _limit(request), request.query.get("cursor", "")
    if cursor and not cursor.removeprefix("c").isdecimal():
        raise web.HTTPBadRequest
    await _admitted(request, 0)
    return await _answer(request, request.app[SYSTEM].changes(limit, cursor), 0)


async def _answer(request: web.Request, page: dict[str, Any], number: int) -> web.StreamResponse:
    system, body = request.app[SYSTEM], msgspec.json.encode(page)
    if system.acts(number) and system.fault is Fault.GARBAGE:
        body = b'{"items": [{"taskCode": '
    if system.acts(number) and system.fault is Fault.CUT:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response
    return web.Response(body=body, content_type="application/json")


# ---- control page ------------------------------------------------------------------------------------


async def _page(request: web.Request) -> web.Response:
    system, find = request.app[SYSTEM], request.query.get("q", "").strip()
    found = [one for one in system.rows.values() if find in str(one.get("taskName", ""))]
    return _FOLDER.draw(
        request,
        "index.html",
        system=system,
        find=find,
        faults=["", *Fault],
        rows=found[:SHOWN],
    )


async def _do(request: web.Request) -> web.Response:
    system, form = request.app[SYSTEM], await request.post()
    code, act = str(form.get("code", "")), str(form.get("do", ""))
    if "fault" in form:
        wanted = str(form["fault"])
        system.set_fault(Fault(wanted) if wanted in set(Fault) else None)
    elif code not in system.rows:
        raise web.HTTPNotFound
    elif act == "withdraw":
        today = datetime.fromtimestamp(system.clock.now_ms() / 1000 + 8 * 3600, UTC)
        system.withdraw(code, f"{today:%Y-%m-%d}")
    elif act == "change":
        days = str(form.get("promiseLimit", ""))
        limit = int(days) if days.isdecimal() and len(days) < 5 else None
        system.change(code, taskName=str(form.get("taskName", "")), promiseLimit=limit)
    raise web.HTTPSeeOther(request.headers.get("Referer", "."))
