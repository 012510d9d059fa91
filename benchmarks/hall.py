"""``qingting bench hall``: complete lifecycles per second of a real hall server, beside the bare limit.

A hall server (``qingting hall``) runs in a process of its own with its SQLite file on the real disk,
load generators in others, all on this machine. A lifecycle is issue, print, call, begin, finish and
rate over authenticated WebSockets of kiosk, agent, call pad and rating pad; each step is on the disk
before it is answered. The bare limit is an echo of the same messages plus the same grouped commits.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import click
import msgspec

from benchmarks.bench_hall import BenchHall, prepare
from benchmarks.echo_server import STORED
from benchmarks.line import percentile
from benchmarks.load import Figures, Job
from benchmarks.processes import (
    HALL_SERVER,
    START_SECONDS,
    BenchmarkFailedError,
    end,
    free_port,
    serving,
    start,
)
from hallserver.store.verify import verify

CLIENTS = (1, 16, 64)
BOARD_CLIENTS = 16
BOARD_CALLS_PER_S = 20.0
WARM_UP = 1.0
ROUNDS = 3
"""Hall and bare limit take turns, so that a busy moment of the machine does not fall on one of them."""
Flat = dict[str, float | int | str]
Rounds = dict[int, list[Figures]]


async def run_benchmark(*, as_json: bool, seconds: float) -> None:
    """Measures and prints; with ``as_json`` one flat object is all that stdout gets."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="qingting-bench-"))
    try:
        figures = await _measure(folder, seconds)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    click.echo(msgspec.json.encode(figures).decode() if as_json else _table(figures))


async def _measure(folder: Path, seconds: float) -> Flat:
    real: Rounds = {clients: [] for clients in CLIENTS}
    bare: Rounds = {clients: [] for clients in CLIENTS}
    database = folder / "hall" / "hall.db"
    hall = await prepare(database)
    async with _hall_server(folder / "hall") as url:
        first = await _load(_job("lives", url, 1, WARM_UP, hall, "first"))
        sizes = await asyncio.to_thread(_sizes, database)
        async with _echo_server(folder / "echo.db", sizes) as echo_url:
            for turn in range(ROUNDS):
                for clients in CLIENTS:
                    run = f"{clients}-{turn}"
                    length = seconds / ROUNDS
                    real[clients].append(
                        await _load(_job("lives", url, clients, length, hall, run))
                    )
                    bare[clients].append(
                        await _load(_job("echo", echo_url, clients, length, hall, run))
                    )
        board = await _board(url, seconds, hall)
    every = [first, board, *(one for rounds in real.values() for one in rounds)]
    duplicates = await asyncio.to_thread(_check, database, every)
    return _flat(real, bare, board, duplicates)


def _job(mode: str, url: str, clients: int, seconds: float, hall: BenchHall, run: str) -> Job:
    return Job(
        mode=mode,
        url=url,
        run=f"{mode}-{run}",
        clients=clients,
        seconds=seconds,
        warm_up=WARM_UP,
        hall=hall,
    )


async def _board(url: str, seconds: float, hall: BenchHall) -> Figures:
    """Call to board, with 400 pads connected: those of the callers and windows, the rest looking on."""
    paced = Job(
        mode="board",
        url=url,
        run="board",
        clients=BOARD_CLIENTS,
        seconds=seconds,
        calls_per_s=BOARD_CALLS_PER_S,
        hall=hall,
    )
    pads = await start("-m", "benchmarks.load", told=_line(_job("pads", url, 0, 0, hall, "pads")))
    try:
        assert pads.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            if (await pads.stdout.readline()).strip() != b"ready":
                raise BenchmarkFailedError("the pads could not connect")
        return await _load(paced)
    finally:
        await end(pads)


# ---- processes ----------------------------------------------------------------------------------


def _line(job: Job) -> bytes:
    return msgspec.json.encode(job)


@asynccontextmanager
async def _hall_server(data: Path) -> AsyncIterator[str]:
    """``qingting hall`` on the database in ``data``; gives its hub's address."""
    port = free_port()
    settings = data.with_name("hall.toml")
    text = f'data = "{data.as_posix()}"\nport = {port}\n'
    await asyncio.to_thread(settings.write_text, text, "utf-8")
    async with serving(await start(*HALL_SERVER, "--settings", str(settings)), port):
        yield f"ws://127.0.0.1:{port}/hub"


@asynccontextmanager
async def _echo_server(database: Path, sizes: dict[str, list[int]]) -> AsyncIterator[str]:
    """The bare limit; gives its address."""
    port = free_port()
    process = await start(
        "-m", "benchmarks.echo_server", str(database), str(port), told=msgspec.json.encode(sizes)
    )
    async with serving(process, port):
        yield f"ws://127.0.0.1:{port}/hub"


