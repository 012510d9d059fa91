"""What the city keeps and how long, for records whose modules have no word of their own about it."""

import sqlalchemy as sa

from console.core.pruning import Prune
from console.core.retention import DAY_MS, Kept, RetentionSettings
from console.core.uow import Uow
from console.modules.jobs.api import KEEP_DAYS as JOBS_DAYS
from console.modules.privacy import models as m
from qingting.kernel.aio.clock import Clock

GRANT_DAYS = 400
EXPORT_DAYS = 1100
"""Records of how personal data was dealt with are kept three years (个人信息保护法 56)."""


def kept(retention: RetentionSettings) -> tuple[Kept, ...]:
    """Classes of records as the settings have them."""
    return (
        _set(retention, "alarms", "keep_alarms_days", "alarms"),
        _set(retention, "notices", "keep_notices_days", "alarms"),
        _set(retention, "devices", "keep_devices_days", "devices"),
        _set(retention, "timelines", "keep_devices_days", "timelines"),
        _set(retention, "messages", "keep_messages_days", "messages"),
        _set(retention, "visits", "keep_visits_days", "visits"),
        _set(retention, "bookings", "keep_bookings_days", "visits"),
        Kept(name="jobs", days=JOBS_DAYS, pruning="jobs"),
        Kept(name="grants", days=GRANT_DAYS, pruning="privacy"),
        Kept(name="exports", days=EXPORT_DAYS, pruning="privacy"),
        Kept(name="privacy_alarms", days=EXPORT_DAYS, pruning="privacy"),
        Kept(name="audit", days=None),
        Kept(name="events", days=None),
        Kept(name="requests", days=None),
    )


def _set(retention: RetentionSettings, name: str, setting: str, pruning: str) -> Kept:
    """A class whose days are a setting."""
    days: int = getattr(retention, setting)
    return Kept(name=name, days=days, setting=setting, pruning=pruning)


def prunes(clock: Clock) -> list[Prune]:
    """Who was shown what is kept longer than anybody looks back; wishes to take lists out, three years."""

    async def grants(uow: Uow, rows: int) -> int:
        before = clock.now_ms() - GRANT_DAYS * DAY_MS
        old = sa.select(m.grant.c.no).where(m.grant.c.at < before).limit(rows)
        return await uow.run(sa.delete(m.grant).where(m.grant.c.no.in_(old)))

    async def exports(uow: Uow, rows: int) -> int:
        before = clock.now_ms() - EXPORT_DAYS * DAY_MS
        old = sa.select(m.export.c.no).where(m.export.c.asked_at < before).limit(rows)
        return await uow.run(sa.delete(m.export).where(m.export.c.no.in_(old)))

    async def alarms(uow: Uow, rows: int) -> int:
        """Those that somebody has looked into, with how they were delivered."""
        before, c = clock.now_ms() - EXPORT_DAYS * DAY_MS, m.alarm.c
        found = await uow.all(sa.select(c.no).where(c.acked_at < before).limit(rows))
        old = [row["no"] for row in found]
        await uow.run(sa.delete(m.alarm_delivery).where(m.alarm_delivery.c.alarm.in_(old)))
        return await uow.run(sa.delete(m.alarm).where(c.no.in_(old)))

    async def told(uow: Uow, rows: int) -> int:
        """What halls answered about accounts that their owners deleted; with a request it stays as the request does."""
        before, c = clock.now_ms() - GRANT_DAYS * DAY_MS, m.told.c
        old = sa.select(c.hall, c.no).where(c.request.is_(None), c.done_at < before).limit(rows)
        return await uow.run(sa.delete(m.told).where(sa.tuple_(c.hall, c.no).in_(old)))

    return [grants, exports, alarms, told]
