"""Spreadsheets that come in: rows with their faults, a preview of what they change, and take-in of just that.

A module brings its columns and how a row is read; what is common to all imports is here.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from console.core.models import metadata
from console.core.sheet_reading import Given, columns_of, text_of
from console.core.sheet_zeros import Codes
from console.core.uow import Uow
from qingting.contract.errors import Refusal

T = TypeVar("T")

UPLOAD_MS = 3_600_000
"""How long a previewed spreadsheet waits for its take-in."""
_NO_CODES: Mapping[str, Codes] = {}
Columns = Mapping[str, tuple[str, str]]
"""Heads in Chinese and English by key, in the order in which a list is written."""


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with a cell, as a text key with its parameters."""

    field: str
    why: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two records have differently; ``before`` None: there was no record before."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow(Generic[T]):
    """A row as it was understood; ``key`` names the record. ``value`` None: ``faults`` say why it cannot be taken."""

    row: int
    key: str
    value: T | None
    faults: Sequence[CellFault] = ()
    warnings: Sequence[CellFault] = ()

    def refused(self, *faults: CellFault) -> "SheetRow[T]":
        """The same row as a bad one."""
        return replace(self, value=None, faults=(*self.faults, *faults))

    def doubted(self, *warnings: CellFault) -> "SheetRow[T]":
        """The same row as one to look at."""
        return replace(self, warnings=(*self.warnings, *warnings))


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPreview(Generic[T]):
    """What taking in a spreadsheet would do. ``changes`` by key, for every row that can be taken; ``new`` are keys
    that nothing is known of; ``extra`` are names that come along (such as materials of a dictionary)."""

    upload: str
    rows: Sequence[SheetRow[T]]
    changes: Mapping[str, Sequence[Difference]]
    new: Collection[str]
    extra: Sequence[str] = ()

    @property
    def good(self) -> list[SheetRow[T]]:
        """Rows that change something."""
        return [one for one in self.rows if one.value is not None and self.changes[one.key]]

    @property
    def bad(self) -> list[SheetRow[T]]:
        return [one for one in self.rows if one.value is None]

    @property
    def doubtful(self) -> list[SheetRow[T]]:
        """Rows that are taken although something about them looks wrong."""
        return [one for one in self.good if one.warnings]

    @property
    def same(self) -> int:
        return len(self.rows) - len(self.good) - len(self.bad)

    @property
    def digest(self) -> str:
        """The same for two previews that would do the same."""
        told = [
            (one.key, [(a.field, repr(a.before), repr(a.after)) for a in self.changes[one.key]])
            for one in self.good
        ]
        return hashlib.sha256(repr((told, [one.row for one in self.bad])).encode()).hexdigest()


def read_rows(
    rows: Sequence[Sequence[Given]],
    columns: Columns,
    *,
    key: str,
    required: Collection[str],
    read: Callable[[int, Mapping[str, str]], SheetRow[T]],
    codes: Mapping[str, Codes] = _NO_CODES,
) -> list[SheetRow[T]]:
    """Every row that says something, by ``read(row number, texts by column)``; a key that stands there twice makes
    the later row a bad one, and so does one of ``codes`` (what is known, by column) that lost its zeros. Raises
    ``sheet.column`` when a needed column is missing."""
    places = columns_of(rows[0], columns, optional=[one for one in columns if one not in required])
    found: list[SheetRow[T]] = []
    seen: set[str] = set()
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: text_of(row[at]) if at < len(row) else "" for name, at in places.items()}
        if not any(cells.values()):
            continue
        one = read(number, cells)
        for name, known in codes.items():
            if cells.get(name):
                one = _with_zeros(one, name, cells[name], row[places[name]], known)
        if one.key in seen:
            one = one.refused(CellFault(key, "sheet.bad.twice"))
        seen.add(one.key)
        found.append(one)
    return found


def _with_zeros(one: SheetRow[T], name: str, text: str, cell: Given, known: Codes) -> SheetRow[T]:
    """The row with what is to be said of the zeros in front of one of its codes."""
    if lost := known.lost(text):
        why = "sheet.bad.zeros_new" if known.own else "sheet.bad.zeros"
        return one.refused(CellFault(name, why, {"value": lost}))
    if not known.own:
        return one
    if gained := known.gained(text):
        return one.doubted(CellFault(name, "sheet.warn.zeros", {"value": gained}))
    return one.doubted(CellFault(name, "sheet.warn.number")) if known.unsure(text, cell) else one


def texts_in(rows: Sequence[Sequence[Given]], heads: Sequence[str]) -> set[str]:
    """Every text that stands in the column with one of ``heads``. Raises ``sheet.column``."""
    place = columns_of(rows[0], {"": heads})[""]
    return {text_of(row[place]) for row in rows[1:] if place < len(row)}


def differences(before: Any, after: Any, fields: Sequence[str], blank: Any) -> list[Difference]:
    """Fields that two records have differently, in their order; ``before`` None: all in which ``after`` says more
    than ``blank``."""
    return [
        Difference(one, getattr(before, one) if before is not None else None, getattr(after, one))
        for one in fields
        if getattr(after, one) != getattr(before if before is not None else blank, one)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of a take-in: how many rows ``changed`` something, and those that were ``left_out`` with their faults."""

    changed: int
    left_out: Sequence[SheetRow[Any]]


def upload_table(name: str) -> sa.Table:
    """A module's table of spreadsheets between their preview and their take-in."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
    )


class Uploads:
    """Spreadsheets that wait, in a table made by :func:`upload_table`."""

    def __init__(self, table: sa.Table) -> None:
        self._table = table

    async def keep(
        self, uow: Uow, shown: SheetPreview[T], data: bytes, *, kind: str, by: str, at: int
    ) -> None:
        """Keeps what was shown as ``shown.upload``, and lets go what waited too long."""
        await uow.run(sa.delete(self._table).where(self._table.c.at < at - UPLOAD_MS))
        values = {"id": shown.upload, "by": by, "at": at, "data": data, "digest": shown.digest}
        await uow.run(sa.insert(self._table).values(**values, kind=kind))

    async def take(
        self, uow: Uow, upload: str, *, kind: str, by: str, at: int
    ) -> tuple[bytes, str]:
        """The spreadsheet and the digest of its preview, for who brought it, once. Raises ``sheet.upload_gone``."""
        c = self._table.c
        statement = (
            sa.delete(self._table)
            .where(c.id == upload, c.by == by, c.kind == kind, c.at >= at - UPLOAD_MS)
            .returning(c.data, c.digest)
        )
        found = await uow.first(statement)
        if found is None:
            raise Refusal("sheet.upload_gone")
        return bytes(found["data"]), found["digest"]


def agreed(now: SheetPreview[T], shown: str) -> list[SheetRow[T]]:
    """The rows to take in: exactly what was ``shown`` (its digest).

    Raises ``sheet.moved`` when they would do something else by now.
    """
    if now.digest != shown:
        raise Refusal("sheet.moved")
    return now.good
