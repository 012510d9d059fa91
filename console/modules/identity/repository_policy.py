"""SQL of the rules of logging in."""

from typing import Any

import msgspec
import sqlalchemy as sa

from console.core.permissions import Permission
from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m
from console.modules.identity.policy import Policy

COLUMNS = tuple(one for one in m.policy.c if one.name != "id")


def policy_of(row: sa.RowMapping | dict[str, Any]) -> Policy:
    """A function that this release does not know any more is passed over."""
    known = tuple(Permission(one) for one in row["factor_for"] if one in set(Permission))
    values = {one.name: row[one.name] for one in COLUMNS}
    return Policy(**(values | {"factor_for": known}))


async def read_policy(uow: ReadUow) -> Policy:
    row = await uow.first(sa.select(*COLUMNS))
    assert row is not None
    return policy_of(row)


async def put_policy(uow: Uow, policy: Policy, *, base: int) -> bool:
    """False when it was changed since ``base`` was read."""
    values = msgspec.structs.asdict(policy) | {"factor_for": [*map(str, policy.factor_for)]}
    changed = await uow.run(sa.update(m.policy).where(m.policy.c.version == base).values(**values))
    return changed == 1
