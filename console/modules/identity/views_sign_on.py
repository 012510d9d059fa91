"""Pages of single sign-on for staff: the way there and back, and binding the own account."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.db import Database
from console.core.oidc import OidcDoor
from console.core.web import CALLBACKS, PAGES, SUBJECT, UOW, address_of
from console.modules.identity.api import LOGIN
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.sign_on import OFFER_MS, SignOnService
from console.modules.identity.views import (
    PASSWORD,
    SSO_OUT,
    SessionsIn,
    came_from,
    login_context,
    next_page,
)
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

BEGIN, BACK = "/login/sso", "/login/sso/back"
LOGGED_OUT = f"{CALLBACKS}staff/logout"
"""Where the platform tells that somebody logged out there."""
OWN, OWN_BEGIN, OWN_BACK = f"{PASSWORD}/sso", f"{PASSWORD}/sso/begin", f"{PASSWORD}/sso/back"
OPEN = frozenset({BEGIN, BACK, OWN_BACK, SSO_OUT})
"""Open to everybody: the session's cookie does not come along when another site leads back."""
OFFER_COOKIE = "qt_offer"


class ConfirmForm(Strict, frozen=True, kw_only=True):
    present: Annotated[str, msgspec.Meta(max_length=128)] = ""


class SignOnPages:
    """Handlers over the service. ``doors`` are that of the login and that of the own account; None without a provider."""

    def __init__(
        self,
        db: Database,
        service: SignOnService,
        store: PgSessionStore,
        sessions_in: SessionsIn,
        doors: tuple[OidcDoor, OidcDoor] | None,
        *,
        secure: bool,
    ) -> None:
        self._db, self._service, self._store, self._sessions_in = db, service, store, sessions_in
        self._doors, self._secure = doors, secure

    def _door(self, which: int) -> OidcDoor:
        if self._doors is None:
            raise Refusal("page.not_found")
        return self._doors[which]

    async def begin(self, request: web.Request) -> web.Response:
        raise await self._door(0).begin(request)

    async def back(self, request: web.Request) -> web.Response:
        """A page of ours that leads on by itself: a redirect would still count as the other site's doing, and the
        session's strict cookie would not come along."""
        door = self._door(0)
        try:
            came = await door.finish(request)
            done = await self._service.login(request[UOW], came.identity, address_of(request))
            if done.refusal is not None:
                raise done.refusal
        except Refusal as refusal:
            return self._refused(request, door, refusal)
        response = self._lead_on(request, door, next_page(done, came.next))
        store = came_from(request, self._store)
        await self._sessions_in(store).start(
            response, done.account, done.marks, means=done.means, origin=done.origin
        )
        return response

    async def out(self, request: web.Request) -> web.Response:
        """On from logging out here to logging out there: a page of ours leads, as a form may not lead elsewhere."""
        door = self._door(0)
        try:
            there = await door.end_session_url(request, LOGIN)
        except Refusal:
            context = login_context("", "/", Refusal("sso.still_in"), sso=True)
            return request.app[PAGES].render(request, "login.html", context)
        if not there:
            raise see_other(request, LOGIN)
        return self._lead_on(request, door, there)

    async def logged_out(self, request: web.Request) -> web.Response:
        """Somebody logged out of the platform, which tells so (OpenID Connect Back-Channel Logout 1.0)."""
        door, headers = self._door(0), {"Cache-Control": "no-store"}
        try:
            token = str((await request.post()).get("logout_token", ""))
            told = await door.client.logged_out(token)
        except Refusal as refusal:
            return web.Response(
                status=400 if refusal.code == "oidc.rejected" else 503, headers=headers
            )
        async with self._db.write() as uow:
            await self._service.logged_out(uow, told, address_of(request))
        return web.Response(headers=headers)

    def _refused(self, request: web.Request, door: OidcDoor, refusal: Refusal) -> web.Response:
        context = login_context("", "/", refusal, sso=True)
        response = request.app[PAGES].render(request, "login.html", context)
        door.forget(response)
        return response

    def _lead_on(self, request: web.Request, door: OidcDoor, path: str) -> web.Response:
        response = request.app[PAGES].render(request, "lead_on.html", {"to": path})
        response.headers["Refresh"] = f"0;url={path}"
        door.forget(response)
        return response

    # -- the own account ----------------------------------------------------------------------

    async def own_begin(self, request: web.Request) -> web.Response:
        raise await self._door(1).begin(request, prompt="login")

    async def own_back(self, request: web.Request) -> web.Response:
        door = self._door(1)
        try:
            came = await door.finish(request)
        except Refusal as refusal:
            return self._refused(request, door, refusal)
        response = self._lead_on(request, door, OWN)
        response.set_cookie(
            OFFER_COOKIE, self._service.offer(came.identity), path=OWN, max_age=OFFER_MS // 1000,
            httponly=True, samesite="Strict", secure=self._secure,
        )  # fmt: skip
        return response

    async def own(self, request: web.Request) -> web.Response:
        return await self._own_page(request, None)

    async def _own_page(self, request: web.Request, problem: Refusal | None) -> web.Response:
        context = {
            "bound": await self._service.own(request[UOW], request[SUBJECT]),
            "offer": self._service.offered(request.cookies.get(OFFER_COOKIE, "")),
            "account": request[SUBJECT].name,
            "offered": self._doors is not None,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "sign_on.html", context)

    async def confirm(self, request: web.Request) -> web.Response:
        form, sealed = await read_form(request, ConfirmForm), request.cookies.get(OFFER_COOKIE, "")
        refusal = await self._service.confirm(request[UOW], request[SUBJECT], sealed, form.present)
        if refusal is not None:
            return await self._own_page(request, refusal)
        answer = see_other(request, OWN, done="sso.done.bound")
        answer.del_cookie(OFFER_COOKIE, path=OWN)
        raise answer

    async def drop(self, request: web.Request) -> web.Response:
        await self._service.unbind_own(request[UOW], request[SUBJECT])
        raise see_other(request, OWN, done="sso.done.unbound")


def routes(pages: SignOnPages) -> list[web.RouteDef]:
    return [
        web.get(BEGIN, pages.begin),
        web.get(BACK, pages.back),
        web.get(SSO_OUT, pages.out),
        web.post(LOGGED_OUT, pages.logged_out),
        web.get(OWN_BEGIN, pages.own_begin),
        web.get(OWN_BACK, pages.own_back),
        web.get(OWN, pages.own),
        web.post(OWN, pages.confirm),
        web.post(f"{OWN}/drop", pages.drop),
    ]
