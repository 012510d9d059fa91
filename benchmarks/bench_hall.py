"""The hall that is measured: 64 windows with kiosk, agent, call pad and rating pad each, and more pads.

The database is prepared with device keys and with clerks already logged in on their pads, because
neither pairing nor password hashing is what is measured.
"""

from pathlib import Path

import sqlalchemy as sa

from hallserver.hall import open_hall
from hallserver.store import accounts as t
from hallserver.store.store import HallStore
from qingting.contract import config as cfg
from qingting.contract.base import Strict
from qingting.contract.ids import DepartmentId, DeviceId, HallId, ItemId, QueueId, StaffId, WindowId
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.device_keys import digest, new_device_key

CLIENTS = 64
QUEUES = 8
IDLE_PADS = 272
"""With the call pads and rating pads of the 64 windows, 400 pads."""
BOARDS = 4


class BenchHall(Strict, frozen=True, kw_only=True):
    """What the load generators must know: device keys by device."""

    keys: dict[str, str]


def names(number: int) -> dict[str, str]:
    """Ids of everything that client ``number`` uses."""
    return {
        "kiosk": f"k{number}",
        "agent": f"k{number}-agent",
        "printer": f"k{number}-printer",
        "pad": f"pad{number}",
        "rating": f"rate{number}",
        "window": f"w{number}",
        "item": f"item{number % QUEUES}",
        "staff": f"s{number}",
    }


def _devices(number: int) -> list[cfg.Device]:
    one = {name: DeviceId(value) for name, value in names(number).items()}
    window = WindowId(names(number)["window"])
    kind = DeviceKind
    return [
        cfg.Device(id=one["kiosk"], kind=kind.KIOSK, name="取号机"),
        cfg.Device(id=one["agent"], kind=kind.AGENT, name="外设主机", parent=one["kiosk"]),
        cfg.Device(id=one["printer"], kind=kind.PRINTER, name="打印机", parent=one["kiosk"]),
        cfg.Device(id=one["pad"], kind=kind.CALL_PAD, name="呼叫器", window=window),
        cfg.Device(id=one["rating"], kind=kind.RATING_PAD, name="评价器", window=window),
    ]


def idle_pads() -> list[str]:
    return [f"idle{number}" for number in range(IDLE_PADS)]


def boards() -> list[str]:
    return [f"board{number}" for number in range(BOARDS)]


DEPARTMENT = DepartmentId("d1")


def _queue(number: int) -> cfg.Queue:
    return cfg.Queue(
        id=QueueId(f"q{number}"),
        name=f"队列{number}",
        name_en=f"Queue {number}",
        prefix=chr(65 + number),
    )


def _item(number: int) -> cfg.Item:
    return cfg.Item(
        id=ItemId(f"item{number}"),
        name=f"居民身份证换领{number}",
        name_en=f"Renewal of the resident ID card {number}",
        department=DEPARTMENT,
        queue=QueueId(f"q{number}"),
        needs_identity=False,
        materials=("居民户口簿", "原居民身份证"),
    )


def window_of(number: int) -> cfg.Window:
    """It serves one of the eight queues."""
    return cfg.Window(
        id=WindowId(f"w{number}"),
        number=str(number + 1),
        name=f"{number + 1}号窗口",
        name_en=f"Window {number + 1}",
        queues=(QueueId(f"q{number % QUEUES}"),),
    )


def _screens() -> list[cfg.Device]:
    device, kind = cfg.Device, DeviceKind
    return [
        *(device(id=DeviceId(one), kind=kind.CALL_PAD, name="呼叫器") for one in idle_pads()),
        *(device(id=DeviceId(one), kind=kind.BOARD, name="大屏") for one in boards()),
    ]


def bench_config() -> cfg.HallConfig:
    """Eight queues, eight windows each."""
    clients, queues = range(CLIENTS), range(QUEUES)
    return cfg.HallConfig(
        version=1,
        hall=cfg.HallInfo(
            id=HallId("bench"), name="测速大厅", name_en="Benchmark hall", division="230602"
        ),
        departments=(
            cfg.Department(id=DEPARTMENT, name="部门", name_en="Department", short_name="部门"),
        ),
        queues=tuple(map(_queue, queues)),
        items=tuple(map(_item, queues)),
        windows=tuple(map(window_of, clients)),
        staff=tuple(
            cfg.Staff(id=StaffId(f"s{one}"), number=f"{one:04d}", name=f"职员{one}")
            for one in clients
        ),
        devices=(*(device for one in clients for device in _devices(one)), *_screens()),
    )


async def prepare(path: Path) -> BenchHall:
    """Makes the database of the hall to be measured."""
    clock = SystemClock()
    config = bench_config()
    async with open_hall(path, clock=clock, config=config) as hall:
        keys = {
            device.id: new_device_key()
            for device in config.devices
            if device.kind is not DeviceKind.PRINTER
        }
        await _let_in(hall.store, keys, clock.now_ms())
    return BenchHall(keys={str(device): key for device, key in keys.items()})


async def _let_in(store: HallStore, keys: dict[DeviceId, str], now: int) -> None:
    devices = [
        {"device": device, "digest": digest(key), "made_at": now} for device, key in keys.items()
    ]
    logins = [
        {"device": names(number)["pad"], "staff": names(number)["staff"], "at": now}
        for number in range(CLIENTS)
    ]

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(t.device_key), devices)
        connection.execute(sa.insert(t.pad_login), logins)

    await store.write(work)
