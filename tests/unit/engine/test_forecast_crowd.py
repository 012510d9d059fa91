"""A crowd beyond what a hall seats is told the average rule, says so, and costs the hall no simulation."""

from copy import deepcopy

import pytest
from engine_builders import HEALTH, HOUR, MONDAY_9, W1, EngineRun, small_hall

from hallserver.engine.waiting import FOLLOWED, Outlook
from qingting.contract import commands as c
from qingting.contract.calendar import HallCalendar, Period, WeeklyHours
from qingting.contract.states import WaitBasis

WEEK = WeeklyHours(weekdays=(1,), periods=(Period(start="08:30", end="17:00"),))


@pytest.fixture(scope="module")
def crowded() -> EngineRun:
    """Made once: each test takes a copy."""
    run = EngineRun(small_hall(calendar=HallCalendar(weekly=(WEEK,))), at=MONDAY_9 + HOUR)
    for _ in range(FOLLOWED + 1):
        run.take()
    return run


@pytest.fixture
def run(crowded: EngineRun) -> EngineRun:
    return deepcopy(crowded)


def test_a_newcomer_behind_a_crowd_is_told_the_average_rule_and_that_it_may_be_too_late(
    run: EngineRun,
) -> None:
    run.open(W1)
    ticket = run.state.tickets[run.take()]
    assert ticket.wait is not None
    assert ticket.wait.basis is WaitBasis.AVERAGE
    assert ticket.wait.low == (FOLLOWED + 1) * 6
    assert ticket.wait.beyond


def test_screens_tell_everybody_in_a_crowd_by_place(run: EngineRun) -> None:
    run.open(W1)
    outlook = Outlook(run.state, run.now)
    waits = [outlook.ticket(one) for one in run.state.tickets.values()]
    assert all(one is not None and one.basis is WaitBasis.AVERAGE for one in waits)
    lows = [one.low for one in waits if one is not None]
    assert lows == sorted(lows)
    assert [one.beyond for one in waits if one][:: len(waits) - 1] == [False, True]
    joining = outlook.queue(HEALTH)
    assert joining is not None
    assert joining.low >= lows[-1]


def test_the_simulation_is_back_when_the_crowd_is_gone(run: EngineRun) -> None:
    run.open(W1)
    run.do(c.CallNext(window=W1))
    run.do(c.BeginService(window=W1))
    run.do(c.FinishService(window=W1))
    run.do(c.CallNext(window=W1))
    wait = Outlook(run.state, run.now).queue(HEALTH)
    assert wait is not None
    assert wait.basis is WaitBasis.SIMULATION


def test_nobody_can_say_to_a_crowd_before_a_closed_window(run: EngineRun) -> None:
    assert run.state.tickets[run.take()].wait is None
    assert Outlook(run.state, run.now).queue(HEALTH) is None
