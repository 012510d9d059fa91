"""What every handler of the console finds on its request, and the transaction around it."""

import sqlalchemy as sa
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.core.api import BASE
from console.core.db import Database
from console.core.line import ACTS
from console.core.permissions import Subject
from console.core.uow import Uow
from qingting.contract.errors import Refusal
from qingting.kernel.web import Pages
from qingting.kernel.web.csrf import HEADER
from qingting.kernel.web.sender import sender_of
from qingting.kernel.web.unsent import LARGE, SAFE

PAGES = web.AppKey("pages", Pages)
UOW = web.RequestKey("uow", Uow)
"""The request's transaction: committed when the handler answers, rolled back when it raises."""
PROXIES: web.AppKey[frozenset[str]] = web.AppKey("proxies")
"""Addresses of the reverse proxies in front."""
SUBJECT = web.RequestKey("subject", Subject)
"""Who asks; absent before login."""
NUL = "\x00"
_NO_TEXT = ("22021", "22P05")
"""SQLSTATE of a text that PostgreSQL cannot keep: as it is, and inside JSON."""
CALLBACKS = "/callback/"
"""Where other systems tell us something by themselves: each address checks by its own means who calls, no cookie counts
there, and any worker takes it."""
OPEN_PATHS = (
    "/assets/",
    "/language",
    "/link",
    "/live",
    "/healthz",
    "/metrics",
    CALLBACKS,
    f"{BASE}/",
)
"""Paths that need no transaction of a request."""


@web.middleware
async def acts_first(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who does something, such as booking, does not stand behind all who look at pages. Requests of one connection
    follow each other in one task, so each says anew what it is."""
    ACTS.set(request.method not in ("GET", "HEAD"))
    return await handler(request)


def unit_of_work(db: Database) -> Middleware:
    """One transaction a request, ended here. An HTTPException below 400 is an answer and commits."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(OPEN_PATHS):
            return await handler(request)
        if _unstorable(request):
            raise Refusal("page.not_found")
        await _check_form(request)
        try:
            async with db.write() as uow:
                request[UOW] = uow
                answer = await _answer(request, handler)
        except sa.exc.DBAPIError as error:
            # Out of what a form or a file has in it: JSON writes NUL as ``\u0000``.
            if getattr(error.orig, "sqlstate", "") in _NO_TEXT:
                raise Refusal("form.unstorable") from error
            raise
        if isinstance(answer, web.HTTPException):
            raise answer
        return answer

    return middleware


def _unstorable(request: web.Request) -> bool:
    """PostgreSQL has no NUL in texts, so nothing can be found under such an address."""
    return NUL in request.path or any(NUL in name + value for name, value in request.query.items())


async def _check_form(request: web.Request) -> None:
    """Raises ``form.unstorable`` for a field or a file's name with NUL, before any handler meets it. What a page's program
    sends with its token in a header nobody has read yet: a large file is its handler's to read, which knows how large it
    may be, and PostgreSQL refuses what is in it."""
    large = request.content_type == "multipart/form-data" and HEADER in request.headers
    if request.method in SAFE or large or LARGE in request:
        return
    for name, value in (await request.post()).items():
        text = value if isinstance(value, str) else getattr(value, "filename", "")
        if NUL in name + text:
            raise Refusal("form.unstorable")


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse | web.HTTPException:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status >= 400:
            raise
        return error


def address_of(request: web.Request) -> str:
    """The caller's network address: for the audit, for locks, and for where staff may log in from. What a header says counts
    only from the proxies that the settings name."""
    return sender_of(request, request.app.get(PROXIES, frozenset()))
