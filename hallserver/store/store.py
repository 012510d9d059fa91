"""The hall's database: an append-only log, its projections, snapshots; one writer, read-only readers."""

import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import OperationalError

from hallserver.store import tables as t
from hallserver.store.batch import Batch, StoredEvent, Tip
from hallserver.store.errors import CommitError, ReadDeadlineError
from hallserver.store.lane import Lane
from hallserver.store.opening import Reader, Writer, backup, open_reader, open_writer
from hallserver.store.sql import compile_sql
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

T = TypeVar("T")

READ_SECONDS = 5.0
"""Deadline of a read unless the caller sets one."""
READERS = 2
SNAPSHOTS_KEPT = 3
_PROGRESS_STEPS = 2000
"""Virtual machine steps of SQLite between two looks at the deadline, well under a millisecond."""


def _positional(table: str, columns: Iterable[str]) -> str:
    names = list(columns)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of our own tables


_INSERT_EVENT = _positional("event", t.event.columns.keys())
_INSERT_COMMAND = _positional("command", t.command.columns.keys())
_EVENTS = compile_sql(
    select(t.event.c.seq, t.event.c.json, t.event.c.hash)
    .where(t.event.c.seq > bindparam("after"))
    .order_by(t.event.c.seq),
    limit="most",
)
_TIP = compile_sql(
    select(t.event.c.seq, t.event.c.hash).order_by(t.event.c.seq.desc()), limit="one"
)
_FORMER = compile_sql(
    select(t.command.c.first_seq, t.command.c.last_seq).where(t.command.c.key == bindparam("key"))
)
_RECENT = compile_sql(select(t.command).order_by(t.command.c.last_seq.desc()), limit="most")


class Span(NamedTuple):
    """First and last event of a command."""

    first: int
    last: int


class StoredSnapshot(NamedTuple):
    """The state after event ``seq`` as JSON; ``schema`` says which program can read it."""

    seq: int
    schema: int
    json: bytes


