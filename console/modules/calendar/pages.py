"""What the calendar's pages draw: months as weeks of cells."""

import calendar
from dataclasses import dataclass
from datetime import date

from console.modules.calendar.domain import DayKind, SpecialDay
from console.modules.calendar.service import YearSheet
from qingting.contract.states import Language

WEEKDAYS = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A date in a month's grid. ``inside``: it belongs to the month. ``rest``: nobody works. ``special``: what makes
    it other than its weekday."""

    day: date
    inside: bool
    rest: bool
    special: SpecialDay | None
    today: bool

    @property
    def turned(self) -> bool:
        """Other than its weekday says."""
        return self.special is not None and self.rest == (self.day.isoweekday() <= 5)

    def title(self, language: Language) -> str:
        if self.special is None:
            return ""
        return (
            self.special.name
            if language is Language.ZH
            else self.special.name_en or self.special.name
        )


@dataclass(frozen=True, slots=True)
class Month:
    """A month with its weeks, Monday first."""

    first: date
    weeks: list[list[Cell]]

    @property
    def key(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def workdays(self) -> int:
        return sum(one.inside and not one.rest for week in self.weeks for one in week)


def month_of(sheet: YearSheet, month: int, today: date) -> Month:
    weeks = calendar.Calendar().monthdatescalendar(sheet.year, month)
    return Month(
        date(sheet.year, month, 1),
        [[_cell(sheet, day, month, today) for day in week] for week in weeks],
    )


def _cell(sheet: YearSheet, day: date, month: int, today: date) -> Cell:
    special = sheet.days.get(day)
    rest = day.isoweekday() > 5 if special is None else special.kind is DayKind.REST
    return Cell(day=day, inside=day.month == month, rest=rest, special=special, today=day == today)


def year_months(sheet: YearSheet, today: date) -> list[Month]:
    return [month_of(sheet, month, today) for month in range(1, 13)]
