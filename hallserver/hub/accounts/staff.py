"""Passwords of staff: one for the call pad and the manager's pages."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from hallserver.hub.accounts.locks import Locks
from hallserver.store import accounts as t
from hallserver.store.store import HallStore
from qingting.contract.config import HallConfig, Staff
from qingting.contract.errors import Refusal
from qingting.contract.ids import StaffId
from qingting.contract.states import StaffRole
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.passwords import Passwords, one_time_password, password_is_strong

ONCE_HOURS = 24
"""A one-time password opens nothing after so many hours: whoever finds the note later has nothing (GB/T 22239-2019
§8.1.4.1)."""
ONCE_MS = ONCE_HOURS * 3_600_000


class _Stored(NamedTuple):
    """A password as kept. ``changed_at`` is in UTC ms."""

    hash: str
    must_change: bool
    changed_at: int


class StaffAccounts:
    """Checks and changes passwords. Wrong ones are counted by staff number, known or not."""

    def __init__(self, store: HallStore, locks: Locks, clock: Clock, passwords: Passwords) -> None:
        self._store = store
        self._locks = locks
        self._clock = clock
        self._passwords = passwords

    async def check(
        self, staff: Staff | None, number: str, password: str, *, family: str = "staff"
    ) -> bool:
        """True when the password must be changed; raises when it is wrong or the account is locked.

        ``family`` is ``staff`` (``staff.wrong_password``, ``staff.locked``) or ``login``
        (``login.wrong``, ``login.locked``). An unknown number costs the same time and counts alike. Raises
        ``staff.password_ended`` only for the right one-time password: nobody else learns that there is one.
        """
        wrong = {"staff": "staff.wrong_password", "login": "login.wrong"}[family]
        locked = f"{family}.locked"
        account = f"staff:{number[:80]}"
        await self._locks.check(account, locked)
        stored = await self._find(staff.id) if staff is not None else None
        if not await self._passwords.verify(stored.hash if stored else None, password):
            raise await self._locks.failed(account, wrong, locked)
        await self._locks.clear(account)
        if stored is not None and self._ended(stored):
            raise Refusal("staff.password_ended", hours=ONCE_HOURS)
        return stored is not None and stored.must_change

    def _ended(self, stored: _Stored) -> bool:
        return stored.must_change and self._clock.now_ms() - stored.changed_at >= ONCE_MS

    async def _find(self, staff: StaffId) -> _Stored | None:
        def work(connection: Connection) -> _Stored | None:
            found = select(t.staff_password).where(t.staff_password.c.staff == staff)
            row = connection.execute(found).one_or_none()
            return None if row is None else _Stored(row.hash, bool(row.must_change), row.changed_at)

        return await self._store.read(work)

    async def enter(self, staff: Staff | None, number: str, password: str, new: str | None) -> None:
        """A login at a call pad. A one-time password opens nothing but its own replacement by ``new``.

        Raises as :meth:`check`, ``staff.password_once`` when a new one is due, ``login.password_…``.
        """
        must_change = await self.check(staff, number, password)
        if new is None and must_change:
            raise Refusal("staff.password_once")
        if new is not None and staff is not None:
            await self._replace(staff, password, new)

    async def change(self, staff: Staff, old: str, new: str, again: str) -> None:
        """The person's own new password; raises ``login.wrong`` or one of ``login.password_…``."""
        await self.check(staff, staff.number, old, family="login")
        if new != again:
            raise Refusal("login.password_mismatch")
        await self._replace(staff, old, new)

    async def _replace(self, staff: Staff, old: str, new: str) -> None:
        if not password_is_strong(new, staff.number):
            raise Refusal("login.password_weak")
        if new == old:
            raise Refusal("login.password_used")
        await self.put(staff.id, new, must_change=False)

    async def put(self, staff: StaffId, password: str, *, must_change: bool) -> None:
        """Sets a password without asking for the former."""
        values = {
            "hash": await self._passwords.hash(password),
            "must_change": must_change,
            "changed_at": self._clock.now_ms(),
        }
        statement = upsert(t.staff_password).values(staff=staff, **values)
        await self._store.write(
            lambda connection: connection.execute(
                statement.on_conflict_do_update(index_elements=["staff"], set_=values)
            )
        )

    async def reset(self, staff: Staff) -> str:
        """A one-time password, shown once; also ends a lockout."""
        password = one_time_password()
        await self.put(staff.id, password, must_change=True)
        await self._locks.clear(f"staff:{staff.number}")
        return password

    async def drop(self, staff: Staff) -> None:
        """The person does not work here any more."""
        table = t.staff_password
        await self._store.write(
            lambda connection: connection.execute(delete(table).where(table.c.staff == staff.id))
        )
        await self._locks.clear(f"staff:{staff.number}")

    async def with_password(self) -> dict[StaffId, bool]:
        """Who has a password, and whether it must be changed."""

        def work(connection: Connection) -> dict[StaffId, bool]:
            rows = connection.execute(
                select(t.staff_password.c.staff, t.staff_password.c.must_change)
            )
            return {StaffId(row.staff): bool(row.must_change) for row in rows}

        return await self._store.read(work)

    async def seed(self, passwords: Mapping[StaffId, str]) -> None:
        """Passwords that need not be changed, for demonstrations; known accounts keep theirs."""
        known = await self.with_password()
        for staff, password in passwords.items():
            if staff not in known:
                await self.put(staff, password, must_change=False)

    async def first_manager(self, config: HallConfig) -> tuple[Staff, str] | None:
        """At the start of a hall that no manager has logged in to: the first manager and a one-time password to
        print once.

        None when a manager has a password of their own, or the configuration names no manager. A one-time
        password that nobody used is replaced by another: what an earlier start printed may be lost.
        """
        managers = [one for one in config.staff if one.role is StaffRole.MANAGER]
        found = [await self._find(one.id) for one in managers]
        if not managers or any(one is not None and not one.must_change for one in found):
            return None
        return managers[0], await self.reset(managers[0])
