"""Who asks at a citizens' page, and the ways to the login and back."""

from typing import Protocol
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.core.uow import ReadUow
from console.core.web import UOW
from console.modules.citizens.api import Citizen
from console.modules.citizens.shell import CITIZEN, START
from qingting.kernel.web import SESSION, WebSession, see_other
from qingting.kernel.web.keys import EXPIRED

LOGIN, CONSENT_PAGE = f"{START}/login", f"{START}/consent"


class Current(Protocol):
    """Says whose a session is."""

    async def current(self, uow: ReadUow, session: WebSession) -> Citizen | None: ...


def who_comes(service: Current) -> Middleware:
    """Puts the citizen on the request. Pages that need one ask for it themselves (``CitizensApi.require``)."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        session = request.get(SESSION)
        if session is not None:
            found = await service.current(request[UOW], session)
            if found is not None:
                request[CITIZEN] = found
        return await handler(request)

    return middleware


def wanted(request: web.Request) -> str:
    """Where somebody wanted to go: a page, never an act."""
    return request.path_qs if request.method == "GET" else START


def to_login(request: web.Request) -> web.HTTPException:
    """To the login page, which leads back."""
    query = {"next": wanted(request)}
    if request.get(EXPIRED):
        query["expired"] = "1"
    return see_other(request, f"{LOGIN}?{urlencode(query)}")


def to_consent(request: web.Request) -> web.HTTPException:
    return see_other(request, f"{CONSENT_PAGE}?{urlencode({'next': wanted(request)})}")


__all__ = ["CITIZEN", "CONSENT_PAGE", "LOGIN", "to_consent", "to_login", "wanted", "who_comes"]
