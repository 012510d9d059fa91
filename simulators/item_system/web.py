"""The item system over HTTP: what the city asks (``/api/v1/…``), and a page on which one plays its people."""

import asyncio
import tomllib
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import msgspec
from aiohttp import web

from simulators.item_system.system import Fault, ItemSystem, NotAllowedError

SYSTEM: web.AppKey[ItemSystem] = web.AppKey("ITEM_SYSTEM", ItemSystem)
SHOWN = 40
"""Items on the control page at once."""


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
        if system.fault is Fault.DOWN and request.transport is not None:
            request.transport.abort()
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


@cache
def _texts() -> dict[str, dict[str, str]]:
    raw = files("simulators.item_system.page").joinpath("texts.toml").read_text("utf-8")
    return tomllib.loads(raw)


@cache
def _template() -> str:
    return files("simulators.item_system.page").joinpath("index.html").read_text("utf-8")


async def _page(request: web.Request) -> web.Response:
    english = request.query.get("lang", "").startswith("en")
    system, find = request.app[SYSTEM], request.query.get("q", "").strip()
    html = await asyncio.to_thread(_render, system, english, find)
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def _render(system: ItemSystem, english: bool, find: str) -> str:
    words = {key: text["en" if english else "zh"] for key, text in _texts().items()}
    lang = "en" if english else "zh-CN"
    found = [one for one in system.rows.values() if find in str(one.get("taskName", ""))]
    faults = "".join(
        f'<button name="fault" value="{one}"{_pressed(system, one)}>'
        f"{escape(words[f'fault_{one}' if one else 'fine'])}</button>"
        for one in ("", *Fault)
    )
    rows = "".join(_item(one, words) for one in found[:SHOWN])
    values = {
        **{key: escape(text) for key, text in words.items()},
        "lang": lang,
        "other": "zh-CN" if english else "en",
        "count": escape(words["counted"].format(n=len(system.rows), asked=len(system.asked))),
        "find": escape(find),
        "faults": faults,
        "rows": rows,
    }
    html = _template()
    for key, text in values.items():
        html = html.replace("{{" + key + "}}", text)
    return html


def _pressed(system: ItemSystem, fault: str) -> str:
    return f' aria-pressed="{str((system.fault or "") == fault).lower()}"'


def _item(row: dict[str, Any], words: dict[str, str]) -> str:
    code, gone = escape(str(row["taskCode"])), row.get("taskState") == "2"
    name = escape(str(row.get("taskName", "")))
    state = words["withdrawn"] if gone else words["in_force"]
    buttons = (
        "" if gone else f'<button name="do" value="withdraw">{escape(words["withdraw"])}</button>'
    )
    return (
        f'<tr><th scope="row">{name}<small>{code}</small></th><td>{escape(str(row.get("deptName", "")))}</td>'
        f"<td>{escape(state)} · {row.get('taskVersion', '')}</td>"
        f'<td><form method="post" action="do"><input type="hidden" name="code" value="{code}">'
        f'<label>{escape(words["name"])} <input name="taskName" value="{name}"></label>'
        f'<label>{escape(words["days"])} <input name="promiseLimit" value="{row.get("promiseLimit", "")}" '
        f'inputmode="numeric" size="4"></label>'
        f'<button name="do" value="change">{escape(words["save"])}</button>{buttons}</form></td></tr>'
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
