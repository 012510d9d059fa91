"""The state of one hall: what the log says so far. Only :func:`hallserver.engine.evolve.evolve` changes it.

The structs are mutable for speed (a hall applies thousands of events a second); nothing outside
``evolve`` may write to them. The whole state is plain data, so a snapshot is its JSON.
"""

import msgspec

from hallserver.engine.forecast.learned import Learned
from qingting.contract.acts import ActId, Action, DeviceHands, ProfileBundle
from qingting.contract.bookings import Booking
from qingting.contract.config import Department, HallConfig, Item, Queue, Staff, Window
from qingting.contract.events import Forecast, Interval
from qingting.contract.face_check import FaceCheck
from qingting.contract.ids import (
    BookingId,
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
from qingting.contract.releases import ReleaseFacts
from qingting.contract.rules import ORDINARY, CallingRules, PriorityClass
from qingting.contract.states import (
    ActOutcome,
    AddressClass,
    BookingState,
    Condition,
    DeviceKind,
    DeviceState,
    Language,
    Origin,
    PrintState,
    RatingLevel,
    StaffPermission,
    StaffRole,
    TicketState,
    TurnedAway,
    WindowState,
)

STATE_SCHEMA = 9
"""Raised when a snapshot of an older program can no longer be read; the log is then replayed."""


TAKEN_KEPT = 8
"""Tickets that a kiosk's screen can still show after they were taken there."""


RECENT_CALLS = 48
"""Calls of a window that the rules can look back on: a ratio of 9 to 9 needs 17 of its two classes, among
which others may have been called."""


class Case(msgspec.Struct, kw_only=True):
    """One item served under a ticket (办件): what a rating is about."""

    number: str
    item: ItemId
    department: DepartmentId
    window: WindowId
    staff: StaffId
    begun_at: Millis
    finished_at: Millis
    rated: bool = False
    closed: bool = False
    """Known to stay without a rating, unless one comes later by another way."""


class Errand(msgspec.Struct, kw_only=True):
    """What a visitor came from when a clerk sent them elsewhere and wants them back."""

    line: str
    item: ItemId
    queue: QueueId
    department: DepartmentId


class Ticket(msgspec.Struct, kw_only=True):
    """One ticket (号票) of today. ``since`` is when its present state began.

    ``queue``, ``item`` and ``department`` are the present ones: transfer and the next item of a chain
    change them; ``todo`` are the items still to come. ``line``, ``place_at`` and ``priority`` say where
    it stands while it waits. ``order`` counts the tickets of the day.
    """

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
    order: int = 0
    line: str = ""
    place_at: Millis = 0
    priority: str = ORDINARY
    todo: list[ItemId] = msgspec.field(default_factory=list)
    party: int = 1
    booking: BookingId | None = None
    late: bool = False
    origin: Origin = Origin.KIOSK
    waiver: str = ""
    elder: bool = False
    """Taken in the elder version of the kiosk (长辈版): called slowly."""
    print_state: PrintState = PrintState.PENDING
    print_cause: Condition | None = None
    printed: bool = False
    """Paper came out at some attempt; a later one may have failed."""
    attempt: int = 0
    print_device: DeviceId | None = None
    print_asked_at: Millis = 0
    window: WindowId | None = None
    """Where it is or was last."""
    staff: StaffId | None = None
    called_at: Millis = 0
    last_call_at: Millis = 0
    calls: int = 0
    reason: str = ""
    why: dict[str, str | int] = msgspec.field(default_factory=dict)
    begun_at: Millis = 0
    finished_at: Millis = 0
    cases: list[Case] = msgspec.field(default_factory=list)
    misses: int = 0
    """How often it was called in vain."""
    park_reason: str = ""
    park_until: Millis | None = None
    park_mine: bool = False
    back: list[Errand] = msgspec.field(default_factory=list)
    """Where it returns after the item is done ("come back to me"), innermost last."""
    home: str = ""
    """The line out of which it was called last."""
    note: str = ""
    """From the clerk who transferred it to the next one."""
    returned: str = ""
    """Why it stands in line again (:class:`qingting.contract.states.ReturnCause`), until it is called."""
    forecast: Forecast | None = None
    """What was forecast for its first call, until it is scored or something else moves the ticket."""
    cancelled: str = ""
    """Why the ticket was cancelled, as in :class:`qingting.contract.events.TicketCancelled`."""
    face_check: FaceCheck | None = None
    """What comparing face and card came to; None: no item of it asks for that."""

    @property
    def case(self) -> str:
        """Number of the latest case; empty before the first."""
        return self.cases[-1].number if self.cases else ""

    @property
    def rated(self) -> bool:
        """The latest case has a rating."""
        return bool(self.cases) and self.cases[-1].rated

    def case_by(self, number: str) -> Case | None:
        """The case of that number; the latest for an empty one."""
        if not number:
            return self.cases[-1] if self.cases else None
        return next((one for one in self.cases if one.number == number), None)


class Tally(msgspec.Struct, kw_only=True):
    """Today's figures of a window."""

    served: int = 0
    no_show: int = 0
    serving_ms: int = 0
    ratings: int = 0
    bad_ratings: int = 0
    not_rated: int = 0


class WindowLife(msgspec.Struct, kw_only=True):
    """A window (窗口) today. ``to_rate`` is the ticket whose case ``to_rate_case`` its rating pad asks
    about. ``lent`` are queues it serves besides its own until ``lent_until``. ``recent`` are the classes
    of its last calls, newest last. ``since`` is when its state began."""

    id: WindowId
    state: WindowState = WindowState.CLOSED
    since: Millis = 0
    staff: StaffId | None = None
    reason: str = ""
    ticket: TicketId | None = None
    to_rate: TicketId | None = None
    to_rate_case: str = ""
    lent: tuple[QueueId, ...] = ()
    lent_until: Millis = 0
    recent: list[str] = msgspec.field(default_factory=list)
    idle_since: Millis = 0
    """When the last visitor left; 0 before the first."""
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


class Knocks(msgspec.Struct, kw_only=True):
    """Somebody who claimed to be ``device`` was turned away ``count`` times from ``first`` to ``last``."""

    device: DeviceId
    why: TurnedAway
    origin: AddressClass
    by: DeviceId | None = None
    count: int = 0
    first: Millis = 0
    last: Millis = 0


class ActLife(msgspec.Struct, kw_only=True):
    """An act of remote hands (处置). ``job`` is the print job of a reprint, ``by`` the actor of its command."""

    id: ActId
    device: DeviceId
    action: Action
    asked_at: Millis
    until: Millis
    by: str
    asked_by: str = ""
    job: tuple[TicketId, int] | None = None
    outcome: ActOutcome | None = None
    code: str = ""
    figures: dict[str, int] = msgspec.field(default_factory=dict)
    note: str = ""
    ended_at: Millis = 0


class ReleaseLife(msgspec.Struct, kw_only=True):
    """A release that the city told of. ``kept``: it is here and whole; ``code`` says why it is not."""

    facts: ReleaseFacts
    kept: bool = False
    code: str = ""


class Served(msgspec.Struct, kw_only=True):
    """Serving times measured today for one item: how many and their sum in milliseconds."""

    count: int = 0
    total_ms: int = 0


Span = tuple[Millis, Millis]
"""From and to (UTC ms), end exclusive."""


class Planned(msgspec.Struct, frozen=True):
    """A clerk's time at a window today, from a shift."""

    start: Millis
    end: Millis
    staff: StaffId


class DayPlan(msgspec.Struct, kw_only=True):
    """What is planned for today, made ready once a day and after each change of the configuration.

    ``hours`` are the opening hours, breaks between them; None when the hall sets none. ``roster`` is the
    shifts by window, in order. ``joined`` are the windows that a queue's waiting depends on: those that
    serve it, those that serve what they serve, and so on; ``linked`` are the queues of those windows.
    ``items`` are the items of each queue.
    """

    hours: list[Span] | None = None
    roster: dict[WindowId, list[Planned]] = {}
    joined: dict[QueueId, list[WindowId]] = {}
    linked: dict[QueueId, list[QueueId]] = {}
    items: dict[QueueId, list[ItemId]] = {}


class ClerkDay(msgspec.Struct, kw_only=True):
    """What one clerk did today (个人数据). ``hours`` counts finished items by the hour of the hall's
    clock, ``levels`` the ratings by level."""

    hours: dict[int, int] = msgspec.field(default_factory=dict)
    items: dict[ItemId, Served] = msgspec.field(default_factory=dict)
    levels: dict[RatingLevel, int] = msgspec.field(default_factory=dict)
    no_show: int = 0
    not_rated: int = 0


class BookingLife(msgspec.Struct, kw_only=True):
    """A booking (预约) that this hall knows of."""

    booking: Booking
    state: BookingState = BookingState.DUE
    ticket: TicketId | None = None


class Lease(msgspec.Struct, kw_only=True):
    """Numbers of a queue set aside for one kiosk: serials ``first`` to ``last``; ``used`` were given."""

    device: DeviceId
    queue: QueueId
    first: int
    last: int
    used: list[int] = msgspec.field(default_factory=list)


class Board(msgspec.Struct, kw_only=True):
    """One line of the display board: a ticket's latest call."""

    ticket: TicketId
    window: WindowId
    call_no: int
    called_at: Millis


def classes_of(rules: CallingRules) -> dict[str, PriorityClass]:
    return {one.id: one for one in rules.classes}


class Call(msgspec.Struct, kw_only=True):
    """The calls of one ticket: their numbers, rising, when each was made, and the highest number that each
    board or loudspeaker has said. ``unsaid`` counts how often one broke off at the latest number, the last time at
    ``unsaid_at``."""

    ticket: TicketId
    window: WindowId
    numbers: list[int] = msgspec.field(default_factory=list)
    at: list[Millis] = msgspec.field(default_factory=list)
    said: dict[DeviceId, int] = msgspec.field(default_factory=dict)
    unsaid: dict[DeviceId, int] = msgspec.field(default_factory=dict)
    unsaid_at: Millis = 0


class HallState(msgspec.Struct, kw_only=True):
    """Everything about a hall. ``lines`` holds who waits: by line, by class, in the order of place
    (:mod:`hallserver.engine.lines`)."""

    seq: int = 0
    at: Millis = 0
    day: BusinessDay | None = None
    config: HallConfig | None = None
    departments: dict[DepartmentId, Department] = msgspec.field(default_factory=dict)
    queues: dict[QueueId, Queue] = msgspec.field(default_factory=dict)
    items: dict[ItemId, Item] = msgspec.field(default_factory=dict)
    window_config: dict[WindowId, Window] = msgspec.field(default_factory=dict)
    staff: dict[StaffId, Staff] = msgspec.field(default_factory=dict)
    rules: CallingRules = msgspec.field(default_factory=CallingRules)
    classes: dict[str, PriorityClass] = msgspec.field(
        default_factory=lambda: classes_of(CallingRules())
    )
    tickets: dict[TicketId, Ticket] = msgspec.field(default_factory=dict)
    tokens: dict[str, TicketId] = msgspec.field(default_factory=dict)
    taken_at: dict[DeviceId, list[TicketId]] = msgspec.field(default_factory=dict)
    """The latest tickets of each kiosk, at most :data:`TAKEN_KEPT`, newest last."""
    serials: dict[QueueId, int] = msgspec.field(default_factory=dict)
    issued: dict[str, int] = msgspec.field(default_factory=dict)
    """Tickets given today by ``queue:<id>``, ``queue:<id>@<start of a capped period>`` and ``item:<id>``."""
    lines: dict[str, dict[str, list[TicketId]]] = msgspec.field(default_factory=dict)
    parked: list[TicketId] = msgspec.field(default_factory=list)
    missed: list[TicketId] = msgspec.field(default_factory=list)
    """Called in vain and neither back nor gone, in that order."""
    people: dict[str, list[TicketId]] = msgspec.field(default_factory=dict)
    """Today's tickets by blind index of the certificate."""
    bookings: dict[BookingId, BookingLife] = msgspec.field(default_factory=dict)
    booking_codes: dict[str, BookingId] = msgspec.field(default_factory=dict)
    leases: list[Lease] = msgspec.field(default_factory=list)
    windows: dict[WindowId, WindowLife] = msgspec.field(default_factory=dict)
    devices: dict[DeviceId, DeviceLife] = msgspec.field(default_factory=dict)
    children: dict[DeviceId, list[DeviceId]] = msgspec.field(default_factory=dict)
    """Devices by parent, so that a kiosk's view does not look at every pad of the hall."""
    served: dict[ItemId, Served] = msgspec.field(default_factory=dict)
    clerks: dict[StaffId, ClerkDay] = msgspec.field(default_factory=dict)
    plan: DayPlan = msgspec.field(default_factory=DayPlan)
    learned: Learned = msgspec.field(default_factory=Learned)
    """What forecasts rest on; it goes on from day to day."""
    due: dict[BookingId, Millis] = msgspec.field(default_factory=dict)
    """Bookings of today whose visitor has not come yet, with their time."""
    board: list[Board] = msgspec.field(default_factory=list)
    call_no: int = 0
    calls: dict[TicketId, Call] = msgspec.field(default_factory=dict)
    """Calls of the last quarter of an hour by ticket, the latest last."""
    acts: dict[ActId, ActLife] = msgspec.field(default_factory=dict)
    """Open acts and the latest ended ones, in the order of asking."""
    hands: dict[DeviceId, DeviceHands] = msgspec.field(default_factory=dict)
    """What remote hands have set, by device."""
    bundles: dict[str, ProfileBundle] = msgspec.field(default_factory=dict)
    releases: dict[str, ReleaseLife] = msgspec.field(default_factory=dict)
    """Releases that the city told of: those in use and the latest ones."""
    help: dict[DeviceId, Millis] = msgspec.field(default_factory=dict)
    turned_away: dict[str, Knocks] = msgspec.field(default_factory=dict)
    """Who was refused at the door and is not settled, by reason and device; unknown ids are one entry."""
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


def permissions_of(staff: Staff) -> tuple[StaffPermission, ...]:
    """What somebody may do beyond calling the next visitor; managers everything."""
    return tuple(StaffPermission) if staff.role is StaffRole.MANAGER else staff.permissions


def queues_of(state: HallState, window: WindowId, now: Millis) -> tuple[QueueId, ...]:
    """The queues from which a window calls now, its own first and then those it is lent to."""
    own = state.window_config[window].queues
    life = state.windows[window]
    if life.lent and now < life.lent_until:
        return (*own, *(one for one in life.lent if one not in own))
    return own
