"""What happened in a hall. The log of these is the hall; everything else can be rebuilt from it.

A stored event is the exact JSON of :class:`Event`; its hash chain covers those bytes.
"""

import msgspec

from qingting.contract.acts import ActCode, ActId, Action, ProfileBundle
from qingting.contract.base import Record
from qingting.contract.bookings import Booking
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.events_sound import CallAnnounced as CallAnnounced
from qingting.contract.events_sound import CallUnsaid as CallUnsaid
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
from qingting.contract.releases import ReleaseFacts, ReleaseId
from qingting.contract.rules import ORDINARY
from qingting.contract.states import (
    ActOutcome,
    AddressClass,
    Condition,
    DeviceKind,
    DeviceState,
    Language,
    NotRatedReason,
    Origin,
    PrintOutcome,
    RatingChannel,
    RatingLevel,
    ReturnCause,
    TurnedAway,
    WaitBasis,
)


class Interval(Record, frozen=True, kw_only=True):
    """Expected waiting in minutes, P50 to P90; both small and ``low`` 0: at once. ``beyond``: the P90 lies
    after closing, so it may not come to a call today."""

    low: int
    high: int
    basis: WaitBasis = WaitBasis.AVERAGE
    beyond: bool = False


class Forecast(Record, frozen=True, kw_only=True):
    """What was forecast for a ticket, in seconds, whatever was told: P50 and P90 of the simulation, and
    people ahead × average ÷ windows. Its scores follow from it."""

    p50: int
    p90: int
    rule: int


class Placing(Record, frozen=True, kw_only=True):
    """Where somebody stands: ``line`` is a queue, ``@w:<window>`` or ``@s:<staff>``; ``at`` is the
    instant that orders them within their class there (UTC ms), ``priority`` the class."""

    line: str
    at: Millis
    priority: str = ORDINARY


class Onward(Record, frozen=True, kw_only=True):
    """The next item of a ticket (一号多事) and where it waits for it."""

    item: ItemId
    queue: QueueId
    department: DepartmentId
    placing: Placing


class DayOpened(Record, frozen=True, kw_only=True, tag="day.opened", tag_field="k"):
    """First thing of a business day: numbers start again."""

    day: BusinessDay


class DayClosed(Record, frozen=True, kw_only=True, tag="day.closed", tag_field="k"):
    day: BusinessDay


class ConfigApplied(Record, frozen=True, kw_only=True, tag="config.applied", tag_field="k"):
    config: HallConfig


class ConfigEdited(Record, frozen=True, kw_only=True, tag="config.edited", tag_field="k"):
    """One part of the configuration was replaced; the whole is version ``version`` from now on."""

    version: int
    part: ConfigPart


class TicketIssued(Record, frozen=True, kw_only=True, tag="ticket.issued", tag_field="k"):
    """A ticket exists and waits. ``serial`` is its number within queue and day, ``number`` as printed.

    ``ahead`` counts the people before it in its queue; ``wait`` is what was told, None when nobody can
    say, and ``forecast`` what is scored.
    ``placing`` None means last in the ordinary class of its queue. ``late``: a booked visitor who came
    too late for the booked place. ``taken_at`` is set when a kiosk gave the number while cut off.
    ``face_check`` is set when one of its items asks for one.
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
    more: tuple[ItemId, ...] = ()
    party: int = 1
    placing: Placing | None = None
    booking: BookingId | None = None
    late: bool = False
    origin: Origin = Origin.KIOSK
    waiver: str = ""
    elder: bool = False
    taken_at: Millis | None = None
    forecast: Forecast | None = None
    face_check: FaceCheck | None = None


class PrintRequested(Record, frozen=True, kw_only=True, tag="print.requested", tag_field="k"):
    ticket: TicketId
    device: DeviceId
    attempt: int


class PrintReported(Record, frozen=True, kw_only=True, tag="print.reported", tag_field="k"):
    ticket: TicketId
    attempt: int
    outcome: PrintOutcome
    cause: Condition | None = None
    mm: int = 0


class TicketCalled(Record, frozen=True, kw_only=True, tag="ticket.called", tag_field="k"):
    """``reason`` says in one line why this ticket was next, as a code; ``why`` holds its parameters."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    reason: str = "longest_waiting"
    why: dict[str, str | int] = msgspec.field(default_factory=dict)


class TicketRecalled(Record, frozen=True, kw_only=True, tag="ticket.recalled", tag_field="k"):
    ticket: TicketId
    window: WindowId
    calls: int


class ServiceBegun(Record, frozen=True, kw_only=True, tag="service.begun", tag_field="k"):
    ticket: TicketId
    window: WindowId
    staff: StaffId


class ServiceFinished(Record, frozen=True, kw_only=True, tag="service.finished", tag_field="k"):
    """``case`` is the number under which this visit is rated (办件编号). ``back`` is what the visitor was sent
    here from and returns to; ``onward`` is the ticket's next item. With neither the ticket is done."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    case: str
    onward: Onward | None = None
    back: Onward | None = None


class TicketNoShow(Record, frozen=True, kw_only=True, tag="ticket.no_show", tag_field="k"):
    ticket: TicketId
    window: WindowId
    staff: StaffId


class TicketParked(Record, frozen=True, kw_only=True, tag="ticket.parked", tag_field="k"):
    """``until`` None: until somebody says so. ``mine``: it comes back to this window."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    reason: str = ""
    until: Millis | None = None
    mine: bool = True


class TicketReturned(Record, frozen=True, kw_only=True, tag="ticket.returned", tag_field="k"):
    """Stands in a line again, ``cause`` says why."""

    ticket: TicketId
    cause: ReturnCause
    placing: Placing


