"""SQL of the networks that staff may log in from."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m
from console.modules.identity.networks import Network

_LOCK = 0x71746E77


async def networks(uow: ReadUow) -> list[Network]:
    """All of them, the common ones first."""
    c = m.network.c
    rows = await uow.all(sa.select(m.network).order_by(c.account.nulls_first(), c.network))
    return [_network(row) for row in rows]


async def networks_for(uow: ReadUow, account: str) -> list[Network]:
    """The common ones and an account's own."""
    c = m.network.c
    rows = await uow.all(sa.select(m.network).where(c.account.is_(None) | (c.account == account)))
    return [_network(row) for row in rows]


def _network(row: sa.RowMapping) -> Network:
    return Network(
        no=row["no"], network=str(row["network"]), account=row["account"] or "", note=row["note"]
    )


async def lock(uow: Uow) -> None:
    """Of two changes at once, each checked alone, the second would lock somebody out."""
    await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


async def add(uow: Uow, network: str, account: str, values: dict[str, Any]) -> bool:
    """False when it is there."""
    statement = insert(m.network).values(network=network, account=account or None, **values)
    return await uow.run(statement.on_conflict_do_nothing()) == 1


async def drop(uow: Uow, no: int) -> bool:
    return await uow.run(sa.delete(m.network).where(m.network.c.no == no)) == 1


async def drop_all(uow: Uow) -> int:
    return await uow.run(sa.delete(m.network))
