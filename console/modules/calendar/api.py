"""What other modules may know of the calendar: working days and time limits."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from console.core.module import ApiKey
from console.core.uow import ReadUow
from console.modules.calendar.domain import (
    FIRST_YEAR,
    LAST_YEAR,
    DayKind,
    Due,
    SpecialDay,
    TimeLimit,
    Unit,
    WorkCalendar,
)
from qingting.contract.calendar import Period
from qingting.contract.ids import HallId


@dataclass(frozen=True, slots=True, kw_only=True)
class HallDay:
    """A date at one hall. ``periods`` are the hours of the hall's own configuration, None: it sets none or its
    configuration has not come yet. ``special`` is what the city has for the date there. ``differs``: the city
    has a day of rest on which the hall opens, or the other way round."""

    day: date
    periods: tuple[Period, ...] | None
    special: SpecialDay | None
    differs: bool


class CalendarApi(Protocol):
    """Working days. Divisions are named by their codes (区划代码), empty: the country's days alone."""

    async def working_days(self, uow: ReadUow, division: str = "") -> WorkCalendar:
        """All of it, for one who counts often."""
        ...

    async def due(self, uow: ReadUow, start: date, limit: TimeLimit, *, division: str = "") -> Due:
        """The last day of a time limit for an event on ``start``. Raises ``calendar.limit``."""
        ...

    async def hall_day(self, uow: ReadUow, hall: HallId, day: date) -> HallDay:
        """What a date is at a hall. Raises ``hall.unknown``."""
        ...

    async def hall_days(
        self, uow: ReadUow, hall: HallId, first: date, last: date
    ) -> dict[date, HallDay]:
        """What each date from ``first`` to ``last`` is at a hall, in order. Raises ``hall.unknown``."""
        ...


CALENDAR = ApiKey[CalendarApi]("CALENDAR")

__all__ = [
    "CALENDAR",
    "FIRST_YEAR",
    "LAST_YEAR",
    "CalendarApi",
    "DayKind",
    "Due",
    "HallDay",
    "SpecialDay",
    "TimeLimit",
    "Unit",
    "WorkCalendar",
]
