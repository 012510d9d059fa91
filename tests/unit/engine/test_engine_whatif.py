"""The replay of a day: nothing changed gives what happened, other rules and rosters give what they promise."""

import msgspec
import pytest
from engine_builders import (
    CARE,
    HEALTH,
    LI,
    MONDAY_9,
    POLICE,
    W1,
    W2,
    W3,
    WANG,
    EngineRun,
    small_hall,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_properties import AnyPresses
from whatif_days import CHEN, DAY, SimulatedDay, three_clerks

from hallserver.engine.whatif import DayLog, Variant, compare, lasting, replay
from hallserver.engine.whatif.day import DayLogError, from_lines, to_lines
from hallserver.engine.whatif.reading import read_day
from qingting.contract import commands as c
from qingting.contract.calendar import Period
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.rules import CallingRules, PriorityClass
from qingting.contract.whatif import RosterPlan, Stint, WindowPlan

SEEDS = st.integers(0, 10_000)


@given(seed=SEEDS, pause=st.sampled_from([0, 0, 20_000]), lunch=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_same_rules_and_roster_give_the_same_calls_at_the_same_instants(
    seed: int, pause: int, lunch: bool
) -> None:
    day = SimulatedDay(seed, pause=pause, lunch=lunch)
    log = day.run()
    script = read_day(log)
    again = replay(log, script, Variant())
    assert again.order == script.ledger.order == day.calls
    assert {one: p.waits for one, p in again.people.items()} == {
        one: p.waits for one, p in script.ledger.people.items()
    }


def test_a_visit_that_nobody_ended_keeps_its_window_to_the_end_of_the_day() -> None:
    run = EngineRun(small_hall())
    for _ in range(4):
        run.take()
    run.open()
    run.do(c.CallNext(window=W1))
    run.do(c.CloseDay(), after=26 * 3_600_000)
    first = run.log[0].bd
    log = DayLog(
        lasting(first, HallId("test"), ()), tuple(one for one in run.log if one.bd == first)
    )
    script = read_day(log)
    again = replay(log, script, Variant())
    assert again.order == script.ledger.order
    assert len(again.order) == 1


class AnyDay(AnyPresses):
    """Whatever was pressed, each day of the log is met by its replay."""

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        log = self.run.log
        for day in sorted({event.bd for event in log}):
            head = lasting(day, HallId("test"), (one for one in log if one.bd < day))
            one_day = DayLog(head, tuple(event for event in log if event.bd == day))
            script = read_day(one_day)
            again = replay(one_day, script, Variant())
            assert again.order == script.ledger.order, day


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# ---- other rules ----------------------------------------------------------------------------------


def rules(weight: float, **more: object) -> CallingRules:
    """Ordinary, booked, soldiers and the elderly; the elderly with ``weight``."""
    base = CallingRules()
    classes = tuple(
        msgspec.structs.replace(one, weight=weight) if one.id == "elderly" else one
        for one in base.classes
    )
    return msgspec.structs.replace(base, classes=classes, **more)


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_whatever_the_rules_the_same_people_come_and_each_is_somewhere(seed: int) -> None:
    log = SimulatedDay(seed, people=60).run()
    found = compare(log, Variant(rules=rules(90, max_delay_minutes=30, priority_in_a_row=1)))
    assert found.before.tickets == found.after.tickets
    for outcome in (found.before, found.after):
        assert outcome.called + outcome.not_reached <= outcome.tickets
        assert sum(outcome.bars) == outcome.called == outcome.waits.people
        assert sum(one.people for one in outcome.classes.values()) == outcome.called
    assert found.fidelity.same_calls == 1.0


def test_a_class_that_gets_more_weight_waits_less_and_others_pay_for_it() -> None:
    log = SimulatedDay(11, people=90).run()
    none = compare(log, Variant(rules=rules(0, priority_in_a_row=0))).after.classes
    much = compare(log, Variant(rules=rules(600, priority_in_a_row=0)))
    assert much.after.classes["elderly"].mean < none["elderly"].mean
    assert much.after.classes["ordinary"].mean > none["ordinary"].mean
    assert {one.priority for one in much.gainers} >= {"elderly"}


def test_the_longest_wait_is_named_and_kept() -> None:
    log = SimulatedDay(11, people=90).run()
    tight = compare(log, Variant(rules=rules(600, priority_in_a_row=0, max_delay_minutes=15)))
    loose = compare(log, Variant(rules=rules(600, priority_in_a_row=0, max_delay_minutes=0)))
    assert tight.after.classes["ordinary"].longest < loose.after.classes["ordinary"].longest


def test_a_cap_on_priority_calls_is_kept() -> None:
    log = SimulatedDay(11, people=90).run()
    found = compare(log, Variant(rules=rules(600, priority_in_a_row=2, max_delay_minutes=0)))
    free = compare(log, Variant(rules=rules(600, priority_in_a_row=0, max_delay_minutes=0)))
    assert found.after.priority_run < free.after.priority_run


def test_the_same_question_gets_the_same_answer() -> None:
    log = SimulatedDay(5).run()
    variant = Variant(rules=rules(300))
    assert compare(log, variant) == compare(log, variant)


# ---- another roster -------------------------------------------------------------------------------


def test_one_more_window_shortens_the_wait_and_is_idle_or_busy_as_it_was_open() -> None:
    config = three_clerks()
    spare = msgspec.structs.replace(config.windows[0], id="w4", number="4")  # type: ignore[arg-type]
    log = SimulatedDay(
        11, people=90, config=msgspec.structs.replace(config, windows=(*config.windows, spare))
    ).run()
    stint = Stint(period=Period(start="09:00", end="12:00"))
    plan = RosterPlan(windows=(WindowPlan(id=spare.id, queues=(HEALTH, POLICE), hours=(stint,)),))
    found = compare(log, Variant(roster=plan))
    assert spare.id not in found.before.windows
    use = found.after.windows[spare.id]
    assert use.number == "4"
    assert use.served > 0
    assert use.idle + use.busy == pytest.approx(use.open, abs=0.2)
    assert found.after.waits.mean < found.before.waits.mean
    assert found.gained > found.lost


def test_a_window_that_closes_early_ends_its_visit_first_and_calls_nobody_after() -> None:
    log = SimulatedDay(11, people=90).run()
    plan = RosterPlan(windows=(WindowPlan(id=W1, closes_at="10:00"),))
    script = read_day(log)
    after = replay(log, script, Variant(roster=plan))
    ten = MONDAY_9 + 3_600_000
    assert any(window == W1 for _, _, window in after.order)
    assert all(at <= ten for at, _, window in after.order if window == W1)
    assert (
        compare(log, Variant(roster=plan)).after.waits.mean
        > compare(log, Variant()).after.waits.mean
    )


def test_a_window_that_stays_shut_leaves_people_unreached() -> None:
    log = SimulatedDay(11, people=90).run()
    plan = RosterPlan(windows=(WindowPlan(id=W1, hours=()), WindowPlan(id=W3, hours=())))
    found = compare(log, Variant(roster=plan))
    assert set(found.after.windows) == {W2}
    assert found.after.not_reached > found.before.not_reached
    assert found.missed > 0


def test_nobody_is_at_two_windows_at_once() -> None:
    log = SimulatedDay(3).run()
    stint = Stint(staff=LI, period=Period(start="09:30", end="10:30"))
    with pytest.raises(Refusal) as refusal:
        compare(log, Variant(roster=RosterPlan(windows=(WindowPlan(id=W2, hours=(stint,)),))))
    assert refusal.value.code == "replay.staff_busy"


def test_clerks_swap_windows_when_both_get_hours() -> None:
    log = SimulatedDay(3).run()
    whole = Period(start="09:00", end="12:00")
    plan = RosterPlan(
        windows=(
            WindowPlan(id=W1, hours=(Stint(staff=WANG, period=whole),)),
            WindowPlan(id=W2, hours=(Stint(staff=LI, period=whole),)),
        )
    )
    found = compare(log, Variant(roster=plan))
    assert found.after.called == found.before.called


def test_rules_and_rosters_with_unknown_names_are_refused() -> None:
    log = SimulatedDay(3, people=5).run()
    lone = CallingRules(classes=(PriorityClass(id="ordinary", name="普通", name_en="Ordinary"),))
    nowhere = RosterPlan(windows=(WindowPlan(id=W1, queues=("nowhere",)),))  # type: ignore[arg-type]
    for variant in (Variant(rules=lone), Variant(roster=nowhere)):
        with pytest.raises(Refusal) as refusal:
            compare(log, variant)
        assert refusal.value.code == "config.invalid"


# ---- a day that began before it ----------------------------------------------------------------


def test_windows_that_stay_open_over_night_are_open_in_the_morning() -> None:
    day = SimulatedDay(3, people=10)
    day.run()
    day.do(c.OpenWindow(window=W3, staff=CHEN))
    day.do(c.PauseWindow(window=W3, reason="夜间"))
    day.now += 24 * 3_600_000
    day.do(c.OpenWindow(window=W3, staff=CHEN))
    day.do(c.IssueTicket(item=CARE, token="next"))
    day.call(W3)
    tuesday = [one for one in day.log if one.bd > DAY]
    log = DayLog(lasting(tuesday[0].bd, HallId("test"), day.log[: -len(tuesday)]), tuple(tuesday))
    assert [one.window for one in log.head.windows] == [W3]
    script = read_day(log)
    assert len(replay(log, script, Variant()).order) == len(script.ledger.order) == 1


def test_a_day_is_the_same_day_as_a_file() -> None:
    log = SimulatedDay(3, people=10).run()
    stored = [msgspec.json.encode(one) for one in log.events]
    assert from_lines(to_lines(log.head, stored)) == log


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda lines: [], "empty"),
        (lambda lines: [b"{}", *lines[1:]], "line 1"),
        (lambda lines: [*lines[:3], b'{"broken', *lines[3:]], "line 4"),
        (lambda lines: [*lines[:3], lines[1], *lines[3:]], "line 4"),
        (lambda lines: [*lines, lines[-1].replace(b"2026-11-23", b"2026-11-24")], "line"),
    ],
)
def test_a_file_that_is_no_day_names_the_bad_line(change: object, place: str) -> None:
    log = SimulatedDay(3, people=3).run()
    lines = list(to_lines(log.head, [msgspec.json.encode(one) for one in log.events]))
    with pytest.raises(DayLogError, match=place):
        from_lines(change(lines))  # type: ignore[operator]
