"""``qingting bench phones``: what a thousand open ticket pages cost a hall server, and how fresh they are.

A hall server with the pages' own routes runs in a process of its own and serves visits at a steady
pace; another process keeps a live stream open for every waiting ticket. Both share this machine.
"""

import asyncio
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import click
import msgspec
from aiohttp import web

from benchmarks.bench_hall import CLIENTS as WINDOWS
from benchmarks.bench_hall import bench_config, names
from benchmarks.line import percentile
from benchmarks.processes import resident_mb, start
from hallserver.app.desk import DESK
from hallserver.app.server import HallSettings, open_hall_app
from hallserver.hall import Hall
from qingting.contract import commands as c
from qingting.contract.base import Record
from qingting.contract.ids import ItemId, StaffId, WindowId
from qingting.kernel.config_file import dump_config
from qingting.kernel.logging import configure_logging
from qingting.kernel.open_files import lift_open_files

PHONES = (0, 1_000)
VISITS_PER_S = 2.0
"""Ten times what the 64 windows of the city's largest hall do."""
SETTLE_SECONDS = 2.0
START_SECONDS = 120.0


class Run(Record, frozen=True, kw_only=True):
    """What the server process is told."""

    folder: str
    tickets: int
    seconds: float


class Report(Record, frozen=True, kw_only=True):
    """What it says afterwards. ``calls`` are ``(token, queue, seconds)`` at the commit, wall clock."""

    idle_cpu: float
    busy_cpu: float
    megabytes: float
    calls: list[tuple[str, str, float]]


Heard = dict[str, list[tuple[float, bool]]]
"""By token: when something was heard, and whether it was the call."""


async def run_benchmark(*, as_json: bool, seconds: float) -> None:
    """Measures and prints; with ``as_json`` one flat object is all that stdout gets."""
    _ = lift_open_files()
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="qingting-phones-"))
    figures: dict[str, float | int] = {}
    try:
        for phones in PHONES:
            figures |= await _measure(folder / str(phones), phones, seconds)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        click.echo("\n".join(f"{name:28} {value:10.3f}" for name, value in figures.items()))


async def _measure(folder: Path, phones: int, seconds: float) -> dict[str, float | int]:
    await asyncio.to_thread(folder.mkdir)
    run = Run(folder=str(folder), tickets=max(PHONES), seconds=seconds)
    process = await start("-m", "benchmarks.phones", told=msgspec.json.encode(run))
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            port, tokens = msgspec.json.decode(
                await process.stdout.readline(), type=tuple[int, dict[str, str]]
            )
        heard = await _listen(process, port, list(tokens)[:phones])
        async with asyncio.timeout(START_SECONDS):
            report = msgspec.json.decode(await process.stdout.readline(), type=Report)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _figures(phones, report, tokens, heard)


async def _listen(process: asyncio.subprocess.Process, port: int, tokens: list[str]) -> Heard:
    """Opens a page's stream for each token, lets the server begin, and listens until it hangs up."""
    heard: Heard = {token: [] for token in tokens}
    opened = asyncio.Semaphore(0)

    async def follow(http: aiohttp.ClientSession, token: str) -> None:
        async with http.get(f"http://127.0.0.1:{port}/t/{token}/live") as answer:
            first = True
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    heard[token].append((time.time(), b'"called.' in line))
                    if first:
                        first = False
                        opened.release()

    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        tasks = [asyncio.create_task(follow(http, token)) for token in tokens]
        async with asyncio.timeout(START_SECONDS):
            for _ in tokens:
                await opened.acquire()
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        await asyncio.gather(*tasks)
    return heard


