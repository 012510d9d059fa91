"""What a job has done is written down as done, whatever becomes of its worker and of the database at that moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import pytest
import structlog
from patience import HANG_S, until

from console.core.audit import Audit
from console.core.databases import maintaining, name_of, quoted
from console.core.db import Database
from console.core.permissions import SYSTEM, Permission
from console.core.signals import Signals
from console.modules.jobs.api import JobKind, JobResult, JobRun, JobState
from console.modules.jobs.service import JobService
from console.modules.jobs.worker import Worker
from qingting.contract.base import Strict
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
GONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
DONE = JobResult(key="job.count", params={"done": 1, "total": 1})


class Nothing(Strict, frozen=True, kw_only=True):
    """Nothing to say."""


@dataclass
class Works:
    db: Database
    service: JobService
    worker: Worker

    async def begin(
        self, work: Callable[[], Awaitable[JobResult]]
    ) -> tuple[int, asyncio.Task[bool]]:
        async def run(job: JobRun, _: Nothing) -> JobResult:
            return await work()

        kind = JobKind(
            name="work", argument=Nothing, permission=Permission.RATINGS, run=run, resumable=True
        )
        self.service.declare(kind)
        async with self.db.write() as uow:
            no = await self.service.start(uow, SYSTEM, kind, Nothing())
        return no, asyncio.create_task(self.worker.work_once())

    async def state(self, no: int) -> JobState:
        async with self.db.read() as uow:
            return (await self.service.job(uow, SYSTEM, no)).state


@pytest.fixture
async def works(city_url: str) -> AsyncIterator[Works]:
    clock, db = ManualClock(1_795_395_600_000), Database(city_url)
    service = JobService(clock, Audit(clock))
    worker = Worker(db, Signals(city_url), clock, service, renew_seconds=0.05)
    yield Works(db, service, worker)
    await db.close()


async def test_work_that_was_done_while_its_worker_stopped_is_not_done_again(works: Works) -> None:
    begun = asyncio.Event()

    async def work() -> JobResult:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return DONE
        raise AssertionError

    no, working = await works.begin(work)
    async with asyncio.timeout(HANG_S):
        await begun.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    assert await works.state(no) is JobState.DONE


async def test_work_is_written_down_as_done_once_the_database_is_there_again(works: Works) -> None:
    url = works.db.url
    name = name_of(url)

    async def renamed(old: str, new: str) -> bool:
        """False while the worker that renews its lease is in again at once."""
        async with maintaining(url) as connection:
            await connection.execute(GONE, old)
            try:
                await connection.execute(f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}")
            except asyncpg.ObjectInUseError:
                return False
        return True

    async def work() -> JobResult:
        await until(lambda: renamed(name, f"{name}_away"))
        return DONE

    def waits() -> bool:
        return any(one["event"] == "job.result_waits" for one in logs)

    with structlog.testing.capture_logs() as logs:
        no, working = await works.begin(work)
        async with asyncio.timeout(HANG_S):
            await until(lambda: working.done() or waits())
            await until(lambda: renamed(f"{name}_away", name))
            assert await working
    assert await works.state(no) is JobState.DONE
