"""Login, logout, passwords, and the guard before every other page."""

from aiohttp import web
from aiohttp.typedefs import Handler

from hallserver.app.desk import desk_of, person_of
from hallserver.app.manage.shell import HOME, LOGIN, MUST_CHANGE, may_manage
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import ShortText, StaffId
from qingting.kernel.web import SESSION, Unsent, WebSession, is_htmx, read_form, see_other
from qingting.kernel.web.keys import EXPIRED
from qingting.kernel.web.unsent import leading

PASSWORD = "/manage/password"  # noqa: S105 - an address
_ALWAYS = (LOGIN,)
_ANY_STAFF = (PASSWORD, "/manage/logout")


class LoginForm(Strict, frozen=True, kw_only=True):
    number: ShortText
    password: str


class PasswordForm(Strict, frozen=True, kw_only=True):
    old: str
    new: str
    again: str


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Sends to the login who is not logged in, and to the password page who has a one-time one."""
    if not request.path.startswith("/manage") or request.path in _ALWAYS:
        return await handler(request)
    session: WebSession | None = request.get(SESSION)
    staff = desk_of(request).state.staff.get(StaffId(session.subject)) if session else None
    if staff is None:
        way = f"{LOGIN}?expired=1" if EXPIRED in request else LOGIN
        code = "session.expired" if EXPIRED in request else "session.over"
        raise leading(request, Unsent(code, way, login=True))
    if not may_manage(staff, session) and request.path not in _ANY_STAFF:
        if session is not None and MUST_CHANGE in session.marks:
            raise leading(request, Unsent("session.first", PASSWORD))
        raise Refusal("page.forbidden")
    return await handler(request)


async def login_page(request: web.Request) -> web.Response:
    problem = Refusal("session.expired") if "expired" in request.query else None
    response = desk_of(request).pages.render(
        request, "login.html", {"number": "", "problem": problem}
    )
    response.set_status(200)  # coming back after a pause is no fault
    return response


async def login(request: web.Request) -> web.Response:
    desk = desk_of(request)
    form = await read_form(request, LoginForm)
    staff = next((one for one in desk.state.staff.values() if one.number == form.number), None)
    try:
        must_change = await desk.accounts.staff.check(
            staff, form.number, form.password, family="login"
        )
    except Refusal as refusal:
        context = {"number": form.number, "problem": refusal}
        return desk.pages.render(request, "login.html", context)
    assert staff is not None  # an unknown number has no password, so its check never passes
    response = see_other(request, PASSWORD if must_change else HOME)
    await desk.sessions.start(response, staff.id, (MUST_CHANGE,) if must_change else ())
    raise response


async def logout(request: web.Request) -> web.Response:
    response = see_other(request, LOGIN)
    await desk_of(request).sessions.end(request, response)
    raise response


async def password_page(request: web.Request) -> web.Response:
    return desk_of(request).pages.render(request, "password.html", _password_context(request))


def _password_context(request: web.Request) -> dict[str, object]:
    session: WebSession | None = request.get(SESSION)
    return {"forced": session is not None and MUST_CHANGE in session.marks}


async def password(request: web.Request) -> web.Response:
    desk, staff = desk_of(request), person_of(request)
    form = await read_form(request, PasswordForm)
    try:
        await desk.accounts.staff.change(staff, form.old, form.new, form.again)
    except Refusal as refusal:
        context = _password_context(request) | {"problem": refusal}
        return desk.pages.render(request, "password.html", context)
    await desk.accounts.sessions.drop_subject(staff.id)
    home = HOME if staff.role.value == "manager" else PASSWORD
    response = see_other(request, home, done="password.changed")
    await desk.sessions.start(response, staff.id)
    raise response


async def bare(request: web.Request) -> web.Response:
    raise web.HTTPPermanentRedirect(HOME) if not is_htmx(request) else see_other(request, HOME)


ROUTES = (
    web.get("/manage", bare),
    web.get(LOGIN, login_page),
    web.post(LOGIN, login),
    web.post("/manage/logout", logout),
    web.get(PASSWORD, password_page),
    web.post(PASSWORD, password),
)
