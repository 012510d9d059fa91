"""Login, password and logout."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.core.module import Guest, Slot
from console.core.oidc import inside
from console.core.web import OPEN_PATHS, PAGES, SUBJECT, UOW, address_of
from console.modules.identity.api import ENROL, LOGIN, MUST_CHANGE, SECOND, TOO_OLD, is_strong
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.repository_policy import read_policy
from console.modules.identity.repository_sessions import was_ended
from console.modules.identity.service import IdentityService, Login, Standing
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.security.device_keys import digest
from qingting.kernel.web import SESSION, Sessions, Unsent, read_form, see_other
from qingting.kernel.web.keys import EXPIRED
from qingting.kernel.web.session import WebSession
from qingting.kernel.web.unsent import leading

PASSWORD = "/password"  # noqa: S105 - an address
SSO_OUT = "/login/sso/out"
"""Where whoever came from the identity platform and logs out here logs out of the platform too."""
SECOND_STEP, FACTOR = "/login/second", "/second-factor"
LONGEST_PROGRAM = 200
_WHY_OUT = {
    "expired": "session.expired",
    "elsewhere": "login.address",
    "ended": "session.ended",
}
"""Why somebody who was logged in is asked to log in again, as the address of the login has it."""
SessionsIn = Callable[[PgSessionStore], Sessions]


class LoginForm(Strict, frozen=True, kw_only=True):
    name: str = ""
    password: str = ""
    next: str = "/"


class PasswordForm(Strict, frozen=True, kw_only=True):
    present: str = ""
    new: str = ""
    again: str = ""


def who_asks(
    service: IdentityService, guests: Sequence[Guest], cookie: str, open_pages: frozenset[str]
) -> Middleware:
    """Puts the caller on the request; without one only ``open_pages`` and the guests' doors are to be had. Whose
    session somebody ended (its ``cookie`` tells) is told so."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(OPEN_PATHS):
            return await handler(request)
        session, standing = request.get(SESSION), None
        if session is not None:
            standing = await service.standing(request[UOW], session.subject, address_of(request))
            if standing is not None and standing.here:
                request[SUBJECT] = standing.subject
        if SUBJECT not in request:
            await _let_guest_in(request, guests)
        if SUBJECT not in request and request.path not in {
            *open_pages, *(one.door for one in guests),
        }:  # fmt: skip
            elsewhere = standing is not None and not standing.here
            ended = await _was_ended(request, cookie)
            raise _to_login(request, ended=ended, elsewhere=elsewhere)
        if session is not None and standing is not None and standing.here:
            first = _first(session, standing)
            if first and request.path not in (first, LOGIN, "/logout"):
                raise leading(request, Unsent("session.first", first))
        return await handler(request)

    return middleware


def _first(session: WebSession, standing: Standing) -> str:
    """The one page that somebody has to go to before any other; empty for none."""
    weak = standing.asked and not is_strong(session.means)
    if SECOND in session.marks or (weak and standing.has_factor):
        return SECOND_STEP
    if MUST_CHANGE in session.marks:
        return PASSWORD
    return FACTOR if weak or ENROL in session.marks else ""


async def _let_guest_in(request: web.Request, guests: Sequence[Guest]) -> None:
    """Only where a guest may be: everywhere else nobody asks for what a guest comes with."""
    for guest in guests:
        if request.path in guest.pages and request.method == "GET":
            subject = await guest.find(request[UOW], request)
            if subject is not None:
                request[SUBJECT] = subject


async def _was_ended(request: web.Request, cookie: str) -> bool:
    secret = request.cookies.get(cookie)
    return bool(secret) and await was_ended(request[UOW], digest(secret or ""))


def _to_login(request: web.Request, *, ended: bool, elsewhere: bool) -> Exception:
    wanted = {"next": request.path} if request.method == "GET" and request.path != "/" else {}
    why = ""
    if request.get(EXPIRED):
        # The session is gone with this request; the next one could not tell any more.
        why = "expired"
    elif elsewhere:
        why = "elsewhere"
    elif ended:
        why = "ended"
    query = urlencode(wanted | ({why: "1"} if why else {}))
    way = LOGIN + (f"?{query}" if query else "")
    here = {"address": address_of(request)} if elsewhere else {}
    return leading(request, Unsent(_WHY_OUT.get(why, "session.over"), way, login=True, **here))


