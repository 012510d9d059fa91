"""The WebSocket between a hall server and its screens and agents: one JSON text message each.

A client first sends :class:`Auth` (within 10 s) or :class:`Pair`. Requests carry an increasing ``id``
and, where they change something, an idempotency ``key`` made once and kept over retries. Topics are
subscribed by name; the server answers with a snapshot and then numbered deltas. On a gap in ``seq``
the client subscribes again. Clients ignore message types they do not know; the server refuses them.
"""

from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.commands import MAX_CHAIN, Party
from qingting.contract.continuity import MergeLeased, OfflineKit, OfflineOffer, PrepareOffline
from qingting.contract.face_check import CardPhoto, FaceCheck
from qingting.contract.hub_acts import ActMessage, ActRequest
from qingting.contract.hub_desk import DeskRequest, ScanOffer
from qingting.contract.hub_face import ArmFace, FaceRequest, IdentityChecking
from qingting.contract.hub_sound import SayCall, SoundRequest
from qingting.contract.ids import (
    BookingId,
    DeviceId,
    ItemId,
    KeyText,
    Millis,
    ShortText,
    Slug,
    StaffId,
    TicketId,
    WindowId,
    Words,
)
from qingting.contract.pads import PadReport
from qingting.contract.printing import PrintJob
from qingting.contract.rules import ORDINARY
from qingting.contract.states import (
    CertificateKind,
    Condition,
    DeviceKind,
    DeviceState,
    Language,
    NotRatedReason,
    PrintOutcome,
    RatingLevel,
    Role,
)
from qingting.contract.views import View

MAX_MESSAGE_BYTES = 64 * 1024
"""Upper bound of a message from a client; a longer one ends the session with ``hub.message_too_long``."""

RequestId = Annotated[int, msgspec.Meta(ge=1)]

# ---- before authentication ----------------------------------------------------------------------


class Auth(Strict, frozen=True, kw_only=True, tag="auth", tag_field="type"):
    """A paired device presents itself. ``key`` is the secret it got when it was paired, ``install`` a random
    word of this installation: it tells a reload from a copy of the key. ``token`` is that of the last
    :class:`Welcome` that this installation has stored: it tells a reload from a copy of the whole storage."""

    device: Slug
    key: Annotated[str, msgspec.Meta(max_length=128)]
    version: int
    build: ShortText = ""
    install: ShortText = ""
    token: ShortText = ""


class Pair(Strict, frozen=True, kw_only=True, tag="pair", tag_field="type"):
    """A new device presents the code that the hall manager's page shows."""

    code: Annotated[str, msgspec.Meta(max_length=16)]
    kind: DeviceKind
    version: int


# ---- requests -----------------------------------------------------------------------------------


class Subscribe(Strict, frozen=True, kw_only=True, tag="sub", tag_field="type"):
    topics: Annotated[tuple[ShortText, ...], msgspec.Meta(max_length=16)]


class TakeTicket(Strict, frozen=True, kw_only=True, tag="ticket.take", tag_field="type"):
    """Kiosk: a number for an item. ``identity`` is the token of :class:`IdentityRead`.

    ``more`` are further items under the same number, ``party`` how many people come together,
    ``priority`` the class that the citizen claims, ``booking`` the booking that the hall named in
    :class:`IdentityRead` or :class:`BookingFound`. ``elder``: taken in the elder version (长辈版).
    ``face_check`` is the outcome where an item asks for one.
    """

    item: ItemId
    identity: str | None = None
    language: Language = Language.ZH
    more: Annotated[tuple[ItemId, ...], msgspec.Meta(max_length=MAX_CHAIN - 1)] = ()
    party: Party = 1
    priority: Slug = ORDINARY
    booking: BookingId | None = None
    elder: bool = False
    face_check: FaceCheck | None = None


class ComeBack(Strict, frozen=True, kw_only=True, tag="ticket.return", tag_field="type"):
    """Kiosk: the visitor whose code was scanned is back. Call pad: a parked or missed visitor is."""

    ticket: TicketId


class LeaveLine(Strict, frozen=True, kw_only=True, tag="ticket.leave", tag_field="type"):
    """Kiosk: the visitor whose ticket is shown there gives up the place (退出排队)."""

    ticket: TicketId


class Reprint(Strict, frozen=True, kw_only=True, tag="ticket.reprint", tag_field="type"):
    """Kiosk: print the same number once more."""

    ticket: TicketId


class BeginIdentity(Strict, frozen=True, kw_only=True, tag="identity.begin", tag_field="type"):
    """Kiosk: light the reader and wait for a card, or for a citizen code before the scanner."""


class EndIdentity(Strict, frozen=True, kw_only=True, tag="identity.end", tag_field="type"):
    """Kiosk: the citizen left the step; forget what was read."""


class AskHelp(Strict, frozen=True, kw_only=True, tag="help.ask", tag_field="type"):
    """Kiosk: a citizen wants a member of staff."""


