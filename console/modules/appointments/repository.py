"""SQL of appointments, their history and what waits for the halls."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.permissions import Scope
from console.core.uow import ReadUow, Uow
from console.modules.appointments import models as m
from console.modules.appointments.api import Appointment, Channel, Life
from console.modules.appointments.domain import OVER_AFTER_MS, Listed, Record
from console.modules.appointments.places import clock
from qingting.contract.directives import Directive
from qingting.contract.ids import HallId, ItemId

_a = m.appointment.c
MOST_CITIZENS = 10
"""Of whom a list can be narrowed to at once: so many may share a phone."""
_RECORD = sa.text("""
    SELECT
        (SELECT count(*) FROM app_appointment
         WHERE citizen = :citizen AND state = 'booked' AND end_at > :now AND id <> :self) AS open,
        (SELECT count(*) FROM app_appointment
         WHERE citizen = :citizen AND day = :day AND id <> :self
           AND state IN ('booked', 'arrived', 'served', 'left')) AS on_day,
        (SELECT count(*) FROM app_appointment
         WHERE citizen = :citizen AND state = 'booked' AND end_at > :now AND id <> :self
           AND items && CAST(:items AS text[])) AS same_item,
        (SELECT count(*) FROM app_appointment
         WHERE citizen = :citizen AND state = 'booked' AND start_at = :start_at AND id <> :self
           AND items && CAST(:items AS text[])) AS same_visit,
        (SELECT count(*) FROM app_appointment
         WHERE citizen = :citizen AND state = 'held' AND held_until >= :now AND id <> :self) AS holds,
        (SELECT count(*) FROM app_appointment
         WHERE citizen = :citizen AND cancelled_by_citizen
           AND cancelled_at >= :midnight) AS cancelled_today,
        (SELECT coalesce(max(until), 0) FROM app_ban
         WHERE citizen = :citizen AND lifted_at = 0 AND until > :now) AS banned_until,
        (SELECT row_to_json(app_listed) FROM app_listed
         WHERE citizen = :citizen AND ended_at = 0 AND (until = 0 OR until > :now)) AS listed,
        (SELECT appointment FROM app_history
         WHERE key = nullif(CAST(:key AS text), '')) AS done""")
_ROW = sa.select(m.appointment).where(_a.id == sa.bindparam("its"))
_LOCKED = _ROW.with_for_update()
_PUT = sa.update(m.appointment).where(_a.id == sa.bindparam("its"))
_DONE = sa.select(m.history.c.appointment).where(m.history.c.key == sa.bindparam("its"))
_NOTE = sa.insert(m.history).inline()
_SEND = sa.text("""
    INSERT INTO app_outgoing (hall, appointment, body, told)
    VALUES (:hall, :appointment, :body, NULL), (:hall, :appointment, NULL, :told)""")


_SAME = (
    "id", "code", "citizen", "department", "day", "start_at", "end_at", "party", "masked_name", "masked_number", "made_at",
    "held_until", "cancel_until", "early_minutes", "late_minutes", "late", "reason", "words", "refused", "revision",
)  # fmt: skip
"""Columns that an appointment has as they are."""


BLANK: Mapping[str, Any] = {
    "reason": "",
    "words": "",
    "cancelled_at": 0,
    "cancelled_by_citizen": False,
    "ticket": "",
    "number": "",
    "late": False,
    "arrived_at": 0,
    "ended_at": 0,
    "refused": "",
    "revision": 1,
}
"""Columns of an appointment that nothing has happened to yet."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What things were called when the visit was booked."""

    hall: str
    hall_en: str
    address: str
    phone: str
    item: str
    item_en: str
    department: str
    department_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    at: int
    act: str
    by: str
    detail: str


def appointment_of(row: Mapping[Any, Any], now: int) -> Appointment:
    """A row as others see it; a hold whose time is over has lapsed."""
    names = msgspec.convert(row["names"], Names)
    state = Life(row["state"])
    if state is Life.HELD and row["held_until"] < now:
        state = Life.LAPSED
    return Appointment(
        **{name: row[name] for name in _SAME},
        state=state,
        hall=HallId(row["hall"]),
        hall_name=names.hall,
        hall_name_en=names.hall_en,
        address=names.address,
        phone=names.phone,
        items=tuple(ItemId(one) for one in row["items"]),
        item_name=names.item,
        item_name_en=names.item_en,
        department_name=names.department,
        department_name_en=names.department_en,
        start=clock(row["start"]),
        end=clock(row["end"]),
        channel=Channel(row["channel"]),
        ticket=row["number"],
    )


async def record(
    uow: ReadUow,
    citizen: str,
    *,
    day: date,
    items: Collection[str],
    now: int,
    midnight: int,
    start_at: int = 0,
    besides: str = "",
    key: str = "",
) -> Record:
    """What a citizen has, besides one appointment, and what a request with ``key`` did."""
    row = await uow.first(
        _RECORD,
        {
            "citizen": citizen,
            "day": day,
            "items": sorted(items),
            "now": now,
            "midnight": midnight,
            "start_at": start_at,
            "self": besides,
            "key": key,
        },
    )
    assert row is not None
    found = row["listed"]
    listed = found and Listed(kind=found["kind"], reason=found["reason"], until=found["until"])
    return Record(**{**row, "listed": listed})


