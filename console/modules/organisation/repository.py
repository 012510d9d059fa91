"""All SQL of the organisation."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from console.core.uow import ReadUow, Uow
from console.modules.organisation import models as m
from console.modules.organisation.api import Department, Division, Staff
from console.modules.organisation.domain import division
from qingting.contract.errors import Refusal


async def divisions(uow: ReadUow) -> list[Division]:
    rows = await uow.all(sa.select(m.division).order_by(m.division.c.code))
    return [division(row["code"], row["name"], row["name_en"]) for row in rows]


async def root(uow: ReadUow) -> str:
    """Code of the city; empty before the first start."""
    return str(
        await uow.scalar(sa.select(m.division.c.code).where(m.division.c.parent.is_(None))) or ""
    )


async def put_divisions(uow: Uow, found: Collection[Division]) -> None:
    """Adds divisions or renames known ones; parents come first."""
    if not found:
        return
    statement = insert(m.division)
    names = {"name": statement.excluded.name, "name_en": statement.excluded.name_en}
    rows = [
        {"code": one.code, "parent": one.parent or None, "name": one.name, "name_en": one.name_en}
        for one in found
    ]
    await uow.run(statement.on_conflict_do_update(index_elements=["code"], set_=names), rows)


async def add_division(uow: Uow, one: Division) -> bool:
    """False when it is there, also since a moment ago."""
    statement = insert(m.division).values(
        code=one.code, parent=one.parent or None, name=one.name, name_en=one.name_en
    )
    return bool(await uow.run(statement.on_conflict_do_nothing()))


async def drop_division(uow: Uow, code: str) -> bool:
    """Raises ``organisation.in_use`` while anything belongs to it."""
    return await _drop(uow, sa.delete(m.division).where(m.division.c.code == code))


async def departments(uow: ReadUow) -> list[Department]:
    rows = await uow.all(
        sa.select(m.department).order_by(m.department.c.division, m.department.c.id)
    )
    return [Department(**{**row, "parent": row["parent"] or ""}) for row in rows]


async def put_department(uow: Uow, one: Department, *, new: bool = False) -> bool:
    """False when a ``new`` one is there, also since a moment ago."""
    values = {
        "parent": one.parent or None,
        "division": one.division,
        "code": one.code,
        "name": one.name,
        "name_en": one.name_en,
        "uscc": one.uscc,
    }
    statement = insert(m.department).values(id=one.id, **values)
    if new:
        return bool(await uow.run(statement.on_conflict_do_nothing()))
    return bool(await uow.run(statement.on_conflict_do_update(index_elements=["id"], set_=values)))


async def drop_department(uow: Uow, department: str) -> bool:
    """Raises ``organisation.in_use`` while anything belongs to it."""
    return await _drop(uow, sa.delete(m.department).where(m.department.c.id == department))


async def staff(uow: ReadUow, *where: sa.ColumnElement[bool]) -> list[Staff]:
    rows = await uow.all(sa.select(m.staff).where(*where).order_by(m.staff.c.number))
    return [_staff(row) for row in rows]


def _staff(row: sa.RowMapping) -> Staff:
    return Staff(
        number=row["number"],
        name=row["name"],
        post=row["post"],
        division=row["division"],
        department=row["department"] or "",
        hall=row["hall"],
        left=row["left_at"] is not None,
    )


async def put_staff(uow: Uow, one: Staff, left_at: int | None, *, new: bool = False) -> bool:
    """False when a ``new`` one is there, also since a moment ago."""
    kept = {
        "name": one.name,
        "post": one.post,
        "division": one.division,
        "department": one.department or None,
        "hall": one.hall,
        "left_at": left_at,
    }
    return await _put(uow, insert(m.staff).values(number=one.number, **kept), "number", kept, new)


async def _put(uow: Uow, statement: Insert, key: str, kept: Mapping[str, Any], new: bool) -> bool:
    """Adds a row, in place of the one with its ``key`` unless it is ``new``."""
    if new:
        return bool(await uow.run(statement.on_conflict_do_nothing()))
    return bool(await uow.run(statement.on_conflict_do_update(index_elements=[key], set_=kept)))


async def _drop(uow: Uow, statement: sa.Executable) -> bool:
    """False when there was nothing to drop."""
    try:
        async with uow.savepoint():
            return bool(await uow.run(statement))
    except sa.exc.IntegrityError as error:
        raise Refusal("organisation.in_use") from error
