"""Codes as a Chinese keyboard gives them are read as they were meant; what is wrong stays wrong."""

import pytest

from console.core.codes import may_be_certificate, plain, plain_uscc, uscc_fits, uscc_shaped
from console.modules.appointments.forms import rule_form
from console.modules.catalogue.domain import DEFAULT_PATTERN, code_faults, meant_code
from console.modules.citizens.people import checked_person, checked_phone, same_name
from qingting.contract.errors import Refusal
from qingting.contract.states import CertificateKind

CODE = "11230600MB0A00031R3200040009000"


def test_full_width_signs_are_the_plain_ones() -> None:
    assert plain("　２３０６０２０１３００１ ") == "230602013001"
    assert plain("\u202d230602\u202c\ufeff") == "230602", "as a phone's list of contacts gives it"
    assert plain_uscc("１１２３０６００ mb0a 00001n") == "11230600MB0A00001N"


@pytest.mark.parametrize(
    ("code", "shaped", "fits"),
    [
        ("11230600MB0A00001N", True, True),
        ("11230600MB0A00001X", True, False),
        ("11230600MB0A0000IN", False, False),
        ("11230600MB0A00001", False, False),
        ("１１２３０６００MB0A00001N", False, False),
    ],
)
def test_a_credit_code_has_a_shape_and_a_check_character(
    code: str, shaped: bool, fits: bool
) -> None:
    assert (uscc_shaped(code), uscc_fits(code)) == (shaped, fits)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (CODE, CODE),
        (CODE.lower(), CODE),
        (f" {CODE[:18]} {CODE[18:]} ", CODE),
        ("１１" + CODE[2:], CODE),
        ("abc", "abc"),
    ],
)
def test_the_code_of_an_item_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    assert meant_code(typed, DEFAULT_PATTERN) == meant


def test_small_letters_stay_where_the_citys_own_pattern_has_them() -> None:
    assert meant_code("ab1", "[a-z]{2}[0-9]") == "ab1"


def test_full_width_digits_are_no_code_of_an_item() -> None:
    assert code_faults(CODE[:-1] + "０", DEFAULT_PATTERN, 3)


def test_a_name_is_kept_without_what_nobody_sees() -> None:
    name, _ = checked_person(
        CertificateKind.RESIDENT_ID, "\u200b张示\ufeff例", "230602199001011238"
    )
    assert name == "张示例"


@pytest.mark.parametrize("dot", ["·", "•", "‧", "・", "．", " · "])
def test_one_name_is_kept_for_whichever_dot_a_keyboard_gives(dot: str) -> None:
    name, number = checked_person(
        CertificateKind.RESIDENT_ID, f"阿依古丽{dot}买买提", "２３０６０２１９９００１０１１２３８"
    )
    assert (name, number) == ("阿依古丽·买买提", "230602199001011238")


@pytest.mark.parametrize(
    "typed",
    [
        "１３８ 0000-0101",
        "+86 138 0000 0101",
        "＋8613800000101",
        "86-13800000101",
        "0086 138-0000-0101",
        "(+86)13800000101",
        "\u202d+86 138 0000 0101\u202c",
    ],
)
def test_a_phone_is_read_as_it_was_meant_and_never_kept_otherwise(typed: str) -> None:
    """A browser that fills in a phone by itself puts the country before it."""
    assert checked_phone(typed) == "13800000101"


@pytest.mark.parametrize("typed", ["1380000010", "+852 13800000101", "8613800000", "13800000101a"])
def test_what_is_no_mobile_phone_of_the_country_stays_none(typed: str) -> None:
    with pytest.raises(Refusal):
        checked_phone(typed)


@pytest.mark.parametrize("number", ["230602 19900101 1238", "23060219900101 1238 "])
def test_a_certificates_number_may_be_typed_in_groups(number: str) -> None:
    assert checked_person(CertificateKind.RESIDENT_ID, "张示例", number)[1] == "230602199001011238"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("阿依古丽•买买提", "阿依古丽·买买提", True),
        ("𬀩㛃・𬭎", "𬀩㛃·𬭎", True),
        ("SAMPLE  Anna", "Sample Anna", True),
        ("张示例", "张示范", False),
    ],
)
def test_a_name_is_the_same_however_its_dot_and_capitals_are_written(
    one: str, other: str, same: bool
) -> None:
    assert same_name(one, other) is same


def test_a_rule_is_read_as_people_write_times_and_dates() -> None:
    typed = {
        "periods": "９：００～１１：３０、13:30至16:30",
        "minutes": "３０",
        "closed_dates": "2026/12/31、2027年1月1日",
    }
    rule = rule_form({"target": "city", **typed}).rule()
    assert rule.periods is not None
    assert [(one.start, one.end) for one in rule.periods] == [("09:00", "11:30"), ("13:30", "16:30")]  # fmt: skip
    assert rule.minutes == 30
    assert rule.closed_dates is not None
    assert [str(one) for one in rule.closed_dates] == ["2026-12-31", "2027-01-01"]


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("230602199001011238", True),
        ("230602199001011232", False),
        ("23060219900101123", False),
        ("2306021990010112380", False),
        ("H12345678", True),
        ("12345678", True),
        ("E12345678", True),
        ("123", False),
        ("张三", False),
    ],
)
def test_a_number_that_is_no_certificates_is_known_as_such(number: str, may: bool) -> None:
    assert may_be_certificate(number) is may
