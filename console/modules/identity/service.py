"""Login, passwords and the first administrator (standards.md C1); see :mod:`console.modules.identity.api`."""

from dataclasses import dataclass

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import GRANTS, NOBODY, SYSTEM, AdminRole, Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.identity.api import FIRST_ADMINISTRATOR, OneTimePassword
from console.modules.identity.repository import (
    AccountRepository,
    PgSessionStore,
    find_account,
    find_by_name,
)
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


@dataclass(frozen=True, slots=True)
class Login:
    """Outcome of a login: an account, or the refusal to show. A failed try is kept, so it is no exception."""

    account: str = ""
    must_change: bool = False
    refusal: Refusal | None = None


class IdentityService:
    """See :class:`console.modules.identity.api.IdentityApi`."""

    def __init__(
        self, clock: Clock, audit: Audit, passwords: Passwords, sessions: PgSessionStore
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._passwords = passwords
        self._sessions = sessions

    async def first_start(self, uow: Uow) -> OneTimePassword | None:
        accounts = AccountRepository(uow)
        if not await accounts.is_empty():
            return None
        password = one_time_password()
        hashed = await self._passwords.hash(password)
        account = new_token()
        await accounts.add(
            account, FIRST_ADMINISTRATOR, AdminRole.SYSTEM, hashed, self._clock.now_ms()
        )
        await self._audit.write(uow, SYSTEM, "account.first", object=account)
        return OneTimePassword(FIRST_ADMINISTRATOR, password)

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
        return None if row is None or row["disabled"] else _subject(row, address)

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
        await self._audit.write(uow, _subject(known, address), "login", object=known["id"])
        return Login(known["id"], known["must_change"])

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
        actor = NOBODY if row is None else _subject(row, address)
        await self._audit.write(
            uow,
            Subject(
                id=actor.id or "?",
                name="",
                role=actor.role,
                permissions=frozenset(),
                address=address,
            ),
            "login",
            object=actor.id or "?",
            result=result,
        )

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


def _subject(row: sa.RowMapping, address: str) -> Subject:
    role = AdminRole(row["role"])
    return Subject(
        id=row["id"], name=row["name"], role=role, permissions=GRANTS[role], address=address
    )


def _name_digest(name: str) -> str:
    return digest(name.strip().casefold())
