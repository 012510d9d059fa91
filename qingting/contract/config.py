"""Configuration of one hall, as exported by the city or written by hand. Strict: unknown keys are errors."""

from enum import StrEnum
from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.calendar import (
    ALL_WEEK,
    HallCalendar,
    Period,
    Weekday,
    calendar_faults,
    period_faults,
)
from qingting.contract.faults import Fault, doubled
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
from qingting.contract.layouts import (
    Announcements,
    BoardLayout,
    Known,
    layouts_faults,
    scope_faults,
)
from qingting.contract.rules import CallingRules, rules_faults
from qingting.contract.states import DeviceKind, StaffPermission, StaffRole
from qingting.contract.templates import (
    KioskTemplate,
    TemplateReach,
    TicketTemplate,
    templates_faults,
)

Cap = Annotated[int, msgspec.Meta(ge=0)]
"""Most tickets of something; 0 sets no limit."""


class HallInfo(Strict, frozen=True, kw_only=True):
    """Who and where the hall is. ``division`` is the 6, 9 or 12 digit division code (区划代码). ``seats`` are
    those of the waiting area (等候座位); 0: not counted."""

    id: HallId
    name: ShortText
    name_en: ShortText
    division: Annotated[str, msgspec.Meta(pattern=r"^\d{6}(\d{3}(\d{3})?)?$")]
    address: str = ""
    phone: str = ""
    utc_offset_minutes: int = 480
    seats: Annotated[int, msgspec.Meta(ge=0, le=9999)] = 0


class Department(Strict, frozen=True, kw_only=True):
    """A department that offers items in this hall (进驻部门). ``icon`` names a picture of the front end."""

    id: DepartmentId
    name: ShortText
    name_en: ShortText
    short_name: ShortText
    uscc: str = ""
    order: int = 0
    icon: str = "building"


class PeriodCap(Strict, frozen=True, kw_only=True):
    """Most tickets of a queue in one part of the day (分时段队列数量)."""

    period: Period
    tickets: Annotated[int, msgspec.Meta(ge=0)]


class Queue(Strict, frozen=True, kw_only=True):
    """A line of tickets. ``prefix`` starts its numbers (A → A001). ``hours`` empty means never open.

    ``closed_reason`` not empty closes the queue whatever the hour says. ``daily_cap`` and ``caps``
    bound how many tickets it gives a day and in parts of the day.
    """

    id: QueueId
    name: ShortText
    name_en: ShortText
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,2}$")]
    hours: tuple[Period, ...] = (Period(start="00:00", end="24:00"),)
    closed_reason: str = ""
    daily_cap: Cap = 0
    caps: tuple[PeriodCap, ...] = ()


class RepeatRule(StrEnum):
    """How often one certificate may take a ticket for one item a day (防重复取号)."""

    FREE = "free"
    OPEN = "open"
    """Not while an earlier ticket for it is still open."""
    ONCE = "once"
    """Once a day; a ticket that was left or missed does not count."""


