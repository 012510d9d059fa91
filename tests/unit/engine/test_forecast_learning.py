"""What a hall learns of durations, arrivals and its own forecasts."""

import math
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine.forecast import arrivals as coming
from hallserver.engine.forecast import calibration as calibrating
from hallserver.engine.forecast import durations as learning
from hallserver.engine.forecast.arrivals import Arrivals
from hallserver.engine.forecast.calibration import (
    MIDDLE_BOUND,
    REACH_BOUND,
    Calibration,
    Made,
    Told,
)
from hallserver.engine.forecast.durations import Durations
from qingting.contract.ids import ItemId, QueueId, StaffId
from qingting.contract.states import WaitBasis

SHORT, LONG, NEW = ItemId("short"), ItemId("long"), ItemId("new")
FAST, SLOW = StaffId("fast"), StaffId("slow")
A = QueueId("a")
HOUR = 3_600_000


def visits(
    learned: Durations, item: ItemId, clerk: StaffId, minutes: float, count: int, seed: int = 0
) -> None:
    """``count`` visits of ``minutes`` on average; every item is configured with ten."""
    random = Random(f"{item}{clerk}{seed}")
    for _ in range(count):
        length = random.gammavariate(4, minutes / 4)
        learning.observe_visit(learned, item, clerk, 4, minutes=length, typical=10.0)


# ---- durations ----------------------------------------------------------------------------------


def test_each_item_is_learned_beyond_what_is_configured() -> None:
    learned = Durations()
    visits(learned, SHORT, FAST, 5.0, 200)
    visits(learned, LONG, FAST, 25.0, 200)
    factor = learning.pace(learned, FAST)
    assert factor * learning.expected_minutes(learned, SHORT, 10.0) == pytest.approx(5, rel=0.12)
    assert factor * learning.expected_minutes(learned, LONG, 10.0) == pytest.approx(25, rel=0.12)


def test_an_item_never_seen_takes_the_hall_s_level() -> None:
    learned = Durations()
    for n in range(6):
        visits(learned, ItemId(f"item{n}"), FAST, 15.0, 100)
    factor = learning.pace(learned, FAST)
    assert 12 < factor * learning.expected_minutes(learned, NEW, 10.0) < 16


def test_one_odd_visit_moves_an_item_only_a_little_and_many_move_it_far() -> None:
    once, often = Durations(), Durations()
    for learned in (once, often):
        visits(learned, SHORT, FAST, 10.0, 100)
    visits(once, LONG, FAST, 40.0, 1)
    visits(often, LONG, FAST, 40.0, 100)
    assert learning.expected_minutes(once, LONG, 10.0) < 25
    assert learning.expected_minutes(often, LONG, 10.0) > 32


def test_clerks_are_told_apart_from_the_items_they_serve() -> None:
    learned = Durations()
    for n in range(60):
        visits(learned, SHORT, FAST, 7.0, 1, seed=n)
        visits(learned, SHORT, SLOW, 14.0, 1, seed=n)
    ratio = learning.pace(learned, SLOW) / learning.pace(learned, FAST)
    assert ratio == pytest.approx(2, rel=0.25)


def test_somebody_who_forgets_to_press_finish_does_not_spoil_the_mean() -> None:
    learned = Durations()
    visits(learned, SHORT, FAST, 10.0, 100)
    before = learning.expected_minutes(learned, SHORT, 10.0)
    learning.observe_visit(learned, SHORT, FAST, 4, minutes=2_000.0, typical=10.0)
    assert learning.expected_minutes(learned, SHORT, 10.0) < before * 1.25


