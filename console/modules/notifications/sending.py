"""Messages on their way: planned when due, taken with a lease, sent, noted, handed to the next way when one cannot.

At least once: a worker that dies between sending and noting leaves a lease; the next try has the same id, by which
the provider knows the repetition (docs/integrators/sms.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from console.core.days import day_of
from console.core.db import Database
from console.core.delivering import DeliveryError, all_of, retry_after_ms
from console.core.senders.port import Letter, PushDevice, Receipt, Sender, Taken
from console.core.uow import ReadUow, Uow
from console.modules.notifications import claims, parking
from console.modules.notifications import repository as repo
from console.modules.notifications.api import Reach
from console.modules.notifications.masks import masked, masked_devices
from console.modules.notifications.rules import (
    MINUTE_MS,
    NoticeRules,
    Way,
    allowed_at,
    next_way,
    ways,
)
from console.modules.notifications.segments import segments, signed
from console.modules.notifications.service import CHANGED, NotificationService
from console.modules.notifications.topics import (
    Channel,
    DeclaredTopic,
    TopicSettings,
    Wording,
    shown,
)
from console.modules.notifications.wording import said
from qingting.contract.states import Language
from qingting.kernel.security.seal import SealError

log = structlog.get_logger(__name__)

AT_ONCE = 20
LEASE_MS = 120_000
"""A worker that dies while sending leaves the rest to others after this; no try takes so long."""
MAX_TRIES = 6
"""About a quarter of an hour; then the next way is tried, or the last one until the deadline."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A letter with what is kept about it."""

    letter: Letter
    citizen: str
    masked: str
    version: int
    language: str
    segments: int
    price: int


def _address(channel: Channel, reach: Reach) -> tuple[str, tuple[PushDevice, ...]]:
    """Where a way leads: an address, or the devices with the app."""
    match channel:
        case Channel.SMS:
            return reach.phone, ()
        case Channel.MAIL:
            return reach.mail, ()
        case Channel.ALIPAY:
            return reach.alipay, ()
        case _:
            return "", reach.push


def letter_id(message: int, channel: str) -> str:
    """By which the provider and its receipts know a message."""
    return f"n{message}-{channel}"


def _of_letter(id: str) -> tuple[int, str] | None:  # noqa: A002 - the provider's word
    number, _, channel = id.removeprefix("n").partition("-")
    known = id.startswith("n") and number.isdecimal() and len(number) < 19
    return (int(number), channel) if known else None


