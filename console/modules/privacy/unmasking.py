"""Masked fields in clear: one record, for one account, for a reason that is written down, for minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.db import Database
from console.core.permissions import Permission, Subject
from console.core.personal import DataClass, PersonalData
from console.core.uow import ReadUow, Uow
from console.modules.privacy import models as m
from console.modules.privacy.alarms import LIMIT, UNUSUAL, PrivacyAlarms
from console.modules.privacy.domain import Reason, unusual
from console.modules.privacy.policy import PrivacyPolicy, read_policy
from qingting.contract.errors import Refusal
from qingting.contract.people import mask_words
from qingting.kernel.aio.clock import Clock

DAY_MS = 86_400_000
PAST_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A record's sensitive fields; ``until`` 0: masked, else in clear until then."""

    holder: str
    record: str
    fields: Mapping[str, str]
    until: int
    left: int


class Unmasking:
    """``holders`` is the registry that modules add to; ``day_start`` tells when the city's present day began."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        audit: Audit,
        holders: Sequence[PersonalData],
        alarms: PrivacyAlarms,
        utc_offset_minutes: int,
    ) -> None:
        self._alarms = alarms
        self._db, self._clock, self._audit, self._holders = db, clock, audit, holders
        self._offset_ms = utc_offset_minutes * 60_000

    def holder(self, name: str) -> PersonalData:
        """Raises ``personal.unknown``."""
        for one in self._holders:
            if one.holder == name:
                return one
        raise Refusal("personal.unknown")

    async def shown(self, uow: ReadUow, subject: Subject, holder: str, record: str) -> Shown:
        """The record as the subject may see it now. Raises ``personal.unknown``."""
        subject.require(Permission.PERSONAL)
        data = self.holder(holder)
        until = await self._until(uow, subject, holder, record)
        read = data.clear if until else data.masked
        fields = sensitive(data, await read(uow, subject, record))
        most = (await read_policy(uow)).day_limit
        left = max(0, most - await self._today(uow, subject.id))
        return Shown(holder=holder, record=record, fields=fields, until=until, left=left)

    async def show(
        self, uow: Uow, subject: Subject, holder: str, record: str, reason: Reason, words: str
    ) -> None:
        """From now on for some minutes the subject sees the record in clear.

        Raises ``personal.unknown``, ``personal.words``, ``personal.too_many``."""
        subject.require(Permission.PERSONAL)
        clear = await self.holder(holder).clear(uow, subject, record)
        policy = await read_policy(uow)
        # The reason is kept longer than the record may be, and read by those who may not see it.
        words = mask_words(policy.check_words(words), clear.get("name", ""))
        await uow.scalar(
            sa.text("SELECT pg_advisory_xact_lock(hashtext(:account))"), {"account": subject.id}
        )
        today = await self._today(uow, subject.id)
        what = f"{holder}:{record}"
        if today >= policy.day_limit:
            await self._refused(subject, what, today)
            raise Refusal("personal.too_many", most=policy.day_limit)
        now = self._clock.now_ms()
        row = {"account": subject.id, "holder": holder, "record": record, "at": now}
        row |= {"reason": reason.value, "words": words, "until": now + policy.shown_ms}
        await uow.run(sa.insert(m.grant), row)
        detail = f"{reason.value}: {words}"
        await self._audit.write(uow, subject, "personal.shown", object=what, detail=detail)
        await self._alarm(uow, subject, policy, today + 1)

    async def _refused(self, subject: Subject, what: str, today: int) -> None:
        """In a transaction of its own: the refusal ends the request's, and the try is to be known all the same."""
        async with self._db.write() as uow:
            await self._audit.write(
                uow, subject, "personal.shown", object=what, result="personal.too_many"
            )
            await self._alarms.raised(uow, subject, LIMIT, today)

    async def _alarm(self, uow: Uow, subject: Subject, policy: PrivacyPolicy, today: int) -> None:
        """Once a day, as the usual is left behind."""
        former, at, factor = (
            await self._former(uow, subject.id),
            policy.unusual_at,
            policy.unusual_factor,
        )
        if unusual(today, former, at, factor):
            await self._alarms.raised(uow, subject, UNUSUAL, today)

    async def _until(self, uow: ReadUow, subject: Subject, holder: str, record: str) -> int:
        now = self._clock.now_ms()
        until = await uow.scalar(
            sa.select(sa.func.max(m.grant.c.until)).where(
                m.grant.c.account == subject.id,
                m.grant.c.holder == holder,
                m.grant.c.record == record,
                m.grant.c.until > now,
            )
        )
        return int(until or 0)

    def _day_start(self) -> int:
        now = self._clock.now_ms() + self._offset_ms
        return now - now % DAY_MS - self._offset_ms

    async def _today(self, uow: ReadUow, account: str) -> int:
        count = sa.select(sa.func.count()).select_from(m.grant)
        today = count.where(m.grant.c.account == account, m.grant.c.at >= self._day_start())
        return int(await uow.scalar(today))

    async def _former(self, uow: ReadUow, account: str) -> list[int]:
        start = self._day_start()
        day = (m.grant.c.at + self._offset_ms).op("/")(DAY_MS)
        rows = await uow.all(
            sa.select(sa.func.count().label("n"))
            .where(
                m.grant.c.account == account,
                m.grant.c.at >= start - PAST_DAYS * DAY_MS,
                m.grant.c.at < start,
            )
            .group_by(day)
        )
        return [row["n"] for row in rows]


def sensitive(data: PersonalData, values: Mapping[str, str]) -> dict[str, str]:
    """In the order in which the holder declares them; what is not declared is not shown."""
    names = [one.name for one in data.fields if one.data_class is DataClass.SENSITIVE]
    return {name: values[name] for name in names if name in values}
