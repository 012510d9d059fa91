"""Events on their way to integrators: written with the act, put in order once, read by the feed and by subscriptions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.api import ApiEventType
from console.core.permissions import Scope
from console.core.uow import ReadUow, Uow
from console.modules.gateway import models as m
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

CHANGED = "gate.events"
"""What workers are told when there is an event."""
AT_ONCE = 500
KEEP_DAYS = 14
PING = "ping"
_LOCK = 0x71746765


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event in its place."""

    place: int
    id: str
    kind: str
    hall: str
    at: int
    data: Any

    def body(self) -> bytes:
        """As it is posted and as the feed has it."""
        return msgspec.json.encode(self.plain())

    def plain(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "at": self.at,
            "hall": self.hall,
            "data": self.data,
        }


class Outbox:
    """Implements :class:`console.core.api.EventSink`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def put(
        self, uow: Uow, kind: str, payload: object, *, hall: str, key: str, only_for: str = ""
    ) -> None:
        """An event in the caller's transaction. ``only_for``: of one subscription's ears alone."""
        values = {
            "id": key or new_token(),
            "kind": kind,
            "hall": hall,
            "at": self._clock.now_ms(),
            "body": msgspec.to_builtins(payload),
            "only_for": only_for,
        }
        await uow.run(insert(m.event).values(**values).on_conflict_do_nothing())
        uow.changed(CHANGED)


_GIVE = (
    sa.update(m.event)
    .where(m.event.c.no == sa.bindparam("its"))
    .values(place=sa.bindparam("given"))
)


async def put_in_order(uow: Uow) -> int:
    """Gives places to events that have none; gives how many. One worker at a time.

    An event's number is given when it is written and may become visible behind a later one; places are given to what
    is visible, under a lock, so whoever reads behind a place misses nothing. Events of one thing keep their order: the
    second is written when the first is visible already, since both change that thing's row.
    """
    if not await uow.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
        return 0
    rows = await uow.all(
        sa.select(m.event.c.no)
        .where(m.event.c.place.is_(None))
        .order_by(m.event.c.no)
        .limit(AT_ONCE)
    )
    if rows:
        last = await head(uow)
        places = [{"its": row["no"], "given": last + one} for one, row in enumerate(rows, start=1)]
        await uow.run(_GIVE, places)
    return len(rows)


async def head(uow: ReadUow) -> int:
    """The last place; 0 before the first event. The last event is never pruned."""
    return int(await uow.scalar(sa.select(sa.func.coalesce(sa.func.max(m.event.c.place), 0))))


def kinds_of(types: Collection[ApiEventType[Any]], scopes: Collection[str]) -> list[str]:
    """Kinds that somebody with these scopes may hear of."""
    return sorted(one.kind for one in types if one.scope.name in scopes)


async def events(
    uow: ReadUow,
    scope: Scope,
    kinds: Sequence[str],
    *,
    after: int,
    upto: int | None = None,
    only_for: str = "",
    limit: int,
) -> list[Event]:
    """Events behind a place, as far as they are of ``kinds`` and within reach, in order."""
    c = m.event.c
    heard = sa.and_(c.only_for == "", c.kind.in_(kinds), sa.or_(c.hall == "", scope.where(c.hall)))
    mine = sa.and_(c.only_for == only_for, sa.literal(only_for) != "")
    statement = (
        sa.select(c.place, c.id, c.kind, c.hall, c.at, c.body)
        .where(c.place > after, sa.or_(heard, mine))
        .order_by(c.place)
        .limit(limit)
    )
    if upto is not None:
        statement = statement.where(c.place <= upto)
    return [
        Event(
            place=row["place"],
            id=row["id"],
            kind=row["kind"],
            hall=row["hall"],
            at=row["at"],
            data=row["body"],
        )
        for row in await uow.all(statement)
    ]


async def places_between(uow: ReadUow, first: int, last: int) -> tuple[int, int] | None:
    """First and last place of the events from one instant to another; None when there are none."""
    c = m.event.c
    row = await uow.first(
        sa.select(sa.func.min(c.place).label("first"), sa.func.max(c.place).label("last")).where(
            c.place.is_not(None), c.at >= first, c.at <= last, c.only_for == ""
        )
    )
    return None if row is None or row["first"] is None else (row["first"], row["last"])
