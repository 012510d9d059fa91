"""What a clerk sees of the day: own figures at any window, the hall's pressure, the visitor's other visits."""

from typing import Any

import msgspec
import pytest
from engine_builders import (
    CARE,
    LI,
    PERSON,
    RENEW,
    W1,
    W2,
    W3,
    WANG,
    EngineRun,
    changed,
    hall_with,
    small_hall,
)

from hallserver.engine.view_tickets import brief
from hallserver.engine.views import Ambient, entries, topics_touched
from hallserver.engine.waiting import Outlook
from qingting.contract import commands as c
from qingting.contract.states import NotRatedReason, RatingLevel, TicketState


@pytest.fixture
def run() -> EngineRun:
    return EngineRun()


def desk(run: EngineRun, window: str = W1) -> Any:
    return entries(run.state, f"desk:{window}", Ambient(now=run.now))


def test_the_figures_are_the_clerks_own_wherever_they_sat(run: EngineRun) -> None:
    for window, staff in ((W1, LI), (W2, WANG)):
        run.open(window, staff)
    for _ in range(3):
        run.take(CARE)
    run.serve(W1)
    run.serve(W1)
    run.open(W3, LI)
    run.serve(W3)
    figures = desk(run, W3)["figures"]
    assert (figures.staff, figures.served) == (LI, 3)
    assert [(one.hour, one.served) for one in figures.hours] == [(9, 3)]
    (care,) = figures.items
    assert (care.item, care.served, care.seconds, care.hall_seconds) == (CARE, 3, 1, 1)
    assert desk(run, W2)["figures"].served == 0


def test_ratings_and_missed_visitors_are_counted_for_the_clerk(run: EngineRun) -> None:
    run.open(W1, LI)
    first, second = run.take(CARE), run.take(CARE)
    run.serve(W1)
    run.do(c.LeaveUnrated(ticket=first, reason=NotRatedReason.TIMEOUT))
    assert desk(run)["figures"].not_rated == 1
    run.do(c.RateVisit(ticket=first, level=RatingLevel.SATISFIED))
    run.do(c.CallNext(window=W1))
    run.do(c.MarkNoShow(window=W1))
    assert run.state.tickets[second].state is TicketState.NO_SHOW
    figures = desk(run)["figures"]
    levels = {one.level: one.count for one in figures.levels}
    assert (figures.not_rated, figures.no_show) == (0, 1)
    assert levels[RatingLevel.SATISFIED] == sum(levels.values()) == 1
    assert len(levels) == len(RatingLevel), "all five are shown alike"


def test_the_visitors_other_visits_are_shown_without_who_they_are(run: EngineRun) -> None:
    run.open(W2, WANG)
    former, other, here = run.take(RENEW), run.take(RENEW), run.take(RENEW)
    run.serve(W2)
    run.do(c.LeaveQueue(ticket=other))
    run.do(c.CallNext(window=W2))
    shown = desk(run, W2)["visitor"]
    assert shown.ticket == here
    assert {(one.ticket, one.state) for one in shown.visits} == {
        (former, TicketState.DONE),
        (other, TicketState.CANCELLED),
    }
    done = next(one for one in shown.visits if one.ticket == former)
    assert (done.window_number, done.ended_at - done.begun_at) == ("2", 1000)
    text = msgspec.json.encode(desk(run, W2)).decode()
    for secret in (PERSON.masked_name, PERSON.masked_number, PERSON.sealed, '"index"'):
        assert secret not in text


def test_nothing_is_shown_of_a_visitor_without_identity_or_after_they_left(run: EngineRun) -> None:
    run.open(W1, LI)
    run.take(CARE)
    run.do(c.CallNext(window=W1))
    assert "visitor" not in desk(run)
    run.do(c.MarkNoShow(window=W1))
    assert "visitor" not in desk(run)


