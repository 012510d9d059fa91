"""Configuration of one hall, as exported by the city or written by hand. Strict: unknown keys are errors."""

from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.ids import (
    DepartmentId,
    DeviceId,
    HallId,
    ItemId,
    QueueId,
    ShortText,
    StaffId,
    WindowId,
)
from qingting.contract.layouts import Announcements, BoardLayout, Known, layouts_faults
from qingting.contract.states import DeviceKind, StaffRole

Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
"""ISO weekday, 1 = Monday."""
ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
ALL_WEEK: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


class HallInfo(Strict, frozen=True, kw_only=True):
    """Who and where the hall is. ``division`` is the 6, 9 or 12 digit division code (区划代码)."""

    id: HallId
    name: ShortText
    name_en: ShortText
    division: Annotated[str, msgspec.Meta(pattern=r"^\d{6}(\d{3}(\d{3})?)?$")]
    address: str = ""
    phone: str = ""
    utc_offset_minutes: int = 480


class Department(Strict, frozen=True, kw_only=True):
    """A department that offers items in this hall (进驻部门). ``icon`` names a picture of the front end."""

    id: DepartmentId
    name: ShortText
    name_en: ShortText
    short_name: ShortText
    uscc: str = ""
    order: int = 0
    icon: str = "building"


class Period(Strict, frozen=True, kw_only=True):
    """A span of one day in hall time, end exclusive; ``24:00`` is allowed as an end."""

    start: ClockTime
    end: ClockTime


class Queue(Strict, frozen=True, kw_only=True):
    """A line of tickets. ``prefix`` starts its numbers (A → A001). ``hours`` empty means never open.

    ``closed_reason`` not empty closes the queue whatever the hour says.
    """

    id: QueueId
    name: ShortText
    name_en: ShortText
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,2}$")]
    hours: tuple[Period, ...] = (Period(start="00:00", end="24:00"),)
    closed_reason: str = ""


class Item(Strict, frozen=True, kw_only=True):
    """A service item (事项) as offered in this hall.

    ``code`` is the 31-character implementation code (实施编码) or empty. ``minutes`` is the typical
    serving time that stands in until the hall has measured its own. ``pinyin`` is the full reading
    and ``initials`` the first letters, both lower case, for the kiosk's search by part of a word:
    first of the name in one run, then of other words people use for it, parted by spaces.
    ``sample`` marks invented demonstration data.
    """

    id: ItemId
    name: ShortText
    name_en: ShortText
    department: DepartmentId
    queue: QueueId
    code: str = ""
    minutes: Annotated[float, msgspec.Meta(gt=0, le=240)] = 10.0
    weekdays: tuple[Weekday, ...] = ALL_WEEK
    materials: tuple[str, ...] = ()
    legal_basis: str = ""
    promised_days: int = 0
    needs_identity: bool = True
    hot: bool = False
    pinyin: str = ""
    initials: str = ""
    sample: bool = False


class Window(Strict, frozen=True, kw_only=True):
    """A service window (窗口). ``queues`` in the order in which it prefers them.

    ``place`` says where it is to people (一楼 A 区); ``area`` (区域) and ``department`` group windows for
    boards.
    """

    id: WindowId
    number: ShortText
    name: ShortText
    name_en: ShortText
    queues: tuple[QueueId, ...]
    place: str = ""
    area: ShortText = ""
    department: DepartmentId | None = None


class Staff(Strict, frozen=True, kw_only=True):
    """A member of staff. Credentials are never part of the configuration or the log."""

    id: StaffId
    number: ShortText
    name: ShortText
    role: StaffRole = StaffRole.CLERK
    department: DepartmentId | None = None
    photo: str = ""


class Device(Strict, frozen=True, kw_only=True):
    """A device that the hall expects to have.

    ``parent`` is the kiosk that a printer, reader, scanner or agent belongs to. ``window`` ties a
    pad to a window. ``profile`` and ``url`` (``serial:///dev/ttyUSB0?baud=115200``,
    ``tcp://host:port``) are read by the agent that owns the peripheral.
    """

    id: DeviceId
    kind: DeviceKind
    name: ShortText
    name_en: ShortText = ""
    parent: DeviceId | None = None
    window: WindowId | None = None
    profile: str = ""
    url: str = ""


class HallConfig(Strict, frozen=True, kw_only=True):
    """All of a hall's configuration. ``version`` grows with each change.

    ``board_layouts`` says which layout a board shows, by device, so that boards which joined by pairing
    have one too; a board without an entry shows the built-in overview.
    """

    version: Annotated[int, msgspec.Meta(ge=1)]
    hall: HallInfo
    departments: tuple[Department, ...]
    queues: tuple[Queue, ...]
    items: tuple[Item, ...]
    windows: tuple[Window, ...]
    staff: tuple[Staff, ...]
    devices: tuple[Device, ...]
    layouts: tuple[BoardLayout, ...] = ()
    board_layouts: dict[DeviceId, ShortText] = msgspec.field(default_factory=dict)
    announcements: Announcements = Announcements()


def config_faults(config: HallConfig) -> list[str]:
    """Every broken reference or doubled id in ``config``, each as one English line; empty when sound."""
    faults: list[str] = []
    known: dict[str, set[str]] = {}
    for kind in ("departments", "queues", "items", "windows", "staff", "devices"):
        ids = [entry.id for entry in getattr(config, kind)]
        known[kind] = set(ids)
        faults += [
            f"{kind}: id {one!r} appears twice" for one in sorted(known[kind]) if ids.count(one) > 1
        ]
    prefixes = [queue.prefix for queue in config.queues]
    faults += [
        f"queues: prefix {p!r} appears twice"
        for p in sorted(set(prefixes))
        if prefixes.count(p) > 1
    ]
    for item in config.items:
        if item.department not in known["departments"]:
            faults.append(f"items.{item.id}: no department {item.department!r}")
        if item.queue not in known["queues"]:
            faults.append(f"items.{item.id}: no queue {item.queue!r}")
    for window in config.windows:
        faults += [
            f"windows.{window.id}: no queue {q!r}"
            for q in window.queues
            if q not in known["queues"]
        ]
        if window.department is not None and window.department not in known["departments"]:
            faults.append(f"windows.{window.id}: no department {window.department!r}")
    for device in config.devices:
        if device.parent is not None and device.parent not in known["devices"]:
            faults.append(f"devices.{device.id}: no parent {device.parent!r}")
        if device.window is not None and device.window not in known["windows"]:
            faults.append(f"devices.{device.id}: no window {device.window!r}")
    reach = Known(
        areas=frozenset(one.area for one in config.windows if one.area),
        windows=frozenset(known["windows"]),
        departments=frozenset(known["departments"]),
    )
    return faults + layouts_faults(config.layouts, config.board_layouts, reach)
