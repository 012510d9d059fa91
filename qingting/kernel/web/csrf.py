"""No change without a form of ours: a token per session, or a twin cookie before login."""

import hashlib
import hmac
import secrets
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from qingting.contract.errors import Refusal
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web.keys import ANONYMOUS_CSRF, EXPIRED, SESSION
from qingting.kernel.web.session import WebSession
from qingting.kernel.web.unsent import (
    CSRF_FIELD,
    FILE_REFUSED,
    LARGE,
    SAFE,
    Unsent,
    has_large_file,
    typed_beside_files,
)

HEADER = "X-CSRF-Token"
COOKIE = "qt_form"
_NONCE, _DIGEST = 8, 32
"""Letters of a mark that make it another one in each session, and of each of the two digests after them."""


def token_for(subject: str, acting: str = "") -> str:
    """The token of a new session: a secret, and after the dot a mark by which one who has a form of it can tell whether
    it was made for ``subject``, and in the name of ``acting``. The mark opens nothing, and lives on in a form that is kept
    (:mod:`.unsent`)."""
    nonce = secrets.token_hex(_NONCE // 2)
    return f"{new_token()}.{nonce}{_mark(nonce, subject)}{_mark(nonce, subject, acting)}"


def mark_of(token: str) -> str:
    """The mark of a token; empty for a form that was made for nobody in particular."""
    return token.rpartition(".")[2] if "." in token else ""


def made_for(token: str, subject: str) -> bool | None:
    """Whether the form was made for ``subject``; None where it does not tell."""
    mark = mark_of(token)
    if not mark:
        return None
    return _same(_mark(mark[:_NONCE], subject), mark[_NONCE:][:_DIGEST])


def made_as(token: str, subject: str, acting: str) -> bool | None:
    """Whether the form was made in the same name as ``subject`` acts in now; None where it does not tell."""
    mark = mark_of(token)
    told = mark[_NONCE + _DIGEST :]
    return _same(_mark(mark[:_NONCE], subject, acting), told) if told else None


def _same(expected: str, told: str) -> bool:
    return hmac.compare_digest(expected.encode(), told.encode())


def _mark(nonce: str, *who: str) -> str:
    return hashlib.sha256(" ".join((nonce, *who)).encode()).hexdigest()[:_DIGEST]


def csrf_token(request: web.Request) -> str:
    """The token for a form on this page; before login the answer also sets the twin cookie."""
    session: WebSession | None = request.get(SESSION)
    if session is not None:
        return session.csrf
    if ANONYMOUS_CSRF not in request:
        request[ANONYMOUS_CSRF] = request.cookies.get(COOKIE) or new_token()
    return request[ANONYMOUS_CSRF]


def csrf_middleware(*guards: Middleware) -> Middleware:
    """Refuses with ``session.csrf`` what did not come from one of our forms in this session. Where the browser vouches that
    a page of ours sent it, as one does that was opened before a login, what was typed is shown instead (:class:`Unsent`).
    ``guards`` find out who is there for that page; the address' own handler is never reached."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method not in SAFE and not await _proven(request):
            handler = _shown
            for guard in reversed(guards):
                handler = partial(guard, handler=handler)
        response = await handler(request)
        remember_twin(request, response)
        return response

    return middleware


def remember_twin(request: web.Request, response: web.StreamResponse) -> None:
    """Sets the cookie of a form that was made before login."""
    token = request.get(ANONYMOUS_CSRF)
    if token is not None and request.cookies.get(COOKIE) != token:
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=request.secure)


async def _proven(request: web.Request) -> bool:
    """True for a form of this session; False for a form of ours from another one. Raises ``session.csrf`` for the rest."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Refusal("session.csrf")
    session: WebSession | None = request.get(SESSION)
    expected = session.csrf if session is not None else request.cookies.get(COOKIE, "")
    if session is not None and HEADER not in request.headers and has_large_file(request):
        if not same_origin(request):
            raise web.HTTPRequestEntityTooLarge(request.client_max_size)
        request[LARGE] = await typed_beside_files(request)
    given = await given_token(request)
    if expected and _same(expected, given) and LARGE not in request:
        return True
    if request.match_info.http_exception is not None or not same_origin(request):
        raise Refusal("session.csrf")
    return False


async def given_token(request: web.Request) -> str:
    """What came as the token, be it right or not."""
    given = request.headers.get(HEADER)
    if given is None and LARGE in request:
        return next(iter(request[LARGE].tokens), "")
    if given is None:
        field = (await request.post()).get(CSRF_FIELD, "")
        given = field if isinstance(field, str) else ""
    return given


def same_origin(request: web.Request) -> bool:
    """True when the browser says that a page of ours sent it. Programs can say so too, but have nobody's cookies. Whoever
    says nothing is not believed."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "")
    if site is not None:
        return site == "same-origin"
    parts = urlsplit(origin)
    # Behind a proxy that ends TLS the page is https where the request is not; never the other way round.
    schemes = {"https"} if request.secure else {"http", "https"}
    return parts.scheme in schemes and parts.netloc.lower() == request.host.lower()


async def _shown(request: web.Request) -> web.StreamResponse:
    """In the place of a handler: nothing is done, what was typed is shown."""
    token = await given_token(request)
    session: WebSession | None = request.get(SESSION)
    if session is None and request.get(EXPIRED):
        raise Unsent("session.expired", login=True)
    if session is None and mark_of(token):
        raise Unsent("session.over", login=True)
    if LARGE in request and session is not None and _same(session.csrf, token):
        most = request.client_max_size // 1024
        said = request.get(FILE_REFUSED) or Refusal("form.file_too_large", kilobytes=most)
        raise Unsent(said.code, **said.params)
    acting = session is not None and made_as(token, session.subject, session.acting) is False
    mine = session is not None and made_for(token, session.subject) is True
    raise Unsent("session.acting" if acting and mine else "session.renewed")
