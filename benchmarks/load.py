"""Load generator, a process of its own: ``python -m benchmarks.load``. A job on stdin, figures on stdout."""

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

import aiohttp
import msgspec

from benchmarks.bench_hall import BenchHall, boards, idle_pads, names
from benchmarks.line import EchoLine, Line, Said, Timings, dial, percentile
from qingting.contract import hub as h
from qingting.contract.base import Strict
from qingting.contract.ids import DeviceId, ItemId, TicketId, WindowId
from qingting.contract.states import DeviceKind, DeviceState, PrintOutcome, RatingLevel


class Job(Strict, frozen=True, kw_only=True):
    """``mode``: ``lives`` (as fast as it goes), ``echo`` (the bare limit), ``board`` (paced, timed to the
    boards) or ``pads`` (connect, subscribe, read)."""

    mode: str
    url: str
    run: str
    clients: int = 1
    seconds: float = 5.0
    warm_up: float = 1.0
    calls_per_s: float = 20.0
    hall: BenchHall = BenchHall(keys={})


class Figures(Strict, frozen=True, kw_only=True):
    """``tickets`` are the answered ones, with repetitions if the hall made any."""

    lifecycles: int = 0
    seconds: float = 0.0
    p50_ms: dict[str, float] = msgspec.field(default_factory=dict)
    p99_ms: dict[str, float] = msgspec.field(default_factory=dict)
    board_ms: list[float] = msgspec.field(default_factory=list)
    tickets: list[str] = msgspec.field(default_factory=list)


class Client:
    """One citizen after another, with kiosk, agent, call pad and rating pad on sockets of their own."""

    def __init__(self, job: Job, number: int, timings: Timings) -> None:
        self._job = job
        self._names = names(number)
        self._timings = timings
        self._keys = (f"{job.run}-{number}-{n:06d}" for n in itertools.count())
        self._printing: set[asyncio.Task[Said]] = set()
        self.pressed: dict[str, float] = {}
        self.tickets: list[str] = []
        self.lives = 0

    async def connect(self, client: aiohttp.ClientSession) -> None:
        self.kiosk = await self._dial(client, "kiosk", f"kiosk:{self._names['kiosk']}")
        self.agent = await self._dial(client, "agent")
        self.pad = await self._dial(client, "pad")
        self.rating = await self._dial(client, "rating", f"rating:{self._names['window']}")
        report = h.DeviceReport(
            device=DeviceId(self._names["printer"]),
            kind=DeviceKind.PRINTER,
            state=DeviceState.READY,
        )
        await self.agent.ask(report, next(self._keys))
        await self.pad.ask(h.TakeWindow(window=WindowId(self._names["window"])), next(self._keys))
        await self.pad.ask(h.Subscribe(topics=("hall", f"window:{self._names['window']}")))

    async def _dial(self, client: aiohttp.ClientSession, part: str, *topics: str) -> Line:
        device = self._names[part]
        told = self._print if part == "agent" else None
        line = await dial(client, self._job.url, device, self._job.hall.keys[device], told)
        if topics:
            await line.ask(h.Subscribe(topics=("hall", *topics)))
        return line

    def _print(self, said: Said) -> None:
        """The agent: paper comes out at once."""
        if said.type == "print" and said.job is not None:
            report = h.PrintReport(
                ticket=TicketId(said.job.ticket),
                attempt=said.job.attempt,
                outcome=PrintOutcome.PRINTED,
            )
            task = asyncio.create_task(
                self._timed("print", self.agent.ask(report, next(self._keys)))
            )
            self._printing.add(task)
            task.add_done_callback(self._printing.discard)

    async def live(self) -> None:
        """Issue, call, begin, finish, rate."""
        keys = self._keys
        taken = await self._timed(
            "issue", self.kiosk.ask(h.TakeTicket(item=ItemId(self._names["item"])), next(keys))
        )
        assert taken.answer is not None
        self.tickets.append(str(taken.answer.ticket))
        started = perf_counter()
        await self._timed("call", self.pad.ask(h.Next(), next(keys)))
        self.pressed[self.pad.ticket] = started
        await self._timed("begin", self.pad.ask(h.Begin(), next(keys)))
        await self._timed("finish", self.pad.ask(h.Finish(), next(keys)))
        rating = h.SubmitRating(ticket=TicketId(self.pad.ticket), level=RatingLevel.SATISFIED)
        await self._timed("rate", self.rating.ask(rating, next(keys)))
        self.lives += self._timings.counting

    async def _timed(self, kind: str, work: Awaitable[Said]) -> Said:
        started = perf_counter()
        said = await work
        self._timings.note(kind, started)
        return said

    async def close(self) -> None:
        await asyncio.gather(*self._printing, return_exceptions=True)
        for line in (self.kiosk, self.agent, self.pad, self.rating):
            await line.close()


