"""Promises of the LED codecs: published frames, any split, any garbage, bounded memory."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.devices.protocols.led.bxk import BxkCodec
from hallserver.devices.protocols.led.codecs import codec_for
from hallserver.devices.protocols.led.line import LedAnswer, LedLine, LedRun, crc16, encode_text
from hallserver.devices.protocols.led.modbus import ModbusCodec
from hallserver.devices.protocols.led.options import (
    BxkOptions,
    LedProtocol,
    ModbusOptions,
    QyledOptions,
    StripOptions,
)
from hallserver.devices.protocols.led.qyled import QyledCodec, inner
from hallserver.devices.protocols.led.strip import StripCodec
from qingting.contract.layouts import Colour, Motion

BXK = BxkOptions(
    screen=1,
    device_type=0xFE,
    pixels=True,
    speed=0,
    colours={Colour.TEXT: 1, Colour.CALLED: 1, Colour.DONE: 2},
    effects=dict.fromkeys(Motion, 1) | {Motion.SCROLL_LEFT: 3},
)
QYLED = QyledOptions(
    bus=False,
    address="00 00 00 00 00 00 00 00",
    lamps=0x32,
    speed=4,
    stay=0xFF,
    colours=dict.fromkeys(Colour, 1),
    effects=dict.fromkeys(Motion, 1),
)
STRIP = StripOptions(start="40", address=1, end="0D")
RTU = ModbusOptions(mode="rtu", unit=1, first=0x100, registers=4)
TCP = ModbusOptions(mode="tcp", unit=1, first=0x100, registers=4)
EVERY: list[LedProtocol] = [BXK, QYLED, STRIP, RTU, TCP]


def line(text: str = "请A001号到3号窗口", **changes: Any) -> LedLine:
    known: dict[str, Any] = {"number": 1, "top": 0, "height": 16, "width": 64}
    return LedLine(**known | {"runs": (LedRun(text, Colour.CALLED),)} | changes)


def bxk_answer(data: bytes, *, escape: bool = True) -> bytes:
    """Built here from the reference, without the codec."""
    body = bytes.fromhex("00 80 01 00 00 00 00 00 00 00 FE 02") + len(data).to_bytes(2, "little")
    body += data
    body += crc16(body, 0).to_bytes(2, "little")
    if escape:
        for raw, pair in ((0xA6, b"\xa6\x01"), (0xA5, b"\xa6\x02")):
            body = body.replace(bytes([raw]), pair)
        for raw, pair in ((0x5B, b"\x5b\x01"), (0x5A, b"\x5b\x02")):
            body = body.replace(bytes([raw]), pair)
    return b"\xa5" * 8 + body + b"\x5a"


ACK = bxk_answer(bytes.fromhex("A0 00 00 00 00"))
BUSY = bxk_answer(bytes.fromhex("A0 01 03 00 00"))


# ---- what goes out ------------------------------------------------------------------------------


def test_bxk_ping_and_text_are_the_published_frames() -> None:
    codec = BxkCodec(BXK, "gbk", 200)
    head = "A5" * 8 + "01 00 00 80 00 00 00 00 00 00 FE 02"
    assert codec.probe() == bytes.fromhex(head + "05 00 A2 00 01 00 00 68 F8 5A")
    assert codec.show(line(), first=False) == bytes.fromhex(
        head + "38 00 A3 06 01 00 00 00 01 2F 00 00 00 80 00 00 40 80 10 00 00 00 00 05 00 00 00"
        "00 01 01 01 00 00 0A 14 00 00 00 5C 43 31 C7 EB 41 30 30 31 BA C5 B5 BD 33 BA C5 B4"
        "B0 BF DA 44 E0 5A"
    )


def test_bxk_clears_what_a_former_session_left_only_once() -> None:
    codec = BxkCodec(BXK, "gbk", 200)
    assert codec.show(line("x"), first=True)[25] == 1
    assert codec.show(line("x"), first=False)[25] == 0


def test_bxk_colours_change_only_where_the_text_does() -> None:
    runs = (LedRun("A", Colour.DONE), LedRun("B", Colour.DONE), LedRun("C", Colour.TEXT))
    sent = BxkCodec(BXK, "gbk", 200).show(line(runs=runs), first=False)
    assert b"\\C2AB\\C1C" in sent


def test_a_backslash_in_a_name_is_no_escape() -> None:
    sent = BxkCodec(BXK, "gbk", 200).show(line("\\C3"), first=False)
    assert b"\\C1\xa3\xdcC3" in sent


@given(st.text(), st.integers(0, 255))
def test_bxk_frames_hold_their_marks_only_at_both_ends(text: str, number: int) -> None:
    sent = BxkCodec(BXK, "gbk", 200).show(line(text, number=number % 8 + 1), first=False)
    assert sent.startswith(b"\xa5" * 8)
    assert sent[8:].count(0xA5) == 0
    assert sent.find(0x5A) == len(sent) - 1


def test_qyled_live_frame_is_the_published_one() -> None:
    content = bytes.fromhex("29 00 11 11 04") + b"A001"
    assert inner(0x65, 0, content) == bytes.fromhex(
        "FE 5C 4B 89 1C 00 00 00 65 00 00 00 00 09 00 00 00 29 00 11 11 04 41 30 30 31 FF FF"
    )


def test_qyled_lengths_and_checks_are_those_of_the_sources() -> None:
    """A text of ``n`` bytes with its end: 52 + n content, 71 + n frame, 90 + n wrapping."""
    shown = len("欢迎光临".encode("gbk")) + 10
    codec = QyledCodec(QYLED, "gbk", 60)
    sent = codec.show(line("欢迎光临"), first=True)
    assert len(sent) == int.from_bytes(sent[4:8], "little") == 71 + shown
    assert int.from_bytes(sent[13:17], "little") == 52 + shown
    assert sent[17:26] == b"000000001"
    wrapping = QyledOptions(
        **{f: getattr(QYLED, f) for f in QYLED.__struct_fields__} | {"bus": True}
    )
    bus = QyledCodec(wrapping, "gbk", 60).show(line("欢迎光临"), first=True)
    assert bus[:2] == bytes.fromhex("FE 98")
    assert int.from_bytes(bus[2:4], "big") == 90 + shown == len(bus) - 2
    assert crc16(bus[1:-3], 0xFFFF).to_bytes(2, "little") == bus[-3:-1]
    total = 0
    for byte in bus[1:]:
        total ^= byte
    assert total == 0
    assert bus[18:-3] == sent


def test_a_strip_gets_address_text_and_end() -> None:
    sent = StripCodec(STRIP, "gbk", 40).show(line("A001", number=2), first=True)
    assert sent == bytes.fromhex("40 02 41 30 30 31 0D")


@given(st.text())
def test_no_text_ends_a_strip_early(text: str) -> None:
    assert StripCodec(STRIP, "gbk", 40).show(line(text), first=True).count(b"\r") == 1


def test_modbus_writes_a_whole_line_of_registers() -> None:
    sent = ModbusCodec(RTU, "gbk", 200).show(line("A001", number=2), first=True)
    assert sent[:-2] == bytes.fromhex("01 10 01 04 00 04 08") + b"A001    "
    assert ModbusCodec(TCP, "gbk", 200).probe() == bytes.fromhex(
        "00 01 00 00 00 06 01 03 01 00 00 01"
    )
    # The example of the serial guide: read one register of unit 2.
    assert crc16(bytes.fromhex("02 07"), 0xFFFF).to_bytes(2, "little") == bytes.fromhex("41 12")


@given(st.text(), st.integers(1, 60))
def test_a_text_is_cut_between_characters_and_never_too_long(text: str, limit: int) -> None:
    encoded = encode_text(text, "gbk", limit)
    assert len(encoded) <= limit
    encoded.decode("gbk")


def test_a_character_that_the_panel_lacks_is_seen_as_one() -> None:
    assert encode_text("王㛃", "gbk", 60).decode("gbk") == "王？"


# ---- what comes back ----------------------------------------------------------------------------

STREAMS: list[tuple[LedProtocol, bytes, list[int]]] = [
    (BXK, ACK + BUSY + ACK, [0, 3, 0]),
    (QYLED, inner(0x31, 7, b"") + b"\0\0" + inner(0x31, 8, b"ok"), [0, 0]),
    (
        TCP,
        bytes.fromhex("0001 0000 0005 01 03 02 4130 0002 0000 0003 01 90 02"),
        [0, 2],
    ),
]


def rtu(body: str) -> bytes:
    raw = bytes.fromhex(body)
    return raw + crc16(raw, 0xFFFF).to_bytes(2, "little")


STREAMS.append((RTU, rtu("01 03 02 41 30") + rtu("01 10 01 00 00 04") + rtu("01 90 06"), [0, 0, 6]))


@pytest.mark.parametrize(("protocol", "stream", "errors"), STREAMS)
def test_answers_split_at_any_byte_are_understood(
    protocol: LedProtocol, stream: bytes, errors: list[int]
) -> None:
    expected = [LedAnswer(error) for error in errors]
    for cut in range(len(stream) + 1):
        codec = codec_for(protocol, "gbk", 200)
        assert codec.feed(stream[:cut]) + codec.feed(stream[cut:]) == expected
        assert codec.broken == 0
    codec = codec_for(protocol, "gbk", 200)
    assert [one for byte in stream for one in codec.feed(bytes([byte]))] == expected


def test_an_answer_with_a_wrong_check_is_dropped_and_not_the_next() -> None:
    codec = BxkCodec(BXK, "gbk", 200)
    assert codec.feed(ACK[:-3] + b"\x00\x00\x5a" + BUSY) == [LedAnswer(3)]
    assert codec.broken == 1


def test_a_cut_off_answer_does_not_swallow_the_next() -> None:
    assert BxkCodec(BXK, "gbk", 200).feed(ACK[:15] + BUSY) == [LedAnswer(3)]


def test_a_card_that_escapes_only_its_text_is_understood() -> None:
    """Seen in the wild: the check holds 5A and is not escaped."""
    answer = next(
        one
        for value in range(0x10000)
        if b"\x5a"
        in (one := bxk_answer(b"\xa0\0\0" + value.to_bytes(2, "big"), escape=False))[-3:-1]
        and not {0xA5, 0xA6, 0x5B} & set(one[8:-1])
    )
    assert BxkCodec(BXK, "gbk", 200).feed(answer + ACK) == [LedAnswer(0), LedAnswer(0)]


@pytest.mark.parametrize("protocol", EVERY, ids=lambda one: type(one).__name__)
@given(chunks=st.lists(st.binary(max_size=300), max_size=12))
def test_garbage_harms_nothing_and_is_not_kept(protocol: LedProtocol, chunks: list[bytes]) -> None:
    codec = codec_for(protocol, "gbk", 200)
    for chunk in chunks:
        codec.feed(chunk)
        assert held(codec) <= 2048 + 300
    codec.reset()
    assert held(codec) == 0


@pytest.mark.parametrize(
    ("protocol", "beginning"),
    [
        (BXK, b"\xa5" * 8 + b"\x01" * 12 + b"\xff\xff"),
        (QYLED, bytes.fromhex("FE 5C 4B 89 FF FF FF 7F")),
        (TCP, bytes.fromhex("00 01 00 00 FF FF 01 03")),
    ],
)
def test_an_endless_answer_does_not_grow(protocol: LedProtocol, beginning: bytes) -> None:
    codec = codec_for(protocol, "gbk", 200)
    codec.feed(beginning)
    for _ in range(200):
        codec.feed(b"\x11" * 100)
    assert held(codec) <= 2048
    assert codec.broken > 0


def held(codec: object) -> int:
    """Bytes of partial input."""
    return sum(len(kept) for kept in vars(codec).values() if isinstance(kept, bytearray))
