"""Login, passwords and the first administrator (standards.md C1); see :mod:`console.modules.identity.api`."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import (
    NOWHERE,
    SYSTEM,
    Permission,
    Reach,
    ReachKind,
    Scope,
    Subject,
)
from console.core.uow import ReadUow, Uow
from console.modules.identity import repository_roles as roles_repo
from console.modules.identity.api import FIRST_ADMINISTRATORS, OneTimePassword
from console.modules.identity.repository import (
    AccountRepository,
    PgSessionStore,
    find_account,
    find_by_name,
)
from console.modules.identity.roles import BUILT_IN, Assignment, grants_of
from console.modules.organisation.api import OrganisationApi
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, new_token
from qingting.kernel.security.lockout import (
    Tries,
    after_failure,
    locked_minutes,
    tries_left,
)
from qingting.kernel.security.passwords import Passwords, one_time_password, password_is_strong

REMEMBERED_PASSWORDS = 5
PASSWORD_DAYS = 90
"""After that it has to be changed at the next login (standards.md C1 item 1)."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Login:
    """Outcome of a login: an account, or the refusal to show. A failed try is kept, so it is no exception.
    ``old``: the password has served too long."""

    account: str = ""
    must_change: bool = False
    old: bool = False
    refusal: Refusal | None = None