class TicketTransferred(Record, frozen=True, kw_only=True, tag="ticket.transferred", tag_field="k"):
    """Left ``window`` for another line under the same number. ``back`` is where it returns afterwards."""

    ticket: TicketId
    window: WindowId
    staff: StaffId
    item: ItemId
    queue: QueueId
    department: DepartmentId
    placing: Placing
    back: str = ""
    note: str = ""


class TicketHandedBack(Record, frozen=True, kw_only=True, tag="ticket.handed_back", tag_field="k"):
    ticket: TicketId
    window: WindowId
    staff: StaffId
    placing: Placing


class PrioritySet(Record, frozen=True, kw_only=True, tag="ticket.priority", tag_field="k"):
    ticket: TicketId
    placing: Placing
    reason: str = ""


class ItemAdded(Record, frozen=True, kw_only=True, tag="ticket.item_added", tag_field="k"):
    ticket: TicketId
    item: ItemId


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


class WindowLent(Record, frozen=True, kw_only=True, tag="window.lent", tag_field="k"):
    """``queues`` empty: the loan is over."""

    window: WindowId
    queues: tuple[QueueId, ...]
    until: Millis


class NumbersLeased(Record, frozen=True, kw_only=True, tag="lease.taken", tag_field="k"):
    """Serials ``first`` to ``last`` of a queue are the kiosk's alone for this day."""

    device: DeviceId
    queue: QueueId
    first: int
    last: int


class BookingPut(Record, frozen=True, kw_only=True, tag="booking.put", tag_field="k"):
    booking: Booking


class BookingDropped(Record, frozen=True, kw_only=True, tag="booking.dropped", tag_field="k"):
    booking: BookingId


class BookingMissed(Record, frozen=True, kw_only=True, tag="booking.missed", tag_field="k"):
    """The day ended and nobody came (爽约)."""

    booking: BookingId


class PersonForgotten(Record, frozen=True, kw_only=True, tag="person.forgotten", tag_field="k"):
    """A citizen asked to be erased: from here on nobody with this blind index stands on a ticket or on a booking
    that is over. What the log said before stays sealed in it, as its chain proves the past."""

    index: str


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


class DeviceRefused(Record, frozen=True, kw_only=True, tag="device.refused", tag_field="k"):
    """Somebody who claimed to be ``device`` was turned away, ``count`` times since the last such event.

    At most one event in ten minutes by device and reason; all unknown ids count as one, and ``device`` is
    then the first of them. ``by`` is the device whose key it was, where that is known (``spoofed_id``).
    """

    device: DeviceId
    why: TurnedAway
    origin: AddressClass
    count: int = 1
    by: DeviceId | None = None


class DeviceKeyed(Record, frozen=True, kw_only=True, tag="device.keyed", tag_field="k"):
    """A device was paired anew, or (``revoked``) its key was taken away: refusals before this are settled."""

    device: DeviceId
    revoked: bool = False


class DeviceActAsked(Record, frozen=True, kw_only=True, tag="device.act_asked", tag_field="k"):
    """Somebody has asked a device to do something (:mod:`qingting.contract.acts`). ``ticket`` and ``attempt``
    are the print job of a reprint."""

    act: ActId
    device: DeviceId
    action: Action
    until: Millis
    asked_by: str = ""
    ticket: TicketId | None = None
    attempt: int = 0


class DeviceActEnded(Record, frozen=True, kw_only=True, tag="device.act_ended", tag_field="k"):
    """What became of it. ``code`` is an error code, ``figures`` and ``note`` are small and name nobody."""

    act: ActId
    device: DeviceId
    outcome: ActOutcome
    code: str = ""
    figures: dict[str, int] = msgspec.field(default_factory=dict)
    note: str = ""


class ReleasePut(Record, frozen=True, kw_only=True, tag="release.put", tag_field="k"):
    """The city told of a release for the hall's screens."""

    release: ReleaseFacts


class ReleaseKept(Record, frozen=True, kw_only=True, tag="release.kept", tag_field="k"):
    """The hall has fetched a release and found it whole; ``code`` says why it has not."""

    release: ReleaseId
    code: ActCode = ""


class ProfilesPut(Record, frozen=True, kw_only=True, tag="profiles.put", tag_field="k"):
    """Device models have come from the city; agents use them when they are told to."""

    bundle: ProfileBundle


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
    params: dict[str, str | int] = msgspec.field(default_factory=dict)
    """For the sentence of ``code``; halls of an earlier release tell none."""


EventBody = (
    DayOpened
    | DayClosed
    | ConfigApplied
    | ConfigEdited
    | TicketIssued
    | PrintRequested
    | PrintReported
    | TicketCalled
    | TicketRecalled
    | CallAnnounced
    | CallUnsaid
    | ServiceBegun
    | ServiceFinished
    | TicketNoShow
    | TicketParked
    | TicketReturned
    | TicketTransferred
    | TicketHandedBack
    | PrioritySet
    | ItemAdded
    | TicketCancelled
    | RatingGiven
    | RatingNotGiven
    | WindowOpened
    | WindowPaused
    | WindowClosed
    | WindowLent
    | NumbersLeased
    | BookingPut
    | BookingDropped
    | BookingMissed
    | PersonForgotten
    | DeviceRegistered
    | DeviceChanged
    | DeviceRefused
    | DeviceKeyed
    | DeviceActAsked
    | DeviceActEnded
    | ProfilesPut
    | ReleasePut
    | ReleaseKept
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
