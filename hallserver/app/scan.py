"""Pages on a clerk's phone: the code of a call pad was scanned, who is it, and is it this pad? (扫码登录)"""

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.door import PASSWORD, LoginForm
from hallserver.app.manage.shell import MUST_CHANGE
from hallserver.engine.state import DeviceLife
from hallserver.hub.scan_desk import Challenge
from hallserver.hub.scan_login import confirm
from qingting.contract.errors import Refusal
from qingting.kernel.web import SESSION, WebSession, read_form, see_other

PAGE = "scan.html"


def add_scan(app: web.Application) -> None:
    app.router.add_get("/scan/{challenge}", page)
    app.router.add_post("/scan/{challenge}/login", log_in)
    app.router.add_post("/scan/{challenge}/confirm", say_yes)
    app.router.add_post("/scan/{challenge}/leave", leave)


async def page(request: web.Request) -> web.Response:
    """The login form, or the question whether this is the pad."""
    try:
        await _challenge(request)
    except Refusal as refusal:
        return _render(request, step="refused", problem=refusal)
    if request.get(SESSION) is None:
        return _render(request, step="login")
    return _question(request)


async def log_in(request: web.Request) -> web.Response:
    """The same accounts, lockouts and sessions as the manager's pages."""
    desk = desk_of(request)
    form = await read_form(request, LoginForm)
    staff = next((one for one in desk.state.staff.values() if one.number == form.number), None)
    try:
        await _challenge(request)
        must = await desk.accounts.staff.check(staff, form.number, form.password, family="login")
    except Refusal as refusal:
        return _render(request, step="login", number=form.number, problem=refusal)
    assert staff is not None  # an unknown number has no password, so its check never passes
    response = see_other(request, PASSWORD if must else _path(request))
    await desk.sessions.start(response, staff.id, (MUST_CHANGE,) if must else ())
    raise response


async def say_yes(request: web.Request) -> web.Response:
    """The pad is logged in; the code is spent."""
    staff, session = person_of(request), request[SESSION]
    if MUST_CHANGE in session.marks:
        raise see_other(request, PASSWORD)
    try:
        await _challenge(request)
        await confirm(desk_of(request).hub.board, request.match_info["challenge"], staff)
    except Refusal as refusal:
        return _render(request, step="refused", problem=refusal)
    return _render(request, step="done")


async def leave(request: web.Request) -> web.Response:
    """Somebody else was logged in on this phone."""
    response = see_other(request, _path(request))
    await desk_of(request).sessions.end(request, response)
    raise response


async def _challenge(request: web.Request) -> Challenge:
    """The challenge of the address. Invalid ones are counted by the sender's address, as pairing codes are."""
    desk = desk_of(request)
    account = f"scan:{request.remote or '?'}"
    await desk.accounts.locks.check(account, "scan.locked")
    try:
        found = desk.hub.board.scans.open(request.match_info["challenge"])
    except Refusal as refusal:
        if refusal.code != "scan.unknown":
            raise
        counted = await desk.accounts.locks.failed(account, "scan.unknown", "scan.locked")
        raise counted from refusal
    await desk.accounts.locks.clear(account)
    return found


def _question(request: web.Request) -> web.Response:
    session: WebSession = request[SESSION]
    if MUST_CHANGE in session.marks:
        raise see_other(request, PASSWORD)
    try:
        staff = person_of(request)
    except Refusal:
        return _render(request, step="login")  # taken out of the configuration meanwhile
    return _render(request, step="ask", staff=staff)


def _path(request: web.Request) -> str:
    return f"/scan/{request.match_info['challenge']}"


def _render(request: web.Request, **context: object) -> web.Response:
    desk = desk_of(request)
    given = {"path_here": _path(request), "number": "", "staff": None, "problem": None} | context
    device = _device(desk, request)
    window = desk.state.window_config.get(device.window) if device and device.window else None
    return desk.pages.render(request, PAGE, given | {"device": device, "window": window})


def _device(desk: Desk, request: web.Request) -> DeviceLife | None:
    """The pad of a code that is good or was."""
    device = desk.hub.board.scans.device_of(request.match_info["challenge"])
    return desk.state.devices.get(device) if device is not None else None
