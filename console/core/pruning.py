"""Removes what is older than its retention: in small transactions, by one worker at a time, once an hour."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa
import structlog

from console.core.db import Database
from console.core.uow import Uow
from qingting.contract.errors import Refusal

log = structlog.get_logger(__name__)

BATCH = 500
"""Rows of a transaction: no page waits for more."""
EVERY_SECONDS = 3600.0

Prune = Callable[[Uow, int], Awaitable[int]]
"""Removes at most so many rows that are too old, and says how many it removed."""


async def prune_all(db: Database, lock: int, prunes: Sequence[Prune], batch: int = BATCH) -> int:
    """Removes everything that is too old; gives the number of rows. A batch is left to whoever holds ``lock``, an
    advisory lock, so that two workers never remove the same rows against each other."""
    removed = 0
    for prune in prunes:
        found = batch
        while found >= batch:
            async with db.write() as uow:
                mine = await uow.scalar(
                    sa.text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": lock}
                )
                if not mine:
                    return removed
                found = await prune(uow, batch)
            removed += found
    return removed


def pruning(
    db: Database, name: str, lock: int, prunes: Sequence[Prune]
) -> Callable[[], Awaitable[None]]:
    """The job; any number of workers may run it. While PostgreSQL is away nothing is removed."""

    async def run() -> None:
        while True:
            try:
                removed = await prune_all(db, lock, prunes)
            except Refusal as refusal:
                if refusal.code != "city.unavailable":
                    raise
            else:
                if removed:
                    log.info("records.pruned", records=name, rows=removed)
            await asyncio.sleep(EVERY_SECONDS)

    return run
