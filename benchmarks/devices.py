"""``qingting bench devices``: the city's whole fleet on one machine, and how soon the console shows a fault.

Twelve hall servers, the console and its PostgreSQL run in processes of their own; one more holds the
connections of 2 758 pads and 60 kiosks. A supervisor's page is open on the console: it hears what changed
and fetches the list, as a browser does. A printer runs out of paper, and the time counts from the agent's
report until the list has it, and back. Before that one real agent with all its peripherals stays idle.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import click
import msgspec

from benchmarks.city_page import CityPage
from benchmarks.fleet import PERIPHERALS, FleetHall, city_sizes, fleet_config
from benchmarks.fleet_load import Change, FleetJob
from benchmarks.line import percentile
from benchmarks.processes import (
    BenchmarkFailedError,
    cpu_seconds,
    end,
    free_port,
    resident_mb,
    start,
)
from benchmarks.servers import start_console, start_hall
from console.core.sealing import KeyFile
from hallserver.agent.settings import AgentSettings
from qingting.contract.config import HallConfig
from qingting.demo.city import CityCast, cast_city
from qingting.demo.devices import device_specs, plugged
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.open_files import lift_open_files
from simulators.serve import serve_bench

SIZES = city_sizes()
IDLE_SECONDS = 20.0
SETTLE_SECONDS = 3.0
FAULT_SECONDS = 3.0
CONNECT_SECONDS = 120.0
SHOWN_SECONDS = 10.0
"""A change that the page has not shown after this time was lost."""
AGENT = "k0-agent"
_HOME = "/var/tmp"  # noqa: S108 - PostgreSQL runs under an account of its own when root starts it
Flat = dict[str, float | int]
Shown = Sequence[tuple[float, frozenset[str]]]


async def run_benchmark(*, as_json: bool, seconds: float) -> None:
    """Measures and prints; with ``as_json`` one flat object is all that stdout gets."""
    _ = lift_open_files()
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="qingting-fleet-", dir=_HOME))
    await asyncio.to_thread(folder.chmod, 0o711)
    try:
        async with AsyncExitStack() as stack:
            figures = await _measure(stack, folder, seconds)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    click.echo(msgspec.json.encode(figures).decode() if as_json else _table(figures))


async def _measure(stack: AsyncExitStack, folder: Path, seconds: float) -> Flat:
    devices = await _plug_in(stack, folder)
    configs = [
        fleet_config(f"h{number:02}", size, devices if number == 0 else {})
        for number, size in enumerate(SIZES)
    ]
    keys = await KeyFile.open(folder / "city" / "seal.keys", SystemClock())
    city = await stack.enter_async_context(
        cast_city(folder / "city", None, configs, {}, keys, lasting=True)
    )
    console_port = free_port()
    console = await start_console(stack, folder, city, console_port)
    halls, processes = [], []
    for config in configs:
        hall, process = await start_hall(stack, folder, config, city, console_port)
        halls.append(hall)
        processes.append(process)
    figures = await _idle_agent(stack, folder, configs[0], halls[0])
    job = FleetJob(
        halls=tuple(halls),
        seconds=seconds,
        fault_seconds=FAULT_SECONDS,
        real=frozenset({f"h00/{AGENT}"}),
    )
    changes, page = await _faults(f"http://127.0.0.1:{console_port}", city, job)
    figures |= delays(changes, page.shown)
    figures["page_p50_ms"] = round(percentile(page.fetch_ms, 0.5), 1)
    figures["page_p99_ms"] = round(percentile(page.fetch_ms, 0.99), 1)
    figures["hall_rss_mb"] = round(resident_mb(processes[0].pid), 1)
    figures["console_rss_mb"] = round(resident_mb(console.pid), 1)
    figures["pads"] = 2 * sum(size.windows for size in SIZES)
    figures["kiosks"] = sum(size.kiosks for size in SIZES)
    return figures


async def _plug_in(stack: AsyncExitStack, folder: Path) -> dict[str, str]:
    """Simulated peripherals of the first hall's first kiosk; their addresses by device."""
    config = fleet_config("h00", msgspec.structs.replace(SIZES[0], windows=0, kiosks=1), {})
    bench = await stack.enter_async_context(
        serve_bench(device_specs([config], "pty"), folder=folder / "devices", port=0)
    )
    return {str(device): url for device, url in plugged(config, bench.urls).items()}


# ---- the idle agent -----------------------------------------------------------------------------


