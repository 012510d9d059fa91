"""Lists as files for a spreadsheet: CSV and XLSX whose cells are text, numbers and times, never formulas."""

import asyncio
import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

import xlsxwriter
from aiohttp import web

from qingting.contract.errors import Refusal

Cell = str | int | float | datetime | None
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so is taken for a formula by one spreadsheet or another (OWASP: CSV injection)."""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]|\.(?=\.)")
_NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\]")
_WIDEST = 48
_TEXT, _SHORT_TEXT = 49, 255
"""The format of texts, by its number in every spreadsheet. Longer ones are shown as ##### by some programs where the format of the cell is text."""
_MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def moment(ms: int, zone: tzinfo) -> datetime | None:
    """An instant in server milliseconds as a cell; 0 is none."""
    return datetime.fromtimestamp(ms / 1000, zone) if ms else None


async def sheet_response(
    kind: str,
    *,
    file: str,
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    watermark: str = "",
) -> web.Response:
    """The list to keep, as ``<file>.<kind>``. ``watermark`` says who took it out and when: above the list, and on
    every page that is printed of it. Raises ``page.not_found`` for a kind other than csv and xlsx."""
    if kind not in _MEDIA:
        raise Refusal("page.not_found")
    data = await asyncio.to_thread(
        made_sheet, kind, title=title, head=head, rows=rows, watermark=watermark
    )
    name, media = sheet_file(kind, file)
    attached = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=data, content_type=media, headers=attached)


def made_sheet(
    kind: str,
    *,
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    watermark: str = "",
    frugal: bool = False,
) -> bytes:
    """The list as csv or xlsx. Takes its time: call it off the loop. ``frugal``: with a file on disk in between, for a
    list that would take much memory."""
    if kind == "csv":
        return csv_of(head, rows, watermark)
    return xlsx_of(title, head, rows, watermark, frugal=frugal)


def sheet_file(kind: str, file: str) -> tuple[str, str]:
    """Name and media type of a list's file."""
    return f"{plain_name(file)}.{kind}", _MEDIA[kind]


def plain_name(file: str) -> str:
    """A file's name that ends no header and names no folder, whatever it was made of."""
    return _NOT_IN_A_NAME.sub("_", file)[:100]


def csv_of(head: Sequence[str], rows: Iterable[Sequence[Cell]], watermark: str = "") -> bytes:
    """UTF-8 with the mark by which Excel knows it. A text that a spreadsheet would calculate gets an
    apostrophe in front, so that it is shown as it is."""
    kept = io.StringIO(newline="")
    writer = csv.writer(kept)
    if watermark:
        writer.writerow([_plain(watermark)])
    writer.writerow(map(_plain, head))
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return kept.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> str | int | float:
    match cell:
        case None:
            return ""
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M}"
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
        case _:
            return cell


def xlsx_of(
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    watermark: str = "",
    *,
    frugal: bool = False,
) -> bytes:
    """One sheet with a fixed head and filters; texts are written as texts, whatever they look like, and stay texts where
    somebody types over them or below: a spreadsheet program makes 201 of the code 0201 otherwise."""
    kept = io.BytesIO()
    options = {
        "constant_memory" if frugal else "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(kept, options) as book:
        sheet = book.add_worksheet(_NOT_IN_A_TITLE.sub(" ", title).strip()[:31] or None)
        bold = book.add_format({"bold": True, "bottom": 1})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        words = book.add_format({"num_format": _TEXT})
        widths = [len(one.encode("gbk", "replace")) for one in head]
        formats = [words] * len(head)
        top = 0
        if watermark:
            top = 1
            sheet.write_string(0, 0, watermark, book.add_format({"italic": True}))
            # In the header of every printed page; & begins a code there.
            sheet.set_header("&L" + watermark.replace("&", "&&"))
        sheet.write_row(top, 0, head, bold)
        last = top
        for last, row in enumerate(rows, start=top + 1):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime):
                    sheet.write_datetime(last, column, cell.replace(tzinfo=None), moment)
                elif isinstance(cell, str):
                    short = len(cell) <= _SHORT_TEXT
                    sheet.write_string(last, column, cell, words if short else None)
                elif cell is not None:
                    sheet.write_number(last, column, cell)
                if not isinstance(cell, str) or len(cell) > _SHORT_TEXT:
                    formats[column] = None
                widths[column] = max(widths[column], _width(cell))
        for column, (width, kept_as) in enumerate(zip(widths, formats, strict=True)):
            sheet.set_column(column, column, min(width, _WIDEST) + 2, kept_as)
        sheet.freeze_panes(top + 1, 0)
        sheet.autofilter(top, 0, last, len(head) - 1)
    return kept.getvalue()


def _width(cell: Cell) -> int:
    """In columns; a Chinese character takes two."""
    if isinstance(cell, datetime):
        return 16
    return len(str(cell if cell is not None else "").encode("gbk", "replace"))
