"""The city's key file: made at the first start, shared by all workers, read again when a key is added.

A new line is known to every worker long before any of them seals with it, so that no worker meets a box that it
cannot open.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer, SealError, load_or_create_sealer, read_keys

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
SETTLE_SECONDS = 30.0
"""So long a new key only opens. Longer than any worker takes to see it."""


class KeyFile:
    """``sealer`` always has the keys of the file; hand it out once."""

    def __init__(self, path: Path, sealer: Sealer, clock: Clock) -> None:
        self.path, self.sealer = path, sealer
        self._clock = clock
        self._seen_at = clock.monotonic()

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> "KeyFile":
        """Opens or makes the file; raises :class:`SealError` or ``OSError``."""
        return cls(path, await asyncio.to_thread(load_or_create_sealer, path), clock)

    async def look(self) -> None:
        """Takes over what the file says now. One that cannot be read changes nothing and is logged."""
        try:
            keys = await asyncio.to_thread(read_keys, self.path)
            known = [key.id for key in self.sealer.keys]
            now = self._clock.monotonic()
            if [key.id for key in keys] != known:
                log.info("keys.changed", keys=[key.id for key in keys])
                self._seen_at = now
                self.sealer.use(keys, self.sealer.newest)
            elif self.sealer.newest != known[-1] and now - self._seen_at >= SETTLE_SECONDS:
                self.sealer.use(keys)
        except (OSError, SealError):
            log.exception("keys.unreadable", path=str(self.path))

    def watching(self) -> Callable[[], Awaitable[None]]:
        """The job."""

        async def run() -> None:
            while True:
                await self._clock.sleep(LOOK_SECONDS)
                await self.look()

        return run