class EchoClient:
    """The same messages to a server that only commits and echoes."""

    def __init__(self, job: Job, number: int, timings: Timings) -> None:
        self._job = job
        self._names = names(number)
        self._keys = (f"{job.run}-{number}-{n:06d}" for n in itertools.count())
        self._timings = timings
        self.tickets: list[str] = []
        self.lives = 0

    async def connect(self, client: aiohttp.ClientSession) -> None:
        sockets = [
            await client.ws_connect(self._job.url, compress=0, max_msg_size=0) for _ in range(4)
        ]
        self.kiosk, self.agent, self.pad, self.rating = (EchoLine(one) for one in sockets)

    async def live(self) -> None:
        keys, ticket = self._keys, TicketId("2026-11-23-q0-10000")
        printed = h.PrintReport(ticket=ticket, attempt=1, outcome=PrintOutcome.PRINTED)
        rating = h.SubmitRating(ticket=ticket, level=RatingLevel.SATISFIED)
        await self.kiosk.ask(h.TakeTicket(item=ItemId(self._names["item"])), next(keys))
        await asyncio.gather(
            self.agent.ask(printed, next(keys)), self.pad.ask(h.Next(), next(keys))
        )
        await self.pad.ask(h.Begin(), next(keys))
        await self.pad.ask(h.Finish(), next(keys))
        await self.rating.ask(rating, next(keys))
        self.lives += self._timings.counting

    async def close(self) -> None:
        for line in (self.kiosk, self.agent, self.pad, self.rating):
            await line.close()


async def _run(client: Client | EchoClient, until: list[float], pause: float) -> None:
    due = perf_counter()
    while perf_counter() < until[0]:
        await client.live()
        due += pause
        await asyncio.sleep(max(0.0, due - perf_counter()) if pause else 0)


async def lives(job: Job, session: aiohttp.ClientSession) -> Figures:
    """As many lifecycles as the clients can get through."""
    timings = Timings()
    make: Callable[[Job, int, Timings], Client | EchoClient]
    make = EchoClient if job.mode == "echo" else Client
    clients = [make(job, number, timings) for number in range(job.clients)]
    await asyncio.gather(*(client.connect(session) for client in clients))
    until = [perf_counter() + job.warm_up + job.seconds]
    running = [asyncio.create_task(_run(client, until, 0.0)) for client in clients]
    await asyncio.sleep(job.warm_up)
    timings.counting = True
    started = perf_counter()
    await asyncio.sleep(job.seconds)
    timings.counting = False
    seconds = perf_counter() - started
    await asyncio.gather(*running)
    figures = _figures(clients, timings, seconds)
    await asyncio.gather(*(client.close() for client in clients))
    return figures


def _figures(clients: Sequence[Client | EchoClient], timings: Timings, seconds: float) -> Figures:
    every = [one for values in timings.seconds.values() for one in values]
    kinds = {**timings.seconds, "command": every}
    return Figures(
        lifecycles=sum(client.lives for client in clients),
        seconds=seconds,
        p50_ms={kind: percentile(values, 0.5) * 1000 for kind, values in kinds.items()},
        p99_ms={kind: percentile(values, 0.99) * 1000 for kind, values in kinds.items()},
        tickets=[ticket for client in clients for ticket in client.tickets],
    )


async def board(job: Job, session: aiohttp.ClientSession) -> Figures:
    """Paced calls; how long from a clerk's press until each board has the number."""
    timings = Timings()
    clients = [Client(job, number, timings) for number in range(job.clients)]
    shown: dict[tuple[str, str], float] = {}

    def watching(screen: str) -> Callable[[Said], None]:
        def on_board(said: Said) -> None:
            now = perf_counter()
            for one in said.set.values():
                if one.ticket and one.active:
                    shown.setdefault((screen, one.ticket), now)

        return on_board

    screens = [
        await dial(session, job.url, name, job.hall.keys[name], watching(name)) for name in boards()
    ]
    for screen in screens:
        await screen.ask(h.Subscribe(topics=("hall", "board")))
    for client in clients:
        await client.connect(session)
    until = [perf_counter() + job.seconds]
    pause = job.clients / job.calls_per_s
    running = []
    for client in clients:
        running.append(asyncio.create_task(_run(client, until, pause)))
        await asyncio.sleep(1 / job.calls_per_s)
    await asyncio.gather(*running)
    pressed = {ticket: at for client in clients for ticket, at in client.pressed.items()}
    delays = [at - pressed[ticket] for (_, ticket), at in shown.items() if ticket in pressed]
    figures = _figures(clients, timings, job.seconds)
    await asyncio.gather(*(one.close() for one in clients), *(one.close() for one in screens))
    return msgspec.structs.replace(figures, board_ms=[one * 1000 for one in delays])


async def pads(job: Job, session: aiohttp.ClientSession) -> Figures:
    """Pads that only look on, until stdin is closed."""
    lines = []
    for name in idle_pads():
        line = await dial(session, job.url, name, job.hall.keys[name])
        await line.ask(h.Subscribe(topics=("hall", "queues", "windows")))
        lines.append(line)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for line in lines:
        await line.close()
    return Figures()


async def main(job: Job) -> Figures:
    modes = {"lives": lives, "echo": lives, "board": board, "pads": pads}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        return await modes[job.mode](job, session)


if __name__ == "__main__":
    figures = asyncio.run(main(msgspec.json.decode(sys.stdin.readline(), type=Job)))
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
