"""Spreadsheets that people bring: CSV and XLSX as rows of cells, within limits."""

import csv
import io
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import python_calamine

from qingting.contract.errors import Refusal

Given = str | int | float | bool | date | datetime
"""A cell as it was read; an empty one is an empty text."""
MAX_BYTES = 960 * 1024
"""With the form around it a request as large as the server takes from anybody."""
MAX_ROWS = 5_000
"""Below the head. So many are previewed in half a second, and in one as a spreadsheet: a page should not wait longer."""
_WITH_HEAD = MAX_ROWS + 1
MAX_COLUMNS = 100
_MAX_UNPACKED = 200 * 1024 * 1024
"""A small archive that unpacks to more is an attack or a mistake."""
_CELL = re.compile(rb'r="([A-Z]{1,3})([0-9]{1,7})"')
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")


def read_sheet(data: bytes) -> list[list[Given]]:
    """Rows of the first sheet, the head included; empty rows at the end are left out.

    What kind of file it is, its bytes tell. Raises ``sheet.unreadable``, ``sheet.too_large``. Takes its time: call it
    off the loop.
    """
    if len(data) > MAX_BYTES:
        raise too_large()
    rows = _book(data) if data[:4] == b"PK\x03\x04" else _csv(data)
    while rows and not any(str(cell).strip() for cell in rows[-1]):
        rows.pop()
    if len(rows) > _WITH_HEAD or any(len(row) > MAX_COLUMNS for row in rows):
        raise too_large()
    if not rows:
        raise Refusal("sheet.unreadable")
    return rows


def too_large() -> Refusal:
    """The refusal with the limits that hold."""
    return Refusal("sheet.too_large", rows=MAX_ROWS, kilobytes=MAX_BYTES // 1024)


def _book(data: bytes) -> list[list[Given]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            _check_extent(packed)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = book.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=_WITH_HEAD + 1)
    except (python_calamine.CalamineError, zipfile.BadZipFile, IndexError) as error:
        raise Refusal("sheet.unreadable") from error
    return [[_cell(cell) for cell in row] for row in found]


def _check_extent(packed: zipfile.ZipFile) -> None:
    """The reader takes memory for every cell up to the last one, be they empty: look where that is first."""
    if sum(one.file_size for one in packed.infolist()) > _MAX_UNPACKED:
        raise too_large()
    for one in packed.infolist():
        if _SHEET.fullmatch(one.filename):
            cells = _CELL.findall(packed.read(one))
            if any(_column(column) > MAX_COLUMNS for column in {column for column, _ in cells}):
                raise too_large()
            if any(int(row) > _WITH_HEAD for row in {row for _, row in cells}):
                raise too_large()


def _column(letters: bytes) -> int:
    """``A`` is 1, ``AA`` is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _cell(cell: object) -> Given:
    """Numbers that are whole come as whole ones: a code typed as a number has no ``.0``."""
    if type(cell) is str:
        return cell
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    return cell if isinstance(cell, (str, int, float, bool, date, datetime)) else str(cell)


def _csv(data: bytes) -> list[list[Given]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Refusal("sheet.unreadable")
    if "\x00" in text:
        raise Refusal("sheet.unreadable")
    try:
        return [[_unquoted(cell) for cell in row] for row in csv.reader(io.StringIO(text))]
    except csv.Error as error:
        raise Refusal("sheet.unreadable") from error


def _unquoted(cell: str) -> str:
    """Without the apostrophe that our own export puts before what a spreadsheet would calculate."""
    return (
        cell[1:]
        if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
        else cell
    )


def text_of(cell: Given) -> str:
    """A cell as a person would write it."""
    if type(cell) is str:
        return cell.strip()
    if isinstance(cell, datetime):
        return (
            f"{cell:%Y-%m-%d}" if (cell.hour, cell.minute) == (0, 0) else f"{cell:%Y-%m-%d %H:%M}"
        )
    return str(cell).strip()


def columns_of(
    head: Sequence[Given],
    names: Mapping[str, Sequence[str]],
    optional: Collection[str] = (),
) -> dict[str, int]:
    """Where each column stands by its key; ``names`` gives the heads it may have. Raises ``sheet.column`` for one that
    is there twice, or missing and not ``optional``."""
    written = [text_of(cell).casefold() for cell in head]
    places: dict[str, int] = {}
    for key, known in names.items():
        heads = {one.casefold() for one in known}
        found = [place for place, text in enumerate(written) if text in heads]
        if len(found) == 1:
            places[key] = found[0]
        elif found or key not in optional:
            raise Refusal("sheet.column", column=known[0])
    return places