class Item(Strict, frozen=True, kw_only=True):
    """A service item (事项) as offered in this hall.

    ``code`` is the 31-character implementation code (实施编码) or empty. ``minutes`` is the typical
    serving time that stands in until the hall has measured its own. ``pinyin`` is the full reading
    and ``initials`` the first letters, both lower case, for the kiosk's search by part of a word:
    first of the name in one run, then of other words people use for it, parted by spaces.
    ``materials_en`` and ``legal_basis_en`` are empty where nobody has translated them; otherwise
    ``materials_en`` has as many entries as ``materials``. ``sample`` marks invented demonstration data.
    ``skill`` names what a clerk must be able to do to serve it; empty: everybody can. ``group`` gathers
    items for templates and kiosks. ``face_check``: whoever shows a card for it at a kiosk is asked to let
    face and photo be compared (人证比对), as advice to the clerk.
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
    materials_en: tuple[str, ...] = ()
    legal_basis: str = ""
    legal_basis_en: str = ""
    promised_days: int = 0
    needs_identity: bool = True
    hot: bool = False
    pinyin: str = ""
    initials: str = ""
    sample: bool = False
    skill: ShortText = ""
    group: ShortText = ""
    daily_cap: Cap = 0
    repeat: RepeatRule = RepeatRule.FREE
    party_max: Annotated[int, msgspec.Meta(ge=1, le=200)] = 20
    face_check: bool = False


class WindowOrder(StrEnum):
    """How a window weighs its queues against each other."""

    SCORE = "score"
    """All alike: the calling rules decide."""
    LISTED = "listed"
    """An earlier queue of its list goes before a later one, but for the maximum delay."""


class Window(Strict, frozen=True, kw_only=True):
    """A service window (窗口). ``queues`` in the order in which it prefers them.

    ``place`` and ``place_en`` say where it is to people (一楼 A 区); ``area`` (区域) and ``department`` group windows for
    boards.
    ``appointment_only`` windows call booked visitors alone.
    """

    id: WindowId
    number: ShortText
    name: ShortText
    name_en: ShortText
    queues: tuple[QueueId, ...]
    place: str = ""
    place_en: str = ""
    area: ShortText = ""
    department: DepartmentId | None = None
    order: WindowOrder = WindowOrder.SCORE
    appointment_only: bool = False


class Staff(Strict, frozen=True, kw_only=True):
    """A member of staff. Credentials are never part of the configuration or the log.

    ``skills`` are the item skills that this person has; ``permissions`` what goes beyond calling the
    next visitor.
    """

    id: StaffId
    number: ShortText
    name: ShortText
    role: StaffRole = StaffRole.CLERK
    department: DepartmentId | None = None
    photo: str = ""
    skills: tuple[ShortText, ...] = ()
    permissions: tuple[StaffPermission, ...] = ()


class Shift(Strict, frozen=True, kw_only=True):
    """Who is planned at which window when (排班). A clerk may take over a window of their shift from
    the one before as soon as it is idle."""

    staff: StaffId
    window: WindowId
    weekdays: tuple[Weekday, ...] = ALL_WEEK
    periods: tuple[Period, ...]


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
    calendar: HallCalendar = HallCalendar()
    rules: CallingRules = CallingRules()
    shifts: tuple[Shift, ...] = ()
    ticket_templates: tuple[TicketTemplate, ...] = ()
    kiosk_templates: tuple[KioskTemplate, ...] = ()


_WITH_IDS = ("departments", "queues", "items", "windows", "staff", "devices")


def config_faults(config: HallConfig) -> list[Fault]:
    """Every broken reference, doubled id and impossible hour in ``config``; empty when sound."""
    known = {part: {one.id for one in getattr(config, part)} for part in _WITH_IDS}
    faults: list[Fault] = []
    for part in _WITH_IDS:
        ids = [one.id for one in getattr(config, part)]
        faults += [Fault("fault.twice", part, name=one, what=one) for one in doubled(ids)]
    faults += _said_twice(config)
    faults += _untranslated(config)
    faults += _reference_faults(config, known)
    faults += calendar_faults(config.calendar)
    faults += rules_faults(config.rules, known["queues"])
    for queue in config.queues:
        at = Fault("", "queues", queue.id, queue.name, name_en=queue.name_en)
        faults += period_faults(at, queue.hours)
        faults += period_faults(at, tuple(one.period for one in queue.caps))
    for shift in config.shifts:
        faults += period_faults(_of_shift(config, shift), shift.periods)
    faults += layouts_faults(config.layouts, config.board_layouts, layouts_reach(config))
    faults += _speaker_faults(config)
    return faults + _template_faults(config, known)


def _said_twice(config: HallConfig) -> list[Fault]:
    """What people tell things apart by: the letter of a queue, the number of a clerk or window."""
    letters = doubled(one.prefix for one in config.queues)
    clerks = doubled(one.number for one in config.staff)
    windows = doubled(one.number for one in config.windows)
    return [
        *(
            Fault("fault.prefix_twice", "queues", one.id, one.name, one.prefix, name_en=one.name_en)
            for one in config.queues
            if one.prefix in letters
        ),
        *(
            Fault("fault.number_twice", "staff", one.id, one.name, one.number)
            for one in config.staff
            if one.number in clerks
        ),
        *(
            Fault(
                "fault.window_twice", "windows", one.id, one.name, one.number, name_en=one.name_en
            )
            for one in config.windows
            if one.number in windows
        ),
    ]


def _untranslated(config: HallConfig) -> list[Fault]:
    """English papers that would stand beside other Chinese ones."""
    return [
        Fault(
            "fault.papers_uneven",
            "items",
            one.id,
            one.name,
            f"{len(one.materials)} : {len(one.materials_en)}",
            name_en=one.name_en,
        )
        for one in config.items
        if one.materials_en and len(one.materials_en) != len(one.materials)
    ]


def layouts_reach(config: HallConfig) -> Known:
    """What board layouts of this hall may refer to."""
    return Known(
        areas=frozenset(one.area for one in config.windows if one.area),
        windows=frozenset(one.id for one in config.windows),
        departments=frozenset(one.id for one in config.departments),
    )


def _template_faults(config: HallConfig, known: dict[str, set[str]]) -> list[Fault]:
    reach = TemplateReach(
        departments=frozenset(known["departments"]),
        items=frozenset(known["items"]),
        groups=frozenset(one.group for one in config.items if one.group),
    )
    return templates_faults(config.ticket_templates, config.kiosk_templates, reach)


def _reference_faults(config: HallConfig, known: dict[str, set[str]]) -> list[Fault]:
    wanted: list[tuple[Fault, str, str | None]] = []
    for item in config.items:
        at = Fault("", "items", item.id, item.name, name_en=item.name_en)
        wanted += [(at, "departments", item.department), (at, "queues", item.queue)]
    for window in config.windows:
        at = Fault("", "windows", window.id, window.name, name_en=window.name_en)
        wanted += [(at, "queues", one) for one in window.queues]
        wanted.append((at, "departments", window.department))
    for device in config.devices:
        at = Fault("", "devices", device.id, device.name, name_en=device.name_en)
        wanted += [(at, "devices", device.parent), (at, "windows", device.window)]
    for shift in config.shifts:
        at = _of_shift(config, shift)
        wanted += [(at, "staff", shift.staff), (at, "windows", shift.window)]
    return [
        at._replace(code=_NO_SUCH[kind], what=one)
        for at, kind, one in wanted
        if one is not None and one not in known[kind]
    ]


def _speaker_faults(config: HallConfig) -> list[Fault]:
    """Loudspeakers that say the calls of something that is not there, or are not there themselves."""
    known = {one.id: one for one in config.devices if one.kind is DeviceKind.SPEAKER}
    reach = layouts_reach(config)
    faults: list[Fault] = []
    for device, scope in config.announcements.speakers.items():
        if device not in known:
            faults.append(Fault("fault.no_device", "announcements", what=device))
            continue
        at = Fault(
            "", "devices", device, known[device].name, name_en=known[device].name_en or device
        )
        faults += scope_faults(at, scope, reach)
    return faults


def _of_shift(config: HallConfig, shift: Shift) -> Fault:
    names = [one.name for one in config.staff if one.id == shift.staff]
    return Fault("", "shifts", shift.staff, *names[:1])


_NO_SUCH = {
    "departments": "fault.no_department",
    "queues": "fault.no_queue",
    "windows": "fault.no_window",
    "devices": "fault.no_device",
    "staff": "fault.no_staff",
}
