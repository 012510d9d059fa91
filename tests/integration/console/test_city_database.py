"""The city's database: schema, refusal of a newer one, the audit, and the embedded server's owner."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from patience import HANG_S
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from console.app.city import open_city
from console.app.modules import MIGRATIONS
from console.core.audit import read_audit
from console.core.audit_reading import audit_fault
from console.core.db import CityUnavailable, Database
from console.core.migrate import NewerDatabaseError, migrate
from console.core.models import metadata
from console.core.permissions import NOBODY, SYSTEM
from console.core.postgres import EmbeddedPostgres, PostgresError
from console.core.uow import Uow
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId

pytestmark = pytest.mark.postgres


class TestSchema:
    async def test_the_migrations_make_what_the_models_say(self, city_url: str) -> None:
        def compare(connection: sa.Connection) -> list[object]:
            context = MigrationContext.configure(
                connection,
                opts={
                    "version_table": "core_migration",
                    "include_name": lambda name, kind, _: (
                        kind != "table" or not str(name).startswith("hall_event_")
                    ),
                },
            )
            return list(compare_metadata(context, metadata))

        engine = create_async_engine(city_url, poolclass=NullPool)
        async with engine.connect() as connection:
            assert await connection.run_sync(compare) == []
        await engine.dispose()

    async def test_migrating_twice_changes_nothing(self, city_url: str) -> None:
        await migrate(city_url, MIGRATIONS)
        async with open_city(city_url) as city:
            await city.db.ping()

    async def test_a_database_of_a_newer_release_is_refused_and_untouched(
        self, city_url: str
    ) -> None:
        db = Database(city_url)
        async with db.write() as uow:
            await uow.run(sa.text("INSERT INTO core_migration VALUES ('core_9999')"))
        with pytest.raises(NewerDatabaseError, match="core_9999"):
            await migrate(city_url, MIGRATIONS)
        await db.close()


class TestTransactions:
    async def test_what_raises_is_not_there(self, city_url: str) -> None:
        async with open_city(city_url) as city:

            async def enrol_and_fail(uow: Uow) -> None:
                await city.context.audit.write(uow, SYSTEM, "hall.enrol")
                raise Refusal("hall.unknown")

            with pytest.raises(Refusal):
                async with city.db.write() as uow:
                    await enrol_and_fail(uow)
            async with city.db.read() as reader:
                assert await read_audit(reader) == []

    async def test_a_reader_cannot_write(self, city_url: str) -> None:
        db = Database(city_url)
        with pytest.raises(sa.exc.DBAPIError, match="read-only"):
            async with db.read() as uow:
                await uow.scalar(
                    sa.text(
                        "INSERT INTO core_projection_cursor VALUES ('x', 'y', 0, 0) RETURNING 1"
                    )
                )
        await db.close()

    async def test_what_a_statement_that_fails_was_given_stands_in_no_error(
        self, city_url: str
    ) -> None:
        db = Database(city_url)
        with pytest.raises(sa.exc.DBAPIError) as failed:
            async with db.read() as uow:
                await uow.scalar(sa.text("SELECT 1 / 0, CAST(:name AS text)"), {"name": "张小明"})
        await db.close()
        assert "division by zero" in str(failed.value)
        assert "张小明" not in str(failed.value)

    async def test_a_use_case_asks_for_its_permission_first(self, city_url: str) -> None:
        async with open_city(city_url) as city:
            from console.halls.api import HALLS

            halls = city.context.take(HALLS)
            with pytest.raises(Refusal, match=r"page\.forbidden"):
                async with city.db.write() as uow:
                    await halls.enrol(uow, NOBODY, HallId("x"), name="x", name_en="x", key=None)
            with pytest.raises(Refusal, match=r"page\.forbidden"):
                async with city.db.write() as uow:
                    await halls.decide_fork(uow, NOBODY, HallId("x"), accept=True)


class TestAudit:
    async def test_acts_of_several_workers_make_one_chain(self, city_url: str) -> None:
        async with open_city(city_url) as one, open_city(city_url) as two:
            await asyncio.gather(
                *(
                    city.enrol_hall(HallId(f"hall-{number}"), name="大厅")
                    for number in range(10)
                    for city in (one, two)
                )
            )
            async with one.db.read() as uow:
                assert len(await read_audit(uow)) == 20
                assert await audit_fault(uow) is None

    async def test_a_long_chain_is_checked_some_entries_at_a_time(self, city_url: str) -> None:
        asked: list[str] = []

        def note(_: object, __: object, statement: str, *_more: object) -> None:
            asked.append(statement)

        async with open_city(city_url) as city:
            await city.enrol_hall(HallId("saertu"), name="大厅")
            sa.event.listen(city.db.engine.sync_engine, "before_cursor_execute", note)
            async with city.db.read() as uow:
                assert await audit_fault(uow) is None
        read = [one for one in asked if "FROM core_audit" in one]
        assert read
        assert all("LIMIT" in one for one in read)

    async def test_many_entries_at_once_are_links_of_it_in_their_order(self, city_url: str) -> None:
        async with open_city(city_url) as city:
            await city.enrol_hall(HallId("saertu"), name="大厅")
            async with city.db.write() as uow:
                what = [("saertu", f"{number} PutBooking") for number in range(3)]
                await city.context.audit.write_all(uow, SYSTEM, "hall.directive", what)
            async with city.db.read() as reader:
                entries = await read_audit(reader, "hall.directive")
                assert [one.detail[0] for one in entries] == ["2", "1", "0"]
                assert await audit_fault(reader) is None

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE core_audit SET actor = 'x'", "DELETE FROM core_audit", "TRUNCATE core_audit"],
    )
    async def test_nothing_can_be_changed_or_taken_out(self, city_url: str, statement: str) -> None:
        async with open_city(city_url) as city:
            await city.enrol_hall(HallId("saertu"), name="大厅")
            with pytest.raises(sa.exc.DBAPIError, match="append-only"):
                async with city.db.write() as uow:
                    await uow.run(sa.text(statement))

    async def test_a_change_behind_the_programs_back_shows(self, city_url: str) -> None:
        async with open_city(city_url) as city:
            for number in range(3):
                await city.enrol_hall(HallId(f"hall-{number}"), name="大厅")
            async with city.db.write() as uow:
                await uow.run(sa.text("ALTER TABLE core_audit DISABLE TRIGGER USER"))
                await uow.run(sa.text("UPDATE core_audit SET actor = 'nobody' WHERE no = 2"))
            async with city.db.read() as reader:
                assert await audit_fault(reader) == 2


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="qt-own-pg-") as name:
        yield Path(name) / "pg"


_OWNER = """
import sys, time
from pathlib import Path
from console.core.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("pid", server.pid, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


class TestEmbeddedServer:
    def test_a_killed_owner_leaves_no_server_behind(self, folder: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", _OWNER, str(folder)], stdout=subprocess.PIPE, text=True
        ) as owner:
            assert owner.stdout is not None
            said = next(line for line in owner.stdout if line.startswith("pid "))
            pid = int(said.split()[1])
            owner.kill()
        deadline = time.monotonic() + HANG_S
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not alive(pid)
        with EmbeddedPostgres(folder) as server:
            assert server.pid != pid

    def test_a_server_that_lost_its_guard_is_reaped_at_the_next_start(self, folder: Path) -> None:
        first = EmbeddedPostgres(folder)
        first.start()
        pid = first.pid
        assert pid is not None
        assert first._guard is not None
        first._guard.send_signal(signal.SIGKILL)
        first._guard.wait()
        assert alive(pid)
        assert first._lock is not None
        first._lock.close()
        with EmbeddedPostgres(folder) as second:
            assert second.pid != pid
            assert not alive(pid)
        assert first._guard.stdin is not None
        first._guard.stdin.close()

    def test_a_folder_has_one_owner(self, folder: Path) -> None:
        with (
            EmbeddedPostgres(folder),
            pytest.raises(PostgresError, match="in use"),
            EmbeddedPostgres(folder),
        ):
            pass

    def test_nobody_else_on_the_machine_can_use_its_socket(self, folder: Path) -> None:
        with EmbeddedPostgres(folder):
            socket = next(folder.glob(".s.PGSQL.*[0-9]"))
            assert socket.stat().st_mode & 0o077 == 0


async def test_without_a_server_every_use_says_so() -> None:
    db = Database("postgresql+asyncpg://qingting:socket@/city?host=%2Fnowhere%2Fat%2Fall")
    with pytest.raises(CityUnavailable):
        await db.ping()
    with pytest.raises(CityUnavailable):
        async with db.write() as uow:
            await uow.scalar(sa.text("SELECT 1"))
    await db.close()
