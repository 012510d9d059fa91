"""Receipts that providers keep for us (状态报告): fetched again and again, stored, confirmed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from console.core.db import Database
from console.core.delivering import DeliveryError
from console.core.senders.port import Sender
from console.modules.notifications.sending import Post
from qingting.contract.errors import Refusal

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
ROUNDS = 5
"""A provider that repeats what was confirmed is left alone until the next time."""


class Receiving:
    """Fetches receipts; every worker may, a receipt that came twice changes nothing."""

    def __init__(self, db: Database, post: Post, senders: Mapping[str, Sender]) -> None:
        self._db = db
        self._post = post
        self._senders = senders
        self._confirmed: dict[str, str] = {}
        self._away: set[str] = set()

    async def fetch(self) -> int:
        """How many were news."""
        news = 0
        for name, sender in self._senders.items():
            try:
                for _ in range(ROUNDS):
                    got = await sender.receipts(self._confirmed.get(name, ""))
                    if not got.found:
                        break
                    async with self._db.write() as uow:
                        news += await self._post.take_receipts(uow, name, got.found)
                    # Only what is stored is confirmed: a crash here has them come once more.
                    self._confirmed[name] = got.batch
            except DeliveryError as error:
                self._lost(name, error.reason)
            else:
                self._back(name)
        return news

    def _lost(self, name: str, reason: str) -> None:
        if name not in self._away:
            self._away.add(name)
            log.warning("notice.receipts_away", channel=name, why=reason)

    def _back(self, name: str) -> None:
        if name in self._away:
            self._away.discard(name)
            log.info("notice.receipts_back", channel=name)

    def job(self) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            while True:
                try:
                    _ = await self.fetch()
                except Refusal as refusal:
                    if refusal.code != "city.unavailable":
                        raise
                await asyncio.sleep(EVERY_SECONDS)

        return run
