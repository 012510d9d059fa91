"""SQL of messages on their way: what is due, who has it, what became of it."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.notifications import models as m
from console.modules.notifications.topics import Channel

_m, _d, _c = m.message.c, m.delivery.c, m.channel.c
LIVE = ("queued", "held", "sending")
COUNTED = ("queued", "held", "sending", "sent", "delivered", "failed")
_CITIZEN_LOCK = 0x6E6F7465


async def due_messages(uow: Uow, now: int, limit: int) -> Sequence[sa.RowMapping]:
    """Planned messages whose time has come, none that another worker has."""
    return await uow.all(
        sa.select(m.message)
        .where(_m.state == "planned", _m.due <= now)
        .order_by(_m.due, _m.no)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


async def lock_citizens(uow: Uow, citizens: Collection[str]) -> None:
    """What is counted for a citizen stays true until the commit. Always in one order: no two workers wait for each
    other."""
    for one in sorted(set(citizens)):
        await uow.scalar(
            sa.text("SELECT pg_advisory_xact_lock(:space, hashtext(:citizen))"),
            {"space": _CITIZEN_LOCK, "citizen": one},
        )


async def told_on(uow: ReadUow, citizen: str, day: date) -> int:
    """Messages that went or go outside to the citizen on a date."""
    statement = (
        sa.select(sa.func.count(sa.distinct(_d.message)))
        .select_from(m.delivery.join(m.message, _m.no == _d.message))
        .where(_m.citizen == citizen, _d.day == day, _d.rank > 0, _d.state.in_(COUNTED))
    )
    return int(await uow.scalar(statement))


async def is_repeated(uow: ReadUow, row: sa.RowMapping, since: int) -> bool:
    """True when the same was told to the same person since then."""
    statement = (
        sa.select(sa.literal(1))
        .select_from(m.message)
        .where(
            _m.citizen == row["citizen"],
            _m.topic == row["topic"],
            _m.state == "told",
            _m.told_at >= since,
            _m.params == row["params"],
        )
        .limit(1)
    )
    return await uow.scalar(statement) is not None


async def set_message(uow: Uow, no: int, **values: Any) -> None:
    await uow.run(sa.update(m.message).where(_m.no == no).values(**values))


async def add_delivery(uow: Uow, message: int, channel: Channel, **values: Any) -> None:
    empty = {
        "reason": "",
        "tries": 0,
        "language": "zh-CN",
        "version": -1,
        "masked": "",
        "reference": "",
        "segments": 0,
        "cost": 0,
    }
    await uow.run(sa.insert(m.delivery), {"message": message, "channel": channel.value} | empty | values)  # fmt: skip


async def take(
    uow: Uow, channels: Collection[str], now: int, until: int, limit: int
) -> Sequence[sa.RowMapping]:
    """What is due of ``channels``, leased until then: of several workers one gets each."""
    paused = sa.select(_c.channel).where(_c.paused)
    due = (
        sa.select(_d.message, _d.channel)
        .where(_d.state.in_(LIVE), _d.next_at <= now)
        .where(_d.channel.in_(sorted(channels)), _d.channel.not_in(paused))
        .order_by(_d.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return await uow.all(
        sa.update(m.delivery)
        .where(sa.tuple_(_d.message, _d.channel).in_(due))
        .values(state="sending", tries=_d.tries + 1, next_at=until)
        .returning(m.delivery)
    )


async def drop_late(uow: Uow, channels: Collection[str], now: int) -> Sequence[sa.RowMapping]:
    """Ends what nobody takes, as its channel is paused, none of ``channels``, or parked, once it is useless."""
    paused = sa.select(_c.channel).where(_c.paused)
    nobody = sa.or_(_d.channel.in_(paused), _d.channel.not_in(sorted(channels)))
    statement = (
        sa.update(m.delivery)
        .where(_m.no == _d.message, _m.until <= now)
        .where(sa.or_(_d.state == "parked", sa.and_(_d.state.in_(("queued", "held")), nobody)))
        .values(state="failed", reason="late", done_at=now)
        .returning(m.delivery)
    )
    return await uow.all(statement)


async def note(uow: Uow, row: sa.RowMapping, **values: Any) -> bool:
    """What became of a try. False when the lease was lost or a receipt was faster: then it stands already."""
    statement = (
        sa.update(m.delivery)
        .where(_d.message == row["message"], _d.channel == row["channel"])
        .where(_d.tries == row["tries"], _d.state == "sending")
        .values(**values)
    )
    return bool(await uow.run(statement))


async def note_taken(uow: Uow, row: sa.RowMapping, **values: Any) -> None:
    """The provider took it; whether a receipt has come already or not."""
    await uow.run(
        sa.update(m.delivery)
        .where(_d.message == row["message"], _d.channel == row["channel"])
        .where(_d.tries == row["tries"])
        .values(
            state=sa.case((_d.state == "sending", "sent"), else_=_d.state),
            **values,
        )
    )


async def chain(uow: Uow, message: int) -> list[tuple[Channel, str]]:
    """Outside ways in order, with their states."""
    statement = (
        sa.select(_d.channel, _d.state)
        .where(_d.message == message, _d.rank > 0)
        .order_by(_d.rank)
        .with_for_update()
    )
    return [(Channel(row["channel"]), row["state"]) for row in await uow.all(statement)]


async def set_delivery(uow: Uow, message: int, channel: str, **values: Any) -> None:
    await uow.run(
        sa.update(m.delivery).where(_d.message == message, _d.channel == channel).values(**values)
    )


async def locked(uow: Uow, message: int, channel: str) -> sa.RowMapping | None:
    return await uow.first(
        sa.select(m.delivery, _m.until)
        .join(m.message, _m.no == _d.message)
        .where(_d.message == message, _d.channel == channel)
        .with_for_update(of=m.delivery)
    )


async def message(uow: ReadUow, no: int) -> sa.RowMapping | None:
    return await uow.first(sa.select(m.message).where(_m.no == no))


async def channels(uow: ReadUow) -> dict[str, sa.RowMapping]:
    return {row["channel"]: row for row in await uow.all(sa.select(m.channel))}


async def set_down(uow: Uow, channel: str, since: int | None, reason: str) -> bool:
    """The provider does not answer since then, or answers again (None). True when that is news."""
    fresh = {"paused": False, "changed_at": 0, "changed_by": ""}
    values = {"down_since": since, "down_reason": reason}
    statement = insert(m.channel).values(channel=channel, reason="", **fresh, **values)
    changed = statement.on_conflict_do_update(
        index_elements=["channel"],
        set_=values,
        where=_c.down_since.is_(None) if since is not None else _c.down_since.is_not(None),
    )
    if (
        since is None
        and await uow.scalar(sa.select(_c.channel).where(_c.channel == channel)) is None
    ):
        return False
    return bool(await uow.run(changed))