def routes(
    service: IdentityService,
    store: PgSessionStore,
    sessions_in: SessionsIn,
    notes: Slot[None],
    *,
    sso: bool,
) -> list[web.RouteDef]:
    """Handlers over ``service``; ``sessions_in`` makes sessions kept in a given store. ``notes`` stand above the login;
    ``sso``: single sign-on is offered."""

    def page(request: web.Request, name: str, context: Mapping[str, object]) -> web.Response:
        return request.app[PAGES].render(request, name, context)

    async def login_page(request: web.Request) -> web.Response:
        if SUBJECT in request:
            raise see_other(request, "/")
        wanted = request.query.get("next", "/")
        context = login_context("", wanted, _why_out(request), sso=sso)
        return page(request, "login.html", context | {"notes": await notes.draw(request, None)})

    async def login(request: web.Request) -> web.Response:
        form = await read_form(request, LoginForm)
        uow = request[UOW]
        outcome = await service.login(uow, form.name.strip(), form.password, address_of(request))
        if outcome.refusal is not None:
            context = login_context(form.name, form.next, outcome.refusal, sso=sso)
            return page(request, "login.html", context)
        answer = see_other(request, next_page(outcome, form.next))
        await sessions_in(came_from(request, store)).start(
            answer, outcome.account, outcome.marks, means=outcome.means
        )
        raise answer

    async def password_page(request: web.Request) -> web.Response:
        return page(request, "password.html", await _password_context(request, None))

    async def password(request: web.Request) -> web.Response:
        form, uow, subject = await read_form(request, PasswordForm), request[UOW], request[SUBJECT]
        refusal = await service.change_password(uow, subject, form.present, form.new, form.again)
        if refusal is not None:
            return page(request, "password.html", await _password_context(request, refusal))
        answer, session = see_other(request, "/", done="password.done"), request[SESSION]
        marks = tuple(one for one in session.marks if one == ENROL)
        await sessions_in(came_from(request, store)).start(
            answer, subject.id, marks, means=session.means, origin=session.origin
        )
        raise answer

    async def logout(request: web.Request) -> web.Response:
        by_sso = sso and request[SESSION].means.startswith("sso")
        answer = see_other(request, SSO_OUT if by_sso else LOGIN)
        await service.logout(request[UOW], request[SUBJECT])
        await sessions_in(store.within(request[UOW])).end(request, answer)
        raise answer

    table: list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]] = [
        ("GET", LOGIN, login_page),
        ("POST", LOGIN, login),
        ("GET", PASSWORD, password_page),
        ("POST", PASSWORD, password),
        ("POST", "/logout", logout),
    ]
    return [web.route(method, path, handler) for method, path, handler in table]


def login_context(
    name: str, wanted: str, problem: Refusal | None, *, sso: bool
) -> dict[str, object]:
    """What the login page shows; ``wanted`` goes along to the other ways in."""
    query = urlencode({"next": wanted}) if wanted != "/" else ""
    return {"name": name, "next": wanted, "query": query, "problem": problem, "sso": sso}


def next_page(outcome: Login, wanted: str) -> str:
    """Where a login leads to."""
    if SECOND in outcome.marks:
        return f"{SECOND_STEP}?{urlencode({'next': inside(wanted)})}"
    if MUST_CHANGE in outcome.marks:
        return PASSWORD
    return FACTOR if ENROL in outcome.marks else inside(wanted)


def came_from(request: web.Request, store: PgSessionStore) -> PgSessionStore:
    """Where a session that begins with this request comes from."""
    program = request.headers.get("User-Agent", "")[:LONGEST_PROGRAM]
    return store.within(request[UOW], address=address_of(request), program=program)


def _why_out(request: web.Request) -> Refusal | None:
    """Why somebody who was logged in is asked to log in again."""
    code = next((code for why, code in _WHY_OUT.items() if why in request.query), None)
    return None if code is None else Refusal(code, address=address_of(request))


async def _password_context(request: web.Request, problem: Refusal | None) -> dict[str, object]:
    return {
        "policy": await read_policy(request[UOW]),
        "forced": MUST_CHANGE in request[SESSION].marks,
        "old": TOO_OLD in request[SESSION].marks,
        "account": request[SUBJECT].name,
        "problem": problem,
    }
