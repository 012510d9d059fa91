"""Personal data (个人信息) as modules hold it: what is sealed and how it changes keys, who is asked to show it, to
give a copy, to erase it.

A module says at set-up what it holds (:meth:`console.core.module.ModuleContext.holds`) and which boxes it keeps
(:meth:`console.core.module.ModuleContext.keeps_boxes`); the module ``privacy`` does the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import sqlalchemy as sa

from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from qingting.kernel.security.seal import Sealer


class DataClass(StrEnum):
    """How a field may be shown (standards.md C1 item 8): ``public`` to all, ``internal`` to whoever sees the page,
    ``sensitive`` masked, in clear with a reason only, and in files after another person's consent."""

    PUBLIC = "public"
    INTERNAL = "internal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, slots=True)
class PersonalField:
    """``name`` has the text ``personal.field.<name>``."""

    name: str
    data_class: DataClass


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSought:
    """Whose data is meant. ``number`` is the certificate number in clear, in memory only; ``index`` its blind index
    under the city's keys."""

    number: str = field(repr=False)
    index: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRecord:
    """One record about somebody: ``fields`` by :class:`PersonalField` name, in clear, for the one whom they are about."""

    id: str
    at: int
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What must stay of somebody for now: ``count`` records, for the reason that is the text ``personal.kept.<why>``,
    until then; ``until`` 0: until somebody ends it. ``record`` is whose it is, as the holder names people."""

    record: str
    why: str
    count: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What became of a wish to be erased. ``number``: of somebody who was kept and is gone now, whom halls have to
    forget once more."""

    erased: int
    left: tuple[Left, ...] = ()
    number: str = field(default="", repr=False)

    @property
    def kept(self) -> int:
        return sum(one.count for one in self.left)


class PersonalData(Protocol):
    """What a module holds about people. ``holder`` has the text ``personal.holder.<holder>``."""

    @property
    def holder(self) -> str: ...

    @property
    def fields(self) -> Sequence[PersonalField]: ...

    async def masked(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        """The sensitive fields of a record as everybody who may see it sees them. Checks the subject's reach.

        Raises ``personal.unknown`` for a record that is not there or not within reach."""
        ...

    async def clear(self, uow: ReadUow, subject: Subject, record: str) -> Mapping[str, str]:
        """The same in clear; asked only where a reason was given and written down."""
        ...

    async def about(self, uow: ReadUow, person: PersonSought) -> Sequence[HeldRecord]:
        """All that is held about somebody."""
        ...

    async def erase(self, uow: Uow, person: PersonSought) -> Erased:
        """Erases or makes nameless what is held about somebody, in the caller's transaction. What must stay for now
        is ``left``; the module ``privacy`` has it finished (:meth:`finish`)."""
        ...

    async def finish(self, uow: Uow, record: str) -> Erased:
        """Erases what was left of ``record`` and need not stay any more. Not by the number: whoever has come back since
        then is somebody new, with a consent of their own."""
        ...


# ---- boxes and their keys -------------------------------------------------------------------------


class Boxes(Protocol):
    """Sealed boxes of a module, which change to the newest key when the city's keys follow each other."""

    @property
    def name(self) -> str: ...

    async def behind(self, uow: ReadUow, sealer: Sealer) -> Mapping[str, int]:
        """How many boxes are under each key that is not the newest."""
        ...

    async def renew(self, uow: Uow, sealer: Sealer, rows: int) -> int:
        """Seals at most ``rows`` of them anew and says how many; whoever changed one meanwhile wins."""
        ...


Context = Callable[[sa.RowMapping], str]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Boxes in a text column. ``context`` is what they were sealed with, or how it follows from a row's key columns;
    null and empty are no boxes."""

    column: sa.Column[Any]
    context: str | Context

    @property
    def name(self) -> str:
        return f"{self.column.table.name}.{self.column.name}"

    def _old(self, sealer: Sealer) -> sa.ColumnElement[bool]:
        newest = sealer.newest + "."
        return sa.and_(
            self.column.is_not(None),
            self.column != "",
            ~self.column.startswith(newest, autoescape=True),
        )

    async def behind(self, uow: ReadUow, sealer: Sealer) -> Mapping[str, int]:
        key = sa.func.split_part(self.column, ".", 1)
        statement = sa.select(key.label("key"), sa.func.count().label("n")).where(self._old(sealer))
        return {row["key"]: row["n"] for row in await uow.all(statement.group_by(key))}

    async def renew(self, uow: Uow, sealer: Sealer, rows: int) -> int:
        table = self.column.table
        keys = list(table.primary_key.columns)
        statement = sa.select(*keys, self.column.label("_box")).where(self._old(sealer))
        found = await uow.all(statement.limit(rows).with_for_update(skip_locked=True))
        for row in found:
            context = self.context if isinstance(self.context, str) else self.context(row)
            box = sealer.seal(sealer.open(row["_box"], context=context), context=context)
            await uow.run(
                sa.update(table)
                .where(*(key == row[key.name] for key in keys), self.column == row["_box"])
                .values({self.column.name: box})
            )
        return len(found)
