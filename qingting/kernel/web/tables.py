"""Reads a table out of a page that was made for people, as the rows of a sheet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape

from qingting.kernel.web.sheets import Cell

_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "path", "rect", "line"})
_UNREAD = frozenset({"svg", "form", "button", "select", "textarea", "progress", "script"})
"""Drawings and controls: what they stand for is said in words beside them, or is an act."""
_APART = frozenset({"br", "div", "p", "li", "dd", "dt", "blockquote", "summary"})
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
_BETWEEN = " · "
_START = re.compile(r'<table\b[^>]*\bdata-table="([^"]+)"')
_TOKEN = re.compile(
    r"""<(/?)([a-z][a-z0-9-]*)((?:[^>"']|"[^"]*"|'[^']*')*?)(/?)>|<!--.*?-->|([^<]+)""", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""([a-z][a-z0-9-]*)(?:=(?:"([^"]*)"|'([^']*)'))?""")


@dataclass(slots=True)
class PageTable:
    """``head`` and ``rows`` as the page says them; figures of a column of figures are numbers."""

    key: str
    caption: str = ""
    head: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)

    def without_empty(self) -> "PageTable":
        """Without the columns that held only controls: no head, and no word in any row."""
        widest = max([len(self.head), *map(len, self.rows)])
        head = [*self.head, *[""] * (widest - len(self.head))]
        rows = [[*row, *[None] * (widest - len(row))] for row in self.rows]
        kept = [
            place
            for place in range(widest)
            if head[place] or any(row[place] not in (None, "") for row in rows)
        ]
        return PageTable(
            self.key,
            self.caption,
            [head[place] for place in kept],
            [[row[place] for place in kept] for row in rows],
        )


def table_of(html: str, key: str) -> PageTable | None:
    """The table with ``key`` (:func:`qingting.kernel.web.taking.table_key`), or the one whose caption differs in its
    figures alone."""
    stem = key.partition(".")[0]
    alike = [one for one in _START.finditer(html) if one[1].partition(".")[0] == stem]
    exact = [one for one in alike if one[1] == key]
    found = (exact or alike)[:1]
    if not found:
        return None
    reader = _Reader()
    # Only what is wanted: other tables of a page may be long.
    reader.read(html[found[0].start() : html.find("</table>", found[0].start())])
    return reader.tables[0].without_empty() if reader.tables else None


class _Reader:
    """Reads what our own templates made, which is well-formed; several times as fast as a parser of anything.
    ``_quiet`` counts the open elements since one that is not read."""

    def __init__(self) -> None:
        self.tables: list[PageTable] = []
        self._open: PageTable | None = None
        self._row: list[Cell] | None = None
        self._cell: list[str] | None = None
        self._figure = False
        self._span = 1
        self._in_head = False
        self._caption = False
        self._quiet = 0
        self._soft: list[str] = []

    def read(self, html: str) -> None:
        for found in _TOKEN.finditer(html):
            slash, tag, attributes, end, text = found.groups()
            if text is not None:
                self._say(text)
            elif tag is None:
                continue
            elif slash:
                self._end(tag)
            elif not end or tag in _VOID:
                self._start(tag, attributes)

    def _start(self, tag: str, attributes: str) -> None:
        if self._quiet:
            self._quiet += tag not in _VOID
            return
        given = _given(attributes) if attributes else {}
        if tag == "table" and given.get("data-table"):
            self._open = PageTable(given["data-table"])
            self.tables.append(self._open)
        elif self._open is not None:
            self._inside(tag, given)

    def _inside(self, tag: str, given: Mapping[str, str]) -> None:
        classes = given.get("class", "").split()
        if tag == "caption":
            self._caption = True
        elif tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self._row = []
        elif tag in ("th", "td") and self._row is not None:
            self._cell, self._figure = [], "num" in classes
            self._span = int(given.get("colspan") or 1)
        elif tag in _UNREAD or given.get("aria-hidden") == "true" or "visually-hidden" in classes:
            self._quiet = tag not in _VOID
        elif self._cell is not None and (tag in _APART or {"soft", "badge"} & set(classes)):
            self._cell.append("\n")
            if tag not in _VOID:
                self._soft.append(tag)
        elif self._soft and tag not in _VOID:
            self._soft.append("")

    def _end(self, tag: str) -> None:
        if tag in _VOID:
            return
        if self._quiet:
            self._quiet -= 1
        elif self._open is not None:
            self._leave(tag)

    def _leave(self, tag: str) -> None:
        if tag == "table":
            self._open = None
        elif tag == "caption":
            self._caption = False
        elif tag == "thead":
            self._in_head = False
        elif tag in ("th", "td"):
            self._end_cell()
        elif tag == "tr" and self._row is not None and self._open is not None:
            if self._in_head:
                self._open.head = [str(one or "") for one in self._row]
            elif self._row:
                self._open.rows.append(self._row)
            self._row = None
        elif self._soft and self._soft.pop() and self._cell is not None:
            self._cell.append("\n")

    def _end_cell(self) -> None:
        if self._cell is None or self._row is None:
            return
        words = [" ".join(one.split()) for one in "".join(self._cell).split("\n")]
        text = _BETWEEN.join(one for one in words if one not in ("", "—", "·"))
        self._row += [_figure(text) if self._figure else text, *[None] * (self._span - 1)]
        self._cell, self._soft = None, []

    def _say(self, text: str) -> None:
        if self._quiet or self._open is None:
            return
        data = unescape(text) if "&" in text else text
        if self._caption:
            self._open.caption += data
        elif self._cell is not None:
            self._cell.append(data.replace("\n", " "))


def _given(attributes: str) -> dict[str, str]:
    found = _ATTRIBUTE.findall(attributes)
    return {name: unescape(double or single) for name, double, single in found}


def _figure(text: str) -> Cell:
    plain = text.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        return text
    return float(plain) if "." in plain else int(plain)
