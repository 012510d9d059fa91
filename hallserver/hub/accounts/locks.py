"""Lockouts that survive a restart."""

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from hallserver.store import accounts as t
from hallserver.store.store import HallStore
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.lockout import Tries, after_failure, locked_minutes, tries_left


class Locks:
    """Counts wrong attempts by account; five in a row lock it for a quarter of an hour."""

    def __init__(self, store: HallStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def check(self, account: str, code: str) -> None:
        """Raises ``code`` with ``minutes`` while the account is locked."""
        tries = await self._store.read(lambda connection: _find(connection, account))
        minutes = locked_minutes(tries, self._clock.now_ms())
        if minutes:
            raise Refusal(code, minutes=minutes)

    async def failed(self, account: str, wrong: str, locked: str) -> Refusal:
        """Counts one more wrong attempt; gives back ``wrong`` with ``left``, or ``locked``."""
        now = self._clock.now_ms()

        def work(connection: Connection) -> Tries:
            tries = after_failure(_find(connection, account), now)
            values = {"failed": tries.failed, "locked_until": tries.locked_until}
            statement = upsert(t.lockout).values(account=account, **values)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["account"], set_=values)
            )
            return tries

        tries = await self._store.write(work)
        minutes = locked_minutes(tries, now)
        if minutes:
            return Refusal(locked, minutes=minutes)
        return Refusal(wrong, left=tries_left(tries))

    async def clear(self, account: str) -> None:
        """After a success; writes only when there is something to forget."""
        known = await self._store.read(lambda connection: _find(connection, account))
        if known != Tries():
            await self._store.write(
                lambda connection: connection.execute(
                    delete(t.lockout).where(t.lockout.c.account == account)
                )
            )


def _find(connection: Connection, account: str) -> Tries:
    row = connection.execute(select(t.lockout).where(t.lockout.c.account == account)).one_or_none()
    return Tries() if row is None else Tries(row.failed, row.locked_until)
