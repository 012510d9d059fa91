"""Pages of scan-to-login: the code at the computer, the question on the telephone."""

from typing import Annotated, Literal

import msgspec
import segno
from aiohttp import web

from console.core.oidc import inside
from console.core.web import PAGES, SUBJECT, UOW, address_of
from console.modules.identity.repository import PgSessionStore
from console.modules.identity.repository_scan import SCAN_MS
from console.modules.identity.scan import ScanService
from console.modules.identity.views import (
    LONGEST_PROGRAM,
    SessionsIn,
    came_from,
    next_page,
)
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import SESSION, read_form, see_other
from qingting.kernel.web.forms import is_htmx

SCAN = "/login/scan"
COOKIE = "qt_scan"
ENDS = ("scan.refused", "scan.over")
"""Why a waiting page shows another code."""


class WaitForm(Strict, frozen=True, kw_only=True):
    next: Annotated[str, msgspec.Meta(max_length=500)] = "/"


class DecideForm(Strict, frozen=True, kw_only=True):
    decision: Literal["yes", "no"] = "no"


class ScanPages:
    """Handlers over the service. ``public_url`` is what telephones call the console by; empty: what the computer does."""

    def __init__(
        self,
        scans: ScanService,
        store: PgSessionStore,
        sessions_in: SessionsIn,
        *,
        public_url: str,
        secure: bool,
    ) -> None:
        self._scans, self._store, self._sessions_in = scans, store, sessions_in
        self._public_url, self._secure = public_url.rstrip("/"), secure

    # -- at the computer ----------------------------------------------------------------------

    async def show(self, request: web.Request) -> web.Response:
        if SUBJECT in request:
            raise see_other(request, "/")
        code = request.query.get("over", "")
        problem = Refusal(code) if code in ENDS else None
        return await self._page(request, inside(request.query.get("next", "/")), problem)

    async def _page(
        self, request: web.Request, wanted: str, problem: Refusal | None, *, same: bool = False
    ) -> web.Response:
        """Another code each time, but for the ``same`` while it waits."""
        token, secret = _of_cookie(request)
        if not same:
            token, secret = await self._scans.begin(
                request[UOW],
                secret,
                address=address_of(request),
                program=request.headers.get("User-Agent", "")[:LONGEST_PROGRAM],
            )
        address = f"{self._public_url or request.url.origin()}/scan/{token}"
        picture = segno.make(address, error="m", micro=False)
        context = {
            "picture": picture.svg_data_uri(scale=6, border=4, light="#fff"),
            "next": wanted,
            "problem": problem,
        }
        response = request.app[PAGES].render(request, "scan_login.html", context)
        if not same:
            response.set_cookie(
                COOKIE, f"{token}.{secret}", path=SCAN, max_age=SCAN_MS // 1000,
                httponly=True, samesite="Strict", secure=self._secure,
            )  # fmt: skip
        return response

    async def wait(self, request: web.Request) -> web.Response:
        """The page asks every two seconds; without scripts its person presses a button."""
        form, (_, secret) = await read_form(request, WaitForm), _of_cookie(request)
        uow, wanted = request[UOW], inside(form.next)
        state = await self._scans.state(uow, secret)
        if state == "waiting" and is_htmx(request):
            return web.Response(status=204)
        if state != "confirmed":
            code = {"waiting": "scan.waiting", "refused": "scan.refused"}.get(state, "scan.over")
            if is_htmx(request):
                return web.Response(headers={"HX-Redirect": f"{SCAN}?over={code}"})
            return await self._page(request, wanted, Refusal(code), same=state == "waiting")
        done = await self._scans.login(uow, secret, address_of(request))
        if done.refusal is not None:
            return await self._page(request, wanted, done.refusal)
        answer = see_other(request, next_page(done, wanted))
        store = came_from(request, self._store)
        await self._sessions_in(store).start(
            answer, done.account, done.marks, means=done.means, origin=done.origin
        )
        answer.del_cookie(COOKIE, path=SCAN)
        raise answer

    # -- on the telephone ---------------------------------------------------------------------

    async def ask(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        found = await self._scans.waiting(request[UOW], token)
        context = {"waiting": found, "token": token, "account": request[SUBJECT].name}
        return request.app[PAGES].render(request, "scan_confirm.html", context)

    async def decide(self, request: web.Request) -> web.Response:
        form, token = await read_form(request, DecideForm), request.match_info["token"]
        confirmed = form.decision == "yes"
        await self._scans.decide(
            request[UOW], request[SUBJECT], request[SESSION], token, confirmed=confirmed
        )
        raise see_other(request, "/sessions", done="scan.done.yes" if confirmed else "scan.done.no")


def _of_cookie(request: web.Request) -> tuple[str, str]:
    """The token that the browser shows, and its own secret."""
    token, _, secret = request.cookies.get(COOKIE, "").partition(".")
    return token, secret


def routes(pages: ScanPages) -> list[web.RouteDef]:
    return [
        web.get(SCAN, pages.show),
        web.post(SCAN, pages.wait),
        web.get("/scan/{token}", pages.ask),
        web.post("/scan/{token}", pages.decide),
    ]
