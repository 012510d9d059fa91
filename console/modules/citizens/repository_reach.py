"""SQL of the ways to somebody that the sign-on does not tell: Alipay accounts and phones with the city's app."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.citizens import models as m

_a, _d = m.alipay.c, m.device.c


async def alipay(uow: ReadUow, citizen: str) -> sa.RowMapping | None:
    return await uow.first(sa.select(m.alipay).where(_a.citizen == citizen))


async def put_alipay(uow: Uow, citizen: str, values: Mapping[str, Any]) -> None:
    statement = insert(m.alipay).values(citizen=citizen, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["citizen"], set_=dict(values)))


async def drop_alipay(uow: Uow, citizen: str) -> bool:
    return bool(await uow.run(sa.delete(m.alipay).where(_a.citizen == citizen)))


async def devices(uow: ReadUow, citizen: str) -> Sequence[sa.RowMapping]:
    """The one named last comes first."""
    return await uow.all(
        sa.select(m.device).where(_d.citizen == citizen).order_by(_d.seen_at.desc(), _d.digest)
    )


async def put_device(uow: Uow, digest: str, values: Mapping[str, Any]) -> None:
    """A phone that was somebody else's is theirs no more."""
    statement = insert(m.device).values(digest=digest, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["digest"], set_=dict(values)))


async def keep_newest(uow: Uow, citizen: str, most: int) -> None:
    """Of more phones than ``most`` those named longest ago are given up."""
    newest = (
        sa.select(_d.digest)
        .where(_d.citizen == citizen)
        .order_by(_d.seen_at.desc(), _d.digest)
        .limit(most)
    )
    await uow.run(sa.delete(m.device).where(_d.citizen == citizen, _d.digest.not_in(newest)))


async def drop_devices(uow: Uow, citizen: str, digests: Collection[str] | None = None) -> int:
    """Some of somebody's phones, or all."""
    statement = sa.delete(m.device).where(_d.citizen == citizen)
    if digests is not None:
        statement = statement.where(_d.digest.in_(sorted(digests)))
    return await uow.run(statement)


async def drop_devices_of(uow: Uow, sessions: Collection[str]) -> None:
    """Phones that were named in sessions."""
    await uow.run(sa.delete(m.device).where(_d.session.in_(sorted(sessions))))


async def drop_silent(uow: Uow, before: int, most: int) -> int:
    """Phones that nobody has named since then."""
    old = sa.select(_d.digest).where(_d.seen_at < before).limit(most)
    return await uow.run(sa.delete(m.device).where(_d.digest.in_(old)))
