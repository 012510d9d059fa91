"""Which rows of citizens are too old: phones that nobody has named for long, sessions that have run out, codes that are
good for nothing any more, measures that are full again."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS
from console.core.uow import Uow
from console.modules.citizens import models as m
from console.modules.citizens import repository_reach
from console.modules.citizens.limits import WINDOW_MS
from console.modules.citizens.reach import SILENT_DAYS
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web.sessions import ABSOLUTE_MS

PRUNE_LOCK = 0x63697470
"""Advisory lock: one worker prunes citizens' rows at a time."""


def prunes(clock: Clock) -> Sequence[Prune]:
    """What is removed, in this order."""

    async def silent_phones(uow: Uow, most: int) -> int:
        before = clock.now_ms() - SILENT_DAYS * DAY_MS
        return await repository_reach.drop_silent(uow, before, most)

    async def spent_proofs(uow: Uow, most: int) -> int:
        c = m.proof.c
        key = sa.tuple_(c.citizen, c.channel)
        old = sa.select(c.citizen, c.channel).where(c.expires_at < clock.now_ms()).limit(most)
        return await uow.run(sa.delete(m.proof).where(key.in_(old)))

    async def over_sessions(uow: Uow, most: int) -> int:
        c = m.session.c
        old = sa.select(c.digest).where(c.created_at < clock.now_ms() - ABSOLUTE_MS).limit(most)
        return await uow.run(sa.delete(m.session).where(c.digest.in_(old)))

    async def full_measures(uow: Uow, most: int) -> int:
        c = m.measure.c
        old = sa.select(c.key).where(c.at < clock.now_ms() - WINDOW_MS).limit(most)
        return await uow.run(sa.delete(m.measure).where(c.key.in_(old)))

    return (silent_phones, spent_proofs, over_sessions, full_measures)
