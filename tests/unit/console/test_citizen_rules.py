"""What citizens are told about halls, and what keeps their side from being misused: pure rules."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.codes import resident_number
from console.halls.api import Spot
from console.modules.appointments.api import Appointment, Channel, FreeDay, FreePlace, Life
from console.modules.citizens.api import Level
from console.modules.citizens.booking import calendar_file, nearest_free, pick_up, shown_days
from console.modules.citizens.domain import Door, inside, kilometres, opening
from console.modules.citizens.limits import Limiter
from console.modules.citizens.people import (
    checked_mail,
    checked_phone,
    mask_mail,
    told,
)
from console.modules.organisation.domain import read_spot
from qingting.contract.calendar import Period
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId
from qingting.contract.people import mask_phone
from qingting.contract.states import Language
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


class OneMeasure:
    """The measure that workers share, without a database."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._used: dict[str, tuple[float, float]] = {}
        self.asked = 0

    async def take(self, key: str, cost: float, most: float) -> float:
        self.asked += 1
        now = self._clock.monotonic()
        used, at = self._used.get(key, (0.0, now))
        used = max(0.0, used - (now - at) * most / 60)
        if used + cost > most:
            return used + cost - most
        self._used[key] = (used + cost, now)
        return 0.0


async def let_through(limiter: Limiter, key: str, most: int) -> int:
    """How many of ``most`` requests at once."""
    for count in range(most):
        try:
            await limiter.take(key)
        except Refusal as refusal:
            assert refusal.code == "citizen.too_many"
            assert refusal.params["seconds"] in (1, 20)
            return count
    return most


async def test_who_hammers_waits_and_the_others_do_not() -> None:
    clock = ManualClock()
    limiter = Limiter(clock, OneMeasure(clock), "address", 60)
    assert await let_through(limiter, "a", 100) == 53
    assert await let_through(limiter, "b", 5) == 5
    await clock.advance(6)
    await limiter.take("a", 5)
    with pytest.raises(Refusal):
        await limiter.take("a")
    await Limiter(clock, OneMeasure(clock), "address", 0).take("a", 10_000)


@pytest.mark.parametrize("workers", [1, 2, 4, 8])
@pytest.mark.parametrize("per_minute", [3, 60, 240, 3000])
async def test_all_workers_together_let_no_more_through_than_was_set(
    workers: int, per_minute: int
) -> None:
    clock = ManualClock()
    shared = OneMeasure(clock)
    limiters = [Limiter(clock, shared, "browser", per_minute) for _ in range(workers)]
    came = [await let_through(one, "a", per_minute + 1) for one in limiters]
    assert per_minute * 3 // 4 - 1 <= sum(came) <= per_minute


async def test_what_ordinary_people_do_does_not_reach_the_database() -> None:
    clock = ManualClock()
    shared = OneMeasure(clock)
    limiter = Limiter(clock, shared, "browser", 240)
    for _ in range(60):
        await limiter.take("a")
        await clock.advance(10)
    assert shared.asked == 0
    for _ in range(100):
        await limiter.take("a")
    assert shared.asked <= 6


def test_a_place_is_read_as_people_paste_it_and_anything_else_is_refused() -> None:
    assert read_spot(" 46.6317，125.0832 ") == Spot(46.6317, 125.0832)
    assert read_spot("46 125") == Spot(46, 125)
    assert read_spot("  ") is None
    for text in ("125.08, 46.63 N", "91, 10", "10, 181", "46.63", "nan, 1"):
        with pytest.raises(Refusal) as refused:
            read_spot(text)
        assert refused.value.code == "hall.spot"


NATURAL = {
    "person_kind": "natural",
    "name": "张示例",
    "certificate_kind": "resident_id",
    "certificate_number": "230602199001011238",
    "phone_number": "+86 13800000101",
    "assurance_level": "face",
}


def test_the_sign_on_says_who_a_natural_person_is() -> None:
    one = told(NATURAL)
    assert (one.name, one.number, one.phone, one.level) == (
        "张示例", "230602199001011238", "13800000101", Level.FACE,
    )  # fmt: skip
    assert "张示例" not in repr(one)


def test_an_agent_acts_for_the_firms_that_can_be_read_and_for_each_once() -> None:
    firm = {"name": "示例公司", "uscc": "91230600ma1b2c3d4x"}
    claims = {**NATURAL, "person_kind": "agent", "acts_for": [firm, firm, {"name": "无码"}, "x"]}
    assert [one.code for one in told(claims).firms] == ["91230600MA1B2C3D4X"]
    assert told({**NATURAL, "acts_for": [firm]}).firms == (), "a natural person acts for nobody"


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        ({"person_kind": "robot"}, "person_kind"),
        ({"name": ""}, "name"),
        ({"name": ["a"]}, "name"),
        ({"certificate_kind": "library_card"}, "certificate_kind"),
        ({"certificate_number": "'; --"}, "certificate_number"),
        ({"person_kind": "legal", "uscc": "1"}, "uscc"),
    ],
)
def test_claims_that_do_not_say_who_somebody_is_let_nobody_in(
    changed: dict[str, object], claim: str
) -> None:
    with pytest.raises(Refusal) as refused:
        told({**NATURAL, **changed})
    assert (refused.value.code, refused.value.params) == ("citizen.claims", {"claim": claim})


