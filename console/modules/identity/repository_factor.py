"""SQL of the second factor. The secret comes and goes sealed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m


async def put_pending(uow: Uow, account: str, box: str | None) -> None:
    await uow.run(sa.update(m.account).where(m.account.c.id == account).values(totp_pending=box))


async def take_step(uow: Uow, account: str, step: int) -> bool:
    """Keeps a step as taken; False when it, or a later one, was taken before, also by another worker just now."""
    taken = await uow.run(
        sa.update(m.account)
        .where(m.account.c.id == account, m.account.c.totp_step < step)
        .values(totp_step=step)
    )
    return taken == 1


async def confirm(uow: Uow, account: str, box: str, step: int, now: int) -> None:
    """The pending secret is the factor from now on."""
    await uow.run(
        sa.update(m.account)
        .where(m.account.c.id == account)
        .values(totp_box=box, totp_pending=None, totp_step=step, totp_since=now)
    )


async def drop(uow: Uow, account: str) -> bool:
    """Factor and recovery codes go; False when there were none."""
    await uow.run(sa.delete(m.recovery).where(m.recovery.c.account == account))
    dropped = await uow.run(
        sa.update(m.account)
        .where(m.account.c.id == account, m.account.c.totp_box.is_not(None))
        .values(totp_box=None, totp_pending=None, totp_since=None)
    )
    return dropped == 1


async def put_recovery(uow: Uow, account: str, digests: Sequence[str]) -> None:
    """In place of all former ones."""
    await uow.run(sa.delete(m.recovery).where(m.recovery.c.account == account))
    rows = [{"account": account, "digest": one} for one in digests]
    await uow.run(insert(m.recovery), rows)


async def use_recovery(uow: Uow, account: str, digest: str, now: int) -> bool:
    """False for a wrong one, and for one that was used."""
    c = m.recovery.c
    used = await uow.run(
        sa.update(m.recovery)
        .where(c.account == account, c.digest == digest, c.used_at.is_(None))
        .values(used_at=now)
    )
    return used == 1


async def recovery_left(uow: ReadUow, account: str) -> int:
    c = m.recovery.c
    found = await uow.scalar(
        sa.select(sa.func.count()).where(c.account == account, c.used_at.is_(None))
    )
    return int(found or 0)
