"""The city's whole fleet: twelve halls with 1 379 windows, two pads each, and sixty kiosks.

The first hall is the largest that one hall server has to bear, 400 pads and twenty kiosks; the others
share the rest. Devices have their keys already, because pairing is not what is measured.
"""

from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from benchmarks.bench_hall import bench_config, window_of
from hallserver.hall import open_hall
from hallserver.store import accounts as t
from hallserver.store.store import HallStore
from qingting.contract import config as cfg
from qingting.contract.base import Strict
from qingting.contract.ids import DeviceId, HallId, WindowId
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.device_keys import digest, new_device_key

PERIPHERALS = {
    DeviceKind.PRINTER: ("printer", "打印机", "generic.escpos80"),
    DeviceKind.ID_READER: ("reader", "证件阅读器", "generic.samv"),
    DeviceKind.SCANNER: ("scanner", "扫码器", "generic.serial-line"),
}


class Size(Strict, frozen=True, kw_only=True):
    """How much stands in one hall."""

    windows: int
    kiosks: int


class FleetHall(Strict, frozen=True, kw_only=True):
    """A hall of the fleet as the load process must know it: ``keys`` of devices by device."""

    id: str
    keys: dict[str, str]
    url: str = ""


def city_sizes(halls: int = 12, windows: int = 1379, kiosks: int = 60) -> list[Size]:
    """The first hall has 200 windows and 20 kiosks, the others share what is left evenly."""
    first = Size(windows=200, kiosks=20)
    rest = halls - 1
    return [
        first,
        *(
            Size(
                windows=_share(windows - first.windows, rest, one),
                kiosks=_share(kiosks - first.kiosks, rest, one),
            )
            for one in range(rest)
        ),
    ]


def _share(whole: int, parts: int, number: int) -> int:
    return whole // parts + (number < whole % parts)


def printer_name(hall: str, kiosk: int) -> str:
    """What the console's page calls the printer of a kiosk; unique in the city."""
    return f"打印机{hall}-{kiosk}"


def _pads(number: int) -> list[cfg.Device]:
    window = WindowId(f"w{number}")
    kind = DeviceKind
    return [
        cfg.Device(id=DeviceId(f"pad{number}"), kind=kind.CALL_PAD, name="呼叫器", window=window),
        cfg.Device(
            id=DeviceId(f"rate{number}"), kind=kind.RATING_PAD, name="评价器", window=window
        ),
    ]


def _kiosk(hall: str, number: int, urls: Mapping[str, str]) -> list[cfg.Device]:
    kiosk = DeviceId(f"k{number}")
    peripherals = [
        cfg.Device(
            id=DeviceId(f"{kiosk}-{suffix}"),
            kind=kind,
            name=printer_name(hall, number) if kind is DeviceKind.PRINTER else name,
            parent=kiosk,
            profile=profile,
            url=urls.get(f"{kiosk}-{suffix}", ""),
        )
        for kind, (suffix, name, profile) in PERIPHERALS.items()
    ]
    return [
        cfg.Device(id=kiosk, kind=DeviceKind.KIOSK, name=f"{number}号取号机"),
        cfg.Device(
            id=DeviceId(f"{kiosk}-agent"), kind=DeviceKind.AGENT, name="外设主机", parent=kiosk
        ),
        *peripherals,
    ]


def fleet_config(hall: str, size: Size, urls: Mapping[str, str]) -> cfg.HallConfig:
    """One hall; ``urls`` says where peripherals are plugged in, for those that are."""
    plain = bench_config()
    return cfg.HallConfig(
        version=1,
        hall=cfg.HallInfo(
            id=HallId(hall), name=f"测速大厅{hall}", name_en=f"Bench {hall}", division="230602"
        ),
        departments=plain.departments,
        queues=plain.queues,
        items=plain.items,
        windows=tuple(window_of(one) for one in range(size.windows)),
        staff=plain.staff,
        devices=(
            *(pad for one in range(size.windows) for pad in _pads(one)),
            *(part for one in range(size.kiosks) for part in _kiosk(hall, one, urls)),
        ),
    )


async def prepare(path: Path, config: cfg.HallConfig) -> FleetHall:
    """Makes the database of a hall whose devices all have keys."""
    clock = SystemClock()
    async with open_hall(path, clock=clock, config=config) as hall:
        keys = {
            device.id: new_device_key()
            for device in config.devices
            if device.kind not in PERIPHERALS
        }
        await _let_in(hall.store, keys, clock.now_ms())
    return FleetHall(id=config.hall.id, keys={str(device): key for device, key in keys.items()})


async def _let_in(store: HallStore, keys: dict[DeviceId, str], now: int) -> None:
    rows = [
        {"device": device, "digest": digest(key), "made_at": now} for device, key in keys.items()
    ]

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(t.device_key), rows)

    await store.write(work)