class Login(Strict, frozen=True, kw_only=True, tag="staff.login", tag_field="type"):
    """Call pad: staff number and password. ``new`` takes the place of a one-time password, which alone
    logs nobody in."""

    number: ShortText
    password: Annotated[str, msgspec.Meta(max_length=128)]
    new: Annotated[str, msgspec.Meta(max_length=128)] | None = None


class Logout(Strict, frozen=True, kw_only=True, tag="staff.logout", tag_field="type"):
    """Call pad: leave; the window is closed when it is idle, refused while a visitor is there."""


class TakeWindow(Strict, frozen=True, kw_only=True, tag="window.take", tag_field="type"):
    """Call pad: begin at a window, or resume after a pause."""

    window: WindowId


class Pause(Strict, frozen=True, kw_only=True, tag="window.rest", tag_field="type"):
    reason: ShortText = ""


class LeaveWindow(Strict, frozen=True, kw_only=True, tag="window.leave", tag_field="type"):
    pass


class Next(Strict, frozen=True, kw_only=True, tag="call.next", tag_field="type"):
    """Call pad: the window is the one the session holds."""


class Again(Strict, frozen=True, kw_only=True, tag="call.recall", tag_field="type"):
    pass


class Begin(Strict, frozen=True, kw_only=True, tag="service.begin", tag_field="type"):
    pass


class Finish(Strict, frozen=True, kw_only=True, tag="service.finish", tag_field="type"):
    """``stay``: the ticket's next item goes on at this window at once."""

    stay: bool = False


class Absent(Strict, frozen=True, kw_only=True, tag="call.no_show", tag_field="type"):
    pass


class SubmitRating(Strict, frozen=True, kw_only=True, tag="rating.submit", tag_field="type"):
    """Rating pad: all five levels are submitted alike. ``case`` is that of the request shown."""

    ticket: TicketId
    case: ShortText = ""
    level: RatingLevel
    tags: Annotated[tuple[ShortText, ...], msgspec.Meta(max_length=20)] = ()
    words: Words = ""


class DeclineRating(Strict, frozen=True, kw_only=True, tag="rating.decline", tag_field="type"):
    """Rating pad: "skip", or 60 s of silence. Never turned into a rating."""

    ticket: TicketId
    case: ShortText = ""
    reason: NotRatedReason


class HelpDone(Strict, frozen=True, kw_only=True, tag="help.done", tag_field="type"):
    """Call pad or manager: somebody went there."""

    device: DeviceId


class DeviceReport(Strict, frozen=True, kw_only=True, tag="device.report", tag_field="type"):
    """Agent: state of a peripheral, sent on every change and once after each connection. Board: that it is ready,
    and ``muted`` while it has calls to say and cannot be heard. Kiosk: the state of its camera."""

    device: DeviceId
    kind: DeviceKind
    state: DeviceState
    conditions: Annotated[tuple[Condition, ...], msgspec.Meta(max_length=16)] = ()
    detail: ShortText = ""


class PrintReport(Strict, frozen=True, kw_only=True, tag="print.report", tag_field="type"):
    """Agent: outcome of a print job. Repeated after a reconnect until it was acknowledged."""

    ticket: TicketId
    attempt: int
    outcome: PrintOutcome
    cause: Condition | None = None
    mm: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0


class CardRead(Strict, frozen=True, kw_only=True, tag="identity.card", tag_field="type"):
    """Agent: a card's text record, decoded. Lives only in the memory of agent and hall server.

    Dates are ``YYYYMMDD``; ``valid_to`` may be ``长期``. ``photo`` is where the kiosk's screen may fetch the
    card's photo; None: nowhere.
    """

    device: DeviceId
    kind: CertificateKind
    name: ShortText
    number: ShortText
    valid_from: str = ""
    valid_to: str = ""
    birth: str = ""
    name_en: ShortText = ""
    photo: CardPhoto | None = None


class CardFault(Strict, frozen=True, kw_only=True, tag="identity.fault", tag_field="type"):
    """Agent: the card could not be read. ``code`` is an error code of the ``identity`` family."""

    device: DeviceId
    code: ShortText


class CodeScanned(Strict, frozen=True, kw_only=True, tag="code.scanned", tag_field="type"):
    """Agent: a scanner read a code."""

    device: DeviceId
    text: Annotated[str, msgspec.Meta(max_length=3000)]


class Ping(Strict, frozen=True, kw_only=True, tag="ping", tag_field="type"):
    """Any client: keeps the age of its data honest; answered by a result."""


Request = (
    Subscribe
    | TakeTicket
    | Reprint
    | ComeBack
    | LeaveLine
    | BeginIdentity
    | EndIdentity
    | AskHelp
    | Login
    | Logout
    | TakeWindow
    | Pause
    | LeaveWindow
    | Next
    | Again
    | Begin
    | Finish
    | Absent
    | DeskRequest
    | SubmitRating
    | DeclineRating
    | HelpDone
    | DeviceReport
    | PrintReport
    | CardRead
    | CardFault
    | CodeScanned
    | FaceRequest
    | SoundRequest
    | PrepareOffline
    | MergeLeased
    | PadReport
    | ActRequest
    | Ping
)


