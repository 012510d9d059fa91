"""The bare limit: a WebSocket echo of the same messages plus the same grouped commits.

No rule, no view, no authentication: what the machine, aiohttp and SQLite allow. A commit holds the
rows that the hall would write for the same requests: events of the same size, the command's key, and
the same statements on tickets, visits and ratings. ``python -m benchmarks.echo_server DATABASE PORT``
with the sizes of the events by request type as JSON on stdin.
"""

import asyncio
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from hallserver.store.lane import Lane
from hallserver.store.opening import Writer, open_writer
from hallserver.store.projections import changes
from hallserver.store.store import _INSERT_COMMAND, _INSERT_EVENT
from qingting.contract import events as e
from qingting.contract.ids import (
    BusinessDay,
    CommandKey,
    DepartmentId,
    DeviceId,
    ItemId,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.states import PrintOutcome, RatingChannel, RatingLevel

TICKET, WINDOW, STAFF = TicketId("<ticket>"), WindowId("<window>"), StaffId("s1")
TOKEN, CASE, SERIAL, SEQ = "<token>", "<case>", -1, -2
"""Stand for what differs from one message to the next."""
_ISSUED = e.TicketIssued(
    ticket=TICKET,
    number="A001",
    serial=SERIAL,
    day=BusinessDay("2026-11-23"),
    queue=QueueId("q0"),
    item=ItemId("item0"),
    department=DepartmentId("d1"),
    token=TOKEN,
    ahead=3,
    device=DeviceId("k0"),
)
_RATED = e.RatingGiven(
    ticket=TICKET,
    case=CASE,
    window=WINDOW,
    staff=STAFF,
    item=ItemId("item0"),
    department=DepartmentId("d1"),
    level=RatingLevel.SATISFIED,
    tags=(),
    words="",
    channel=RatingChannel.HALL_TABLET,
    seconds=5,
)
STORED: dict[str, tuple[e.EventBody, ...]] = {
    "ticket.take": (
        _ISSUED,
        e.PrintRequested(ticket=TICKET, device=DeviceId("k0-printer"), attempt=1),
    ),
    "print.report": (e.PrintReported(ticket=TICKET, attempt=1, outcome=PrintOutcome.PRINTED),),
    "call.next": (e.TicketCalled(ticket=TICKET, window=WINDOW, staff=STAFF),),
    "service.begin": (e.ServiceBegun(ticket=TICKET, window=WINDOW, staff=STAFF),),
    "service.finish": (e.ServiceFinished(ticket=TICKET, window=WINDOW, staff=STAFF, case=CASE),),
    "rating.submit": (_RATED,),
}
"""What the hall stores for each request of a lifecycle."""


class _Body(msgspec.Struct):
    type: str


class _Ask(msgspec.Struct):
    body: _Body
    key: str


_decoder: msgspec.json.Decoder[_Ask] = msgspec.json.Decoder(_Ask)
Sizes = dict[str, list[int]]
"""Bytes of each event that a request type stores."""


class Grouped:
    """One writer thread; what comes during a commit goes into the next one."""

    def __init__(self, writer: Lane[Writer], sizes: Sizes) -> None:
        self._writer = writer
        self._rows = {kind: [b"x" * size for size in many] for kind, many in sizes.items()}
        self._statements = {kind: _statements(bodies) for kind, bodies in STORED.items()}
        self._count: Counter[str] = Counter()
        self._waiting: list[tuple[_Ask, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._seq = 0

    async def store(self, ask: _Ask) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, done))
        self._wake.set()
        await done

    async def serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch, self._waiting = self._waiting, []
                rows = self._batch([ask for ask, _ in batch])
                await self._writer.run(lambda writer: _commit(writer.raw, *rows))  # noqa: B023
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)

    def _batch(
        self, asks: list[_Ask]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[str, dict[str, Any]]]]:
        events: list[tuple[Any, ...]] = []
        commands: list[tuple[Any, ...]] = []
        projected: list[tuple[str, dict[str, Any]]] = []
        for ask in asks:
            kind, first = ask.body.type, self._seq + 1
            for row in self._rows[kind]:
                self._seq += 1
                events.append((self._seq, 1, 1, "2026-11-23", "k", ask.key, row, "0" * 64))
            commands.append((ask.key, first, self._seq))
            # The n-th call is that of the n-th ticket, and so on: the lives of all clients are alike.
            self._count[kind] += 1
            n = self._count[kind]
            known: dict[Any, Any] = {
                TICKET: f"t{n}",
                WINDOW: f"w{n}",
                TOKEN: f"k{n}",
                CASE: f"c{n}",
            }
            known |= {SERIAL: n, SEQ: self._seq}
            projected += (
                (sql, {name: known.get(value, value) for name, value in row.items()})
                for sql, row in self._statements[kind]
            )
        return events, commands, projected


def _statements(bodies: tuple[e.EventBody, ...]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for body in bodies:
        event = e.Event(
            s=SEQ, at=1, bd=BusinessDay("2026-11-23"), by="bench", cmd=CommandKey("bench"), b=body
        )
        found += changes(event)
    return found


def _commit(
    raw: sqlite3.Connection,
    events: list[tuple[Any, ...]],
    commands: list[tuple[Any, ...]],
    projected: list[tuple[str, dict[str, Any]]],
) -> None:
    raw.execute("BEGIN IMMEDIATE")
    raw.executemany(_INSERT_EVENT, events)
    raw.executemany(_INSERT_COMMAND, commands)
    for sql, row in projected:
        raw.execute(sql, row)
    raw.execute("COMMIT")


async def main(database: Path, port: int, sizes: Sizes) -> None:
    """Serves until it is ended."""
    lane: Lane[Writer] = Lane("echo-writer", lambda: open_writer(database), Writer.close)
    await lane.start()
    grouped = Grouped(lane, sizes)
    serving = asyncio.create_task(grouped.serve())

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, decode_text=False)
        await socket.prepare(request)
        async for message in socket:
            await grouped.store(_decoder.decode(message.data))
            await socket.send_frame(message.data, WSMsgType.TEXT)
        return socket

    app = web.Application()
    app.router.add_get("/hub", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        await serving
    finally:
        await runner.cleanup()
        await lane.stop()


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), int(sys.argv[2]), msgspec.json.decode(sys.stdin.readline()))
    )
