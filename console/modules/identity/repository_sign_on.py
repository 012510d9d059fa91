"""SQL of bindings to an identity platform, and of those who wish for one."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m

WISH_MS = 7 * 86_400_000


async def bound(uow: ReadUow, issuer: str, subject: str) -> sa.RowMapping | None:
    """The account that somebody of the platform is bound to."""
    c = m.binding.c
    return await uow.first(
        sa.select(m.account)
        .join_from(m.binding, m.account, c.account == m.account.c.id)
        .where(c.issuer == issuer, c.subject == subject)
    )


async def binding_of(uow: ReadUow, account: str) -> sa.RowMapping | None:
    return await uow.first(sa.select(m.binding).where(m.binding.c.account == account))


async def bind(uow: Uow, issuer: str, subject: str, account: str, given_by: str, now: int) -> bool:
    """False when either is bound already."""
    statement = insert(m.binding).values(
        issuer=issuer, subject=subject, account=account, given_by=given_by, given_at=now
    )
    done = await uow.run(statement.on_conflict_do_nothing()) == 1
    if done:
        c = m.binding_wish.c
        await uow.run(sa.delete(m.binding_wish).where(c.issuer == issuer, c.subject == subject))
    return done


async def unbind(uow: Uow, account: str) -> bool:
    return await uow.run(sa.delete(m.binding).where(m.binding.c.account == account)) > 0


async def wish(uow: Uow, issuer: str, subject: str, staff: str, name: str, now: int) -> None:
    c = m.binding_wish.c
    await uow.run(sa.delete(m.binding_wish).where(c.at < now - WISH_MS))
    values = {"staff": staff, "name": name, "at": now}
    statement = insert(m.binding_wish).values(issuer=issuer, subject=subject, **values)
    await uow.run(
        statement.on_conflict_do_update(index_elements=["issuer", "subject"], set_=values)
    )


async def wishes(uow: ReadUow, staff: str, now: int) -> Sequence[sa.RowMapping]:
    """Whoever came as this member of staff within a week."""
    c = m.binding_wish.c
    return await uow.all(
        sa.select(m.binding_wish).where(c.staff == staff, c.at >= now - WISH_MS).order_by(c.at)
    )


async def find_wish(uow: ReadUow, staff: str, subject: str, now: int) -> sa.RowMapping | None:
    found = await wishes(uow, staff, now)
    return next((one for one in found if one["subject"] == subject), None)
