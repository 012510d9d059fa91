"""A card is good when its number is sound and its time has come and is not over."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.hub.cards import check_card, check_digit, number_is_sound
from qingting.contract.errors import Refusal
from qingting.contract.hub import CardRead
from qingting.contract.ids import DeviceId
from qingting.contract.states import CertificateKind

TODAY = date(2026, 11, 24)


def card(kind: CertificateKind = CertificateKind.RESIDENT_ID, **changes: str) -> CardRead:
    fields = {
        "name": "张小三",
        "number": "230602199001011238",
        "valid_from": "20160101",
        "valid_to": "20360101",
    }
    return CardRead(device=DeviceId("r"), kind=kind, **(fields | changes))


def refusal_of(one: CardRead) -> Refusal | None:
    try:
        check_card(one, TODAY)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    "number", ["230602199001011238", "230624198506150026", "230604195212311016"]
)
def test_sound_numbers_pass(number: str) -> None:
    assert refusal_of(card(number=number)) is None


@pytest.mark.parametrize(
    "number",
    [
        "230602199001011232",
        "23060219900101123",
        "230602199013011238",
        "230602209901011230",
        "２３０６０２199001011238",
        "",
        "' OR 1=1 --",
    ],
    ids=["digit", "short", "month 13", "unborn", "full width", "empty", "text"],
)
def test_unsound_numbers_are_refused_without_being_repeated(number: str) -> None:
    refusal = refusal_of(card(number=number))
    assert refusal is not None
    assert refusal.code == "identity.bad_number"
    assert refusal.params == {}


@given(
    st.integers(110000, 829999),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
    st.integers(0, 16),
    st.integers(1, 9),
)
def test_any_single_wrong_digit_is_found(
    area: int, born: date, order: int, place: int, shift: int
) -> None:
    body = f"{area}{born:%Y%m%d}{order:03d}"
    number = body + check_digit(body)
    assert number_is_sound(number, TODAY)
    wrong = str((int(number[place]) + shift) % 10)
    assert not number_is_sound(number[:place] + wrong + number[place + 1 :], TODAY)


@pytest.mark.parametrize(
    ("dates", "code", "params"),
    [
        ({"valid_to": "20261123"}, "identity.expired", {"date": "2026-11-23"}),
        ({"valid_from": "20261125"}, "identity.not_yet_valid", {"date": "2026-11-25"}),
        ({"valid_to": "20261332"}, "identity.unreadable", {}),
        ({"valid_to": ""}, "identity.unreadable", {}),
        ({"valid_from": "x"}, "identity.unreadable", {}),
    ],
    ids=["over", "to come", "no date", "no end", "garbled"],
)
def test_dates_that_do_not_hold(dates: dict[str, str], code: str, params: dict[str, str]) -> None:
    refusal = refusal_of(card(**dates))
    assert refusal is not None
    assert (refusal.code, refusal.params) == (code, params)


@pytest.mark.parametrize("valid_to", ["20261124", "长期", "99991231"])
def test_a_card_is_good_on_its_last_day_and_without_one(valid_to: str) -> None:
    assert refusal_of(card(valid_to=valid_to)) is None


@pytest.mark.parametrize("number", ["CHN110102197810", "USA310075101303"])
def test_a_foreign_resident_has_a_number_of_its_own_form(number: str) -> None:
    foreign = CertificateKind.FOREIGN_PERMANENT_RESIDENT
    sound = len(number) == 15
    assert (refusal_of(card(foreign, number=number, name="", name_en="Ada Byron")) is None) is sound
    assert refusal_of(card(number=number)) is not None


def test_a_record_without_a_name_was_not_read() -> None:
    refusal = refusal_of(card(name="  "))
    assert refusal is not None
    assert refusal.code == "identity.unreadable"
