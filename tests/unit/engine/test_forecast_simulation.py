"""The forward simulation: what makes people wait longer, and how well it knows how long."""

import math
from collections.abc import Sequence
from random import Random

import pytest
from forecast_builders import (
    CARD,
    CARE,
    NOW,
    A,
    B,
    certain,
    desk,
    facts,
    hall,
    idle,
    newcomer,
    visitor,
)
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine.forecast.durations import Durations, Effect, Share
from hallserver.engine.forecast.scene import MINUTE
from hallserver.engine.forecast.simulate import Foreseen, foresee
from hallserver.engine.forecast.situation import Desk, Situation, Stream, Visitor
from hallserver.engine.forecast.tables import COARSE, COARSEST, FINEST, remaining, turns
from qingting.contract.ids import Millis, StaffId, WindowId


def wait(
    situation: Situation, who: Visitor | None = None, learned: Durations | None = None
) -> Foreseen:
    found = foresee(situation, facts(learned), [who or newcomer()])[0]
    assert found is not None
    return found


def queue_of(count: int, **more: object) -> list[Visitor]:
    return [visitor(n, **more) for n in range(count)]


def earliest(desk: Desk, visitors: Sequence[Visitor], now: Millis) -> int | None:
    return min(range(len(visitors)), key=lambda index: visitors[index].since)


# ---- order and shape ----------------------------------------------------------------------------


@st.composite
def situations(draw: st.DrawFn) -> tuple[Situation, Visitor]:
    """Any small hall: windows of one or two queues, busy, called, idle, paused, with absences; people here and due."""
    desks = []
    for n in range(draw(st.integers(1, 4))):
        queues = draw(st.sampled_from([(A,), (B,), (A, B), (B, A)]))
        gone = draw(st.floats(0, 90))
        make = draw(st.sampled_from(["busy", "idle", "called", "paused"]))
        begin = draw(st.integers(0, 60))
        away = ((NOW + begin * MINUTE, NOW + (begin + draw(st.integers(1, 60))) * MINUTE),)
        more: dict[str, object] = {"away": away if draw(st.booleans()) else ()}
        more["until"] = draw(st.sampled_from([None, NOW + 30 * MINUTE, NOW + 120 * MINUTE]))
        if make == "called":
            more["begun"] = 0
        if make == "paused":
            more |= {"items": (), "pause": NOW - round(gone * MINUTE)}
        desks.append(
            idle(n, *queues, **more) if make == "idle" else desk(n, *queues, gone=gone, **more)
        )
    people = [
        visitor(n, draw(st.sampled_from([A, B])), items=(draw(st.sampled_from([CARE, CARD])),))
        for n in range(draw(st.integers(0, 12)))
    ]
    due = [
        visitor(n, A, due=NOW + n * 7 * MINUTE, shows=draw(st.floats(0, 1)), line="booked")
        for n in range(draw(st.integers(0, 3)))
    ]
    rate = draw(st.sampled_from([0.0, 2.0, 30.0]))
    streams = (
        [Stream(queue=A, items=(CARD,), per_hour=rate, head_start=20 * MINUTE)] if rate else []
    )
    closing = draw(st.sampled_from([None, 45.0]))
    return hall(desks, people, due=due, streams=streams, closing=closing), newcomer(A)


@given(situations(), st.booleans())
def test_an_interval_is_in_order_and_a_probability_is_one(
    case: tuple[Situation, Visitor], rehearsed: bool
) -> None:
    situation, who = case
    found = foresee(situation, facts(Durations()), [who], earliest if rehearsed else None)[0]
    if found is not None:
        assert 0 <= found.p50 <= found.p90 < math.inf
        assert 0 <= found.beyond <= 1


@given(situations())
def test_the_same_situation_gives_the_same_forecast(case: tuple[Situation, Visitor]) -> None:
    situation, who = case
    first = foresee(situation, facts(Durations()), [who])
    assert foresee(situation, facts(Durations()), [who]) == first


@given(
    st.integers(0, 25),
    st.integers(1, 5),
    st.lists(st.floats(0, 40), min_size=5, max_size=5),
    st.lists(st.sampled_from([CARE, CARD]), min_size=26, max_size=26),
)
def test_one_more_person_ahead_never_shortens_a_wait(
    ahead: int, windows: int, gone: list[float], items: list[str]
) -> None:
    desks = [desk(n, gone=gone[n]) for n in range(windows)]
    people = [visitor(n, items=(item,)) for n, item in enumerate(items)]
    shorter = wait(hall(desks, people[:ahead]))
    longer = wait(hall(desks, people[: ahead + 1]))
    assert longer.p50 >= shorter.p50
    assert longer.p90 >= shorter.p90


@given(st.integers(0, 25), st.integers(1, 5))
def test_one_more_window_never_lengthens_a_wait(ahead: int, windows: int) -> None:
    people = queue_of(ahead)
    desks = [desk(n) for n in range(windows + 1)]
    assert wait(hall(desks, people)).p50 <= wait(hall(desks[:-1], people)).p50


