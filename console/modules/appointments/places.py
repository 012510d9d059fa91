"""Places: on which days there are some, at which times, how many, and which of them may be given. Pure.

Minutes of the day are counted from midnight in the hall.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from console.modules.appointments.rules import CapacityBy, DayChoice, Effective
from console.modules.calendar.api import DayKind
from qingting.contract.calendar import Period, clock_minutes

MINUTE_MS = 60_000
FOREVER = 2**62
"""The end of what has none, in milliseconds."""
USUAL_HOURS = (Period(start="09:00", end="11:30"), Period(start="13:30", end="16:30"))
"""Where neither a rule nor the hall says hours: a hall without hours is open whenever it is staffed."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A period: ``public`` places for everybody, ``total`` with those kept for staff."""

    start: int
    end: int
    public: int
    total: int

    def open_to_citizens(self, by_staff: int) -> int:
        """Places that may be taken before citizens get none: bookings made by staff use up the kept ones first."""
        return self.public + min(by_staff, self.total - self.public)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many places of a period are taken, and how many of these by staff."""

    all: int = 0
    by_staff: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFacts:
    """A date at a hall. ``hours`` None: the hall sets none. ``special`` is what the city has for the date there;
    ``workday`` by the division's calendar; ``weekday`` the one whose items the date has."""

    day: date
    hours: tuple[Period, ...] | None
    special: DayKind | None = None
    workday: bool = True
    weekday: int = 1
    name: str = ""
    name_en: str = ""


def clock(minutes: int) -> str:
    """510 → ``08:30``."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def instant(day: date, minutes: int, offset_minutes: int) -> int:
    """UTC milliseconds of a time of day in a hall."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int((midnight + timedelta(minutes=minutes - offset_minutes)).timestamp() * 1000)


def closed_why(facts: DayFacts, rule: Effective, today: date) -> str:
    """Why a day has no places; empty where it has some. See :class:`console.modules.appointments.api.FreeDay`."""
    if facts.day < today:
        return "past"
    if facts.day > today + timedelta(days=rule.horizon_days):
        return "too_far"
    if facts.day in rule.closed_dates:
        return "closed_date"
    if facts.hours == ():
        return "hall_closed"
    if facts.day in rule.open_dates:
        return ""
    if facts.special is DayKind.REST:
        return "rest_day"
    if rule.days is DayChoice.WORKDAYS and not facts.workday:
        return "rest_day"
    return "" if facts.weekday in rule.weekdays else "weekday"


def places_in_all(rule: Effective, windows: int) -> int:
    """Places of one period, those for staff among them."""
    if rule.capacity_by is CapacityBy.NUMBER:
        return rule.capacity
    return math.floor(windows * rule.per_window + 1e-9)


def grid(rule: Effective, hours: tuple[Period, ...] | None, windows: int) -> tuple[Slot, ...]:
    """The periods of a day: those of the rule within the hall's hours, cut into places of equal length. What is left
    at the end of a span is too short for one."""
    total = places_in_all(rule, windows)
    public = max(0, total - rule.kept)
    spans = _common(rule.periods, hours)
    return tuple(
        Slot(start, start + rule.minutes, public, total)
        for first, last in spans
        for start in range(first, last - rule.minutes + 1, rule.minutes)
    )


def _common(
    wanted: tuple[Period, ...], hours: tuple[Period, ...] | None
) -> Iterator[tuple[int, int]]:
    """Spans that are in both, in order; empty ``wanted`` is all, ``hours`` None sets no bounds."""
    own = [_span(one) for one in (wanted or hours or USUAL_HOURS)]
    bounds = [(0, 1440)] if hours is None else [_span(one) for one in hours]
    found = {
        (max(first, a), min(last, b))
        for first, last in own
        for a, b in bounds
        if max(first, a) < min(last, b)
    }
    yield from sorted(found)


def _span(period: Period) -> tuple[int, int]:
    return clock_minutes(period.start), clock_minutes(period.end)


def slot_at(slots: Iterable[Slot], minute: int) -> Slot | None:
    """The period in which a minute lies."""
    return next((one for one in slots if one.start <= minute < one.end), None)


def free_of(slot: Slot, taken: Taken) -> int:
    """What is left for citizens."""
    return max(0, slot.open_to_citizens(taken.by_staff) - taken.all)


def slot_why(slot: Slot, taken: Taken, start_at: int, now: int, rule: Effective) -> str:
    """Why a period cannot be booked by citizens; empty where it can."""
    if start_at - now < rule.lead_minutes * MINUTE_MS:
        return "too_soon"
    if slot.public <= 0:
        return "no_window"
    return "" if free_of(slot, taken) else "full"


def free_seat(taken: Mapping[int, int], most: int, now: int) -> int | None:
    """The lowest seat number that nobody has now; None when ``most`` are taken.

    ``taken`` is seat number → until when. Counted by people, not by numbers: when a rule has made the places fewer,
    seats with high numbers are still taken and count.
    """
    held = {seat for seat, until in taken.items() if until > now}
    if len(held) >= most:
        return None
    return next(seat for seat in range(1, len(held) + 2) if seat not in held)


def reoffer_at(now: int, rule: Effective, drawn: float) -> int:
    """When a place that was given back is offered again. ``drawn`` from 0 to 1 is chance, so that nobody can give a
    place back for somebody who waits for it (号贩子)."""
    first, last = sorted((rule.reoffer_from, rule.reoffer_to))
    return now + int((first + (last - first) * drawn) * MINUTE_MS)


def dates(first: date, last: date) -> list[date]:
    return [first + timedelta(days=one) for one in range((last - first).days + 1)]


def nearest(wanted: int, offered: Collection[int]) -> list[int]:
    """Times of a day to try in place of one, the nearest first, of equals the later one."""
    return sorted(offered, key=lambda one: (abs(one - wanted), -one))
