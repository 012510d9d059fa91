"""Who takes part in a demonstration hall: keys, pairing codes and passwords, made anew for each run."""

import asyncio
from pathlib import Path

import msgspec

from hallserver.engine.days import hall_time
from hallserver.hall import Hall, open_hall
from hallserver.hub.accounts import Accounts, Pairing, open_accounts
from qingting.contract.commands import EditConfig
from qingting.contract.config import Device, HallConfig
from qingting.contract.config_parts import CalendarPart
from qingting.contract.ids import DeviceId, Millis
from qingting.contract.states import DeviceKind, StaffRole
from qingting.demo.bookings import SampleBooking, sample_bookings
from qingting.demo.hours import extended
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.passwords import one_time_password
from qingting.kernel.security.seal import Sealer

CODE_DAYS = 1
SCREENS: dict[DeviceKind, str] = {
    DeviceKind.KIOSK: "/kiosk/",
    DeviceKind.BOARD: "/board/",
    DeviceKind.CALL_PAD: "/tablet/call.html",
    DeviceKind.RATING_PAD: "/tablet/rate.html",
}
CLERKS = 8
"""Clerks whose passwords a demonstration makes; hashing one takes a tenth of a second."""
SIMULATED_CLERKS = 4
"""Of these, the last ones work at simulated windows when there is traffic."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff who can log in."""

    number: str
    name: str
    password: str


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A page to open; ``url`` carries a one-time pairing code behind ``#``."""

    device: str
    kind: DeviceKind
    name: str
    window: str
    url: str


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to use one hall. ``agent_keys`` by agent device id."""

    manager: Person
    clerks: tuple[Person, ...]
    simulated_clerks: tuple[Person, ...]
    screens: tuple[Screen, ...]
    agent_keys: dict[DeviceId, str]
    pad_keys: dict[DeviceId, str]
    bookings: tuple[SampleBooking, ...]


async def cast_hall(
    path: Path,
    config: HallConfig,
    base_url: str,
    sealer: Sealer,
    simulated: frozenset[DeviceId] = frozenset(),
) -> Cast:
    """Creates the hall's store at ``path`` and its accounts. ``sealer``: the city's for this hall, whose citizens book.
    ``simulated`` pads get keys instead of codes. A hall of an earlier day is open today."""
    clock = SystemClock()
    async with open_hall(path, clock=clock, config=config) as hall:
        await _open_today(hall, clock.now_ms())
        accounts = open_accounts(hall.store, clock)
        manager, clerks = await _staff(accounts, config)
        agents = [one.id for one in config.devices if one.kind is DeviceKind.AGENT]
        screens = [
            await _screen(accounts, one, config, base_url)
            for one in config.devices
            if one.kind in SCREENS and one.id not in simulated
        ]
        return Cast(
            manager=manager,
            clerks=clerks[:-SIMULATED_CLERKS],
            simulated_clerks=clerks[-SIMULATED_CLERKS:],
            screens=tuple(screens),
            agent_keys={one: await accounts.devices.issue_key(one) for one in agents},
            pad_keys={one: await accounts.devices.issue_key(one) for one in simulated},
            bookings=await asyncio.to_thread(
                sample_bookings,
                hall.state.config or config,
                sealer,
                dict(hall.state.bookings),
                clock.now_ms(),
            ),
        )


async def _open_today(hall: Hall, now: Millis) -> None:
    config = hall.state.config
    assert config is not None
    clock = hall_time(now, config)
    calendar = extended(config.calendar, clock.date(), clock.strftime("%H:%M"))
    if calendar is not None:
        part = CalendarPart(calendar=calendar)
        key = f"demo:open:{clock.date()}:{config.version}"
        await hall.submit(EditConfig(base=config.version, part=part), key=key, actor="demo")


async def _staff(accounts: Accounts, config: HallConfig) -> tuple[Person, tuple[Person, ...]]:
    managers = [one for one in config.staff if one.role is StaffRole.MANAGER][:1]
    clerks = [one for one in config.staff if one.role is StaffRole.CLERK][:CLERKS]
    people = {
        one.id: Person(number=one.number, name=one.name, password=one_time_password())
        for one in [*managers, *clerks]
    }
    await accounts.staff.seed({one.id: people[one.id].password for one in clerks})
    await accounts.staff.put(managers[0].id, people[managers[0].id].password, must_change=True)
    return people[managers[0].id], tuple(people[one.id] for one in clerks)


async def _screen(accounts: Accounts, device: Device, config: HallConfig, base_url: str) -> Screen:
    pairing = Pairing(
        device=device.id,
        kind=device.kind,
        name=device.name,
        name_en=device.name_en,
        parent=device.parent,
        window=device.window,
    )
    by = next(one.id for one in config.staff if one.role is StaffRole.MANAGER)
    code, _ = await accounts.devices.make_code(pairing, by, days=CODE_DAYS)
    numbers = {window.id: window.number for window in config.windows}
    return Screen(
        device=device.id,
        kind=device.kind,
        name=device.name,
        window=numbers.get(device.window, "") if device.window is not None else "",
        url=f"{base_url}{SCREENS[device.kind]}?slot={device.id}#pair={code}",
    )