def test_with_hundreds_ahead_the_forecast_stays_close_to_the_work_ahead() -> None:
    desks = [desk(n) for n in range(6)]
    for ahead in (60, 140, 300):
        found = wait(hall(desks, queue_of(ahead)))
        assert found.p50 == pytest.approx(ahead * 10 / 6, rel=0.08)
        assert found.p90 < 1.25 * found.p50


def test_people_whom_no_window_serves_are_told_that_nobody_knows() -> None:
    assert foresee(hall([desk(1, B)]), facts(), [newcomer(A)]) == [None]


def test_several_are_asked_for_at_once_without_being_in_each_others_way() -> None:
    situation = hall([desk(1, A, B), desk(2, A)], [*queue_of(4), visitor(9, B)])
    both = foresee(situation, facts(), [newcomer(A), newcomer(B)])
    alone = [foresee(situation, facts(), [newcomer(one)])[0] for one in (A, B)]
    for together, single in zip(both, alone, strict=True):
        assert together is not None
        assert single is not None
        assert together.p50 == pytest.approx(single.p50, abs=1.0)


# ---- what it takes into account --------------------------------------------------------------------


def test_an_idle_window_calls_at_once() -> None:
    assert wait(hall([idle(1), desk(2)])).p90 < 1


def test_a_visit_that_runs_late_is_expected_to_run_on() -> None:
    """Remaining life, not the mean less the time gone: that would be nothing long ago."""
    fresh, late, very_late = (wait(hall([desk(1, gone=gone)])).p50 for gone in (0.5, 15.0, 60.0))
    assert 5 < fresh < 11
    assert 1 < late < fresh
    assert very_late > 5


def test_a_planned_absence_is_waited_out() -> None:
    away = ((NOW + 5 * MINUTE, NOW + 65 * MINUTE),)
    assert wait(hall([desk(1, away=away)], queue_of(2))).p50 > 65
    assert wait(hall([desk(1)], queue_of(2))).p50 < 35


def test_a_window_that_closes_at_noon_serves_nobody_after() -> None:
    open_all_day = wait(hall([desk(1), desk(2)], queue_of(8)))
    closes = wait(hall([desk(1), desk(2, until=NOW + 10 * MINUTE)], queue_of(8)))
    assert closes.p50 > open_all_day.p50 * 1.4


def test_who_may_not_be_reached_before_closing_is_told_so() -> None:
    crowd = queue_of(12)
    until = NOW + 60 * MINUTE
    late = wait(hall([desk(1, until=until)], crowd, closing=60))
    assert late.beyond > 0.9
    assert late.p90 <= 60
    assert wait(hall([desk(1, until=until)], crowd[:1], closing=60)).beyond < 0.1


def test_people_of_another_queue_at_the_same_windows_count() -> None:
    others = [visitor(n, B) for n in range(6)]
    shared = wait(hall([desk(1, A, B), desk(2, A, B)], others))
    apart = wait(hall([desk(1, A), desk(2, A), desk(3, B)], others))
    assert shared.p50 > apart.p50 + 20


def test_long_items_ahead_count_for_more_than_short_ones() -> None:
    long, short = (wait(hall([desk(1)], queue_of(6, items=(one,)))).p50 for one in (CARE, CARD))
    assert long > short + 20


def test_several_items_on_one_ticket_take_their_sum() -> None:
    one, two = (
        wait(hall([desk(1)], queue_of(5, items=items))).p50 for items in ((CARE,), (CARE, CARD))
    )
    assert two == pytest.approx(one + 25, abs=4)


def test_a_slow_clerk_makes_people_wait_longer() -> None:
    learned = certain()
    learned.clerks = {StaffId("clerk1"): Effect(math.log(1.5), 0.0)}
    slow = wait(hall([desk(1)], queue_of(6)), learned=learned)
    assert slow.p50 == pytest.approx(1.5 * wait(hall([desk(1)], queue_of(6))).p50, rel=0.05)


def test_people_who_do_not_come_when_called_shorten_the_line() -> None:
    learned = certain()
    learned.absent = Share(40.0, 100.0)
    crowd = queue_of(10)
    assert (
        wait(hall([desk(1)], crowd), learned=learned).p50 < 0.75 * wait(hall([desk(1)], crowd)).p50
    )


def test_booked_people_who_are_due_are_waited_for_as_far_as_they_usually_come() -> None:
    def with_due(shows: float) -> float:
        due = [visitor(n, due=NOW + (5 + n) * MINUTE, shows=shows, line="booked") for n in range(4)]
        return wait(hall([desk(1)], queue_of(3), due=due)).p50

    assert with_due(0.0) == pytest.approx(wait(hall([desk(1)], queue_of(3))).p50, abs=2)
    assert with_due(1.0) > with_due(0.5) + 10 > with_due(0.0) + 20


def test_people_with_priority_who_will_still_come_are_expected() -> None:
    stream = Stream(queue=A, items=(CARE,), per_hour=12, head_start=60 * MINUTE)
    few = wait(hall([desk(1)], queue_of(3)))
    more = wait(hall([desk(1)], queue_of(3), streams=[stream]))
    assert more.p50 > few.p50 + 15
    soon_over = Stream(queue=A, items=(CARE,), per_hour=12, head_start=1 * MINUTE)
    assert wait(hall([desk(1)], queue_of(3), streams=[soon_over])).p50 < few.p50 + 6


