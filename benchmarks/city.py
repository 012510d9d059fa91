"""``qingting bench city``: pages, queries and bookings of 1 000 citizens at the same time, with 20 000 connected.

PostgreSQL, two console workers for citizens and three processes full of citizens share this machine. The halls tell the city
what they are and leave; every citizen has a session. Each of a thousand looks at pages, asks for times and books, with a
pause as people make it; then all thousand press at the same moment; then they go as fast as answers come. The bare
server, which answers a page of the same size and knows nothing, is measured in the same way at the end.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path

import click
import msgspec

from benchmarks.city_load import CitizenSeed, CityFigures, CityJob, Part, PlaceSeed
from benchmarks.city_seed import log_in, many_places
from benchmarks.http_line import dial
from benchmarks.line import percentile
from benchmarks.processes import (
    BenchmarkFailedError,
    end,
    free_port,
    resident_mb,
    serving,
    start,
)
from benchmarks.servers import start_console, start_hall
from console.app.city import CHINA_MINUTES, City, open_city
from console.core.days import day_of
from console.core.permissions import EVERYWHERE
from console.core.sealing import KeyFile
from console.halls.api import HALLS
from console.modules.appointments.api import APPOINTMENTS, Offer
from qingting.contract.config import HallConfig
from qingting.demo.builder import build_hall, hall_ids
from qingting.demo.city import CityCast, cast_city
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.open_files import lift_open_files

HALLS_TOLD = 12
WORKERS = 2
CROWDS = 3
OPERATORS = 1_000
CONNECTED = 20_000
THINK_SECONDS = 10.0
"""Between two acts of a person: reading a page, choosing a time."""
WARM_SECONDS = 5.0
BOOKINGS_PER_SECOND = 200
"""More than two cores ever did: nobody books twice, so there must be a citizen for each booking."""
START_SECONDS = 300.0
DAYS_AHEAD = 10
HOST = "127.0.0.1"
_HOME = "/var/tmp"  # noqa: S108 - PostgreSQL runs under an account of its own when root starts it
Flat = dict[str, float | int]


async def run_benchmark(*, as_json: bool, seconds: float) -> None:
    """Measures and prints; with ``as_json`` one flat object is all that stdout gets."""
    _ = lift_open_files()
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="qingting-city-", dir=_HOME))
    await asyncio.to_thread(folder.chmod, 0o711)
    try:
        async with AsyncExitStack() as stack:
            figures = await _measure(stack, folder, seconds)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    click.echo(msgspec.json.encode(figures).decode() if as_json else _table(figures))


async def _measure(stack: AsyncExitStack, folder: Path, seconds: float) -> Flat:
    configs = [build_hall(one) for one in hall_ids(HALLS_TOLD)]
    keys = await KeyFile.open(folder / "city" / "seal.keys", SystemClock())
    city = await stack.enter_async_context(
        cast_city(folder / "city", None, configs, {}, keys, lasting=True)
    )
    await _tell(folder, city, configs)
    async with open_city(city.database_url, keys=keys) as opened:
        await many_places(opened)
        citizens = await log_in(opened, 2 * OPERATORS + int(seconds * BOOKINGS_PER_SECOND))
        places, addresses = await _places(opened)
    ports = [free_port() for _ in range(WORKERS)]
    limits: dict[str, str | int] = {
        "serve": "citizens", "citizen_address_per_minute": 0, "citizen_browser_per_minute": 0,
    }  # fmt: skip
    workers = [await start_console(stack, folder, city, port, **limits) for port in ports]
    size = await _page_size(ports[0], addresses[0])
    jobs = _jobs(ports, citizens, places, addresses)
    figures = await _crowds(jobs, [one.pid for one in workers], seconds)
    figures["page_bytes"] = size
    return figures | await _bare(jobs, size, seconds, float(figures["acts_per_s"]))


async def _tell(folder: Path, city: CityCast, configs: Sequence[HallConfig]) -> None:
    """Each hall connects once, so that the city has its configuration in the hall's own words."""
    async with AsyncExitStack() as stack:
        port = free_port()
        await start_console(stack, folder, city, port)
        for config in configs:
            await start_hall(stack, folder, config, city, port)
        async with open_city(city.database_url) as opened, asyncio.timeout(START_SECONDS):
            while True:
                async with opened.db.read() as uow:
                    halls = await opened.context.take(HALLS).halls(uow, EVERYWHERE)
                if all(one.config_version for one in halls):
                    return
                await asyncio.sleep(0.5)


async def _places(city: City) -> tuple[list[PlaceSeed], list[str]]:
    """Periods that can be booked, and the addresses at which they are shown."""
    found, addresses = [], []
    # Not today's: one that is far enough ahead now may begin too soon when somebody asks for it.
    first = day_of(SystemClock().now_ms(), CHINA_MINUTES) + timedelta(1)
    async with city.db.read() as uow:
        api = city.context.take(APPOINTMENTS)
        for offer in await api.offers(uow):
            last = first + timedelta(DAYS_AHEAD)
            for day in await api.free(uow, offer.hall, (offer.item,), first, last):
                times = [one.start for one in day.places if one.free and not one.why]
                addresses += [_times(offer, day.day)] if times else []
                found += [_place(offer, day.day, one) for one in times]
    if not found:
        raise BenchmarkFailedError("nothing can be booked")
    return found, addresses


def _times(offer: Offer, day: date) -> str:
    return f"/c/book/{offer.hall}/times?item={offer.item}&day={day}"


def _place(offer: Offer, day: date, start: str) -> PlaceSeed:
    form = {"item": str(offer.item), "day": str(day), "start": start}
    return PlaceSeed(action=f"/c/book/{offer.hall}/hold", form=form)