class Ask(Strict, frozen=True, kw_only=True, tag="ask", tag_field="type"):
    """A numbered request. ``key`` is required for every request that changes the hall."""

    id: RequestId
    body: Request
    key: KeyText | None = None


ClientMessage = Auth | Pair | Ask

# ---- server → client ----------------------------------------------------------------------------


class Problem(Strict, frozen=True, kw_only=True):
    """A refusal: a stable code and safe parameters; the sentence comes from the reader's catalogue."""

    code: str
    params: dict[str, str | int] = msgspec.field(default_factory=dict)


class Welcome(Strict, frozen=True, kw_only=True, tag="welcome", tag_field="type"):
    """Authenticated. ``now`` is the server's clock, for the age of data. ``token``, where there is one, takes
    the place of the former at once and goes with the next :class:`Auth`."""

    role: Role
    device: DeviceId
    name: str
    now: Millis
    version: int
    window: WindowId | None = None
    build: str = ""
    token: str = ""


class Paired(Strict, frozen=True, kw_only=True, tag="paired", tag_field="type"):
    """The device's own identity; store it and authenticate with it from now on."""

    device: DeviceId
    key: str


class Answer(Strict, frozen=True, kw_only=True):
    """What a successful request gives back; fields that do not apply stay None."""

    ticket: TicketId | None = None
    number: str | None = None
    staff: str | None = None
    staff_name: str | None = None
    window: WindowId | None = None
    scan: ScanOffer | None = None


class Result(Strict, frozen=True, kw_only=True, tag="result", tag_field="type"):
    id: RequestId
    ok: bool
    answer: Answer | None = None
    problem: Problem | None = None


class Snapshot(Strict, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    topic: str
    seq: int
    entries: dict[str, View]


class Delta(Strict, frozen=True, kw_only=True, tag="delta", tag_field="type"):
    """Follows ``seq - 1`` of the same topic; a gap means subscribe again."""

    topic: str
    seq: int
    set: dict[str, View] = msgspec.field(default_factory=dict)
    gone: tuple[str, ...] = ()


class PrintOrder(Strict, frozen=True, kw_only=True, tag="print", tag_field="type"):
    """To an agent: print this, at most once per ticket and attempt."""

    job: PrintJob


class ArmReader(Strict, frozen=True, kw_only=True, tag="identity.arm", tag_field="type"):
    """To an agent: report cards of this kiosk's reader until disarmed."""

    armed: bool


class BookingBrief(Strict, frozen=True, kw_only=True):
    """A booking as its holder may see it. ``start`` and ``end`` in UTC ms.

    ``problem`` says why its number cannot be taken now (another day, too early, cancelled, taken);
    ``late``: it can, but as an ordinary visitor's.
    """

    id: BookingId
    start: Millis
    end: Millis
    items: tuple[ItemId, ...]
    masked_name: str
    masked_number: str
    party: int = 1
    problem: Problem | None = None
    late: bool = False


class IdentityRead(Strict, frozen=True, kw_only=True, tag="identity.read", tag_field="type"):
    """To a kiosk: a card was read, or a citizen code or face resolved. ``token`` stands for the person for two minutes, once. ``bookings``
    are the person's of today and later; ``priority`` is the class that their age gives them."""

    token: str
    masked_name: str
    masked_number: str
    kind: CertificateKind
    bookings: tuple[BookingBrief, ...] = ()
    priority: str = ORDINARY
    photo: CardPhoto | None = None
    """Where the photo of a card is, as its agent told it."""


class BookingFound(Strict, frozen=True, kw_only=True, tag="booking.found", tag_field="type"):
    """To a kiosk: the scanned code is a booking of today whose number can be taken now."""

    booking: BookingBrief


class IdentityRefused(Strict, frozen=True, kw_only=True, tag="identity.refused", tag_field="type"):
    """To a kiosk: what was shown cannot be used. ``waiting``: the next card or code is taken without a press."""

    problem: Problem
    waiting: bool = True


class CodeFound(Strict, frozen=True, kw_only=True, tag="code.found", tag_field="type"):
    """To a kiosk: the scanned code is a ticket of today; its view arrives in the kiosk's topic."""

    ticket: TicketId
    number: str


class CodeRefused(Strict, frozen=True, kw_only=True, tag="code.refused", tag_field="type"):
    problem: Problem


class ScannedIn(Strict, frozen=True, kw_only=True, tag="staff.scanned", tag_field="type"):
    """To a call pad: its code was scanned and this clerk is logged in here now."""

    staff: StaffId
    staff_name: str
    number: str
    window: WindowId | None = None


class Bye(Strict, frozen=True, kw_only=True, tag="bye", tag_field="type"):
    """The server ends the session. ``retry`` False: do not come back without a person's help."""

    problem: Problem
    retry: bool = True


ServerMessage = (
    Welcome
    | Paired
    | Result
    | Snapshot
    | Delta
    | PrintOrder
    | ArmReader
    | ArmFace
    | ActMessage
    | SayCall
    | IdentityRead
    | IdentityChecking
    | IdentityRefused
    | CodeFound
    | BookingFound
    | OfflineKit
    | OfflineOffer
    | CodeRefused
    | ScannedIn
    | Bye
)
