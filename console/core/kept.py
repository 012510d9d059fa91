"""What many ask for at the same moment: read once and kept for some seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from qingting.kernel.aio.clock import Clock

K = TypeVar("K")
V = TypeVar("V")
LATE = 5
"""While somebody reads a value anew, the others get the former one until it is so many times too old."""


class Kept(Generic[K, V]):
    """Values by key, each read anew by one of those who ask once it is older than ``seconds``. Never more than ``most``:
    then all are read again."""

    def __init__(self, clock: Clock, seconds: float, *, most: int = 500) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._values: dict[K, tuple[float, V]] = {}
        self._reading: dict[K, asyncio.Lock] = {}

    async def get(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """Raises what ``read`` raises, to whoever reads; the next one tries again."""
        reading = self._reading.setdefault(key, asyncio.Lock())
        known = self._within(key, self._seconds * LATE if reading.locked() else self._seconds)
        if known is not None:
            return known[1]
        try:
            async with reading:
                known = self._within(key, self._seconds)
                if known is None:
                    known = await self._anew(key, read)
        finally:
            self._forget_missing(key, reading)
        return known[1]

    def _forget_missing(self, key: K, reading: asyncio.Lock) -> None:
        """Anybody may ask for any number of things that are not there: nothing is kept for those."""
        if key not in self._values and not reading.locked() and self._reading.get(key) is reading:
            del self._reading[key]

    def _within(self, key: K, seconds: float) -> tuple[float, V] | None:
        known = self._values.get(key)
        if known is None or not 0 <= self._clock.monotonic() - known[0] < seconds:
            return None
        return known

    async def _anew(self, key: K, read: Callable[[], Awaitable[V]]) -> tuple[float, V]:
        asked = self._clock.monotonic()
        found = (asked, await read())
        if len(self._values) >= self._most:
            self._values.clear()
            self._reading = {one: lock for one, lock in self._reading.items() if lock.locked()}
        self._values[key] = found
        return found