async def done_before(uow: ReadUow, key: str) -> str | None:
    """The appointment that a request with this key made or changed."""
    found = await uow.scalar(_DONE, {"its": key})
    return None if found is None else str(found)


async def row_of(uow: ReadUow, appointment: str) -> sa.RowMapping | None:
    return await uow.first(_ROW, {"its": appointment})


async def locked(uow: Uow, appointment: str) -> sa.RowMapping | None:
    """The row, which stays as it is until the commit."""
    return await uow.first(_LOCKED, {"its": appointment})


async def add(uow: Uow, values: Mapping[str, Any]) -> None:
    await uow.run(sa.insert(m.appointment), values)


async def put(uow: Uow, appointment: str, **values: Any) -> None:
    await uow.run(_PUT, {"its": appointment, **values})


async def note(
    uow: Uow, appointment: str, act: str, *, at: int, by: str, detail: str = "", key: str = ""
) -> None:
    """One line of the history; ``key`` makes the act one that is done once."""
    line = {"appointment": appointment, "at": at, "act": act, "by": by, "detail": detail}
    await uow.run(_NOTE, {**line, "key": key or None})


async def history(uow: ReadUow, appointment: str) -> list[HistoryLine]:
    h = m.history.c
    rows = await uow.all(
        sa.select(h.at, h.act, h.by, h.detail).where(h.appointment == appointment).order_by(h.no)
    )
    return [HistoryLine(**row) for row in rows]


async def send(
    uow: Uow,
    hall: str,
    appointment: str,
    directive: Directive | None = None,
    *,
    told: bytes | None = None,
) -> None:
    """Leaves with the commit: a directive for the hall, something to tell the citizen, or both."""
    values = {"hall": hall, "appointment": appointment}
    body = None if directive is None else msgspec.json.encode(directive)
    if body is not None and told is not None:
        await uow.run(_SEND, {**values, "body": body, "told": told})
    else:
        await uow.run(sa.insert(m.outgoing), {**values, "body": body, "told": told})


async def of_citizen(uow: ReadUow, citizen: str) -> Sequence[sa.RowMapping]:
    """The latest visit first."""
    return await uow.all(
        sa.select(m.appointment).where(_a.citizen == citizen).order_by(_a.start_at.desc(), _a.id)
    )


def expected(now: int) -> sa.ColumnElement[bool]:
    """Visits for which the name is still needed: kept for a moment, booked, or waiting in the hall."""
    held = (_a.state == Life.HELD.value) & (_a.held_until >= now)
    coming = _a.state.in_([Life.BOOKED.value, Life.ARRIVED.value])
    return held | (coming & (_a.end_at > now - OVER_AFTER_MS))


