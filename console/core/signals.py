"""What other workers and transactions announce: one listening connection, spread inside the process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable

import asyncpg
import structlog

from console.core.db import asyncpg_arguments
from console.core.uow import CHANGED

log = structlog.get_logger(__name__)

EVERYTHING = "*"
"""Payload given to every subscriber after a reconnect: something may have been missed."""
_CHECK_SECONDS = 5.0


class Signals:
    """Listens on PostgreSQL channels. ``run`` raises when the connection is lost: keep it running
    under a supervisor; subscribers then get :data:`EVERYTHING` once it is back."""

    def __init__(self, url: str) -> None:
        self._arguments = asyncpg_arguments(url)
        self._subscribers: dict[str, list[Callable[[str], None]]] = defaultdict(list)
        self._readers: set[_Reader] = set()
        self.connected = asyncio.Event()
        self.subscribe(CHANGED, self._spread)

    def subscribe(self, channel: str, call: Callable[[str], None]) -> None:
        """``call(payload)`` for each notification. Subscribe before ``run``."""
        self._subscribers[channel].append(call)

    async def run(self) -> None:
        """Serves until cancelled or until the connection breaks."""
        connection = await asyncpg.connect(timeout=5, **self._arguments)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            for channel in self._subscribers:
                await connection.add_listener(channel, self._heard)
            self.connected.set()
            self._tell_everyone()
            while not lost.is_set():
                try:
                    async with asyncio.timeout(_CHECK_SECONDS):
                        await lost.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=_CHECK_SECONDS)
            raise ConnectionError("the listening connection to PostgreSQL is gone")
        finally:
            self.connected.clear()
            self._tell_pages()
            await _close(connection)

    def _heard(self, connection: object, pid: int, channel: str, payload: object) -> None:
        for call in self._subscribers[channel]:
            call(str(payload))

    def _tell_everyone(self) -> None:
        for calls in self._subscribers.values():
            for call in calls:
                call(EVERYTHING)

    def _tell_pages(self) -> None:
        """Pages look again now, and so learn that the database is away."""
        self._spread(EVERYTHING)

    def _spread(self, payload: str) -> None:
        for reader in self._readers:
            reader.add(payload)

    async def changes(self, wanted: frozenset[str]) -> AsyncGenerator[frozenset[str], None]:
        """Sets of names out of ``wanted`` that changed, merged while the reader is busy."""
        reader = _Reader(wanted)
        self._readers.add(reader)
        try:
            while names := await reader.take():
                yield names
        finally:
            self._readers.discard(reader)

    def end_pages(self) -> None:
        """Ends what pages watch: this worker lets go of the database."""
        for reader in self._readers:
            reader.end()


class _Reader:
    """One page that watches: holds at most the set of wanted names, however slow it is."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._pending: set[str] = set()
        self._ready = asyncio.Event()
        self._over = False

    def end(self) -> None:
        self._over = True
        self._ready.set()

    def add(self, payload: str) -> None:
        names = self._wanted if payload == EVERYTHING else self._wanted & set(payload.split())
        if names:
            self._pending |= names
            self._ready.set()

    async def take(self) -> frozenset[str]:
        """What changed; nothing at the end."""
        await self._ready.wait()
        if self._over:
            return frozenset()
        names, self._pending = frozenset(self._pending), set()
        self._ready.clear()
        return names


async def _close(connection: asyncpg.Connection) -> None:
    if connection.is_closed():
        return
    try:
        await connection.close(timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
