"""Promises of the ticket encoder: exact bytes, no foreign commands, rare characters drawn."""

import re
from typing import Any

import pytest
import segno
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hallserver.devices.profile_types import PrinterProfile
from hallserver.devices.profiles import load_kind
from hallserver.devices.protocols.escpos.document import Bitmap, JobEncoder
from hallserver.devices.protocols.escpos.text import (
    columns_of,
    encode_text,
    is_encodable,
    pair_lines,
    printable,
    wrap,
)
from hallserver.devices.raster import PillowRasteriser, find_chinese_font
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import (
    Align,
    FeedLines,
    PairLine,
    PrintElement,
    PrintJob,
    QrCode,
    RuleLine,
    TextLine,
)

GENERIC = load_kind(PrinterProfile, "generic.escpos80")
EPSON = load_kind(PrinterProfile, "epson.tm-t88")
DRAWN = load_kind(PrinterProfile, "generic.escpos80-drawn")
RARE = "𬭎"  # four bytes in GB18030: 99 33 A9 32


class NoFont:
    """A rasteriser on a machine without any Chinese font."""

    def line(self, text: str, *, scale: int, bold: bool) -> Bitmap | None:
        return None

    def qr(self, data: str, *, module_dots: int, max_width: int) -> Bitmap:
        return Bitmap(8, 1, b"\xff")


def encode(*document: PrintElement, profile: PrinterProfile = GENERIC, font: bool = True) -> bytes:
    job = PrintJob(
        ticket=TicketId("2026-11-24-A-1"),
        attempt=1,
        printer=DeviceId("p1"),
        issued_at=0,
        document=document,
    )
    return JobEncoder(profile, PillowRasteriser() if font else NoFont()).encode(job, 7).data


def test_a_text_line_is_aligned_sized_and_two_byte_encoded() -> None:
    assert encode(TextLine(text="排队 A001", align=Align.CENTRE, scale=2, bold=True)).hex(" ") == (
        "1b 40 1c 26 "  # reset, Chinese mode
        "1b 61 01 1c 21 0c 1d 21 11 1b 45 01 "  # centre, both sizes doubled, bold
        "c5 c5 b6 d3 20 41 30 30 31 0a "
        "1d 56 42 03 1d 72 01"  # feed and cut, fence
    )


def test_a_job_for_a_printer_that_pushes_switches_the_push_on_again_and_asks_for_its_id() -> None:
    data = encode(TextLine(text="A001"), profile=EPSON)
    assert data.startswith(bytes.fromhex("1b 40 1c 26 1d 61 ff"))
    assert data.endswith(bytes.fromhex("1d 28 48 06 00 30 30 30 30 30 37"))


def test_feed_and_rule() -> None:
    data = encode(FeedLines(lines=3), RuleLine())
    assert bytes.fromhex("1b 64 03") in data
    assert "─".encode("gbk") * 24 + b"\n" in data


def test_the_currency_sign_is_the_two_byte_one() -> None:
    assert encode_text(printable("¥5 ￥5")) == bytes.fromhex("a3a4 35 20 a3a4 35")


@pytest.mark.parametrize("char", "°×·é±Ω①あ￥℃㎡Ⅰ、“”…—〇")
def test_two_byte_signs_are_written_as_text(char: str) -> None:
    assert len(encode_text(printable(char))) == 2


@pytest.mark.parametrize("char", [RARE, "㛃", "𠮷", "䶮", "㐂"])
def test_a_line_with_a_rare_character_is_drawn(char: str) -> None:
    assert not is_encodable(char)
    data = encode(PairLine(label="姓名", value=f"张{char}"))
    assert b"\x1d\x76\x30\x00" in data
    assert char.encode("gb18030") not in data


def test_without_any_font_a_rare_character_becomes_a_geta_and_is_counted() -> None:
    job = PrintJob(
        ticket=TicketId("t"),
        attempt=1,
        printer=DeviceId("p"),
        issued_at=0,
        document=(TextLine(text=f"张{RARE}"),),
    )
    encoded = JobEncoder(GENERIC, NoFont()).encode(job, 1)
    assert "张〓".encode("gbk") in encoded.data
    assert encoded.undrawable == 1


def test_a_machine_without_fonts_is_noticed(tmp_path: Any) -> None:
    assert find_chinese_font((str(tmp_path),)) is None
    assert PillowRasteriser((str(tmp_path),)).line("张", scale=1, bold=False) is None


def test_chinese_larger_than_the_printer_can_is_drawn_and_latin_is_not() -> None:
    assert b"\x1d\x76\x30\x00" in encode(TextLine(text="办事大厅", scale=3))
    assert b"\x1d\x21\x33" in encode(TextLine(text="A001", scale=4))


def test_text_can_never_smuggle_a_command() -> None:
    data = encode(TextLine(text="\x1b@\x10\x04\x01\x1dV\x00A\u200e\r\n\x85"), font=False)
    body = data[4:-7]
    assert body.endswith(b"@VA\n")


@given(st.text(max_size=60), st.integers(1, 8))
def test_any_text_stays_within_its_columns_and_free_of_control_bytes(text: str, scale: int) -> None:
    columns = 48 // scale
    for line in wrap(printable(text), columns):
        assert columns_of(line) <= columns
        if is_encodable(line):
            assert min(encode_text(line), default=0x20) >= 0x20