def _figures(
    phones: int, report: Report, queue_of: dict[str, str], heard: Heard
) -> dict[str, float | int]:
    figures: dict[str, float | int] = {
        f"p{phones}.idle_cpu_share": report.idle_cpu,
        f"p{phones}.busy_cpu_share": report.busy_cpu,
        f"p{phones}.megabytes": report.megabytes,
    }
    if not phones:
        return figures
    called, moved = [], []
    for token, queue, at in report.calls:
        if token in heard:
            called.append(next(when - at for when, call in heard[token] if call))
        behind = [
            next((when - at for when, _ in times if when > at), None)
            for other, times in heard.items()
            if queue_of[other] == queue and not any(call for when, call in times if when <= at)
        ]
        moved += [one for one in behind if one is not None]
    for name, times in (("call_to_phone", called), ("call_to_places_behind", moved)):
        for share in (50, 95, 99):
            figures[f"p{phones}.{name}_p{share}_ms"] = percentile(times, share / 100) * 1000
    figures[f"p{phones}.calls"] = len(called)
    return figures


# ---- the server process -----------------------------------------------------------------------------


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _go() -> None:
    """Waits for the parent's word."""
    await asyncio.to_thread(sys.stdin.readline)


async def _serve(run: Run) -> None:
    async with _app(run) as (app, port):
        hall = app[DESK].hall
        tokens = await _fill(hall, run.tickets)
        _say([port, tokens])
        await _go()
        await asyncio.sleep(SETTLE_SECONDS)
        idle = await _share(asyncio.sleep(run.seconds))
        calls: list[tuple[str, str, float]] = []
        busy = await _share(_visits(hall, run.seconds, calls))
        await asyncio.sleep(1.0)
        megabytes = await asyncio.to_thread(resident_mb, os.getpid())
        report = Report(idle_cpu=idle, busy_cpu=busy, megabytes=megabytes, calls=calls)
    _say(report)


def _say(what: object) -> None:
    """To the parent; everything else that this process says goes to stderr."""
    sys.__stdout__.write(msgspec.json.encode(what).decode() + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


@asynccontextmanager
async def _app(run: Run) -> AsyncIterator[tuple[web.Application, int]]:
    folder = Path(run.folder)
    await asyncio.to_thread(dump_config, bench_config(), folder / "hall.json")
    settings = HallSettings(
        data=str(folder / "data"),
        config=str(folder / "hall.json"),
        voice_bank="",
        speech_program="",
    )
    async with open_hall_app(settings) as app:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield app, runner.addresses[0][1]
        finally:
            await runner.cleanup()


async def _fill(hall: Hall, tickets: int) -> dict[str, str]:
    """Opens every window and takes the tickets; their queues by token."""
    for number in range(WINDOWS):
        window, staff = names(number)["window"], names(number)["staff"]
        opened = c.OpenWindow(window=WindowId(window), staff=StaffId(staff))
        await hall.submit(opened, key=f"open:{number}", actor="bench")
    for number in range(tickets):
        item = ItemId(names(number)["item"])
        taken = c.IssueTicket(item=item, token=f"bench-token-{number:06d}")
        await hall.submit(taken, key=f"take:{number}", actor="bench")
    return {one.token: str(one.queue) for one in hall.state.tickets.values()}


async def _share(work: Awaitable[None]) -> float:
    """Which part of one processor the process used meanwhile."""
    used, began = _cpu(), time.monotonic()
    await work
    return (_cpu() - used) / (time.monotonic() - began)


async def _visits(hall: Hall, seconds: float, calls: list[tuple[str, str, float]]) -> None:
    """Call, begin and finish at one window after another, at an even pace."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(int(seconds * VISITS_PER_S)):
        await asyncio.sleep(max(0.0, began + number / VISITS_PER_S - loop.time()))
        window = WindowId(names(number % WINDOWS)["window"])
        for step in (c.CallNext, c.BeginService, c.FinishService):
            await hall.submit(step(window=window), key=f"v{number}:{step.__name__}", actor="bench")
            if step is c.CallNext:
                at, called = time.time(), hall.state.windows[window].ticket
                assert called is not None
                ticket = hall.state.tickets[called]
                calls.append((ticket.token, str(ticket.queue), at))
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    sys.stdout = sys.stderr
    configure_logging("warning")
    _ = lift_open_files()
    asyncio.run(_serve(msgspec.json.decode(sys.stdin.readline(), type=Run)))
