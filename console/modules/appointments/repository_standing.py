"""SQL of breaches, punishments and lists."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.permissions import Scope
from console.core.uow import ReadUow, Uow
from console.modules.appointments import models as m

_b, _n, _l = m.breach.c, m.ban.c, m.listed.c


def in_force(now: int) -> sa.ColumnElement[bool]:
    """A punishment that holds."""
    return (_n.until > now) & (_n.lifted_at == 0)


def stands(now: int) -> sa.ColumnElement[bool]:
    """A place on a list that holds."""
    return (_l.ended_at == 0) & ((_l.until == 0) | (_l.until > now))


async def leave(uow: Uow, citizen: str, index: str, now: int) -> None:
    """Makes what holds against (or for) a citizen findable by the number's blind index."""
    for table, holds in ((m.ban, in_force(now)), (m.listed, stands(now))):
        mine = sa.update(table).where(table.c.citizen == citizen, holds)
        await uow.run(mine.values(number_index=index))


async def take_up(uow: Uow, citizen: str, index: str, now: int) -> None:
    """Moves what was left under ``index`` and still holds to a citizen who is on no list yet."""
    for table, holds in ((m.ban, in_force(now)), (m.listed, stands(now))):
        left = sa.select(table.c.no).where(table.c.number_index == index, holds)
        if table is m.listed:  # one place each
            left = left.order_by(table.c.at.desc()).limit(1)
        moved = sa.update(table).where(table.c.no.in_(left))
        await uow.run(moved.values(citizen=citizen, number_index=""))


async def breaches_that_count(uow: ReadUow, citizen: str) -> int:
    """Missed visits that were neither forgiven nor punished yet."""
    since = (
        sa.select(sa.func.coalesce(sa.func.max(_n.began), 0))
        .where(_n.citizen == citizen)
        .scalar_subquery()
    )
    return int(
        await uow.scalar(
            sa.select(sa.func.count())
            .select_from(m.breach)
            .where(_b.citizen == citizen, _b.forgiven_at == 0, _b.at > since)
        )
    )


async def breaches(
    uow: ReadUow, scope: Scope, limit: int, offset: int
) -> tuple[int, Sequence[sa.RowMapping]]:
    """Newest first, with the visit that was missed."""
    joined = m.breach.join(m.appointment, m.appointment.c.id == _b.appointment)
    where = scope.where(_b.hall, m.appointment.c.departments)
    count = await uow.scalar(sa.select(sa.func.count()).select_from(joined).where(where))
    a = m.appointment.c
    rows = await uow.all(
        sa.select(
            m.breach,
            a.masked_name,
            a.masked_number,
            a.names,
            a.start_at,
            a.department,
        )
        .select_from(joined)
        .where(where)
        .order_by(_b.at.desc(), _b.appointment)
        .limit(limit)
        .offset(offset)
    )
    return int(count), rows


async def forgive(
    uow: Uow, scope: Scope, appointment: str, *, at: int, by: str, reason: str
) -> bool:
    """False for one that is not within, or was forgiven."""
    a = m.appointment
    within = sa.select(a.c.id).where(a.c.id == appointment, scope.where(a.c.hall, a.c.departments))
    return bool(
        await uow.run(
            sa.update(m.breach)
            .where(_b.appointment.in_(within), _b.forgiven_at == 0)
            .values(forgiven_at=at, forgiven_by=by, reason=reason)
        )
    )


async def bans(uow: ReadUow, scope: Scope, now: int) -> Sequence[sa.RowMapping]:
    """Punishments that hold now, the newest first."""
    return await uow.all(
        sa.select(m.ban)
        .where(scope.where(_n.hall), in_force(now))
        .order_by(_n.began.desc())
        .limit(500)
    )


async def lift(uow: Uow, scope: Scope, no: int, *, at: int, by: str, reason: str) -> bool:
    """False for one that is not within or does not hold any more."""
    return bool(
        await uow.run(
            sa.update(m.ban)
            .where(_n.no == no, scope.where(_n.hall), in_force(at))
            .values(lifted_at=at, lifted_by=by, reason=reason)
        )
    )


async def listed(uow: ReadUow, now: int) -> Sequence[sa.RowMapping]:
    """Both lists as they hold now, the newest first."""
    return await uow.all(sa.select(m.listed).where(stands(now)).order_by(_l.at.desc()).limit(1000))


async def put_listed(uow: Uow, values: Mapping[str, Any], now: int) -> bool:
    """False when the citizen is on a list; a line whose time is over makes room."""
    await uow.run(
        sa.update(m.listed)
        .where(_l.citizen == values["citizen"], _l.ended_at == 0, _l.until > 0, _l.until <= now)
        .values(ended_at=_l.until, ended_by="")
    )
    statement = insert(m.listed).values(**values, ended_at=0, ended_by="")
    return bool(await uow.run(statement.on_conflict_do_nothing()))


async def end_listed(uow: Uow, no: int, *, at: int, by: str) -> bool:
    return bool(
        await uow.run(
            sa.update(m.listed)
            .where(_l.no == no, _l.ended_at == 0)
            .values(ended_at=at, ended_by=by)
        )
    )
