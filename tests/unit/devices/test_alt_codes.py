"""Chinese from keyboard scanners: Alt and a number on the pad become the bytes that were scanned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.devices.protocols.keyboard import EVENT, KeyReader
from hallserver.devices.protocols.scanline import decode_code

PAD = {"7": 71, "8": 72, "9": 73, "4": 75, "5": 76, "6": 77, "1": 79, "2": 80, "3": 81, "0": 82}
ALT, ENTER, EV_KEY = 56, 28, 1
GBK = st.characters(codec="gbk", min_codepoint=0x4E00, max_codepoint=0x9FA5)


def key(code: int, value: int) -> bytes:
    return EVENT.pack(0, 0, EV_KEY, code, value) + EVENT.pack(0, 0, 0, 0, 0)


def pressed(code: int) -> bytes:
    return key(code, 1) + key(code, 0)


def alt(number: int, zeros: int = 0) -> bytes:
    """A scanner's keys for one number."""
    digits = "0" * zeros + str(number)
    return key(ALT, 1) + b"".join(pressed(PAD[one]) for one in digits) + key(ALT, 0)


def chinese(text: str) -> bytes:
    numbers = (int.from_bytes(one.encode("gbk"), "big") for one in text)
    return b"".join(alt(one) for one in numbers) + pressed(ENTER)


def split_at_every_byte(data: bytes) -> bytes:
    reader = KeyReader()
    return b"".join(reader.feed(bytes([one])) for one in data)


@given(st.text(GBK, min_size=1, max_size=12))
def test_chinese_by_alt_codes_is_what_was_scanned(text: str) -> None:
    typed = chinese(text)
    assert KeyReader().feed(typed) == text.encode("gbk") + b"\r"
    assert split_at_every_byte(typed) == text.encode("gbk") + b"\r"


@given(st.text(max_size=12), st.integers(0, 2))
def test_single_bytes_by_alt_codes_are_utf_8(text: str, zeros: int) -> None:
    scanned = text.replace("\0", "").encode("utf-8", "ignore")
    typed = b"".join(alt(one, zeros) for one in scanned)
    assert split_at_every_byte(typed) == scanned


def test_a_scanned_code_of_chinese_and_letters_is_read() -> None:
    typed = chinese("大庆市")[: -len(pressed(ENTER))] + pressed(30) + pressed(2) + pressed(ENTER)
    assert decode_code(KeyReader().feed(typed).rstrip(b"\r"), ("utf-8", "gb18030")) == "大庆市a1"


@pytest.mark.parametrize("number", [65_536, 99_999, 10**30])
def test_a_number_that_is_no_character_is_nothing_and_spoils_nothing(number: int) -> None:
    assert KeyReader().feed(alt(number) + pressed(30)) == b"a"


def test_an_alt_that_was_never_let_go_or_lost_ends_with_the_code() -> None:
    reader = KeyReader()
    assert reader.feed(key(ALT, 1) + pressed(PAD["6"]) + pressed(ENTER)) == b"\r"
    assert reader.feed(pressed(30)) == b"a"
    dropped = EVENT.pack(0, 0, 0, 3, 0)
    assert (
        reader.feed(key(ALT, 1) + pressed(PAD["6"]) + dropped + key(ALT, 0) + pressed(30)) == b"a"
    )
    assert reader.feed(key(ALT, 1) + key(ALT, 0)) == b""


@given(
    st.lists(
        st.tuples(st.sampled_from([ALT, 100, ENTER, 42, 30, 79, 82, 80]), st.integers(0, 2)),
        max_size=60,
    )
)
def test_any_order_of_keys_leaves_it_able_to_read_the_next_code(
    keys: list[tuple[int, int]],
) -> None:
    reader = KeyReader()
    reader.feed(b"".join(key(code, value) for code, value in keys))
    for shift in (42, ALT, 100):
        reader.feed(key(shift, 0))
    assert reader.feed(chinese("庆")) == "庆".encode("gbk") + b"\r"
