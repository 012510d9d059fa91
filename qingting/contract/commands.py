"""Engine commands: everything that may change a hall, whoever asks.

The hub turns a client's request (``requests.py``) into one of these after authentication; directives
from the city and timers arrive the same way. ``Envelope.key`` is the sender's idempotency key.
"""

from typing import Annotated

import msgspec

from qingting.contract.acts import ActCode, ActId, Action, Figures
from qingting.contract.base import Strict
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.directives import Directive
from qingting.contract.face_check import FaceCheck
from qingting.contract.ids import (
    BookingId,
    CommandKey,
    DeviceId,
    ItemId,
    Millis,
    QueueId,
    ShortText,
    Slug,
    StaffId,
    TicketId,
    WindowId,
    Words,
)
from qingting.contract.people import Person
from qingting.contract.releases import ReleaseId
from qingting.contract.rules import ORDINARY, Place
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
    TurnedAway,
)

MAX_CHAIN = 5
"""Most items of one ticket."""
Party = Annotated[int, msgspec.Meta(ge=1, le=200)]
"""How many people come together."""
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
"""A reason that must be given."""


class IssueTicket(Strict, frozen=True, kw_only=True, tag="ticket.issue", tag_field="type"):
    """Take a number (取号). ``token`` is the opaque text of the QR on the ticket.

    ``more`` are further items served in a chain under the same number. ``priority`` is the class that
    the visitor belongs to or claims. ``booking`` makes it a booked visit: item, people and identity
    are then the booking's. ``waiver`` is the registered reason for which staff let somebody in without
    identity. ``elder``: taken in the elder version of the kiosk. ``taken_at`` is when a kiosk that was cut
    off gave the number ``serial`` of its lease. ``face_check`` is what the kiosk made of face and card.
    """

    item: ItemId
    token: str
    device: DeviceId | None = None
    person: Person | None = None
    language: Language = Language.ZH
    more: Annotated[tuple[ItemId, ...], msgspec.Meta(max_length=MAX_CHAIN - 1)] = ()
    party: Party = 1
    priority: Slug = ORDINARY
    booking: BookingId | None = None
    origin: Origin = Origin.KIOSK
    waiver: ShortText = ""
    elder: bool = False
    serial: int | None = None
    taken_at: Millis | None = None
    face_check: FaceCheck | None = None


class ReportPrint(Strict, frozen=True, kw_only=True, tag="print.report", tag_field="type"):
    """What the printer made of job ``attempt`` of a ticket."""

    ticket: TicketId
    attempt: int
    outcome: PrintOutcome
    cause: Condition | None = None
    mm: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    """Paper that came out, in millimetres."""


class ReprintTicket(Strict, frozen=True, kw_only=True, tag="ticket.reprint", tag_field="type"):
    """Print the same number again (补打). Only a person asks for this."""

    ticket: TicketId
    device: DeviceId


class LeaveQueue(Strict, frozen=True, kw_only=True, tag="ticket.leave", tag_field="type"):
    """The visitor gives up the place while still waiting (退出排队); the number is not given again."""

    ticket: TicketId


class CallNext(Strict, frozen=True, kw_only=True, tag="call.next", tag_field="type"):
    """Call the next visitor to a window (呼叫)."""

    window: WindowId


class Recall(Strict, frozen=True, kw_only=True, tag="call.recall", tag_field="type"):
    """Call the same visitor again (重呼)."""

    window: WindowId


class ReportAnnounced(Strict, frozen=True, kw_only=True, tag="call.said", tag_field="type"):
    """A board has said call ``call_no`` to its end, or flashed it in a quiet span (已播报)."""

    device: DeviceId
    call_no: int


class ReportUnsaid(Strict, frozen=True, kw_only=True, tag="call.unsaid", tag_field="type"):
    """A loudspeaker could not say call ``call_no`` to its end (播报失败); ``cause`` as far as it is known."""

    device: DeviceId
    call_no: int
    cause: Condition | None = None


class BeginService(Strict, frozen=True, kw_only=True, tag="service.begin", tag_field="type"):
    """The visitor is at the window (开始办理)."""

    window: WindowId


class FinishService(Strict, frozen=True, kw_only=True, tag="service.finish", tag_field="type"):
    """The item is done (办结). ``stay``: the ticket's next item goes on at this window at once."""

    window: WindowId
    stay: bool = False