class HallStore:
    """A hall's SQLite file. Made by :meth:`open`.

    ``epoch`` names this log towards the city; ``parent`` is where it forked, ``(0, 0)`` when it never did; ``born``
    is when it was made (UTC ms).
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.epoch = 0
        self.parent = (0, 0)
        self.born = 0
        self._clock = clock
        self._writer: Lane[Writer] = Lane("hall-writer", lambda: open_writer(path), Writer.close)
        self._readers: list[Lane[Reader]] = [
            Lane(f"hall-reader-{number}", lambda: open_reader(path), Reader.close)
            for number in range(READERS)
        ]

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, *, clock: Clock) -> AsyncIterator[Self]:
        """Opens or creates the database, after its checks and migrations.

        Raises :class:`hallserver.store.errors.StoreOpenError` when it must not be used.
        """
        store = cls(path, clock)
        async with AsyncExitStack() as stack:
            await store._writer.start()
            stack.push_async_callback(store._writer.stop)
            for reader in store._readers:
                await reader.start()
                stack.push_async_callback(reader.stop)
            await store._introduce()
            yield store

    async def _introduce(self) -> None:
        now = self._clock.now_ms()

        def work(writer: Writer) -> tuple[int, int, int, int]:
            # Seconds since 1970 as the epoch: a store made anew after a lost disk never repeats one.
            with writer.engine.begin() as connection:
                connection.execute(
                    upsert(t.meta)
                    .values(id=1, epoch=now // 1000, created_at=now)
                    .on_conflict_do_nothing()
                )
                row = connection.execute(
                    select(
                        t.meta.c.epoch,
                        t.meta.c.created_at,
                        t.meta.c.parent_epoch,
                        t.meta.c.parent_seq,
                    )
                ).one()
            return row[0], row[1], row[2], row[3]

        self.epoch, self.born, *parent = await self._writer.run(work)
        self.parent = (parent[0], parent[1])

    # ---- units of work --------------------------------------------------------------------------

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work`` in the writer thread in a transaction of its own; commits unless it raises.

        Raises what ``work`` raises; ``Refusal("store.unavailable")`` when the disk does not take it.
        """

        def unit(writer: Writer) -> T:
            with writer.engine.begin() as connection:
                return work(connection)

        try:
            return await self._writer.run(unit)
        except OperationalError as error:
            raise Refusal("store.unavailable") from error

    async def read(self, work: Callable[[Connection], T], *, seconds: float = READ_SECONDS) -> T:
        """Runs ``work`` on a connection that cannot write, on one snapshot of the data.

        Raises :class:`ReadDeadlineError` after ``seconds``, time in the queue included.
        """

        def unit(reader: Reader) -> T:
            with reader.engine.connect() as connection:
                return work(connection)

        return await self._timed(unit, seconds)

    async def _timed(self, unit: Callable[[Reader], T], seconds: float) -> T:
        clock = self._clock
        until = clock.monotonic() + seconds

        def timed(reader: Reader) -> T:
            reader.raw.set_progress_handler(lambda: clock.monotonic() > until, _PROGRESS_STEPS)
            try:
                return unit(reader)
            except (sqlite3.OperationalError, OperationalError) as error:
                if clock.monotonic() > until:
                    raise ReadDeadlineError from error
                raise
            finally:
                reader.raw.set_progress_handler(None, 0)

        return await min(self._readers, key=lambda lane: lane.pending).run(timed)

    # ---- the log --------------------------------------------------------------------------------

    async def append(self, batch: Batch) -> None:
        """Commits a batch or raises :class:`CommitError`; then nothing of it counts as done."""
        await self._writer.run(lambda writer: _append(writer.raw, batch))

    async def tip(self) -> Tip:
        """The end of the committed log."""
        row = await self._writer.run(lambda writer: writer.raw.execute(_TIP, {"one": 1}).fetchone())
        return Tip(*row) if row is not None else Tip()

    async def events(self, after_seq: int, limit: int) -> list[StoredEvent]:
        """At most ``limit`` committed events after ``after_seq``, in order."""
        parameters = {"after": after_seq, "most": limit}
        rows = await self._timed(
            lambda reader: reader.raw.execute(_EVENTS, parameters).fetchall(), READ_SECONDS
        )
        return [StoredEvent(*row) for row in rows]

    async def former(self, keys: Iterable[str]) -> dict[str, Span]:
        """Which of these idempotency keys have changed the hall, and with which events."""
        wanted = tuple(keys)

        def work(reader: Reader) -> dict[str, Span]:
            rows = ((key, reader.raw.execute(_FORMER, {"key": key}).fetchone()) for key in wanted)
            return {key: Span(*row) for key, row in rows if row is not None}

        return await self._timed(work, READ_SECONDS)

    async def recent_commands(self, limit: int) -> list[tuple[str, Span]]:
        """The newest ``limit`` keys, oldest first."""
        rows = await self._timed(
            lambda reader: reader.raw.execute(_RECENT, {"most": limit}).fetchall(), READ_SECONDS
        )
        return [(key, Span(first, last)) for key, first, last in reversed(rows)]

    # ---- snapshots and back-ups -----------------------------------------------------------------

    async def save_snapshot(self, seq: int, schema: int, json: bytes) -> None:
        """Keeps the state after ``seq``; the oldest beyond :data:`SNAPSHOTS_KEPT` are dropped."""

        def work(connection: Connection) -> None:
            blob = zlib.compress(json, 1)
            values = {"seq": seq, "schema": schema, "blob": blob}
            statement = upsert(t.snapshot).values(values)
            connection.execute(statement.on_conflict_do_update(index_elements=["seq"], set_=values))
            kept = select(t.snapshot.c.seq).order_by(t.snapshot.c.seq.desc()).limit(SNAPSHOTS_KEPT)
            connection.execute(t.snapshot.delete().where(t.snapshot.c.seq.not_in(kept)))

        await self.write(work)

    async def snapshots(self) -> list[StoredSnapshot]:
        """Newest first."""

        def work(connection: Connection) -> list[StoredSnapshot]:
            rows = connection.execute(
                select(t.snapshot.c.seq, t.snapshot.c.schema, t.snapshot.c.blob).order_by(
                    t.snapshot.c.seq.desc()
                )
            )
            return [StoredSnapshot(row.seq, row.schema, zlib.decompress(row.blob)) for row in rows]

        return await self.read(work)

    async def backup(self, target: Path) -> None:
        """Writes a consistent copy as one file, between two commits."""
        await self._writer.run(lambda writer: backup(writer.raw, target))


def _append(raw: sqlite3.Connection, batch: Batch) -> None:
    try:
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(_INSERT_EVENT, batch.events)
        raw.executemany(_INSERT_COMMAND, batch.commands)
        for sql, rows in batch.changes():
            raw.executemany(sql, rows)
        raw.execute("COMMIT")
    except sqlite3.Error as error:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        conflict = not isinstance(error, sqlite3.OperationalError)
        raise CommitError(conflict) from error