async def expected_of(uow: ReadUow, citizen: str, now: int) -> tuple[int, int]:
    """How many visits of a citizen are still to come, and when the last of them is over at the latest."""
    ends = sa.func.coalesce(sa.func.max(_a.end_at), 0).label("ends")
    count = sa.select(sa.func.count().label("n"), ends)
    row = await uow.first(count.where(_a.citizen == citizen, expected(now)))
    assert row is not None
    return int(row["n"]), int(row["ends"]) + OVER_AFTER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a list shows; empty fields are for any. ``word`` is part of a masked name or number, or a whole code,
    ``citizen`` an id or several parted by commas.
    ``refused``: only what the hall refused."""

    hall: str = ""
    department: str = ""
    item: str = ""
    first: date | None = None
    last: date | None = None
    state: str = ""
    word: str = ""
    citizen: str = ""
    refused: bool = False


async def citizens_of(uow: ReadUow, scope: Scope, code: str) -> list[str]:
    """Whose bookings have that code or number, within a scope."""
    rows = await uow.all(
        sa.select(_a.citizen)
        .distinct()
        .where(
            scope.where(_a.hall, _a.departments), sa.or_(_a.code == code, _a.number == code.upper())
        )
        .where(_a.citizen != "")
        .limit(MOST_CITIZENS)
    )
    return [row["citizen"] for row in rows]


def _of(wish: Wish) -> list[sa.ColumnElement[bool]]:
    """Whose, where and what for."""
    whom = wish.citizen.split(",")[:MOST_CITIZENS] if wish.citizen else []
    chosen = (
        (wish.hall, _a.hall == wish.hall),
        (wish.citizen, _a.citizen.in_(whom)),
        (wish.department, _a.departments.contains([wish.department])),
        (wish.item, _a["items"].contains([wish.item])),
    )
    return [clause for value, clause in chosen if value]


def _where(scope: Scope, wish: Wish, now: int) -> list[sa.ColumnElement[bool]]:
    lapsed = sa.and_(_a.state == Life.HELD.value, _a.held_until < now)
    parts: list[sa.ColumnElement[bool]] = [scope.where(_a.hall, _a.departments)]
    parts += _of(wish)
    if wish.first is not None:
        parts.append(_a.day >= wish.first)
    if wish.last is not None:
        parts.append(_a.day <= wish.last)
    if wish.refused:
        parts.append(_a.refused != "")
    if wish.state == Life.LAPSED:
        parts.append(lapsed)
    else:
        parts.append(~lapsed)
        if wish.state:
            parts.append(_a.state == wish.state)
    if wish.word:
        parts.append(
            sa.or_(
                _a.masked_name.contains(wish.word, autoescape=True),
                _a.masked_number.contains(wish.word, autoescape=True),
                _a.number == wish.word.upper(),
                _a.code == wish.word,
            )
        )
    return parts


async def found(
    uow: ReadUow, scope: Scope, wish: Wish, now: int, *, limit: int | None, offset: int = 0
) -> tuple[int, list[Appointment]]:
    """How many there are, and one page by time."""
    where = _where(scope, wish, now)
    count = await uow.scalar(sa.select(sa.func.count()).select_from(m.appointment).where(*where))
    rows = await uow.all(
        sa.select(m.appointment)
        .where(*where)
        .order_by(_a.start_at, _a.id)
        .limit(limit)
        .offset(offset)
    )
    return int(count), [appointment_of(row, now) for row in rows]


async def count(uow: ReadUow, scope: Scope, wish: Wish, now: int) -> int:
    where = _where(scope, wish, now)
    found = await uow.scalar(sa.select(sa.func.count()).select_from(m.appointment).where(*where))
    return int(found)


async def blocks(
    uow: ReadUow, scope: Scope, wish: Wish, now: int, size: int
) -> AsyncIterator[list[Appointment]]:
    """All there are by time, so many at once."""
    chosen = sa.select(m.appointment).where(*_where(scope, wish, now))
    async for rows in uow.blocks(chosen.order_by(_a.start_at, _a.id), size):
        yield [appointment_of(row, now) for row in rows]


@dataclass(frozen=True, slots=True)
class TakenSlot:
    """A period of a day for which ``bookings`` of an item are there; ``start`` in minutes of the day."""

    item: ItemId
    day: date
    start: int
    bookings: int


async def taken_slots(uow: ReadUow, scope: Scope, wish: Wish, now: int) -> list[TakenSlot]:
    """Tens of thousands of bookings are a few hundred of these."""
    parts = (_a["items"][1].label("item"), _a.day, _a.start)
    statement = (
        sa.select(*parts, sa.func.count().label("bookings"))
        .where(*_where(scope, wish, now))
        .group_by(*parts)
    )
    return [TakenSlot(**row) for row in await uow.all(statement)]


async def in_slots(
    uow: ReadUow, scope: Scope, wish: Wish, now: int, slots: Sequence[TakenSlot], *, limit: int, offset: int
) -> list[Appointment]:  # fmt: skip
    """A page of the bookings of these periods, by time."""
    wanted = sa.select(
        sa.func.unnest(sa.cast([one.item for one in slots], pg.ARRAY(sa.Text))),
        sa.func.unnest(sa.cast([one.day for one in slots], pg.ARRAY(sa.Date))),
        sa.func.unnest(sa.cast([one.start for one in slots], pg.ARRAY(sa.SmallInteger))),
    )
    chosen = (
        sa.select(m.appointment)
        .where(*_where(scope, wish, now))
        .where(sa.tuple_(_a["items"][1], _a.day, _a.start).in_(wanted))
        .order_by(_a.start_at, _a.id)
        .limit(limit)
        .offset(offset)
    )
    return [appointment_of(row, now) for row in await uow.all(chosen)]


async def figures(
    uow: ReadUow, scope: Scope, wish: Wish, now: int, by: str
) -> Sequence[sa.RowMapping]:
    """Numbers of appointments by state; ``by``: ``hall``, ``department``, ``item``, ``day`` or ``month``."""
    keys: dict[str, sa.ColumnElement[Any]] = {
        "hall": _a.hall,
        "department": _a.department,
        "item": _a["items"][1],
        "day": _a.day,
        "month": sa.func.to_char(_a.day, "YYYY-MM"),
    }
    named = by not in ("day", "month")
    key = keys[by].label("key")
    name = sa.func.max(_a.names[by].astext).label("name") if named else sa.literal("").label("name")  # fmt: skip
    name_en = sa.func.max(_a.names[f"{by}_en"].astext).label("name_en") if named else sa.literal("").label("name_en")  # fmt: skip
    counts = [
        sa.func.count().filter(_a.state == one.value).label(one.value)
        for one in Life
        if one not in (Life.HELD, Life.LAPSED)
    ]
    return await uow.all(
        sa.select(key, name, name_en, *counts)
        .where(*_where(scope, wish, now), _a.state != Life.HELD.value)
        .group_by(key)
        .order_by(key)
    )
