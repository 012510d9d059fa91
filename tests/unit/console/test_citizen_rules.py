"""What citizens are told about halls, and what keeps their side from being misused: pure rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.halls.api import Spot
from console.modules.citizens.domain import Door, inside, kilometres, opening
from console.modules.citizens.limits import Limiter
from console.modules.organisation.domain import read_spot
from qingting.contract.calendar import Period
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock

DAY = (Period(start="08:30", end="11:30"), Period(start="13:30", end="17:00"))
spots = st.builds(Spot, st.floats(-90, 90, allow_nan=False), st.floats(-180, 180, allow_nan=False))


@pytest.mark.parametrize(
    ("clock", "door", "at"),
    [
        ("07:00", Door.LATER, "08:30"),
        ("08:30", Door.OPEN, "11:30"),
        ("11:30", Door.BREAK, "13:30"),
        ("16:59", Door.OPEN, "17:00"),
        ("17:00", Door.OVER, ""),
    ],
)
def test_the_door_of_a_hall_follows_its_hours(clock: str, door: Door, at: str) -> None:
    now = opening(DAY, clock)
    assert (now.door, now.at) == (door, at)
    assert opening(tuple(reversed(DAY)), clock) == now


def test_hours_that_nobody_set_are_unknown_and_not_closed() -> None:
    assert opening(None, "10:00").door is Door.UNKNOWN
    assert opening((), "10:00").door is Door.CLOSED


@given(spots, spots)
def test_a_distance_is_the_same_both_ways_and_never_longer_than_half_the_earth(
    one: Spot, other: Spot
) -> None:
    there = kilometres(one, other)
    assert there == pytest.approx(kilometres(other, one), abs=1e-6)
    assert 0 <= there <= 20_016


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert kilometres(Spot(46, 125), Spot(47, 125)) == pytest.approx(111.2, abs=0.1)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example", "/\\evil.example", "https://evil.example/c", "/c//evil.example", "/c/../accounts",
        "/cx", "/", "", "/c\nSet-Cookie: a=b", "javascript:alert(1)", "/c\\..\\login", "/c/\x00",
    ],
)  # fmt: skip
def test_after_a_login_nobody_is_led_away_from_citizens_pages(path: str) -> None:
    assert inside(path, "/c") == "/c"


def test_after_a_login_one_comes_back_to_where_one_was() -> None:
    assert inside("/c/items?q=身份证&page=2", "/c") == "/c/items?q=身份证&page=2"
    assert inside("/c", "/c") == "/c"


async def test_who_hammers_waits_and_the_others_do_not() -> None:
    clock = ManualClock()
    limiter = Limiter(clock, 60)
    for _ in range(60):
        limiter.take("a")
    with pytest.raises(Refusal) as refused:
        limiter.take("a")
    assert (refused.value.code, refused.value.params["seconds"]) == ("citizen.too_many", 1)
    limiter.take("b")
    await clock.advance(5)
    limiter.take("a", 5)
    with pytest.raises(Refusal):
        limiter.take("a")
    Limiter(clock, 0).take("a", 10_000)


def test_a_place_is_read_as_people_paste_it_and_anything_else_is_refused() -> None:
    assert read_spot(" 46.6317，125.0832 ") == Spot(46.6317, 125.0832)
    assert read_spot("46 125") == Spot(46, 125)
    assert read_spot("  ") is None
    for text in ("125.08, 46.63 N", "91, 10", "10, 181", "46.63", "nan, 1"):
        with pytest.raises(Refusal) as refused:
            read_spot(text)
        assert refused.value.code == "hall.spot"