class Post:
    """Plans and sends; every worker has one."""

    def __init__(
        self,
        db: Database,
        service: NotificationService,
        senders: Mapping[str, Sender],
        site_url: str = "",
    ) -> None:
        self._db = db
        self._service = service
        self._senders = senders
        self._site = site_url.rstrip("/")
        self._clock = service.clock
        self._offset = service.offset

    async def work(self) -> bool:
        """Plans what is due and sends what is planned; False when there may be more."""
        planned = await self._plan()
        sent = await self._deliver()
        return planned < AT_ONCE and sent < AT_ONCE

    # ---- planning ------------------------------------------------------------------------------------

    async def _plan(self) -> int:
        async with self._db.write() as uow:
            now = self._clock.now_ms()
            await self._drop_late(uow, now)
            rows = await claims.due_messages(uow, now, AT_ONCE)
            if not rows:
                return 0
            await claims.lock_citizens(uow, [row["citizen"] for row in rows])
            rules, _ = await repo.rules(uow)
            unwanted = await repo.unwanted(uow, {row["citizen"] for row in rows})
            settings, restored = await self._settings(uow), await parking.restored_at(uow)
            for row in rows:
                key = (row["citizen"], row["topic"])
                await self._plan_one(
                    uow,
                    row,
                    settings.get(row["topic"]),
                    rules,
                    unwanted.get(key, frozenset()),
                    known=parking.may_be_known(row, restored),
                )
            uow.changed(CHANGED)
            return len(rows)

    async def _drop_late(self, uow: Uow, now: int) -> None:
        """What waited for a way that is paused or gone, until it was useless."""
        for row in await claims.drop_late(uow, list(self._senders), now):
            await self._step(uow, row, "failed", "late")

    async def _settings(self, uow: ReadUow) -> dict[str, TopicSettings]:
        changed = await repo.topic_settings(uow)
        return {
            one.id: changed[one.id][0] if one.id in changed else TopicSettings.of(one.topic)
            for one in self._service.topics.values()
        }

    async def _plan_one(
        self,
        uow: Uow,
        row: sa.RowMapping,
        settings: TopicSettings | None,
        rules: NoticeRules,
        unwanted: frozenset[Channel],
        *,
        known: bool,
    ) -> None:
        now, no = self._clock.now_ms(), row["no"]
        since = now - rules.repeat_minutes * MINUTE_MS
        state = ""
        # A topic without settings is of a module that this release has not.
        if settings is None or row["until"] <= now or not await self._service.stands(uow, row):
            state = "expired"
        elif rules.repeat_minutes and await claims.is_repeated(uow, row, since):
            state = "repeated"
        if state or settings is None:
            await claims.set_message(uow, no, state=state)
            await repo.add_step(uow, no, "", now, state)
            return
        today = day_of(now, self._offset)
        planned = ways(
            settings,
            rules,
            ready=[one for one in Channel if one in self._senders],
            unwanted=unwanted,
            # Without a way out of the house nothing counts against a day's most.
            told_today=await claims.told_on(uow, row["citizen"], today) if self._senders else 0,
            now=now,
            until=row["until"],
            offset_minutes=self._offset,
        )
        await claims.set_message(uow, no, state="told", told_at=now)
        await self._add_in_site(uow, row, now)
        await self._add_ways(uow, no, [one.parked() for one in planned] if known else planned)

    async def _add_ways(self, uow: Uow, no: int, planned: Sequence[Way]) -> None:
        now = self._clock.now_ms()
        for rank, way in enumerate(planned, start=1):
            day = day_of(way.next_at, self._offset)
            values = {"state": way.state, "reason": way.reason, "next_at": way.next_at, "day": day}
            await claims.add_delivery(uow, no, way.channel, rank=rank, **values)
            if way.state != "waiting":
                await repo.add_step(uow, no, way.channel, now, way.state, way.reason)

    async def _add_in_site(self, uow: Uow, row: sa.RowMapping, now: int) -> None:
        """The citizen's own list shows it from now on, in the wording of now."""
        topic = self._service.topics[row["topic"]]
        language = await self._language(uow, row["citizen"])
        version, _ = await repo.wording(uow, topic, Channel.IN_SITE, language)
        await claims.add_delivery(
            uow,
            row["no"],
            Channel.IN_SITE,
            rank=0,
            state="delivered",
            next_at=now,
            day=day_of(now, self._offset),
            language=language.value,
            version=version,
            sent_at=now,
            done_at=now,
        )
        await repo.add_step(uow, row["no"], Channel.IN_SITE, now, "delivered")

    async def _language(self, uow: ReadUow, citizen: str) -> Language:
        """Addresses that cannot be opened must not keep others' messages waiting: this is asked within a batch."""
        try:
            reach = await self._reach(uow, citizen)
        except SealError:
            reach = None
        return reach.language if reach is not None else Language.ZH

    async def _reach(self, uow: ReadUow, citizen: str) -> Reach | None:
        book = self._service.addressees
        return None if book is None else await book.reach(uow, citizen)

    # ---- sending -------------------------------------------------------------------------------------

    async def _deliver(self) -> int:
        if not self._senders:
            return 0
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            taken = await claims.take(uow, list(self._senders), now, now + LEASE_MS, AT_ONCE)
        await all_of(self._send(row) for row in taken)
        return len(taken)

    async def _send(self, row: sa.RowMapping) -> None:
        sender = self._senders[row["channel"]]
        try:
            async with self._db.read() as uow:
                found = await self._letter(uow, row, sender)
        except SealError as error:
            why = str(error)
            log.warning("notice.sealed", channel=row["channel"], message=row["message"], why=why)
            found = "sealed"
        if isinstance(found, str):
            await self._give_up(row, found)
            return
        if isinstance(found, int):
            await self._hold(row, found)
            return
        try:
            taken = await sender.send(found.letter)
        except DeliveryError as error:
            await self._failed(row, found, error)
        else:
            await self._taken(row, found, taken)

    async def _letter(self, uow: ReadUow, row: sa.RowMapping, sender: Sender) -> _Ready | str | int:
        """The letter; or why there is none; or until when it is held."""
        now, channel = self._clock.now_ms(), Channel(row["channel"])
        message = await claims.message(uow, row["message"])
        if message is None:
            return "gone"
        if message["until"] <= now:
            return "late"
        if not await self._service.stands(uow, message):
            return "over"
        topic = self._service.topics.get(message["topic"])
        reach = await self._reach(uow, message["citizen"])
        if topic is None or reach is None:
            return "gone"
        to, devices = _address(channel, reach)
        if not to and not devices:
            return "no_address"
        rules, _ = await repo.rules(uow)
        settings = await self._service.settings_of(uow, topic)
        allowed = now if settings.urgent else allowed_at(now, rules, self._offset)
        if allowed > now:
            return allowed if allowed < message["until"] else "late"
        version, wording = await repo.wording(uow, topic, channel, reach.language)
        if channel is Channel.ALIPAY and not wording.code:
            return "no_template"
        letter = self._written(message, channel, topic, wording, reach.language, to, devices)
        count = segments(signed(sender.sign, letter.text)) if channel is Channel.SMS else 0
        mask = masked_devices([one.token for one in devices]) if devices else masked(channel, to)
        whom, language = message["citizen"], reach.language.value
        return _Ready(letter, whom, mask, version, language, count, rules.price)

    def _written(
        self,
        message: sa.RowMapping,
        channel: Channel,
        topic: DeclaredTopic,
        wording: Wording,
        language: Language,
        to: str,
        devices: tuple[PushDevice, ...],
    ) -> Letter:
        params, link = message["params"], topic.topic.link
        words = said(topic, wording, params, language, self._offset)
        return Letter(
            id=letter_id(message["no"], channel),
            to=to,
            devices=devices,
            title=words.title,
            text=words.text,
            at=message["told_at"],
            template=wording.code,
            params={
                one.id: shown(one, params[one.id], language, self._offset)
                for one in topic.topic.fields
                if one.id in params
            },
            link=f"{self._site}{link}" if self._site and link else "",
        )

    async def _hold(self, row: sa.RowMapping, until: int) -> None:
        async with self._db.write() as uow:
            values = {"state": "held", "next_at": until, "tries": max(0, row["tries"] - 1)}
            if await claims.note(uow, row, **values):
                await self._step(uow, row, "held", "quiet")

    async def _taken(self, row: sa.RowMapping, ready: _Ready, taken: Taken) -> None:
        now = self._clock.now_ms()
        count = taken.segments or ready.segments
        async with self._db.write() as uow:
            await claims.note_taken(
                uow,
                row,
                sent_at=now,
                masked=ready.masked,
                version=ready.version,
                language=ready.language,
                reference=taken.reference[:80],
                segments=count,
                cost=count * ready.price,
                reason="",
            )
            await self._step(uow, row, "sent", "")
            await self._gone(uow, ready, taken.dead)
            if await claims.set_down(uow, row["channel"], None, ""):
                log.info("notice.channel_back", channel=row["channel"])

    async def _failed(self, row: sa.RowMapping, ready: _Ready, error: DeliveryError) -> None:
        now, reason = self._clock.now_ms(), error.reason
        if error.unreachable:
            async with self._db.write() as uow:
                if await claims.set_down(uow, row["channel"], now, reason):
                    log.warning("notice.channel_down", channel=row["channel"], why=reason)
                    uow.changed(CHANGED)
        if error.lasting and not error.unreachable:
            await self._give_up(row, reason, ready)
            return
        again = now + max(retry_after_ms(row["tries"]), error.after_ms)
        async with self._db.write() as uow:
            states = [state for _, state in await claims.chain(uow, row["message"])]
            message = await claims.message(uow, row["message"])
            late = message is None or again >= message["until"]
            if late or ("waiting" in states and row["tries"] >= MAX_TRIES):
                await self._fail(uow, row, reason, ready)
            elif await claims.note(uow, row, state="queued", next_at=again, reason=reason):
                await self._step(uow, row, "again", reason)

    async def _give_up(self, row: sa.RowMapping, reason: str, ready: _Ready | None = None) -> None:
        async with self._db.write() as uow:
            if ready is not None and reason == "no_device":
                await self._gone(uow, ready, [one.token for one in ready.letter.devices])
            await self._fail(uow, row, reason, ready)

    async def _fail(self, uow: Uow, row: sa.RowMapping, reason: str, ready: _Ready | None) -> None:
        now = self._clock.now_ms()
        values = {"masked": ready.masked, "version": ready.version, "language": ready.language} if ready else {}  # fmt: skip
        # Nobody failed where there is no address to try, no text that Alipay approved, or nothing to tell any more.
        state = "dropped" if reason in ("no_address", "no_template", "over") else "failed"
        if await claims.note(uow, row, state=state, reason=reason, done_at=now, **values):
            await self._step(uow, row, state, reason)
            await self._next(uow, row["message"], reason)

    async def _gone(self, uow: Uow, ready: _Ready, tokens: Sequence[str]) -> None:
        """Devices on which the app is no more are not tried again."""
        if tokens and (book := self._service.addressees) is not None:
            await book.gone(uow, ready.citizen, tokens)

    async def _next(self, uow: Uow, message: int, reason: str) -> None:
        """The next way has its turn, unless it is too late for any."""
        now = self._clock.now_ms()
        found = next_way(await claims.chain(uow, message))
        if found is None:
            return
        state = "failed" if reason == "late" else "queued"
        why, day = reason if state == "failed" else "", day_of(now, self._offset)
        await claims.set_delivery(
            uow, message, found, state=state, reason=why, next_at=now, day=day
        )
        await repo.add_step(uow, message, found, now, state, why)
        if state == "failed":
            await self._next(uow, message, reason)

    async def _step(self, uow: Uow, row: sa.RowMapping, what: str, reason: str) -> None:
        await repo.add_step(uow, row["message"], row["channel"], self._clock.now_ms(), what, reason)
        uow.changed(CHANGED)

    # ---- receipts ------------------------------------------------------------------------------------

    async def take_receipts(self, uow: Uow, channel: str, found: Sequence[Receipt]) -> int:
        """Notes what became of messages; one that is known already changes nothing. Gives how many were news."""
        news = 0
        for one in sorted(found, key=lambda receipt: receipt.id):
            about = _of_letter(one.id)
            if about is not None and about[1] == channel:
                news += await self._take_receipt(uow, about[0], channel, one)
        if news:
            uow.changed(CHANGED)
        return news

    async def _take_receipt(self, uow: Uow, no: int, channel: str, one: Receipt) -> bool:
        row = await claims.locked(uow, no, channel)
        # What was parked after a restore did leave before it, as its receipt says.
        told = row is not None and row["state"] == "parked" and one.delivered
        if row is None or not (told or row["state"] in ("sent", "sending")):
            return False
        state, reason = ("delivered", "") if one.delivered else ("failed", one.reason or "receipt")
        await claims.set_delivery(uow, no, channel, state=state, reason=reason, done_at=one.at)
        await repo.add_step(uow, no, channel, self._clock.now_ms(), state, reason)
        if state == "failed":
            late = row["until"] <= self._clock.now_ms()
            await self._next(uow, no, "late" if late else reason)
        return True
