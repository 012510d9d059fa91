"""The city's database is exchanged for another one while several workers serve it (decision 0057).

That an exchange is due stands about the database that is to take the city's place, outside of both. Every worker closes
its connections and comes here; whoever holds the lock waits until nobody is connected, and exchanges the names in one
transaction: whatever is killed at whatever moment, the city's name means either the one or the other.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

import asyncpg
import msgspec
import structlog

from console.core.databases import (
    Beside,
    Marker,
    Step,
    besides,
    connected,
    maintaining,
    name_of,
    put_mark,
    quoted,
)

log = structlog.get_logger(__name__)
CHANNEL = "city_exchange"
"""Notified in the city's database when an exchange is due."""
PATIENCE_SECONDS = 20.0
"""So long those who are connected may finish; then their connections are ended."""
TRIES = 3
LOOK_SECONDS = 0.2
_LOCK = 0x71657863
_MINE = "qingting exchange"


class Phase(StrEnum):
    """What those who wait are told."""

    CLOSING = "closing"
    WAITING = "waiting"
    EXCHANGING = "exchanging"
    OPENING = "opening"


Say = Callable[[Phase, int], None]
"""The phase, and how many connections are still waited for."""


def silent(phase: Phase, count: int) -> None:
    """For who shows nothing."""


async def put_beside(url: str, name: str, mark: Marker) -> None:
    """Writes what the database ``name`` is; with :attr:`Step.DUE` it is to take the city's place from now on."""
    async with maintaining(url) as connection:
        await put_mark(connection, name, mark)


async def is_due(connection: asyncpg.Connection, city: str) -> Beside | None:
    """What is to take the city's place, if anything is."""
    return next(
        (one for one in await besides(connection, city) if one.mark and one.mark.step is Step.DUE),
        None,
    )


async def settle(url: str, say: Say = silent, *, patience: float = PATIENCE_SECONDS) -> None:
    """Returns once no exchange is due: done by this worker or another one, or given up. The caller must not be
    connected. Raises what asyncpg raises while the server is away."""
    city = name_of(url)
    if not await _any_due(url, city):
        return
    async with maintaining(url, name=_MINE) as connection:
        while await is_due(connection, city) is not None:
            lock = "SELECT pg_try_advisory_lock($1, hashtext($2))"
            if not await connection.fetchval(lock, _LOCK, city):
                say(Phase.WAITING, 0)
                await asyncio.sleep(LOOK_SECONDS)
                continue
            try:
                found = await is_due(connection, city)
                if found is not None:
                    await _patiently(connection, city, found, say, patience)
            finally:
                unlock = "SELECT pg_advisory_unlock($1, hashtext($2))"
                await connection.execute(unlock, _LOCK, city)


async def _any_due(url: str, city: str) -> bool:
    """Asked in the city's own database. Whoever connects in the moment in which the names are exchanged is told that
    there is none of this name; a database that is not there at all is still not there after that."""
    for _ in range(TRIES):
        with suppress(asyncpg.InvalidCatalogNameError):
            async with connected(url, name=_MINE) as connection:
                return await is_due(connection, city) is not None
        await asyncio.sleep(LOOK_SECONDS)
    async with connected(url, name=_MINE) as connection:
        return await is_due(connection, city) is not None


async def _patiently(
    connection: asyncpg.Connection, city: str, found: Beside, say: Say, patience: float
) -> None:
    """Waits for those who are connected, ends who stays, and exchanges or gives up."""
    assert found.mark is not None
    names = (city, found.name)
    loop = asyncio.get_running_loop()
    ends = loop.time() + patience
    while (used := await in_use(connection, *names)) and loop.time() < ends:
        say(Phase.WAITING, used)
        await asyncio.sleep(LOOK_SECONDS)
    why = ""
    for _ in range(TRIES):
        say(Phase.EXCHANGING, 0)
        try:
            await _end_all(connection, *names)
            await exchange(connection, city, found.name, found.mark)
        except asyncpg.ObjectInUseError as error:
            why = f"{error}. {error.detail or ''}"
            log.warning("exchange.held_up", why=why)
        else:
            return
    log.error("exchange.given_up", database=found.name, why=why)
    given_up = msgspec.structs.replace(found.mark, step=Step.GIVEN_UP, why=why[:200])
    await put_mark(connection, found.name, given_up)


async def exchange(connection: asyncpg.Connection, city: str, name: str, mark: Marker) -> None:
    """``name`` becomes ``city``, which is kept as ``mark.former``: both or neither. Raises
    ``asyncpg.ObjectInUseError`` after five seconds with anybody connected to either."""
    kept = Marker(
        of=city, step=Step.KEPT, at=mark.at, moment=mark.at, source=mark.source, by=mark.by
    )
    async with connection.transaction():
        for old, new in ((city, mark.former), (name, city)):
            await connection.execute(f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}")
        await put_mark(connection, mark.former, kept)
        await put_mark(connection, city, None)
    log.info("exchange.done", city=city, source=mark.source, former=mark.former)


async def in_use(connection: asyncpg.Connection, *names: str) -> int:
    """How many are connected to any of the databases."""
    return len(await _users(connection, *names))


async def _users(connection: asyncpg.Connection, *names: str) -> list[int]:
    """Of somebody more powerful the server says only where they are; its own workers make room by themselves."""
    rows = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = ANY($1) AND pid <> pg_backend_pid()"
        " AND coalesce(backend_type, 'client backend') = 'client backend'",
        list(names),
    )
    return [row["pid"] for row in rows]


async def _end_all(connection: asyncpg.Connection, *names: str) -> None:
    """Ends who is still connected, but for somebody more powerful."""
    for pid in await _users(connection, *names):
        try:
            await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        except asyncpg.InsufficientPrivilegeError:
            log.warning("exchange.not_ended", pid=pid)
