"""SQL of receivers and escalations."""

from collections.abc import Collection

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.alarms import models as m
from console.modules.alarms.receivers import HeldReceiver, Receiver


async def receivers(uow: ReadUow) -> list[HeldReceiver]:
    """All receivers: who hears at once first, then in the order of escalation."""
    rows = await uow.all(sa.select(m.receiver).order_by(m.receiver.c.id))
    found = [
        HeldReceiver(
            receiver=msgspec.convert(row["body"], Receiver),
            version=row["version"],
            since=row["since"],
            changed_by=row["changed_by"],
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: one.receiver.after_minutes)


async def put_receiver(uow: Uow, held: HeldReceiver) -> bool:
    """Stores the next version; False when somebody else stored it first."""
    values = {
        "body": msgspec.to_builtins(held.receiver),
        "version": held.version,
        "since": held.since,
        "changed_by": held.changed_by,
    }
    statement = insert(m.receiver).values(id=held.receiver.id, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["id"], set_=values, where=m.receiver.c.version == held.version - 1
    )
    return bool(await uow.run(statement))


async def escalated(uow: ReadUow, alarms: Collection[int]) -> set[tuple[int, int, str]]:
    """Which receivers were called about which telling of these alarms: alarm, when it was told, receiver."""
    e = m.escalation.c
    rows = await uow.all(
        sa.select(e.alarm, e.told_at, e.receiver).where(e.alarm.in_(sorted(alarms)))
    )
    return {(row["alarm"], row["told_at"], row["receiver"]) for row in rows}


async def claim_escalation(uow: Uow, alarm: int, told_at: int, receiver: str, now: int) -> bool:
    """Notes that a receiver is called; False when it already was."""
    statement = insert(m.escalation).values(alarm=alarm, told_at=told_at, receiver=receiver, at=now)
    return bool(await uow.run(statement.on_conflict_do_nothing()))
