"""Removes what is older than its retention: in small transactions, by one worker at a time, once an hour."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from console.core.db import Database
from console.core.models import pruned
from console.core.uow import Uow
from qingting.contract.errors import Refusal

log = structlog.get_logger(__name__)

BATCH = 500
"""Rows of a transaction: no page waits for more."""
EVERY_SECONDS = 3600.0
FIRST_AFTER_SECONDS = 60.0
"""A worker that has just started answers those who wait for it before it tidies up."""

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
        await asyncio.sleep(FIRST_AFTER_SECONDS)
        while True:
            try:
                removed = await prune_all(db, lock, prunes)
            except Refusal as refusal:
                if refusal.code != "city.unavailable":
                    raise
            else:
                await _note(db, name, removed)
                if removed:
                    log.info("records.pruned", records=name, rows=removed)
            await asyncio.sleep(EVERY_SECONDS)

    return run


async def _note(db: Database, name: str, removed: int) -> None:
    """That the job ran, for the page of retention; a run that finds nothing leaves what was removed last."""
    now = sa.cast(sa.func.extract("epoch", sa.func.now()) * 1000, sa.BigInteger)
    row = {"at": now} | ({"rows": removed, "removed_at": now} if removed else {})
    added = pg.insert(pruned).values(name=name, **({"rows": 0} | row))
    try:
        async with db.write() as uow:
            await uow.run(added.on_conflict_do_update(index_elements=["name"], set_=row))
    except Refusal as refusal:
        if refusal.code != "city.unavailable":
            raise
