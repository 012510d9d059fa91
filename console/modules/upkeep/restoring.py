"""Restoring the city: another database is made ready beside it, and takes its place when it is sound."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.audit_reading import head_now, restored_words
from console.core.databases import (
    Marker,
    Step,
    administer,
    beside,
    connected,
    maintaining,
    name_of,
    named,
    put_mark,
    quoted,
)
from console.core.db import Database
from console.core.exchange import exchange, in_use
from console.core.migrate import NewerDatabaseError, migrate
from console.core.permissions import SYSTEM, Subject
from console.modules.upkeep import models as m
from console.modules.upkeep.api import Program, TryOut
from console.modules.upkeep.archive import Manifest, read_manifest
from console.modules.upkeep.drill import Finding, check, look_in, scratch
from console.modules.upkeep.dumping import Say, restore_into, silent
from console.modules.upkeep.onward import go_on
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock, SystemClock

_OVER = (
    "UPDATE job_job SET state = 'done', saying = '', ended_at = CAST($1 AS bigint), expires_at = CAST($1 AS bigint) + 1209600000"
    " WHERE state = 'running' AND kind IN ('backup.city', 'backup.restore')"
)
"""The job that made an archive runs for ever in it, and the one that gave the city over in what was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is put in the place of the city that ``url`` names, and by whom. ``source``: name of the archive, or of the kept
    database; ``key`` signs that the audit begins anew there."""

    url: str
    now_ms: int
    source: str
    program: Program
    subject: Subject = SYSTEM
    clock: Clock = field(default_factory=SystemClock)
    key: bytes = b""
    job: int = 0

    @property
    def stamp(self) -> str:
        return datetime.fromtimestamp(self.now_ms / 1000, UTC).strftime("%Y%m%d%H%M%S")

    @property
    def fresh(self) -> str:
        return named(name_of(self.url), "new", self.stamp)

    @property
    def former(self) -> str:
        """What the city of now will be called."""
        return named(name_of(self.url), "before", self.stamp)

    def mark(self, step: Step, moment: int) -> Marker:
        return Marker(
            of=name_of(self.url),
            step=step,
            at=self.clock.now_ms(),
            moment=moment,
            source=self.source,
            by=self.subject.name[:80],
            job=self.job,
            former=self.former,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A database that could be the city now. ``moment``: the state that it holds."""

    name: str
    moment: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put in force. ``former`` is the name under which the database before it is kept."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    former: str


async def restore_city(
    url: str, archive: Path, now_ms: int, program: Program, *, key: bytes = b""
) -> Restored:
    """Puts the content of ``archive`` in the place of the database that ``url`` names, which is renamed and kept.

    Nobody may be connected. Raises ``backup.in_use`` and what :func:`prepare` raises; then nothing has changed.
    """
    order = Order(url=url, now_ms=now_ms, source=archive.name, program=program, key=key)
    await _refuse_in_use(order)
    manifest = await asyncio.to_thread(read_manifest, archive)
    prepared = await prepare(order, archive)
    try:
        await _refuse_in_use(order)
        mark = order.mark(Step.DUE, prepared.moment)
        async with maintaining(url) as connection:
            await exchange(connection, name_of(url), prepared.name, mark)
    except BaseException as error:
        await drop_database(url, prepared.name)
        if isinstance(error, asyncpg.ObjectInUseError):
            raise Refusal("backup.in_use", n=1) from error
        raise
    return Restored(manifest=manifest, findings=prepared.findings, former=order.former)


async def _refuse_in_use(order: Order) -> None:
    async with maintaining(order.url) as connection:
        used = await in_use(connection, name_of(order.url))
    if used:
        raise Refusal("backup.in_use", n=used)


