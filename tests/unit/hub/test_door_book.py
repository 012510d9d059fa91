"""Refusals at the door reach the log once and then counted; nobody can fill it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.hub.door_book import (
    MOST_EVENTS,
    QUIET_SECONDS,
    DoorBook,
    TurnedAwayRefusal,
    address_class,
)
from qingting.contract.commands import RefuseDevice
from qingting.contract.ids import DeviceId
from qingting.contract.states import AddressClass, TurnedAway
from qingting.kernel.aio.clock import ManualClock

WRONG, UNKNOWN = TurnedAway.WRONG_KEY, TurnedAway.UNKNOWN_DEVICE
HOME = "192.168.1.20"


def refused(device: str, why: TurnedAway = WRONG) -> TurnedAwayRefusal:
    return TurnedAwayRefusal("hub.not_authenticated", why, DeviceId(device))


def tell(book: DoorBook) -> list[RefuseDevice]:
    told = book.due()
    for one in told:
        book.told(one)
    return told


async def test_the_first_refusal_is_told_at_once_and_the_others_counted_after_ten_minutes() -> None:
    clock = ManualClock()
    book = DoorBook(clock)
    book.note(refused("pad1"), HOME)
    assert [(one.device, one.why, one.count) for one in tell(book)] == [("pad1", WRONG, 1)]
    for _ in range(500):
        book.note(refused("pad1"), HOME)
    assert tell(book) == []
    await clock.advance(QUIET_SECONDS - 1)
    assert tell(book) == []
    await clock.advance(1)
    assert [one.count for one in tell(book)] == [500]
    await clock.advance(QUIET_SECONDS)
    assert tell(book) == []


async def test_what_the_log_did_not_take_stays_due_and_what_comes_meanwhile_is_not_lost() -> None:
    clock = ManualClock()
    book = DoorBook(clock)
    book.note(refused("pad1"), HOME)
    [command] = book.due()
    assert book.due() == [command]
    book.note(refused("pad1"), HOME)
    book.told(command)
    await clock.advance(QUIET_SECONDS)
    assert [one.count for one in tell(book)] == [1]


def test_reasons_and_devices_are_told_apart_and_invented_ids_are_not() -> None:
    book = DoorBook(ManualClock())
    book.note(refused("pad1"), HOME)
    book.note(refused("pad1", TurnedAway.COPIED_KEY), HOME)
    for number in range(1000):
        book.note(refused(f"made-up-{number}", UNKNOWN), HOME)
    told = tell(book)
    assert [(one.device, one.why, one.count) for one in told] == [
        ("pad1", WRONG, 1),
        ("pad1", TurnedAway.COPIED_KEY, 1),
        ("made-up-0", UNKNOWN, 1000),
    ]


@given(
    knocks=st.lists(
        st.tuples(
            st.integers(0, 60), st.sampled_from(list(TurnedAway)), st.floats(0, QUIET_SECONDS)
        ),
        max_size=200,
    )
)
async def test_no_span_of_ten_minutes_has_more_than_the_most_events_and_every_knock_is_counted(
    knocks: list[tuple[int, TurnedAway, float]],
) -> None:
    clock = ManualClock()
    book = DoorBook(clock)
    told: list[tuple[float, int]] = []
    for number, why, pause in knocks:
        book.note(refused(f"pad{number}", why), HOME)
        told += [(clock.monotonic(), one.count) for one in tell(book)]
        await clock.advance(pause)
    for _ in range(len(knocks) + 1):
        await clock.advance(QUIET_SECONDS)
        told += [(clock.monotonic(), one.count) for one in tell(book)]
    for at, _ in told:
        assert sum(at <= other < at + QUIET_SECONDS for other, _ in told) <= MOST_EVENTS
    assert sum(count for _, count in told) == len(knocks)


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("127.0.0.1", AddressClass.THIS_MACHINE),
        ("::1", AddressClass.THIS_MACHINE),
        ("::ffff:192.168.3.4", AddressClass.OWN_NETWORK),
        ("10.1.2.3", AddressClass.OWN_NETWORK),
        ("fe80::1", AddressClass.OWN_NETWORK),
        ("8.8.8.8", AddressClass.ELSEWHERE),
        ("::ffff:8.8.8.8", AddressClass.ELSEWHERE),
        ("?", AddressClass.ELSEWHERE),
    ],
)
def test_an_address_becomes_a_class(address: str, where: AddressClass) -> None:
    assert address_class(address) is where
