"""Which messages are too old: those told or ended so long ago, with their ways and steps; and codes that are good for
nothing any more."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.pruning import Prune
from console.core.retention import DAY_MS
from console.core.uow import Uow
from console.modules.notifications import models as m
from console.modules.notifications.topics import DeclaredTopic, FieldKind
from qingting.kernel.aio.clock import Clock

PRUNE_LOCK = 0x6E6F7470
"""Advisory lock: one worker prunes messages at a time."""
FOLLOWS_DAYS = 7


def prunes(clock: Clock, keep_days: int, topics: Mapping[str, DeclaredTopic]) -> Sequence[Prune]:
    """What is removed, in this order. ``topics`` are those declared by the time it runs."""

    async def old_messages(uow: Uow, most: int) -> int:
        c = m.message.c
        before = clock.now_ms() - keep_days * DAY_MS
        old = sa.select(c.no).where(c.made_at < before, c.until < before).limit(most)
        return await uow.run(sa.delete(m.message).where(c.no.in_(old)))

    async def old_follows(uow: Uow, most: int) -> int:
        c = m.follow.c
        before = clock.now_ms() - FOLLOWS_DAYS * DAY_MS
        key = sa.tuple_(c.hall, c.booking)
        old = sa.select(c.hall, c.booking).where(c.until < before).limit(most)
        return await uow.run(sa.delete(m.follow).where(key.in_(old)))

    async def spent_codes(uow: Uow, most: int) -> int:
        """A code stays no longer than the message is worth telling."""
        spent = 0
        for topic in topics.values():
            if codes := [one.id for one in topic.topic.fields if one.kind is FieldKind.CODE]:
                spent += await _without(uow, topic.topic.id, codes, clock.now_ms(), most - spent)
        return spent

    return (old_messages, old_follows, spent_codes)


async def _without(uow: Uow, topic: str, fields: Collection[str], now: int, most: int) -> int:
    c, names = m.message.c, pg.array(fields, type_=sa.Text)
    over = sa.select(c.no).where(c.topic == topic, c.until < now, c.params.has_any(names))
    return await uow.run(
        sa.update(m.message)
        .where(c.no.in_(over.limit(most)))
        .values(params=c.params.op("-")(names))
    )
