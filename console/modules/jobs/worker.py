"""The worker: takes a job, keeps its lease, and ends it honestly whatever happens to job, database or itself."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from console.core.db import Database
from console.core.permissions import Subject
from console.core.signals import Signals
from console.core.uow import Uow
from console.modules.jobs import repository as repo
from console.modules.jobs.api import MOST_WHYS, JobFile, JobKind, JobResult, Saying
from console.modules.jobs.service import JobService
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)
LEASE_MS = 30_000
"""A worker that has not renewed for so long is taken for dead."""
RENEW_SECONDS = 1.0
"""Also how soon a running job learns that it was cancelled."""
POLL_SECONDS = 5.0
SAY_SECONDS = 0.5
MOST_ATTEMPTS = 3
DAY_MS = 86_400_000
_subjects = msgspec.json.Decoder(Subject)


class Run:
    """A running job; implements :class:`console.modules.jobs.api.JobRun`."""

    def __init__(self, db: Database, row: sa.RowMapping, worker: str) -> None:
        self._db = db
        self._worker = worker
        self._said_at = 0.0
        self.no: int = row["no"]
        self.subject = _subjects.decode(row["subject"])
        self.checkpoint: str = row["checkpoint"]

    async def say(self, key: str, done: int = 0, total: int = 0, /, **params: str | int) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._said_at < SAY_SECONDS and done != total:
            return
        self._said_at = now
        saying = msgspec.json.encode(Saying(key=key, params=params)).decode()
        async with self._db.write() as uow:
            await self._mine(uow, saying=saying, done=done, total=total)

    async def keep(self, uow: Uow, checkpoint: str) -> None:
        await self._mine(uow, checkpoint=checkpoint)
        self.checkpoint = checkpoint

    async def _mine(self, uow: Uow, **values: object) -> None:
        if not await repo.change(uow, self.no, self._worker, **values):
            raise asyncio.CancelledError


class Worker:
    """One slot: one job at a time."""

    def __init__(
        self,
        db: Database,
        signals: Signals,
        clock: Clock,
        jobs: JobService,
        *,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._db = db
        self._renew_seconds = renew_seconds
        self._clock = clock
        self._jobs = jobs
        self._news = asyncio.Event()
        signals.subscribe(repo.WAITING_CHANNEL, lambda _: self._news.set())
        self.name = new_token()

    async def run(self) -> None:
        """Until cancelled. While PostgreSQL is away nothing is begun."""
        while True:
            self._news.clear()
            try:
                busy = await self.work_once()
            except Refusal as refusal:
                if refusal.code != "city.unavailable":
                    raise
                busy = False
            if not busy:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._news.wait()

    async def work_once(self) -> bool:
        """Takes and finishes one job; False when there is none."""
        now = self._clock.now_ms()
        async with self._db.write() as uow:
            row = await repo.take(uow, self.name, self._jobs.kinds, now, now + LEASE_MS)
            if row is None:
                return False
            kind = self._jobs.kinds[row["kind"]]
            refused = _over_before(row, kind)
            if refused:
                await self._end(uow, row["no"], kind, **refused)
                return True
            uow.changed("jobs")
        await self._carry_out(row, kind)
        return True

    async def _carry_out(self, row: sa.RowMapping, kind: JobKind[Any]) -> None:
        run, no = Run(self._db, row, self.name), row["no"]
        argument = msgspec.json.decode(row["argument"], type=kind.argument)
        work = asyncio.ensure_future(kind.run(run, argument))
        guard = asyncio.ensure_future(self._guard(no, work))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            with suppress(Refusal):
                await asyncio.shield(self._let_go(no, kind, work))
            raise
        finally:
            guard.cancel()
            await asyncio.wait({guard})
        cancelled_by = "" if guard.cancelled() else guard.result()
        await self._write_down(no, kind, work, cancelled_by)

    async def _let_go(self, no: int, kind: JobKind[Any], work: "asyncio.Future[JobResult]") -> None:
        """This worker stops in good order. What was done all the same is not done again."""
        if work.cancelled() or work.exception() is not None:
            await self._hand_back(no, kind)
        else:
            await self._succeed(no, kind, work.result())

    async def _guard(self, no: int, work: "asyncio.Future[JobResult]") -> str | None:
        """Renews the lease, and stops the work that was cancelled or is another worker's now (None)."""
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                async with self._db.write() as uow:
                    until = self._clock.now_ms() + LEASE_MS
                    cancelled_by = await repo.renew(uow, no, self.name, until)
            except Exception as error:
                # Without its guard the work would go on under a lease that runs out.
                if not isinstance(error, Refusal) or error.code != "city.unavailable":
                    log.exception("job.not_renewed", job=no)
                continue
            if cancelled_by != "":
                work.cancel()
                return cancelled_by

    async def _write_down(
        self, no: int, kind: JobKind[Any], work: "asyncio.Future[JobResult]", by: str | None
    ) -> None:
        if work.cancelled():
            if by:
                await self._finish(no, kind, state="cancelled")
            else:
                log.warning("job.taken_over", job=no, kind=kind.name)
            return
        error = work.exception()
        if error is None:
            await self._succeed(no, kind, work.result())
        elif isinstance(error, Refusal):
            log.info("job.refused", job=no, kind=kind.name, code=error.code)
            await self._finish(no, kind, **_refused(error))
        else:
            log.error("job.failed", job=no, kind=kind.name, exc_info=error)
            await self._finish(no, kind, **_refused(Refusal("internal")))

    async def _succeed(self, no: int, kind: JobKind[Any], result: JobResult) -> None:
        if result.file is not None and len(result.file.data) > repo.MAX_FILE:
            megabytes = repo.MAX_FILE // 1024 // 1024
            await self._finish(no, kind, **_refused(Refusal("job.file_large", n=megabytes)))
            return
        saying = Saying(
            key=result.key,
            params=dict(result.params),
            whys=tuple(result.whys[:MOST_WHYS]),
            page=result.page,
        )
        said = msgspec.json.encode(saying).decode()
        while not await self._said_done(no, kind, said, result.file):
            log.warning("job.result_waits", job=no, kind=kind.name)
            await asyncio.sleep(self._renew_seconds)

    async def _said_done(
        self, no: int, kind: JobKind[Any], said: str, file: JobFile | None
    ) -> bool:
        """False while PostgreSQL is away: what nobody knows to be done would be done again."""
        try:
            async with self._db.write() as uow:
                if await self._end(uow, no, kind, state="done", saying=said) and file is not None:
                    await repo.put_file(uow, no, file)
        except Refusal as refusal:
            if refusal.code != "city.unavailable":
                raise
            return False
        return True

    async def _finish(self, no: int, kind: JobKind[Any], **values: object) -> None:
        async with self._db.write() as uow:
            await self._end(uow, no, kind, **values)

    async def _end(self, uow: Uow, no: int, kind: JobKind[Any], **values: object) -> bool:
        now = self._clock.now_ms()
        kept = now + kind.keep_days * DAY_MS
        return await repo.change(uow, no, self.name, ended_at=now, expires_at=kept, **values)

    async def _hand_back(self, no: int, kind: JobKind[Any]) -> None:
        """Another begins the job again, or it failed."""
        if not kind.resumable:
            await self._finish(no, kind, **_refused(Refusal("job.interrupted")))
            return
        async with self._db.write() as uow:
            await repo.change(uow, no, self.name, state="waiting", attempts=0)
            uow.notify(repo.WAITING_CHANNEL, "")


def _over_before(row: sa.RowMapping, kind: JobKind[Any]) -> dict[str, object]:
    """How a job ends whose worker died; empty for one to begin, or to begin again."""
    if row["attempts"] > 1:
        if row["cancelled_by"]:
            return {"state": "cancelled"}
        if not kind.resumable or row["attempts"] > MOST_ATTEMPTS:
            return _refused(Refusal("job.interrupted"))
    return {}


def _refused(refusal: Refusal) -> dict[str, object]:
    params = msgspec.json.encode(refusal.params).decode()
    return {"state": "failed", "code": refusal.code, "params": params}


def working(
    db: Database, signals: Signals, clock: Clock, jobs: JobService
) -> Callable[[], Awaitable[None]]:
    """One slot of a process, for :meth:`console.core.module.ModuleContext.job`."""
    return Worker(db, signals, clock, jobs).run
