"""Files for a spreadsheet: nothing in them is ever calculated."""

import csv
import io
import re
import zipfile
from datetime import datetime

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from console.core.sheet_reading import MAX_ROWS, read_sheet, text_of
from qingting.contract.errors import Refusal
from qingting.kernel.web.sheets import csv_of, plain_name, xlsx_of

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(st.lists(st.tuples(st.sampled_from(["=", "+", "-", "@", "＝", ""]), WORDS), max_size=5))
def test_no_cell_of_a_csv_begins_a_formula_and_none_is_lost(cells: list[tuple[str, str]]) -> None:
    texts = [start + rest for start, rest in cells]
    data = csv_of(["h"], [[text] for text in texts]).decode("utf-8-sig")
    rows = [row[0] if row else "" for row in csv.reader(io.StringIO(data, newline=""))][1:]
    assert not [row for row in rows if row.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    assert [row.removeprefix("'") for row in rows] == [text.removeprefix("'") for text in texts]


def test_a_sheet_holds_texts_times_and_numbers_and_no_formula_or_link() -> None:
    row = ["=HYPERLINK(1)", "https://example.org", "007", 3, datetime(2026, 11, 26, 14, 30), None]  # noqa: DTZ001
    book = zipfile.ZipFile(io.BytesIO(xlsx_of("设备", list("abcdef"), [row])))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    strings = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert all(text in strings for text in ("=HYPERLINK(1)", "https://example.org", "007"))
    assert "<v>3</v>" in sheet
    assert "<v>46352.604" in sheet, "a time is a number with a format, so that it can be sorted"


def test_texts_of_a_sheet_stay_texts_where_somebody_types_over_them_or_below() -> None:
    rows = [["0201", 3, "x" * 300], ["0202", 4, "y"]]
    book = zipfile.ZipFile(io.BytesIO(xlsx_of("人员", ["工号", "数", "说明"], rows)))
    sheet, styles = (book.read(f"xl/{one}.xml").decode() for one in ("worksheets/sheet1", "styles"))
    kinds = re.search(r"<cellXfs.*?</cellXfs>", styles, re.DOTALL)
    assert kinds is not None
    places = re.findall(r'<xf numFmtId="(\d+)"', kinds[0])
    text = str(places.index("49"))
    cells = dict(re.findall(r'<c r="([A-Z]\d)"(?: s="(\d+)")?', sheet))
    columns = dict(re.findall(r'<col min="(\d)"[^>]*?(?:style="(\d+)"[^>]*)?/>', sheet))
    assert [cells[one] for one in ("A2", "A3", "B2", "C2", "C3")] == [text, text, "", "", text]
    assert [columns[one] == text for one in ("1", "2", "3")] == [True, False, False]


def test_a_sheet_with_a_cell_in_its_far_corner_is_refused_before_it_takes_the_memory() -> None:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        book.add_worksheet().write(1_048_575, 16_383, "x")
    with pytest.raises(Refusal, match=r"sheet\.too_large"):
        read_sheet(kept.getvalue())


def test_a_sheet_that_is_too_long_to_wait_for_is_refused_with_the_limit() -> None:
    row = "123456,张三,窗口\n"
    longest = MAX_ROWS + 1  # With its head.
    book = xlsx_of("x", ["工号"], [["1"]] * MAX_ROWS)
    assert len(read_sheet((row * longest).encode())) == len(read_sheet(book)) == longest
    for data in ((row * (longest + 1)).encode(), xlsx_of("x", ["工号"], [["1"]] * longest)):
        with pytest.raises(Refusal, match=r"sheet\.too_large") as refused:
            read_sheet(data)
    assert f"最多 {MAX_ROWS} 行" in refused.value.sentence()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04broken", b"\xff\xfe\xff\x00\x80", b"\n\n"])
def test_what_is_no_sheet_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal, match=r"sheet\.unreadable"):
        read_sheet(data)


@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="'"), max_size=12
            ),
            min_size=2,
            max_size=2,
        ),
        max_size=8,
    )
)
def test_a_list_that_went_out_comes_back_as_it_was(rows: list[list[str]]) -> None:
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    for made in (csv_of(("a", "b"), kept), xlsx_of("x", ("a", "b"), kept)):
        assert [[text_of(cell) for cell in row] for row in read_sheet(made)[1:]] == [
            [cell.strip() for cell in row] for row in kept
        ]


@given(st.text())
def test_no_name_of_a_sheet_ends_its_header_or_leads_elsewhere(file: str) -> None:
    name = plain_name(file)
    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set('"\\/;\r\n ')
    assert ".." not in name
