"""Who asks at a citizens' page, and the ways to the login and back."""

from typing import Protocol
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.core.uow import ReadUow
from console.core.web import UOW
from console.modules.citizens.api import Citizen
from console.modules.citizens.shell import CITIZEN, LOGIN, START
from qingting.kernel.web import SESSION, Unsent, WebSession
from qingting.kernel.web.keys import EXPIRED, SESSION_DIGEST
from qingting.kernel.web.unsent import SAFE, leading

CONSENT_PAGE = f"{START}/consent"


class Current(Protocol):
    """Says whose a session is."""

    async def current(self, uow: ReadUow, session: WebSession) -> Citizen | None: ...

    async def acts_alone(self, digest: str, session: WebSession) -> WebSession:
        """In the own name from now on, whatever becomes of the request."""
        ...


def who_comes(service: Current) -> Middleware:
    """Puts the citizen on the request. Pages that need one ask for it themselves (``CitizensApi.require``)."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        session = request.get(SESSION)
        if session is not None:
            found = await service.current(request[UOW], session)
            if found is not None:
                request[CITIZEN] = found
                if session.acting and found.acts_for is None:
                    await _mandate_over(service, request, session)
        return await handler(request)

    return middleware


async def _mandate_over(service: Current, request: web.Request, session: WebSession) -> None:
    """What was begun for the firm is not done in the person's own name unseen, nor for it when the mandate comes back."""
    request[SESSION] = await service.acts_alone(request[SESSION_DIGEST], session)
    if request.method not in SAFE:
        raise Unsent("session.mandate_over")


def wanted(request: web.Request) -> str:
    """Where somebody wanted to go: a page, never an act."""
    return request.path_qs if request.method == "GET" else START


def to_login(request: web.Request) -> Exception:
    """To the login page, which leads back."""
    expired = bool(request.get(EXPIRED))
    query = {"next": wanted(request)} | ({"expired": "1"} if expired else {})
    code = "session.expired" if expired else "session.over"
    return leading(request, Unsent(code, f"{LOGIN}?{urlencode(query)}", login=True))


def to_consent(request: web.Request) -> Exception:
    query = urlencode({"next": wanted(request)})
    return leading(request, Unsent("session.first", f"{CONSENT_PAGE}?{query}"))


__all__ = ["CITIZEN", "CONSENT_PAGE", "LOGIN", "to_consent", "to_login", "wanted", "who_comes"]
