"""Opening hours of a demonstration: a usual week, and today open at whatever hour it is started."""

from datetime import date, timedelta

import msgspec

from qingting.contract.calendar import (
    ClosedDay,
    HallCalendar,
    OpenDay,
    Period,
    WeeklyHours,
    clock_minutes,
)

OPEN_DAYS = 7
"""Days from the start on which the demonstration is open round the clock but for the lunch break."""
WEEK = WeeklyHours(
    weekdays=(1, 2, 3, 4, 5),
    periods=(Period(start="08:30", end="11:30"), Period(start="13:30", end="17:00")),
)
HOLIDAYS = (("-01-01", "元旦", "New Year's Day"), ("-10-01", "国庆节", "National Day"))
NAME, NAME_EN = "演示延时开放", "Open late for the demonstration"
NOON = ("12:00", "13:00")
LATER = ("14:00", "15:00")
"""The break of a day on which the demonstration is started about noon: whoever starts it wants to try it now."""


def demo_calendar(today: date, clock: str) -> HallCalendar:
    """The calendar of a demonstration that is started on ``today`` at ``clock`` (``HH:MM``, hall time)."""
    opened = open_days(today, clock)
    taken = {one.date for one in opened}
    closed = tuple(
        ClosedDay(date=f"{year}{day}", name=name, name_en=name_en)
        for year in (today.year, today.year + 1)
        for day, name, name_en in HOLIDAYS
        if f"{year}{day}" not in taken and f"{year}{day}" > today.isoformat()
    )
    return HallCalendar(weekly=(WEEK,), closed=closed, open=opened, early_minutes=30)


def open_days(today: date, clock: str) -> tuple[OpenDay, ...]:
    """Today and the days after it, open round the clock but for lunch, over which tickets are given too."""
    about_noon = clock_minutes("11:00") <= clock_minutes(clock) < clock_minutes(NOON[1])
    days = [today + timedelta(days=n) for n in range(OPEN_DAYS)]
    return tuple(
        OpenDay(
            date=day.isoformat(),
            name=NAME,
            name_en=NAME_EN,
            periods=_around(LATER if about_noon and day == today else NOON),
        )
        for day in days
    )


def _around(lunch: tuple[str, str]) -> tuple[Period, ...]:
    return (Period(start="00:00", end=lunch[0]), Period(start=lunch[1], end="24:00"))


def extended(calendar: HallCalendar, today: date, clock: str) -> HallCalendar | None:
    """``calendar`` with today open, for a demonstration that is started again on another day with the data
    that it has; None when it says something of today already. What else a manager has set stays."""
    known = {one.date for one in calendar.open} | {one.date for one in calendar.closed}
    if today.isoformat() in known:
        return None
    opened = open_days(today, clock)
    taken = {one.date for one in opened}
    return msgspec.structs.replace(
        calendar,
        open=opened,
        closed=tuple(one for one in calendar.closed if one.date not in taken),
    )
