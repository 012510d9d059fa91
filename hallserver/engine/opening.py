"""Opening hours: what the calendar says of a date, and of the next one."""

from datetime import datetime, timedelta

from hallserver.engine.days import DAY_MS, MINUTE_MS, hall_time
from hallserver.engine.state import HallState
from qingting.contract.calendar import HallCalendar, Period, clock_minutes, hours_on
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis

LOOK_AHEAD_DAYS = 30
"""How far the next opening is looked for."""


def check_open(state: HallState, now: Millis) -> None:
    """Raises the refusal that says why the hall gives no tickets now, and when it does."""
    if state.config is None:
        return
    calendar = state.config.calendar
    clock = hall_time(now, state.config)
    hours = hours_on(calendar, clock.date())
    if hours.periods is None:
        return
    if not hours.periods:
        params = {"next": next_opening(state, now), "reason_en": hours.name_en or hours.name}
        code = "ticket.hall_closed" if hours.name else "ticket.hall_closed_weekday"
        raise Refusal(code, reason=hours.name, **params)
    _check_clock(state, calendar, hours.periods, clock, now)


def _check_clock(
    state: HallState,
    calendar: HallCalendar,
    periods: tuple[Period, ...],
    clock: datetime,
    now: Millis,
) -> None:
    minute = clock.hour * 60 + clock.minute
    first, last = clock_minutes(periods[0].start), clock_minutes(periods[-1].end)
    words = "、".join(f"{one.start}–{one.end}" for one in periods)
    if minute < first - calendar.early_minutes:
        raise Refusal("ticket.hall_not_yet", hours=words, start=periods[0].start)
    if minute >= last:
        raise Refusal("ticket.hall_over", hours=words, next=next_opening(state, now))
    if minute >= last - calendar.last_minutes:
        raise Refusal("ticket.hall_last", minutes=calendar.last_minutes, end=periods[-1].end)
    if not calendar.tickets_in_breaks and minute >= first:
        after = [one for one in periods if clock_minutes(one.start) > minute]
        inside = any(clock_minutes(one.start) <= minute < clock_minutes(one.end) for one in periods)
        if not inside and after:
            raise Refusal("ticket.hall_break", until=after[0].start)


def next_opening(state: HallState, now: Millis) -> str:
    """``2026-11-30 09:00`` of the next date that is open; ``—`` when none is known."""
    if state.config is None:
        return "—"
    today = hall_time(now, state.config).date()
    for days in range(1, LOOK_AHEAD_DAYS + 1):
        day = today + timedelta(days=days)
        hours = hours_on(state.config.calendar, day)
        if hours.periods:
            return f"{day.isoformat()} {hours.periods[0].start}"
    return "—"


def open_spans(state: HallState, now: Millis) -> tuple[tuple[Millis, Millis], ...] | None:
    """Today's hours as instants (UTC ms), breaks between them; None when no hours are set."""
    if state.config is None:
        return None
    hours = hours_on(state.config.calendar, hall_time(now, state.config).date())
    if hours.periods is None:
        return None
    shift = state.config.hall.utc_offset_minutes * MINUTE_MS
    midnight = (now + shift) // DAY_MS * DAY_MS - shift
    return tuple(
        (
            midnight + clock_minutes(one.start) * MINUTE_MS,
            midnight + clock_minutes(one.end) * MINUTE_MS,
        )
        for one in hours.periods
    )


def closing_time(state: HallState, now: Millis) -> Millis | None:
    """When the hall closes today (UTC ms); None when no hours are set or it stays shut."""
    spans = open_spans(state, now)
    return spans[-1][1] if spans else None
