"""What the city tells a hall about people opens in that hall and in the city, nowhere else; keys can follow each other."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.core.sealing import SETTLE_SECONDS, KeyFile
from hallserver.link.city_people import CityPeople
from qingting.contract.bookings import Booking
from qingting.contract.directives import ForgetPerson, PutBooking
from qingting.contract.ids import BookingId, ItemId
from qingting.contract.people import NOBODY
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.persons import (
    for_hall,
    hand_over,
    open_person,
    receive,
    seal_person,
    taken_over,
)
from qingting.kernel.security.seal import (
    Sealer,
    SealError,
    key_of,
    load_or_create_sealer,
    new_key,
    parse_keys,
    write_keys,
)

NUMBER = "230602199001011238"


def a_sealer() -> Sealer:
    return Sealer(parse_keys(new_key("k1")))


def booking_for(sealer: Sealer) -> PutBooking:
    person = seal_person(sealer, CertificateKind.RESIDENT_ID, "张小三", NUMBER)
    return PutBooking(
        booking=Booking(
            id=BookingId("b-1"),
            code="code-0001",
            day="2026-11-26",
            start=0,
            end=1,
            items=(ItemId("one"),),
            person=person,
        )
    )


def test_a_person_told_to_one_hall_opens_in_no_other_and_not_with_the_citys_own_key() -> None:
    city = a_sealer()
    person = seal_person(for_hall(city, "saertu"), CertificateKind.RESIDENT_ID, "张小三", NUMBER)
    assert open_person(for_hall(city, "saertu"), person) == ("张小三", NUMBER)
    for stranger in (for_hall(city, "longfeng"), city, for_hall(a_sealer(), "saertu")):
        assert stranger.blind_index(NUMBER) != person.index
        with pytest.raises(SealError):
            open_person(stranger, person)


def test_a_hall_takes_the_keys_from_its_box_and_its_own_index_finds_whom_the_city_books() -> None:
    city, own, other = a_sealer(), a_sealer(), a_sealer()
    here, there = CityPeople(own), CityPeople(other)
    box = hand_over(city, "saertu", here.box_key)
    here.welcome(box)
    there.welcome(box)
    put = booking_for(for_hall(city, "saertu"))
    adopted = here.adopt(put)
    assert isinstance(adopted, PutBooking)
    assert adopted.booking.person.index == own.blind_index(NUMBER)
    assert open_person(own, adopted.booking.person) == ("张小三", NUMBER)
    # Whoever cannot open it keeps it as it came: its code still works.
    assert there.adopt(put) == put
    with pytest.raises(SealError):
        receive(b"x" * 32, box)


def test_what_is_no_booking_or_of_another_key_stays_as_it_came() -> None:
    city, own = a_sealer(), a_sealer()
    people = CityPeople(own)
    people.welcome(hand_over(city, "saertu", people.box_key))
    foreign = booking_for(a_sealer())
    assert people.adopt(foreign) == foreign
    assert people.adopt(None) is None
    assert CityPeople(None).box_key == ""


@settings(max_examples=25)
@given(number=st.text(min_size=1, max_size=30), name=st.text(min_size=1, max_size=20))
def test_taking_over_keeps_name_and_number(number: str, name: str) -> None:
    city, own = a_sealer(), a_sealer()
    person = seal_person(for_hall(city, "h"), CertificateKind.RESIDENCE_PERMIT, name, number)
    assert open_person(own, taken_over(for_hall(city, "h"), own, person)) == (name, number)


def test_a_successor_seals_anew_and_finds_by_the_same_index() -> None:
    first = a_sealer()
    box = first.seal("张三", context="p")
    second = first.keys[0].successor("k2")
    both, late = Sealer([*first.keys, second]), Sealer([second])
    assert both.open(box, context="p") == "张三"
    assert key_of(both.seal("张三", context="p")) == "k2"
    assert both.blind_index(NUMBER) == late.blind_index(NUMBER) == first.blind_index(NUMBER)
    with pytest.raises(SealError):
        late.open(box, context="p")


async def test_a_new_key_opens_at_once_and_seals_when_every_worker_knows_it(tmp_path: Path) -> None:
    path, clock = tmp_path / "seal.keys", ManualClock(0)
    one, two = await KeyFile.open(path, clock), await KeyFile.open(path, clock)
    added = one.sealer.keys[0].successor("k2")
    lines = [one.sealer.keys[0].line, added.line]
    await asyncio.to_thread(write_keys, path, lines)
    assert (await asyncio.to_thread(path.stat)).st_mode & 0o777 == 0o600
    await one.look()
    await two.look()
    assert key_of(one.sealer.seal("x", context="p")) == "k1"
    await clock.advance(SETTLE_SECONDS)
    await one.look()
    box = one.sealer.seal("x", context="p")
    assert key_of(box) == "k2"
    assert two.sealer.open(box, context="p") == "x"


async def test_a_damaged_key_file_leaves_the_keys_that_are_in_use(tmp_path: Path) -> None:
    keys = await KeyFile.open(tmp_path / "seal.keys", ManualClock(0))
    box = keys.sealer.seal("x", context="p")
    await asyncio.to_thread(keys.path.write_text, "k1:cut")
    await keys.look()
    assert keys.sealer.open(box, context="p") == "x"
    with pytest.raises(SealError, match=r"seal\.keys"):
        await asyncio.to_thread(load_or_create_sealer, keys.path)


def test_a_hall_is_told_whom_to_forget_under_its_own_index_and_admits_what_it_cannot_read() -> None:
    city, own = a_sealer(), a_sealer()
    told = for_hall(city, "saertu")
    word = ForgetPerson(person=seal_person(told, CertificateKind.RESIDENT_ID, "", NUMBER))
    assert word.person.index != own.blind_index(NUMBER)
    people = CityPeople(own)
    assert people.adopt(word) == ForgetPerson(person=NOBODY)
    people.welcome(hand_over(city, "saertu", people.box_key))
    adopted = people.adopt(word)
    assert isinstance(adopted, ForgetPerson)
    assert adopted.person.index == own.blind_index(NUMBER)
    elsewhere = seal_person(for_hall(city, "longfeng"), CertificateKind.RESIDENT_ID, "", NUMBER)
    assert people.adopt(ForgetPerson(person=elsewhere)) == ForgetPerson(person=NOBODY)
    # A hall from an older copy of itself is told again, by the index that it answered with: the number is forgotten.
    again = ForgetPerson(person=msgspec.structs.replace(NOBODY, index=own.blind_index(NUMBER)))
    assert CityPeople(own).adopt(again) == again
