"""Fetching of releases over the link: one piece after the other, beside the log, never ahead of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from qingting.contract.link import Piece, Want
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 60.0
"""Pause before the city is asked once more for what it did not have or did not send."""
ANSWER_SECONDS = 20.0


class Fetcher(Protocol):
    """Who wants pieces and takes them (:class:`hallserver.hub.release_shelf.ReleaseShelf`)."""

    def want(self) -> Want | None:
        """The next piece to ask for."""
        ...

    async def take(self, piece: Piece) -> None: ...

    async def settle(self) -> None:
        """Called when there is nothing to fetch."""
        ...


class Fetching:
    """One session's fetching. ``fetcher`` None: this hall keeps no releases."""

    def __init__(
        self, fetcher: Fetcher | None, send: Callable[[Want], Awaitable[None]], clock: Clock
    ) -> None:
        self._fetcher = fetcher
        self._send = send
        self._clock = clock
        self._wake = asyncio.Event()
        self._wake.set()
        self._piece: Piece | None = None
        self._came = asyncio.Event()

    def wake(self) -> None:
        """There may be something to fetch."""
        self._wake.set()

    def arrived(self, piece: Piece) -> None:
        self._piece = piece
        self._came.set()

    async def run(self) -> None:
        """Until cancelled, or the line breaks."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._fetcher is None:
                continue
            while (want := self._fetcher.want()) is not None:
                if not await self._fetch(self._fetcher, want):
                    await self._clock.sleep(AGAIN_SECONDS)
            await self._fetcher.settle()

    async def _fetch(self, fetcher: Fetcher, want: Want) -> bool:
        """False when the city did not answer with the piece that was asked for."""
        self._came.clear()
        await self._send(want)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._came.wait()
        except TimeoutError:
            log.warning("link.piece_missing", release=want.release, offset=want.offset)
            return False
        piece = self._piece
        if piece is None or (piece.release, piece.offset) != (want.release, want.offset):
            return False
        if not piece.data:
            log.warning("link.no_such_release", release=want.release)
            return False
        await fetcher.take(piece)
        return True