async def _load(job: Job) -> Figures:
    process = await start("-m", "benchmarks.load", told=_line(job))
    try:
        async with asyncio.timeout(job.seconds + job.warm_up + 60):
            output, _ = await process.communicate()
    finally:
        await end(process)
    if process.returncode:
        raise BenchmarkFailedError(f"the load generator ended with status {process.returncode}")
    return msgspec.json.decode(output, type=Figures)


# ---- figures ------------------------------------------------------------------------------------


def _sizes(database: Path) -> dict[str, list[int]]:
    """Mean size of the events that each request of a lifecycle stored."""
    connection = sqlite3.connect(database)
    try:
        means = dict(connection.execute("SELECT k, avg(length(json)) FROM event GROUP BY k"))
    finally:
        connection.close()
    return {
        kind: [round(means[str(body.__struct_config__.tag)]) for body in bodies]
        for kind, bodies in STORED.items()
    }


def _check(database: Path, runs: list[Figures]) -> int:
    """Numbers given twice, by the answers and by the log; raises when an answered ticket is missing."""
    found = verify(database)
    if found.faults:
        raise BenchmarkFailedError("; ".join(found.faults))
    answered = [ticket for run in runs for ticket in run.tickets]
    missing = set(answered) - set(found.state.tickets)
    if missing:
        raise BenchmarkFailedError(f"{len(missing)} answered tickets are not in the log")
    numbers = [(ticket.queue, ticket.number) for ticket in found.state.tickets.values()]
    return len(answered) - len(set(answered)) + len(numbers) - len(set(numbers))


def _rate(figures: Figures) -> float:
    return figures.lifecycles / figures.seconds


def _flat(real: Rounds, bare: Rounds, board: Figures, duplicates: int) -> Flat:
    """Medians over the rounds; the ratio is the median of each round's own ratio."""
    flat: Flat = {}
    for clients in CLIENTS:
        name, ones, limits = f"c{clients}", real[clients], bare[clients]
        ratios = [_rate(one) / _rate(limit) for one, limit in zip(ones, limits, strict=True)]
        flat[f"{name}.lifecycles_per_s"] = round(median(map(_rate, ones)), 1)
        flat[f"{name}.limit_lifecycles_per_s"] = round(median(map(_rate, limits)), 1)
        flat[f"{name}.ratio_to_limit"] = round(median(ratios), 3)
        for kind in ones[0].p50_ms:
            flat[f"{name}.{kind}_p50_ms"] = round(median(one.p50_ms[kind] for one in ones), 2)
            flat[f"{name}.{kind}_p99_ms"] = round(median(one.p99_ms[kind] for one in ones), 2)
    flat["duplicates"] = duplicates
    for share in (50, 95, 99):
        delay = percentile(board.board_ms, share / 100)
        flat[f"call_to_board_p{share}_ms"] = round(delay, 2)
    flat["call_to_board_samples"] = len(board.board_ms)
    return flat


def _table(flat: Flat) -> str:
    head = f"{'clients':>8}{'lifecycles/s':>14}{'bare limit':>12}{'ratio':>7}{'p50 ms':>9}{'p99 ms':>9}"
    lines = [head]
    for clients in CLIENTS:
        name = f"c{clients}"
        columns = (
            ("lifecycles_per_s", 14),
            ("limit_lifecycles_per_s", 12),
            ("ratio_to_limit", 7),
            ("command_p50_ms", 9),
            ("command_p99_ms", 9),
        )
        cells = (f"{flat[f'{name}.{column}']:>{width}}" for column, width in columns)
        lines.append(f"{clients:>8}" + "".join(cells))
    return "\n".join((*lines, "", *_commands(flat), "", *_promises(flat)))


def _commands(flat: Flat) -> list[str]:
    heads = "".join(f"{f'c{clients} p50':>10}{f'c{clients} p99':>10}" for clients in CLIENTS)
    lines = [f"{'ms':>8}{heads}"]
    for kind in ("issue", "print", "call", "begin", "finish", "rate"):
        cells = (
            f"{flat.get(f'c{clients}.{kind}_{share}_ms', '–'):>10}"
            for clients in CLIENTS
            for share in ("p50", "p99")
        )
        lines.append(f"{kind:>8}" + "".join(cells))
    return lines


def _promises(flat: Flat) -> list[str]:
    delays = ", ".join(
        f"p{share} {flat[f'call_to_board_p{share}_ms']} ms" for share in (50, 95, 99)
    )
    pace, seen = f"{BOARD_CALLS_PER_S:.0f} calls/s", flat["call_to_board_samples"]
    return [
        f"call to board with 400 pads, {pace}: {delays} ({seen} seen)",
        f"numbers given twice: {flat['duplicates']}",
    ]
