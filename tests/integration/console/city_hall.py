"""A hall as the city sees it: a chained log and a plain client of the link that obeys when told."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec
from patience import HANG_S

from qingting.contract import events as e
from qingting.contract import link as k
from qingting.contract.examples import CONFIG, PERSON
from qingting.contract.ids import (
    BusinessDay,
    CommandKey,
    DepartmentId,
    HallId,
    ItemId,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.states import RatingChannel, RatingLevel

F = TypeVar("F")
START = 1_795_395_600_000
"""2026-11-23 09:00 in China."""
DAY = BusinessDay("2026-11-23")


@dataclass
class Log:
    """An append-only chained log, kept in memory."""

    hall: HallId
    epoch: int = 1
    day: BusinessDay = DAY
    now: int = START
    raws: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=lambda: [k.GENESIS])
    parent: tuple[int, int] = (0, 0)

    @property
    def head(self) -> int:
        return len(self.raws)

    def add(self, body: e.EventBody, *, after_ms: int = 1000) -> None:
        self.now += after_ms
        event = e.Event(
            s=self.head + 1,
            at=self.now,
            bd=self.day,
            by="test",
            cmd=CommandKey(f"cmd-{self.head:08d}"),
            b=body,
        )
        self.add_raw(msgspec.json.encode(event).decode())

    def add_raw(self, text: str) -> None:
        self.raws.append(text)
        self.hashes.append(k.chain_hash(self.hashes[-1], text.encode()))

    def frame(self, first: int, last: int | None = None) -> k.Events:
        return k.Events(
            epoch=self.epoch,
            first=first,
            prev_hash=self.hashes[first - 1],
            events=tuple(self.raws[first - 1 : last]),
        )

    def copy(self) -> "Log":
        return Log(
            self.hall,
            self.epoch,
            self.day,
            self.now,
            list(self.raws),
            list(self.hashes),
            self.parent,
        )

    def cut(self, head: int) -> "Log":
        """What an older copy of the disk knows."""
        copy = self.copy()
        copy.raws, copy.hashes = copy.raws[:head], copy.hashes[: head + 1]
        return copy

    def hello(self, key: str, directive_no: int = -1) -> k.Hello:
        return k.Hello(
            proto=(1, 1),
            hall=self.hall,
            key=key,
            epoch=self.epoch,
            head=self.head,
            head_hash=self.hashes[-1],
            first=1,
            clock=self.now,
            parent_epoch=self.parent[0],
            parent_seq=self.parent[1],
            directive_no=directive_no,
        )

    # -- what happens in a hall ---------------------------------------------------------------

    def configure(self) -> None:
        self.add(e.ConfigApplied(config=CONFIG))
        self.add(e.DayOpened(day=self.day))

    def issue(self, serial: int) -> TicketId:
        ticket = TicketId(f"{self.day}-{CONFIG.queues[0].id}-{serial}")
        self.add(
            e.TicketIssued(
                ticket=ticket,
                number=f"A{serial:03d}",
                serial=serial,
                day=self.day,
                queue=QueueId(CONFIG.queues[0].id),
                item=ItemId(CONFIG.items[0].id),
                department=DepartmentId(CONFIG.departments[0].id),
                token="t" * 20,
                ahead=0,
                person=PERSON,
            )
        )
        return ticket

    def serve(self, ticket: TicketId, *, wait_ms: int = 60_000) -> None:
        window, staff = self.window
        self.add(e.TicketCalled(ticket=ticket, window=window, staff=staff), after_ms=wait_ms)
        self.add(e.ServiceBegun(ticket=ticket, window=window, staff=staff))
        self.add(
            e.ServiceFinished(ticket=ticket, window=window, staff=staff, case=f"case-{ticket}")
        )

    def rate(
        self, ticket: TicketId, level: RatingLevel, tags: tuple[str, ...] = (), words: str = ""
    ) -> None:
        window, staff = self.window
        self.add(
            e.RatingGiven(
                ticket=ticket,
                case=f"case-{ticket}",
                window=window,
                staff=staff,
                item=ItemId(CONFIG.items[0].id),
                department=DepartmentId(CONFIG.departments[0].id),
                level=level,
                tags=tags,
                words=words,
                channel=RatingChannel.HALL_TABLET,
                seconds=7,
            )
        )

    @property
    def window(self) -> tuple[WindowId, StaffId]:
        return WindowId(CONFIG.windows[0].id), StaffId(CONFIG.staff[0].id)


class LinkClient:
    """One connection to ``/link``. Pings are answered, what else comes is kept for ``expect``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = aiohttp.ClientSession()
        self.socket: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        self.socket = await self._http.ws_connect(self._url, max_msg_size=8 * 1024 * 1024)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.socket.close()
        await self._http.close()

    async def send(self, frame: Any) -> None:
        await self.socket.send_bytes(k.encode_frame(frame))

    async def expect(self, kind: type[F]) -> F:
        """The next frame, which must be of ``kind``; pings in between are answered."""
        while True:
            frame = k.decode_frame(await self.socket.receive_bytes(timeout=HANG_S))
            if isinstance(frame, k.LinkPing) and kind is not k.LinkPing:
                await self.send(k.LinkPong(t0=frame.t0, t1=frame.t0))
                continue
            assert isinstance(frame, kind), frame
            return frame

    async def greet(self, log: Log, key: str) -> k.Welcome:
        await self.send(log.hello(key))
        return await self.expect(k.Welcome)

    async def push(self, frame: k.Events) -> k.Ack:
        await self.send(frame)
        return await self.expect(k.Ack)

    async def closed(self) -> bool:
        """True once the city ends the connection."""
        while True:
            message = await self.socket.receive(timeout=HANG_S)
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                return True
