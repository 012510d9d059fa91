"""What a clerk sees of the day beside the next step: topic ``desk:<window>`` of :mod:`qingting.contract.views`."""

from enum import StrEnum

from qingting.contract.base import Record
from qingting.contract.events import Interval
from qingting.contract.ids import ItemId, Millis, StaffId, TicketId
from qingting.contract.states import RatingLevel, TicketState


class PressureLevel(StrEnum):
    """How a pressure value (压力值) is read."""

    CALM = "calm"
    """Below 50 (绿)."""
    BUSY = "busy"
    """From 50 (黄)."""
    OVERLOADED = "overloaded"
    """From 75 (红)."""


class PressurePart(Record, frozen=True, kw_only=True):
    """What one term adds: ``name`` is ``load``, ``wait``, ``seats`` or ``missed``; of ``most`` points."""

    name: str
    points: float
    most: float


class PressureView(Record, frozen=True, kw_only=True):
    """The pressure value of the queues that a window serves, 0 to 100, with its terms.

    ``wait_minutes`` None: nobody serves them. ``windows_needed`` keep the wait within the target.
    """

    value: float
    level: PressureLevel
    parts: tuple[PressurePart, ...]
    arrivals: int
    waiting: int
    windows: int
    windows_needed: int
    wait_minutes: float | None


class DeskPulse(Record, frozen=True, kw_only=True, tag="desk_pulse", tag_field="view"):
    """Topic ``desk:<window>``, key ``pulse``: the hall now. ``served`` counts finished items of today."""

    waiting: int
    windows_open: int
    windows: int
    served: int
    pressure: PressureView


class HourCount(Record, frozen=True, kw_only=True):
    """Items finished in the hour that begins at ``hour`` of the hall's clock."""

    hour: int
    served: int


class ItemTime(Record, frozen=True, kw_only=True):
    """Own mean serving time of an item today and the hall's, in seconds."""

    item: ItemId
    name: str
    name_en: str
    served: int
    seconds: int
    hall_seconds: int


class LevelCount(Record, frozen=True, kw_only=True):
    level: RatingLevel
    count: int


class DeskFigures(Record, frozen=True, kw_only=True, tag="desk_figures", tag_field="view"):
    """Topic ``desk:<window>``, key ``figures``: what the clerk at the window did today, at any window."""

    staff: StaffId
    served: int
    serving_seconds: int
    no_show: int
    not_rated: int
    hours: tuple[HourCount, ...]
    items: tuple[ItemTime, ...]
    levels: tuple[LevelCount, ...]


class PastVisit(Record, frozen=True, kw_only=True):
    """One item of today under one of the visitor's tickets. Times in UTC ms, 0 where it never came to it."""

    ticket: TicketId
    number: str
    item_name: str
    item_name_en: str
    window_number: str
    state: TicketState
    issued_at: Millis
    begun_at: Millis = 0
    ended_at: Millis = 0


class VisitorDay(Record, frozen=True, kw_only=True, tag="visitor_day", tag_field="view"):
    """Topic ``desk:<window>``, key ``visitor``, while somebody who showed a card is at the window: their
    other visits of today at this hall, latest first. Who they are is not in it."""

    ticket: TicketId
    visits: tuple[PastVisit, ...]


class DeskWaits(Record, frozen=True, kw_only=True, tag="desk_waits", tag_field="view"):
    """Topic ``desk:<window>``, key ``waits``: from now on, for those on the window's list (``WindowView.queue``), as
    the hall's pages and the visitors' phones know it too. Missing: nobody can say, or it is not worked out yet."""

    waits: dict[TicketId, Interval]