async def _idle_agent(
    stack: AsyncExitStack, folder: Path, config: HallConfig, hall: FleetHall
) -> Flat:
    """Memory and processor share of an agent with printer, reader and scanner while nobody comes."""
    peripherals = tuple(one for one in config.devices if one.parent == "k0")
    settings = AgentSettings(
        hall=hall.url,
        device=AGENT,
        key=hall.keys[AGENT],
        kiosk="k0",
        devices=peripherals,
        data=str(folder / "agent"),
    )
    file = folder / "agent.json"
    await asyncio.to_thread(file.write_bytes, msgspec.json.encode(settings))
    process = await start("-m", "benchmarks.idle_agent", str(file))
    stack.push_async_callback(end, process)
    await _until_at_work(hall)
    await asyncio.sleep(SETTLE_SECONDS)
    used = cpu_seconds(process.pid)
    await asyncio.sleep(IDLE_SECONDS)
    if process.returncode is not None:
        raise BenchmarkFailedError(f"the agent ended with status {process.returncode}")
    share = (cpu_seconds(process.pid) - used) / IDLE_SECONDS
    return {
        "agent_rss_mb": round(resident_mb(process.pid), 1),
        "agent_cpu_percent": round(100 * share, 2),
        "agent_peripherals": len(PERIPHERALS),
    }


async def _until_at_work(hall: FleetHall) -> None:
    """Until the hall has heard that each of the agent's peripherals is ready."""
    address = hall.url.replace("ws://", "http://").replace("/hub", "/metrics")
    wanted = [f'qingting_devices{{kind="{one.value}",state="ready"}} 1.0' for one in PERIPHERALS]
    async with asyncio.timeout(CONNECT_SECONDS), aiohttp.ClientSession() as session:
        while True:
            async with session.get(address) as answer:
                text = await answer.text()
            if all(line in text for line in wanted):
                return
            await asyncio.sleep(0.2)


# ---- from the agent's report to the supervisor's page ------------------------------------------------


@asynccontextmanager
async def _open_page(url: str, city: CityCast) -> AsyncIterator[CityPage]:
    timeout = aiohttp.ClientTimeout(total=None)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(url, timeout=timeout, cookie_jar=jar) as session:
        page = CityPage(session)
        if not city.logins:
            raise BenchmarkFailedError("the city gave no first password")
        await page.enter(city.logins[0].account, city.logins[0].password)
        watching = asyncio.create_task(page.watch())
        try:
            yield page
        finally:
            if watching.done():
                watching.result()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _faults(url: str, city: CityCast, job: FleetJob) -> tuple[list[Change], CityPage]:
    load = await start("-m", "benchmarks.fleet_load", told=msgspec.json.encode(job))
    try:
        assert load.stdin is not None
        assert load.stdout is not None
        async with asyncio.timeout(CONNECT_SECONDS):
            if (await load.stdout.readline()).strip() != b"ready":
                raise BenchmarkFailedError("the fleet could not connect")
        await asyncio.sleep(SETTLE_SECONDS)
        async with _open_page(url, city) as page:
            load.stdin.write(b"go\n")
            async with asyncio.timeout(job.seconds + CONNECT_SECONDS):
                said = await load.stdout.readline()
            if not said:
                raise BenchmarkFailedError("the fleet lost a connection")
            changes = msgspec.json.decode(said, type=list[Change])
            await _until_shown(changes, page)
        return changes, page
    finally:
        await end(load)


async def _until_shown(changes: Sequence[Change], page: CityPage) -> None:
    """Until the page has had time for the last change, or shows that no printer is in fault any more."""
    last = max(change.at for change in changes)
    with suppress(TimeoutError):
        async with asyncio.timeout(SHOWN_SECONDS):
            while True:
                if any(at > last and not out for at, out in page.shown):
                    return
                await asyncio.sleep(0.05)


def delays(changes: Sequence[Change], shown: Shown) -> Flat:
    """From each change to the first answer that had it, seconds.

    Raises :class:`BenchmarkFailedError` when one was never shown.
    """
    times = []
    for change in changes:
        found = next(
            (
                at - change.at
                for at, faulty in shown
                if at > change.at and (change.printer in faulty) == change.faulty
            ),
            SHOWN_SECONDS,
        )
        if found >= SHOWN_SECONDS:
            raise BenchmarkFailedError(f"{change.printer} was not shown within {SHOWN_SECONDS} s")
        times.append(found)
    flat: Flat = {
        f"status_to_console_p{share}_s": round(percentile(times, share / 100), 3)
        for share in (50, 95, 99)
    }
    return flat | {"status_changes": len(times)}


def _table(figures: Flat) -> str:
    return "\n".join(f"{name:28}{value:>10}" for name, value in figures.items())
