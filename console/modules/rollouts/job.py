"""The job that carries rollouts on, in every worker; the database lets one of them decide at a time."""

import asyncio
from collections.abc import Awaitable, Callable

from console.core.db import Database
from console.core.signals import EVERYTHING, Signals
from console.core.uow import CHANGED
from console.modules.rollouts.service import RolloutService
from qingting.contract.errors import Refusal

POLL_SECONDS = 5.0
BREATH_SECONDS = 1.0
"""Looks are this far apart, however much happens."""
_WAKES = frozenset({"acts", "rollouts", "halls", "devices", "alarms", "live"})


def advancing(
    db: Database, signals: Signals, service: RolloutService
) -> Callable[[], Awaitable[None]]:
    """Any number of workers may run it. While PostgreSQL is away nothing is lost: the next look finds it."""
    news = asyncio.Event()

    def heard(payload: str) -> None:
        if payload == EVERYTHING or _WAKES & set(payload.split()):
            news.set()

    signals.subscribe(CHANGED, heard)

    async def run() -> None:
        while True:
            news.clear()
            try:
                async with db.write() as uow:
                    await service.advance(uow)
            except Refusal as refusal:
                if refusal.code != "city.unavailable":
                    raise
            await asyncio.sleep(BREATH_SECONDS)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await news.wait()
            except TimeoutError:
                continue

    return run
