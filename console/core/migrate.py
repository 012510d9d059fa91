"""Brings the database to the schema of this program, and refuses one that is newer."""

import asyncio
from functools import cache
from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import to_tuple
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_LOCK = 0x71746D67
"""Advisory lock: of several workers starting together, one migrates and the others wait."""


class NewerDatabaseError(RuntimeError):
    """The database was written by a newer release: start that one, or restore a backup."""


def _config(packages: tuple[str, ...]) -> Config:
    config = Config()
    folders = [str(files(package).joinpath("migrations")) for package in packages]
    config.set_main_option("script_location", folders[0])
    folders[0] += "/versions"
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(folders))
    return config


async def migrate(url: str, packages: tuple[str, ...]) -> None:
    """Runs every step that is missing, in one transaction. ``packages`` hold ``migrations/``; the first
    of them is ``console.core``. Raises :class:`NewerDatabaseError` and changes nothing then."""
    await asyncio.to_thread(lambda: asyncio.run(_migrate(url, packages)))


def migrate_blocking(url: str, packages: tuple[str, ...]) -> None:
    """:func:`migrate` where no loop runs."""
    asyncio.run(_migrate(url, packages))


async def _migrate(url: str, packages: tuple[str, ...]) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK}
            )
            await connection.run_sync(_upgrade, packages)
    finally:
        await engine.dispose()


@cache
def _steps(packages: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """All steps of this program, and those that nothing builds on: where a database stands that has them all."""
    steps = list(ScriptDirectory.from_config(_config(packages)).walk_revisions())
    known = frozenset(one.revision for one in steps)
    before = {
        each
        for one in steps
        for each in to_tuple(one.down_revision, ()) + to_tuple(one.dependencies, ())
    }
    return known, known - before


def _upgrade(connection: sa.Connection, packages: tuple[str, ...]) -> None:
    context = MigrationContext.configure(connection, opts={"version_table": "core_migration"})
    present = frozenset(context.get_current_heads())
    known, last = _steps(packages)
    if present == last:
        return
    unknown = sorted(present - known)
    if unknown:
        raise NewerDatabaseError(
            f"the database is newer than this program (it has {', '.join(unknown)})"
        )
    config = _config(packages)
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")


async def create_database(url: str) -> None:
    """Makes the database that ``url`` names when the server does not have it yet."""
    target = sa.engine.make_url(url)
    engine = create_async_engine(
        target.set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    try:
        async with engine.connect() as connection:
            known = await connection.scalar(
                sa.text("SELECT 1 FROM pg_database WHERE datname = :name"),
                {"name": target.database},
            )
            if known is None:
                quoted = str(target.database).replace('"', '""')
                await connection.execute(sa.text(f'CREATE DATABASE "{quoted}"'))
    finally:
        await engine.dispose()