class MarkNoShow(Strict, frozen=True, kw_only=True, tag="call.no_show", tag_field="type"):
    """The visitor did not come (过号)."""

    window: WindowId


class CallTicket(Strict, frozen=True, kw_only=True, tag="call.ticket", tag_field="type"):
    """Call one certain visitor out of turn (点呼); needs a permission and a reason."""

    window: WindowId
    ticket: TicketId
    reason: Reason


class ParkVisit(Strict, frozen=True, kw_only=True, tag="visit.park", tag_field="type"):
    """The visitor goes away for a while (暂离). ``minutes`` later they stand in line again by
    themselves; None: when somebody says so. ``mine``: they come back to this window."""

    window: WindowId
    reason: ShortText = ""
    minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] | None = None
    mine: bool = True


class ResumeVisit(Strict, frozen=True, kw_only=True, tag="visit.resume", tag_field="type"):
    """A parked visitor is back and is called to the window at once."""

    window: WindowId
    ticket: TicketId


class ReturnTicket(Strict, frozen=True, kw_only=True, tag="ticket.return", tag_field="type"):
    """A parked or missed visitor stands in line again; said by the visitor, by staff or by the clock."""

    ticket: TicketId
    by_staff: bool = False


class TransferVisit(Strict, frozen=True, kw_only=True, tag="visit.transfer", tag_field="type"):
    """Send the visitor on with the same number (转号), to exactly one of queue, window and clerk.

    ``item`` names another item when the present one is not what they need. ``back``: after that they
    come back to this window. ``note`` is for the next clerk.
    """

    window: WindowId
    to_queue: QueueId | None = None
    to_window: WindowId | None = None
    to_staff: StaffId | None = None
    item: ItemId | None = None
    place: Place = Place.KEPT
    back: bool = False
    note: ShortText = ""


class HandBack(Strict, frozen=True, kw_only=True, tag="visit.hand_back", tag_field="type"):
    """The called visitor goes back to their place in the line; nobody missed anything (退回队列)."""

    window: WindowId


class SetPriority(Strict, frozen=True, kw_only=True, tag="ticket.priority", tag_field="type"):
    """Put a waiting ticket into another class, e.g. after a certificate was shown."""

    ticket: TicketId
    priority: Slug
    reason: ShortText = ""


class AddItem(Strict, frozen=True, kw_only=True, tag="visit.add_item", tag_field="type"):
    """One more item for the visitor at the window, under the same number."""

    window: WindowId
    item: ItemId


class LendWindow(Strict, frozen=True, kw_only=True, tag="window.lend", tag_field="type"):
    """For ``minutes`` a window calls from ``queues`` too (窗口借调); no queues ends it now."""

    window: WindowId
    queues: tuple[QueueId, ...]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=720)] = 60


class LeaseNumbers(Strict, frozen=True, kw_only=True, tag="lease.take", tag_field="type"):
    """A kiosk sets numbers of a queue aside for the case that it is cut off. ``upto`` is how many
    unused ones it wants to hold."""

    device: DeviceId
    queue: QueueId
    upto: Annotated[int, msgspec.Meta(ge=1, le=50)]


class EditConfig(Strict, frozen=True, kw_only=True, tag="config.edit", tag_field="type"):
    """Edit one part of the configuration that has version ``base``; refused when it has moved on."""

    base: int
    part: ConfigPart


class OpenWindow(Strict, frozen=True, kw_only=True, tag="window.open", tag_field="type"):
    """Staff begins at a window, or resumes after a pause."""

    window: WindowId
    staff: StaffId


class PauseWindow(Strict, frozen=True, kw_only=True, tag="window.pause", tag_field="type"):
    """The window stops calling for a while (暂停)."""

    window: WindowId
    reason: ShortText = ""


class CloseWindow(Strict, frozen=True, kw_only=True, tag="window.close", tag_field="type"):
    """Staff leaves the window."""

    window: WindowId


class RateVisit(Strict, frozen=True, kw_only=True, tag="rating.give", tag_field="type"):
    """A citizen's rating (好差评) of one finished case (办件). Bad levels need at least one tag.

    ``case`` empty means the ticket's latest.
    """

    ticket: TicketId
    case: ShortText = ""
    level: RatingLevel
    tags: tuple[str, ...] = ()
    words: Words = ""
    channel: RatingChannel = RatingChannel.HALL_TABLET


