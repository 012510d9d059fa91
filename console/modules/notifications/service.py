"""Telling citizens; implements :class:`console.modules.notifications.api.NotificationsApi`."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.notifications import models as m
from console.modules.notifications import repository as repo
from console.modules.notifications.api import (
    Addressees,
    Choice,
    InboxMessage,
    Params,
    Stands,
    Word,
)
from console.modules.notifications.rules import due_and_until
from console.modules.notifications.topics import (
    Channel,
    DeclaredTopic,
    TopicSettings,
    kept_params,
)
from console.modules.notifications.wording import said
from qingting.contract.errors import Refusal
from qingting.contract.ids import BookingId, HallId
from qingting.contract.states import Language
from qingting.kernel.aio.clock import Clock

CHANGED = "notifications"
"""Told to pages and to the jobs that send."""


class NotificationService:
    """See :class:`console.modules.notifications.api.NotificationsApi`."""

    def __init__(self, clock: Clock, utc_offset_minutes: int) -> None:
        self.clock = clock
        self.offset = utc_offset_minutes
        self.addressees: Addressees | None = None
        self.ready: frozenset[Channel] = frozenset()
        """Ways outside that this city has."""
        self._topics: dict[str, DeclaredTopic] = {}
        self._stands: dict[str, Stands] = {}

    @property
    def topics(self) -> Mapping[str, DeclaredTopic]:
        return self._topics

    def declare(self, topics: Sequence[DeclaredTopic]) -> None:
        for one in topics:
            if one.id in self._topics:
                raise ValueError(f"{one.id} is declared twice")
            self._topics[one.id] = one

    def checked_by(self, topic: str, stands: Stands) -> None:
        self._stands[topic] = stands

    async def stands(self, uow: ReadUow, row: sa.RowMapping) -> bool:
        """Whether what a message is about is still so."""
        found = self._stands.get(row["topic"])
        return found is None or await found(uow, row["key"])

    def reached_by(self, addressees: Addressees) -> None:
        self.addressees = addressees

    async def tell(
        self,
        uow: Uow,
        topic: str,
        citizen: str,
        params: Params,
        *,
        key: str,
        at: int | None = None,
        until: int | None = None,
        hall: str = "",
    ) -> None:
        one = Word(topic, citizen, params, key=key, at=at, until=until, hall=hall)
        await self.tell_all(uow, [one])

    async def tell_all(self, uow: Uow, words: Sequence[Word]) -> None:
        now, changed = self.clock.now_ms(), await repo.topic_settings(uow)
        rows = []
        for one in words:
            declared = self._topics[one.topic]
            settings = _settings(declared, changed)
            due, end = due_and_until(settings, now, one.at, one.until)
            rows.append(
                {
                    "key": one.key,
                    "topic": one.topic,
                    "citizen": one.citizen,
                    "hall": one.hall,
                    "params": kept_params(declared, one.params),
                    "at": one.at,
                    "due": due,
                    "until": end,
                    "state": "planned",
                    "made_at": now,
                    "since": now if one.since is None else min(one.since, now),
                }
            )
        await repo.add_messages(uow, rows)
        uow.changed(CHANGED)

    async def settings_of(self, uow: ReadUow, topic: DeclaredTopic) -> TopicSettings:
        return _settings(topic, await repo.topic_settings(uow))

    async def cancel(self, uow: Uow, key: str) -> bool:
        no = await repo.cancel(uow, key)
        if no is None:
            return False
        await repo.add_step(uow, no, "", self.clock.now_ms(), "cancelled")
        uow.changed(CHANGED)
        return True

    async def follow(
        self, uow: Uow, citizen: str, hall: HallId, booking: BookingId, *, until: int
    ) -> None:
        values = {"citizen": citizen, "until": until}
        statement = insert(m.follow).values(hall=hall, booking=booking, outcome="", **values)
        await uow.run(
            statement.on_conflict_do_update(index_elements=["hall", "booking"], set_=values)
        )

    async def unread(self, uow: ReadUow, citizen: str) -> int:
        return await repo.unread(uow, citizen)

    async def inbox(
        self, uow: ReadUow, citizen: str, language: Language, *, limit: int, offset: int = 0
    ) -> tuple[int, list[InboxMessage]]:
        count, rows = await repo.inbox(uow, citizen, limit, offset)
        return count, [await self._inbox_message(uow, row, language) for row in rows]

    async def message(
        self, uow: ReadUow, citizen: str, no: int, language: Language
    ) -> InboxMessage:
        """One told message of the citizen's own. Raises ``notice.unknown``."""
        row = await repo.inbox_one(uow, citizen, no)
        if row is None:
            raise Refusal("notice.unknown")
        return await self._inbox_message(uow, row, language)

    async def read(self, uow: Uow, citizen: str, no: int | None = None) -> None:
        """The citizen has read one message, or all."""
        await repo.read(uow, citizen, no, self.clock.now_ms())

    async def _inbox_message(
        self, uow: ReadUow, row: sa.RowMapping, language: Language
    ) -> InboxMessage:
        topic = self._topics.get(row["topic"])
        if topic is None:
            # Told by a module that this release has not.
            return _bare(row)
        _, wording = await repo.wording(
            uow,
            topic,
            Channel.IN_SITE,
            language,
            row["version"] if row["language"] == language else None,
        )
        words = said(topic, wording, row["params"], language, self.offset)
        return InboxMessage(
            no=row["no"],
            topic=row["topic"],
            title=words.title,
            text=words.text,
            link=topic.topic.link,
            at=row["told_at"],
            read=row["read_at"] is not None,
        )

    async def choices(self, uow: ReadUow, citizen: str, language: Language) -> list[Choice]:
        changed = await repo.topic_settings(uow)
        unwanted = await repo.unwanted(uow, [citizen])
        ready = await self._ready_for(uow, citizen)
        found = []
        for one in sorted(self._topics.values(), key=lambda topic: topic.id):
            settings = changed[one.id][0] if one.id in changed else TopicSettings.of(one.topic)
            dropped = unwanted.get((citizen, one.id), frozenset())
            ways = tuple((way, way not in dropped) for way in settings.chain if way in ready)
            if ways and settings.on and not settings.urgent:
                found.append(Choice(topic=one.id, name=one.names[language], ways=ways))
        return found

    async def _ready_for(self, uow: ReadUow, citizen: str) -> frozenset[Channel]:
        """The ways of this city that somebody can have: the app and Alipay ask for a step of theirs first."""
        reach = await self.addressees.reach(uow, citizen) if self.addressees else None
        without = set()
        if reach is None or not reach.push:
            without.add(Channel.PUSH)
        if reach is None or not reach.alipay:
            without.add(Channel.ALIPAY)
        return self.ready - without

    async def choose(self, uow: Uow, citizen: str, wanted: Collection[str]) -> None:
        for one in await self.choices(uow, citizen, Language.ZH):
            for channel, before in one.ways:
                now = f"{one.topic}/{channel}" in wanted
                if now is not before:
                    await repo.put_choice(uow, citizen, one.topic, channel, now)

    async def forget(self, uow: Uow, citizen: str) -> None:
        await repo.forget(uow, citizen)
        uow.changed(CHANGED)


def _settings(
    topic: DeclaredTopic, changed: Mapping[str, tuple[TopicSettings, int]]
) -> TopicSettings:
    found = changed.get(topic.id)
    return found[0] if found else TopicSettings.of(topic.topic)


def _bare(row: sa.RowMapping) -> InboxMessage:
    return InboxMessage(
        no=row["no"],
        topic=row["topic"],
        title=row["topic"],
        text="",
        link="",
        at=row["told_at"],
        read=row["read_at"] is not None,
    )