def test_an_unknown_level_is_the_weakest_and_a_bad_phone_is_none() -> None:
    one = told({**NATURAL, "assurance_level": "god", "phone_number": "110"})
    assert (one.level, one.phone) == (Level.BASIC, "")


@given(st.from_regex(r"[1-9][0-9]{16}", fullmatch=True), st.sampled_from("0123456789X"))
def test_of_eleven_last_characters_exactly_one_fits_a_residents_number(
    first: str, last: str
) -> None:
    fitting = [one for one in "0123456789X" if resident_number(first + one)]
    assert len(fitting) == 1
    assert resident_number(first + last) == (last == fitting[0])


def test_what_is_shown_of_an_address_does_not_give_it_away() -> None:
    assert mask_phone("13812345678") == "138****5678"
    assert mask_mail("zhang@city.example") == "z***@city.example"
    assert (mask_phone(""), mask_mail("")) == ("", "")
    for text in ("12345", "23800000000", "1380000000a"):
        with pytest.raises(Refusal):
            checked_phone(text)
    for text in ("a@b", "a b@c.d", "@c.d", "a@c..d"):
        with pytest.raises(Refusal):
            checked_mail(text)


PLACES = st.builds(
    lambda hour, free, why: FreePlace(
        start=f"{hour:02d}:00", end=f"{hour:02d}:30", free=0 if why else free, why=why
    ),
    st.integers(8, 16), st.integers(0, 3), st.sampled_from(("", "", "full", "too_soon")),
)  # fmt: skip
DAYS = st.lists(
    st.tuples(st.integers(0, 9), st.lists(PLACES, max_size=5)), max_size=6, unique_by=lambda x: x[0]
).map(lambda rows: [FreeDay(day=MONDAY + timedelta(n), places=tuple(p)) for n, p in rows])
MONDAY = date(2026, 11, 23)


@given(DAYS, st.integers(0, 9), st.integers(8, 16))
def test_who_was_slower_is_offered_the_nearest_times_that_are_really_free(
    days: list[FreeDay], after: int, hour: int
) -> None:
    day, start = MONDAY + timedelta(after), f"{hour:02d}:00"
    offered = nearest_free(days, day, start)
    free = {
        (one.day, place.start)
        for one in days
        for place in one.places
        if place.free and not place.why
    } - {(day, start)}
    assert {(one.day, one.place.start) for one in offered} <= free
    assert (
        len({(one.day, one.place.start) for one in offered}) == min(3, len(free))
        or len(offered) == 3
    )

    def distance(when: date, clock: str) -> int:
        return abs((when - day).days * 1440 + (int(clock[:2]) - hour) * 60)

    ways = [distance(one.day, one.place.start) for one in offered]
    assert ways == sorted(ways)
    if offered:
        others = free - {(one.day, one.place.start) for one in offered}
        assert all(distance(*one) >= ways[-1] for one in others)


def test_days_that_nobody_can_book_yet_are_said_once_and_not_listed() -> None:
    days = [FreeDay(day=MONDAY + timedelta(n), why="too_far" if n > 2 else "") for n in range(9)]
    assert [one.day.day for one in shown_days(days)] == [23, 24, 25, 26]
    assert shown_days([]) == []


APPOINTMENT = Appointment(
    id="b-1", code="opaque-code", citizen="c", state=Life.BOOKED, hall=HallId("saertu"),
    hall_name="萨尔图区政务服务中心", hall_name_en="Saertu Centre", address="会战大街 1 号, 2 楼; 东门",
    phone="", items=(ItemId("card"),), item_name="社会保障卡补办" * 8, item_name_en="", department="rsj",
    department_name="", department_name_en="", day=MONDAY, start="09:00", end="09:30",
    start_at=1_795_395_600_000, end_at=1_795_397_400_000, party=1, masked_name="张*例",
    masked_number="230602********1238", channel=Channel.WEB, made_at=1, held_until=0, cancel_until=0,
    early_minutes=30, late_minutes=15, ticket="", late=False, reason="", words="", refused="", revision=2,
)  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("09:00", "09:30", ("08:30", "09:45")),
        ("00:10", "00:40", ("00:00", "00:55")),
        ("23:30", "24:00", ("23:00", "24:00")),
    ],
)
def test_the_time_to_take_a_number_is_told_by_the_clock_and_ends_after_the_period(
    start: str, end: str, told: tuple[str, str]
) -> None:
    one = replace(APPOINTMENT, start=start, end=end)
    assert pick_up(one, APPOINTMENT.end_at + 15 * 60_000) == (*told, False)
    assert pick_up(one, APPOINTMENT.end_at + 15 * 60_000 + 1) == (*told, True)


def test_a_calendar_file_says_when_and_where_and_names_nobody() -> None:
    text = calendar_file(APPOINTMENT, Language.ZH, 1_795_395_600_000)
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert text.endswith("END:VCALENDAR\r\n")
    assert all(len(one.encode()) <= 75 for one in lines)
    whole = text.replace("\r\n ", "")
    assert "DTSTART:20261123T010000Z" in whole
    assert "SUMMARY:" + "社会保障卡补办" * 8 + " · 萨尔图区政务服务中心" in whole
    assert "会战大街 1 号\\, 2 楼\\; 东门" in whole
    for secret in ("张*例", "230602", "opaque-code"):
        assert secret not in whole
