"""Alarms about unusual use of personal data: for the audit administrators, on their page until one of them has looked
into it, and by the ways outside that alarms of halls take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from console.core.audit import Audit
from console.core.channels import Channel, Message
from console.core.days import day_of
from console.core.db import Database
from console.core.delivering import DeliveryError, Waker, all_of, retry_after_ms, work_when_woken
from console.core.permissions import Permission, Subject
from console.core.signals import Signals
from console.core.uow import ReadUow, Uow
from console.modules.privacy import models as m
from console.modules.privacy.policy import read_policy
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.people import mask_words
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock
from qingting.kernel.i18n import Catalogue

log = structlog.get_logger(__name__)
UNUSUAL, LIMIT = "unusual", "limit"
"""More records in clear than usual; tried to see more than a day's limit."""
CHANGED = "privacy.alarms"
SHOWN = 100
AT_ONCE = 10
LEASE_MS = 300_000
MAX_TRIES = 12
TEXTS = Catalogue.load("qingting.web.pages", "console.modules.privacy")
"""Read at import: what is sent outside has no page around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyAlarm:
    """``records`` were seen in clear that day when it was raised; ``acked_at`` 0: nobody has looked into it."""

    no: int
    kind: str
    account: str
    day: date
    records: int
    at: int
    acked_at: int
    acked_by: str
    words: str


class PrivacyAlarms:
    """Raised in the transaction of what they are about; ``channels`` lead outside."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        audit: Audit,
        channels: Sequence[Channel],
        utc_offset_minutes: int,
    ) -> None:
        self._db, self._clock, self._audit = db, clock, audit
        self._channels = {one.name: one for one in channels if one.carries_all}
        self._offset = utc_offset_minutes

    async def raised(self, uow: Uow, subject: Subject, kind: str, records: int) -> None:
        """Raises one, unless this account has one of this kind today."""
        now = self._clock.now_ms()
        day = day_of(now, self._offset)
        values = {"kind": kind, "account": subject.id, "day": day, "records": records, "at": now}
        statement = insert(m.alarm).values(**values).on_conflict_do_nothing()
        no = await uow.scalar(statement.returning(m.alarm.c.no))
        if no is None:
            return
        await self._audit.write(
            uow, subject, f"personal.{kind}", object=subject.id, detail=str(records)
        )
        rows = [
            {"alarm": no, "channel": name, "state": "pending", "tries": 0, "next_at": now}
            for name in self._channels
        ]
        if rows:
            await uow.run(sa.insert(m.alarm_delivery), rows)
        uow.changed(CHANGED)

    async def open(self, uow: ReadUow) -> int:
        """How many nobody has looked into."""
        count = sa.select(sa.func.count()).select_from(m.alarm)
        return int(await uow.scalar(count.where(m.alarm.c.acked_at.is_(None))))

    async def listed(self, uow: ReadUow, subject: Subject) -> list[PrivacyAlarm]:
        """Open ones first, then the newest."""
        subject.require(Permission.AUDIT_READ)
        c = m.alarm.c
        statement = sa.select(m.alarm).order_by(c.acked_at.is_not(None), c.no.desc()).limit(SHOWN)
        return [_alarm(row) for row in await uow.all(statement)]

    async def acknowledge(self, uow: Uow, subject: Subject, no: int, words: str) -> None:
        """What was found out. Raises ``personal.words``, ``personal.no_alarm``, ``personal.own_alarm``."""
        subject.require(Permission.AUDIT_READ)
        words = mask_words((await read_policy(uow)).check_words(words))
        row = await uow.first(sa.select(m.alarm).where(m.alarm.c.no == no).with_for_update())
        if row is None or row["acked_at"] is not None:
            raise Refusal("personal.no_alarm")
        if row["account"] == subject.id:
            raise Refusal("personal.own_alarm")
        values = {"acked_at": self._clock.now_ms(), "acked_by": subject.id, "words": words}
        await uow.run(sa.update(m.alarm).where(m.alarm.c.no == no).values(**values))
        await self._audit.write(
            uow, subject, "personal.alarm_acked", object=row["account"], detail=f"{no} {words}"
        )
        uow.changed(CHANGED)

    # ---- outside --------------------------------------------------------------------------------

    async def run(self, signals: Signals) -> None:
        """Sends what is due, in any number of workers."""
        await work_when_woken(Waker(signals, frozenset({CHANGED})), self.deliver)

    async def deliver(self) -> bool:
        """False when there may be more."""
        if not self._channels:
            return True
        taken = await self._take()
        await all_of(map(self._send, taken))
        return len(taken) < AT_ONCE

    async def _take(self) -> Sequence[sa.RowMapping]:
        d, now = m.alarm_delivery.c, self._clock.now_ms()
        due = (
            sa.select(d.alarm, d.channel)
            .where(d.state == "pending", d.next_at <= now, d.channel.in_(self._channels))
            .order_by(d.next_at)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        waits = sa.select(d.alarm).where(d.state == "pending", d.next_at <= now).limit(1)
        async with self._db.read() as reader:
            if await reader.first(waits) is None:
                return ()
        async with self._db.write() as uow:
            return await uow.all(
                sa.update(m.alarm_delivery)
                .where(sa.tuple_(d.alarm, d.channel).in_(due))
                .values(tries=d.tries + 1, next_at=now + LEASE_MS)
                .returning(d.alarm, d.channel, d.tries)
            )

    async def _send(self, row: sa.RowMapping) -> None:
        async with self._db.read() as uow:
            found = await uow.first(sa.select(m.alarm).where(m.alarm.c.no == row["alarm"]))
        assert found is not None
        state, reason = "sent", ""
        try:
            await self._channels[row["channel"]].send(_message(_alarm(found)))
        except DeliveryError as error:
            given_up = error.lasting or row["tries"] >= MAX_TRIES
            state, reason = ("failed" if given_up else "pending"), error.reason
            log.warning("privacy.alarm_not_delivered", channel=row["channel"], why=reason)
        d, after = m.alarm_delivery.c, self._clock.now_ms() + retry_after_ms(row["tries"])
        async with self._db.write() as uow:
            await uow.run(
                sa.update(m.alarm_delivery)
                .where(d.alarm == row["alarm"], d.channel == row["channel"])
                .where(d.tries == row["tries"], d.state == "pending")
                .values(state=state, reason=reason, next_at=after)
            )


def _alarm(row: sa.RowMapping) -> PrivacyAlarm:
    values = {**row, "acked_at": row["acked_at"] or 0, "acked_by": row["acked_by"] or ""}
    return PrivacyAlarm(**values)


def _message(alarm: PrivacyAlarm) -> Message:
    """Chinese first, then English; the account's sign and a count, nothing about the people whose data it was."""
    params = {"account": alarm.account, "n": alarm.records, "no": alarm.no}
    texts = [
        TEXTS.text(language, f"privacy.alarm_told.{alarm.kind}", **params)
        for language in (Language.ZH, Language.EN)
    ]
    return Message(
        id=f"privacy-alarm-{alarm.no}",
        at=alarm.at,
        severity=Severity.CRITICAL,
        act="raised",
        title=TEXTS.text(Language.ZH, "privacy.alarm_title"),
        text="\n\n".join(texts),
        facts={"alarm": str(alarm.no), "account": alarm.account, "kind": alarm.kind},
    )
