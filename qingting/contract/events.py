"""What happened in a hall. The log of these is the hall; everything else can be rebuilt from it.

A stored event is the exact JSON of :class:`Event`; its hash chain covers those bytes.
"""

from qingting.contract.base import Record
from qingting.contract.config import HallConfig
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
    NotRatedReason,
    PrintOutcome,
    RatingChannel,
    RatingLevel,
)


class Interval(Record):
    """Expected waiting in minutes, P50 to P90."""

    low: int
    high: int


class DayOpened(Record, tag="day.opened", tag_field="k"):
    """First thing of a business day: numbers start again."""

    day: BusinessDay


class DayClosed(Record, tag="day.closed", tag_field="k"):
    day: BusinessDay


class ConfigApplied(Record, tag="config.applied", tag_field="k"):
    config: HallConfig


class TicketIssued(Record, tag="ticket.issued", tag_field="k"):
    """A ticket exists and waits. ``serial`` is its number within queue and day, ``number`` as printed.

    ``ahead`` counts the people before it in its queue; ``wait`` is None when nobody can say.
    """

    ticket: TicketId
    number: str
    serial: int
    day: BusinessDay
    queue: QueueId
    item: ItemId
    department: DepartmentId
    token: str
    ahead: int
    wait: Interval | None = None
    person: Person | None = None
    device: DeviceId | None = None
    language: Language = Language.ZH


class PrintRequested(Record, tag="print.requested", tag_field="k"):
    ticket: TicketId
    device: DeviceId
    attempt: int


class PrintReported(Record, tag="print.reported", tag_field="k"):
    ticket: TicketId
    attempt: int
    outcome: PrintOutcome
    cause: Condition | None = None


class TicketCalled(Record, tag="ticket.called", tag_field="k"):
    """``reason`` says in one line why this ticket was next, as a code with parameters for the clerk."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    reason: str = "longest_waiting"


class TicketRecalled(Record, tag="ticket.recalled", tag_field="k"):
    ticket: TicketId
    window: WindowId
    calls: int


class ServiceBegun(Record, tag="service.begun", tag_field="k"):
    ticket: TicketId
    window: WindowId
    staff: StaffId


class ServiceFinished(Record, tag="service.finished", tag_field="k"):
    """``case`` is the number under which this visit is rated (办件编号)."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    case: str


class TicketNoShow(Record, tag="ticket.no_show", tag_field="k"):
    ticket: TicketId
    window: WindowId
    staff: StaffId


class TicketCancelled(Record, tag="ticket.cancelled", tag_field="k"):
    """``reason``: ``day_end`` or ``left``."""

    ticket: TicketId
    reason: str


class RatingGiven(Record, tag="rating.given", tag_field="k"):
    """One citizen's rating of one visit. ``seconds`` from the finished service to the press."""

    ticket: TicketId
    case: str
    window: WindowId
    staff: StaffId
    item: ItemId
    department: DepartmentId
    level: RatingLevel
    tags: tuple[str, ...]
    words: str
    channel: RatingChannel
    seconds: int


class RatingNotGiven(Record, tag="rating.not_given", tag_field="k"):
    ticket: TicketId
    case: str
    reason: NotRatedReason


class WindowOpened(Record, tag="window.opened", tag_field="k"):
    window: WindowId
    staff: StaffId


class WindowPaused(Record, tag="window.paused", tag_field="k"):
    window: WindowId
    staff: StaffId
    reason: str = ""


class WindowClosed(Record, tag="window.closed", tag_field="k"):
    window: WindowId
    staff: StaffId


class DeviceRegistered(Record, tag="device.registered", tag_field="k"):
    device: DeviceId
    kind: DeviceKind
    name: str
    name_en: str = ""
    parent: DeviceId | None = None
    window: WindowId | None = None


class DeviceChanged(Record, tag="device.changed", tag_field="k"):
    device: DeviceId
    kind: DeviceKind
    state: DeviceState
    conditions: tuple[Condition, ...] = ()
    detail: str = ""


class HelpRequested(Record, tag="help.requested", tag_field="k"):
    device: DeviceId


class HelpAnswered(Record, tag="help.answered", tag_field="k"):
    device: DeviceId


class NoticePut(Record, tag="notice.put", tag_field="k"):
    text: str
    text_en: str = ""


class DirectiveApplied(Record, tag="directive.applied", tag_field="k"):
    no: int


class DirectiveRefused(Record, tag="directive.refused", tag_field="k"):
    no: int
    code: str


EventBody = (
    DayOpened
    | DayClosed
    | ConfigApplied
    | TicketIssued
    | PrintRequested
    | PrintReported
    | TicketCalled
    | TicketRecalled
    | ServiceBegun
    | ServiceFinished
    | TicketNoShow
    | TicketCancelled
    | RatingGiven
    | RatingNotGiven
    | WindowOpened
    | WindowPaused
    | WindowClosed
    | DeviceRegistered
    | DeviceChanged
    | HelpRequested
    | HelpAnswered
    | NoticePut
    | DirectiveApplied
    | DirectiveRefused
)


class Event(Record):
    """One line of the log: ``seq`` is gap-free within its epoch, ``bd`` the hall's business date.

    ``by`` is the actor, ``cmd`` the idempotency key of the command that caused it, ``v`` the version
    of the body's type. Several events of one command share ``cmd`` and ``at``.
    """

    s: int
    at: Millis
    bd: BusinessDay
    by: str
    cmd: CommandKey
    b: EventBody
    v: int = 1
