"""The printer hears every command whole, however its bytes arrive, and draws exactly what was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.escpos import Command, CommandStream, RealTimeEar
from simulators.strip import CUTTER_GAP_DOTS, Edge, Qr, Raster, Strip, TextRow, Ticket

ESC, FS, GS, DLE = b"\x1b", b"\x1c", b"\x1d", b"\x10"
CUT = GS + b"VB\x00"


def gb(text: str) -> bytes:
    return text.encode("gb18030")


def qr(data: bytes, dots: int = 6) -> bytes:
    size = (len(data) + 3).to_bytes(2, "little")
    head = GS + b"(k\x04\x001A2\x00" + GS + b"(k\x03\x001C" + bytes([dots])
    return head + GS + b"(k\x03\x001E1" + GS + b"(k" + size + b"1P0" + data + GS + b"(k\x03\x001Q0"


JOB = (
    ESC + b"@" + FS + b"&" + ESC + b"a\x01" + ESC + b"E\x01" + gb("大庆市民大厅") + b"\n"
    + ESC + b"E\x00" + GS + b"!\x11" + FS + b"!\x0c" + gb("A023 号") + b"\n"
    + GS + b"!\x00" + FS + b"!\x00" + ESC + b"a\x00" + b"plain\n"
    + GS + b"v0\x00\x02\x00\x03\x00" + b"\xff\x00\x81\x18\xff\xff"
    + qr(b"https://hall.example/t/1") + ESC + b"d\x02" + GS + b"VA\x10"
)  # fmt: skip


def drawn(*chunks: bytes) -> list[Ticket]:
    stream, strip, tickets = CommandStream(), Strip(), []
    for chunk in chunks:
        stream.feed(chunk)
        tickets += [ticket for command in stream.drain() if (ticket := strip.execute(command))]
    return tickets


def rows(ticket: Ticket) -> list[TextRow]:
    return [one for one in ticket.elements if isinstance(one, TextRow)]


def test_a_ticket_has_the_text_the_picture_and_the_code_that_were_sent() -> None:
    (ticket,) = drawn(JOB)
    assert ticket.lines == ("大庆市民大厅", "A023 号", "plain")
    assert ticket.edge is Edge.FULL_CUT
    assert ticket.ignored == ()
    (raster,) = [one for one in ticket.elements if isinstance(one, Raster)]
    assert (raster.stride, raster.rows, raster.bits) == (2, 3, b"\xff\x00\x81\x18\xff\xff")
    (code,) = [one for one in ticket.elements if isinstance(one, Qr)]
    assert (code.data, code.dots, code.height) == (b"https://hall.example/t/1", 6, 25 * 6)


@pytest.mark.parametrize("at", range(1, len(JOB)))
def test_a_job_split_at_any_byte_gives_the_same_paper(at: int) -> None:
    assert drawn(JOB[:at], JOB[at:]) == drawn(JOB)


def test_a_job_that_arrives_byte_by_byte_gives_the_same_paper() -> None:
    assert drawn(*(JOB[at : at + 1] for at in range(len(JOB)))) == drawn(JOB)


def test_geometry_follows_the_grid_of_the_head() -> None:
    hall, number, plain = rows(drawn(JOB)[0])
    assert [glyph.width for glyph in hall.glyphs] == [24] * 6
    assert hall.glyphs[0].x == (576 - 6 * 24) // 2
    assert all(glyph.bold for glyph in hall.glyphs)
    assert [(g.width, g.height) for g in number.glyphs] == [(24, 48)] * 5 + [(48, 48)]
    assert number.y == CUTTER_GAP_DOTS + 30
    assert [(g.x, g.width) for g in plain.glyphs][:2] == [(0, 12), (12, 12)]


def test_chinese_follows_only_the_chinese_size_command() -> None:
    (ticket,) = drawn(FS + b"&" + GS + b"!\x11" + gb("A号") + b"\n" + CUT)
    latin, chinese = rows(ticket)[0].glyphs
    assert (latin.sx, chinese.sx) == (2, 1)


def test_without_chinese_mode_chinese_bytes_are_code_page_letters() -> None:
    (ticket,) = drawn(gb("号") + b"\n" + CUT)
    assert ticket.lines == (gb("号").decode("cp437"),)


def test_a_four_byte_character_is_torn_apart_as_on_a_two_byte_printer() -> None:
    (ticket,) = drawn(FS + b"&" + gb("¥8") + b"\n" + CUT)
    assert ticket.lines == (" 0 68",)


def test_a_long_line_wraps_at_the_width_of_the_paper() -> None:
    (ticket,) = drawn(b"x" * 50 + b"\n" + CUT)
    assert [len(line) for line in ticket.lines] == [48, 2]


def test_a_cut_without_feed_leaves_the_last_lines_on_the_next_ticket() -> None:
    first, second = drawn(b"one\n" * 6 + GS + b"V\x00" + b"two\n" + CUT)
    assert first.lines == ("one",) * 3
    assert second.lines == ("one", "one", "one", "two")


def test_arguments_of_commands_it_does_not_do_never_print() -> None:
    barcode = GS + b"k\x49\x06ABCDEF"
    odd = barcode + ESC + b"R\x0f" + GS + b"h\x50" + ESC + b"B\x03\x02" + FS + b"p\x01\x00"
    (ticket,) = drawn(odd + b"text\n" + CUT)
    assert ticket.lines == ("text",)
    assert ticket.ignored == ("GS k", "ESC R", "GS h", "ESC B", "FS p")


def test_real_time_commands_in_the_print_data_leave_no_trace_on_paper() -> None:
    (ticket,) = drawn(b"a" + DLE + b"\x04\x04" + b"b\n" + CUT)
    assert ticket.lines == ("ab",)


def test_the_ear_hears_status_questions_inside_picture_data_and_across_chunks() -> None:
    ear = RealTimeEar()
    assert ear.listen(GS + b"v0\x00\x03\x00\x01\x00" + DLE) == []
    assert ear.listen(b"\x04") == []
    assert ear.listen(b"\x02" + DLE + DLE + b"\x05\x02") == [
        (1, Command("DLE EOT", b"\x02")),
        (5, Command("DLE ENQ", b"\x02")),
    ]


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_no_noise_upsets_the_printer(noise: list[bytes]) -> None:
    """Noise may hold back later bytes as arguments, never raise or lose what came before it."""
    stream, strip = CommandStream(), Strip()
    stream.feed(b"kept\n")
    for chunk in noise:
        stream.feed(chunk)
    tickets = [ticket for command in stream.drain() if (ticket := strip.execute(command))]
    printed = [one for t in tickets for one in t.elements] + strip.elements
    first = next(one for one in printed if isinstance(one, TextRow))
    assert first.text == "kept"


def test_a_drawing_command_with_a_mad_length_is_skipped() -> None:
    (ticket,) = drawn(GS + b"v0\x00\xff\xff\xff\xff" + b"ok\n" + CUT)
    assert ticket.lines == ("ok",)
