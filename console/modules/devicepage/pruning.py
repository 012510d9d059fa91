"""Which lines of timelines are too old."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS, RetentionSettings
from console.core.uow import Uow
from console.modules.devicepage import models as m
from qingting.kernel.aio.clock import Clock

PRUNE_LOCK = 0x71747070
"""Advisory lock: one worker prunes timelines at a time."""


def prunes(clock: Clock, settings: RetentionSettings) -> Sequence[Prune]:
    """What is removed."""

    async def old_lines(uow: Uow, most: int) -> int:
        c = m.happening.c
        key = (c.hall, c.device, c.epoch, c.seq)
        before = clock.now_ms() - settings.keep_devices_days * DAY_MS
        old = sa.select(*key).where(c.at < before).limit(most)
        return await uow.run(sa.delete(m.happening).where(sa.tuple_(*key).in_(old)))

    return (old_lines,)
