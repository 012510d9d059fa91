"""The state of one hall: what the log says so far. Only :func:`hallserver.engine.evolve.evolve` changes it.

The structs are mutable for speed (a hall applies thousands of events a second); nothing outside
``evolve`` may write to them. The whole state is plain data, so a snapshot is its JSON.
"""

import msgspec

from qingting.contract.config import Department, HallConfig, Item, Queue, Staff, Window
from qingting.contract.events import Interval
from qingting.contract.ids import (
    BusinessDay,
    CommandKey,
    DepartmentId,
    DeviceId,
    ItemId,
    Millis,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.people import Person
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    Language,
    PrintState,
    TicketState,
    WindowState,
)

STATE_SCHEMA = 4
"""Raised when a snapshot of an older program can no longer be read; the log is then replayed."""


TAKEN_KEPT = 8
"""Tickets that a kiosk's screen can still show after they were taken there."""


class Ticket(msgspec.Struct, kw_only=True):
    """One ticket (号票) of today. ``since`` is when its present state began."""

    id: TicketId
    number: str
    serial: int
    queue: QueueId
    item: ItemId
    department: DepartmentId
    token: str
    state: TicketState
    issued_at: Millis
    since: Millis
    ahead: int
    wait: Interval | None
    person: Person | None
    device: DeviceId | None
    language: Language
    print_state: PrintState = PrintState.PENDING
    print_cause: Condition | None = None
    attempt: int = 0
    print_device: DeviceId | None = None
    print_asked_at: Millis = 0
    window: WindowId | None = None
    staff: StaffId | None = None
    called_at: Millis = 0
    last_call_at: Millis = 0
    calls: int = 0
    reason: str = ""
    begun_at: Millis = 0
    finished_at: Millis = 0
    case: str = ""
    rated: bool = False
    rating_closed: bool = False
    cancelled: str = ""
    """Why a cancelled ticket was: ``left`` or ``day_end``."""


class Tally(msgspec.Struct, kw_only=True):
    """Today's figures of a window."""

    served: int = 0
    no_show: int = 0
    serving_ms: int = 0
    ratings: int = 0
    bad_ratings: int = 0
    not_rated: int = 0


class WindowLife(msgspec.Struct, kw_only=True):
    """A window (窗口) today. ``to_rate`` is the visit its rating pad asks about."""

    id: WindowId
    state: WindowState = WindowState.CLOSED
    staff: StaffId | None = None
    reason: str = ""
    ticket: TicketId | None = None
    to_rate: TicketId | None = None
    tally: Tally = msgspec.field(default_factory=Tally)


class DeviceLife(msgspec.Struct, kw_only=True):
    """A device (设备) with its present conditions; each maps to the instant it began."""

    id: DeviceId
    kind: DeviceKind
    name: str
    name_en: str = ""
    parent: DeviceId | None = None
    window: WindowId | None = None
    state: DeviceState = DeviceState.ABSENT
    conditions: dict[Condition, Millis] = msgspec.field(default_factory=dict)
    since: Millis = 0
    detail: str = ""


class Served(msgspec.Struct, kw_only=True):
    """Serving times measured today for one item: how many and their sum in milliseconds."""

    count: int = 0
    total_ms: int = 0


class Board(msgspec.Struct, kw_only=True):
    """One line of the display board: a ticket's latest call."""

    ticket: TicketId
    window: WindowId
    call_no: int
    called_at: Millis


class HallState(msgspec.Struct, kw_only=True):
    """Everything about a hall. ``waiting`` keeps the order of arrival within each queue."""

    seq: int = 0
    at: Millis = 0
    day: BusinessDay | None = None
    config: HallConfig | None = None
    departments: dict[DepartmentId, Department] = msgspec.field(default_factory=dict)
    queues: dict[QueueId, Queue] = msgspec.field(default_factory=dict)
    items: dict[ItemId, Item] = msgspec.field(default_factory=dict)
    window_config: dict[WindowId, Window] = msgspec.field(default_factory=dict)
    staff: dict[StaffId, Staff] = msgspec.field(default_factory=dict)
    tickets: dict[TicketId, Ticket] = msgspec.field(default_factory=dict)
    tokens: dict[str, TicketId] = msgspec.field(default_factory=dict)
    taken_at: dict[DeviceId, list[TicketId]] = msgspec.field(default_factory=dict)
    """The latest tickets of each kiosk, at most :data:`TAKEN_KEPT`, newest last."""
    serials: dict[QueueId, int] = msgspec.field(default_factory=dict)
    waiting: dict[QueueId, dict[TicketId, Millis]] = msgspec.field(default_factory=dict)
    windows: dict[WindowId, WindowLife] = msgspec.field(default_factory=dict)
    devices: dict[DeviceId, DeviceLife] = msgspec.field(default_factory=dict)
    children: dict[DeviceId, list[DeviceId]] = msgspec.field(default_factory=dict)
    """Devices by parent, so that a kiosk's view does not look at every pad of the hall."""
    served: dict[ItemId, Served] = msgspec.field(default_factory=dict)
    board: list[Board] = msgspec.field(default_factory=list)
    call_no: int = 0
    help: dict[DeviceId, Millis] = msgspec.field(default_factory=dict)
    notice: str = ""
    notice_en: str = ""
    directive_no: int = 0
    last_command: CommandKey | None = None


def new_state() -> HallState:
    """A hall before its first event."""
    return HallState()


def children_of(state: HallState, parent: DeviceId) -> list[DeviceLife]:
    """What belongs to a kiosk or agent, in the order of registration."""
    return [state.devices[one] for one in state.children.get(parent, ())]


def staff_name(state: HallState, life: WindowLife) -> str:
    """Who is at a window; empty when nobody is."""
    staff = state.staff.get(life.staff) if life.staff is not None else None
    return staff.name if staff is not None else ""
