"""What staff do with notifications: look, edit wordings and rules, try them, pause a channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.audit import Audit
from console.core.days import day_of
from console.core.delivering import DeliveryError
from console.core.permissions import Permission, Subject
from console.core.senders.port import Letter, PushDevice, Sender
from console.core.uow import ReadUow, Uow
from console.modules.notifications import claims, parking, reports
from console.modules.notifications import models as m
from console.modules.notifications import repository as repo
from console.modules.notifications.masks import is_mail, masked
from console.modules.notifications.reports import Wanted
from console.modules.notifications.rules import NoticeRules, due_and_until
from console.modules.notifications.segments import length, segments, signed
from console.modules.notifications.service import CHANGED, NotificationService
from console.modules.notifications.topics import (
    OUTSIDE,
    Channel,
    DeclaredTopic,
    TopicSettings,
    Wording,
    examples,
    shown,
)
from console.modules.notifications.wording import Said, check, said
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.security.device_keys import new_token

SEE, EDIT = Permission.NOTIFICATIONS, Permission.NOTIFICATIONS_EDIT
MONTHS = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A wording with examples in it. ``length`` counts the signature; ``segments`` and ``cost`` (thousandths of a
    yuan) are those of an SMS, 0 for other ways."""

    said: Said
    whole: str
    length: int
    segments: int
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A channel as it is now. ``ready``: this city has it."""

    channel: Channel
    ready: bool
    paused: bool
    reason: str
    since: int
    by: str
    down_since: int | None
    down_reason: str


class NoticeDesk:
    """Use cases of the staff's pages."""

    def __init__(
        self, service: NotificationService, audit: Audit, senders: Mapping[str, Sender]
    ) -> None:
        self.service = service
        self._audit = audit
        self._senders = senders
        self._clock = service.clock
        self.offset = service.offset

    # ---- looking -------------------------------------------------------------------------------------

    async def messages(
        self, uow: ReadUow, subject: Subject, wanted: Wanted, *, limit: int, offset: int
    ) -> tuple[int, Sequence[sa.RowMapping], dict[int, list[sa.RowMapping]]]:
        """How many, a page of them, their ways."""
        scope = subject.scope(SEE)
        count, rows = await reports.messages(uow, scope, wanted, self.offset, limit, offset)
        return count, rows, await reports.ways_of(uow, [row["no"] for row in rows])

    async def message(
        self, uow: ReadUow, subject: Subject, no: int
    ) -> tuple[sa.RowMapping, list[sa.RowMapping], Sequence[sa.RowMapping]]:
        """One message, its ways, its history. Raises ``page.not_found``."""
        row = await reports.message(uow, subject.scope(SEE), no)
        if row is None:
            raise Refusal("page.not_found")
        return row, (await reports.ways_of(uow, [no]))[no], await reports.steps_of(uow, no)

    async def words_of(
        self, uow: ReadUow, row: sa.RowMapping, ways: Sequence[sa.RowMapping]
    ) -> dict[str, Said]:
        """What was said by each way that it went; what is good for whoever has it stays hidden."""
        topic = self.service.topics.get(row["topic"])
        if topic is None:
            return {}
        found = {}
        for way in ways:
            if way["version"] >= 0:
                language, channel = Language(way["language"]), Channel(way["channel"])
                _, wording = await repo.wording(uow, topic, channel, language, way["version"])
                params = row["params"]
                found[way["channel"]] = said(
                    topic, wording, params, language, self.offset, hide_codes=True
                )
        return found

    async def figures(self, uow: ReadUow, subject: Subject) -> Sequence[sa.RowMapping]:
        """The last thirteen months."""
        scope = subject.scope(SEE)
        today = day_of(self._clock.now_ms(), self.offset)
        return await reports.figures(uow, scope, months_back(today, MONTHS - 1))

    async def halls(self, uow: ReadUow, subject: Subject) -> list[str]:
        return await reports.halls(uow, subject.scope(SEE))

    # ---- topics and wordings ---------------------------------------------------------------------------

    def topic(self, subject: Subject, id: str) -> DeclaredTopic:  # noqa: A002
        """Raises ``page.not_found``."""
        subject.require(SEE)
        found = self.service.topics.get(id)
        if found is None:
            raise Refusal("page.not_found")
        return found

    async def put_topic(
        self, uow: Uow, subject: Subject, topic: DeclaredTopic, body: TopicSettings, seen: int
    ) -> None:
        """Changes how a topic is told; what is planned already moves along. Raises ``notice.changed``."""
        subject.require(EDIT)
        _, version = (await repo.topic_settings(uow)).get(topic.id, (None, 0))
        now = self._clock.now_ms()
        if version != seen or not await repo.put_topic(
            uow, topic.id, body, version, now, subject.id
        ):
            raise Refusal("notice.changed")
        if body.before_minutes is not None:
            for row in await repo.planned(uow, topic.id):
                due, until = due_and_until(body, now, row["at"], None)
                await claims.set_message(uow, row["no"], due=due, until=until)
        await self._audit.write(uow, subject, "notice.topic", object=topic.id)
        uow.changed(CHANGED)

    async def put_wording(
        self,
        uow: Uow,
        subject: Subject,
        topic: DeclaredTopic,
        channel: Channel,
        language: Language,
        body: Wording,
        seen: int,
    ) -> None:
        """A new version. Raises what :func:`console.modules.notifications.wording.check` raises, ``notice.changed``."""
        subject.require(EDIT)
        check(topic, channel, body)
        version, _ = await repo.wording(uow, topic, channel, language)
        now = self._clock.now_ms()
        if version != seen or not await repo.add_wording(
            uow, topic, channel, language, version + 1, body, now, subject.id
        ):
            raise Refusal("notice.changed")
        where = f"{topic.id}/{channel}/{language.value}"
        await self._audit.write(
            uow, subject, "notice.wording", object=where, detail=f"version {version + 1}"
        )

    async def preview(
        self,
        uow: ReadUow,
        topic: DeclaredTopic,
        channel: Channel,
        language: Language,
        body: Wording,
    ) -> Preview:
        """Raises what :func:`console.modules.notifications.wording.check` raises."""
        check(topic, channel, body)
        words = said(topic, body, examples(topic, language), language, self.offset)
        if channel is not Channel.SMS:
            size = length(words.text)
            return Preview(said=words, whole=words.text, length=size, segments=0, cost=0)
        sender = self._senders.get(channel)
        whole = signed(sender.sign if sender is not None else "", words.text)
        count = segments(whole)
        rules, _ = await repo.rules(uow)
        return Preview(
            said=words, whole=whole, length=length(whole), segments=count, cost=count * rules.price
        )

    async def try_wording(
        self,
        uow: Uow,
        subject: Subject,
        topic: DeclaredTopic,
        channel: Channel,
        language: Language,
        body: Wording,
        to: str,
    ) -> None:
        """Sends a wording with its examples to the editor's own address, which is not kept, outside of the transaction. Raises
        ``notice.no_channel``, ``notice.try_failed``, ``notice.tries``."""
        subject.require(EDIT)
        sender = self._senders.get(channel)
        if sender is None:
            raise Refusal("notice.no_channel")
        if not to.strip() or (channel is Channel.MAIL and not is_mail(to.strip())):
            raise Refusal("form.invalid", field="to")
        check(topic, channel, body)
        now = self._clock.now_ms()
        if await repo.tried_since(uow, subject.id, now - 3_600_000) >= repo.MOST_TRIES:
            raise Refusal("notice.tries", n=repo.MOST_TRIES)
        values = examples(topic, language)
        words = said(topic, body, values, language, self.offset)
        letter = Letter(
            id=f"try-{new_token()[:16]}",
            to="" if channel is Channel.PUSH else to.strip(),
            devices=_own_device(to) if channel is Channel.PUSH else (),
            title=words.title,
            text=words.text,
            at=now,
            template=body.code,
            params={
                one.id: shown(one, values[one.id], language, self.offset)
                for one in topic.topic.fields
            },
        )
        try:
            async with uow.outside():
                taken = await sender.send(letter)
        except DeliveryError as error:
            raise Refusal("notice.try_failed", why=error.reason) from error
        detail = f"{masked(channel, to.strip())} {taken.segments}"
        await self._audit.write(
            uow, subject, "notice.tried", object=f"{topic.id}/{channel}", detail=detail
        )

    # ---- after a restore ---------------------------------------------------------------------------------

    async def parked(self, uow: ReadUow, subject: Subject) -> Sequence[sa.RowMapping]:
        """What waits for a decision, see :mod:`console.modules.notifications.parking`."""
        return await parking.groups(uow, subject.scope(SEE))

    async def decide(
        self, uow: Uow, subject: Subject, topic: str, channel: str, upto: int, *, send: bool
    ) -> int:
        """How many were let go, or dropped. Raises ``notice.decided`` when none waits any more."""
        subject.require(EDIT)
        now = self._clock.now_ms()
        found = await parking.decide(
            uow, subject.scope(EDIT), topic, channel, upto,
            send=send, now=now, day=day_of(now, self.offset),
        )  # fmt: skip
        if not found:
            raise Refusal("notice.decided")
        act = "notice.parked_sent" if send else "notice.parked_dropped"
        await self._audit.write(uow, subject, act, object=f"{topic}/{channel}", detail=str(found))
        uow.changed(CHANGED)
        return found

    # ---- channels and rules ------------------------------------------------------------------------------

    async def ways(self, uow: ReadUow, subject: Subject) -> list[Way]:
        subject.require(SEE)
        kept = await claims.channels(uow)
        found = []
        for channel in OUTSIDE:
            row = kept.get(channel)
            found.append(
                Way(
                    channel=channel,
                    ready=channel in self._senders,
                    paused=bool(row and row["paused"]),
                    reason=row["reason"] if row else "",
                    since=row["changed_at"] if row else 0,
                    by=row["changed_by"] if row else "",
                    down_since=row["down_since"] if row else None,
                    down_reason=row["down_reason"] if row else "",
                )
            )
        return found

    async def pause(
        self, uow: Uow, subject: Subject, channel: str, paused: bool, reason: str
    ) -> None:
        """Stops sending by a channel, or goes on: what waits is sent then while it is worth it."""
        subject.require(EDIT)
        if channel not in OUTSIDE:
            raise Refusal("page.not_found")
        if paused and not reason.strip():
            raise Refusal("form.invalid", field="reason")
        values = {
            "paused": paused,
            "reason": reason.strip()[:200],
            "changed_at": self._clock.now_ms(),
            "changed_by": subject.id,
        }
        statement = insert(m.channel).values(channel=channel, down_reason="", **values)
        await uow.run(statement.on_conflict_do_update(index_elements=["channel"], set_=values))
        act = "notice.paused" if paused else "notice.resumed"
        await self._audit.write(uow, subject, act, object=channel, detail=reason.strip()[:200])
        uow.changed(CHANGED)

    async def put_rules(self, uow: Uow, subject: Subject, body: NoticeRules, seen: int) -> None:
        """Raises ``notice.changed``."""
        subject.require(EDIT)
        _, version = await repo.rules(uow)
        now = self._clock.now_ms()
        if version != seen or not await repo.put_rules(uow, body, version, now, subject.id):
            raise Refusal("notice.changed")
        await self._audit.write(uow, subject, "notice.rules", detail=f"version {version + 1}")


def _own_device(to: str) -> tuple[PushDevice, ...]:
    """The editor's own device, as typed: token, or platform and token parted by a space."""
    platform, _, token = to.strip().rpartition(" ")
    return (PushDevice(platform=platform.strip() or "android", app="", token=token),)


def months_back(day: date, months: int) -> date:
    """The first day of the month so many months before."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
