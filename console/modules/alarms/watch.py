"""The jobs of alarms in every worker: looking, and delivering what must be told outside."""

import asyncio
from collections.abc import Awaitable, Callable

from console.core.db import Database
from console.core.signals import EVERYTHING, Signals
from console.core.uow import CHANGED
from console.modules.alarms.looking import Lookout
from console.modules.alarms.outbox import Outbox
from qingting.contract.errors import Refusal

POLL_SECONDS = 5.0
"""Durations are found out at least this often."""
ACTS = "alarms.acts"
"""Named by an act that the next look must take into account."""
BREATH_SECONDS = 1.0
"""Looks are this far apart, however much happens."""


class Waker:
    """Wakes a job when one of ``names`` changed anywhere in the city, and else after a while."""

    def __init__(self, signals: Signals, names: frozenset[str]) -> None:
        self._names = names
        self._event = asyncio.Event()
        signals.subscribe(CHANGED, self._heard)

    def _heard(self, payload: str) -> None:
        if payload == EVERYTHING or self._names & set(payload.split()):
            self._event.set()

    def wake(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        try:
            await asyncio.wait_for(self._event.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        finally:
            self._event.clear()


async def _forever(waker: Waker, work: Callable[[], Awaitable[bool]]) -> None:
    """Works whenever woken; ``work`` says False when it must be done again. While PostgreSQL is away nothing is
    lost: the next round finds it."""
    while True:
        try:
            if not await work():
                waker.wake()
        except Refusal as refusal:
            if refusal.code != "city.unavailable":
                raise
        await asyncio.sleep(BREATH_SECONDS)
        await waker.wait()


def looking(db: Database, signals: Signals, lookout: Lookout) -> Callable[[], Awaitable[None]]:
    """The job that decides about alarms; any number of workers may run it."""
    waker = Waker(signals, frozenset({"devices", "halls", ACTS}))

    async def look() -> bool:
        async with db.write() as uow:
            return await lookout.look(uow)

    async def run() -> None:
        await _forever(waker, look)

    return run


def delivering(signals: Signals, outbox: Outbox) -> Callable[[], Awaitable[None]]:
    """The job that sends what is due; any number of workers may run it."""
    waker = Waker(signals, frozenset({"alarms"}))

    async def run() -> None:
        await _forever(waker, outbox.deliver)

    return run
