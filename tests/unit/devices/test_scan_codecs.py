"""Promises of the scanner codecs: codes in any pieces, acknowledgements never among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.devices.protocols.gm65 import AckStripper, command, crc_xmodem
from hallserver.devices.protocols.scanline import ScanLineCodec, decode_code

ENDS = (b"\r\n", b"\r", b"\n")
ACK = bytes.fromhex("02 00 00 01 00 33 31")


def codec(max_bytes: int = 2953) -> ScanLineCodec:
    return ScanLineCodec(ENDS, max_bytes)


@pytest.mark.parametrize("end", ENDS)
def test_each_terminator_ends_a_code(end: bytes) -> None:
    assert codec().feed(b"QT1:abc" + end + b"QT1:def" + end) == [b"QT1:abc", b"QT1:def"]


@given(
    st.lists(st.binary(min_size=1, max_size=20).filter(lambda c: not {10, 13} & set(c))),
    st.sampled_from(ENDS),
    st.integers(1, 7),
)
def test_codes_split_anywhere_are_the_same(codes: list[bytes], end: bytes, step: int) -> None:
    stream = b"".join(code + end for code in codes)
    splitter = codec()
    got = [
        code for at in range(0, len(stream), step) for code in splitter.feed(stream[at : at + step])
    ]
    assert got == codes


def test_silence_ends_a_code_without_terminator() -> None:
    splitter = codec()
    assert splitter.feed(b"QT1:") == []
    assert splitter.feed(b"abc") == []
    assert splitter.pending
    assert splitter.idle() == [b"QT1:abc"]
    assert splitter.idle() == []


def test_an_overlong_code_is_dropped_to_its_end_and_the_next_is_read() -> None:
    splitter = codec(max_bytes=10)
    assert splitter.feed(b"x" * 25) == []
    assert splitter.feed(b"xx\rQT1:ok\r") == [b"QT1:ok"]
    assert splitter.dropped == 1
    assert splitter.feed(b"y" * 11 + b"\r") == []


def test_text_is_utf8_then_gb18030_and_noise_is_neither() -> None:
    encodings = ("utf-8", "gb18030")
    assert decode_code("大庆".encode(), encodings) == "大庆"
    assert decode_code("大庆".encode("gb18030"), encodings) == "大庆"
    assert decode_code(b" QT1:abc ", encodings) == "QT1:abc"
    assert decode_code(b"\xff\xff", encodings) is None
    assert decode_code(b"QT1\x00", encodings) is None
    assert decode_code(b"  ", encodings) is None


def test_gm65_frames_have_the_published_checksums() -> None:
    assert command(8, 0x0002, b"\x01") == bytes.fromhex("7E 00 08 01 00 02 01 02 DA")
    assert command(8, 0x0002, b"\x02") == bytes.fromhex("7E 00 08 01 00 02 02 32 B9")
    assert crc_xmodem(bytes.fromhex("00 00 01 00")) == 0x3331


@pytest.mark.parametrize("cut", range(len(ACK) + 1))
def test_an_acknowledgement_in_two_pieces_is_stripped(cut: int) -> None:
    stripper = AckStripper(ACK)
    first, second = stripper.feed(ACK[:cut]), stripper.feed(ACK[cut:] + b"QT1:abc\r")
    assert first[0] + second[0] == 1
    assert first[1] + second[1] == b"QT1:abc\r"


@given(st.lists(st.sampled_from([ACK, b"QT1:abc\r", b"\x02", b"\x00\x01"])), st.integers(1, 9))
def test_codes_pass_and_acknowledgements_do_not(parts: list[bytes], step: int) -> None:
    stream = b"".join(parts)
    stripper = AckStripper(ACK)
    passed = b""
    for at in range(0, len(stream), step):
        passed += stripper.feed(stream[at : at + step])[1]
    assert passed + stripper.idle() == stream.replace(ACK, b"")


def test_what_only_began_like_an_acknowledgement_is_released_by_silence() -> None:
    stripper = AckStripper(ACK)
    assert stripper.feed(b"abc\x02\x00") == (0, b"abc")
    assert stripper.idle() == b"\x02\x00"
