"""Pages of the second factor: its step at the login, setting it up, recovery codes."""

from typing import Annotated

import msgspec
import segno
from aiohttp import web

from console.core.oidc import inside
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.identity.api import ENROL, LOGIN, MUST_CHANGE, SECOND, is_strong
from console.modules.identity.factor import FactorService
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.views import (
    FACTOR,
    PASSWORD,
    SECOND_STEP,
    SessionsIn,
    came_from,
)
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.totp import key_uri
from qingting.kernel.web import LANGUAGE, SESSION, read_form, see_other
from qingting.kernel.web.keys import SESSION_DIGEST

HALF_LOGIN_MS = 10 * 60_000
"""So long a password waits for the second factor."""
Text = Annotated[str, msgspec.Meta(max_length=128)]


class StepForm(Strict, frozen=True, kw_only=True):
    passcode: Text = ""
    next: Annotated[str, msgspec.Meta(max_length=500)] = "/"


class FactorForm(Strict, frozen=True, kw_only=True):
    passcode: Text = ""
    present: Text = ""


class FactorPages:
    """Handlers over the service; ``sessions_in`` makes sessions kept in a given store."""

    def __init__(
        self, factors: FactorService, store: PgSessionStore, sessions_in: SessionsIn, clock: Clock
    ) -> None:
        self._factors, self._store = factors, store
        self._sessions_in, self._clock = sessions_in, clock

    # -- the second step ----------------------------------------------------------------------

    async def step_page(self, request: web.Request) -> web.Response:
        if is_strong(request[SESSION].means):
            raise see_other(request, "/")
        context = {"next": request.query.get("next", "/"), "problem": None}
        return request.app[PAGES].render(request, "second_step.html", context)

    async def step(self, request: web.Request) -> web.Response:
        form, session, uow = await read_form(request, StepForm), request[SESSION], request[UOW]
        if is_strong(session.means):
            raise see_other(request, "/")
        if self._clock.now_ms() - session.created_at > HALF_LOGIN_MS:
            answer = see_other(request, f"{LOGIN}?expired=1")
            await self._sessions_in(self._store.within(uow)).end(request, answer)
            raise answer
        done = await self._factors.check(uow, request[SUBJECT], session.means, form.passcode)
        if done.refusal is not None:
            context = {"next": form.next, "problem": done.refusal}
            return request.app[PAGES].render(request, "second_step.html", context)
        marks = tuple(one for one in session.marks if one != SECOND)
        answer = see_other(request, PASSWORD if MUST_CHANGE in marks else inside(form.next))
        await self._go_on(request, answer, marks, done.means)
        raise answer

    async def _go_on(
        self, request: web.Request, answer: web.StreamResponse, marks: tuple[str, ...], means: str
    ) -> None:
        """A session with more rights is another session: a cookie seen before is worth nothing after."""
        store = came_from(request, self._store)
        await store.drop(request[SESSION_DIGEST])
        sessions, origin = self._sessions_in(store), request[SESSION].origin
        request[SESSION] = await sessions.start(
            answer, request[SUBJECT].id, marks, means=means, origin=origin
        )

    # -- setting up ---------------------------------------------------------------------------

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, None)

    async def _page(self, request: web.Request, problem: Refusal | None) -> web.Response:
        uow, subject, pages = request[UOW], request[SUBJECT], request.app[PAGES]
        info = await self._factors.info(uow, subject)
        renewing = "renew" in request.query
        context: dict[str, object] = {
            "info": info,
            "renewing": renewing,
            "fresh": ENROL in request[SESSION].marks,
            "problem": problem,
        }
        if renewing or not info.since:
            secret = await self._factors.pending(uow, subject)
            issuer = pages.text(request[LANGUAGE], "product")
            uri = key_uri(secret, account=info.account, issuer=issuer)
            code = segno.make(uri, error="m", micro=False)
            context["picture"] = code.svg_data_uri(scale=5, border=4, light="#fff")
            context["secret"] = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return pages.render(request, "second_factor.html", context)

    async def confirm(self, request: web.Request) -> web.Response:
        form, session = await read_form(request, FactorForm), request[SESSION]
        fresh = ENROL in session.marks
        done = await self._factors.confirm(
            request[UOW], request[SUBJECT], form.passcode, None if fresh else form.present
        )
        if isinstance(done, Refusal):
            return await self._page(request, done)
        marks, carrier = tuple(one for one in session.marks if one != ENROL), web.Response()
        await self._go_on(request, carrier, marks, f"{session.means.split('+')[0]}+code")
        # Drawn after: its forms belong to the new session.
        response = request.app[PAGES].render(request, "recovery_codes.html", {"codes": done})
        response.cookies.update(carrier.cookies)
        return response

    async def renew_codes(self, request: web.Request) -> web.Response:
        form = await read_form(request, FactorForm)
        done = await self._factors.renew_codes(request[UOW], request[SUBJECT], form.present)
        if isinstance(done, Refusal):
            return await self._page(request, done)
        return request.app[PAGES].render(request, "recovery_codes.html", {"codes": done})

    async def drop(self, request: web.Request) -> web.Response:
        form = await read_form(request, FactorForm)
        refusal = await self._factors.drop(request[UOW], request[SUBJECT], form.present)
        if refusal is not None:
            return await self._page(request, refusal)
        raise see_other(request, FACTOR, done="factor.done.dropped")


def routes(
    factors: FactorService, store: PgSessionStore, sessions_in: SessionsIn, clock: Clock
) -> list[web.RouteDef]:
    pages = FactorPages(factors, store, sessions_in, clock)
    return [
        web.get(SECOND_STEP, pages.step_page),
        web.post(SECOND_STEP, pages.step),
        web.get(FACTOR, pages.show),
        web.post(FACTOR, pages.confirm),
        web.post(f"{FACTOR}/codes", pages.renew_codes),
        web.post(f"{FACTOR}/drop", pages.drop),
    ]
