"""Login at the sign-on, consent, and for whom somebody acts."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from console.core.oidc import OidcDoor
from console.core.web import CALLBACKS, PAGES, UOW, address_of
from console.modules.citizens.api import Citizen
from console.modules.citizens.domain import inside
from console.modules.citizens.door import CITIZEN, CONSENT_PAGE, LOGIN, to_login
from console.modules.citizens.reach import Reachable
from console.modules.citizens.service import CONSENT, CitizenService, login_of
from console.modules.citizens.sessions import CitizenSessions
from console.modules.citizens.shell import ACTING, START
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, SESSION, SESSION_DIGEST, Sessions, read_form, see_other
from qingting.kernel.web.keys import EXPIRED

LOGGED_OUT = f"{CALLBACKS}citizens/logout"
"""Where the sign-on tells that somebody logged out there."""
CLOCKS_MS = 5_000
"""The sign-on's clock tells whole seconds, and may be a little behind."""


class NextForm(Strict, frozen=True, kw_only=True):
    next: str = START
    agree: bool = False
    firm: str = ""


@dataclass(frozen=True, slots=True)
class LoginDesk:
    """What the pages need. ``door`` None: no sign-on is set up."""

    service: CitizenService
    store: CitizenSessions
    sessions_in: Callable[[CitizenSessions], Sessions]
    door: OidcDoor | None
    reachable: Reachable


