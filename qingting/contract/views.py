"""What screens are shown. A topic is a map of keys to one of these; deltas set and delete keys.

Topics: ``hall`` (key ``info``), ``catalogue`` (``departments``, ``items``,
``classes``), ``queues`` (queue id), ``windows`` (window id), ``window:<id>`` (``window``),
``rating:<window>`` (``pad``), ``board`` (``info`` and call keys), ``board:<device>``
(:mod:`qingting.contract.boards`), ``devices`` (device id), ``kiosk:<device>`` (``kiosk`` and
``ticket:<id>``), ``help`` (device id), ``desk:<window>`` (``pulse``, ``figures``, ``visitor``, ``waits``).
"""

import msgspec

from qingting.contract.acts import DeviceHands
from qingting.contract.base import Record
from qingting.contract.boards import BoardEarlier, BoardRow, BoardSay, BoardScreen, BoardSound
from qingting.contract.events import Interval
from qingting.contract.face_check import FaceCheck
from qingting.contract.ids import (
    BusinessDay,
    DepartmentId,
    DeviceId,
    HallId,
    ItemId,
    Millis,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.pads import PadFacts
from qingting.contract.releases import Runs
from qingting.contract.rules import ORDINARY
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    IdentityWay,
    Language,
    PrintState,
    StaffPermission,
    TicketState,
    WindowState,
)
from qingting.contract.templates import KioskBlock, KioskStart
from qingting.contract.views_desk import DeskFigures, DeskPulse, DeskWaits, VisitorDay


class HallView(Record, frozen=True, kw_only=True, tag="hall", tag_field="view"):
    """Topic ``hall``, key ``info``. ``city_link`` is True while the city is connected."""

    id: HallId
    name: str
    name_en: str
    day: BusinessDay
    notice: str = ""
    notice_en: str = ""
    city_link: bool = False


class DepartmentView(Record, frozen=True, kw_only=True):
    id: DepartmentId
    name: str
    name_en: str
    short_name: str
    icon: str
    items: int


class ItemView(Record, frozen=True, kw_only=True):
    """``offered`` is False when the item cannot be taken now; ``why`` is then an error code with its
    parameters ``why_params``."""

    id: ItemId
    name: str
    name_en: str
    department: DepartmentId
    queue: QueueId
    materials: tuple[str, ...]
    promised_days: int
    legal_basis: str
    needs_identity: bool
    hot: bool
    pinyin: str
    initials: str
    offered: bool
    why: str = ""
    why_params: dict[str, str | int] = msgspec.field(default_factory=dict)
    sample: bool = False
    group: str = ""
    party_max: int = 20
    face_check: bool = False
    """Face and the card's photo are to be compared before its number is taken."""
    materials_en: tuple[str, ...] = ()
    legal_basis_en: str = ""


class DepartmentsView(Record, frozen=True, kw_only=True, tag="departments", tag_field="view"):
    """Topic ``catalogue``, key ``departments``, in the order to show."""

    departments: tuple[DepartmentView, ...]


class ItemsView(Record, frozen=True, kw_only=True, tag="items", tag_field="view"):
    """Topic ``catalogue``, key ``items``."""

    items: tuple[ItemView, ...]


class QueueView(Record, frozen=True, kw_only=True, tag="queue", tag_field="view"):
    """Topic ``queues``. ``wait`` is what a ticket taken now would be told; None = nobody can say. ``items`` holds
    the items that would be told something else, because their own forecasts have been bad of late."""

    id: QueueId
    name: str
    name_en: str
    waiting: int
    windows_open: int
    closed: bool
    wait: Interval | None = None
    items: dict[ItemId, Interval] = msgspec.field(default_factory=dict)


class ItemName(Record, frozen=True, kw_only=True):
    """An item by its names; ``here``: the window at hand serves it."""

    id: ItemId
    name: str
    name_en: str
    here: bool = False


class TicketBrief(Record, frozen=True, kw_only=True):
    """A ticket that waits, is away or was missed, as a clerk may see it. ``since`` is when it was taken.

    ``priority`` is the id of its class with the class's names. ``booked`` is the booked time (UTC ms).
    ``returned`` says why it stands in line again. ``until`` is when a parked visitor returns by
    themselves; ``reason`` why they are away. ``sent``: it was sent to this window or clerk. ``told`` is the
    waiting time that the visitor was told when the ticket was taken; None = none.
    """

    ticket: TicketId
    number: str
    item_name: str
    item_name_en: str
    since: Millis
    masked_name: str = ""
    priority: str = ORDINARY
    priority_name: str = ""
    priority_name_en: str = ""
    booked: Millis | None = None
    late: bool = False
    party: int = 1
    items: int = 1
    returned: str = ""
    told: Interval | None = None
    until: Millis | None = None
    reason: str = ""
    sent: bool = False


