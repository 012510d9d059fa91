"""After a restore: what the city before may have told already waits until a person decides, by kind and way.

A database that becomes the city again holds messages that waited when its backup was made, and its jobs make anew what was
due since. All of it was told in reality, as long as the city before still worked.
"""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from console.core.permissions import Scope
from console.core.uow import ReadUow, Uow
from console.modules.notifications import models as m
from console.modules.notifications.reports import within

_m, _d = m.message.c, m.delivery.c
PARKED = "parked"
_HELD = """
    WITH parked AS (
        UPDATE note_delivery SET state = 'parked', tries = 0
        WHERE rank > 0 AND state IN ('queued', 'held', 'sending') RETURNING message, channel)
    INSERT INTO note_step (message, channel, at, what, reason)
    SELECT message, channel, CAST($1 AS bigint), 'parked', '' FROM parked"""
RESTORED = ("INSERT INTO note_restored (at) VALUES ($1) ON CONFLICT DO NOTHING", _HELD)
"""Run in a database that is made ready to be the city, at the instant ``$1``."""


async def restored_at(uow: ReadUow) -> int:
    """When the last restore was; 0: never."""
    return int(await uow.scalar(sa.select(sa.func.coalesce(sa.func.max(m.restored.c.at), 0))))


def may_be_known(row: sa.RowMapping, restored: int) -> bool:
    """True when the city before a restore may have told a message."""
    caught_up = row["made_at"] > restored
    return bool(row["since"] <= restored and (caught_up or row["due"] <= restored))


def _parked(scope: Scope) -> list[sa.ColumnElement[bool]]:
    return [_d.state == PARKED, within(scope)]


async def groups(uow: ReadUow, scope: Scope) -> Sequence[sa.RowMapping]:
    """What waits, by kind and way: how many, of when, until when it is worth telling, and the last of them."""
    return await uow.all(
        sa.select(
            _m.topic,
            _d.channel,
            sa.func.count().label("n"),
            sa.func.min(_m.made_at).label("first"),
            sa.func.max(_m.made_at).label("last"),
            sa.func.min(_m.until).label("until"),
            sa.func.max(_m.no).label("upto"),
        )
        .select_from(m.delivery.join(m.message, _m.no == _d.message))
        .where(*_parked(scope))
        .group_by(_m.topic, _d.channel)
        .order_by(_m.topic, _d.channel)
    )


async def decide(
    uow: Uow, scope: Scope, topic: str, channel: str, upto: int, *, send: bool, now: int, day: date
) -> int:
    """Lets what waits of a kind and way go, or drops it with the ways behind it: as far as it was shown. How many."""
    wanted = [_m.topic == topic, _d.channel == channel, _m.no <= upto, *_parked(scope)]
    rows = await uow.all(
        sa.select(_d.message)
        .join(m.message, _m.no == _d.message)
        .where(*wanted)
        .with_for_update(of=m.delivery)
    )
    numbers = [row["message"] for row in rows]
    if not numbers:
        return 0
    here = sa.update(m.delivery).where(_d.message.in_(numbers))
    if send:
        values = {"state": "queued", "next_at": now, "day": day}
        await uow.run(here.where(_d.channel == channel).values(**values))
    else:
        dropped = {"state": "dropped", "reason": "restored", "done_at": now}
        behind = sa.or_(_d.channel == channel, _d.state == "waiting")
        await uow.run(here.where(behind, _d.rank > 0).values(**dropped))
    what, reason = ("queued", "") if send else ("dropped", "restored")
    steps = {"channel": channel, "at": now, "what": what, "reason": reason}
    await uow.run(sa.insert(m.step), [{"message": one, **steps} for one in numbers])
    return len(numbers)
