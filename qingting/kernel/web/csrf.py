"""No change without a form of ours: a token per session, or a twin cookie before login."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler

from qingting.contract.errors import Refusal
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web.keys import ANONYMOUS_CSRF, SESSION
from qingting.kernel.web.session import WebSession

FIELD = "csrf"
HEADER = "X-CSRF-Token"
COOKIE = "qt_form"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_token(request: web.Request) -> str:
    """The token for a form on this page; before login the answer also sets the twin cookie."""
    session: WebSession | None = request.get(SESSION)
    if session is not None:
        return session.csrf
    if ANONYMOUS_CSRF not in request:
        request[ANONYMOUS_CSRF] = request.cookies.get(COOKIE) or new_token()
    return request[ANONYMOUS_CSRF]


@web.middleware
async def csrf_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses with ``session.csrf`` what did not come from one of our forms in this session."""
    if request.method not in SAFE:
        await _check(request)
    response = await handler(request)
    token = request.get(ANONYMOUS_CSRF)
    if token is not None and request.cookies.get(COOKIE) != token:
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=request.secure)
    return response


async def _check(request: web.Request) -> None:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Refusal("session.csrf")
    session: WebSession | None = request.get(SESSION)
    expected = session.csrf if session is not None else request.cookies.get(COOKIE, "")
    given = request.headers.get(HEADER)
    if given is None:
        field = (await request.post()).get(FIELD, "")
        given = field if isinstance(field, str) else ""
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Refusal("session.csrf")