class CurrentVisit(Record, frozen=True, kw_only=True):
    """The visitor at a window. ``since`` is when the present state began; ``reason`` and ``why`` say why
    this visitor was called; ``todo`` are further items of the ticket; ``note`` comes from the clerk who
    sent them; ``back_to`` is the number of the window to which they return afterwards; ``waiver`` is why
    they were let in without identity.
    """

    ticket: TicketId
    number: str
    state: TicketState
    item: ItemId
    item_name: str
    item_name_en: str
    department_name: str
    masked_name: str
    masked_number: str
    issued_at: Millis
    called_at: Millis
    since: Millis
    calls: int
    reason: str
    materials: tuple[str, ...] = ()
    why: dict[str, str | int] = msgspec.field(default_factory=dict)
    priority: str = ORDINARY
    priority_name: str = ""
    priority_name_en: str = ""
    proof: str = ""
    booked: Millis | None = None
    late: bool = False
    party: int = 1
    todo: tuple[ItemName, ...] = ()
    note: str = ""
    back_to: str = ""
    waiver: str = ""
    misses: int = 0
    recall_at: Millis = 0
    """From when on the visitor may be called again (UTC ms)."""
    department_name_en: str = ""
    materials_en: tuple[str, ...] = ()
    proof_en: str = ""
    told: Interval | None = None
    """The waiting time that the visitor was told when the ticket was taken."""
    face_check: FaceCheck | None = None
    """What comparing face and card at the kiosk came to; None: nobody asked for it."""


class WindowCounts(Record, frozen=True, kw_only=True):
    """Today's figures of a window."""

    served: int = 0
    no_show: int = 0
    serving_seconds: int = 0
    ratings: int = 0
    bad_ratings: int = 0
    not_rated: int = 0


class WindowView(Record, frozen=True, kw_only=True, tag="window", tag_field="view"):
    """Topic ``window:<id>``, key ``window``: all that a call pad shows. ``queue`` holds the next 12 in
    calling order, first of all ``next``, whom the rules would call now for ``next_reason`` and
    ``next_why``; None: nobody whom this window may call. ``waiting`` counts those whom it may call,
    ``elsewhere`` those of the same queues whom only others may call (an appointment-only window, an item
    that needs a skill). ``away`` who is parked and comes back here; ``missed`` who was called here in vain
    and may still come. ``lent`` are queues served besides the window's own until ``lent_until``."""

    id: WindowId
    number: str
    name: str
    name_en: str
    state: WindowState
    staff: StaffId | None
    staff_name: str
    pause_reason: str
    visit: CurrentVisit | None
    waiting: int
    queue: tuple[TicketBrief, ...]
    counts: WindowCounts
    away: tuple[TicketBrief, ...] = ()
    missed: tuple[TicketBrief, ...] = ()
    permissions: tuple[StaffPermission, ...] = ()
    queues: tuple[QueueId, ...] = ()
    lent: tuple[QueueId, ...] = ()
    lent_until: Millis | None = None
    on_shift: str = ""
    """Name of the clerk whom the roster plans here now; empty when nobody is planned."""
    next: TicketId | None = None
    next_reason: str = ""
    next_why: dict[str, str | int] = msgspec.field(default_factory=dict)
    elsewhere: int = 0


class WindowBrief(Record, frozen=True, kw_only=True, tag="window_brief", tag_field="view"):
    """Topic ``windows``: one line of a list of windows. ``planned`` is whom the roster plans there now."""

    id: WindowId
    number: str
    name: str
    name_en: str
    state: WindowState
    staff_name: str
    ticket_number: str = ""
    pause_reason: str = ""
    waiting: int = 0
    served: int = 0
    staff: StaffId | None = None
    queues: tuple[QueueId, ...] = ()
    planned: StaffId | None = None
    planned_name: str = ""


class RatingRequest(Record, frozen=True, kw_only=True):
    """A visit that may be rated until ``until``."""

    ticket: TicketId
    number: str
    item_name: str
    item_name_en: str
    until: Millis
    case: str = ""


class RatingPadView(Record, frozen=True, kw_only=True, tag="rating_pad", tag_field="view"):
    """Topic ``rating:<window>``, key ``pad``."""

    window: WindowId
    window_number: str
    window_name: str
    window_name_en: str
    state: WindowState
    clerk_name: str
    clerk_number: str
    clerk_photo: str
    serving_number: str
    request: RatingRequest | None


class BoardInfo(Record, frozen=True, kw_only=True, tag="board_info", tag_field="view"):
    """Topic ``board``, key ``info``. ``waiting`` counts the whole hall."""

    hall_name: str
    hall_name_en: str
    notice: str
    notice_en: str
    waiting: int


class BoardCall(Record, frozen=True, kw_only=True, tag="board_call", tag_field="view"):
    """Topic ``board``: one called ticket. ``call_no`` rises with each call and recall in the hall,
    so a board knows what it has not announced yet."""

    ticket: TicketId
    number: str
    window_number: str
    window_name: str
    window_name_en: str
    masked_name: str
    called_at: Millis
    calls: int
    call_no: int
    active: bool


