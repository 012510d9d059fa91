"""SQL of logins that wait for a telephone. Each is good once, for two minutes."""

import sqlalchemy as sa

from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m

SCAN_MS = 2 * 60_000
AT_ONCE = 60
"""Browsers of one address that may wait at a time: an office behind one address has more than one."""


async def put(uow: Uow, digest: str, waiter: str, *, address: str, program: str, now: int) -> bool:
    """False when too many of that address wait. Old ones go."""
    c = m.scan.c
    await uow.run(sa.delete(m.scan).where(c.at < now - SCAN_MS))
    waiting = await uow.scalar(sa.select(sa.func.count()).where(c.address == address))
    if int(waiting or 0) >= AT_ONCE:
        return False
    await uow.run(
        sa.insert(m.scan).values(
            digest=digest, waiter=waiter, address=address, program=program, at=now, state="waiting"
        )
    )
    return True


async def waiting(uow: ReadUow, digest: str, now: int) -> sa.RowMapping | None:
    c = m.scan.c
    return await uow.first(
        sa.select(m.scan).where(c.digest == digest, c.state == "waiting", c.at >= now - SCAN_MS)
    )


async def decide(
    uow: Uow, digest: str, now: int, *, state: str, account: str, means: str, origin: str
) -> bool:
    """False when it is over or was decided before."""
    c = m.scan.c
    decided = await uow.run(
        sa.update(m.scan)
        .where(c.digest == digest, c.state == "waiting", c.at >= now - SCAN_MS)
        .values(state=state, account=account, means=means, origin=origin)
    )
    return decided == 1


async def state_of(uow: ReadUow, waiter: str, now: int) -> str:
    """Empty when it is over."""
    c = m.scan.c
    found = await uow.scalar(sa.select(c.state).where(c.waiter == waiter, c.at >= now - SCAN_MS))
    return str(found or "")


async def take(uow: Uow, waiter: str, now: int) -> sa.RowMapping | None:
    """A confirmed login, for the one who takes it first; it is gone then."""
    c = m.scan.c
    return await uow.first(
        sa.delete(m.scan)
        .where(c.waiter == waiter, c.state == "confirmed", c.at >= now - SCAN_MS)
        .returning(c.account, c.means, c.origin)
    )


async def drop(uow: Uow, waiter: str) -> None:
    await uow.run(sa.delete(m.scan).where(m.scan.c.waiter == waiter))
