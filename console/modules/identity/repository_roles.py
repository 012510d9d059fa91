"""All SQL of roles and of who has them."""

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.permissions import Duty, Permission, Reach, ReachKind, Scope
from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m
from console.modules.identity.roles import Assignment, Role

_a = m.assignment.c


def _role(row: sa.RowMapping) -> Role:
    # A function that this release does not know any more is one that nobody has.
    known = {one.value for one in Permission}
    return Role(
        id=row["id"],
        name=row["name"],
        name_en=row["name_en"],
        functions=frozenset(Permission(one) for one in row["functions"] if one in known),
        version=row["version"],
    )


async def roles(uow: ReadUow) -> list[Role]:
    """By id."""
    return [_role(row) for row in await uow.all(sa.select(m.role).order_by(m.role.c.id))]


async def role(uow: ReadUow, wanted: str) -> Role | None:
    row = await uow.first(sa.select(m.role).where(m.role.c.id == wanted))
    return None if row is None else _role(row)


def _values(one: Role) -> dict[str, object]:
    return {
        "name": one.name,
        "name_en": one.name_en,
        "functions": sorted(one.functions),
        "duty": one.duty or "",
        "version": one.version,
    }


async def put_built_in(uow: Uow, found: Iterable[Role]) -> None:
    """Adds what came with the program and renews what nobody has changed since."""
    for one in found:
        values = _values(one)
        statement = insert(m.role).values(id=one.id, **values)
        await uow.run(
            statement.on_conflict_do_update(
                index_elements=["id"], set_=values, where=m.role.c.version == 0
            )
        )


async def put_role(uow: Uow, one: Role, *, new: bool) -> bool:
    """Stores the next version; False when somebody else stored it first."""
    if new:
        statement = insert(m.role).values(id=one.id, **_values(one)).on_conflict_do_nothing()
        return bool(await uow.run(statement))
    return bool(
        await uow.run(
            sa.update(m.role)
            .where(m.role.c.id == one.id, m.role.c.version == one.version - 1)
            .values(**_values(one))
        )
    )


async def drop_role(uow: Uow, wanted: str) -> bool:
    """False for one that an account has, or that there is not."""
    used = sa.select(_a.role).where(_a.role == wanted).exists()
    return bool(await uow.run(sa.delete(m.role).where(m.role.c.id == wanted, ~used)))


# -- who has which role ----------------------------------------------------------------------


async def assignments(
    uow: ReadUow, accounts: Collection[str] | None = None
) -> dict[str, list[Assignment]]:
    """By account; of all accounts with None."""
    statement = sa.select(m.assignment.c.account, _a.kind, _a.target, m.role)
    statement = statement.join(m.role, m.role.c.id == _a.role).order_by(_a.given_at, _a.role)
    if accounts is not None:
        statement = statement.where(_a.account.in_(sorted(accounts)))
    found: dict[str, list[Assignment]] = {}
    for row in await uow.all(statement):
        reach = Reach(ReachKind(row["kind"]), row["target"])
        found.setdefault(row["account"], []).append(Assignment(_role(row), reach))
    return found


async def holders(uow: ReadUow, wanted: str) -> Sequence[str]:
    """Accounts that have a role anywhere."""
    rows = await uow.all(
        sa.select(_a.account).where(_a.role == wanted).distinct().order_by(_a.account)
    )
    return [row["account"] for row in rows]


async def lock_accounts(uow: Uow, accounts: Collection[str]) -> None:
    """Whoever else changes the roles of these waits until this transaction ends."""
    await uow.all(
        sa.select(m.account.c.id)
        .where(m.account.c.id.in_(sorted(accounts)))
        .order_by(m.account.c.id)
        .with_for_update()
    )


async def set_duty(uow: Uow, account: str, duty: Duty | None) -> None:
    await uow.run(sa.update(m.account).where(m.account.c.id == account).values(duty=duty or ""))


async def assign(uow: Uow, account: str, one: Assignment, by: str, now: int) -> bool:
    """False when the account has it already."""
    statement = insert(m.assignment).values(
        account=account,
        role=one.role.id,
        duty=one.role.duty or "",
        kind=one.reach.kind.value,
        target=one.reach.target,
        given_by=by,
        given_at=now,
    )
    return bool(await uow.run(statement.on_conflict_do_nothing()))


async def withdraw(uow: Uow, account: str, role: str, reach: Reach) -> bool:
    return bool(
        await uow.run(
            sa.delete(m.assignment).where(
                _a.account == account,
                _a.role == role,
                _a.kind == reach.kind.value,
                _a.target == reach.target,
            )
        )
    )


# -- accounts --------------------------------------------------------------------------------


async def account_of(uow: ReadUow, staff: str) -> str:
    """The account of a member of staff; empty without one."""
    return str(await uow.scalar(sa.select(m.account.c.id).where(m.account.c.staff == staff)) or "")


async def accounts_within(uow: ReadUow, scope: Scope) -> Sequence[sa.RowMapping]:
    """Accounts whose division is within, by name; one without a division is the city's."""
    c = m.account.c
    parts = [
        c.division.startswith(area.division, autoescape=True)
        for area in scope.areas
        if area.division is not None
    ]
    return await uow.all(sa.select(m.account).where(sa.or_(sa.false(), *parts)).order_by(c.name))