class IdentityService:
    """See :class:`console.modules.identity.api.IdentityApi`."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        passwords: Passwords,
        sessions: PgSessionStore,
        organisation: OrganisationApi,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._passwords = passwords
        self._sessions = sessions
        self._organisation = organisation

    async def first_start(self, uow: Uow) -> tuple[OneTimePassword, ...]:
        accounts = AccountRepository(uow)
        empty = await accounts.is_empty()
        await self._organisation.seed(uow)
        await roles_repo.put_built_in(uow, BUILT_IN)
        if not empty:
            return ()
        city = next(one.code for one in await self._organisation.divisions(uow) if not one.parent)
        known = {one.id: one for one in BUILT_IN}
        return tuple(
            [
                await self._first(uow, name, Assignment(known[duty], Reach(ReachKind.REGION, city)))
                for name, duty in FIRST_ADMINISTRATORS.items()
            ]
        )

    async def _first(self, uow: Uow, name: str, given: Assignment) -> OneTimePassword:
        password, account, now = one_time_password(), new_token(), self._clock.now_ms()
        hashed = await self._passwords.hash(password)
        await AccountRepository(uow).add(account, name, hashed, now, division=given.reach.target)
        await roles_repo.set_duty(uow, account, given.role.duty)
        await roles_repo.assign(uow, account, given, SYSTEM.id, now)
        await self._audit.write(uow, SYSTEM, "account.first", object=account, detail=name)
        return OneTimePassword(name, password)

    async def renew_password(self, uow: Uow, subject: Subject, name: str) -> OneTimePassword:
        subject.require(Permission.ACCOUNTS)
        row = await find_by_name(uow, name)
        if row is None:
            raise Refusal("account.unknown")
        password, now = one_time_password(), self._clock.now_ms()
        accounts = AccountRepository(uow)
        hashed = await self._passwords.hash(password)
        await accounts.set_password(row["id"], hashed, now, must_change=True)
        await accounts.forget_tries(_name_digest(name), now)
        await self._sessions.within(uow).drop_subject(row["id"])
        await self._audit.write(uow, subject, "account.password_renewed", object=row["id"])
        return OneTimePassword(name, password)

    async def subject(self, uow: ReadUow, account: str, address: str) -> Subject | None:
        row = await find_account(uow, account)
        if row is None or row["disabled"]:
            return None
        given = (await roles_repo.assignments(uow, {account})).get(account, [])
        reaches = {one.reach for one in given}
        scopes = await self._organisation.scopes(uow, reaches, row["staff"] or "")
        return Subject(
            id=row["id"],
            name=row["name"],
            grants=grants_of(given, scopes),
            address=address,
            titles=tuple(dict.fromkeys((one.role.name, one.role.name_en) for one in given)),
        )

    async def reaches(self, uow: ReadUow, account: str, permission: Permission) -> list[Reach]:
        given = (await roles_repo.assignments(uow, {account})).get(account, [])
        return [one.reach for one in given if permission in one.role.functions]

    async def scope(self, uow: ReadUow, reaches: Collection[Reach]) -> Scope:
        found = NOWHERE
        for one in (await self._organisation.scopes(uow, reaches)).values():
            found |= one
        return found

    async def name(self, uow: ReadUow, account: str) -> str:
        row = await find_account(uow, account)
        return "" if row is None else row["name"]

    async def login(self, uow: Uow, name: str, password: str, address: str) -> Login:
        """Checks a password. Every outcome must be committed: the tries and the audit are part of it."""
        accounts, now = AccountRepository(uow), self._clock.now_ms()
        key = _name_digest(name)
        tries = await accounts.lock_tries(key, now)
        row = await find_by_name(uow, name)
        if minutes := locked_minutes(tries, now):
            await self._failed(uow, row, address, "login.locked")
            return Login(refusal=Refusal("login.locked", minutes=minutes))
        known = None if row is None or row["disabled"] else row
        stored = None if known is None else known["password_hash"]
        if not await self._passwords.verify(stored, password) or known is None:
            return await self._wrong(uow, accounts, key, tries, row, address)
        await accounts.forget_tries(key, now)
        await accounts.logged_in(known["id"], now)
        await self._audit.write(uow, _actor(known, address), "login", object=known["id"])
        old = now - known["changed_at"] > PASSWORD_DAYS * DAY_MS
        return Login(known["id"], known["must_change"], old and not known["must_change"])

    async def _wrong(
        self,
        uow: Uow,
        accounts: AccountRepository,
        key: str,
        tries: Tries,
        row: sa.RowMapping | None,
        address: str,
    ) -> Login:
        now = self._clock.now_ms()
        after = after_failure(tries, now)
        await accounts.put_tries(key, after, now)
        if minutes := locked_minutes(after, now):
            await self._failed(uow, row, address, "login.locked")
            return Login(refusal=Refusal("login.locked", minutes=minutes))
        await self._failed(uow, row, address, "login.wrong")
        return Login(refusal=Refusal("login.wrong", left=tries_left(after)))

    async def _failed(self, uow: Uow, row: sa.RowMapping | None, address: str, result: str) -> None:
        # What was typed as a name may be a password typed in the wrong field: it is not kept.
        actor = _actor(row, address)
        await self._audit.write(uow, actor, "login", object=actor.id, result=result)

    async def change_password(
        self, uow: Uow, subject: Subject, present: str, new: str, again: str
    ) -> Refusal | None:
        """Changes the caller's own password, or gives the refusal to show; ends all its sessions."""
        row = await find_account(uow, subject.id)
        if row is None:
            raise Refusal("page.forbidden")
        accounts, now, key = AccountRepository(uow), self._clock.now_ms(), _name_digest(row["name"])
        tries = await accounts.lock_tries(key, now)
        if minutes := locked_minutes(tries, now):
            return Refusal("login.locked", minutes=minutes)
        if not await self._passwords.verify(row["password_hash"], present):
            return (await self._wrong(uow, accounts, key, tries, row, subject.address)).refusal
        refusal = await self._unfit(accounts, row, new, again)
        if refusal is not None:
            return refusal
        hashed = await self._passwords.hash(new)
        await accounts.set_password(subject.id, hashed, now, must_change=False)
        await accounts.forget_tries(key, now)
        await self._sessions.within(uow).drop_subject(subject.id)
        await self._audit.write(uow, subject, "account.password_changed", object=subject.id)
        return None

    async def _unfit(
        self, accounts: AccountRepository, row: sa.RowMapping, new: str, again: str
    ) -> Refusal | None:
        if new != again:
            return Refusal("login.password_mismatch")
        if not password_is_strong(new, row["name"]):
            return Refusal("login.password_weak")
        former = await accounts.former_hashes(row["id"], REMEMBERED_PASSWORDS - 1)
        for hashed in (row["password_hash"], *former):
            if await self._passwords.verify(hashed, new):
                return Refusal("login.password_used")
        return None

    async def logout(self, uow: Uow, subject: Subject) -> None:
        await self._audit.write(uow, subject, "logout", object=subject.id)


def _actor(row: sa.RowMapping | None, address: str) -> Subject:
    """Who tries to log in, for the audit; an unknown name is nobody's."""
    return Subject(id="?" if row is None else row["id"], name="", address=address)


def _name_digest(name: str) -> str:
    return digest(name.strip().casefold())
