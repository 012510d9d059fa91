"""Engine commands: everything that may change a hall, whoever asks.

The hub turns a client's request (``requests.py``) into one of these after authentication; directives
from the city and timers arrive the same way. ``Envelope.key`` is the sender's idempotency key.
"""

from qingting.contract.base import Strict
from qingting.contract.config import HallConfig
from qingting.contract.directives import Directive
from qingting.contract.ids import (
    CommandKey,
    DeviceId,
    ItemId,
    Millis,
    ShortText,
    StaffId,
    TicketId,
    WindowId,
    Words,
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


class IssueTicket(Strict, frozen=True, kw_only=True, tag="ticket.issue", tag_field="type"):
    """Take a number (取号). ``token`` is the opaque text of the QR on the ticket."""

    item: ItemId
    token: str
    device: DeviceId | None = None
    person: Person | None = None
    language: Language = Language.ZH


class ReportPrint(Strict, frozen=True, kw_only=True, tag="print.report", tag_field="type"):
    """What the printer made of job ``attempt`` of a ticket."""

    ticket: TicketId
    attempt: int
    outcome: PrintOutcome
    cause: Condition | None = None


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


class BeginService(Strict, frozen=True, kw_only=True, tag="service.begin", tag_field="type"):
    """The visitor is at the window (开始办理)."""

    window: WindowId


class FinishService(Strict, frozen=True, kw_only=True, tag="service.finish", tag_field="type"):
    """The visit is over (办结)."""

    window: WindowId


class MarkNoShow(Strict, frozen=True, kw_only=True, tag="call.no_show", tag_field="type"):
    """The visitor did not come (过号)."""

    window: WindowId


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
    """A citizen's rating (好差评) of one finished visit. Bad levels need at least one tag."""

    ticket: TicketId
    level: RatingLevel
    tags: tuple[str, ...] = ()
    words: Words = ""
    channel: RatingChannel = RatingChannel.HALL_TABLET


class LeaveUnrated(Strict, frozen=True, kw_only=True, tag="rating.leave", tag_field="type"):
    """The rating was not given; never turned into a rating."""

    ticket: TicketId
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
    the numbers go on."""

    no: int
    directive: Directive
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
    | BeginService
    | FinishService
    | MarkNoShow
    | OpenWindow
    | PauseWindow
    | CloseWindow
    | RateVisit
    | LeaveUnrated
    | RegisterDevice
    | ReportDevice
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
