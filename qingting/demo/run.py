"""``qingting demo``: a whole city on one machine, with simulated devices, on loopback only."""

import asyncio
import json
import os
import sys
import tempfile
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from console.core.sealing import KeyFile
from hallserver.agent.agent import run_agent
from hallserver.agent.hands import RestartAskedError
from hallserver.agent.settings import AgentSettings
from hallserver.engine.days import hall_time
from qingting.contract.bookings import Booking
from qingting.contract.config import HallConfig
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.states import DeviceKind
from qingting.demo.builder import build_hall, hall_ids
from qingting.demo.cast import Cast, cast_hall
from qingting.demo.children import Child
from qingting.demo.city import CityCast, cast_city
from qingting.demo.devices import Carrier, device_specs, plugged
from qingting.demo.hours import demo_calendar
from qingting.demo.item_system import first_sync
from qingting.demo.platforms import Platforms, demo_platforms
from qingting.demo.report import DemoReport, HallReport, Login, print_report, tries
from qingting.demo.traffic import people, simulated_devices
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.config_file import dump_config
from qingting.kernel.security.persons import for_hall
from simulators.serve import Play, RunningBench, serve_bench

HOST = "127.0.0.1"
SEAL_KEYS = "seal.keys"
"""Where a console looks for its keys in its data folder."""
CONTROL_OFFSET = 50
"""The simulators' control page is this far above the base port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What ``qingting demo`` was asked for. ``traffic`` is in numbers taken per minute and hall."""

    halls: int = 1
    base_port: int = 8100
    data: Path | None = None
    database_url: str | None = None
    traffic: float = 0.0
    carrier: Carrier = "pty"
    play: Play | None = None
    as_json: bool = False

    def hall_url(self, index: int) -> str:
        return f"http://{HOST}:{self.base_port + 1 + index}"

    @property
    def city_url(self) -> str:
        return f"http://{HOST}:{self.base_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoHall:
    """One hall of the demonstration before its server runs."""

    config: HallConfig
    cast: Cast
    url: str
    folder: Path
    code_settings: dict[str, str]
    """How its server asks the simulated platform of citizen codes."""


async def run_demo(options: DemoOptions) -> None:
    """Runs until cancelled; prints URLs and one-time credentials once everything answers."""
    async with AsyncExitStack() as stack:
        folder = options.data or Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="qingting-demo-", dir=_traversable())
            )
        )
        await asyncio.to_thread(_let_others_pass, folder)
        sources = [build_hall(one) for one in hall_ids(options.halls)]
        platforms = await asyncio.to_thread(demo_platforms)
        bench = await stack.enter_async_context(_bench(options, sources, folder, platforms))
        player = options.play.on(bench.bench) if options.play is not None else None
        keys = await KeyFile.open(folder / "city" / SEAL_KEYS, SystemClock())
        halls = [
            await _prepare_hall(
                options,
                index,
                _plugged_in(source, bench),
                folder,
                keys,
                platforms.code_settings(bench),
            )
            for index, source in enumerate(sources)
        ]
        city = await stack.enter_async_context(_city(options, folder, halls, keys))
        console = _console(options, city, folder, platforms.city_settings(bench))
        children = await _start_servers(options, console, city, halls, stack)
        # Entered after the servers' stops were registered, so that nobody restarts what is stopped.
        tasks = await stack.enter_async_context(Supervisor("demo"))
        for child in children:
            _ = tasks.run(f"keep {child.name}", child.keep())
        _start_agents(halls, tasks)
        if player is not None:
            _ = tasks.run("scenario", player.run())
        await _start_people(options, halls, bench, stack)
        await first_sync(city.database_url)
        print_report(_report(options, city, halls, bench, children), as_json=options.as_json)
        await asyncio.get_running_loop().create_future()


def _bench(
    options: DemoOptions,
    sources: list[HallConfig],
    folder: Path,
    platforms: Platforms,
) -> AbstractAsyncContextManager[RunningBench]:
    return serve_bench(
        device_specs(sources, options.carrier),
        folder=folder / "devices",
        port=options.base_port + CONTROL_OFFSET,
        codes=platforms.codes,
        identity=platforms.identity,
        messages=platforms.messages,
        alipay=platforms.alipay,
        items=platforms.items,
    )


def _plugged_in(source: HallConfig, bench: RunningBench) -> HallConfig:
    """The hall with its devices where the bench has them, open from now on."""
    now = hall_time(SystemClock().now_ms(), source)
    calendar = demo_calendar(now.date(), now.strftime("%H:%M"))
    return build_hall(HallId(source.hall.id), urls=plugged(source, bench.urls), calendar=calendar)


def _city(
    options: DemoOptions, folder: Path, halls: list[DemoHall], keys: KeyFile
) -> AbstractAsyncContextManager[CityCast]:
    return cast_city(
        folder / "city",
        options.database_url,
        [hall.config for hall in halls],
        {HallId(hall.config.hall.id): _to_book(hall) for hall in halls},
        keys,
        lasting=options.data is not None,
    )


