"""Notices on their way outside: taken with a lease, sent, and noted. At least once, with the same id each time."""

from collections.abc import Sequence

import sqlalchemy as sa
import structlog

from console.core.channels import Channel, Message
from console.core.db import Database
from console.core.delivering import DeliveryError, all_of, retry_after_ms
from console.core.permissions import EVERYWHERE
from console.core.uow import ReadUow
from console.modules.alarms import models as m
from console.modules.alarms import repository as repo
from console.modules.alarms.naming import Naming
from console.modules.alarms.receiver_store import receivers
from console.modules.alarms.receivers import open_to
from console.modules.alarms.words import message
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

AT_ONCE = 10
LEASE_MS = 300_000
"""A worker that dies while sending leaves the delivery to others after this; longer than any try takes: a mail
to ten receivers waits nineteen times for its server, fifteen seconds at most each time."""
MAX_TRIES = 12
"""About six hours; then a person must look."""


class Outbox:
    """Delivers what :func:`console.modules.alarms.bulk.add_notices` left."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        naming: Naming,
        channels: Sequence[Channel],
        utc_offset_minutes: int,
    ) -> None:
        self._db = db
        self._clock = clock
        self._naming = naming
        self._channels = channels
        self._offset = utc_offset_minutes

    async def deliver(self) -> bool:
        """Sends what is due now; False when there may be more."""
        if not self._channels:
            return True
        async with self._db.read() as uow:
            channels = open_to(self._channels, await receivers(uow))
        taken = await self._take(sorted(channels))
        await all_of(self._send(row, channels[row["channel"]]) for row in taken)
        return len(taken) < AT_ONCE

    async def _take(self, channels: Sequence[str]) -> Sequence[sa.RowMapping]:
        d, now = m.delivery.c, self._clock.now_ms()
        due = (
            sa.select(d.notice, d.channel)
            .where(d.state == "pending", d.next_at <= now, d.channel.in_(channels))
            .order_by(d.next_at)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        async with self._db.write() as uow:
            return await uow.all(
                sa.update(m.delivery)
                .where(sa.tuple_(d.notice, d.channel).in_(due))
                .values(tries=d.tries + 1, next_at=now + LEASE_MS)
                .returning(d.notice, d.channel, d.tries)
            )

    async def _send(self, row: sa.RowMapping, channel: Channel) -> None:
        async with self._db.read() as uow:
            told = await self._message(uow, row["notice"])
        try:
            await channel.send(told)
        except DeliveryError as error:
            given_up = error.lasting or row["tries"] >= MAX_TRIES
            log.warning(
                "alarm.not_delivered", channel=channel.name, notice=row["notice"], why=error.reason
            )
            await self._note(row, "failed" if given_up else "pending", error.reason)
        else:
            await self._note(row, "sent", "")

    async def _message(self, uow: ReadUow, notice: int) -> Message:
        found = await uow.first(sa.select(m.notice).where(m.notice.c.no == notice))
        assert found is not None
        alarm = await repo.one_alarm(uow, found["alarm"])
        assert alarm is not None
        names = await self._naming.names(uow, EVERYWHERE)
        return message(notice, found["act"], alarm, names, self._offset)

    async def _note(self, row: sa.RowMapping, state: str, reason: str) -> None:
        """Only the try that was taken: who lost the lease says nothing."""
        d, now = m.delivery.c, self._clock.now_ms()
        values: dict[str, object] = {"state": state, "reason": reason}
        if state == "pending":
            values["next_at"] = now + retry_after_ms(row["tries"])
        else:
            values["done_at"] = now
        async with self._db.write() as uow:
            await uow.run(
                sa.update(m.delivery)
                .where(d.notice == row["notice"], d.channel == row["channel"])
                .where(d.tries == row["tries"], d.state == "pending")
                .values(**values)
            )
            uow.changed("alarms")
