"""The pressure value: its check value, its bounds, and that more waiting never lowers it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine.pressure import (
    Load,
    expected_minutes,
    pressure,
    probability_of_waiting,
    steady_wait,
    terms,
    windows_needed,
)

CHECK = Load(arrivals_per_minute=40 / 60, service_minutes=12, windows=10, waiting=0)
LOADS = st.builds(
    Load,
    arrivals_per_minute=st.floats(0, 20),
    service_minutes=st.floats(0.5, 120),
    windows=st.integers(0, 60),
    waiting=st.integers(0, 500),
    missed=st.integers(0, 50),
    called=st.integers(0, 400),
    seats=st.none() | st.integers(0, 300),
    crowd=st.integers(0, 800),
)


def changed(load: Load, **values: float) -> Load:
    return Load(**({name: getattr(load, name) for name in load.__slots__} | values))


def test_the_check_value_of_the_model_comes_out() -> None:
    assert CHECK.load == pytest.approx(0.8)
    assert probability_of_waiting(10, CHECK.offered) == pytest.approx(0.4092, abs=5e-5)
    assert steady_wait(CHECK, 10) == pytest.approx(2.455, abs=5e-4)
    assert expected_minutes(CHECK) == pytest.approx(2.455, abs=5e-4)


def test_the_terms_of_the_check_value_add_up() -> None:
    load = Load(
        arrivals_per_minute=40 / 60, service_minutes=12, windows=10, waiting=12, missed=2,
        called=20, seats=40,
    )  # fmt: skip
    parts = {name: points for name, (points, _) in terms(load).items()}
    assert parts["load"] == pytest.approx(100 * 0.4 * 0.8 / 1.5)
    assert parts["wait"] == pytest.approx(100 * 0.3 * (12 * 12 / 10 / 15) / 2)
    assert parts["seats"] == pytest.approx(100 * 0.2 * 12 / 40)
    assert parts["missed"] == pytest.approx(100 * 0.1 * 2 / 20)
    assert pressure(load) == pytest.approx(sum(parts.values()))


def test_overload_is_what_the_horizon_piles_up() -> None:
    load = Load(arrivals_per_minute=1, service_minutes=10, windows=8, waiting=4)
    assert expected_minutes(load) == pytest.approx(4 * 10 / 8 + (1 - 0.8) * 30 * 10 / 16)


def test_an_empty_hall_has_no_pressure_and_one_that_nobody_serves_has_much() -> None:
    nobody = Load(arrivals_per_minute=0, service_minutes=10, windows=0, waiting=0)
    assert pressure(nobody) == 0
    unserved = Load(arrivals_per_minute=3 / 30, service_minutes=10, windows=0, waiting=3)
    assert pressure(unserved) > 75


def test_the_hall_s_seats_count_everybody_who_waits_there() -> None:
    load = Load(arrivals_per_minute=0, service_minutes=10, windows=1, waiting=1, seats=40, crowd=30)
    assert terms(load)["seats"] == pytest.approx((100 * 0.2 * 30 / 40, 20))


def test_the_windows_needed_keep_the_wait_within_the_target_and_one_fewer_does_not() -> None:
    needed = windows_needed(CHECK)
    assert steady_wait(CHECK, needed) <= CHECK.target_minutes < steady_wait(CHECK, needed - 1)


@given(load=LOADS)
def test_it_is_a_number_between_nothing_and_a_hundred(load: Load) -> None:
    value = pressure(load)
    assert math.isfinite(value)
    assert 0 <= value <= 100
    assert sum(most for _, most in terms(load).values()) == pytest.approx(100)


@given(load=LOADS, more=st.integers(1, 50))
def test_more_people_waiting_never_lower_it(load: Load, more: int) -> None:
    assert pressure(changed(load, waiting=load.waiting + more)) >= pressure(load) - 1e-9


@given(load=LOADS)
def test_one_person_more_adds_no_more_than_their_own_time_and_seat(load: Load) -> None:
    minutes = load.service_minutes / (load.windows or 0.5)
    share = 30 * minutes / (2 * load.target_minutes) + (20 / load.seats if load.seats else 0)
    known = 100 if load.seats else 80
    step = pressure(changed(load, waiting=load.waiting + 1)) - pressure(load)
    assert step <= 100 * share / known + 1e-9


@given(load=LOADS, more=st.floats(0, 5))
def test_more_arrivals_never_lower_it(load: Load, more: float) -> None:
    fuller = changed(load, arrivals_per_minute=load.arrivals_per_minute + more)
    assert pressure(fuller) >= pressure(load) - 1e-9


@given(load=LOADS.filter(lambda load: load.windows > 0))
def test_it_does_not_jump_at_full_load(load: Load) -> None:
    full = load.windows / load.service_minutes
    below, above = (
        pressure(changed(load, arrivals_per_minute=full * one)) for one in (1 - 1e-6, 1 + 1e-6)
    )
    assert abs(above - below) < 0.01


@given(load=LOADS)
def test_a_further_window_never_lengthens_the_settled_wait(load: Load) -> None:
    windows = max(1, load.windows)
    assert steady_wait(load, windows + 1) <= steady_wait(load, windows) + 1e-9