class LoginPages:
    """Handlers over ``desk``."""

    def __init__(self, desk: LoginDesk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        if CITIZEN in request:
            raise see_other(request, inside(request.query.get("next", START), START))
        expired = "expired" in request.query or bool(request.get(EXPIRED))
        return await self._page(request, Refusal("session.expired") if expired else None)

    async def _page(self, request: web.Request, problem: Refusal | None) -> web.Response:
        context = {
            "next": inside(request.query.get("next", START), START),
            "open": self._desk.door is not None,
            "elsewhere": await self._elsewhere(request) if "out" in request.query else "",
            "problem": problem,
        }
        return request.app[PAGES].render(request, "c_login.html", context)

    async def _elsewhere(self, request: web.Request) -> str:
        """Where one logs out of the sign-on too: on a computer that others use, the next one would be let in. Empty
        where it has no such page, or cannot be reached now."""
        door = self._desk.door
        if door is None:
            return ""
        try:
            return await door.end_session_url(request, START)
        except Refusal:
            return ""

    async def go(self, request: web.Request) -> web.Response:
        if self._desk.door is None:
            raise Refusal("citizen.no_sign_on")
        raise await self._desk.door.begin(request)

    async def back(self, request: web.Request) -> web.Response:
        """A session is made anew, whatever cookie the browser brought: nobody can have planted it."""
        door, uow = self._desk.door, request[UOW]
        if door is None:
            raise Refusal("citizen.no_sign_on")
        try:
            came = await door.finish(request)
            citizen = await self._desk.service.signed_in(
                uow, came.identity, request[LANGUAGE], address_of(request)
            )
        except Refusal as refusal:
            answer = await self._page(request, refusal)
            door.forget(answer)
            return answer
        going = see_other(request, await self._onward(request, citizen, came.next))
        if old := request.get(SESSION_DIGEST):
            await self._desk.store.within(uow).drop(old)
        program = request.headers.get("User-Agent", "")
        who = came.identity
        store = self._desk.store.within(
            uow,
            address=address_of(request),
            program=program,
            login=login_of(who.issuer, who.subject),
            sid=login_of(who.issuer, who.text("sid")),
        )
        await self._desk.sessions_in(store).start(going, citizen.id)
        door.forget(going)
        raise going

    async def _onward(self, request: web.Request, citizen: Citizen, wanted: str) -> str:
        """To the choice of whom one acts for, where there is one; the page after it asks for consent itself."""
        target = inside(wanted, START)
        if citizen.certificate is not None and await self._desk.service.firms(
            request[UOW], citizen
        ):
            return ACTING + _query(target)
        return target if citizen.consented else CONSENT_PAGE + _query(target)

    async def logout(self, request: web.Request) -> web.Response:
        answer = see_other(request, f"{LOGIN}?out=1", done="c.done.logout")
        store = self._desk.store.within(request[UOW])
        if key := request.get(SESSION_DIGEST):
            await self._desk.reachable.logged_out(request[UOW], key)
        await self._desk.sessions_in(store).end(request, answer)
        raise answer

    async def logged_out(self, request: web.Request) -> web.Response:
        """Somebody logged out of the sign-on, which tells so (OpenID Connect Back-Channel Logout 1.0): sessions that began
        before end here too. A token that is sent again ends nothing that began later."""
        door = self._desk.door
        if door is None:
            raise Refusal("page.not_found")
        token = str((await request.post()).get("logout_token", ""))
        try:
            told = await door.client.logged_out(token)
        except Refusal as refusal:
            status = 400 if refusal.code == "oidc.rejected" else 503
            return web.Response(status=status, headers={"Cache-Control": "no-store"})
        login, sid = login_of(told.issuer, told.subject), login_of(told.issuer, told.sid)
        await self._desk.store.drop_logged_out(login, sid, told.at + CLOCKS_MS)
        return web.Response(headers={"Cache-Control": "no-store"})

    async def consent_page(self, request: web.Request) -> web.Response:
        citizen = request.get(CITIZEN)
        if citizen is None:
            raise see_other(request, LOGIN)
        context = {
            "next": inside(request.query.get("next", START), START),
            "version": CONSENT,
            "agreed": citizen.consented,
        }
        return request.app[PAGES].render(request, "c_consent.html", context)

    async def consent(self, request: web.Request) -> web.Response:
        form, citizen = await read_form(request, NextForm), request.get(CITIZEN)
        if citizen is None:
            raise to_login(request)
        if not form.agree:
            context = {
                "next": inside(form.next, START),
                "version": CONSENT,
                "agreed": citizen.consented,
                "problem": Refusal("citizen.no_consent"),
            }
            return request.app[PAGES].render(request, "c_consent.html", context)
        await self._desk.service.consent(request[UOW], citizen.id)
        raise see_other(request, inside(form.next, START))

    async def acting_page(self, request: web.Request) -> web.Response:
        citizen = await self._desk.service.require(request)
        context = {
            "firms": await self._desk.service.firms(request[UOW], citizen),
            "citizen": citizen,
            "next": inside(request.query.get("next", START), START),
        }
        return request.app[PAGES].render(request, "c_acting.html", context)

    async def acting(self, request: web.Request) -> web.Response:
        form, citizen = (
            await read_form(request, NextForm),
            await self._desk.service.require(request),
        )
        firms = await self._desk.service.firms(request[UOW], citizen)
        if form.firm and form.firm not in {firm.id for firm, _ in firms}:
            raise Refusal("citizen.no_mandate")
        store = self._desk.store.within(request[UOW])
        await store.act_for(request[SESSION_DIGEST], request[SESSION], form.firm)
        raise see_other(request, inside(form.next, START))


def _query(target: str) -> str:
    return f"?{urlencode({'next': target})}"


def routes(desk: LoginDesk) -> list[web.RouteDef]:
    pages = LoginPages(desk)
    return [
        web.get(LOGIN, pages.page),
        web.get(f"{LOGIN}/go", pages.go),
        web.get(f"{LOGIN}/back", pages.back),
        web.post(f"{START}/logout", pages.logout),
        web.post(LOGGED_OUT, pages.logged_out),
        web.get(CONSENT_PAGE, pages.consent_page),
        web.post(CONSENT_PAGE, pages.consent),
        web.get(ACTING, pages.acting_page),
        web.post(ACTING, pages.acting),
    ]
