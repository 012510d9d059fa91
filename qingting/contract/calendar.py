"""When a hall is open: weekly hours, closed days, local open Saturdays. All times are hall time."""

from datetime import date
from itertools import pairwise
from typing import Annotated, NamedTuple

import msgspec

from qingting.contract.base import Strict
from qingting.contract.faults import Fault, doubled
from qingting.contract.ids import ShortText

Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
"""ISO weekday, 1 = Monday."""
ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
"""A time of day in the hall; ``24:00`` ends a day."""
DayMoment = Annotated[str, msgspec.Meta(pattern=r"^$|^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d$")]
"""An instant in hall time, ``YYYY-MM-DDTHH:MM``; empty = no bound."""
DateText = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
ALL_WEEK: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


class Period(Strict, frozen=True, kw_only=True):
    """A span of one day in hall time, end exclusive; ``24:00`` is allowed as an end."""

    start: ClockTime
    end: ClockTime


class WeeklyHours(Strict, frozen=True, kw_only=True):
    """Opening hours of some weekdays. A gap between two periods is the lunch break (午休)."""

    weekdays: tuple[Weekday, ...]
    periods: tuple[Period, ...]


class ClosedDay(Strict, frozen=True, kw_only=True):
    """A date on which the hall stays shut (节假日)."""

    date: DateText
    name: ShortText
    name_en: ShortText = ""


class OpenDay(Strict, frozen=True, kw_only=True):
    """A date with hours of its own: a made-up working day or a local open Saturday (周六延时服务).

    ``like`` is the weekday whose items and shifts it has (调休按星期几上班); None: those of its own.
    """

    date: DateText
    name: ShortText
    name_en: ShortText = ""
    periods: tuple[Period, ...]
    like: Weekday | None = None


class HallCalendar(Strict, frozen=True, kw_only=True):
    """Opening hours of the hall. ``weekly`` empty means that the hall itself sets no hours.

    ``early_minutes`` before the hours begin tickets are given already. ``last_minutes`` before the
    day's end none are given any more. ``tickets_in_breaks`` gives them over lunch too.
    """

    weekly: tuple[WeeklyHours, ...] = ()
    closed: tuple[ClosedDay, ...] = ()
    open: tuple[OpenDay, ...] = ()
    early_minutes: Annotated[int, msgspec.Meta(ge=0, le=240)] = 0
    last_minutes: Annotated[int, msgspec.Meta(ge=0, le=240)] = 0
    tickets_in_breaks: bool = True


def clock_minutes(text: str) -> int:
    """``08:30`` → 510; ``24:00`` → 1440."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


class DayHours(NamedTuple):
    """Hours of one date. ``periods`` None: no hours are set, the hall is open whenever it is staffed."""

    periods: tuple[Period, ...] | None
    name: str = ""
    name_en: str = ""


def hours_on(calendar: HallCalendar, day: date) -> DayHours:
    """A date of its own goes before the week: closed days first, then made-up working days."""
    text = day.isoformat()
    for closed in calendar.closed:
        if closed.date == text:
            return DayHours((), closed.name, closed.name_en)
    for special in calendar.open:
        if special.date == text:
            return DayHours(_sorted(special.periods), special.name, special.name_en)
    if not calendar.weekly:
        return DayHours(None)
    for weekly in calendar.weekly:
        if day.isoweekday() in weekly.weekdays:
            return DayHours(_sorted(weekly.periods))
    return DayHours(())


def weekday_on(calendar: HallCalendar, day: date) -> int:
    """The ISO weekday whose items and shifts a date has: a made-up working day may stand in for another."""
    text = day.isoformat()
    for special in calendar.open:
        if special.date == text and special.like is not None:
            return special.like
    return day.isoweekday()


def _sorted(periods: tuple[Period, ...]) -> tuple[Period, ...]:
    return tuple(sorted(periods, key=lambda one: clock_minutes(one.start)))


def period_faults(at: Fault, periods: tuple[Period, ...]) -> list[Fault]:
    """Periods that end before they begin, or overlap; ``at`` says where they stand."""
    faults = [
        at._replace(code="fault.ends_early", what=f"{one.start}–{one.end}")
        for one in periods
        if clock_minutes(one.end) <= clock_minutes(one.start)
    ]
    ordered = sorted(periods, key=lambda one: clock_minutes(one.start))
    faults += [
        at._replace(code="fault.overlap", what=f"{a.start}–{a.end} / {b.start}–{b.end}")
        for a, b in pairwise(ordered)
        if clock_minutes(b.start) < clock_minutes(a.end)
    ]
    return faults


def calendar_faults(calendar: HallCalendar) -> list[Fault]:
    """What makes a calendar unusable; empty when sound."""
    at = Fault("", "calendar")
    days = [str(day) for weekly in calendar.weekly for day in weekly.weekdays]
    faults = [at._replace(code="fault.weekday_twice", what=day) for day in doubled(days)]
    for weekly in calendar.weekly:
        faults += period_faults(at._replace(key="weekly", name=" "), weekly.periods)
    dates = [one.date for one in calendar.closed] + [one.date for one in calendar.open]
    for text in sorted(set(dates)):
        try:
            date.fromisoformat(text)
        except ValueError:
            faults.append(at._replace(code="fault.no_day", what=text))
    faults += [at._replace(code="fault.date_twice", what=text) for text in doubled(dates)]
    for one in calendar.open:
        faults += period_faults(at._replace(key=f"open {one.date}", name=one.date), one.periods)
    return faults
