"""A demonstration can be tried whenever it is started, and still shows hours as a hall has them."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hallserver.engine.opening import check_open, open_spans
from hallserver.engine.state import HallState, new_state
from qingting.contract.calendar import ClosedDay, OpenDay, calendar_faults
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.demo.builder import build_hall
from qingting.demo.hours import OPEN_DAYS, demo_calendar, extended

CHINA = timezone(timedelta(hours=8))
HALL = build_hall(HallId("saertu"))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2031, 12, 31)).map(  # noqa: DTZ001
    lambda one: one.replace(tzinfo=CHINA)
)


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def hall_started(at: datetime) -> HallState:
    state = new_state()
    state.config = replace(HALL, calendar=demo_calendar(at.date(), f"{at:%H:%M}"))
    return state


@given(started=moments, minutes=st.integers(0, (OPEN_DAYS - 1) * 1440))
def test_started_at_any_hour_of_any_day_tickets_are_given_for_days(
    started: datetime, minutes: int
) -> None:
    check_open(hall_started(started), millis(started + timedelta(minutes=minutes)))


@given(moments)
def test_the_calendar_is_sound_and_has_lunch_breaks_not_about_the_start(started: datetime) -> None:
    state = hall_started(started)
    assert state.config is not None
    assert calendar_faults(state.config.calendar) == []
    spans = open_spans(state, millis(started))
    assert spans is not None
    (_, noon), (after, _) = spans
    assert not noon <= millis(started) < after


def test_later_the_usual_week_of_a_hall_is_shown() -> None:
    started = datetime(2026, 11, 26, 23, 0, tzinfo=CHINA)
    with pytest.raises(Refusal) as refused:
        check_open(hall_started(started), millis(started + timedelta(days=OPEN_DAYS)))
    assert refused.value.code == "ticket.hall_over"


def test_started_again_on_another_day_it_is_open_and_keeps_what_a_manager_set() -> None:
    calendar = demo_calendar(date(2026, 11, 26), "10:00")
    assert extended(calendar, date(2026, 11, 27), "10:00") is None
    later = extended(calendar, date(2026, 12, 29), "10:00")
    assert later is not None
    assert later.weekly == calendar.weekly
    assert calendar_faults(later) == []
    assert later.open[0].date == "2026-12-29"


@pytest.mark.parametrize("kind", ["closed", "open"])
def test_a_day_of_which_the_manager_has_said_something_stays_as_it_is(kind: str) -> None:
    calendar = demo_calendar(date(2026, 1, 5), "10:00")
    day = "2026-03-02"
    if kind == "closed":
        closed = (*calendar.closed, ClosedDay(date=day, name="停电"))
        mine = type(calendar)(weekly=calendar.weekly, closed=closed)
    else:
        mine = type(calendar)(open=(OpenDay(date=day, name="加班", periods=()),))
    assert extended(mine, date(2026, 3, 2), "10:00") is None
