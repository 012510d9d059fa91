"""SQL of what staff see: messages with their ways, one message's history, figures by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.modules.notifications import models as m

_m, _d = m.message.c, m.delivery.c
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters; empty: all. ``first`` and ``last`` are the city's dates, both included."""

    topic: str = ""
    channel: str = ""
    state: str = ""
    hall: str = ""
    first: date | None = None
    last: date | None = None


def _instant(day: date, offset_minutes: int) -> int:
    return (day.toordinal() - _EPOCH) * 86_400_000 - offset_minutes * 60_000


def _where(scope: Scope, wanted: Wanted, offset_minutes: int) -> list[sa.ColumnElement[bool]]:
    parts = [within(scope)]
    parts += [
        column == value
        for column, value in ((_m.topic, wanted.topic), (_m.hall, wanted.hall))
        if value
    ]
    if wanted.first is not None:
        parts.append(_m.made_at >= _instant(wanted.first, offset_minutes))
    if wanted.last is not None:
        parts.append(_m.made_at < _instant(wanted.last + timedelta(days=1), offset_minutes))
    if wanted.state in ("planned", "cancelled", "expired", "repeated"):
        parts.append(_m.state == wanted.state)
    elif wanted.state or wanted.channel:
        other = m.delivery.alias("way").c
        way = sa.select(sa.literal(1)).where(other.message == _m.no)
        if wanted.channel:
            way = way.where(other.channel == wanted.channel)
        if wanted.state:
            way = way.where(other.state == wanted.state, other.rank > 0)
        parts.append(way.exists())
    return parts


def within(scope: Scope) -> sa.ColumnElement[bool]:
    """What concerns no hall is the whole city's alone."""
    return sa.true() if scope.everywhere else sa.and_(_m.hall != "", scope.where(_m.hall))


async def messages(
    uow: ReadUow, scope: Scope, wanted: Wanted, offset_minutes: int, limit: int, offset: int
) -> tuple[int, Sequence[sa.RowMapping]]:
    """How many, and a page of them, newest first."""
    where = _where(scope, wanted, offset_minutes)
    count = await uow.scalar(sa.select(sa.func.count()).select_from(m.message).where(*where))
    page = sa.select(m.message).where(*where).order_by(_m.no.desc()).limit(limit).offset(offset)
    return int(count), await uow.all(page)


async def message(uow: ReadUow, scope: Scope, no: int) -> sa.RowMapping | None:
    return await uow.first(sa.select(m.message).where(_m.no == no, within(scope)))


async def ways_of(uow: ReadUow, numbers: Sequence[int]) -> dict[int, list[sa.RowMapping]]:
    """The ways of each message, in-site first, then in their order."""
    statement = sa.select(m.delivery).where(_d.message.in_(numbers)).order_by(_d.message, _d.rank)
    found: dict[int, list[sa.RowMapping]] = {one: [] for one in numbers}
    for row in await uow.all(statement):
        found[row["message"]].append(row)
    return found


async def steps_of(uow: ReadUow, no: int) -> Sequence[sa.RowMapping]:
    s = m.step.c
    return await uow.all(sa.select(m.step).where(s.message == no).order_by(s.no))


def way_rows(scope: Scope, wanted: Wanted, offset_minutes: int) -> sa.Select[tuple[Any, ...]]:
    """One row for each way of each message, newest first, for a sheet."""
    columns = (_m.no, _m.topic, _m.hall, _m.made_at, _m.due, _m.state.label("message_state"))
    ways = [one for one in m.delivery.c if one.name != "message"]
    return (
        sa.select(*columns, *ways)
        .select_from(m.message.outerjoin(m.delivery, _d.message == _m.no))
        .where(*_ways_where(scope, wanted, offset_minutes))
        .order_by(_m.no.desc(), _d.rank)
    )


async def count_ways(uow: ReadUow, scope: Scope, wanted: Wanted, offset_minutes: int) -> int:
    """How many rows :func:`way_rows` has."""
    statement = (
        sa.select(sa.func.count())
        .select_from(m.message.outerjoin(m.delivery, _d.message == _m.no))
        .where(*_ways_where(scope, wanted, offset_minutes))
    )
    return int(await uow.scalar(statement))


def _ways_where(scope: Scope, wanted: Wanted, offset_minutes: int) -> list[sa.ColumnElement[bool]]:
    parts = _where(scope, wanted, offset_minutes)
    return [*parts, _d.channel == wanted.channel] if wanted.channel else parts


async def figures(uow: ReadUow, scope: Scope, since: date) -> Sequence[sa.RowMapping]:
    """By month and channel: taken by the provider, known to have arrived, failed, left out, segments, cost."""
    month = sa.func.to_char(_d.day, "YYYY-MM")

    def counted(*parts: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        return sa.func.count().filter(*parts)

    statement = (
        sa.select(
            month.label("month"),
            _d.channel,
            counted(_d.sent_at.is_not(None)).label("sent"),
            counted(_d.state == "delivered").label("delivered"),
            counted(_d.state == "sent").label("unknown"),
            counted(_d.state == "failed").label("failed"),
            counted(_d.state == "dropped").label("dropped"),
            counted(_d.state.in_(("queued", "held", "parked", "sending"))).label("open"),
            sa.func.coalesce(sa.func.sum(_d.segments), 0).label("segments"),
            sa.func.coalesce(sa.func.sum(_d.cost), 0).label("cost"),
        )
        .select_from(m.delivery.join(m.message, _m.no == _d.message))
        .where(_d.day >= since, within(scope))
        .group_by(month, _d.channel)
        .order_by(month.desc(), _d.channel)
    )
    return await uow.all(statement)


async def halls(uow: ReadUow, scope: Scope) -> list[str]:
    """Halls that messages are about."""
    statement = sa.select(_m.hall).where(_m.hall != "", within(scope)).distinct()
    return sorted(row["hall"] for row in await uow.all(statement))
