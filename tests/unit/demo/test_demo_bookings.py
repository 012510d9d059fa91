"""Citizens of the demonstration have booked once a day, whatever the hour and however often it is started."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from demo_hall import TUESDAY, SmallHall
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine.days import MINUTE_MS, business_day
from hallserver.engine.state import BookingLife
from hallserver.hub.claims import bookings_of
from qingting.contract import commands as c
from qingting.contract.directives import PutBooking
from qingting.contract.ids import HallId, TicketId
from qingting.contract.states import BookingState
from qingting.demo.bookings import SampleBooking, Standing, sample_bookings, standing_of
from qingting.demo.builder import build_hall, hall_ids
from qingting.demo.report import tries
from qingting.kernel.security.seal import Sealer, new_key, parse_keys
from simulators.id_cards import DEMO_CARDS

SEALER = Sealer(parse_keys(new_key("k1")))
CONFIG = build_hall(HallId("saertu"))
DAY = 24 * 60
moments = st.integers(0, 3 * DAY).map(lambda minutes: TUESDAY + minutes * MINUTE_MS)


def started(now: int, *before: SampleBooking) -> tuple[SampleBooking, ...]:
    known = {one.booking.id: BookingLife(booking=one.booking) for one in before}
    return sample_bookings(CONFIG, SEALER, known, now)


def standings(found: tuple[SampleBooking, ...]) -> list[Standing]:
    return [one.standing for one in found]


def test_by_day_somebody_is_in_time_late_and_early() -> None:
    assert standings(started(TUESDAY)) == [
        Standing.DUE,
        Standing.DUE,
        Standing.LATE,
        Standing.EARLY,
    ]


@given(moments)
def test_at_any_hour_bookings_are_of_the_present_day_and_two_are_in_time(now: int) -> None:
    found = started(now)
    assert standings(found)[:2] == [Standing.DUE, Standing.DUE]
    for one in found:
        booking = one.booking
        assert booking.day == business_day(now, CONFIG)
        assert business_day(booking.start, CONFIG) == business_day(booking.end, CONFIG)
        assert business_day(booking.start, CONFIG) == booking.day
        assert booking.start < booking.end
        assert standing_of(CONFIG, booking, now) is one.standing


@given(moments, st.integers(0, 600))
def test_another_start_on_the_same_day_books_nobody_twice(first: int, minutes: int) -> None:
    before = started(first)
    later = first + minutes * MINUTE_MS
    after = started(later, *before)
    same_day = business_day(first, CONFIG) == business_day(later, CONFIG)
    ids = {one.booking.id for one in before} | {one.booking.id for one in after}
    assert len(ids) == (4 if same_day else 8)
    if same_day:
        assert [one.booking.code for one in after] == [one.booking.code for one in before]


def test_another_start_at_once_tells_the_hall_nothing_new() -> None:
    before = started(TUESDAY)
    after = started(TUESDAY + MINUTE_MS, *before)
    assert [one.booking for one in after] == [one.booking for one in before]
    assert not any(one.fresh for one in after)


def test_who_has_come_already_is_said_to_have_come_and_keeps_the_booking() -> None:
    here = started(TUESDAY)[0].booking
    life = BookingLife(booking=here, state=BookingState.ARRIVED, ticket=TicketId("t"))
    found = sample_bookings(CONFIG, SEALER, {here.id: life}, TUESDAY + 8 * 60 * MINUTE_MS)[0]
    assert (found.booking, found.standing, found.fresh) == (here, Standing.ARRIVED, False)


@pytest.mark.parametrize("hall", hall_ids(12))
def test_every_hall_takes_its_bookings_and_finds_them_by_the_holders_card(hall: HallId) -> None:
    small = SmallHall(hall, TUESDAY)
    assert small.state.config is not None
    found = sample_bookings(small.state.config, SEALER, {}, TUESDAY)
    assert found
    for no, one in enumerate(found, 1):
        assert one.card == DEMO_CARDS[one.card.id]
        small.do(c.ApplyDirective(no=no, directive=PutBooking(booking=one.booking)))
        lives = bookings_of(small.state, one.booking.person)
        assert [life.booking for life in lives] == [one.booking]
    small.do(
        c.IssueTicket(item=found[0].booking.items[0], token="t0000001", booking=found[0].booking.id)
    )
    assert small.state.bookings[found[0].booking.id].state is BookingState.ARRIVED


def test_no_booking_of_one_hall_is_taken_for_that_of_another() -> None:
    """The city keeps all of them, the same people book in each hall."""
    ids = [
        one.booking.id
        for hall in hall_ids(3)
        for one in sample_bookings(build_hall(hall), SEALER, {}, TUESDAY)
    ]
    assert len(ids) == len(set(ids)) == 12


def test_no_clear_name_or_number_is_in_what_the_city_sends() -> None:
    for one in started(TUESDAY):
        text = msgspec.json.encode(one.booking).decode()
        assert one.card.name not in text
        assert one.card.number not in text


def test_every_card_to_try_is_told_in_both_languages_with_time_and_code() -> None:
    found = started(TUESDAY)
    told = tries(CONFIG, found)
    assert [one.card for one in told] == [
        "citizen",
        "woman",
        "rare_name",
        "residence_permit",
        "elder",
    ]
    assert told[0].words.startswith("10:10 有预约：不动产转移登记")
    assert told[0].words_en.endswith("at 10:10")
    assert [one.code for one in told[:4]] == [one.booking.code for one in found]


def test_the_elder_of_the_demonstration_is_over_65() -> None:
    born = datetime.strptime(DEMO_CARDS["elder"].birth, "%Y%m%d").replace(tzinfo=UTC).date()
    assert (date(2026, 1, 1) - born).days > 65 * 366
    assert "elder" not in {one.card.id for one in started(TUESDAY)}
