"""A printed code is read off the paper, whatever its size, level and content."""

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.qr_reader import NoCodeError, decode, read_ticket
from simulators.strip import Edge, Raster, Ticket


def raster(text: str, dots: int, x: int = 0, y: int = 0) -> Raster:
    rows = list(segno.make(text, error="m", micro=False).matrix_iter(scale=dots, border=0))
    stride = (len(rows[0]) + 7) // 8
    bits = b"".join(
        int("".join("01"[bool(v)] for v in row).ljust(stride * 8, "0"), 2).to_bytes(stride, "big")
        for row in rows
    )
    return Raster(x, y, stride, len(rows), bits)


def ticket(*elements: Raster) -> Ticket:
    return Ticket(900, 576, 203, Edge.FULL_CUT, elements)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=200),
        st.from_regex(r"[0-9]{1,60}", fullmatch=True),
        st.from_regex(r"[0-9A-Z $%*+\-./:]{1,60}", fullmatch=True),
    ),
    st.sampled_from("lmqh"),
)
def test_every_text_at_every_level_is_read_back(text: str, level: str) -> None:
    # Left to itself, segno takes UTF-8 that happens to look like Shift JIS for kanji.
    mode = None if text.isascii() else "byte"
    code = segno.make(
        text, error=level, micro=False, boost_error=False, encoding="utf-8", mode=mode
    )
    assert decode(tuple(tuple(bool(m) for m in row) for row in code.matrix)) == text


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True), st.sampled_from((4, 7, 8)))
def test_no_token_makes_a_bitmap_code_unreadable(token: str, dots: int) -> None:
    text = f"http://127.0.0.1:22431/t/{token}"
    assert read_ticket(ticket(raster(text, dots, x=131, y=207))) == text


@pytest.mark.parametrize("dots", [2, 3, 6, 7, 8])
def test_a_bitmap_code_is_found_wherever_it_was_printed(dots: int) -> None:
    found = read_ticket(ticket(raster("https://hall.example/t/Zk3v9", dots, x=131, y=207)))
    assert found == "https://hall.example/t/Zk3v9"


def test_a_code_sent_in_two_bands_is_one_code() -> None:
    whole = raster("opaque-token-1", 6, x=100, y=50)
    cut = whole.rows // 2
    upper = Raster(100, 50, whole.stride, cut, whole.bits[: cut * whole.stride])
    lower = Raster(100, 50 + cut, whole.stride, whole.rows - cut, whole.bits[cut * whole.stride :])
    assert read_ticket(ticket(upper, lower)) == "opaque-token-1"


def test_paper_without_a_code_says_so() -> None:
    black = Raster(0, 0, 20, 100, b"\xff" * 2000)
    for paper in (ticket(), ticket(black)):
        with pytest.raises(NoCodeError):
            read_ticket(paper)
