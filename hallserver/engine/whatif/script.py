"""What is known of a day once its log was read: everything that a replay does again."""

from dataclasses import dataclass, field
from enum import StrEnum

from hallserver.engine.whatif.ledger import Ledger
from qingting.contract import events as e
from qingting.contract.config import HallConfig
from qingting.contract.ids import ItemId, Millis, StaffId, TicketId, WindowId
from qingting.contract.rules import Place
from qingting.contract.states import WindowState


class End(StrEnum):
    """How a visit at a window ended."""

    FINISHED = "finished"
    NO_SHOW = "no_show"
    PARKED = "parked"
    TRANSFERRED = "transferred"
    HANDED_BACK = "handed_back"
    OPEN = "open"
    """The log ends before the visit does."""


@dataclass(slots=True)
class Leg:
    """One visit of a ticket at a window, from the call on. Times in ms; ``seq`` of the log's events keep
    the order of what happens in the same millisecond."""

    called: Millis
    walk: Millis | None = None
    """From the call to the beginning of service; None when service never began."""
    walk_seq: int = 0
    end: End = End.OPEN
    delay: Millis = 0
    """From the beginning of service, or else from the call, to the end."""
    end_seq: int = 0
    stay: bool = False
    """The next item went on at the same window."""
    added: list[tuple[Millis, ItemId, int]] = field(default_factory=list)
    """Items added at the window: how long after the call."""
    minutes: int | None = None
    mine: bool = True
    line: str = ""
    """Where a transfer led."""
    item: ItemId | None = None
    place: Place = Place.KEPT
    back: bool = False
    return_after: Millis | None = None
    """After a park or a no-show: how much later the visitor stood in line again."""
    return_seq: int = 0
    by_staff: bool = False


class Press(StrEnum):
    """What a clerk did with a moment in which somebody could be called."""

    CALL = "call"
    LAPSE = "lapse"
    """Nothing: somebody else called the visitor first."""
    PICK = "pick"
    RESUME = "resume"


@dataclass(slots=True)
class Beat:
    """One moment of a clerk: ``ms`` since somebody could be called (for a pick or resumed visitor: since
    that ticket could be called)."""

    press: Press
    ms: Millis
    seq: int
    ticket: TicketId | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A window's state as its staff wanted it from ``at`` on."""

    at: Millis
    seq: int
    window: WindowId
    state: WindowState
    staff: StaffId | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something from outside that comes again at the same instant."""

    at: Millis
    seq: int
    body: e.EventBody


@dataclass(slots=True)
class Script:
    """A whole day. ``rests``: spans at the end of a stretch of work in which a window took nobody new
    although somebody waited. ``serving`` are mean serving times by item, ``walk`` the usual way to a
    window, ``beat`` the usual pause before a call (ms)."""

    ledger: Ledger
    begin: Millis
    last: Millis = 0
    """When the last thing happened."""
    end: Millis = 0
    """How far a replay may go: midnight, or the log's end when the day is not over."""
    config: HallConfig | None = None
    """In force when the day ended."""
    facts: list[Fact] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    legs: dict[TicketId, list[Leg]] = field(default_factory=dict)
    beats: dict[StaffId, list[Beat]] = field(default_factory=dict)
    rests: dict[WindowId, list[tuple[Millis, Millis]]] = field(default_factory=dict)
    serving: dict[ItemId, Millis] = field(default_factory=dict)
    walk: Millis = 0
    beat: Millis = 0
