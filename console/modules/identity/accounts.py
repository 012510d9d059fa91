"""Accounts and roles: who makes them, who gives what to whom (分级管理). A district's manager does so within the
district and never gives what the manager does not have."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.codes import plain
from console.core.permissions import Permission, Reach, ReachKind, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import HallsApi, HallStatus
from console.modules.identity import repository_roles as repo
from console.modules.identity.api import OneTimePassword
from console.modules.identity.policy import DAY_MS
from console.modules.identity.repository import (
    AccountRepository,
    PgSessionStore,
    find_account,
    find_alike,
)
from console.modules.identity.repository_policy import read_policy
from console.modules.identity.repository_sessions import SessionInfo, end_session, sessions_of
from console.modules.identity.roles import Assignment, Role, joint_duty, may_give
from console.modules.organisation.api import Chart, OrganisationApi
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.security.passwords import Passwords, one_time_password

_NAME = re.compile(r"[\w.@-]{2,40}")
_ROLE_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
LONGEST_TITLE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """An account as its keeper sees it. ``factor_since`` is 0 without a second factor. ``may`` is False for one that has more than the keeper could give."""

    id: str
    name: str
    division: str
    staff: str
    disabled: bool
    must_change: bool
    created_at: int
    last_login_at: int
    factor_since: int
    assignments: tuple[Assignment, ...]
    may: bool

    @property
    def used_at(self) -> int:
        """Last login, or when it was made."""
        return self.last_login_at or self.created_at


class AccountService:
    """Use cases of the keepers of accounts and of roles."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        passwords: Passwords,
        sessions: PgSessionStore,
        organisation: OrganisationApi,
        halls: HallsApi,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._passwords = passwords
        self._sessions = sessions
        self._organisation = organisation
        self._halls = halls

    # -- looking ------------------------------------------------------------------------------

    async def chart(self, uow: ReadUow) -> Chart:
        return await self._organisation.chart(uow)

    async def accounts(self, uow: ReadUow, subject: Subject) -> list[AccountInfo]:
        """Those whose division is within the keeper's reach, by name."""
        scope = subject.scope(Permission.ACCOUNTS)
        rows = await repo.accounts_within(uow, scope)
        given = await repo.assignments(uow, {row["id"] for row in rows})
        chart = await self.chart(uow)
        return [_info(row, given.get(row["id"], []), subject, chart) for row in rows]

    async def unused(self, uow: ReadUow, subject: Subject, days: int) -> list[AccountInfo]:
        """Accounts in use that nobody has logged in to for ``days``, the longest unused first (standards.md C1 item 5).
        One that never was counts from when it was made."""
        before = self._clock.now_ms() - days * DAY_MS
        found = await self.accounts(uow, subject)
        kept = [one for one in found if not one.disabled and one.used_at <= before]
        return sorted(kept, key=lambda one: (one.used_at, one.name))

    async def disable_unused(
        self, uow: Uow, subject: Subject, days: int, chosen: Collection[str]
    ) -> int:
        """Disables those of ``chosen`` that still are unused, and gives how many. Raises ``account.none_chosen``,
        ``account.yourself``, ``account.above``; nothing is changed then."""
        if not chosen:
            raise Refusal("account.none_chosen")
        wanted = [one for one in await self.unused(uow, subject, days) if one.id in set(chosen)]
        if any(one.id == subject.id for one in wanted):
            raise Refusal("account.yourself")
        if not all(one.may for one in wanted):
            raise Refusal("account.above")
        for one in wanted:
            await AccountRepository(uow).set_disabled(one.id, disabled=True)
            await self._sessions.within(uow).drop_subject(one.id)
        told = [(one.id, f"unused {days}") for one in wanted]
        await self._audit.write_all(uow, subject, "account.disabled", told)
        return len(wanted)

    async def account(self, uow: ReadUow, subject: Subject, account: str) -> AccountInfo:
        """Raises ``account.unknown``, also for one of another district."""
        scope = subject.scope(Permission.ACCOUNTS)
        row = await find_account(uow, account)
        if row is None or not scope.has_division(row["division"]):
            raise Refusal("account.unknown")
        given = await repo.assignments(uow, {account})
        return _info(row, given.get(account, []), subject, await self.chart(uow))

    async def hall_names(self, uow: ReadUow, subject: Subject) -> list[HallStatus]:
        """The halls within the keeper's reach."""
        return await self._halls.halls(uow, subject.scope(Permission.ACCOUNTS))

    async def holders(self, uow: ReadUow, subject: Subject) -> dict[str, int]:
        """How many accounts that the keeper looks after have each role."""
        found = Counter[str]()
        for one in await self.accounts(uow, subject):
            found.update({given.role.id for given in one.assignments})
        return found

    async def roles(self, uow: ReadUow, subject: Subject) -> list[Role]:
        subject.require(Permission.ACCOUNTS)
        return await repo.roles(uow)

    # -- accounts -----------------------------------------------------------------------------

    async def create(
        self, uow: Uow, subject: Subject, *, name: str, division: str, staff: str
    ) -> tuple[str, OneTimePassword]:
        """Makes an account without roles and gives its id and first password.

        Raises ``account.name``, ``account.exists``, ``division.unknown``, ``organisation.no_staff``, ``account.staff_taken``.
        """
        scope = subject.scope(Permission.ACCOUNTS)
        name, staff = plain(name), plain(staff)
        if not _NAME.fullmatch(name):
            raise Refusal("account.name")
        chart = await self.chart(uow)
        if division not in chart.divisions or not scope.has_division(division):
            raise Refusal("division.unknown")
        if staff:
            await self._check_staff(uow, subject, staff)
        if await find_alike(uow, name) is not None:
            raise Refusal("account.exists")
        password, account, now = one_time_password(), new_token(), self._clock.now_ms()
        hashed = await self._passwords.hash(password)
        accounts = AccountRepository(uow)
        if not await accounts.add(account, name, hashed, now, division=division, staff=staff):
            taken = await find_alike(uow, name) is not None
            raise Refusal("account.exists" if taken else "account.staff_taken")
        await self._audit.write(uow, subject, "account.created", object=account, detail=division)
        return account, OneTimePassword(name, password)

    async def _check_staff(self, uow: ReadUow, subject: Subject, number: str) -> None:
        found = await self._organisation.staff(uow, number)
        scope = subject.scope(Permission.ACCOUNTS)
        if (
            found is None
            or found.left
            or not scope.has_department(found.department, found.division)
        ):
            raise Refusal("organisation.no_staff")
        if await repo.account_of(uow, number):
            raise Refusal("account.staff_taken")

    async def set_disabled(
        self, uow: Uow, subject: Subject, account: str, *, disabled: bool
    ) -> None:
        """A disabled account is logged out at once. Raises ``account.unknown``, ``account.yourself``,
        ``account.above``."""
        await self.kept(uow, subject, account)
        await AccountRepository(uow).set_disabled(account, disabled=disabled)
        await self._sessions.within(uow).drop_subject(account)
        act = "account.disabled" if disabled else "account.enabled"
        await self._audit.write(uow, subject, act, object=account)

    async def renew(self, uow: Uow, subject: Subject, account: str) -> str:
        """Name of an account whose password or second factor the keeper may renew; the same refusals."""
        return (await self.kept(uow, subject, account)).name

    async def kept(self, uow: ReadUow, subject: Subject, account: str) -> AccountInfo:
        """An account that is not the keeper's own and has nothing that the keeper could not give: else a password
        renewed would be a way to more than one has."""
        found = await self.account(uow, subject, account)
        if account == subject.id:
            raise Refusal("account.yourself")
        if not found.may:
            raise Refusal("account.above")
        return found

    # -- sessions -----------------------------------------------------------------------------

    async def own_sessions(self, uow: ReadUow, subject: Subject) -> Sequence[SessionInfo]:
        return await self._sessions_of(uow, subject.id)

    async def end_own_session(self, uow: Uow, subject: Subject, key: str) -> None:
        """Raises ``session.unknown``."""
        await self._end(uow, subject, subject.id, key)

    async def sessions(self, uow: ReadUow, subject: Subject, account: str) -> Sequence[SessionInfo]:
        """Raises ``account.unknown``."""
        return await self._sessions_of(uow, (await self.account(uow, subject, account)).id)

    async def _sessions_of(self, uow: ReadUow, account: str) -> Sequence[SessionInfo]:
        """Those with which somebody is in."""
        idle, absolute = (await read_policy(uow)).limits
        now = self._clock.now_ms()
        return await sessions_of(uow, account, seen=now - idle, created=now - absolute)

    async def end_session(self, uow: Uow, subject: Subject, account: str, key: str) -> None:
        """Forced logout (强制下线). Raises ``session.unknown``, ``account.unknown``, ``account.yourself``,
        ``account.above``."""
        await self.kept(uow, subject, account)
        await self._end(uow, subject, account, key)

    async def _end(self, uow: Uow, subject: Subject, account: str, key: str) -> None:
        if not await end_session(uow, account, key, self._clock.now_ms()):
            raise Refusal("session.unknown")
        await self._audit.write(uow, subject, "session.ended", object=account)

    # -- who has which role -------------------------------------------------------------------

    async def assign(
        self, uow: Uow, subject: Subject, account: str, role: str, reach: Reach
    ) -> None:
        """Gives a role within a reach; the account is logged in anew by its next request's permissions.

        Raises ``account.unknown``, ``account.yourself``, ``account.above``, ``role.unknown``, ``reach.unknown``,
        ``role.not_yours`` and ``role.duties``.
        """
        await repo.lock_accounts(uow, {account})
        found = await self.kept(uow, subject, account)
        wanted, chart = await repo.role(uow, role), await self.chart(uow)
        if wanted is None:
            raise Refusal("role.unknown")
        if not chart.knows(reach) or (reach.kind is ReachKind.OWN and not found.staff):
            raise Refusal("reach.unknown")
        if not may_give(subject, wanted, reach, chart):
            raise Refusal("role.not_yours")
        duty = joint_duty([*(one.role for one in found.assignments), wanted])
        await repo.set_duty(uow, account, duty)
        one = Assignment(wanted, reach)
        if await repo.assign(uow, account, one, subject.id, self._clock.now_ms()):
            await self._audit.write(
                uow, subject, "role.given", object=account, detail=_detail(role, reach)
            )

    async def withdraw(
        self, uow: Uow, subject: Subject, account: str, role: str, reach: Reach
    ) -> None:
        """Takes a role back. Raises what :meth:`assign` raises for the account, and ``role.unknown``."""
        await repo.lock_accounts(uow, {account})
        found = await self.kept(uow, subject, account)
        if not await repo.withdraw(uow, account, role, reach):
            raise Refusal("role.unknown")
        left = [one.role for one in found.assignments if (one.role.id, one.reach) != (role, reach)]
        await repo.set_duty(uow, account, joint_duty(left))
        await self._audit.write(
            uow, subject, "role.withdrawn", object=account, detail=_detail(role, reach)
        )

    # -- roles --------------------------------------------------------------------------------

    async def role(self, uow: ReadUow, subject: Subject, role: str) -> Role:
        """Raises ``role.unknown``."""
        subject.require(Permission.ACCOUNTS)
        found = await repo.role(uow, role)
        if found is None:
            raise Refusal("role.unknown")
        return found

    async def put_role(self, uow: Uow, subject: Subject, wanted: Role, *, new: bool) -> None:
        """Makes a role, or changes the one whose version was read; whoever has it has what it says now.

        Raises ``role.id``, ``role.name``, ``role.exists``, ``role.unknown``, ``role.changed``, ``role.fixed`` and
        ``role.duties``, also when an account would have those of two by it.
        """
        subject.require(Permission.ROLES)
        if not _ROLE_ID.fullmatch(wanted.id):
            raise Refusal("role.id")
        name = wanted.name.strip()[:LONGEST_TITLE]
        if not name or not wanted.functions:
            raise Refusal("role.name" if not name else "role.empty")
        if wanted.fixed:
            raise Refusal("role.fixed")
        stored = msgspec.structs.replace(wanted, name=name, version=wanted.version + 1)
        duty = stored.duty
        if not new:
            await self._change(uow, stored)
        elif not await repo.put_role(uow, stored, new=True):
            raise Refusal("role.exists")
        detail = f"{stored.version} {duty or '-'} {' '.join(sorted(stored.functions))}"
        await self._audit.write(uow, subject, "role.put", object=stored.id, detail=detail)

    async def _change(self, uow: Uow, stored: Role) -> None:
        if await repo.role(uow, stored.id) is None:
            raise Refusal("role.unknown")
        holders = await repo.holders(uow, stored.id)
        await repo.lock_accounts(uow, holders)
        given = await repo.assignments(uow, holders)
        # All of it is judged before anything is written: a refusal becomes a page, and a page commits.
        duties = {
            account: joint_duty([*(one.role for one in each if one.role.id != stored.id), stored])
            for account, each in given.items()
        }
        if not await repo.put_role(uow, stored, new=False):
            raise Refusal("role.changed")
        for account, duty in duties.items():
            await repo.set_duty(uow, account, duty)

    async def drop_role(self, uow: Uow, subject: Subject, role: str) -> None:
        """Raises ``role.unknown``, ``role.fixed`` and ``role.in_use``."""
        subject.require(Permission.ROLES)
        found = await self.role(uow, subject, role)
        if found.fixed:
            raise Refusal("role.fixed")
        if not await repo.drop_role(uow, role):
            raise Refusal("role.in_use")
        await self._audit.write(uow, subject, "role.dropped", object=role)


def _detail(role: str, reach: Reach) -> str:
    return f"{role} {reach.kind.value} {reach.target}".strip()


def _info(
    row: sa.RowMapping, given: Sequence[Assignment], subject: Subject, chart: Chart
) -> AccountInfo:
    return AccountInfo(
        id=row["id"],
        name=row["name"],
        division=row["division"],
        staff=row["staff"] or "",
        disabled=row["disabled"],
        must_change=row["must_change"],
        created_at=row["created_at"],
        last_login_at=row["last_login_at"] or 0,
        factor_since=row["totp_since"] or 0,
        assignments=tuple(given),
        may=all(may_give(subject, one.role, one.reach, chart) for one in given),
    )
