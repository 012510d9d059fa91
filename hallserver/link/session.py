"""One connection of a hall to the city: events up, directives down, the present beside them.

Every wait has a deadline: users of such links suffer from stalls, not from loss.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from hallserver.engine.views import Ambient, entries
from hallserver.hall import Hall
from hallserver.link.city_people import CityPeople
from hallserver.link.fetching import Fetcher, Fetching
from hallserver.link.uplink import LinkFaultError, Uplink
from hallserver.store.batch import Tip
from qingting.contract.commands import ApplyDirective
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, Millis
from qingting.contract.link import (
    LINK_VERSION,
    MAX_FRAME_EVENTS,
    Ack,
    Dack,
    Dir,
    Events,
    File,
    Frame,
    Hello,
    LinkBye,
    LinkPing,
    LinkPong,
    Live,
    Nack,
    Piece,
    Want,
    Welcome,
    decode_frame,
    encode_frame,
    read_directive,
)
from qingting.contract.views import DeviceView, QueueView
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

HELLO_SECONDS = 10.0
PING_SECONDS = 10.0
SILENCE_SECONDS = 30.0
SEND_SECONDS = 15.0
LINGER_SECONDS = 0.02
"""Events of one moment travel together."""
LIVE_SECONDS = 1.0
PRESENT_SECONDS = 60.0
"""So often the present is told again: what follows from the clock (a queue that closes, how long one waits) changes with
nobody doing anything."""
WATCH_SECONDS = 1.0
MAX_FILES = 4


class Socket(Protocol):
    """A connected WebSocket, as the websockets library gives it."""

    async def send(self, message: bytes) -> None: ...

    async def recv(self) -> str | bytes: ...


class Session:
    """Speaks for one hall over one connection until something ends it."""

    def __init__(
        self,
        hall: Hall,
        uplink: Uplink,
        socket: Socket,
        clock: Clock,
        *,
        ambient: Callable[[], Ambient],
        oldest_unacked: Callable[[], Millis],
        fetcher: Fetcher | None = None,
        people: CityPeople | None = None,
        backup_bad: Callable[[], Millis] = lambda: 0,
    ) -> None:
        self._people = people or CityPeople(None)
        self._hall = hall
        self._store = hall.store
        self._uplink = uplink
        self._socket = socket
        self._clock = clock
        self._ambient = ambient
        self._oldest_unacked = oldest_unacked
        self._backup_bad = backup_bad
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._changed.set()
        self._directives: deque[Dir] = deque()
        self._directive_came = asyncio.Event()
        self._files: deque[File] = deque(maxlen=MAX_FILES)
        self._file_came = asyncio.Event()
        self.fetching = Fetching(fetcher, self._send, clock)
        self._heard = clock.monotonic()
        self.clock_offset_ms = 0
        """City clock minus hall clock, from the latest PONG."""

    def committed(self) -> None:
        """The hall's log has grown."""
        self._wake.set()
        self._changed.set()

    def present_changed(self) -> None:
        """What the LIVE lane says is another, though the log is not."""
        self._changed.set()

    def bring(self, file: File) -> None:
        """Goes beside the log; a few at most wait for the line."""
        self._files.append(file)
        self._file_came.set()

    async def greet(self, hall_id: HallId, key: str, build: str) -> None:
        """HELLO and WELCOME. Raises :class:`LinkFaultError` when the city does not want our events."""
        head = await self._store.tip()
        oldest = await self._store.events(0, 1)
        await self._send(
            Hello(
                proto=(LINK_VERSION, LINK_VERSION),
                hall=hall_id,
                key=key,
                epoch=self._store.epoch,
                head=head.seq,
                head_hash=head.hash,
                first=oldest[0].seq if oldest else 0,
                clock=self._clock.now_ms(),
                build=build,
                parent_epoch=self._store.parent[0],
                parent_seq=self._store.parent[1],
                box_key=self._people.box_key,
                directive_no=self._hall.state.directive_no,
            )
        )
        match await self._receive(HELLO_SECONDS):
            case Welcome() as welcome:
                await self._open(welcome, head)
            case LinkBye(code=code, retry_after=retry_after):
                raise LinkFaultError(code or "bye", retry_after=retry_after)
            case other:
                raise LinkFaultError(f"unexpected.{type(other).__name__}")

    async def _open(self, welcome: Welcome, head: Tip) -> None:
        """A hall that finds the city on another log says so: the city then asks a person to decide."""
        try:
            self._uplink.open(welcome, head, await self._hash_at(welcome.cursor))
        except LinkFaultError as fault:
            if welcome.verdict == "resume":
                await self._send(LinkBye(code=fault.code))
            raise
        self._people.welcome(welcome.keys)

    async def _hash_at(self, seq: int) -> str:
        if seq == 0:
            return Tip().hash
        found = await self._store.events(seq - 1, 1)
        return found[0].hash if found else ""

    async def serve(self) -> None:
        """Runs until the connection or a rule ends it, which is always an exception."""
        await _until_one_ends(
            self._listen(),
            self._send_events(),
            self._apply_directives(),
            self._ping(),
            self._watch(),
            self._show_present(),
            self._renew_present(),
            self._send_files(),
            self.fetching.run(),
        )

    # ---- what comes in --------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            await self._take(await self._receive(SILENCE_SECONDS))

    async def _take(self, frame: Frame) -> None:
        match frame:
            case Ack():
                self._uplink.ack(frame)
                self._wake.set()
            case Nack():
                raise self._uplink.nack(frame)
            case Dir():
                self._directives.append(frame)
                self._directive_came.set()
            case LinkPing(t0=t0):
                await self._send(LinkPong(t0=t0, t1=self._clock.now_ms()))
            case LinkPong(t0=t0, t1=t1):
                self.clock_offset_ms = t1 - (t0 + self._clock.now_ms()) // 2
            case LinkBye(code=code, retry_after=retry_after):
                raise LinkFaultError(code or "bye", retry_after=retry_after)
            case Piece():
                self.fetching.arrived(frame)
            case Hello() | Welcome() | Events() | Live() | Dack() | File() | Want():
                raise LinkFaultError(f"unexpected.{type(frame).__name__}")

    async def _receive(self, seconds: float) -> Frame:
        async with asyncio.timeout(seconds):
            message = await self._socket.recv()
        self._heard = self._clock.monotonic()
        return decode_frame(message if isinstance(message, bytes) else message.encode())

    # ---- what goes out --------------------------------------------------------------------------

    async def _send(self, frame: Frame) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket.send(encode_frame(frame))

    async def _send_events(self) -> None:
        while True:
            self._wake.clear()
            # Negative for a moment when a frame took what the disk has and the state does not yet follow.
            backlog = self._hall.state.seq - self._uplink.sent.seq
            if backlog > 0 and self._uplink.may_send:
                if backlog < MAX_FRAME_EVENTS:
                    await self._clock.sleep(LINGER_SECONDS)
                stored = await self._store.events(self._uplink.sent.seq, MAX_FRAME_EVENTS)
                await self._send(self._uplink.frame(stored, self._clock.monotonic()))
            else:
                await self._wake.wait()

    async def _apply_directives(self) -> None:
        while True:
            await self._directive_came.wait()
            self._directive_came.clear()
            while self._directives:
                await self._apply(self._directives.popleft())
            await self._send(Dack(no=self._hall.state.directive_no))

    async def _apply(self, frame: Dir) -> None:
        """A directive becomes an event, however long the disk needs to be back."""
        directive = self._people.adopt(read_directive(frame.directive))
        command = ApplyDirective(no=frame.no, directive=directive, expires_at=frame.expires_at)
        backoff = Backoff()
        while True:
            try:
                await self._hall.submit(command, key=f"dir:{frame.no}", actor="city")
            except Refusal as refusal:
                log.warning("link.directive_refused", no=frame.no, code=refusal.code)
                if refusal.code != "store.unavailable":
                    return
                await self._clock.sleep(backoff.next())
            else:
                return

    async def _ping(self) -> None:
        while True:
            await self._send(LinkPing(t0=self._clock.now_ms()))
            await self._clock.sleep(PING_SECONDS)

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(WATCH_SECONDS)
            now = self._clock.monotonic()
            if now - self._heard > SILENCE_SECONDS:
                raise LinkFaultError("silence")
            if self._uplink.overdue(now):
                raise LinkFaultError("unacknowledged")

    async def _send_files(self) -> None:
        while True:
            await self._file_came.wait()
            self._file_came.clear()
            while self._files:
                await self._send(self._files.popleft())

    async def _show_present(self) -> None:
        """The LIVE lane: after a change and each minute, at most once a second, ahead of any backlog."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._send(self._live())
            await self._clock.sleep(LIVE_SECONDS)

    async def _renew_present(self) -> None:
        while True:
            await self._clock.sleep(PRESENT_SECONDS)
            self._changed.set()

    def _live(self) -> Live:
        ambient = self._ambient()
        queues = entries(self._hall.state, "queues", ambient).values()
        devices = entries(self._hall.state, "devices", ambient).values()
        return Live(
            at=ambient.now,
            oldest_unacked=self._oldest_unacked(),
            backup_bad=self._backup_bad(),
            queues=tuple(one for one in queues if isinstance(one, QueueView)),
            devices=tuple(one for one in devices if isinstance(one, DeviceView)),
        )


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Runs ``works`` side by side; when one ends or fails the others are cancelled and its error raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
