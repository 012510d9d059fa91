"""Time as a dependency: everything that reads a clock is given one."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for deadlines."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until a test moves it; sleepers wake in order."""

    def __init__(self, start_ms: int = 1_795_478_400_000) -> None:
        self._ms = start_ms
        self._origin = start_ms
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return self._ms

    def monotonic(self) -> float:
        return (self._ms - self._origin) / 1000

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._ms + round(seconds * 1000), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Moves time and lets everything that was due run."""
        target = self._ms + round(seconds * 1000)
        while due := [entry for entry in self._sleepers if entry[0] <= target]:
            entry = min(due, key=lambda one: one[0])
            self._sleepers.remove(entry)
            self._ms = max(self._ms, entry[0])
            if not entry[1].done():
                entry[1].set_result(None)
            for _ in range(5):
                await asyncio.sleep(0)
        self._ms = target
        for _ in range(5):
            await asyncio.sleep(0)
