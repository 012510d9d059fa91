"""Which messages are too old: those told or ended so long ago, with their ways and steps."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS
from console.core.uow import Uow
from console.modules.notifications import models as m
from qingting.kernel.aio.clock import Clock

PRUNE_LOCK = 0x6E6F7470
"""Advisory lock: one worker prunes messages at a time."""
FOLLOWS_DAYS = 7


def prunes(clock: Clock, keep_days: int) -> Sequence[Prune]:
    """What is removed, in this order."""

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

    return (old_messages, old_follows)