class ConditionView(Record, frozen=True, kw_only=True):
    condition: Condition
    since: Millis


class DeviceView(Record, frozen=True, kw_only=True, tag="device", tag_field="view"):
    """Topic ``devices``. ``since`` is when the state began, ``seen`` when it was last heard of; ``pad`` is
    what a connected pad said last, ``runs`` what a connected screen or agent said that it runs."""

    id: DeviceId
    kind: DeviceKind
    name: str
    name_en: str
    parent: DeviceId | None
    window: WindowId | None
    state: DeviceState
    conditions: tuple[ConditionView, ...]
    since: Millis
    seen: Millis
    detail: str = ""
    pad: PadFacts | None = None
    hands: DeviceHands | None = None
    runs: Runs | None = None


class KioskNoticeView(Record, frozen=True, kw_only=True):
    """A notice in force at a kiosk."""

    text: str
    text_en: str = ""


class KioskScreen(Record, frozen=True, kw_only=True):
    """How a kiosk looks and what it offers (:class:`qingting.contract.templates.KioskTemplate`).

    ``items`` None: everything. ``hot`` empty: the hall's frequent items.
    """

    template: str
    greeting: str
    greeting_en: str
    start: KioskStart
    blocks: tuple[KioskBlock, ...]
    items: tuple[ItemId, ...] | None
    hot: tuple[ItemId, ...]
    languages: tuple[Language, ...]
    elder: bool
    contrast: bool
    idle_seconds: int
    notices: tuple[KioskNoticeView, ...]


class KioskCamera(Record, frozen=True, kw_only=True):
    """The camera that a kiosk's screen may open, and the profile that says how."""

    device: DeviceId
    profile: str


class KioskView(Record, frozen=True, kw_only=True, tag="kiosk", tag_field="view"):
    """Topic ``kiosk:<id>``, key ``kiosk``. Tickets can be taken unless ``blocked_by`` names a reason;
    ``blocked_by`` holds error codes such as ``kiosk.agent_offline`` or ``kiosk.printer_paper_out``.

    ``ways`` are those in which a citizen can show who they are now; ``code_down``: this hall takes
    citizen codes, yet their platform cannot be reached.
    """

    id: DeviceId
    name: str
    name_en: str
    peripherals: tuple[DeviceView, ...]
    blocked_by: tuple[str, ...]
    screen: KioskScreen | None = None
    ways: tuple[IdentityWay, ...] = ()
    code_down: bool = False
    camera: KioskCamera | None = None
    """None: this kiosk has none."""


class KioskTicket(Record, frozen=True, kw_only=True, tag="kiosk_ticket", tag_field="view"):
    """Topic ``kiosk:<id>``, key ``ticket:<id>``: a ticket taken at this kiosk in the last minutes."""

    ticket: TicketId
    number: str
    state: TicketState
    print_state: PrintState
    print_cause: Condition | None
    attempt: int
    ahead: int
    wait: Interval | None
    item_name: str
    item_name_en: str
    department_name: str
    department_name_en: str
    masked_name: str
    masked_number: str
    issued_at: Millis
    materials: tuple[str, ...]
    todo: tuple[ItemName, ...] = ()
    party: int = 1
    priority_name: str = ""
    priority_name_en: str = ""
    booked: Millis | None = None
    late: bool = False
    can_return: bool = False
    """The visitor is away or was missed, and may stand in line again with this ticket."""
    window_number: str = ""
    materials_en: tuple[str, ...] = ()


class ClassView(Record, frozen=True, kw_only=True):
    """A priority class; ``proof`` is what the clerk asks to see."""

    id: str
    name: str
    name_en: str
    proof: str = ""
    proof_en: str = ""


class ClassesView(Record, frozen=True, kw_only=True, tag="classes", tag_field="view"):
    """Topic ``catalogue``, key ``classes``: those that a citizen may claim at the kiosk, and ``every``
    one, which staff can give."""

    classes: tuple[ClassView, ...]
    every: tuple[ClassView, ...] = ()


class HelpView(Record, frozen=True, kw_only=True, tag="help", tag_field="view"):
    """Topic ``help``: a device where somebody waits for a member of staff."""

    device: DeviceId
    name: str
    since: Millis


View = (
    HallView
    | DepartmentsView
    | ItemsView
    | QueueView
    | WindowView
    | WindowBrief
    | RatingPadView
    | BoardInfo
    | BoardCall
    | BoardScreen
    | BoardRow
    | BoardEarlier
    | BoardSound
    | BoardSay
    | DeviceView
    | KioskView
    | KioskTicket
    | ClassesView
    | HelpView
    | DeskPulse
    | DeskFigures
    | DeskWaits
    | VisitorDay
)
