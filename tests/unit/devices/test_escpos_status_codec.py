"""Promises of the ESC/POS status codec: every answer is understood, whole or in pieces."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.devices.profile_types import HexBytes, PrinterProfile, ReplyShape
from hallserver.devices.profiles import load_kind, shipped_profiles
from hallserver.devices.protocols.escpos.status import (
    InOrderAnswer,
    ModelName,
    ProcessDone,
    PushedStatus,
    RealTimeAnswer,
    StatusBoard,
    StatusCodec,
    StatusFrame,
    conditions_in,
    is_valid_answer,
)
from qingting.contract.states import Condition, DeviceKind

CONVERSATION = bytes.fromhex("12 16 14 00 00 0F 00 37 22 30 30 34 32 00 1A 72 0C")
FRAMES: list[StatusFrame] = [
    RealTimeAnswer(b"\x12"),
    RealTimeAnswer(b"\x16"),
    PushedStatus(b"\x14\x00\x00\x0f"),
    InOrderAnswer(b"\x00"),
    ProcessDone(42),
    RealTimeAnswer(b"\x1a"),
    RealTimeAnswer(b"\x72"),
    InOrderAnswer(b"\x0c"),
]

PROFILES = [load_kind(PrinterProfile, one) for one in shipped_profiles().ids(DeviceKind.PRINTER)]
ROWS = [
    pytest.param(profile, query, row, id=f"{profile.id}-{query.name}-{row.byte}-{row.mask:02x}")
    for profile in PROFILES
    for query in profile.status.query
    for row in query.bits
]


@pytest.mark.parametrize("cut", range(len(CONVERSATION) + 1))
def test_answers_split_anywhere_give_the_same_frames(cut: int) -> None:
    codec = StatusCodec()
    assert codec.feed(CONVERSATION[:cut]) + codec.feed(CONVERSATION[cut:]) == FRAMES


def test_answers_byte_by_byte_give_the_same_frames() -> None:
    codec = StatusCodec()
    assert [f for byte in CONVERSATION for f in codec.feed(bytes([byte]))] == FRAMES


NAMED = b"\x12_TM-T88V\x00" + CONVERSATION


@pytest.mark.parametrize("cut", range(len(NAMED) + 1))
def test_a_name_that_was_asked_for_is_one_frame_wherever_it_is_split(cut: int) -> None:
    codec = StatusCodec()
    codec.name_due = True
    expected = [RealTimeAnswer(b"\x12"), ModelName("TM-T88V"), *FRAMES]
    assert codec.feed(NAMED[:cut]) + codec.feed(NAMED[cut:]) == expected
    assert not codec.name_due


def test_noise_that_looks_like_the_beginning_of_a_name_costs_no_answer() -> None:
    codec = StatusCodec()
    codec.name_due = True
    assert codec.feed(b"_" + CONVERSATION) == FRAMES


def test_line_noise_and_flow_control_are_dropped() -> None:
    assert StatusCodec().feed(b"\x11\xa5\xff\xc3\x13\x12") == [RealTimeAnswer(b"\x12")]


def test_a_broken_push_does_not_swallow_the_next_answer() -> None:
    assert StatusCodec().feed(b"\x14\x00\x12") == [InOrderAnswer(b"\x00"), RealTimeAnswer(b"\x12")]


def test_a_broken_response_block_does_not_swallow_the_next_answer() -> None:
    assert StatusCodec().feed(b"\x37\x22\x30\x12")[-1] == RealTimeAnswer(b"\x12")


def test_an_answer_without_fixed_bits_is_known_only_while_asked_for() -> None:
    codec = StatusCodec()
    assert codec.feed(b"\x04") == [InOrderAnswer(b"\x04")]
    codec.expect(ReplyShape(fixed_mask=0, fixed_value=0))
    assert codec.feed(b"\xa5\x04") == [RealTimeAnswer(b"\x04")]
    assert codec.feed(b"\x04") == [InOrderAnswer(b"\x04")]


@given(st.binary(max_size=200), st.data())
def test_any_bytes_are_taken_in_any_pieces(noise: bytes, data: st.DataObject) -> None:
    whole, pieces = StatusCodec(), StatusCodec()
    expected = whole.feed(noise)
    cut = data.draw(st.integers(0, len(noise)))
    assert pieces.feed(noise[:cut]) + pieces.feed(noise[cut:]) == expected


@given(st.binary(max_size=60))
def test_after_noise_and_a_pause_the_codec_understands_again(noise: bytes) -> None:
    codec = StatusCodec()
    codec.feed(noise)
    assert codec.feed(b"\x12" * 8)[-1] == RealTimeAnswer(b"\x12")


@given(noise=st.binary(max_size=20).filter(lambda one: b"\x10" not in one), cut=st.integers(0, 26))
def test_an_answer_with_a_beginning_of_its_own_is_found_behind_noise_and_in_pieces(
    noise: bytes, cut: int
) -> None:
    codec = StatusCodec()
    codec.expect(ReplyShape(length=6, fixed_mask=0, fixed_value=0, prefix=HexBytes(b"\x10\x0f")))
    data = noise + bytes.fromhex("10 0f 20 00 00 01")
    found = codec.feed(data[:cut]) + codec.feed(data[cut:])
    assert found == [RealTimeAnswer(bytes.fromhex("10 0f 20 00 00 01"))]


def idle(profile: PrinterProfile, query: str) -> bytes:
    found = profile.simulator.initial[query]
    return bytes(found if isinstance(found, tuple) else (found,))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_a_healthy_printer_shows_no_condition(profile: PrinterProfile) -> None:
    board = StatusBoard(profile.status, profile.capabilities)
    healthy = {one.name: idle(profile, one.name) for one in profile.status.query}
    board.polled(healthy)
    if profile.simulator.initial_push:
        board.pushed(bytes(profile.simulator.initial_push))
    assert board.conditions == frozenset()


@pytest.mark.parametrize(("profile", "query", "row"), ROWS)
def test_every_status_row_shows_its_condition(profile: Any, query: Any, row: Any) -> None:
    healthy = idle(profile, query.name)
    lit = bytearray(healthy)
    byte = lit[row.byte]
    lit[row.byte] = byte & ~row.mask if row.not_all else byte | row.mask
    assert row.means not in conditions_in(query.bits, healthy)
    assert row.means in conditions_in(query.bits, bytes(lit))
    assert is_valid_answer(query.reply, bytes(lit)) or row.not_all


@pytest.mark.parametrize(
    "row",
    load_kind(PrinterProfile, "epson.tm-t88").status.push.bits,
    ids=lambda r: r.means,  # type: ignore[union-attr]
)
def test_every_pushed_row_shows_its_condition(row: Any) -> None:
    profile = load_kind(PrinterProfile, "epson.tm-t88")
    block = bytearray(profile.simulator.initial_push)
    block[row.byte] |= row.mask
    board = StatusBoard(profile.status, profile.capabilities)
    board.pushed(bytes(block))
    assert row.means in board.conditions


def board_of(profile_id: str) -> StatusBoard:
    profile = load_kind(PrinterProfile, profile_id)
    return StatusBoard(profile.status, profile.capabilities)


def test_the_same_bit_means_what_the_model_says() -> None:
    epson, masung = board_of("epson.tm-t88"), board_of("masung.ms-d347")
    epson.polled({"error_cause": b"\x32"})
    masung.polled({"error_cause": b"\x32"})
    assert epson.conditions == {Condition.UNRECOVERABLE}
    assert masung.conditions == {Condition.MARK_ERROR}


def test_a_push_clears_what_a_poll_saw_and_keeps_what_it_cannot_see() -> None:
    board = board_of("epson.tm-t88")
    board.polled({"offline_cause": b"\x16", "paper": b"\x12"})
    assert board.conditions == {Condition.COVER_OPEN}
    board.pushed(b"\x14\x00\x00\x0f")
    assert board.conditions == frozenset()


def test_a_cause_hides_the_mere_word_offline() -> None:
    board = board_of("generic.escpos80")
    board.polled({"printer": b"\x1a", "offline_cause": b"\x12"})
    assert board.conditions == {Condition.OFFLINE}
    board.polled({"printer": b"\x1a", "offline_cause": b"\x16"})
    assert board.conditions == {Condition.COVER_OPEN}


def test_paper_out_hides_paper_low() -> None:
    board = board_of("generic.escpos80")
    board.polled({"paper": b"\x1e"})
    assert board.conditions == {Condition.PAPER_LOW}
    board.polled({"paper": b"\x7e"})
    assert board.conditions == {Condition.PAPER_OUT}


def test_a_printer_without_near_end_sensor_never_says_paper_low() -> None:
    import msgspec

    profile = load_kind(PrinterProfile, "generic.escpos80")
    blind = msgspec.structs.replace(profile.capabilities, near_end_sensor=False)
    board = StatusBoard(profile.status, blind)
    board.polled({"paper": b"\x1e"})
    assert board.conditions == frozenset()
