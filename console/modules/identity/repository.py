"""All SQL of accounts, tries and sessions."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.codes import plain
from console.core.db import Database
from console.core.uow import ReadUow, Uow
from console.modules.identity import models as m
from console.modules.identity.policy import LONGEST_SESSION_MS, PolicyBook
from console.modules.identity.repository_policy import COLUMNS, policy_of
from qingting.kernel.security.lockout import Tries
from qingting.kernel.web import WebSession

_KEEP_TRIES_MS = 24 * 3_600_000
_FIRST_START_LOCK = 0x71746964


async def find_account(uow: ReadUow, account: str) -> sa.RowMapping | None:
    return await uow.first(sa.select(m.account).where(m.account.c.id == account))


async def find_by_name(uow: ReadUow, name: str) -> sa.RowMapping | None:
    if "\x00" in name:
        return None  # PostgreSQL has no such text, and so no such account
    exact = m.account.c.name == name
    either = sa.or_(exact, m.account.c.name == plain(name))
    return await uow.first(sa.select(m.account).where(either).order_by(exact.desc()).limit(1))


async def find_alike(uow: ReadUow, name: str) -> sa.RowMapping | None:
    """An account whose name differs from ``name`` in capital and small letters at most: people would take the one for
    the other."""
    alike = sa.func.lower(m.account.c.name) == name.lower()
    return await uow.first(sa.select(m.account).where(alike).limit(1))


async def account_names(uow: ReadUow, accounts: Collection[str]) -> dict[str, str]:
    """Names by id; those that are gone are left out."""
    rows = await uow.all(
        sa.select(m.account.c.id, m.account.c.name).where(m.account.c.id.in_(sorted(accounts)))
    )
    return {row["id"]: row["name"] for row in rows}


class AccountRepository:
    """Statements over one unit of work."""

    def __init__(self, uow: Uow) -> None:
        self._uow = uow

    async def is_empty(self) -> bool:
        """True before the first account exists; of workers starting together only one sees it."""
        await self._uow.scalar(
            sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_START_LOCK}
        )
        return await self._uow.scalar(sa.select(m.account.c.id).limit(1)) is None

    async def add(
        self, account: str, name: str, hashed: str, now: int, *, division: str, staff: str = ""
    ) -> bool:
        """False when there is an account with that name, or of that member of staff, also since a moment ago."""
        statement = insert(m.account).values(
            id=account,
            name=name,
            division=division,
            staff=staff or None,
            password_hash=hashed,
            must_change=True,
            disabled=False,
            created_at=now,
            changed_at=now,
        )
        return bool(await self._uow.run(statement.on_conflict_do_nothing()))

    async def set_password(self, account: str, hashed: str, now: int, *, must_change: bool) -> None:
        """Keeps the present password as a former one."""
        old = await self._uow.scalar(
            sa.select(m.account.c.password_hash).where(m.account.c.id == account).with_for_update()
        )
        former = insert(m.former_password).values(account=account, at=now, hash=old)
        await self._uow.run(former.on_conflict_do_nothing())
        await self._uow.run(
            sa.update(m.account)
            .where(m.account.c.id == account)
            .values(password_hash=hashed, must_change=must_change, changed_at=now)
        )

    async def set_disabled(self, account: str, *, disabled: bool) -> None:
        await self._uow.run(
            sa.update(m.account).where(m.account.c.id == account).values(disabled=disabled)
        )

    async def former_hashes(self, account: str, count: int) -> Sequence[str]:
        rows = await self._uow.all(
            sa.select(m.former_password.c.hash)
            .where(m.former_password.c.account == account)
            .order_by(m.former_password.c.at.desc())
            .limit(count)
        )
        return [row["hash"] for row in rows]

    async def logged_in(self, account: str, now: int) -> None:
        await self._uow.run(
            sa.update(m.account).where(m.account.c.id == account).values(last_login_at=now)
        )

    # -- tries --------------------------------------------------------------------------------

    async def lock_tries(self, digest: str, now: int) -> Tries:
        """The tries under a name; whoever else tries it waits until this transaction ends."""
        statement = insert(m.tries).values(name_digest=digest, failed=0, locked_until=0, at=now)
        await self._uow.run(statement.on_conflict_do_nothing())
        row = await self._uow.first(
            sa.select(m.tries).where(m.tries.c.name_digest == digest).with_for_update()
        )
        assert row is not None
        return Tries(row["failed"], row["locked_until"])

    async def put_tries(self, digest: str, tries: Tries, now: int) -> None:
        await self._uow.run(
            sa.update(m.tries)
            .where(m.tries.c.name_digest == digest)
            .values(failed=tries.failed, locked_until=tries.locked_until, at=now)
        )

    async def forget_tries(self, digest: str, now: int) -> None:
        """After a right password; old tries of other names go too."""
        t = m.tries.c
        await self._uow.run(sa.delete(m.tries).where(t.name_digest == digest))
        # Those that somebody tries at this moment are left alone: two who log in would wait for each other.
        old = sa.select(t.name_digest).where(t.at < now - _KEEP_TRIES_MS, t.locked_until < now)
        old = old.with_for_update(skip_locked=True)
        await self._uow.run(sa.delete(m.tries).where(t.name_digest.in_(old)))


class PgSessionStore:
    """Implements :class:`qingting.kernel.web.SessionStore`. Within a unit of work a session begins or ends
    together with the act that made it so; without one each call is its own transaction."""

    def __init__(
        self,
        db: Database,
        book: PolicyBook,
        uow: Uow | None = None,
        *,
        address: str = "",
        program: str = "",
    ) -> None:
        self._db = db
        self._book = book
        self._uow = uow
        self._address = address
        self._program = program

    def within(self, uow: Uow, *, address: str = "", program: str = "") -> "PgSessionStore":
        """What begins there comes from ``address`` and a browser that calls itself ``program``."""
        return PgSessionStore(self._db, self._book, uow, address=address, program=program)

    async def put(self, digest: str, session: WebSession) -> None:
        # Of sessions that nobody ended the rows go with the next login, whoever's it is.
        over = m.session.c.created_at < session.created_at - LONGEST_SESSION_MS
        await self._run(sa.delete(m.session).where(over))
        await self._run(
            sa.insert(m.session).values(
                digest=digest,
                subject=session.subject,
                csrf=session.csrf,
                created_at=session.created_at,
                seen_at=session.seen_at,
                marks=list(session.marks),
                address=self._address,
                program=self._program,
                means=session.means,
                origin=session.origin,
            )
        )

    async def find(self, digest: str) -> WebSession | None:
        """The policy comes with it: how long a session lasts is known before it is looked at."""
        statement = sa.select(m.session, *COLUMNS).join_from(m.session, m.policy, sa.true())
        async with self._db.read() as uow:
            row = await uow.first(statement.where(m.session.c.digest == digest))
        if row is None:
            return None
        self._book.policy = policy_of(row)
        return WebSession(
            subject=row["subject"],
            csrf=row["csrf"],
            created_at=row["created_at"],
            seen_at=row["seen_at"],
            marks=tuple(row["marks"]),
            means=row["means"],
            origin=row["origin"],
        )

    async def touch(self, digest: str, seen_at: int) -> None:
        await self._run(
            sa.update(m.session).where(m.session.c.digest == digest).values(seen_at=seen_at)
        )

    async def drop(self, digest: str) -> None:
        await self._run(sa.delete(m.session).where(m.session.c.digest == digest))

    async def drop_subject(self, subject: str) -> None:
        await self._run(sa.delete(m.session).where(m.session.c.subject == subject))

    async def _run(self, statement: sa.Executable) -> None:
        if self._uow is not None:
            await self._uow.run(statement)
            return
        async with self._db.write() as uow:
            await uow.run(statement)
