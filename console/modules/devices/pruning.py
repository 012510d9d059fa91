"""Which spans of devices are too old: over and handed out. What still holds is kept however old it is."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS, RetentionSettings
from console.core.uow import Uow
from console.modules.devices import models as m
from qingting.kernel.aio.clock import Clock

PRUNE_LOCK = 0x71746470
"""Advisory lock: one worker prunes spans at a time."""


def prunes(clock: Clock, settings: RetentionSettings) -> Sequence[Prune]:
    """What is removed."""

    async def old_spans(uow: Uow, most: int) -> int:
        c = m.span.c
        before = clock.now_ms() - settings.keep_devices_days * DAY_MS
        old = sa.select(c.no).where(c.ended < before, c.told).order_by(c.no).limit(most)
        return await uow.run(sa.delete(m.span).where(c.no.in_(old)))

    return (old_spans,)
