"""Monthly partitions of the events, made before a frame needs them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import asyncpg
import sqlalchemy as sa
import structlog

from console.core.db import Database
from console.halls.repository import ensure_months

log = structlog.get_logger(__name__)

_PAST, _FUTURE = timedelta(days=400), timedelta(days=40)
"""Events further away from now (a hall's clock is wrong) go to the default partition."""


_LOCK_SECONDS = 2
"""Longer a frame does not wait for a month of its own: its events go to the default partition."""


class Months:
    """Knows which months exist. One per process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._ready: set[tuple[int, int]] = set()

    async def prepare(self, instants_ms: Iterable[int], now_ms: int) -> None:
        """Makes what is missing for these instants, in a transaction of its own."""
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        wanted = set()
        for millis in {*instants_ms, now_ms}:
            if (now - _PAST).timestamp() <= millis / 1000 <= (now + _FUTURE).timestamp():
                instant = datetime.fromtimestamp(millis / 1000, UTC)
                wanted.add((instant.year, instant.month))
        for month in wanted - self._ready:
            try:
                async with self._db.write() as uow:
                    await uow.run(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
                    await ensure_months(uow, {month})
            except sa.exc.IntegrityError:
                # Such events already lie in the default partition, where they are as safe.
                log.warning("events.month_in_default", month=f"{month[0]}-{month[1]:02d}")
            except sa.exc.DBAPIError as error:
                if not _held_up(error):
                    raise
                # A backup reads the table for minutes; events need not wait for it.
                log.warning("events.month_held_up", month=f"{month[0]}-{month[1]:02d}")
            self._ready.add(month)


def _held_up(error: sa.exc.DBAPIError) -> bool:
    """A lock that others hold, such as a backup that is being made."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return isinstance(cause, asyncpg.LockNotAvailableError)
