"""Promises of the card reader codec: golden frames, any split, and no person in any message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.devices.protocols.samv import (
    RecordError,
    SamReplyFrame,
    SamvCodec,
    UnknownRecordError,
    parse_text,
    request,
    text_of_read,
)
from qingting.contract.states import CertificateKind

ALL = ("citizen", "J", "I", "Y")
FOUND = bytes.fromhex("AAAAAA9669 0008 00009F 00000000 97")
NONE = bytes.fromhex("AAAAAA9669 0004 000080 84")
SELECTED = bytes.fromhex("AAAAAA9669 000C 000090 0000000000000000 9C")


@pytest.mark.parametrize(
    ("command", "frame"),
    [
        ("11 FF", "AA AA AA 96 69 00 03 11 FF ED"),
        ("12 FF", "AA AA AA 96 69 00 03 12 FF EE"),
        ("20 01", "AA AA AA 96 69 00 03 20 01 22"),
        ("20 02", "AA AA AA 96 69 00 03 20 02 21"),
        ("30 01", "AA AA AA 96 69 00 03 30 01 32"),
        ("30 10", "AA AA AA 96 69 00 03 30 10 23"),
        ("61 FF 50", "AA AA AA 96 69 00 04 61 FF 50 CA"),
    ],
)
def test_requests_are_the_published_frames(command: str, frame: str) -> None:
    assert request(bytes.fromhex(command)) == bytes.fromhex(frame)


@pytest.mark.parametrize("cut", range(len(FOUND + NONE + SELECTED) + 1))
def test_replies_split_anywhere_are_understood(cut: int) -> None:
    stream = FOUND + NONE + SELECTED
    codec = SamvCodec()
    replies = codec.feed(stream[:cut]) + codec.feed(stream[cut:])
    assert [reply.sw3 for reply in replies] == [0x9F, 0x80, 0x90]
    assert [len(reply.data) for reply in replies] == [4, 0, 8]


def test_garbage_before_the_preamble_is_skipped() -> None:
    assert SamvCodec().feed(b"\xa5\xff\xaa\xaa" + NONE) == [SamReplyFrame(0x80, b"")]


def test_a_wrong_checksum_drops_the_frame_and_not_the_next() -> None:
    codec = SamvCodec()
    assert codec.feed(FOUND[:-1] + b"\x00" + NONE) == [SamReplyFrame(0x80, b"")]
    assert codec.broken == 1


def test_an_impossible_length_does_not_swallow_what_follows() -> None:
    codec = SamvCodec()
    assert codec.feed(bytes.fromhex("AAAAAA9669 FFFF") + NONE) == [SamReplyFrame(0x80, b"")]


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_noise_between_replies_never_breaks_the_codec(noise: list[bytes]) -> None:
    codec = SamvCodec()
    for piece in noise:
        codec.feed(piece)
    # A false preamble with a large length may wait for more: a reset begins a new exchange.
    codec.reset()
    assert codec.feed(SELECTED)[0].sw3 == 0x90


def record(flag: str = "  ", **fields: tuple[int, int, str]) -> bytes:
    text = bytearray(" ".encode("utf-16-le") * 128)
    for offset, length, value in (*fields.values(), (248, 4, flag)):
        text[offset : offset + length] = value.ljust(length // 2).encode("utf-16-le")
    return bytes(text)


CITIZEN = {
    "name": (0, 30, "张建国"),
    "sex": (30, 2, "1"),
    "birth": (36, 16, "19650307"),
    "address": (52, 70, "黑龙江省大庆市萨尔图区"),
    "number": (122, 36, "230602196503071236"),
    "valid_from": (188, 16, "20150601"),
    "valid_to": (204, 16, "长期"),
}


def test_a_citizens_card_is_read() -> None:
    card = parse_text(record(**CITIZEN), ALL)
    assert (card.kind, card.name) == (CertificateKind.RESIDENT_ID, "张建国")
    assert (card.number, card.birth) == ("230602196503071236", "19650307")
    assert (card.valid_from, card.valid_to) == ("20150601", "长期")


def test_a_residence_permit_is_read() -> None:
    card = parse_text(record("J ", **(CITIZEN | {"permit": (220, 18, "H12345678")})), ALL)
    assert card.kind is CertificateKind.RESIDENCE_PERMIT
    assert card.name == "张建国"


def test_a_foreigners_card_of_2017_is_read() -> None:
    card = parse_text(
        record(
            "I ",
            name_en=(0, 120, "SMITH, JOHN"),
            number=(122, 30, "USA230065030712"),
            nation=(152, 6, "USA"),
            name=(158, 30, "史密斯"),
            valid_from=(188, 16, "20180101"),
            valid_to=(204, 16, "20280101"),
            birth=(220, 16, "19650307"),
        ),
        ALL,
    )
    assert card.kind is CertificateKind.FOREIGN_PERMANENT_RESIDENT
    assert (card.name, card.name_en, card.number) == ("史密斯", "SMITH, JOHN", "USA230065030712")


def test_a_foreigners_card_of_2023_is_read_with_its_name_in_two_places() -> None:
    long_name = "WOLFESCHLEGELSTEINHAUSENBERGERDORFF SENIOR"
    card = parse_text(
        record(
            "Y ",
            name=(0, 30, "沃尔夫"),
            birth=(36, 16, "19650307"),
            first=(52, 70, long_name[:35]),
            number=(122, 36, "911840196503070025"),
            valid_from=(188, 16, "20240101"),
            valid_to=(204, 16, "20340101"),
            second=(220, 22, long_name[35:]),
            nation=(242, 6, "USA"),
        ),
        ALL,
    )
    assert (card.name_en, card.number) == (long_name, "911840196503070025")


def test_an_unknown_type_of_card_is_refused() -> None:
    with pytest.raises(UnknownRecordError):
        parse_text(record("Z ", **CITIZEN), ALL)
    with pytest.raises(UnknownRecordError):
        parse_text(record("J ", **CITIZEN), ("citizen",))


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", ""), ("name", ""), ("birth", "1965"), ("valid_to", "soon"), ("valid_from", "")],
)
def test_a_broken_record_is_refused_without_telling_what_was_in_it(field: str, value: str) -> None:
    offset, length, _ = CITIZEN[field]
    with pytest.raises(RecordError) as caught:
        parse_text(record(**(CITIZEN | {field: (offset, length, value)})), ALL)
    assert "张" not in str(caught.value)
    assert "2306" not in str(caught.value)


def test_half_a_surrogate_is_a_broken_record() -> None:
    with pytest.raises(RecordError):
        parse_text(b"\x00\xd8" + record(**CITIZEN)[2:], ALL)
    with pytest.raises(RecordError):
        parse_text(b"", ALL)


@given(st.binary(max_size=1400))
def test_any_read_reply_is_a_card_or_a_record_error(data: bytes) -> None:
    with pytest.raises(RecordError):
        parse_text(text_of_read(b"\x01\x00\x04\x00"[:2] + data[:200]), ALL)


def test_the_text_stands_behind_two_or_three_lengths() -> None:
    text = record(**CITIZEN)
    assert text_of_read(bytes.fromhex("0100 0400") + text + bytes(1024)) == text
    finger = bytes.fromhex("0100 0400 0400") + text + bytes(2048)
    assert text_of_read(finger) == text
    without_finger = bytes.fromhex("0100 0400 0000") + text + bytes(1024)
    assert text_of_read(without_finger) == text


def test_nothing_of_a_person_shows_in_a_repr() -> None:
    card = parse_text(record(**CITIZEN), ALL)
    shown = repr(card) + repr(SamReplyFrame(0x90, record(**CITIZEN)))
    assert "张" not in shown
    assert "2306" not in shown
