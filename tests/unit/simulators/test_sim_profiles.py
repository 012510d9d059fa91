"""Each status row of each printer profile shows its condition in the simulator's answer."""

import pytest

from qingting.contract.states import Condition
from simulators.printer import STOPPING, PrinterSimulator
from simulators.profiles import (
    BitRule,
    ProfileError,
    StatusBit,
    StatusQuery,
    hex_bytes,
    load_profile,
    profile_ids,
)

PRINTERS = profile_ids("printer")
ROWS = [
    pytest.param(profile, query, bit, id=f"{profile}-{query.name}-{bit.mask:02x}-{bit.condition}")
    for profile in PRINTERS
    for query in load_profile(profile).queries
    for bit in query.table.bits
]


def says(bit: StatusBit, answer: bytes) -> bool:
    """What a reader of the table makes of an answer."""
    seen = answer[bit.index] & bit.mask
    match bit.rule:
        case BitRule.ANY:
            return seen != 0
        case BitRule.ALL:
            return seen == bit.mask
        case BitRule.NOT_ALL:
            return seen != bit.mask


def answer(profile_id: str, query: StatusQuery, *conditions: Condition) -> bytes:
    printer = PrinterSimulator("p", load_profile(profile_id))
    for condition in conditions:
        printer.set_condition(condition, on=True)
    return printer.status_answer(query.send)


def test_the_three_models_of_the_first_halls_are_there() -> None:
    assert {"generic.escpos80", "masung.ms-d347", "epson.tm-t88"} <= set(PRINTERS)


@pytest.mark.parametrize(("profile", "query", "bit"), ROWS)
def test_a_condition_shows_in_its_row_and_is_absent_when_healthy(
    profile: str, query: StatusQuery, bit: StatusBit
) -> None:
    cause = Condition.PAPER_OUT if bit.condition is Condition.OFFLINE else bit.condition
    assert not says(bit, answer(profile, query))
    assert says(bit, answer(profile, query, cause))


@pytest.mark.parametrize(("profile", "query", "bit"), ROWS)
def test_answers_keep_the_fixed_bits_whatever_is_wrong(
    profile: str, query: StatusQuery, bit: StatusBit
) -> None:
    healthy = answer(profile, query)[0]
    everything = answer(profile, query, *STOPPING, Condition.PAPER_LOW)[0]
    assert healthy & query.table.fixed_mask == everything & query.table.fixed_mask
    assert bit.mask


def test_a_healthy_masung_answers_what_its_sdk_asks_for() -> None:
    printer = PrinterSimulator("p", load_profile("masung.ms-d347"))
    asked = [printer.status_answer(bytes([0x10, 0x04, n])) for n in range(1, 6)]
    assert asked == [b"\x16", b"\x12", b"\x12", b"\x12", b"\x00"]


def test_the_same_bit_means_different_things_on_different_models() -> None:
    masung = PrinterSimulator("p", load_profile("masung.ms-d347"))
    masung.set_condition(Condition.MARK_ERROR, on=True)
    epson = PrinterSimulator("p", load_profile("epson.tm-t88"))
    epson.set_condition(Condition.UNRECOVERABLE, on=True)
    question = hex_bytes("10 04 03")
    assert masung.status_answer(question) == b"\x32"
    assert epson.status_answer(question)[0] & 0x20


def test_an_inherited_profile_keeps_what_it_does_not_change() -> None:
    masung = load_profile("masung.ms-d347")
    assert masung.section("capabilities")["width_dots"] == 576
    assert masung.section("capabilities")["presenter"] is True
    assert masung.vendor == "Masung"


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ProfileError):
        load_profile("nobody.nothing")
