"""Read models kept row by row: load what a batch touches, change it in memory, write it back at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow


async def load_rows(
    uow: ReadUow, table: sa.Table, hall: str, key: str, ids: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Rows of ``hall`` whose column ``key`` is one of ``ids``, as plain dictionaries by that key."""
    if not ids:
        return {}
    rows = await uow.all(
        sa.select(table).where(table.c.hall == hall, table.c[key].in_(sorted(ids)))
    )
    return {row[key]: dict(row) for row in rows}


async def save_rows(uow: Uow, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts or replaces whole rows by the table's primary key."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    replaced = {
        column.name: statement.excluded[column.name]
        for column in table.c
        if column.name not in keys
    }
    await uow.run(
        statement.on_conflict_do_update(index_elements=keys, set_=replaced),
        [dict(row) for row in rows],
    )
