"""What the database file promises: one writer, honest checks, safe migrations, bounded reads."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from engine_builders import CARE, KIOSK, LI, MONDAY_9, W1, small_hall

from hallserver.hall import open_hall
from hallserver.store import accounts, tables
from hallserver.store.errors import (
    DamagedDatabaseError,
    NewerDatabaseError,
    ReadDeadlineError,
    StoreInUseError,
    StoreOpenError,
)
from hallserver.store.opening import APPLICATION_ID, schema_version
from hallserver.store.sql import compile_sql
from hallserver.store.store import HallStore
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.directives import ForgetPerson
from qingting.contract.errors import Refusal
from qingting.contract.link import GENESIS, chain_hash
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock, SystemClock

FROZEN = Path(__file__).parent / "frozen"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hall.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[HallStore]:
    async with HallStore.open(path, clock=SystemClock()) as store:
        yield store


async def run_a_morning(path: Path) -> None:
    """A few tickets, one served and rated, so that every projection has rows."""
    clock = ManualClock(MONDAY_9)
    async with open_hall(path, clock=clock, config=small_hall()) as hall:
        await hall.submit(c.OpenWindow(window=W1, staff=LI), key="w1:open-1", actor="staff:li")
        for number in range(3):
            command = c.IssueTicket(item=CARE, token=f"token-{number}", device=KIOSK)
            await hall.submit(command, key=f"k1:{number:08d}", actor="kiosk:k1")
        for number, press in enumerate((c.CallNext, c.BeginService, c.FinishService, c.CallNext)):
            await clock.advance(60)
            await hall.submit(press(window=W1), key=f"w1:{number:08d}", actor="staff:li")


def _plan_of_config_events(connection: sa.Connection) -> str:
    query = sa.select(tables.event.c.json).where(tables.CONFIG_EVENT).order_by(tables.event.c.seq)
    compiled = query.compile(connection)
    return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all())


def edit(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


async def open_and_close(path: Path) -> None:
    async with HallStore.open(path, clock=SystemClock()):
        pass


class TestWriting:
    async def test_a_unit_of_work_is_all_or_nothing(self, store: HallStore) -> None:
        def work(connection: sa.Connection) -> None:
            connection.execute(
                sa.insert(tables.window).values(id="w9", number="9", state="open", since=1)
            )
            raise KeyError("half way")

        with pytest.raises(KeyError):
            await store.write(work)
        count = sa.select(sa.func.count()).select_from(tables.window)
        assert await store.read(lambda connection: connection.execute(count).scalar_one()) == 0

    async def test_what_was_written_is_read(self, store: HallStore) -> None:
        await store.write(
            lambda connection: connection.execute(
                sa.insert(tables.window).values(id="w9", number="9", state="open", since=1)
            )
        )
        ids = await store.read(
            lambda connection: connection.execute(sa.select(tables.window.c.id)).scalars().all()
        )
        assert ids == ["w9"]

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO meta (id, epoch, created_at) VALUES (1, 1, 1)",
            "DELETE FROM meta",
            "DROP TABLE event",
            "PRAGMA user_version=99",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ],
    )
    async def test_a_reader_cannot_write(
        self, store: HallStore, path: Path, statement: str
    ) -> None:
        def work(connection: sa.Connection) -> None:
            connection.exec_driver_sql("PRAGMA query_only=OFF")
            connection.exec_driver_sql(statement)

        with pytest.raises(sa.exc.OperationalError):
            await store.read(work)
        assert await store.read(lambda c: c.exec_driver_sql("SELECT id FROM meta").all()) == [(1,)]

    async def test_a_read_that_takes_too_long_is_stopped(self, store: HallStore) -> None:
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n"
        )
        with pytest.raises(ReadDeadlineError):
            await store.read(lambda c: c.exec_driver_sql(endless).all(), seconds=0.2)
        assert await store.read(lambda c: c.exec_driver_sql("SELECT 1").scalar_one()) == 1

    async def test_the_disk_is_asked_before_a_commit_counts(self, store: HallStore) -> None:
        def pragmas(writer: Any) -> list[Any]:
            names = ("journal_mode", "synchronous", "foreign_keys")
            return [writer.raw.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert await store._writer.run(pragmas) == ["wal", 2, 1]

    async def test_a_full_disk_is_a_refusal(self, store: HallStore) -> None:
        await store._writer.run(lambda writer: writer.raw.execute("PRAGMA max_page_count=1"))

        def work(connection: sa.Connection) -> None:
            rows = [
                {"id": f"w{n}", "number": "9" * 500, "state": "", "since": 1} for n in range(99)
            ]
            connection.execute(sa.insert(tables.window), rows)

        with pytest.raises(Refusal, match=r"store\.unavailable"):
            await store.write(work)

    def test_a_value_that_the_plain_driver_would_not_see_is_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="bind them by name"):
            compile_sql(sa.update(tables.window).values(state="open"))


COPY_TICKET = (
    "INSERT INTO ticket (id, day, queue, serial, number, item, department, token, state,"
    " issued_at, ahead, language) SELECT 'other', day, queue, {serial}, number, item, department,"
    " {token}, state, issued_at, ahead, language FROM ticket LIMIT 1"
)
COPY_VISIT = (
    "INSERT INTO visit (seq, ticket, window, staff, reason, calls, called_at)"
    " SELECT 9999, {ticket}, {window}, staff, reason, 1, called_at FROM visit WHERE ended_at IS NULL"
)
WAITING = "(SELECT id FROM ticket WHERE state='waiting')"


class TestWhatIsImpossible:
    @pytest.mark.parametrize(
        "statement",
        [
            pytest.param(COPY_TICKET.format(serial="serial", token="'new'"), id="a number twice"),
            pytest.param(COPY_TICKET.format(serial="999", token="token"), id="a code on two"),
            pytest.param(COPY_VISIT.format(ticket="ticket", window="'w2'"), id="two windows, one"),
            pytest.param(COPY_VISIT.format(ticket=WAITING, window="window"), id="one window, two"),
            pytest.param(COPY_VISIT.format(ticket="'x'", window="'w2'"), id="a visit of nobody"),
            pytest.param(
                "INSERT INTO command SELECT key, 9999, 9999 FROM command LIMIT 1", id="a key twice"
            ),
        ],
    )
    async def test_the_database_itself_refuses(self, path: Path, statement: str) -> None:
        await run_a_morning(path)
        async with HallStore.open(path, clock=SystemClock()) as store:
            with pytest.raises(sa.exc.IntegrityError):
                await store.write(lambda connection: connection.exec_driver_sql(statement))


class TestTheLog:
    async def test_is_numbered_without_gaps_and_chained(self, path: Path) -> None:
        await run_a_morning(path)
        async with HallStore.open(path, clock=SystemClock()) as store:
            stored = await store.events(0, 1000)
            assert [one.seq for one in stored] == list(range(1, len(stored) + 1))
            before = GENESIS
            for one in stored:
                assert one.hash == chain_hash(before, one.json)
                before = one.hash
            assert await store.tip() == (stored[-1].seq, before)
            assert [one.seq for one in await store.events(3, 2)] == [4, 5]

    async def test_has_an_epoch_of_its_own_for_each_new_store(self, tmp_path: Path) -> None:
        epochs = []
        for number in range(2):
            clock = ManualClock(MONDAY_9 + number * 1000)
            async with HallStore.open(tmp_path / f"{number}.sqlite", clock=clock) as store:
                epochs.append(store.epoch)
        assert len(set(epochs)) == 2
        assert all(0 < epoch < 2**32 for epoch in epochs)


class TestVerifying:
    @pytest.mark.parametrize(
        ("statement", "fault"),
        [
            ("UPDATE event SET json=replace(json, 'A001', 'A009') WHERE seq=4", "breaks the hash"),
            ("DELETE FROM event WHERE seq=5", "event 5 is missing"),
            ("UPDATE ticket SET state='done' WHERE serial=3", "table ticket differs"),
            ("UPDATE visit SET staff='somebody'", "table visit differs"),
            ("DELETE FROM command WHERE key='w1:open-1'", "command table differs"),
        ],
    )
    async def test_finds_what_was_changed_behind_the_halls_back(
        self, path: Path, statement: str, fault: str
    ) -> None:
        await run_a_morning(path)
        assert (await asyncio.to_thread(verify, path)).faults == []
        await asyncio.to_thread(edit, path, statement)
        assert any(fault in one for one in (await asyncio.to_thread(verify, path)).faults)

    async def test_finds_a_snapshot_that_the_log_does_not_give(self, path: Path) -> None:
        await run_a_morning(path)
        async with HallStore.open(path, clock=SystemClock()) as store:
            newest = (await store.snapshots())[0]
            await store.save_snapshot(
                newest.seq, newest.schema, newest.json.replace(b"A001", b"A1")
            )
        faults = (await asyncio.to_thread(verify, path)).faults
        assert faults == [f"snapshot after event {newest.seq} differs from the replayed state"]


class TestOpening:
    async def test_a_second_process_is_kept_out(self, store: HallStore, path: Path) -> None:
        with pytest.raises(StoreInUseError):
            await open_and_close(path)

    async def test_a_newer_database_is_refused_untouched(self, path: Path) -> None:
        await open_and_close(path)
        await asyncio.to_thread(edit, path, f"PRAGMA user_version={schema_version() + 1}")
        before = await asyncio.to_thread(path.read_bytes)
        with pytest.raises(NewerDatabaseError):
            await open_and_close(path)
        assert await asyncio.to_thread(path.read_bytes) == before

    async def test_another_programs_file_is_refused(self, path: Path) -> None:
        await asyncio.to_thread(edit, path, "CREATE TABLE bookmarks (url TEXT)")
        with pytest.raises(StoreOpenError, match="not a hall's database"):
            await open_and_close(path)

    async def test_a_damaged_file_is_refused(self, path: Path) -> None:
        await run_a_morning(path)

        def damage() -> None:
            data = bytearray(path.read_bytes())
            for page in range(3, len(data) // 4096):
                data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
            path.write_bytes(data)

        await asyncio.to_thread(damage)
        with pytest.raises(DamagedDatabaseError):
            await open_and_close(path)

    async def test_a_broken_reference_is_refused(self, path: Path) -> None:
        await run_a_morning(path)
        await asyncio.to_thread(edit, path, "UPDATE visit SET ticket='nobody'")
        with pytest.raises(DamagedDatabaseError, match="broken references"):
            await open_and_close(path)

    async def test_a_back_up_opens_as_a_hall(self, path: Path, tmp_path: Path) -> None:
        await run_a_morning(path)
        copy = tmp_path / "copy.sqlite"
        async with HallStore.open(path, clock=SystemClock()) as store:
            await store.backup(copy)
            tip = await store.tip()
        async with HallStore.open(copy, clock=SystemClock()) as store:
            assert await store.tip() == tip
        assert (await asyncio.to_thread(verify, copy)).faults == []


class TestMigrations:
    async def test_lead_from_nothing_to_the_tables_of_the_program(self, store: HallStore) -> None:
        assert accounts.metadata is tables.metadata

        def differences(connection: sa.Connection) -> list[Any]:
            context = MigrationContext.configure(connection)
            return [
                one
                for one in compare_metadata(context, tables.metadata)
                if getattr(one[1], "name", "") != "alembic_version"
            ]

        assert await store.read(differences) == []

    @pytest.mark.parametrize("frozen", sorted(FROZEN.glob("*.sql")), ids=lambda one: one.stem)
    async def test_bring_every_older_database_here_twice(
        self, frozen: Path, path: Path, tmp_path: Path
    ) -> None:
        script = await asyncio.to_thread(frozen.read_text, "utf-8")

        def thaw() -> None:
            connection = sqlite3.connect(path)
            connection.executescript(script)
            connection.close()

        await asyncio.to_thread(thaw)
        for _ in range(2):
            async with open_hall(path, clock=ManualClock(MONDAY_9), config=None) as hall:
                assert hall.state.config is not None
                assert hall.state.tickets
                assert "ix_event_config" in await hall.store.read(_plan_of_config_events)
        found = await asyncio.to_thread(verify, path)
        assert found.faults == []
        found_files = await asyncio.to_thread(lambda: list(tmp_path.glob("*.before-*")))
        backups = [one.name for one in found_files]
        older = int(frozen.stem) < schema_version()
        assert backups == ([f"hall.before-{schema_version():04d}.sqlite"] if older else [])

    async def test_mark_the_file(self, store: HallStore) -> None:
        pragmas = await store.read(
            lambda c: [
                c.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("application_id", "user_version")
            ]
        )
        assert pragmas == [APPLICATION_ID, schema_version()]


async def test_an_erased_citizen_is_in_no_table_but_the_sealed_log(path: Path) -> None:
    person = Person(
        kind=CertificateKind.RESIDENT_ID,
        masked_name="张*三",
        masked_number="230602********1238",
        sealed="k1.AAAA",
        index="0a" * 32,
    )
    async with open_hall(path, clock=ManualClock(MONDAY_9), config=small_hall()) as hall:
        for number in range(2):
            who = person if number else msgspec.structs.replace(person, index="0b" * 32)
            command = c.IssueTicket(item=CARE, token=f"token-{number}", device=KIOSK, person=who)
            await hall.submit(command, key=f"k1:{number:08d}", actor="kiosk:k1")
        forget = c.ApplyDirective(no=1, directive=ForgetPerson(person=person))
        await hall.submit(forget, key="dir:1", actor="city")
    first, second = await asyncio.to_thread(_people_on_tickets, path)
    assert first[1] == "张*三", "another citizen stays"
    assert second == (None,) * 5
    assert (await asyncio.to_thread(verify, path)).faults == [], "built again it is the same"


def _people_on_tickets(path: Path) -> list[tuple[str | None, ...]]:
    names = "person_kind, masked_name, masked_number, sealed, person_index"
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(f"SELECT {names} FROM ticket ORDER BY token").fetchall()