async def _page_size(port: int, address: str) -> int:
    line = await dial(HOST, port)
    answer = await line.get(address)
    line.close()
    if answer.status != 200:
        raise BenchmarkFailedError(f"{address}: {answer.status}")
    return len(answer.body)


def _jobs(
    ports: Sequence[int],
    citizens: Sequence[CitizenSeed],
    places: Sequence[PlaceSeed],
    addresses: Sequence[str],
) -> list[CityJob]:
    """A part of everything for each process. Every crowd looks at the same pages."""
    halls = sorted({one.action.split("/")[3] for one in places})
    return [
        CityJob(
            ports=tuple(ports),
            citizens=tuple(citizens[crowd::CROWDS]),
            operators=len(range(crowd, OPERATORS, CROWDS)),
            idle=len(range(crowd, CONNECTED - OPERATORS, CROWDS)),
            places=tuple(places),
            pages=("/c", "/c/items", "/c/halls", *(f"/c/halls/{one}" for one in halls)),
            queries=(*addresses, "/c/bookings", "/c/items?q=shenfenzheng", "/c/items?q=gjj"),
            seed=crowd,
        )
        for crowd in range(CROWDS)
    ]


class Crowds:
    """The processes full of citizens."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        self._processes = processes

    async def said(self) -> list[bytes]:
        """A line of each."""
        async with asyncio.timeout(START_SECONDS):
            return [await self._line(one) for one in self._processes]

    async def _line(self, process: asyncio.subprocess.Process) -> bytes:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            raise BenchmarkFailedError("a crowd of citizens came to an end")
        return line

    async def play(self, part: Part) -> CityFigures:
        """All play the part at once; their figures together."""
        for one in self._processes:
            assert one.stdin is not None
            one.stdin.write(msgspec.json.encode(part) + b"\n")
        told = [msgspec.json.decode(one, type=CityFigures) for one in await self.said()]
        seconds: dict[str, list[float]] = {}
        for figures in told:
            for kind, times in figures.seconds.items():
                seconds.setdefault(kind, []).extend(times)
        return CityFigures(
            seconds=seconds,
            faults=dict(sum((Counter(one.faults) for one in told), Counter())),
            full=sum(one.full for one in told),
            wall=max(one.wall for one in told),
            connected=sum(one.connected for one in told),
        )


async def _start_crowds(stack: AsyncExitStack, jobs: Sequence[CityJob]) -> Crowds:
    processes = []
    for job in jobs:
        process = await start("-m", "benchmarks.city_load", told=msgspec.json.encode(job))
        stack.push_async_callback(end, process)
        processes.append(process)
    return Crowds(processes)


async def _crowds(jobs: Sequence[CityJob], workers: Sequence[int], seconds: float) -> Flat:
    """The three parts; memory of the workers before and after the connections."""
    before = sum(resident_mb(one) for one in workers)
    async with AsyncExitStack() as stack:
        crowds = await _start_crowds(stack, jobs)
        await crowds.said()
        after = sum(resident_mb(one) for one in workers)
        # Workers that have just started remember nothing yet; their faults count, their times do not.
        first = await crowds.play(Part(seconds=WARM_SECONDS, think=THINK_SECONDS))
        paced = await crowds.play(Part(seconds=seconds, think=THINK_SECONDS))
        burst = await crowds.play(Part(seconds=0.0, think=0.0))
        flat_out = await crowds.play(Part(seconds=seconds, think=0.0))
    connections = sum(one.operators + one.idle for one in jobs)
    parts = (first, paced, burst, flat_out)
    faults = sum((Counter(one.faults) for one in parts), Counter())
    for what, times in faults.most_common(10):
        click.echo(f"{times} x {what}", err=True)
    figures: Flat = {
        "errors": faults.total(),
        "connected": min(one.connected for one in parts),
        "rss_per_connection_kb": round((after - before) * 1000 / connections, 1),
        "workers_mb": round(after, 1),
        "places_taken_by_others": sum(one.full for one in parts),
        "acts_per_s": round(_acts(flat_out) / flat_out.wall, 1),
    }
    figures |= _of(paced, "") | _of(burst, "burst_")
    figures["paced_acts_per_s"] = round(_acts(paced) / paced.wall, 1)
    return figures


def _acts(figures: CityFigures) -> int:
    return sum(len(times) for times in figures.seconds.values())


def _of(part: CityFigures, prefix: str) -> Flat:
    """Averages by kind, and the worst."""
    found: Flat = {}
    for kind, times in part.seconds.items():
        found[f"{prefix}{kind}_avg_ms"] = round(1000 * sum(times) / max(1, len(times)), 1)
        found[f"{prefix}{kind}_p99_ms"] = round(1000 * percentile(times or [0.0], 0.99), 1)
    found[f"{prefix}worst_ms"] = round(
        1000 * max(max(one, default=0) for one in part.seconds.values()), 1
    )
    return found


async def _bare(jobs: Sequence[CityJob], size: int, seconds: float, reached: float) -> Flat:
    """The same crowds, as fast as answers come, before servers that know nothing."""
    async with AsyncExitStack() as stack:
        for port in (ports := [free_port() for _ in range(WORKERS)]):
            process = await start("-m", "benchmarks.bare_pages", str(port), str(size))
            await stack.enter_async_context(serving(process, port))
        alone = [
            msgspec.structs.replace(one, ports=tuple(ports), idle=0, again=True) for one in jobs
        ]
        crowds = await _start_crowds(stack, alone)
        await crowds.said()
        told = await crowds.play(Part(seconds=seconds, think=0.0))
    limit = _acts(told) / told.wall
    return {"bare_acts_per_s": round(limit, 1), "ratio_to_limit": round(reached / limit, 3)}


def _table(figures: Flat) -> str:
    return "\n".join(f"{name:28}{value:>10}" for name, value in figures.items())
