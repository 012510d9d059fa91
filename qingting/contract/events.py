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


class Interval(Record, frozen=True, kw_only=True):
    """Expected waiting in minutes, P50 to P90."""

    low: int
    high: int


class DayOpened(Record, frozen=True, kw_only=True, tag="day.opened", tag_field="k"):
    """First thing of a business day: numbers start again."""

    day: BusinessDay


class DayClosed(Record, frozen=True, kw_only=True, tag="day.closed", tag_field="k"):
    day: BusinessDay


class ConfigApplied(Record, frozen=True, kw_only=True, tag="config.applied", tag_field="k"):
    config: HallConfig


class TicketIssued(Record, frozen=True, kw_only=True, tag="ticket.issued", tag_field="k"):
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


class PrintRequested(Record, frozen=True, kw_only=True, tag="print.requested", tag_field="k"):
    ticket: TicketId
    device: DeviceId
    attempt: int


class PrintReported(Record, frozen=True, kw_only=True, tag="print.reported", tag_field="k"):
    ticket: TicketId
    attempt: int
    outcome: PrintOutcome
    cause: Condition | None = None


class TicketCalled(Record, frozen=True, kw_only=True, tag="ticket.called", tag_field="k"):
    """``reason`` says in one line why this ticket was next, as a code with parameters for the clerk."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    reason: str = "longest_waiting"


class TicketRecalled(Record, frozen=True, kw_only=True, tag="ticket.recalled", tag_field="k"):
    ticket: TicketId
    window: WindowId
    calls: int


class ServiceBegun(Record, frozen=True, kw_only=True, tag="service.begun", tag_field="k"):
    ticket: TicketId
    window: WindowId
    staff: StaffId


class ServiceFinished(Record, frozen=True, kw_only=True, tag="service.finished", tag_field="k"):
    """``case`` is the number under which this visit is rated (办件编号)."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    case: str


class TicketNoShow(Record, frozen=True, kw_only=True, tag="ticket.no_show", tag_field="k"):
    ticket: TicketId
    window: WindowId
    staff: StaffId


class TicketCancelled(Record, frozen=True, kw_only=True, tag="ticket.cancelled", tag_field="k"):
    """``reason``: ``day_end`` or ``left``."""

    ticket: TicketId
    reason: str


class RatingGiven(Record, frozen=True, kw_only=True, tag="rating.given", tag_field="k"):
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


class RatingNotGiven(Record, frozen=True, kw_only=True, tag="rating.not_given", tag_field="k"):
    ticket: TicketId
    case: str
    reason: NotRatedReason


class WindowOpened(Record, frozen=True, kw_only=True, tag="window.opened", tag_field="k"):
    window: WindowId
    staff: StaffId


class WindowPaused(Record, frozen=True, kw_only=True, tag="window.paused", tag_field="k"):
    window: WindowId
    staff: StaffId
    reason: str = ""


class WindowClosed(Record, frozen=True, kw_only=True, tag="window.closed", tag_field="k"):
    window: WindowId
    staff: StaffId


class DeviceRegistered(Record, frozen=True, kw_only=True, tag="device.registered", tag_field="k"):
    device: DeviceId
    kind: DeviceKind
    name: str
    name_en: str = ""
    parent: DeviceId | None = None
    window: WindowId | None = None


class DeviceChanged(Record, frozen=True, kw_only=True, tag="device.changed", tag_field="k"):
    device: DeviceId
    kind: DeviceKind
    state: DeviceState
    conditions: tuple[Condition, ...] = ()
    detail: str = ""


class HelpRequested(Record, frozen=True, kw_only=True, tag="help.requested", tag_field="k"):
    device: DeviceId


class HelpAnswered(Record, frozen=True, kw_only=True, tag="help.answered", tag_field="k"):
    device: DeviceId


class NoticePut(Record, frozen=True, kw_only=True, tag="notice.put", tag_field="k"):
    text: str
    text_en: str = ""


class DirectiveApplied(Record, frozen=True, kw_only=True, tag="directive.applied", tag_field="k"):
    no: int


class DirectiveRefused(Record, frozen=True, kw_only=True, tag="directive.refused", tag_field="k"):
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


class Event(Record, frozen=True, kw_only=True):
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
