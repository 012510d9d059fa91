"""SQL of rules and of what halls offer."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.appointments import models as m
from console.modules.appointments.offering import Offering
from console.modules.appointments.rules import Rule, Target

_r = m.rule.c


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """What was said for a target at a moment, by whom."""

    target: Target
    version: int
    rule: Rule
    at: int
    by: str
    note: str


def _version(row: sa.RowMapping) -> RuleVersion:
    target = Target.of(row["target"])
    assert target is not None, row["target"]
    return RuleVersion(
        target=target,
        version=row["version"],
        rule=msgspec.convert(row["body"], Rule),
        at=row["at"],
        by=row["by"],
        note=row["note"],
    )


async def rules(uow: ReadUow) -> list[RuleVersion]:
    """What holds now, for all targets for which something is said."""
    newest = (
        sa.select(m.rule)
        .ext(pg.distinct_on(_r.target))
        .order_by(_r.target, _r.version.desc())
        .subquery()
    )
    rows = await uow.all(
        sa.select(newest).where(newest.c.body != sa.cast("{}", pg.JSONB)).order_by(newest.c.target)
    )
    return [_version(row) for row in rows]


async def versions(uow: ReadUow, target: Target) -> list[RuleVersion]:
    """Newest first."""
    statement = sa.select(m.rule).where(_r.target == target.key).order_by(_r.version.desc())
    return [_version(row) for row in await uow.all(statement)]


async def add_version(
    uow: Uow, target: Target, seen: int, rule: Rule, *, at: int, by: str, note: str
) -> bool:
    """Version ``seen + 1``; False when somebody else has made it already."""
    statement = insert(m.rule).values(
        target=target.key,
        version=seen + 1,
        body=msgspec.to_builtins({name: value for name in rule.__struct_fields__ if (value := getattr(rule, name)) is not None}),
        at=at,
        by=by,
        note=note,
    )  # fmt: skip
    newest = await uow.scalar(sa.select(sa.func.max(_r.version)).where(_r.target == target.key))
    if (newest or 0) != seen:
        return False
    return bool(await uow.run(statement.on_conflict_do_nothing()))


async def offering(uow: ReadUow, hall: str) -> Offering | None:
    found = await uow.scalar(sa.select(m.hall.c.body).where(m.hall.c.hall == hall))
    return None if found is None else msgspec.convert(found, Offering)


async def offerings(uow: ReadUow) -> Sequence[tuple[str, Offering]]:
    rows = await uow.all(sa.select(m.hall).order_by(m.hall.c.hall))
    return [(row["hall"], msgspec.convert(row["body"], Offering)) for row in rows]


async def put_offering(uow: Uow, hall: str, one: Offering) -> None:
    body = msgspec.to_builtins(one)
    statement = insert(m.hall).values(hall=hall, body=body)
    await uow.run(statement.on_conflict_do_update(index_elements=["hall"], set_={"body": body}))


async def drop_offering(uow: Uow, hall: str) -> None:
    await uow.run(sa.delete(m.hall).where(m.hall.c.hall == hall))