class LeaveUnrated(Strict, frozen=True, kw_only=True, tag="rating.leave", tag_field="type"):
    """The rating was not given; never turned into a rating. ``case`` empty means the ticket's latest."""

    ticket: TicketId
    case: ShortText = ""
    reason: NotRatedReason


class RegisterDevice(Strict, frozen=True, kw_only=True, tag="device.register", tag_field="type"):
    """A device was paired or configured."""

    device: DeviceId
    kind: DeviceKind
    name: ShortText
    name_en: ShortText = ""
    parent: DeviceId | None = None
    window: WindowId | None = None


class ReportDevice(Strict, frozen=True, kw_only=True, tag="device.report", tag_field="type"):
    """State and conditions of a device, sent on change. ``detail`` is for technicians, in English."""

    device: DeviceId
    kind: DeviceKind
    state: DeviceState
    conditions: tuple[Condition, ...] = ()
    detail: str = ""


class RefuseDevice(Strict, frozen=True, kw_only=True, tag="device.refuse", tag_field="type"):
    """The door turned somebody away ``count`` times since it last said so; see ``device.refused``."""

    device: Slug
    why: TurnedAway
    origin: AddressClass
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    by: DeviceId | None = None


class KeyDevice(Strict, frozen=True, kw_only=True, tag="device.key", tag_field="type"):
    """A device was given a key of its own, or (``revoked``) lost the one it had."""

    device: DeviceId
    revoked: bool = False


class AskAct(Strict, frozen=True, kw_only=True, tag="device.act", tag_field="type"):
    """Remote hands: have ``device`` do something, begun before ``until``. A known ``act`` changes nothing."""

    act: ActId
    device: DeviceId
    action: Action
    until: Millis
    asked_by: ShortText = ""


class ReportRelease(Strict, frozen=True, kw_only=True, tag="release.report", tag_field="type"):
    """What became of fetching a release; ``code`` empty: it is kept and whole."""

    release: ReleaseId
    code: ActCode = ""


class EndAct(Strict, frozen=True, kw_only=True, tag="device.act_end", tag_field="type"):
    """What became of an act; an outcome that comes late takes the place of ``unknown``, and of nothing else."""

    act: ActId
    outcome: ActOutcome
    code: ActCode = ""
    figures: Figures = msgspec.field(default_factory=dict)
    note: ShortText = ""


class RequestHelp(Strict, frozen=True, kw_only=True, tag="help.request", tag_field="type"):
    """Somebody at a device asks for a member of staff (呼叫工作人员)."""

    device: DeviceId


class AnswerHelp(Strict, frozen=True, kw_only=True, tag="help.answer", tag_field="type"):
    """Staff has taken care of it."""

    device: DeviceId


class ApplyConfig(Strict, frozen=True, kw_only=True, tag="config.apply", tag_field="type"):
    """Put a configuration in force, from a file or by hand."""

    config: HallConfig


class ApplyDirective(Strict, frozen=True, kw_only=True, tag="directive.apply", tag_field="type"):
    """Directive number ``no`` of the city. After ``expires_at`` it is refused by an event, so that
    the numbers go on; so is one that this program does not understand (``directive`` None)."""

    no: int
    directive: Directive | None
    expires_at: Millis | None = None


class CloseDay(Strict, frozen=True, kw_only=True, tag="day.close", tag_field="type"):
    """End the business day: tickets still open are cancelled with the reason."""


Command = (
    IssueTicket
    | ReportPrint
    | ReprintTicket
    | LeaveQueue
    | CallNext
    | Recall
    | ReportAnnounced
    | ReportUnsaid
    | BeginService
    | FinishService
    | MarkNoShow
    | CallTicket
    | ParkVisit
    | ResumeVisit
    | ReturnTicket
    | TransferVisit
    | HandBack
    | SetPriority
    | AddItem
    | LendWindow
    | LeaseNumbers
    | EditConfig
    | OpenWindow
    | PauseWindow
    | CloseWindow
    | RateVisit
    | LeaveUnrated
    | RegisterDevice
    | ReportDevice
    | RefuseDevice
    | KeyDevice
    | AskAct
    | EndAct
    | ReportRelease
    | RequestHelp
    | AnswerHelp
    | ApplyConfig
    | ApplyDirective
    | CloseDay
)


class Envelope(Strict, frozen=True, kw_only=True):
    """A command with its sender. ``actor`` is ``<kind>:<id>``, e.g. ``staff:s-017``, ``kiosk:k1``, ``city``."""

    key: CommandKey
    at: Millis
    actor: str
    command: Command
