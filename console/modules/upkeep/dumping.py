"""The database into an archive and back, with PostgreSQL's own tools."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg
import sqlalchemy as sa
import structlog

from console.core.db import asyncpg_arguments
from console.core.postgres import BINARIES
from console.modules.upkeep.archive import FORMAT, NAME, HallHead, Manifest, pack, unpack
from qingting.contract.errors import Refusal

log = structlog.get_logger(__name__)
PROGRAM = version("qingting")
"""Read at import: a lookup in an event loop must not open a file."""
Say = Callable[[int, int, str], Awaitable[None]]
"""Progress: how many tables of how many, and which one it is."""


async def silent(done: int, total: int, table: str) -> None:
    """Progress that nobody watches."""


async def dump_city(url: str, folder: Path, now_ms: int, say: Say = silent) -> Path:
    """Writes an archive of the whole database, of one moment, into ``folder``; gives its path.

    Pages and halls go on meanwhile. Raises ``backup.failed``, and ``OSError`` when the folder cannot be written.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    connection = await asyncpg.connect(timeout=10, **asyncpg_arguments(url))
    try:
        async with _passing(".making-", folder) as made:
            dump = made / "city.dump"
            # One snapshot for the counts and the dump: both say the same moment.
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
                manifest = await _manifest(connection, now_ms)
                await _pg_dump(url, dump, snapshot, len(manifest.tables), say)
            name = f"{NAME}{at:%Y%m%dT%H%M%SZ}.tar"
            return await asyncio.to_thread(pack, folder, name, manifest, dump)
    finally:
        await connection.close(timeout=10)


async def _manifest(connection: asyncpg.Connection, now_ms: int) -> Manifest:
    """What the snapshot holds."""
    audit = await connection.fetchrow("SELECT no, hash FROM core_audit ORDER BY no DESC LIMIT 1")
    halls = await connection.fetch("SELECT hall, epoch, seq, hash FROM hall_cursor")
    heads = await connection.fetch("SELECT version_num FROM core_migration")
    keys = await connection.fetch("SELECT id, fingerprint FROM priv_key")
    return Manifest(
        format=FORMAT,
        made_at=now_ms,
        program=PROGRAM,
        server=await connection.fetchval("SHOW server_version"),
        heads=tuple(sorted(row["version_num"] for row in heads)),
        tables=await counts(connection),
        audit_no=audit["no"] if audit is not None else 0,
        audit_hash=audit["hash"] if audit is not None else "",
        halls={
            row["hall"]: HallHead(epoch=row["epoch"], seq=row["seq"], hash=row["hash"])
            for row in halls
        },
        keys={row["id"]: row["fingerprint"] for row in keys},
    )


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    """Rows of every table that holds some itself."""
    names = await connection.fetch(
        "SELECT quote_ident(c.relname) AS quoted, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname"
    )
    found = {}
    for row in names:
        statement = f"SELECT count(*) FROM {row['quoted']}"  # noqa: S608 - quoted by PostgreSQL itself
        found[row["relname"]] = await connection.fetchval(statement)
    return found


async def _pg_dump(url: str, target: Path, snapshot: str, tables: int, say: Say) -> None:
    done = 0

    async def heard(line: str) -> None:
        nonlocal done
        if "dumping contents of table" in line:
            done += 1
            await say(min(done, tables), tables, line.rpartition(".")[2].strip('" '))

    options = (
        "--format=custom",
        f"--snapshot={snapshot}",
        "--no-owner",
        "--no-privileges",
        "--verbose",
    )
    await run_tool("pg_dump", url, heard, *options, f"--file={target}")


async def restore_into(url: str, archive: Path, say: Say = silent) -> Manifest:
    """Restores ``archive`` into the empty database that ``url`` names. Raises ``backup.damaged`` before anything is
    written, and ``backup.failed``."""
    async with _passing("qingting-restore-", None) as made:
        dump = made / "city.dump"
        manifest = await asyncio.to_thread(unpack, archive, dump)
        done, total = 0, len(manifest.tables)

        async def heard(line: str) -> None:
            nonlocal done
            if "processing data for table" in line:
                done += 1
                await say(min(done, total), total, line.rpartition(".")[2].strip('" '))

        options = ("--exit-on-error", "--no-owner", "--no-privileges", "--verbose")
        database = str(sa.engine.make_url(url).database)
        await run_tool("pg_restore", url, heard, *options, f"--dbname={database}", str(dump))
        return manifest


@contextlib.asynccontextmanager
async def _passing(prefix: str, within: Path | None) -> AsyncIterator[Path]:
    """A folder that is gone when the block is left."""
    made = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=prefix, dir=within))
    try:
        yield made
    finally:
        await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)


async def run_tool(
    tool: str, url: str, heard: Callable[[str], Awaitable[None]], *options: str
) -> None:
    """Runs one of PostgreSQL's programs; ``heard`` gets each line that it says. Raises ``backup.failed`` with its
    last one. The password goes by the environment, where other users of the machine cannot read it."""
    process = await asyncio.create_subprocess_exec(
        str(BINARIES / tool),
        *options,
        env=_environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    last = ""
    try:
        assert process.stderr is not None
        async for raw in process.stderr:
            last = raw.decode(errors="replace").strip() or last
            await heard(last)
        code = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if code != 0:
        log.error("backup.tool_failed", tool=tool, said=last)
        raise Refusal("backup.failed", tool=tool, said=last[-200:])


def _environment(url: str) -> Mapping[str, str]:
    given = asyncpg_arguments(url)
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "database": "PGDATABASE",
    }
    return {"LC_ALL": "C"} | {names[key]: str(value) for key, value in given.items()}
