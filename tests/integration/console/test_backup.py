"""Backups of the city: what is restored is what was; a damaged archive is refused; a drill checks itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from city_hall import LinkClient, Log
from console_browser import HALL, Browser, browser, connect_hall, console
from patience import until

from console.app.modules import PROGRAM
from console.app.server import ConsoleReady
from console.core.databases import beside
from console.core.db import Database, asyncpg_arguments
from console.halls.partitions import Months
from console.modules.identity import repository_networks
from console.modules.upkeep.api import UPKEEP
from console.modules.upkeep.archive import Manifest, read_manifest
from console.modules.upkeep.drill import drill, scratch
from console.modules.upkeep.dumping import dump_city
from console.modules.upkeep.restoring import restore_city
from console.modules.upkeep.service import UpkeepService
from qingting.contract.errors import Refusal

pytestmark = pytest.mark.postgres
NOW = 1_795_395_600_000


@pytest.fixture
async def stage(city_url: str, tmp_path: Path) -> AsyncIterator[tuple[ConsoleReady, Browser, Path]]:
    """A console with a folder for backups, a hall's log in it, and an administrator's browser."""
    folder = tmp_path / "backups"
    kept: dict[str, Any] = {"backup_folder": str(folder), "drill_days": 0, "backup_hour": 0}
    async with console(city_url, backup_keep=2, **kept) as ready, browser(ready) as person:
        await person.enter(ready)
        log = Log(HALL)
        log.configure()
        log.serve(log.issue(1))
        async with LinkClient(f"{ready.url}/link") as client:
            await connect_hall(ready, client, log)
        yield ready, person, folder


def first_of(folder: Path) -> tuple[Path, Manifest, int]:
    archive = sorted(folder.glob("*.tar"))[-1]
    return archive, read_manifest(archive), archive.stat().st_mode


def spoiled(archive: Path, target: Path) -> None:
    """One bit in the middle is the other way round."""
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(bytes(data))


def cut(archive: Path, target: Path, keep: float) -> None:
    data = archive.read_bytes()
    target.write_bytes(data[: int(len(data) * keep)])


async def job_of(person: Browser, page: str, path: str, **fields: str) -> str:
    """Starts a job by a form and gives its page once it is over."""
    _, where, _ = await person.submit(page, path, **fields)
    assert where.startswith("/jobs/")

    async def over() -> str:
        text = (await person.get(where))[1]
        return "" if "job-bar" in text else text

    return await until(over)


async def contents(url: str) -> Mapping[str, list[Any]]:
    """Every row of what this test is about, and how many there are of everything."""
    connection = await asyncpg.connect(**asyncpg_arguments(url))
    try:
        wanted = ("hall_event", "core_audit", "ident_account", "conf_version", "hall_directory")
        return {
            table: sorted(map(repr, await connection.fetch(f"SELECT * FROM {table}")))
            for table in wanted
        }
    finally:
        await connection.close()


def without_audit(found: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
    """The audit of a restored city goes on with who restored it."""
    return {table: rows for table, rows in found.items() if table != "core_audit"}


async def test_a_backup_is_made_and_tried_on_screen_and_its_age_is_watched(
    stage: tuple[ConsoleReady, Browser, Path],
) -> None:
    ready, person, folder = stage
    # The day's backup is made by itself; it and the two by hand leave the newest two.
    made = await job_of(person, "/backups", "/backups")
    assert "已备份到" in made
    archive, manifest, mode = await asyncio.to_thread(first_of, folder)
    assert mode & 0o077 == 0, "nobody else may read it"
    assert manifest.halls[HALL].seq == 6
    assert manifest.audit_no > 0
    assert any("seal_keys" in one for one in manifest.excluded)

    tried = await job_of(person, "/backups", "/backups/drills", file=archive.name)
    assert "恢复演练通过" in tried
    _, page = await person.get("/backups")
    for check in ("行数一致", "结构一致", "审计链", "事件链", "能登录能看页面"):
        assert check in page
    assert page.count("badge fault") == 0

    # One that a bit flipped in is refused, and the health page says that the last drill failed.
    broken = folder / "qingting-city-20990101T000000Z.tar"
    await asyncio.to_thread(spoiled, archive, broken)
    failed = await job_of(person, "/backups", "/backups/drills", file=broken.name)
    assert "恢复演练没有通过" in failed
    assert "最近一次没有通过" in (await person.get("/health"))[1]
    async with person.http.get("/metrics/health") as answer:
        found = await answer.json()
        assert (answer.status, found["state"]) == (503, "fault")
    states = {one["name"]: one["state"] for one in found["parts"]}
    assert (states["drill"], states["database"], states["backup"]) == ("fault", "ok", "ok")
    assert len(states) == 12
    connection = await asyncpg.connect(**asyncpg_arguments(beside(ready.city.db.url, "postgres")))
    left = await connection.fetchval(
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'qingting_drill_%'"
    )
    await connection.close()
    assert left == 0, "a drill leaves nothing behind"


async def test_a_hall_s_events_are_taken_while_a_backup_reads_the_table(city_url: str) -> None:
    """Making a month of its own waits for a reader; the first frame of a month must not."""
    backup = await asyncpg.connect(**asyncpg_arguments(city_url))
    db = Database(city_url)
    try:
        async with backup.transaction(isolation="repeatable_read", readonly=True):
            await backup.fetchval("SELECT count(*) FROM hall_event")
            await Months(db).prepare([NOW], NOW)
            made = await backup.fetchval("SELECT to_regclass('hall_event_2026_11')")
            assert made is None, "the month was held up, and nothing waited for it"
    finally:
        await db.close()
        await backup.close()


async def test_a_damaged_city_is_restored_to_the_same_content(
    stage: tuple[ConsoleReady, Browser, Path], tmp_path: Path
) -> None:
    ready, _, _ = stage
    async with scratch(ready.city.db.url) as place:
        # A copy of the city stands in for it: this one is in use, and that is refused.
        archive = await dump_city(ready.city.db.url, tmp_path / "a", NOW)
        with pytest.raises(Refusal, match=r"backup\.in_use"):
            await restore_city(ready.city.db.url, archive, NOW, PROGRAM)
        await restore_city(place, archive, NOW, PROGRAM)
        before = await contents(place)
        assert all(before.values())

        connection = await asyncpg.connect(**asyncpg_arguments(place))
        await connection.execute(
            "DROP TABLE hall_directory; TRUNCATE hall_event; DELETE FROM conf_version"
        )
        await connection.close()
        restored = await restore_city(place, archive, NOW + 1000, PROGRAM)
        assert without_audit(await contents(place)) == without_audit(before)
        assert all(one.good for one in restored.findings)

        # What is damaged is refused before anything is touched.
        for name, keep in (("cut", 0.5), ("empty", 0)):
            await asyncio.to_thread(cut, archive, tmp_path / name, keep)
            with pytest.raises(Refusal, match=r"backup\.damaged"):
                await restore_city(place, tmp_path / name, NOW + 2000, PROGRAM)
        assert without_audit(await contents(place)) == without_audit(before)
        admin = await asyncpg.connect(**asyncpg_arguments(beside(place, "postgres")))
        for row in await admin.fetch("SELECT datname FROM pg_database WHERE datname ~ '_before_'"):
            await admin.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
        await admin.close()


async def test_a_worker_for_citizens_alone_can_prove_an_archive_too(
    city_url: str, tmp_path: Path
) -> None:
    """Jobs are done by whoever is free; who logs in at the restored copy is staff all the same, from this machine, of which
    the list of networks may know nothing."""
    async with console(city_url, serve="citizens", drill_days=0, backup_folder="off") as ready:
        async with ready.city.db.write() as uow:
            noted = {"note": "", "given_at": NOW, "given_by": "test"}
            assert await repository_networks.add(uow, "10.20.0.0/16", "", noted)
        archive = await dump_city(city_url, tmp_path, NOW)
        service = ready.city.context.take(UPKEEP)
        assert isinstance(service, UpkeepService)
        report = await drill(city_url, archive, service.hosting.try_out)
        assert report.good, report.findings
