"""What every way outside has in common: why something was not taken, how long after a failure to try again, and the
jobs that try."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable

from console.core.signals import EVERYTHING, Signals
from console.core.uow import CHANGED
from qingting.contract.errors import Refusal

SEND_SECONDS = 15.0
"""No try takes longer."""
FIRST_RETRY_MS = 30_000
LONGEST_RETRY_MS = 3_600_000
POLL_SECONDS = 5.0
"""What time brings about is found at least this often."""
BREATH_SECONDS = 1.0
"""Rounds are this far apart, however much happens."""


class DeliveryError(Exception):
    """A message was not taken. ``reason`` is a short word for the record, without addresses or secrets;
    ``lasting`` when another try cannot help. ``unreachable``: it is not about this message, the other side takes
    nothing now. ``after_ms``: how long it asks to be left alone."""

    def __init__(
        self,
        reason: str,
        *,
        lasting: bool = False,
        unreachable: bool = False,
        after_ms: int = 0,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
        self.unreachable = unreachable
        self.after_ms = after_ms


def retry_after_ms(tries: int, first_ms: int = FIRST_RETRY_MS) -> int:
    """How long after the ``tries``-th failure in a row the next try comes: ``first_ms``, doubled up to an hour."""
    return min(LONGEST_RETRY_MS, first_ms << (min(tries, 30) - 1))


async def all_of(tries: Iterable[Coroutine[None, None, None]]) -> None:
    """Runs them at once and is over when the last one is: a round that fails leaves no try running beside the next."""
    for outcome in await asyncio.gather(*tries, return_exceptions=True):
        if outcome is not None:
            raise outcome


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
            async with asyncio.timeout(POLL_SECONDS):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


async def work_when_woken(waker: Waker, work: Callable[[], Awaitable[bool]]) -> None:
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
