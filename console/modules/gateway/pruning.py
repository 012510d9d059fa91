"""Removes what the gateway keeps for a while only."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS
from console.core.uow import Uow
from console.modules.gateway import models as m
from console.modules.gateway.outbox import KEEP_DAYS
from qingting.kernel.aio.clock import Clock

PRUNE_LOCK = 0x71746770
KEEP_KEYS_DAYS, KEEP_DELIVERIES_DAYS = 2, 30


def prunes(clock: Clock) -> Sequence[Prune]:
    """Each removes at most so many rows."""

    def older(column: sa.Column[int], days: float, *also: sa.ColumnElement[bool]) -> Prune:
        table = column.table
        keys = list(table.primary_key.columns)

        async def prune(uow: Uow, batch: int) -> int:
            old = (
                sa.select(*keys)
                .where(column < clock.now_ms() - int(days * DAY_MS), *also)
                .limit(batch)
            )
            return await uow.run(sa.delete(table).where(sa.tuple_(*keys).in_(old)))

        return prune

    event = m.event.c
    # The last place tells where the next one begins, so its event stays.
    last = sa.select(sa.func.max(event.place)).scalar_subquery()
    return (
        older(m.key.c.at, KEEP_KEYS_DAYS),
        older(m.token.c.ends_at, 0),
        older(m.quota.c.began, 2),
        older(m.delivery.c.at, KEEP_DELIVERIES_DAYS),
        older(event.at, KEEP_DAYS, event.place.is_not(None), event.place < last),
    )
