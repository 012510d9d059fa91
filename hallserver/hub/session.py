"""One authenticated connection, and the bounded queue of what it has still to be sent."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from aiohttp import WSMsgType, web

from hallserver.hub import codec
from qingting.contract.errors import Refusal
from qingting.contract.hub import ServerMessage
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.states import DeviceKind, Role

log = structlog.get_logger(__name__)

MAX_QUEUED = 512
MAX_QUEUED_BYTES = 4 * 1024 * 1024
"""Bounds of what waits for one client; beyond either it is dropped, never waited for."""
FAREWELL_SECONDS = 1.0

ROLES: dict[DeviceKind, Role] = {
    DeviceKind.KIOSK: Role.KIOSK,
    DeviceKind.AGENT: Role.AGENT,
    DeviceKind.CALL_PAD: Role.CALL_PAD,
    DeviceKind.RATING_PAD: Role.RATING_PAD,
    DeviceKind.BOARD: Role.BOARD,
}
"""Which devices may connect, and as what. Peripherals are spoken for by their agent."""


TOKENED = frozenset({Role.KIOSK, Role.CALL_PAD, Role.RATING_PAD})
"""Screens that stand once: each welcome hands them a token for the next connection. An agent makes its word of
installation anew at each start, and a board may be shown several times."""


class Outbox:
    """What waits to be sent to one client. ``put`` never waits; too much of it ends the client."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self.ending: Refusal | None = None

    def put(self, data: bytes) -> None:
        if self.ending is not None:
            return
        self._queue.append(data)
        self._bytes += len(data)
        if len(self._queue) > MAX_QUEUED or self._bytes > MAX_QUEUED_BYTES:
            self._queue.clear()
            self.end(Refusal("hub.too_slow"))
            if self._writer is not None:
                self._writer.cancel()  # it waits for a client that does not read
        self._wake.set()

    def end(self, refusal: Refusal) -> None:
        """The connection is closed with this reason after what is queued; later words are dropped."""
        if self.ending is None:
            self.ending = refusal
            self._wake.set()

    async def run(self) -> None:
        """Sends until the end; raises ``ConnectionError`` when the client is gone."""
        self._writer = asyncio.current_task()
        while True:
            while self._queue:
                data = self._queue.popleft()
                self._bytes -= len(data)
                await self._socket.send_frame(data, WSMsgType.TEXT)
            if self.ending is not None:
                return
            self._wake.clear()
            await self._wake.wait()

    async def ping(self) -> None:
        """Raises ``ConnectionError`` or ``RuntimeError`` when the client is gone."""
        await self._socket.ping()

    async def farewell(self) -> None:
        """Says why, then closes; a client that does not listen is cut off."""
        if self.ending is not None and not self._socket.closed:
            with suppress(ConnectionError, TimeoutError, RuntimeError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._socket.send_frame(
                        codec.encode(codec.bye(self.ending)), WSMsgType.TEXT
                    )
        with suppress(ConnectionError, TimeoutError, RuntimeError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._socket.close()


@dataclass(eq=False)
class Session:
    """A device that has proven who it is. ``staff`` is set while a clerk is logged in on a call pad;
    ``build`` is its program, ``install`` and ``address`` tell its place, ``busy`` while a request of it is carried out.

    ``presented`` is the token that it came with, ``token`` the one that it was handed at ``since`` (monotonic
    seconds); empty where there is none."""

    device: DeviceId
    kind: DeviceKind
    role: Role
    outbox: Outbox
    bound: WindowId | None = None
    parent: DeviceId | None = None
    staff: StaffId | None = None
    install: str = ""
    build: str = ""
    address: str = ""
    presented: str = ""
    token: str = ""
    since: float = 0.0
    topics: set[str] = field(default_factory=set)
    last_id: int = 0
    busy: bool = False
    gone: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, message: ServerMessage) -> None:
        self.outbox.put(codec.encode(message))

    def end(self, code: str) -> None:
        log.info("hub.session_ended", device=self.device, code=code)
        self.outbox.end(Refusal(code))

    async def answers(self, seconds: float) -> bool:
        """True when the client says anything within ``seconds``, or is being served."""
        if self.busy:
            return True
        self.heard.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.outbox.ping()
                await self.heard.wait()
        except (TimeoutError, ConnectionError, RuntimeError):
            return False
        return not self.gone and self.outbox.ending is None

    @property
    def actor(self) -> str:
        """Who the log says it was: the clerk on a call pad, else the device."""
        if self.staff is not None:
            return f"staff:{self.staff}"
        return f"{self.role.value}:{self.device}"
