"""Working days (工作日): which dates are some, and what lies so many of them after a date. Pure rules.

The State Council names holidays and made-up working days year by year (国务院办公厅关于某年部分节假日安排的通知). Every
other date follows the week: Monday to Friday are working days. Of a year whose notice is not in, the week is known, and
the holidays whose dates are law (全国年节及纪念日放假办法): whatever is counted through it says so.
"""

import calendar
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from console.core.divisions import division_chain
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal

MAX_LIMIT = 3000
"""The longest time limit that is counted, in its own unit."""
FIRST_YEAR, LAST_YEAR = 2000, 2099
STATUTORY = ""
"""The place of days that hold in the whole country."""
DIVISION, HALL = "division:", "hall:"
"""What the places of days of a division and of a hall begin with."""


_LAW_SINCE = 2025
"""The first year for which the regulation of 2024 (国务院令第 795 号) holds."""
_NEW_YEAR, _LABOUR, _NATIONAL = (
    ("元旦", "New Year's Day"), ("劳动节", "Labour Day"), ("国庆节", "National Day"),
)  # fmt: skip
_BY_LAW = {
    (1, 1): _NEW_YEAR, (5, 1): _LABOUR, (5, 2): _LABOUR,
    (10, 1): _NATIONAL, (10, 2): _NATIONAL, (10, 3): _NATIONAL,
}  # fmt: skip
"""Month and day of the holidays that are the same dates each year; the others follow the moon or the sun."""


class DayKind(StrEnum):
    """What a date is made to be."""

    WORK = "work"
    REST = "rest"


class Unit(StrEnum):
    """Unit of a time limit; the field's own codes are 0 天, 1 工作日, 2 月, 3 年 (standards.md A5)."""

    DAYS = "days"
    WORKDAYS = "workdays"
    MONTHS = "months"
    YEARS = "years"


class TimeLimit(Strict, frozen=True):
    """A time limit (时限): ``amount`` of ``unit`` after the day of an event."""

    amount: int
    unit: Unit = Unit.WORKDAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A date that is not what its weekday says, or that has a name.

    ``place``: :data:`STATUTORY`, ``division:<code>`` or ``hall:<id>``. ``deadlines``: it counts for time limits; of
    local days only those of a division may, and always where they say so. ``of_year`` is the year whose notice it
    is from, which may name a day or two of its neighbours. ``by_law``: no notice says it yet, but the law does.
    """

    day: date
    kind: DayKind
    name: str
    name_en: str = ""
    place: str = STATUTORY
    deadlines: bool = True
    of_year: int = 0
    by_law: bool = False


def days_by_law(days: Iterable[date], years: Collection[int]) -> list[SpecialDay]:
    """Those of ``days`` that are holidays by law in a year that is not among the settled ``years``."""
    return [
        SpecialDay(
            day=day,
            kind=DayKind.REST,
            name=names[0],
            name_en=names[1],
            of_year=day.year,
            by_law=True,
        )
        for day in days
        if day.year >= _LAW_SINCE
        and day.year not in years
        and (names := _BY_LAW.get((day.month, day.day)))
    ]


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a time limit. ``unsettled``: years counted through whose notice is not in, so that the day may
    still move."""

    day: date
    unsettled: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Working days somewhere. ``special`` holds the dates that the week does not decide; ``years`` are settled."""

    special: Mapping[date, DayKind] = field(default_factory=dict)
    years: frozenset[int] = frozenset()

    def is_workday(self, day: date) -> bool:
        kind = self.special.get(day)
        if kind is None:
            return day.isoweekday() <= 5 and not days_by_law((day,), self.years)
        return kind is DayKind.WORK

    def workdays_after(self, start: date, count: int) -> Due:
        """The ``count``-th working day after ``start``, which is itself not counted (standards.md G); 0 is ``start``.

        Raises ``calendar.limit`` for a count below 0 or above :data:`MAX_LIMIT`.
        """
        _check(start, count)
        day = start
        for _ in range(count):
            day += timedelta(days=1)
            while not self.is_workday(day):
                day += timedelta(days=1)
        return Due(day, self._unsettled(start, day) if count else ())

    def due(self, start: date, limit: TimeLimit) -> Due:
        """The last day of ``limit`` when the event was on ``start``. Months and years end on the same day of the
        month, or on its last one. Raises ``calendar.limit``."""
        _check(start, limit.amount)
        match limit.unit:
            case Unit.WORKDAYS:
                return self.workdays_after(start, limit.amount)
            case Unit.DAYS:
                return Due(start + timedelta(days=limit.amount))
            case Unit.MONTHS:
                return Due(_months_after(start, limit.amount))
            case Unit.YEARS:
                return Due(_months_after(start, limit.amount * 12))

    def _unsettled(self, start: date, day: date) -> tuple[int, ...]:
        first = start + timedelta(days=1)
        return tuple(one for one in range(first.year, day.year + 1) if one not in self.years)


def _check(start: date, count: int) -> None:
    if not 0 <= count <= MAX_LIMIT or not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise Refusal("calendar.limit", most=MAX_LIMIT, first=FIRST_YEAR, last=LAST_YEAR)


def _months_after(start: date, months: int) -> date:
    count = start.year * 12 + start.month - 1 + months
    year, month = min(count // 12, date.max.year), count % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def place_meant(place: str) -> str:
    """A place as days are kept for it: a division's code with twelve digits, however it was written."""
    chain = division_chain(place.removeprefix(DIVISION)) if place.startswith(DIVISION) else ()
    return f"{DIVISION}{chain[-1]}" if chain else place


def places_of(division: str = "", hall: str = "") -> tuple[str, ...]:
    """Where days may be set that hold there, from the country down; the later one goes before."""
    chain = [f"{DIVISION}{code}" for code in division_chain(division)] if division else []
    return (STATUTORY, *chain, *([f"hall:{hall}"] if hall else []))


def folded(days: Iterable[SpecialDay], places: Collection[str]) -> dict[date, SpecialDay]:
    """What holds on each date: of several the one of the last place in ``places``."""
    rank = {place: order for order, place in enumerate(places)}
    known = sorted((one for one in days if one.place in rank), key=lambda one: rank[one.place])
    return {one.day: one for one in known}


def work_calendar(
    days: Iterable[SpecialDay], years: Iterable[int], division: str = ""
) -> WorkCalendar:
    """Working days that count for time limits in ``division``: the country's, and local ones that say so."""
    counting = [one for one in days if one.place == STATUTORY or one.deadlines]
    found = folded(counting, places_of(division))
    return WorkCalendar({day: one.kind for day, one in found.items()}, frozenset(years))


class YearDays(msgspec.Struct, frozen=True, kw_only=True):
    """The days of one year's notice with where they are from. ``issued`` is the day of the notice, empty: not told."""

    year: int
    source: str
    issued: str = ""
    days: tuple[SpecialDay, ...] = ()
