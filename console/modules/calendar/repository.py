"""All SQL of the calendar."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.calendar import models as m
from console.modules.calendar.domain import STATUTORY, DayKind, SpecialDay
from qingting.contract.calendar import HallCalendar

_d = m.day.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledYear:
    """A year whose notice is in, and which one that is. ``version`` grows with each change of its days."""

    year: int
    source: str
    issued: date | None
    version: int
    changed_at: int
    changed_by: str


async def years(uow: ReadUow) -> list[SettledYear]:
    rows = await uow.all(sa.select(m.year).order_by(m.year.c.year))
    return [SettledYear(**row) for row in rows]


async def lock_year(uow: Uow, year: int) -> SettledYear | None:
    """Of two who change one year the second waits here."""
    await uow.scalar(
        sa.text("SELECT pg_advisory_xact_lock(:no, :year)"), {"no": 0x63616C, "year": year}
    )
    row = await uow.first(sa.select(m.year).where(m.year.c.year == year))
    return SettledYear(**row) if row else None


async def put_year(uow: Uow, one: SettledYear) -> None:
    values = {
        name: getattr(one, name)
        for name in ("source", "issued", "version", "changed_at", "changed_by")
    }
    statement = insert(m.year).values(year=one.year, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["year"], set_=values))


async def days(
    uow: ReadUow, places: Collection[str], first: date | None = None, last: date | None = None
) -> list[SpecialDay]:
    """Days of ``places``, all or within a span with both ends."""
    statement = sa.select(m.day).where(_d.place.in_(sorted(places))).order_by(_d.day, _d.place)
    if first is not None:
        statement = statement.where(_d.day >= first)
    if last is not None:
        statement = statement.where(_d.day <= last)
    return [_special(row) for row in await uow.all(statement)]


async def places(uow: ReadUow) -> Sequence[str]:
    """Where local days are set."""
    statement = sa.select(_d.place).where(_d.place != STATUTORY).distinct().order_by(_d.place)
    return [row["place"] for row in await uow.all(statement)]


async def replace_year(uow: Uow, year: int, found: Sequence[SpecialDay], at: int, by: str) -> None:
    """The statutory days of ``year``, in place of those it had."""
    await uow.run(sa.delete(m.day).where(_d.place == STATUTORY, _d.of_year == year))
    for one in found:
        await put_day(uow, one, at, by)


async def put_day(uow: Uow, one: SpecialDay, at: int, by: str) -> None:
    values: dict[str, Any] = {
        "kind": one.kind.value,
        "name": one.name,
        "name_en": one.name_en,
        "deadlines": one.deadlines,
        "of_year": one.of_year,
        "changed_at": at,
        "changed_by": by,
    }
    statement = insert(m.day).values(day=one.day, place=one.place, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["day", "place"], set_=values))


async def drop_day(uow: Uow, day: date, place: str) -> bool:
    return bool(await uow.run(sa.delete(m.day).where(_d.day == day, _d.place == place)))


def _special(row: sa.RowMapping) -> SpecialDay:
    return SpecialDay(
        day=row["day"],
        kind=DayKind(row["kind"]),
        name=row["name"],
        name_en=row["name_en"],
        place=row["place"],
        deadlines=row["deadlines"],
        of_year=row["of_year"],
    )


async def hall_calendar(uow: ReadUow, hall: str) -> HallCalendar | None:
    found = await uow.scalar(sa.select(m.hall.c.calendar).where(m.hall.c.hall == hall))
    return None if found is None else msgspec.convert(found, HallCalendar)


async def put_hall_calendar(uow: Uow, hall: str, calendar: HallCalendar) -> None:
    body = msgspec.to_builtins(calendar)
    statement = insert(m.hall).values(hall=hall, calendar=body)
    await uow.run(statement.on_conflict_do_update(index_elements=["hall"], set_={"calendar": body}))


async def drop_hall_calendar(uow: Uow, hall: str) -> None:
    await uow.run(sa.delete(m.hall).where(m.hall.c.hall == hall))