async def prepare(
    order: Order, archive: Path, *, try_out: TryOut | None = None, say: Say = silent
) -> Prepared:
    """Restores ``archive`` into a database of its own and makes it ready, while the city goes on.

    Raises ``backup.damaged``, ``backup.failed``, ``backup.newer``, and ``backup.drill_failed`` when what came out is not
    sound; then nothing is left of it.
    """
    await administer(
        order.url, f"CREATE DATABASE {quoted(order.fresh)} TEMPLATE template0 ENCODING 'UTF8'"
    )
    try:
        async with maintaining(order.url) as connection:
            await put_mark(connection, order.fresh, order.mark(Step.PREPARING, 0))
        place = beside(order.url, order.fresh)
        manifest = await restore_into(place, archive, say)
        findings = await check(place, manifest)
        await _bring_up(place, order.program.migrations)
        if try_out is not None:
            # Who looks changes something: a copy is looked at.
            async with scratch(order.url, order.fresh) as copy:
                findings.append(await look_in(copy, try_out))
        _refuse_unsound(findings, archive)
        await _make_ready(order, place, manifest.made_at)
        await _note_backup(place, archive, manifest)
    except BaseException:
        await drop_database(order.url, order.fresh)
        raise
    return Prepared(name=order.fresh, moment=manifest.made_at, findings=tuple(findings))


async def prepare_kept(order: Order, name: str, moment: int) -> Prepared:
    """Makes a database ready that was the city. Raises ``backup.newer``."""
    place = beside(order.url, name)
    await _bring_up(place, order.program.migrations)
    await _make_ready(order, place, moment)
    return Prepared(name=name, moment=moment)


async def drop_database(url: str, name: str) -> None:
    """Also while somebody is connected to it."""
    await administer(url, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")


def _refuse_unsound(findings: Sequence[Finding], archive: Path) -> None:
    if not all(one.good for one in findings):
        raise Refusal("backup.drill_failed", file=archive.name)


async def _bring_up(url: str, migrations: tuple[str, ...]) -> None:
    try:
        await migrate(url, migrations)
    except NewerDatabaseError as error:
        raise Refusal("backup.newer") from error


async def _make_ready(order: Order, url: str, moment: int) -> None:
    """Nobody is logged in any more, numbers go on behind those that were given, and the halls may have been given numbers of directives that this database knows
    nothing of: none gets another until it has reported, also one that is enrolled only after this. What modules have to do
    about what happened outside since is done."""
    async with connected(url) as connection, connection.transaction():
        await connection.execute("UPDATE hall_hall SET settled = false")
        await connection.execute("ALTER TABLE hall_hall ALTER COLUMN settled SET DEFAULT false")
        await connection.execute(_OVER, order.now_ms)
        await go_on(connection, order.url)
        for table in order.program.passing:
            await connection.execute(f"DELETE FROM {quoted(table)}")  # noqa: S608 - our own names
        for statement in order.program.restored:
            await connection.execute(statement, order.clock.now_ms())
    await _write_down(order, url, moment)


async def _write_down(order: Order, url: str, moment: int) -> None:
    """That it was restored, by whom and from what, where it will be read: the city's own audit is the former one's."""
    db, now = Database(url, pool_size=1), order.clock.now_ms()
    try:
        async with db.write() as uow:
            head = await head_now(uow, now, order.key) if order.key else None
            detail = restored_words(moment, order.former, head)
            await Audit(order.clock).write(
                uow, order.subject, "backup.restored", object=order.source, detail=detail
            )
            await uow.run(
                sa.insert(m.restored).values(
                    at=now,
                    moment=moment,
                    source=order.source,
                    former=order.former,
                    by_name=order.subject.name[:80],
                )
            )
    finally:
        await db.close()


async def _note_backup(url: str, archive: Path, manifest: Manifest) -> None:
    """The archive itself does not know that it was finished."""
    size = (await asyncio.to_thread(archive.stat)).st_size
    async with connected(url) as connection:
        await connection.execute(
            "INSERT INTO up_backup (file, at, bytes, rows, took_ms, by_name) VALUES ($1, $2, $3, $4, 0, '')"
            " ON CONFLICT DO NOTHING",
            *(archive.name, manifest.made_at, size, manifest.rows),
        )
