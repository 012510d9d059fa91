"""Reminders before the visit (预约提醒)."""

import asyncio

import sqlalchemy as sa
import structlog

from console.core.db import CityUnavailable, Database
from console.core.uow import Uow
from console.modules.appointments import models as m
from console.modules.appointments import repository as repo
from console.modules.appointments.api import Life
from console.modules.appointments.domain import next_reminder
from console.modules.appointments.planner import Planner
from console.modules.appointments.rules import DEFAULTS, Effective
from console.modules.appointments.telling import REMINDER, Teller
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)
_a = m.appointment.c
EVERY_SECONDS = 20.0
BATCH = 100


class Reminders:
    """Tells who comes soon, once for each time that the rules name; of several workers each takes others."""

    def __init__(self, db: Database, clock: Clock, planner: Planner, teller: Teller) -> None:
        self._db = db
        self._clock = clock
        self._planner = planner
        self._teller = teller

    async def run(self) -> None:
        while True:
            try:
                while await self.remind_some():
                    pass
            except CityUnavailable:
                log.warning("appointments.reminders_wait")
            await asyncio.sleep(EVERY_SECONDS)

    async def remind_some(self) -> bool:
        """True when there may be more."""
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            rows = await uow.all(
                sa.select(m.appointment)
                .where(_a.remind_at.is_not(None), _a.remind_at <= now)
                .order_by(_a.remind_at)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
            for row in rows:
                await self._remind(uow, row, now)
        return len(rows) == BATCH

    async def _remind(self, uow: Uow, row: sa.RowMapping, now: int) -> None:
        rule = await self._rule(uow, row)
        await repo.put(
            uow, row["id"], remind_at=next_reminder(row["start_at"], rule.reminders, now)
        )
        if row["state"] == Life.BOOKED and row["start_at"] > now:
            appointment, since = repo.appointment_of(row, now), row["remind_at"]
            await self._teller.tell(uow, REMINDER, appointment, since=since)

    async def _rule(self, uow: Uow, row: sa.RowMapping) -> Effective:
        try:
            _, line = await self._planner.line(uow, row["hall"], row["items"][0])
        except Refusal:
            return DEFAULTS
        return line.resolved.rule
