"""A real PostgreSQL for tests: one server a test session, one database a test, copied from a template.

``postgres`` is the server, ``city_url`` the URL of a fresh, migrated database that is dropped again.
Tests that use them carry ``@pytest.mark.postgres``.
"""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    # Imported by the fixtures themselves: tests without a database need none of it.
    from console.core.postgres import EmbeddedPostgres

_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "128MB",
}
"""Nothing here proves durability against a power cut; the tests that restart the server stop it cleanly."""
_TEMPLATE = "city_template"
_FOLDER = "qt-pg-"
_MEMORY, _ENOUGH = Path("/dev/shm"), 3 << 30
"""Four workers with a server of about 300 MB each."""
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> "Iterator[EmbeddedPostgres]":
    from console.app.modules import MIGRATIONS
    from console.core.migrate import create_database, migrate_blocking
    from console.core.postgres import EmbeddedPostgres

    memory = _in_memory()
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-", dir=memory))
    try:
        with EmbeddedPostgres(folder / "pg", settings=_FAST) as server:
            url = server.url(_TEMPLATE)
            asyncio.run(create_database(url))
            migrate_blocking(url, MIGRATIONS)
            yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture
async def city_url(postgres: "EmbeddedPostgres") -> AsyncIterator[str]:
    name = f"city_{next(_numbers)}"
    await _administer(postgres, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield postgres.url(name)
    await _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _in_memory() -> Path | None:
    """A database has a thousand files; to copy and remove them on a disk costs ten times what it costs in memory."""
    for folder in _MEMORY.glob(f"{_FOLDER}*"):
        owner = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if not Path("/proc", owner).exists():  # a run that was killed could not clean up
            shutil.rmtree(folder, ignore_errors=True)
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH:
        return _MEMORY
    return None


async def _administer(server: "EmbeddedPostgres", statement: str) -> None:
    import asyncpg

    from console.core.db import asyncpg_arguments

    connection = await asyncpg.connect(**asyncpg_arguments(server.url("postgres")))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
