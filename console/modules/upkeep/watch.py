"""Whether this worker is to let go of the city's database: told by a notification, and looked for all the same."""

import asyncio
from contextlib import suppress

import structlog

from console.core.databases import Step, besides_in, name_of
from console.core.db import Database
from console.core.exchange import CHANNEL
from console.core.signals import Signals
from qingting.contract.errors import Refusal

log = structlog.get_logger(__name__)
LOOK_SECONDS = 5.0


class Watch:
    """``due`` is set once another database is to take the city's place, or has already."""

    def __init__(self, db: Database, signals: Signals) -> None:
        self._db = db
        self._news = asyncio.Event()
        self.due = asyncio.Event()
        signals.subscribe(CHANNEL, lambda _: self._news.set())

    async def run(self) -> None:
        """The job of every worker; it ends with what it waits for."""
        while not await self._look():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            self._news.clear()
        log.info("exchange.due")
        self.due.set()

    async def _look(self) -> bool:
        try:
            async with self._db.read() as uow:
                found = await besides_in(uow, name_of(self._db.url), sizes=False)
        except Refusal as refusal:
            if refusal.code != "city.unavailable":
                raise
            return self._db.one.exchanged
        return any(one.mark is not None and one.mark.step is Step.DUE for one in found)
