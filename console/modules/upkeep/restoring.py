"""Restoring the city from an archive: into a database of its own first, which takes the city's place when it is sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import sqlalchemy as sa

from console.core.db import asyncpg_arguments
from console.core.migrate import NewerDatabaseError, migrate
from console.modules.upkeep.archive import Manifest
from console.modules.upkeep.drill import Finding, check
from console.modules.upkeep.dumping import administer, beside, quoted, restore_into
from qingting.contract.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put in force. ``former`` is the name under which the database before it is kept."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    former: str


async def restore_city(
    url: str, archive: Path, now_ms: int, migrations: tuple[str, ...]
) -> Restored:
    """Puts the content of ``archive`` in the place of the database that ``url`` names, which is renamed and kept.
    ``migrations`` bring what an older program wrote to the schema of this one.

    Nobody may be connected. Raises ``backup.in_use``, ``backup.damaged``, ``backup.failed``, ``backup.newer``, and
    ``backup.drill_failed`` when what came out is not sound; then nothing has changed.
    """
    database = str(sa.engine.make_url(url).database)
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d%H%M%S")
    fresh, former = f"{database}_new_{stamp}", f"{database}_before_{stamp}"
    await _refuse_in_use(url, database)
    await administer(url, f"CREATE DATABASE {quoted(fresh)} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        place = beside(url, fresh)
        manifest = await restore_into(place, archive)
        findings = await check(place, manifest)
        _refuse_unsound(findings, archive)
        await _bring_up(place, migrations)
        await _unsettle(place)
        await _refuse_in_use(url, database)
        await administer(
            url,
            f"ALTER DATABASE {quoted(database)} RENAME TO {quoted(former)}",
            f"ALTER DATABASE {quoted(fresh)} RENAME TO {quoted(database)}",
        )
    except BaseException:
        await administer(url, f"DROP DATABASE IF EXISTS {quoted(fresh)} WITH (FORCE)")
        raise
    return Restored(manifest=manifest, findings=tuple(findings), former=former)


def _refuse_unsound(findings: Sequence[Finding], archive: Path) -> None:
    if not all(one.good for one in findings):
        raise Refusal("backup.drill_failed", file=archive.name)


async def _bring_up(url: str, migrations: tuple[str, ...]) -> None:
    try:
        await migrate(url, migrations)
    except NewerDatabaseError as error:
        raise Refusal("backup.newer") from error


async def _unsettle(url: str) -> None:
    """The halls may have been given numbers of directives that the archive knows nothing of: none gets another until
    it has reported, also one that is enrolled only after this."""
    connection = await asyncpg.connect(timeout=10, **asyncpg_arguments(url))
    try:
        async with connection.transaction():
            await connection.execute("UPDATE hall_hall SET settled = false")
            await connection.execute("ALTER TABLE hall_hall ALTER COLUMN settled SET DEFAULT false")
    finally:
        await connection.close(timeout=10)


async def _refuse_in_use(url: str, database: str) -> None:
    connection = await asyncpg.connect(timeout=10, **asyncpg_arguments(beside(url, "postgres")))
    try:
        used = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", database
        )
    finally:
        await connection.close(timeout=10)
    if used:
        raise Refusal("backup.in_use", n=used)
