"""Backups of the city and restore drills: as jobs on screen, by themselves, and kept for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from console.core.audit import Audit
from console.core.db import Database
from console.core.permissions import SYSTEM, Permission, Subject
from console.core.uow import ReadUow, Uow
from console.core.upkeep import UpkeepSettings
from console.modules.jobs.api import JobInfo, JobKind, JobResult, JobRun, JobsApi, JobState
from console.modules.upkeep import models as m
from console.modules.upkeep.api import Hosting
from console.modules.upkeep.archive import NAME, read_manifest
from console.modules.upkeep.drill import Report, drill
from console.modules.upkeep.dumping import dump_city
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)
DAY_MS = 86_400_000
AGAIN_MS = 3_600_000
LOOK_SECONDS = 60.0
_LOCK = 0x71757063


class MakeBackup(Strict, frozen=True, kw_only=True):
    """A backup of now."""


class MakeDrill(Strict, frozen=True, kw_only=True):
    """A restore drill with an archive of the folder, empty: the newest."""

    file: str = ""


class Backups:
    """Makes, lists and tries archives in the folder of the settings."""

    def __init__(
        self, db: Database, clock: Clock, audit: Audit, settings: UpkeepSettings, offset: int
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._offset_ms = offset * 60_000
        self.settings = settings
        self.given: Hosting | None = None
        self.making = JobKind(
            name="backup.city",
            argument=MakeBackup,
            permission=Permission.OPERATIONS,
            run=self._make,
        )
        self.drilling = JobKind(
            name="backup.drill",
            argument=MakeDrill,
            permission=Permission.OPERATIONS,
            run=self._drill,
        )

    @property
    def folder(self) -> Path:
        """Raises ``backup.no_folder``."""
        if self.settings.backup_folder is None:
            raise Refusal("backup.no_folder")
        return self.settings.backup_folder

    @property
    def hosting(self) -> Hosting:
        """Raises ``backup.no_pages`` in a process that serves none."""
        if self.given is None:
            raise Refusal("backup.no_pages")
        return self.given

    # ---- looking --------------------------------------------------------------------------------

    async def made(self, uow: ReadUow) -> Sequence[sa.RowMapping]:
        """Newest first; those whose archive is gone are listed for the history."""
        return await uow.all(sa.select(m.backup).order_by(m.backup.c.at.desc()).limit(60))

    async def drills(self, uow: ReadUow) -> Sequence[sa.RowMapping]:
        """Newest first."""
        return await uow.all(sa.select(m.drill).order_by(m.drill.c.no.desc()).limit(20))

    async def files(self) -> list[str]:
        """Names of the archives in the folder, newest first."""
        if self.settings.backup_folder is None:
            return []
        return await asyncio.to_thread(_archives, self.settings.backup_folder)

    # ---- the jobs -------------------------------------------------------------------------------

    async def _make(self, job: JobRun, given: MakeBackup) -> JobResult:
        began = self._clock.now_ms()

        async def say(done: int, total: int, table: str) -> None:
            await job.say("backup.dumping", done, total, table=table)

        archive = await dump_city(self._db.url, self.folder, began, say)
        manifest = await asyncio.to_thread(read_manifest, archive)
        size = (await asyncio.to_thread(archive.stat)).st_size
        dropped = await asyncio.to_thread(_drop_old, self.folder, self.settings.backup_keep)
        row = {
            "file": archive.name,
            "at": began,
            "bytes": size,
            "rows": manifest.rows,
            "took_ms": self._clock.now_ms() - began,
            "by_name": job.subject.name[:80],
        }
        async with self._db.write() as uow:
            await uow.run(insert(m.backup).values(row).on_conflict_do_nothing())
            detail = f"{size} bytes, {manifest.rows} rows, {len(dropped)} dropped"
            await self._audit.write(
                uow, job.subject, "backup.made", object=archive.name, detail=detail
            )
            uow.changed("upkeep")
        params: dict[str, str | int] = {
            "file": archive.name,
            "rows": manifest.rows,
            "mb": max(1, size // 1_000_000),
        }
        return JobResult(key="backup.made", params=params)

    async def _drill(self, job: JobRun, given: MakeDrill) -> JobResult:
        archive = await self.chosen(given.file)
        began = self._clock.now_ms()

        async def say(done: int, total: int, table: str) -> None:
            await job.say("backup.restoring", done, total, table=table)

        report = await drill(self._db.url, archive, self.hosting.try_out, say)
        async with self._db.write() as uow:
            await uow.run(
                sa.insert(m.drill).values(
                    file=archive.name,
                    at=began,
                    good=report.good,
                    report=msgspec.json.encode(report).decode(),
                    took_ms=self._clock.now_ms() - began,
                    by_name=job.subject.name[:80],
                )
            )
            result = "done" if report.good else "backup.drill_failed"
            await self._audit.write(
                uow, job.subject, "backup.drill", object=archive.name, result=result
            )
            uow.changed("upkeep")
        if not report.good:
            raise Refusal("backup.drill_failed", file=archive.name)
        return JobResult(key="backup.drilled", params={"file": archive.name})

    async def chosen(self, name: str) -> Path:
        """Only what lies in the folder itself. Raises ``backup.unknown``."""
        known = await self.files()
        if not known or (name and name not in known):
            raise Refusal("backup.unknown")
        return self.folder / (name or known[0])

    # ---- by themselves --------------------------------------------------------------------------

    async def due(self, uow: Uow, jobs: JobsApi, subject: Subject = SYSTEM) -> None:
        """Starts the day's backup, again when it failed, and a drill when it is time. One worker at a time decides."""
        if self.settings.backup_folder is None:
            return
        if not await uow.scalar(
            sa.text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
        ):
            return
        local = self._clock.now_ms() + self._offset_ms
        last = await jobs.latest(uow, self.making.name)
        today = local // DAY_MS
        late = local % DAY_MS >= self.settings.backup_hour * 3_600_000
        if late and (self._day(last) < today or self._came_to_nothing(last)):
            await jobs.start(uow, subject, self.making, MakeBackup())
            return
        drilled = await jobs.latest(uow, self.drilling.name)
        quiet = last is not None and not last.open and bool(await self.files())
        wanted = self.settings.drill_days
        if quiet and wanted and self._day(drilled) <= today - wanted:
            await jobs.start(uow, subject, self.drilling, MakeDrill())

    def _came_to_nothing(self, job: JobInfo | None) -> bool:
        """A worker was restarted in the middle, or the folder was away: an hour later it may be made."""
        if job is None or job.state is not JobState.FAILED:
            return False
        return self._clock.now_ms() - job.ended_at >= AGAIN_MS

    def _day(self, job: JobInfo | None) -> int:
        return (job.asked_at + self._offset_ms) // DAY_MS if job is not None else -1


def report_of(row: sa.RowMapping) -> Report:
    return msgspec.json.decode(row["report"], type=Report)


def scheduled(
    db: Database, backups: Backups, jobs: JobsApi, sweep: Callable[[Uow], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """The job that looks whether a backup is due, and ``sweep``s; any number of workers may run it."""

    async def run() -> None:
        if backups.settings.backup_folder is None:
            log.warning("backup.off", setting="backup_folder", hint="no backup is made by itself")
        while True:
            # A process that was only started for a command is gone before it would begin something long.
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with db.write() as uow:
                    await sweep(uow)
                    await backups.due(uow, jobs)
            except Refusal as refusal:
                if refusal.code != "city.unavailable":
                    raise

    return run


def _archives(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted((one.name for one in folder.glob(f"{NAME}*.tar")), reverse=True)


def _drop_old(folder: Path, keep: int) -> list[str]:
    """Archives beyond the newest ``keep``; their names say when they were made."""
    old = _archives(folder)[max(1, keep) :]
    for name in old:
        (folder / name).unlink(missing_ok=True)
    return old