def _to_book(hall: DemoHall) -> list[Booking]:
    return [one.booking for one in hall.cast.bookings if one.fresh]


def _traversable() -> str | None:
    """A folder whose parents every account may pass: the database runs under one of its own as root."""
    return "/var/tmp" if os.name == "posix" else None  # noqa: S108 - holds a private folder made by mkdtemp


def _let_others_pass(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(folder.stat().st_mode | 0o011)


async def _prepare_hall(
    options: DemoOptions,
    index: int,
    config: HallConfig,
    folder: Path,
    city: KeyFile,
    code_settings: dict[str, str],
) -> DemoHall:
    url = options.hall_url(index)
    home = folder / config.hall.id
    home.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(dump_config, config, home / "config.json")
    simulated = simulated_devices(config) if options.traffic > 0 else frozenset[DeviceId]()
    sealer = for_hall(city.sealer, config.hall.id)
    cast = await cast_hall(home / "hall.db", config, url, sealer, simulated)
    return DemoHall(config=config, cast=cast, url=url, folder=home, code_settings=code_settings)


async def _start_servers(
    options: DemoOptions,
    console: Child,
    city: CityCast,
    halls: list[DemoHall],
    stack: AsyncExitStack,
) -> list[Child]:
    children = [console]
    children += [_hall(options, hall, city, index) for index, hall in enumerate(halls)]
    for child in children:
        await child.start()
        stack.push_async_callback(child.stop)
    for child in children:
        await child.ready()
    return children


def _settings_file(path: Path, settings: dict[str, str | int]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.writelines(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    return path


def _console(options: DemoOptions, city: CityCast, folder: Path, outside: dict[str, str]) -> Child:
    home = folder / "city"
    settings: dict[str, str | int] = {
        "data": str(home),
        "host": HOST,
        "port": options.base_port,
        "database_url": city.database_url,
        "backup_folder": str(home / "backups"),
        "drill_days": 0,
        **outside,
    }
    file = _settings_file(home / "console.toml", settings)
    return Child(
        "console",
        ("console", "--settings", str(file)),
        f"{options.city_url}/healthz",
        home / "console.log",
    )


def _hall(options: DemoOptions, hall: DemoHall, city: CityCast, index: int) -> Child:
    settings: dict[str, str | int] = {
        "data": str(hall.folder),
        "host": HOST,
        "port": options.base_port + 1 + index,
        "config": str(hall.folder / "config.json"),
        "city_url": options.city_url.replace("http", "ws", 1) + "/link",
        "hall_key": city.hall_keys[HallId(hall.config.hall.id)],
        "first_password": False,
        **hall.code_settings,
    }
    file = _settings_file(hall.folder / "hall.toml", settings)
    name = f"hall {hall.config.hall.id}"
    return Child(
        name, ("hall", "--settings", str(file)), f"{hall.url}/healthz", hall.folder / "hall.log"
    )


def _start_agents(halls: list[DemoHall], tasks: Supervisor) -> None:
    for hall in halls:
        for device in hall.config.devices:
            if device.kind is not DeviceKind.AGENT or device.parent is None:
                continue
            settings = AgentSettings(
                hall=hall.url.replace("http", "ws", 1) + "/hub",
                device=device.id,
                key=hall.cast.agent_keys[device.id],
                kiosk=device.parent,
                devices=hall.config.devices,
                data=str(hall.folder / device.id),
            )
            _ = tasks.run(f"agent {hall.config.hall.id}.{device.id}", _keep_agent(settings))


async def _keep_agent(settings: AgentSettings) -> None:
    """Stands in for the service manager: an agent that was asked to restart is started again."""
    while True:
        with suppress(RestartAskedError):
            await run_agent(settings)
            return


async def _start_people(
    options: DemoOptions, halls: list[DemoHall], bench: RunningBench, stack: AsyncExitStack
) -> None:
    if options.traffic <= 0:
        return
    for hall in halls:
        await stack.enter_async_context(
            people(hall.config, hall.cast, bench.bench, hall.url, options.traffic)
        )


def _report(
    options: DemoOptions,
    city: CityCast,
    halls: list[DemoHall],
    bench: RunningBench,
    children: list[Child],
) -> DemoReport:
    logins = [Login(user=one.account, password=one.password) for one in city.logins]
    return DemoReport(
        console=options.city_url + "/",
        user=logins[0].user if logins else "admin",
        password=logins[0].password if logins else None,
        others=logins[1:],
        simulators=bench.page,
        identity_provider=f"{bench.page}identity/",
        item_system=bench.item_page,
        pids={child.name: child.pid for child in children} | {"demo": os.getpid()},
        halls=[
            HallReport(
                id=hall.config.hall.id,
                name=hall.config.hall.name,
                url=hall.url,
                manage=f"{hall.url}/manage/",
                manager=hall.cast.manager,
                clerks=hall.cast.clerks,
                screens=hall.cast.screens,
                tries=tries(hall.config, hall.cast.bookings),
            )
            for hall in halls
        ],
        python=sys.executable,
    )
