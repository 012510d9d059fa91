"""Which records of alarms are too old. What an open alarm needs is never removed, however old it is."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS, RetentionSettings
from console.core.uow import Uow
from console.modules.alarms import models as m
from console.modules.alarms.domain import AlarmState
from qingting.kernel.aio.clock import Clock

PRUNE_LOCK = 0x71746C70
"""Advisory lock: one worker prunes alarms at a time."""


def prunes(clock: Clock, settings: RetentionSettings) -> Sequence[Prune]:
    """What is removed, in this order."""

    def before(days: int) -> int:
        return clock.now_ms() - days * DAY_MS

    async def old_notices(uow: Uow, most: int) -> int:
        return await _notices(uow, before(settings.keep_notices_days), most)

    async def old_alarms(uow: Uow, most: int) -> int:
        return await _alarms(uow, before(settings.keep_alarms_days), most)

    async def old_raisings(uow: Uow, most: int) -> int:
        return await _raisings(uow, before(settings.keep_alarms_days), most)

    async def old_maintenance(uow: Uow, most: int) -> int:
        t = m.maintenance.c
        old = sa.select(t.no).where(t.until < before(settings.keep_alarms_days)).limit(most)
        return await uow.run(sa.delete(m.maintenance).where(t.no.in_(old)))

    return (old_notices, old_alarms, old_raisings, old_maintenance)


async def _notices(uow: Uow, before: int, most: int) -> int:
    n, a = m.notice.c, m.alarm.c
    is_open = sa.exists().where(a.no == n.alarm, a.state != AlarmState.CLEARED.value)
    old = await uow.all(sa.select(n.no).where(n.at < before, ~is_open).limit(most))
    return await _drop_notices(uow, [row["no"] for row in old])


async def _drop_notices(uow: Uow, notices: Sequence[int]) -> int:
    if not notices:
        return 0
    await uow.run(sa.delete(m.delivery).where(m.delivery.c.notice.in_(notices)))
    return await uow.run(sa.delete(m.notice).where(m.notice.c.no.in_(notices)))


async def _alarms(uow: Uow, before: int, most: int) -> int:
    """Alarms that were over before an instant, with all that hangs on them. The look locks no rows: an alarm that
    is raised again in this very moment is no longer cleared when it is deleted, and stays."""
    c = m.alarm.c
    over: tuple[Any, ...] = (c.state == AlarmState.CLEARED.value, c.cleared_at < before)
    old = sa.select(c.no).where(*over).order_by(c.cleared_at).limit(most)
    rows = await uow.all(
        sa.delete(m.alarm)
        .where(c.no.in_(old.with_for_update(skip_locked=True)), *over)
        .returning(c.no)
    )
    gone = [row["no"] for row in rows]
    if gone:
        await uow.run(sa.delete(m.step).where(m.step.c.alarm.in_(gone)))
        await uow.run(sa.delete(m.escalation).where(m.escalation.c.alarm.in_(gone)))
        left = await uow.all(sa.select(m.notice.c.no).where(m.notice.c.alarm.in_(gone)))
        _ = await _drop_notices(uow, [row["no"] for row in left])
    return len(gone)


async def _raisings(uow: Uow, before: int, most: int) -> int:
    """Notes that a cause was made an alarm. The newest of each key stays: its cause may hold to this day, and must
    not be an alarm once more."""
    r, later = m.raising.c, m.raising.alias("later")
    key = (r.rule, r.hall, r.device, r.what, r.began)
    same = sa.and_(*(later.c[one.name] == one for one in key[:4]), later.c.began > r.began)
    old = sa.select(*key).where(r.began < before, sa.exists().where(same)).limit(most)
    return await uow.run(sa.delete(m.raising).where(sa.tuple_(*key).in_(old)))