def test_long_waits_that_people_give_up_on_are_learned_apart() -> None:
    learned = Durations()
    for n in range(200):
        learning.observe_call(learned, 5.0, came=n % 20 != 0)
        learning.observe_call(learned, 70.0, came=n % 2 != 0)
    assert learning.absence(learned, 3.0) < 0.1
    assert learning.absence(learned, 80.0) > 0.4
    assert learning.absence(learned, 35.0) == pytest.approx(learned.absent.value)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([SHORT, LONG]),
            st.sampled_from([FAST, SLOW, None]),
            st.floats(0, 10_000),
        ),
        max_size=60,
    ),
    st.integers(0, 3),
)
def test_whatever_happens_what_is_learned_stays_sane_and_is_plain_data(
    seen: list[tuple[ItemId, StaffId | None, float]], nights: int
) -> None:
    learned = Durations()
    for item, clerk, minutes in seen:
        learning.observe_visit(learned, item, clerk, 4, minutes=minutes, typical=10.0)
    for _ in range(nights):
        learning.night(learned)
    levels = [learning.item_level(learned, one) for one in (SHORT, LONG, NEW)]
    effects = [learned.today, *levels, *learned.clerks.values()]
    assert all(0 < one.var < 1 for one in effects)
    for item in (SHORT, LONG):
        assert 0.05 < learning.expected_minutes(learned, item, 10.0) < 500
        assert learning.variation(learned, item) >= 0
    assert msgspec.json.decode(msgspec.json.encode(learned), type=Durations) == learned


def test_a_night_makes_what_was_learned_less_certain_and_keeps_it() -> None:
    learned = Durations()
    visits(learned, SHORT, FAST, 20.0, 200)
    before = learning.item_level(learned, SHORT)
    learning.night(learned)
    after = learning.item_level(learned, SHORT)
    assert after.mean == pytest.approx(before.mean, abs=0.05)
    assert after.var > before.var


# ---- arrivals -----------------------------------------------------------------------------------


def test_rates_are_learned_by_hour_and_class() -> None:
    learned = Arrivals()
    for day in range(5):
        begin = 1_000 * HOUR + day * 24 * HOUR
        for hour, count in ((9, 30), (10, 6)):
            for n in range(count):
                kind = "elderly" if n % 6 == 0 else "ordinary"
                now = begin + hour * HOUR + n * HOUR // count
                coming.observe_arrival(learned, A, kind, hour, now)
        coming.night(learned)
    assert coming.per_hour(learned, A, "elderly", 9) == pytest.approx(5, rel=0.25)
    assert coming.per_hour(learned, A, "elderly", 10) < 2.5
    assert coming.per_hour(learned, A, "soldier", 9) == 0
    assert coming.per_hour(learned, QueueId("b"), "elderly", 9) == 0


def test_a_night_or_a_closed_hall_is_not_time_without_visitors() -> None:
    learned = Arrivals()
    coming.observe_arrival(learned, A, "ordinary", 9, 10 * HOUR)
    coming.observe_arrival(learned, A, "ordinary", 9, 26 * HOUR)
    assert sum(learned.watched.values()) == coming.LONGEST_STEP


# ---- calibration --------------------------------------------------------------------------------


def made(p50: float, p90: float, rule: float = 0.0) -> Made:
    return Made(p50, p90, rule, Told(p50, p90, WaitBasis.SIMULATION))


def score(
    learned: Calibration, wait: float, p50: float, p90: float, rule: float, count: int
) -> None:
    for _ in range(count):
        calibrating.observe(learned, A, SHORT, wait, made(p50, p90, rule))


def test_a_p90_that_holds_too_seldom_is_put_further_away_and_one_that_always_holds_nearer() -> None:
    tight, loose = Calibration(), Calibration()
    score(tight, 30.0, 10.0, 20.0, 15.0, 15)
    score(loose, 5.0, 10.0, 20.0, 15.0, 60)
    assert calibrating.corrected(tight, A, 10.0, 20.0)[1] > 21
    assert calibrating.corrected(loose, A, 10.0, 20.0)[1] < 19