def test_a_better_place_waits_less() -> None:
    crowd = queue_of(8)
    first = newcomer(since=NOW - 60 * MINUTE)
    assert wait(hall([desk(1)], crowd), first).p50 < 11 < wait(hall([desk(1)], crowd)).p50


def test_skills_appointments_and_bindings_decide_which_windows_count() -> None:
    desks = [desk(1), desk(2, skills=("seal",)), idle(3, booked_only=True)]
    crowd = queue_of(4)
    plain = wait(hall(desks, crowd)).p50
    assert wait(hall(desks, crowd), newcomer(skill="seal")).p50 > plain
    assert wait(hall(desks, crowd), newcomer(booked=True)).p50 < 1
    assert wait(hall(desks, crowd), newcomer(window=WindowId("w1"))).p50 > plain
    assert wait(hall(desks, crowd), newcomer(clerk=StaffId("clerk2"))).p50 > plain


def test_a_paused_window_comes_back() -> None:
    paused = desk(1, items=(), called=0, begun=0, pause=NOW - 4 * MINUTE)
    assert 1 < wait(hall([paused])).p50 < 30


def test_what_is_not_known_well_widens_the_interval() -> None:
    crowd = queue_of(12)
    known, new = wait(hall([desk(1)], crowd)), wait(hall([desk(1)], crowd), learned=Durations())
    assert new.p90 - new.p50 > 1.5 * (known.p90 - known.p50)


# ---- the rule of the hall -----------------------------------------------------------------------------


def test_a_rehearsal_with_the_plain_rule_says_what_the_plain_order_says() -> None:
    situation = hall(
        [desk(1, A, B), desk(2, A), desk(3, B)], [visitor(n, (A, B)[n % 2]) for n in range(14)]
    )
    plain = foresee(situation, facts(), [newcomer()])[0]
    rehearsed = foresee(situation, facts(), [newcomer()], earliest)[0]
    assert plain is not None
    assert rehearsed is not None
    assert rehearsed.p50 == pytest.approx(plain.p50, rel=0.08)


def test_a_rule_that_prefers_another_queue_makes_this_one_wait() -> None:
    def prefers_b(desk: Desk, visitors: Sequence[Visitor], now: Millis) -> int | None:
        return min(range(len(visitors)), key=lambda n: (visitors[n].queue != B, visitors[n].since))

    late_b = [newcomer(B, since=NOW + n) for n in range(5)]
    situation = hall([desk(1, A, B)], [visitor(0), *late_b])
    fair = foresee(situation, facts(), [newcomer()])[0]
    unfair = foresee(situation, facts(), [newcomer()], prefers_b)[0]
    assert fair is not None
    assert unfair is not None
    assert unfair.p50 > fair.p50 + 30


# ---- against a plain simulation of the same thing ---------------------------------------------------------


def test_quantiles_agree_with_a_brute_force_simulation() -> None:
    """Ten people, three windows, lognormal visits: twenty thousand runs of the textbook loop."""
    random, cv = Random(5), 0.5
    sigma = math.sqrt(math.log(1 + cv * cv))

    def draw() -> float:
        return 10 * random.lognormvariate(-sigma * sigma / 2, sigma)

    waits = []
    for _ in range(20_000):
        free = []
        for gone in (2.0, 6.0, 12.0):
            length = draw()
            while length <= gone:
                length = draw()
            free.append(length - gone)
        for _ in range(10):
            at = free.index(min(free))
            free[at] += draw()
        waits.append(min(free))
    waits.sort()
    desks = [desk(n, gone=gone) for n, gone in enumerate((2.0, 6.0, 12.0))]
    found = wait(hall(desks, queue_of(10)))
    assert found.p50 == pytest.approx(waits[10_000], rel=0.04)
    assert found.p90 == pytest.approx(waits[18_000], rel=0.08)


# ---- tables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [FINEST, COARSE, COARSEST])
@given(mean=st.floats(0.1, 200), cv=st.floats(0.1, 2), gone=st.floats(0, 500))
def test_what_is_left_of_a_visit_is_never_negative(
    design: object, mean: float, cv: float, gone: float
) -> None:
    left = remaining(design, mean, cv, gone)  # type: ignore[arg-type]
    assert all(one >= -1e-9 for one in left)
    assert left == sorted(left)


@given(mean=st.floats(1, 60), cv=st.floats(0.1, 1.5))
def test_the_mean_of_a_table_is_the_mean(mean: float, cv: float) -> None:
    table = turns(32, mean, cv, 0.0, 0.0, 0.0, 0.0)
    assert sum(table) / 32 == pytest.approx(mean)


def test_absent_people_and_people_who_stay_away_have_their_part_in_a_table() -> None:
    table = turns(32, 10.0, 0.5, 1.0, 0.25, 2.0, 0.5)
    assert table.count(0.0) == 16
    assert table.count(2.0) == 4
    assert min(one for one in table if one > 2.0) > 1.0
