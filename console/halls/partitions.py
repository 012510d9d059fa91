"""Monthly partitions of the events, made before a frame needs them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog

from console.core.db import Database
from console.halls.repository import ensure_months

log = structlog.get_logger(__name__)

_PAST, _FUTURE = timedelta(days=400), timedelta(days=40)
"""Events further away from now (a hall's clock is wrong) go to the default partition."""


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
                    await ensure_months(uow, {month})
            except sa.exc.IntegrityError:
                # Such events already lie in the default partition, where they are as safe.
                log.warning("events.month_in_default", month=f"{month[0]}-{month[1]:02d}")
            self._ready.add(month)
