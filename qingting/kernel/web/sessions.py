"""Web sessions: an opaque cookie, its digest in the database, idle and absolute limits."""

from collections.abc import Callable
from typing import Literal, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, new_device_key
from qingting.kernel.web.csrf import token_for
from qingting.kernel.web.keys import EXPIRED, SESSION, SESSION_DIGEST
from qingting.kernel.web.session import WebSession, acting_of

IDLE_MS = 30 * 60_000
ABSOLUTE_MS = 12 * 3_600_000
TOUCH_EVERY_MS = 60_000
"""A busy session writes its ``seen_at`` at most this often."""
LIVE_HEADER = "X-Qingting-Live"
"""Set by the page itself when it refreshes a part: such a request is no activity of a person."""


class SessionStore(Protocol):
    """Where sessions are kept, by digest of the cookie."""

    async def put(self, digest: str, session: WebSession) -> None: ...

    async def find(self, digest: str) -> WebSession | None: ...

    async def touch(self, digest: str, seen_at: int) -> None: ...

    async def drop(self, digest: str) -> None: ...

    async def drop_subject(self, subject: str) -> None:
        """Ends every session of an account, as after a change of its password."""
        ...


def usual_limits() -> tuple[int, int]:
    return IDLE_MS, ABSOLUTE_MS


class Sessions:
    """Starts, finds and ends sessions. ``secure`` marks the cookie for https only; ``same_site`` "Lax" lets it come
    along when a link elsewhere, such as the way back from a sign-on, leads here; ``limits`` gives the milliseconds
    that a session may idle, and that it lasts, as they are now."""

    def __init__(
        self,
        store: SessionStore,
        clock: Clock,
        *,
        cookie: str = "qt_session",
        path: str = "/",
        secure: bool = False,
        same_site: Literal["Strict", "Lax"] = "Strict",
        limits: Callable[[], tuple[int, int]] = usual_limits,
    ) -> None:
        self.store = store
        self._clock = clock
        self._cookie = cookie
        self._path = path
        self._secure = secure
        self._same_site = same_site
        self._limits = limits

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Puts the live session of the cookie on the request."""
        secret = request.cookies.get(self._cookie)
        if secret:
            await self._load(request, secret)
        return await handler(request)

    async def _load(self, request: web.Request, secret: str) -> None:
        key = digest(secret)
        session = await self.store.find(key)
        if session is None:
            return
        if not self.alive(session):
            await self.store.drop(key)
            request[EXPIRED] = True
            return
        now = self._clock.now_ms()
        if LIVE_HEADER not in request.headers and now - session.seen_at >= TOUCH_EVERY_MS:
            await self.store.touch(key, now)
        request[SESSION] = session
        request[SESSION_DIGEST] = key

    def alive(self, session: WebSession) -> bool:
        """False after too long without a person's request, or too long after the login."""
        now, (idle, absolute) = self._clock.now_ms(), self._limits()
        return now - session.seen_at <= idle and now - session.created_at <= absolute

    async def start(
        self,
        response: web.StreamResponse,
        subject: str,
        marks: tuple[str, ...] = (),
        *,
        means: str = "",
        origin: str = "",
    ) -> WebSession:
        """A new session for ``subject`` and its cookie on ``response`` (also on an HTTPException)."""
        secret = new_device_key()
        now = self._clock.now_ms()
        session = WebSession(
            subject=subject,
            csrf=token_for(subject, acting_of(marks)),
            created_at=now,
            seen_at=now,
            marks=marks,
            means=means,
            origin=origin,
        )
        await self.store.put(digest(secret), session)
        response.set_cookie(
            self._cookie,
            secret,
            path=self._path,
            httponly=True,
            secure=self._secure,
            samesite=self._same_site,
        )
        return session

    async def end(self, request: web.Request, response: web.StreamResponse) -> None:
        """Logs out: the row goes first, then the cookie."""
        key = request.get(SESSION_DIGEST)
        if key is not None:
            await self.store.drop(key)
        response.del_cookie(self._cookie, path=self._path)
