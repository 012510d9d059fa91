"""Login, passwords and the first administrator (standards.md C1); see :mod:`console.modules.identity.api`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.codes import plain
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
from console.modules.identity import repository_factor as factors
from console.modules.identity import repository_networks as networks_repo
from console.modules.identity import repository_roles as roles_repo
from console.modules.identity.api import (
    ENROL,
    FIRST_ADMINISTRATORS,
    MUST_CHANGE,
    SECOND,
    TOO_OLD,
    OneTimePassword,
    is_strong,
)
from console.modules.identity.networks import may_come_from, may_try_from
from console.modules.identity.policy import DAY_MS, Policy
from console.modules.identity.repository import (
    AccountRepository,
    PgSessionStore,
    account_names,
    find_account,
    find_by_name,
)
from console.modules.identity.repository_policy import put_policy, read_policy
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Outcome of a login: an account and the marks of its session, or the refusal to show. A failed try is kept, so it is
    no exception. ``means``: what was shown, see :func:`console.modules.identity.api.is_strong`; ``origin``: the login
    elsewhere that it stands on."""

    account: str = ""
    marks: tuple[str, ...] = ()
    means: str = ""
    origin: str = ""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who an account is now. ``asked``: it may do nothing with a password alone; ``has_factor``: it has a second one;
    ``here``: it may be used at the address that the request comes from."""

    subject: Subject
    asked: bool
    has_factor: bool
    here: bool


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
        found = await self.standing(uow, account, address)
        return None if found is None else found.subject

    async def here(self, uow: ReadUow, account: str, address: str, means: str) -> bool:
        found = await self.standing(uow, account, address)
        return found is not None and found.here and (is_strong(means) or not found.asked)

    async def standing(self, uow: ReadUow, account: str, address: str) -> Standing | None:
        """None for an account that is disabled or gone."""
        row = await find_account(uow, account)
        if row is None or row["disabled"]:
            return None
        subject = await self._subject(uow, row, address)
        policy = await read_policy(uow)
        asked = policy.needs_factor(subject.grants, row["created_at"], self._clock.now_ms())
        allowed = await networks_repo.networks_for(uow, account)
        return Standing(
            subject=subject,
            asked=asked,
            has_factor=row["totp_box"] is not None,
            here=may_come_from(allowed, account, address),
        )

    async def _subject(self, uow: ReadUow, row: sa.RowMapping, address: str) -> Subject:
        account = row["id"]
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

    async def names(self, uow: ReadUow, accounts: Collection[str]) -> Mapping[str, str]:
        return await account_names(uow, accounts)

    async def login(self, uow: Uow, name: str, password: str, address: str) -> Login:
        """Checks a password. Every outcome must be committed: the tries and the audit are part of it."""
        accounts, now = AccountRepository(uow), self._clock.now_ms()
        key, policy = _name_digest(name), await read_policy(uow)
        if not may_try_from(await networks_repo.networks(uow), address):
            await self._failed(uow, None, address, "login.address")
            return Login(refusal=Refusal("login.address", address=address))
        tries = await accounts.lock_tries(key, now)
        row = await find_by_name(uow, name)
        if minutes := locked_minutes(tries, now):
            await self._failed(uow, row, address, "login.locked")
            return Login(refusal=Refusal("login.locked", minutes=minutes))
        known = None if row is None or row["disabled"] else row
        stored = None if known is None else known["password_hash"]
        if not await self._passwords.verify(stored, password) or known is None:
            return Login(refusal=await self._wrong(uow, accounts, key, tries, policy, row, address))
        await accounts.forget_tries(key, now)
        return await self.enter(uow, known, address, means="password")

    async def enter(
        self, uow: Uow, row: sa.RowMapping, address: str, *, means: str, origin: str = ""
    ) -> Login:
        """What the session of somebody who has shown ``means`` may do first; kept as a login unless the second factor
        is still to come."""
        if not may_come_from(await networks_repo.networks_for(uow, row["id"]), row["id"], address):
            await self._failed(uow, row, address, "login.address")
            return Login(refusal=Refusal("login.address", address=address))
        policy, now = await read_policy(uow), self._clock.now_ms()
        marks: tuple[str, ...] = ()
        if not is_strong(means):
            subject = await self._subject(uow, row, address)
            if row["totp_box"] is not None:
                marks += (SECOND,)
            elif policy.needs_factor(subject.grants, row["created_at"], now):
                marks += (ENROL,)
        if means == "password":
            old = now - row["changed_at"] > policy.password_days * DAY_MS
            marks += (MUST_CHANGE,) if row["must_change"] else (MUST_CHANGE, TOO_OLD) if old else ()
        if SECOND in marks:
            await self._audit.write(uow, _actor(row, address), "login.first", object=row["id"])
        else:
            await self.entered(uow, row, address)
        return Login(account=row["id"], marks=marks, means=means, origin=origin)

    async def entered(self, uow: Uow, row: sa.RowMapping, address: str) -> None:
        """Keeps that somebody is in."""
        await AccountRepository(uow).logged_in(row["id"], self._clock.now_ms())
        await self._audit.write(uow, _actor(row, address), "login", object=row["id"])

    async def _wrong(
        self,
        uow: Uow,
        accounts: AccountRepository,
        key: str,
        tries: Tries,
        policy: Policy,
        row: sa.RowMapping | None,
        address: str,
    ) -> Refusal:
        now = self._clock.now_ms()
        after = after_failure(tries, now, most=policy.attempts, minutes=policy.lock_minutes)
        await accounts.put_tries(key, after, now)
        if minutes := locked_minutes(after, now):
            await self._failed(uow, row, address, "login.locked")
            return Refusal("login.locked", minutes=minutes)
        await self._failed(uow, row, address, "login.wrong")
        return Refusal("login.wrong", left=tries_left(after, most=policy.attempts))

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
        refusal = await self._not_present(uow, accounts, row, present, subject.address)
        refusal = refusal or await self._unfit(uow, accounts, row, new, again)
        if refusal is not None:
            return refusal
        hashed = await self._passwords.hash(new)
        await accounts.set_password(subject.id, hashed, now, must_change=False)
        await accounts.forget_tries(key, now)
        await self._sessions.within(uow).drop_subject(subject.id)
        await self._audit.write(uow, subject, "account.password_changed", object=subject.id)
        return None

    async def confirm_password(self, uow: Uow, subject: Subject, present: str) -> Refusal | None:
        """Whoever sits at a session knows its password; wrong ones count towards the lock."""
        row = await find_account(uow, subject.id)
        if row is None:
            raise Refusal("page.forbidden")
        return await self._not_present(uow, AccountRepository(uow), row, present, subject.address)

    async def _not_present(
        self,
        uow: Uow,
        accounts: AccountRepository,
        row: sa.RowMapping,
        present: str,
        address: str,
    ) -> Refusal | None:
        now, key = self._clock.now_ms(), _name_digest(row["name"])
        tries = await accounts.lock_tries(key, now)
        if minutes := locked_minutes(tries, now):
            return Refusal("login.locked", minutes=minutes)
        if await self._passwords.verify(row["password_hash"], present):
            return None
        policy = await read_policy(uow)
        return await self._wrong(uow, accounts, key, tries, policy, row, address)

    async def _unfit(
        self, uow: ReadUow, accounts: AccountRepository, row: sa.RowMapping, new: str, again: str
    ) -> Refusal | None:
        if new != again:
            return Refusal("login.password_mismatch")
        if not password_is_strong(new, row["name"]):
            return Refusal("login.password_weak")
        remembered = (await read_policy(uow)).remembered
        former = await accounts.former_hashes(row["id"], remembered - 1)
        for hashed in (row["password_hash"], *former):
            if await self._passwords.verify(hashed, new):
                return Refusal("login.password_used")
        return None

    # -- the rules ----------------------------------------------------------------------------

    async def policy(self, uow: ReadUow, subject: Subject) -> Policy:
        subject.require(Permission.SIGN_IN)
        return await read_policy(uow)

    async def set_policy(self, uow: Uow, subject: Subject, wanted: Policy) -> None:
        """Sets the rules whose version was read. Raises ``policy.changed``."""
        subject.require(Permission.SIGN_IN)
        new = msgspec.structs.replace(wanted, version=wanted.version + 1)
        if not await put_policy(uow, new, base=wanted.version):
            raise Refusal("policy.changed")
        values = msgspec.structs.asdict(new) | {"factor_for": ",".join(sorted(new.factor_for))}
        detail = " ".join(f"{name}={value}" for name, value in values.items())
        await self._audit.write(uow, subject, "policy.set", object="policy", detail=detail)

    async def grant_grace(self, uow: Uow, days: int) -> None:
        policy = await read_policy(uow)
        await self.set_policy(uow, SYSTEM, msgspec.structs.replace(policy, grace_days=days))

    async def open_addresses(self, uow: Uow, subject: Subject) -> None:
        """Lets everybody log in from everywhere again: whoever set the networks is shut out."""
        subject.require(Permission.SIGN_IN)
        gone = await networks_repo.drop_all(uow)
        await self._audit.write(
            uow, subject, "network.opened", object="everybody", detail=str(gone)
        )

    async def reset_factor(self, uow: Uow, subject: Subject, name: str) -> None:
        """Takes an account's second factor away and ends its sessions: a lost telephone. Raises ``account.unknown``,
        ``factor.none``."""
        subject.require(Permission.ACCOUNTS)
        row = await find_by_name(uow, name)
        if row is None:
            raise Refusal("account.unknown")
        if not await factors.drop(uow, row["id"]):
            raise Refusal("factor.none")
        await self._sessions.within(uow).drop_subject(row["id"])
        await self._audit.write(uow, subject, "factor.reset", object=row["id"])

    async def logout(self, uow: Uow, subject: Subject) -> None:
        await self._audit.write(uow, subject, "logout", object=subject.id)


def _actor(row: sa.RowMapping | None, address: str) -> Subject:
    """Who tries to log in, for the audit; an unknown name is nobody's."""
    return Subject(id="?" if row is None else row["id"], name="", address=address)


def _name_digest(name: str) -> str:
    """The same for whatever may stand for one name: tries are counted together."""
    return digest(plain(name).casefold())
