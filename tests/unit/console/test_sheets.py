"""Files for a spreadsheet: nothing in them is ever calculated."""

import csv
import io
import zipfile
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from console.core.sheets import csv_of, xlsx_of

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
