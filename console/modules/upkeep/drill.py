"""The restore drill (恢复演练): an archive restored beside the city, and looked at until it is believed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from console.core.audit_reading import audit_fault
from console.core.databases import administer, beside, quoted
from console.core.db import Database, asyncpg_arguments
from console.modules.upkeep.api import TryOut
from console.modules.upkeep.archive import Manifest
from console.modules.upkeep.dumping import Say, counts, restore_into, silent
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.link import GENESIS, chain_hash
from qingting.kernel.security.device_keys import new_token

_EVENTS = 2000


class Finding(Strict, frozen=True, kw_only=True):
    """One thing that was checked. ``name`` has the text ``drill.check.<name>``; ``detail`` is what was found."""

    name: str
    good: bool
    detail: str = ""


class Report(Strict, frozen=True, kw_only=True):
    """What a drill found, and what it took."""

    archive: str
    made_at: int
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        return all(one.good for one in self.findings)


async def drill(url: str, archive: Path, try_out: TryOut, say: Say = silent) -> Report:
    """Restores into a database of its own, checks everything, and drops it again whatever came out."""
    try:
        async with scratch(url) as place:
            manifest = await restore_into(place, archive, say)
            findings = [Finding(name="archive", good=True, detail=f"{manifest.rows}")]
            findings += [await one(place, manifest) for one in (_counts, _schema, _audit, _chains)]
            findings.append(await look_in(place, try_out))
    except Refusal as refusal:
        if refusal.code == "city.unavailable":
            raise
        failed = Finding(name="archive", good=False, detail=refusal.code)
        return Report(archive=archive.name, made_at=0, findings=(failed,))
    return Report(archive=archive.name, made_at=manifest.made_at, findings=tuple(findings))


@asynccontextmanager
async def scratch(url: str, template: str = "template0") -> AsyncIterator[str]:
    """A database beside the city's, empty or a copy of ``template``, gone when the block is left."""
    name = f"qingting_drill_{new_token()[:12].lower().replace('-', '_')}"
    made = f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template)} ENCODING 'UTF8'"
    await administer(url, made)
    try:
        yield beside(url, name)
    finally:
        await administer(url, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")


async def check(url: str, manifest: Manifest) -> list[Finding]:
    """Everything that can be checked without serving pages."""
    return [await one(url, manifest) for one in (_counts, _schema, _audit, _chains)]


async def _counts(url: str, manifest: Manifest) -> Finding:
    connection = await asyncpg.connect(timeout=10, **asyncpg_arguments(url))
    try:
        found = await counts(connection)
    finally:
        await connection.close(timeout=10)
    wrong = sorted(
        f"{table}: {found.get(table, 0)}/{manifest.tables.get(table, 0)}"
        for table in found.keys() | manifest.tables.keys()
        if found.get(table) != manifest.tables.get(table)
    )
    detail = ", ".join(wrong[:5]) or f"{sum(found.values())}"
    return Finding(name="counts", good=not wrong, detail=detail)


async def _schema(url: str, manifest: Manifest) -> Finding:
    connection = await asyncpg.connect(timeout=10, **asyncpg_arguments(url))
    try:
        rows = await connection.fetch("SELECT version_num FROM core_migration")
    finally:
        await connection.close(timeout=10)
    found = tuple(sorted(row["version_num"] for row in rows))
    return Finding(name="schema", good=found == manifest.heads, detail=f"{len(found)}")


async def _audit(url: str, manifest: Manifest) -> Finding:
    db = Database(url, pool_size=4)
    try:
        async with db.read() as uow:
            fault = await audit_fault(uow)
    finally:
        await db.close()
    detail = f"#{fault}" if fault is not None else f"{manifest.audit_no}"
    return Finding(name="audit", good=fault is None, detail=detail)


async def _chains(url: str, manifest: Manifest) -> Finding:
    """Every event of every hall hangs on the one before, up to the end that the manifest names."""
    connection = await asyncpg.connect(timeout=10, **asyncpg_arguments(url))
    broken, events = [], 0
    try:
        for hall, head in manifest.halls.items():
            async with connection.transaction(readonly=True):
                end, count = await _chain(connection, hall)
            events += count
            if head.seq and end != (head.seq, head.hash):
                broken.append(f"{hall} {end[0]}/{head.seq}")
    finally:
        await connection.close(timeout=10)
    detail = ", ".join(broken[:5]) or f"{events}"
    return Finding(name="chains", good=not broken, detail=detail)


async def _chain(connection: asyncpg.Connection, hall: str) -> tuple[tuple[int, str], int]:
    """The last event that hangs on the one before it, and how many there are. Numbers go on in a new epoch, except
    in a store made anew, which begins at 1."""
    rows = connection.cursor(
        "SELECT seq, raw, hash FROM hall_event WHERE hall = $1 AND NOT lost ORDER BY epoch, seq",
        hall,
        prefetch=_EVENTS,
    )
    end, count = (0, GENESIS), 0
    async for row in rows:
        before = (0, GENESIS) if row["seq"] == 1 else end
        if row["seq"] != before[0] + 1 or row["hash"] != chain_hash(before[1], row["raw"]):
            break
        end, count = (row["seq"], row["hash"]), count + 1
    return end, count


async def look_in(url: str, try_out: TryOut) -> Finding:
    """Whether somebody can log in and see a page. What is tried out is changed by it."""
    try:
        await try_out(url)
    except Refusal as refusal:
        return Finding(name="login", good=False, detail=refusal.code)
    return Finding(name="login", good=True)