def test_in_the_long_run_nine_waits_in_ten_are_within_the_p90() -> None:
    random, learned = Random(3), Calibration()
    inside = []
    for _ in range(3_000):
        wait = 10 + random.expovariate(1 / 8)
        p50, p90 = calibrating.corrected(learned, A, 15.0, 23.0)
        calibrating.observe(learned, A, SHORT, wait, made(p50, p90, 15.0))
        inside.append(wait <= p90)
    assert sum(inside[1_000:]) / 2_000 == pytest.approx(0.9, abs=0.02)


def test_a_middle_that_is_off_every_day_is_corrected_over_some_nights_and_not_within_a_day() -> (
    None
):
    learned = Calibration()
    for _ in range(8):
        p50, p90 = calibrating.corrected(learned, A, 20.0, 35.0)
        score(learned, 28.0, p50, p90, 20.0, 150)
        assert calibrating.corrected(learned, A, 20.0, 35.0)[0] == p50
        calibrating.night(learned)
    assert calibrating.corrected(learned, A, 20.0, 35.0)[0] == pytest.approx(26.5, abs=2)


@given(st.lists(st.tuples(st.floats(0, 1_000), st.floats(0, 1_000)), max_size=80))
def test_corrections_stay_within_their_bounds_and_intervals_in_order(
    seen: list[tuple[float, float]],
) -> None:
    learned = Calibration()
    for wait, p50 in seen:
        calibrating.observe(learned, A, SHORT, wait, made(p50, p50 + 5))
        calibrating.night(learned)
    p50, p90 = calibrating.corrected(learned, A, 10.0, 20.0)
    assert math.exp(-MIDDLE_BOUND) * 9.99 < p50 < math.exp(MIDDLE_BOUND) * 10.01
    assert p50 < p90 <= math.exp(MIDDLE_BOUND) * (10 + 10 * math.exp(REACH_BOUND)) + 0.01
    assert msgspec.json.decode(msgspec.json.encode(learned), type=Calibration) == learned


def test_an_item_whose_p90_fails_is_told_with_a_wide_margin_and_marked() -> None:
    learned = Calibration()
    score(learned, 40.0, 30.0, 32.0, 10.0, calibrating.ENOUGH - 1)
    assert (
        calibrating.tell(learned.items.get(SHORT), 10.0, 20.0, 25.0).basis is WaitBasis.SIMULATION
    )
    score(learned, 40.0, 30.0, 32.0, 10.0, 1)
    told = calibrating.tell(learned.items.get(SHORT), 10.0, 12.0, 25.0)
    assert told.basis is WaitBasis.WIDE
    assert told.p50 == 10.0
    assert told.p90 >= 35.0
    assert calibrating.tell(learned.items.get(LONG), 10.0, 20.0, 25.0).basis is WaitBasis.SIMULATION


def test_an_item_for_which_the_average_is_nearer_falls_back_to_it_and_says_so() -> None:
    learned = Calibration()
    score(learned, 40.0, 10.0, 20.0, 25.0, calibrating.ENOUGH)
    told = calibrating.tell(learned.items.get(SHORT), 10.0, 20.0, 26.0)
    assert told.basis is WaitBasis.AVERAGE
    assert told.p50 == 26.0
    assert told.p90 >= 26.0 + 2 * 15.0


def test_a_middle_much_worse_than_the_average_rule_falls_back_too() -> None:
    learned = Calibration()
    score(learned, 10.0, 30.0, 60.0, 14.0, calibrating.ENOUGH)
    assert learned.items[SHORT].bad


def test_a_forecast_that_is_right_again_comes_back() -> None:
    learned = Calibration()
    score(learned, 40.0, 10.0, 20.0, 25.0, calibrating.ENOUGH)
    assert learned.items[SHORT].bad
    score(learned, 15.0, 14.0, 20.0, 25.0, 30)
    assert learned.items[SHORT].bad
    score(learned, 15.0, 14.0, 20.0, 25.0, 150)
    assert not learned.items[SHORT].bad


def test_small_errors_are_no_reason_to_fall_back() -> None:
    learned = Calibration()
    score(learned, 1.0, 3.0, 4.0, 1.0, 100)
    assert not learned.items[SHORT].bad
