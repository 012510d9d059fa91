"""Restores on screen: what could be the city is shown, made ready by a job, and given over to all workers."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import sqlalchemy as sa
import structlog

from console.core.audit import Audit
from console.core.databases import Beside, Step, besides_in, name_of
from console.core.db import Database
from console.core.exchange import CHANNEL, put_beside
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.identity.api import ConfirmApi
from console.modules.jobs.api import JobKind, JobResult, JobRun, JobsApi
from console.modules.upkeep import models as m
from console.modules.upkeep.backups import Backups
from console.modules.upkeep.losing import Loss, Source, loss, of_archive, of_kept
from console.modules.upkeep.restoring import (
    Order,
    Prepared,
    drop_database,
    prepare,
    prepare_kept,
)
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)
_LOCK = 0x71757072
NOTED_MS = 7 * 86_400_000
"""So long the login page and the health page tell of a restore."""


class MakeRestore(Strict, frozen=True, kw_only=True):
    """An archive of the folder, or the name of a database that was the city."""

    file: str = ""
    kept: str = ""


class DropKept(Strict, frozen=True, kw_only=True):
    """A database that was the city."""

    name: str


class Restores:
    """Use cases. ``key`` gives the key that signs where the audit begins anew."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        audit: Audit,
        backups: Backups,
        jobs: JobsApi,
        confirm: ConfirmApi,
        key: Callable[[], bytes],
        offset: int,
    ) -> None:
        self._db, self._clock, self._audit = db, clock, audit
        self._backups, self._jobs, self.confirm = backups, jobs, confirm
        self._key = key
        self._zone = timezone(timedelta(minutes=offset))
        self._city = name_of(db.url)
        self.restoring = JobKind(
            name="backup.restore",
            argument=MakeRestore,
            permission=Permission.OPERATIONS,
            run=self._restore,
        )
        self.dropping = JobKind(
            name="backup.drop",
            argument=DropKept,
            permission=Permission.OPERATIONS,
            run=self._drop,
        )

    # ---- looking --------------------------------------------------------------------------------

    def shown(self, moment: int) -> str:
        """A state as people type it: ``2026-11-26 10:00``, in the city's time."""
        return datetime.fromtimestamp(moment / 1000, self._zone).strftime("%Y-%m-%d %H:%M")

    async def latest(self, uow: ReadUow) -> sa.RowMapping | None:
        """The restore that made this database the city, while it is news."""
        since = self._clock.now_ms() - NOTED_MS
        statement = sa.select(m.restored).where(m.restored.c.at > since)
        return await uow.first(statement.order_by(m.restored.c.no.desc()).limit(1))

    async def besides(self, uow: ReadUow) -> list[Beside]:
        """Databases that were the city, or were to become it."""
        return await besides_in(uow, self._city, sizes=True)

    def moment_of(self, one: Beside) -> int:
        """The state that a database holds; of one that an older program kept, the time in its name."""
        if one.mark is not None:
            return one.mark.moment
        stamp = datetime.strptime(one.name[-14:], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return int(stamp.timestamp() * 1000)

    async def source(self, uow: ReadUow, wish: MakeRestore) -> Source:
        """Raises ``backup.unknown``, ``backup.not_kept``, ``backup.damaged``, ``backup.newer``."""
        if not wish.kept:
            if not wish.file:
                raise Refusal("backup.unknown")
            return await asyncio.to_thread(of_archive, await self._backups.chosen(wish.file))
        kept = await self.kept(uow, wish.kept)
        return await of_kept(self._db.url, kept, self.moment_of(kept))

    async def kept(self, uow: ReadUow, name: str) -> Beside:
        """Raises ``backup.not_kept``; of one that is being made ready too."""
        found = [one for one in await self.besides(uow) if one.name == name]
        if not found or (found[0].mark and found[0].mark.step is Step.PREPARING):
            raise Refusal("backup.not_kept")
        return found[0]

    async def loss(self, uow: ReadUow, source: Source) -> Loss:
        return await loss(uow, source, self._clock.now_ms())

    # ---- acts -----------------------------------------------------------------------------------

    async def sure(
        self, uow: Uow, subject: Subject, moment: int, typed: str, password: str, code: str
    ) -> Refusal | None:
        """The refusal to show unless somebody typed the state in question and is who they are."""
        subject.require(Permission.OPERATIONS)
        if " ".join(typed.split()) != self.shown(moment):
            return Refusal("backup.not_typed", time=self.shown(moment))
        return await self.confirm.confirm_both(uow, subject, password, code)

    async def start(self, uow: Uow, subject: Subject, wish: MakeRestore) -> int:
        """The job's number. Raises ``backup.under_way``, ``backup.no_pages``."""
        subject.require(Permission.OPERATIONS)
        await self._refuse_two(uow)
        _ = self._backups.hosting
        object_ = wish.kept or wish.file
        await self._audit.write(uow, subject, "backup.restore", object=object_)
        return await self._jobs.start(uow, subject, self.restoring, wish)

    async def start_drop(self, uow: Uow, subject: Subject, name: str) -> int:
        """The job's number. Raises ``backup.not_kept``, ``backup.under_way``."""
        subject.require(Permission.OPERATIONS)
        await self._refuse_two(uow)
        await self.kept(uow, name)
        return await self._jobs.start(uow, subject, self.dropping, DropKept(name=name))

    async def _refuse_two(self, uow: Uow) -> None:
        """Whoever asks at the same moment waits here for the first one's commit, and is refused too."""
        await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        running = await self._jobs.latest(uow, self.restoring.name)
        marks = [one.mark for one in await self.besides(uow)]
        if (running and running.open) or any(one and one.step is Step.DUE for one in marks):
            raise Refusal("backup.under_way")

    async def sweep(self, uow: Uow) -> None:
        """Takes away what a worker was making ready when it died."""
        found = await besides_in(uow, self._city, sizes=False)
        left = [one for one in found if one.mark is not None and one.mark.step is Step.PREPARING]
        # Asked last: the job of whatever was found before is known by now.
        running = await self._jobs.latest(uow, self.restoring.name) if left else None
        if running is not None and running.open:
            return
        for one in left:
            log.warning("restore.swept", database=one.name)
            await drop_database(self._db.url, one.name)

    # ---- the jobs -------------------------------------------------------------------------------

    async def _restore(self, job: JobRun, given: MakeRestore) -> JobResult:
        order = Order(
            url=self._db.url,
            now_ms=self._clock.now_ms(),
            source=given.kept or given.file,
            program=self._backups.hosting.program,
            subject=job.subject,
            clock=self._clock,
            key=self._key(),
            job=job.no,
        )
        prepared = await self._prepared(job, order, given)
        try:
            await self._give_over(job, order, prepared)
        except BaseException:
            await self._take_back(order, prepared, given)
            raise
        return JobResult(key="restore.given_over", params={"source": order.source})

    async def _take_back(self, order: Order, prepared: Prepared, given: MakeRestore) -> None:
        """What could not be given over is the city's no more; a database that was kept stays."""
        if not given.kept:
            await drop_database(order.url, prepared.name)
            return
        mark = order.mark(Step.GIVEN_UP, prepared.moment)
        await put_beside(order.url, prepared.name, mark)

    async def _prepared(self, job: JobRun, order: Order, given: MakeRestore) -> Prepared:
        if given.kept:
            async with self._db.read() as uow:
                kept = await self.kept(uow, given.kept)
            return await prepare_kept(order, kept.name, self.moment_of(kept))
        archive = await self._backups.chosen(given.file)

        async def say(done: int, total: int, table: str) -> None:
            key = "backup.restoring" if done < total else "restore.looking"
            await job.say(key, done, total, table=table)

        return await prepare(order, archive, try_out=self._backups.hosting.try_out, say=say)

    async def _give_over(self, job: JobRun, order: Order, prepared: Prepared) -> None:
        """From here on all workers let go of the city as it is. Its own audit tells so with its last entry."""
        async with self._db.write() as uow:
            detail = f"before={order.former}"
            await self._audit.write(
                uow, job.subject, "backup.exchange", object=order.source, detail=detail
            )
            await job.keep(uow, "due")
            mark = order.mark(Step.DUE, prepared.moment)
            await put_beside(order.url, prepared.name, mark)
            uow.notify(CHANNEL, "")

    async def _drop(self, job: JobRun, given: DropKept) -> JobResult:
        async with self._db.write() as uow:
            await self.kept(uow, given.name)
            await self._audit.write(uow, job.subject, "backup.dropped", object=given.name)
        await drop_database(self._db.url, given.name)
        async with self._db.write() as uow:
            uow.changed("upkeep")
        return JobResult(key="restore.dropped", params={"name": given.name}, page="/backups")