def test_the_pressure_counts_the_windows_own_queues_of_the_last_half_hour(run: EngineRun) -> None:
    run.open(W1, LI)
    run.take(CARE)
    run.do(c.LeaveQueue(ticket=run.take(RENEW)), after=31 * 60_000)
    for _ in range(2):
        run.take(CARE)
    pulse = desk(run)["pulse"]
    assert (pulse.waiting, pulse.windows_open, pulse.windows) == (3, 1, 3)
    found = pulse.pressure
    assert (found.arrivals, found.waiting, found.windows) == (2, 3, 1)
    assert found.value == pytest.approx(sum(one.points for one in found.parts), abs=0.2)
    assert {one.name for one in found.parts} == {"load", "wait", "missed"}, "seats are not known"


def test_nobody_serving_is_said_as_such(run: EngineRun) -> None:
    for _ in range(4):
        run.take(CARE)
    found = desk(run)["pulse"].pressure
    assert (found.wait_minutes, found.windows, found.level) == (None, 0, "overloaded")


def test_the_topic_follows_what_happens_at_its_window(run: EngineRun) -> None:
    run.open(W1, LI)
    run.take(CARE)
    run.serve(W1)
    assert f"desk:{W1}" in topics_touched(run.log[-1], run.state)
    assert f"desk:{W2}" not in topics_touched(run.log[-1], run.state)


def test_a_new_day_starts_from_nothing(run: EngineRun) -> None:
    run.open(W1, LI)
    run.take(CARE)
    run.serve(W1)
    run.now += 26 * 3_600_000
    run.take(CARE)
    assert run.state.clerks == {}


def test_a_line_of_the_list_says_what_the_visitor_was_told(run: EngineRun) -> None:
    run.open(W1, LI)
    ticket = run.ticket(run.take(CARE))
    assert ticket.wait is not None
    assert brief(run.state, ticket).told == ticket.wait


def test_those_listed_are_forecast_as_phones_and_pages_know_it(run: EngineRun) -> None:
    run.open(W1, LI)
    first, second = run.take(CARE), run.take(CARE)
    run.now += 20 * 60_000
    outlook = Outlook(run.state, run.now)
    waits = entries(run.state, f"desk:{W1}", Ambient(now=run.now, outlook=outlook))["waits"].waits
    assert waits == {one: outlook.ticket(run.ticket(one)) for one in (first, second)}
    run.serve(W1)
    assert first not in desk(run)["waits"].waits


def test_a_hall_where_nobody_works_forecasts_nobody(run: EngineRun) -> None:
    run.take(CARE)
    assert desk(run)["waits"].waits == {}


def test_a_called_visitor_comes_with_what_they_were_told(run: EngineRun) -> None:
    run.open(W1, LI)
    ticket = run.ticket(run.take(CARE))
    run.do(c.CallNext(window=W1))
    visit = entries(run.state, f"window:{W1}", Ambient(now=run.now))["window"].visit
    assert ticket.wait is not None
    assert visit.told == ticket.wait


def test_an_appointment_only_window_lists_nobody_it_cannot_call() -> None:
    run = hall_with(**changed(small_hall(), "windows", W1, appointment_only=True))
    run.open(W1, LI)
    for _ in range(3):
        run.take(CARE)
    window: Any = entries(run.state, f"window:{W1}", Ambient(now=run.now))["window"]
    assert (window.queue, window.waiting, window.elsewhere, window.next) == ((), 0, 3, None)
    line: Any = entries(run.state, "windows", Ambient(now=run.now))[W1]
    assert line.waiting == 0


def test_a_clerk_without_the_skill_is_not_shown_who_needs_it() -> None:
    run = hall_with(**changed(small_hall(), "items", CARE, skill="sign"))
    run.open(W1, LI)
    ticket = run.take(CARE)
    window: Any = entries(run.state, f"window:{W1}", Ambient(now=run.now))["window"]
    assert ticket not in {one.ticket for one in window.queue}
    assert (window.waiting, window.elsewhere) == (0, 1)
