"""The ``/link`` WebSocket: one session per connected hall. Every wait has a deadline."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import structlog
from aiohttp import WSMsgType, web

from console.core.db import Database
from console.core.signals import EVERYTHING, Signals
from console.halls.api import FILE_MEDIA
from console.halls.intake import Intake
from console.halls.repository import (
    DIRECTIVES_CHANNEL,
    HallRepository,
    open_directives,
    piece_of,
)
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.link import (
    Dack,
    Dir,
    Events,
    File,
    Frame,
    FrameError,
    Hello,
    LinkBye,
    LinkPing,
    LinkPong,
    Live,
    Nack,
    Piece,
    Want,
    decode_frame,
    encode_frame,
)
from qingting.contract.releases import PIECE_BYTES
from qingting.contract.views import DeviceView
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.security.seal import Sealer

MAX_FILE_BYTES = 3 * 1024 * 1024
log = structlog.get_logger(__name__)

HELLO_SECONDS = 10.0
SILENCE_SECONDS = 30.0
"""A hall from which nothing came for this long is gone, whatever TCP believes."""
PING_SECONDS = 10.0
SEND_SECONDS = 10.0
LIVE_SECONDS = 1.0
"""The present of a hall is stored at most this often; the latest wins."""
BUSY_SECONDS = 2.0
MAX_MESSAGE = 2 * 1024 * 1024


class LinkServer:
    """Serves halls. Make it before the signals run; close it before the database."""

    def __init__(self, db: Database, signals: Signals, clock: Clock, sealer: Sealer) -> None:
        self.intake = Intake(db, clock, sealer)
        self._db = db
        self._clock = clock
        self._sessions: set[_Session] = set()
        signals.subscribe(DIRECTIVES_CHANNEL, self._directives_for)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """The route ``GET /link``."""
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, timeout=5.0, compress=False)
        await socket.prepare(request)
        session = _Session(self._db, self.intake, self._clock, socket)
        self._sessions.add(session)
        try:
            await session.serve()
        finally:
            self._sessions.discard(session)
        return socket

    async def close(self) -> None:
        """Says goodbye to every hall; they come back by themselves."""
        await asyncio.gather(*(session.leave() for session in tuple(self._sessions)))

    def _directives_for(self, hall: str) -> None:
        for session in self._sessions:
            if hall in (session.hall, EVERYTHING):
                session.directives.set()


class _Goodbye(Exception):  # noqa: N818 - an end, not a fault
    """Ends a session with a BYE; ``code`` empty says nothing."""

    def __init__(self, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(code)
        self.bye = LinkBye(code=code, retry_after=retry_after)


class _Session:
    """One connection of one hall."""

    def __init__(
        self, db: Database, intake: Intake, clock: Clock, socket: web.WebSocketResponse
    ) -> None:
        self.hall: HallId | None = None
        self.directives = asyncio.Event()
        self._db = db
        self._intake = intake
        self._clock = clock
        self._socket = socket
        self._session = ""
        self._hello: Hello
        self._sent_directive = 0
        self._offset: int | None = None
        self._best_trip = 0
        self._live: Live | None = None
        self._live_ready = asyncio.Event()

    async def serve(self) -> None:
        try:
            await self._talk()
        except _Goodbye as goodbye:
            await self._farewell(goodbye.bye)
        except Refusal as refusal:
            await self._farewell(LinkBye(code=refusal.code, retry_after=BUSY_SECONDS))
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            log.info("link.lost", hall=self.hall)
        finally:
            await self._end()

    async def leave(self) -> None:
        """Ends the session from outside."""
        await self._farewell(LinkBye(code="city.unavailable", retry_after=BUSY_SECONDS))

    async def _talk(self) -> None:
        hello = await self._receive(HELLO_SECONDS)
        if not isinstance(hello, Hello):
            raise _Goodbye("link.version")
        welcome = await self._intake.greet(hello)
        self._session, self._hello = welcome.session, hello
        if welcome.verdict == "resume":
            self.hall = hello.hall
        await self._send(welcome)
        if self.hall is None:
            raise _Goodbye(welcome.code, welcome.retry_after)
        self.directives.set()
        async with Supervisor(f"link {self.hall}") as supervisor:
            for name, service in (
                ("ping", self._ping),
                ("directives", self._push_directives),
                ("live", self._store_live),
            ):
                _ = supervisor.run(name, self._or_end(service))
            while True:
                await self._answer(await self._receive(SILENCE_SECONDS))

    async def _answer(self, frame: Frame) -> None:
        assert self.hall is not None
        match frame:
            case Events():
                await self._take(frame)
            case Live():
                self._live = frame
                self._live_ready.set()
            case LinkPing():
                await self._send(LinkPong(t0=frame.t0, t1=self._clock.now_ms()))
            case LinkPong():
                self._measure(frame)
            case Dack():
                async with self._db.write() as uow:
                    await HallRepository(uow).ack_directives(
                        self.hall, frame.no, self._clock.now_ms()
                    )
            case File():
                await self._keep_file(frame)
            case Want():
                await self._send(await self._piece(frame))
            case LinkBye():
                if frame.code == "link.fork":
                    await self._intake.doubt(self._hello)
                raise ConnectionResetError
            case _:
                raise _Goodbye("link.version")

    async def _take(self, frame: Events) -> None:
        assert self.hall is not None
        answer = await self._intake.apply(self.hall, frame)
        await self._send(answer)
        if isinstance(answer, Nack):
            code = "link.fork" if answer.code in ("hash", "auth") else ""
            raise _Goodbye(code, answer.retry_after)

    async def _piece(self, want: Want) -> Piece:
        """Which releases a hall is to have it was told; what it asks for beyond them is no secret either."""
        async with self._db.read() as uow:
            data = await piece_of(uow, want.release, max(0, want.offset), PIECE_BYTES)
        return Piece(release=want.release, offset=want.offset, data=base64.b64encode(data).decode())

    async def _keep_file(self, frame: File) -> None:
        """Only what a page may show safely; anything else is dropped and said so in the log."""
        assert self.hall is not None
        try:
            data = base64.b64decode(frame.data, validate=True)
        except binascii.Error:
            data = b""
        if frame.media not in FILE_MEDIA or not 0 < len(data) <= MAX_FILE_BYTES:
            log.warning("link.file_dropped", hall=self.hall, media=frame.media, bytes=len(data))
            return
        async with self._db.write() as uow:
            now = self._clock.now_ms()
            await HallRepository(uow).put_file(self.hall, frame.act, frame.media, data, now)
            uow.changed("acts")

    async def _or_end(self, service: Callable[[], Awaitable[None]]) -> None:
        """A service that can go on no more ends the session: the hall comes back and all is fresh."""
        try:
            await service()
        except (Refusal, TimeoutError, ConnectionError, aiohttp.ClientError) as error:
            log.info("link.service_ended", hall=self.hall, cause=type(error).__name__)
            await self._farewell(LinkBye(code="city.unavailable", retry_after=BUSY_SECONDS))

    # -- services of the session --------------------------------------------------------------

    async def _ping(self) -> None:
        while True:
            await self._send(LinkPing(t0=self._clock.now_ms()))
            await asyncio.sleep(PING_SECONDS)
            await self._note_seen()

    async def _note_seen(self) -> None:
        assert self.hall is not None
        async with self._db.write() as uow:
            await HallRepository(uow).see_link(
                self.hall, self._session, self._clock.now_ms(), self._offset
            )

    def _measure(self, pong: LinkPong) -> None:
        """The hall's clock against ours; the quickest round trip of a session knows it best."""
        now = self._clock.now_ms()
        trip = now - pong.t0
        if trip >= 0 and (self._offset is None or trip <= self._best_trip):
            self._best_trip = trip
            self._offset = pong.t1 - (pong.t0 + trip // 2)

    async def _push_directives(self) -> None:
        assert self.hall is not None
        while True:
            await self.directives.wait()
            self.directives.clear()
            async with self._db.read() as uow:
                rows = await open_directives(uow, self.hall, self._sent_directive)
            for row in rows:
                await self._send(
                    Dir(
                        no=row["no"],
                        directive=msgspec.Raw(row["body"]),
                        expires_at=row["expires_at"],
                    )
                )
                self._sent_directive = row["no"]
            if rows:
                self.directives.set()

    async def _store_live(self) -> None:
        assert self.hall is not None
        shown: object = None
        while True:
            await self._live_ready.wait()
            self._live_ready.clear()
            live = self._live
            assert live is not None
            async with self._db.write() as uow:
                await HallRepository(uow).put_live(
                    self.hall, msgspec.json.encode(live), self._clock.now_ms()
                )
                # Only what a page would show differently is worth waking the pages for.
                present = (live.queues, [_unseen(device) for device in live.devices])
                if present != shown:
                    uow.changed("live")
            shown = present
            await asyncio.sleep(LIVE_SECONDS)

    # -- wire ---------------------------------------------------------------------------------

    async def _receive(self, seconds: float) -> Frame:
        message = await self._socket.receive(timeout=seconds)
        if message.type is not WSMsgType.BINARY:
            raise ConnectionResetError
        try:
            return decode_frame(message.data)
        except FrameError as error:
            log.warning("link.bad_frame", hall=self.hall, cause=str(error))
            raise _Goodbye("link.version", BUSY_SECONDS) from error

    async def _send(self, frame: Any) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket.send_bytes(encode_frame(frame))

    async def _farewell(self, bye: LinkBye) -> None:
        try:
            if bye.code and not self._socket.closed:
                await self._send(bye)
            await self._socket.close()
        except (TimeoutError, ConnectionError, RuntimeError, aiohttp.ClientError):
            log.info("link.lost", hall=self.hall)

    async def _end(self) -> None:
        if self.hall is None:
            return
        try:
            async with self._db.write() as uow:
                await HallRepository(uow).drop_link(self.hall, self._session, self._clock.now_ms())
                uow.changed("halls")
        except Refusal:
            # The row shows the hall as gone anyway, once it has not been seen for a while.
            log.info("link.end_not_noted", hall=self.hall)


def _unseen(device: DeviceView) -> DeviceView:
    return msgspec.structs.replace(device, seen=0)
