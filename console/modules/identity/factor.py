"""The second factor (standards.md C1 item 4): set up with a picture, asked for after the password, made good by codes."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.audit import Audit
from console.core.permissions import Subject
from console.core.personal import SealedColumn
from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m
from console.modules.identity import repository_factor as repo
from console.modules.identity.repository import AccountRepository, PgSessionStore, find_account
from console.modules.identity.repository_policy import read_policy
from console.modules.identity.service import IdentityService
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest
from qingting.kernel.security.lockout import after_failure, locked_minutes, tries_left
from qingting.kernel.security.seal import Sealer
from qingting.kernel.security.totp import (
    matching_step,
    new_recovery_codes,
    new_secret,
    recovery_code,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorInfo:
    """A person's own second factor: ``since`` 0 when there is none, ``left`` recovery codes not used; ``asked``: the
    account may not go without."""

    since: int
    left: int
    asked: bool
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Outcome of the second step: what the session stands on now, or the refusal to show."""

    means: str = ""
    refusal: Refusal | None = None


BOXES = tuple(
    SealedColumn(column, lambda row: f"totp:{row['id']}")
    for column in (m.account.c.totp_box, m.account.c.totp_pending)
)
"""Secrets of second factors, under the city's keys."""


class FactorService:
    """Everybody's own factor, and the second step of a login. Failed tries are kept, so they are no exceptions."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        sealer: Sealer,
        sessions: PgSessionStore,
        identity: IdentityService,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._sealer = sealer
        self._sessions = sessions
        self._identity = identity

    async def info(self, uow: ReadUow, subject: Subject) -> FactorInfo:
        row = await self._row(uow, subject)
        left = await repo.recovery_left(uow, subject.id)
        standing = await self._identity.standing(uow, subject.id, subject.address)
        return FactorInfo(
            since=row["totp_since"] or 0,
            left=left,
            asked=standing is None or standing.asked,
            account=row["name"],
        )

    async def _row(self, uow: ReadUow, subject: Subject) -> sa.RowMapping:
        row = await find_account(uow, subject.id)
        if row is None:
            raise Refusal("page.forbidden")
        return row

    def _open(self, box: str, account: str) -> str:
        return self._sealer.open(box, context=f"totp:{account}")

    # -- setting up ---------------------------------------------------------------------------

    async def pending(self, uow: Uow, subject: Subject) -> str:
        """The secret that waits for its first code, the same until it has one."""
        row = await self._row(uow, subject)
        if row["totp_pending"] is not None:
            return self._open(row["totp_pending"], subject.id)
        secret = new_secret()
        box = self._sealer.seal(secret, context=f"totp:{subject.id}")
        await repo.put_pending(uow, subject.id, box)
        return secret

    async def confirm(
        self, uow: Uow, subject: Subject, code: str, password: str | None
    ) -> tuple[str, ...] | Refusal:
        """Takes the pending secret with its first code, and gives the recovery codes, once. All other sessions end.
        ``password`` None: it was typed just before."""
        if password is not None and (
            refusal := await self._identity.confirm_password(uow, subject, password)
        ):
            return refusal
        row = await self._row(uow, subject)
        if row["totp_pending"] is None:
            return Refusal("factor.none")
        secret = self._open(row["totp_pending"], subject.id)
        step = matching_step(secret, code, self._clock.now_ms(), 0)
        if step is None:
            return Refusal("factor.first_wrong")
        now = self._clock.now_ms()
        await repo.confirm(uow, subject.id, row["totp_pending"], step, now)
        await self._sessions.within(uow).drop_subject(subject.id)
        await self._audit.write(uow, subject, "factor.set", object=subject.id)
        return await self._new_codes(uow, subject)

    async def _new_codes(self, uow: Uow, subject: Subject) -> tuple[str, ...]:
        codes = new_recovery_codes()
        await repo.put_recovery(uow, subject.id, _digests(subject.id, codes))
        return codes

    async def renew_codes(
        self, uow: Uow, subject: Subject, password: str
    ) -> tuple[str, ...] | Refusal:
        """Other recovery codes, once; the former ones are worth nothing."""
        if refusal := await self._identity.confirm_password(uow, subject, password):
            return refusal
        if (await self._row(uow, subject))["totp_box"] is None:
            return Refusal("factor.none")
        await self._audit.write(uow, subject, "factor.codes", object=subject.id)
        return await self._new_codes(uow, subject)

    async def drop(self, uow: Uow, subject: Subject, password: str) -> Refusal | None:
        """An account that needs one may not go without."""
        standing = await self._identity.standing(uow, subject.id, subject.address)
        if standing is None or standing.asked:
            return Refusal("factor.needed")
        if refusal := await self._identity.confirm_password(uow, subject, password):
            return refusal
        if not await repo.drop(uow, subject.id):
            return Refusal("factor.none")
        await self._audit.write(uow, subject, "factor.dropped", object=subject.id)
        return None

    # -- the second step ----------------------------------------------------------------------

    async def check(self, uow: Uow, subject: Subject, means: str, given: str) -> Checked:
        """A code of the app, or a recovery code. Wrong ones lock the account's second step."""
        done = await self._tried(uow, subject, means, given)
        if done.refusal is None:
            row = await self._row(uow, subject)
            await self._identity.entered(uow, row, subject.address)
        return done

    async def has_factor(self, uow: ReadUow, subject: Subject) -> bool:
        return (await self._row(uow, subject))["totp_box"] is not None

    async def confirm_both(
        self, uow: Uow, subject: Subject, password: str, code: str
    ) -> Refusal | None:
        """See :class:`console.modules.identity.api.ConfirmApi`."""
        refusal = await self._identity.confirm_password(uow, subject, password)
        if refusal is None and await self.has_factor(uow, subject):
            return (await self._tried(uow, subject, "password", code)).refusal
        return refusal

    async def _tried(self, uow: Uow, subject: Subject, means: str, given: str) -> Checked:
        accounts, now, policy = AccountRepository(uow), self._clock.now_ms(), await read_policy(uow)
        key = digest(f"second factor {subject.id}")
        tries = await accounts.lock_tries(key, now)
        if minutes := locked_minutes(tries, now):
            return await self._refused(uow, subject, Refusal("login.locked", minutes=minutes))
        row = await self._row(uow, subject)
        if kind := await self._fits(uow, row, given):
            await accounts.forget_tries(key, now)
            if kind == "recovery":
                await self._audit.write(uow, subject, "factor.recovery", object=subject.id)
            return Checked(means=f"{means.split('+')[0]}+{kind}")
        after = after_failure(tries, now, most=policy.attempts, minutes=policy.lock_minutes)
        await accounts.put_tries(key, after, now)
        if minutes := locked_minutes(after, now):
            return await self._refused(uow, subject, Refusal("login.locked", minutes=minutes))
        left = tries_left(after, most=policy.attempts)
        return await self._refused(uow, subject, Refusal("factor.wrong", left=left))

    async def _fits(self, uow: Uow, row: sa.RowMapping, given: str) -> str:
        if row["totp_box"] is None:
            return ""
        if plain := recovery_code(given):
            (one,) = _digests(row["id"], [plain])
            used = await repo.use_recovery(uow, row["id"], one, self._clock.now_ms())
            return "recovery" if used else ""
        secret = self._open(row["totp_box"], row["id"])
        step = matching_step(secret, given, self._clock.now_ms(), row["totp_step"])
        return "code" if step is not None and await repo.take_step(uow, row["id"], step) else ""

    async def _refused(self, uow: Uow, subject: Subject, refusal: Refusal) -> Checked:
        await self._audit.write(
            uow, subject, "login.second", object=subject.id, result=refusal.code
        )
        return Checked(refusal=refusal)


def _digests(account: str, codes: Sequence[str]) -> list[str]:
    return [digest(f"{account} {recovery_code(one)}") for one in codes]
