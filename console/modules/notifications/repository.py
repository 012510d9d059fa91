"""SQL of messages, wordings and settings."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.models import audit_entry
from console.core.uow import ReadUow, Uow
from console.modules.notifications import models as m
from console.modules.notifications.rules import NoticeRules
from console.modules.notifications.topics import Channel, DeclaredTopic, TopicSettings, Wording
from qingting.contract.states import Language

MOST_TRIES = 20
"""Wordings that one person may try in an hour: each one costs."""
_m, _d, _w = m.message.c, m.delivery.c, m.wording.c


async def add_messages(uow: Uow, rows: Sequence[Mapping[str, Any]]) -> None:
    """One whose key is known changes nothing."""
    await uow.run(insert(m.message).on_conflict_do_nothing(index_elements=["key"]), rows)


async def add_step(
    uow: Uow, message: int, channel: str, at: int, what: str, reason: str = ""
) -> None:
    await uow.run(
        sa.insert(m.step),
        {"message": message, "channel": channel, "at": at, "what": what, "reason": reason},
    )


async def cancel(uow: Uow, key: str) -> int | None:
    """The number of the message that was still planned."""
    statement = (
        sa.update(m.message)
        .where(_m.key == key, _m.state == "planned")
        .values(state="cancelled")
        .returning(_m.no)
    )
    row = await uow.first(statement)
    return None if row is None else int(row["no"])


async def rules(uow: ReadUow) -> tuple[NoticeRules, int]:
    """What holds for all topics, with its version; 0 as it came with the program."""
    row = await uow.first(sa.select(m.settings.c.body, m.settings.c.version))
    if row is None:
        return NoticeRules(), 0
    return msgspec.convert(row["body"], NoticeRules), int(row["version"])


async def put_rules(uow: Uow, body: NoticeRules, seen: int, at: int, by: str) -> bool:
    """In place of the version that was ``seen``; False when somebody else was faster."""
    return await _put(uow, m.settings, {"no": 1}, body, seen, at, by)


async def _put(
    uow: Uow, table: sa.Table, keys: Mapping[str, Any], body: msgspec.Struct, seen: int, at: int, by: str
) -> bool:  # fmt: skip
    values = {"body": msgspec.to_builtins(body), "version": seen + 1, "changed_at": at, "changed_by": by}  # fmt: skip
    statement = insert(table).values(**keys, **values)
    return bool(
        await uow.run(
            statement.on_conflict_do_update(
                index_elements=list(keys), set_=values, where=table.c.version == seen
            )
        )
    )


async def topic_settings(uow: ReadUow) -> dict[str, tuple[TopicSettings, int]]:
    """What was changed here, with versions."""
    rows = await uow.all(sa.select(m.topic.c.topic, m.topic.c.body, m.topic.c.version))
    return {
        row["topic"]: (msgspec.convert(row["body"], TopicSettings), int(row["version"]))
        for row in rows
    }


async def put_topic(uow: Uow, topic: str, body: TopicSettings, seen: int, at: int, by: str) -> bool:
    """In place of the version that was ``seen``; False when somebody else was faster."""
    return await _put(uow, m.topic, {"topic": topic}, body, seen, at, by)


async def wordings(
    uow: ReadUow, topic: DeclaredTopic, channel: Channel, language: Language
) -> list[sa.RowMapping]:
    """Every version that was edited, newest first."""
    statement = (
        sa.select(m.wording)
        .where(_w.topic == topic.id, _w.channel == channel.value, _w.language == language.value)
        .order_by(_w.version.desc())
    )
    return list(await uow.all(statement))


async def wording(
    uow: ReadUow,
    topic: DeclaredTopic,
    channel: Channel,
    language: Language,
    version: int | None = None,
) -> tuple[int, Wording]:
    """A version, or the newest one."""
    statement = (
        sa.select(_w.version, _w.title, _w.text, _w.code)
        .where(_w.topic == topic.id, _w.channel == channel.value, _w.language == language.value)
        .order_by(_w.version.desc())
        .limit(1)
    )
    if version is not None:
        statement = statement.where(_w.version == version)
    row = await uow.first(statement)
    if row is None:
        return 0, topic.first_wording(channel, language)
    return int(row["version"]), Wording(title=row["title"], text=row["text"], code=row["code"])


async def add_wording(
    uow: Uow,
    topic: DeclaredTopic,
    channel: Channel,
    language: Language,
    version: int,
    body: Wording,
    at: int,
    by: str,
) -> bool:
    """False when somebody else made this version."""
    values = {
        "topic": topic.id,
        "channel": channel.value,
        "language": language.value,
        "version": version,
        "title": body.title,
        "text": body.text,
        "code": body.code,
        "made_at": at,
        "made_by": by,
    }
    return bool(await uow.run(insert(m.wording).values(**values).on_conflict_do_nothing()))


async def edited(uow: ReadUow) -> dict[tuple[str, str, str], int]:
    """Newest version by topic, channel and language."""
    statement = sa.select(
        _w.topic, _w.channel, _w.language, sa.func.max(_w.version).label("version")
    ).group_by(_w.topic, _w.channel, _w.language)
    return {
        (row["topic"], row["channel"], row["language"]): int(row["version"])
        for row in await uow.all(statement)
    }


async def unwanted(
    uow: ReadUow, citizens: Collection[str]
) -> dict[tuple[str, str], frozenset[Channel]]:
    """Channels not wanted, by citizen and topic."""
    c = m.choice.c
    statement = sa.select(c.citizen, c.topic, c.channel).where(
        c.citizen.in_(sorted(citizens)), ~c.wanted
    )
    found: dict[tuple[str, str], frozenset[Channel]] = {}
    for row in await uow.all(statement):
        key = (row["citizen"], row["topic"])
        found[key] = found.get(key, frozenset()) | {Channel(row["channel"])}
    return found


async def put_choice(uow: Uow, citizen: str, topic: str, channel: Channel, wanted: bool) -> None:
    statement = insert(m.choice).values(
        citizen=citizen, topic=topic, channel=channel.value, wanted=wanted
    )
    keys = ["citizen", "topic", "channel"]
    await uow.run(statement.on_conflict_do_update(index_elements=keys, set_={"wanted": wanted}))


async def unread(uow: ReadUow, citizen: str) -> int:
    statement = (
        sa.select(sa.func.count())
        .select_from(m.message)
        .where(_m.citizen == citizen, _m.state == "told", _m.read_at.is_(None))
    )
    return int(await uow.scalar(statement))


def _told(citizen: str) -> sa.Select[Any]:
    """Told messages of a citizen, with language and version of their in-site wording."""
    here = (_d.message == _m.no) & (_d.channel == Channel.IN_SITE.value)
    return (
        sa.select(m.message, _d.version, _d.language)
        .select_from(m.message.join(m.delivery, here))
        .where(_m.citizen == citizen, _m.state == "told")
    )


async def inbox(
    uow: ReadUow, citizen: str, limit: int, offset: int
) -> tuple[int, Sequence[sa.RowMapping]]:
    told = _told(citizen)
    count = await uow.scalar(sa.select(sa.func.count()).select_from(told.subquery()))
    page = told.order_by(_m.no.desc()).limit(limit).offset(offset)
    return int(count), await uow.all(page)


async def inbox_one(uow: ReadUow, citizen: str, no: int) -> sa.RowMapping | None:
    return await uow.first(_told(citizen).where(_m.no == no))


async def read(uow: Uow, citizen: str, no: int | None, at: int) -> None:
    """Marks one message, or all of them."""
    statement = sa.update(m.message).where(
        _m.citizen == citizen, _m.state == "told", _m.read_at.is_(None)
    )
    if no is not None:
        statement = statement.where(_m.no == no)
    await uow.run(statement.values(read_at=at))


async def forget(uow: Uow, citizen: str) -> None:
    for table in (m.message, m.choice, m.follow):
        await uow.run(sa.delete(table).where(table.c.citizen == citizen))


async def planned(uow: ReadUow, topic: str) -> Sequence[sa.RowMapping]:
    """Messages of a topic that have not been told."""
    return await uow.all(
        sa.select(_m.no, _m.at).where(_m.topic == topic, _m.state == "planned", _m.at.is_not(None))
    )


async def tried_since(uow: ReadUow, account: str, since: int) -> int:
    """How often somebody has tried a wording since then."""
    a = audit_entry.c
    statement = sa.select(sa.func.count()).select_from(audit_entry)
    return int(
        await uow.scalar(
            statement.where(a.actor == account, a.act == "notice.tried", a.at >= since)
        )
    )