@given(
    st.text(alphabet="姓名证件号Ab1 ", max_size=30), st.text(alphabet="张*1234X大庆", max_size=120)
)
def test_a_pair_fills_the_width_and_loses_nothing(label: str, value: str) -> None:
    lines = pair_lines(label, value, 48)
    assert all(columns_of(line) <= 48 for line in lines)
    squeezed = "".join(lines).replace(" ", "")
    assert squeezed == (label + value).replace(" ", "")


@given(st.text(alphabet="ab -张号", max_size=80), st.integers(1, 24))
def test_lines_lose_nothing_but_blanks_and_break_no_word_that_fits(text: str, columns: int) -> None:
    lines = wrap(text, max(columns, 2))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    words = [one for one in re.findall(r"[ab-]+", text) if len(one) <= columns]
    kept = [one for line in lines for one in re.findall(r"[ab-]+", line)]
    assert all(kept.count(one) >= words.count(one) for one in words)


def test_an_english_value_breaks_between_words() -> None:
    assert pair_lines("Service", "Registration of a transfer of real estate", 40) == [
        "Service    Registration of a transfer of",
        "                             real estate",
    ]


def test_a_pair_puts_its_value_at_the_right_edge() -> None:
    assert pair_lines("前面等候", "3 人", 20) == ["前面等候        3 人"]
    assert pair_lines("事项", "内资公司设立登记内资公司", 20) == [
        "事项  内资公司设立登",
        "          记内资公司",
    ]


def test_a_picture_equals_what_an_independent_library_sends() -> None:
    code = segno.make("https://x.cn/t/abc", error="m", micro=False)
    modules = [list(row) for row in code.matrix_iter(border=4)]
    size = len(modules) * 4
    image = Image.new("1", (size, size), 1)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            if dark:
                image.paste(0, (x * 4, y * 4, x * 4 + 4, y * 4 + 4))
    oracle = Dummy()
    oracle.profile.profile_data["media"]["width"]["pixels"] = 576
    oracle.image(image, impl="bitImageRaster", center=False, fragment_height=255)
    ours = PillowRasteriser().qr("https://x.cn/t/abc", module_dots=4, max_width=576)
    assert (
        oracle.output
        == b"\x1d\x76\x30\x00"
        + ((ours.width + 7) // 8).to_bytes(2, "little")
        + ours.height.to_bytes(2, "little")
        + ours.data
    )


def test_a_native_code_equals_what_an_independent_library_sends() -> None:
    oracle = Dummy()
    oracle.qr("QT1:abcdef", native=True, ec=1, size=6, model=2)
    data = encode(QrCode(data="QT1:abcdef", module_dots=6), profile=EPSON)
    assert oracle.output in data


def test_a_code_too_wide_for_the_paper_is_made_smaller() -> None:
    bitmap = PillowRasteriser().qr("x" * 300, module_dots=16, max_width=576)
    assert bitmap.width <= 576


def test_a_tall_picture_is_cut_into_slices_of_255_rows() -> None:
    data = encode(QrCode(data="x" * 60, module_dots=16))
    assert data.count(b"\x1d\x76\x30\x00") >= 2
    assert b"\xff\x00" in data


WHOLE: tuple[PrintElement, ...] = (
    TextLine(text="萨尔图区政务服务中心", align=Align.CENTRE, bold=True),
    TextLine(text="A023", align=Align.CENTRE, scale=4, bold=True),
    RuleLine(),
    PairLine(label="姓名", value=f"王{RARE}"),
    FeedLines(lines=2),
    QrCode(data="https://hall.example/t/abc"),
)


def pictures_of(job: bytes) -> list[tuple[int, int]]:
    """Width and height in dots of each GS v 0 picture."""
    sizes = []
    for found in re.finditer(rb"\x1dv0\x00(..)(..)", job, re.DOTALL):
        columns, rows = (int.from_bytes(part, "little") for part in found.groups())
        sizes.append((columns * 8, rows))
    return sizes


def without_pictures(job: bytes) -> bytes:
    """The job with every picture taken out."""
    rest, at = b"", 0
    while (start := job.find(b"\x1dv0\x00", at)) >= 0:
        columns = int.from_bytes(job[start + 4 : start + 6], "little")
        rows = int.from_bytes(job[start + 6 : start + 8], "little")
        rest += job[at:start]
        at = start + 8 + columns * rows
    return rest + job[at:]


def test_a_printer_whose_text_is_drawn_gets_no_character_at_all() -> None:
    job = encode(*WHOLE, profile=DRAWN)
    sizes = pictures_of(job)
    assert len(sizes) >= 5, "every line and the code"
    assert all(width <= DRAWN.capabilities.width_dots for width, _ in sizes)
    commands = without_pictures(job).replace(b"\x1ba\x00", b"").replace(b"\x1bd\x02", b"")
    expected = DRAWN.commands
    ends = expected.cut.fill(feed=expected.cut_feed) + expected.fence.fill(id=7)
    assert commands == bytes(expected.init) + ends


def test_the_same_dots_stand_where_a_line_is_written_or_drawn_because_no_code_has_it() -> None:
    line = TextLine(text=f"王{RARE}", scale=2)
    assert pictures_of(encode(line, profile=GENERIC)) == pictures_of(encode(line, profile=DRAWN))


def test_without_any_font_a_drawn_ticket_is_written_so_that_the_number_is_on_it() -> None:
    job = encode(TextLine(text="A023 办理"), profile=DRAWN, font=False)
    assert encode_text("A023 办理") in job
