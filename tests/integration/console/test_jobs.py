"""Jobs: each is done once, however many workers there are and whatever becomes of them."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from console_browser import Browser, browser, console
from patience import HANG_S, until

from console.app.server import ConsoleReady
from console.core.audit import Audit, read_audit
from console.core.db import Database
from console.core.permissions import (
    NOBODY,
    SYSTEM,
    Area,
    Permission,
    Scope,
    Subject,
    grants_everywhere,
)
from console.core.signals import Signals
from console.core.turns import Turn
from console.core.uow import Uow
from console.modules.jobs import repository as repo
from console.modules.jobs.api import (
    JOBS,
    JobFile,
    JobKind,
    JobResult,
    JobRun,
    JobState,
    Why,
    all_or_nothing,
)
from console.modules.jobs.service import JobService
from console.modules.jobs.worker import LEASE_MS, Run, Worker
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
ROOT = str(Path(__file__).resolve().parents[3])
NOW = 1_795_395_600_000
CLERK = Subject(
    id="clerk", name="Clerk", grants={Permission.RATINGS: Scope((Area(halls=frozenset({"h1"})),))}
)


class Sum(Strict, frozen=True, kw_only=True):
    """Work to do: add up to ``upto``."""

    upto: int = 3


@dataclass
class Works:
    """Two workers over one database, and what their jobs did."""

    db: Database
    clock: ManualClock
    signals: Signals
    service: JobService
    first: Worker
    second: Worker
    ran: list[int] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, kind: JobKind[Sum], subject: Subject = SYSTEM, hall: str = "") -> int:
        async with self.db.write() as uow:
            return await self.service.start(uow, subject, kind, Sum(), hall=hall)

    async def state(self, no: int, subject: Subject = SYSTEM) -> JobState:
        async with self.db.read() as uow:
            return (await self.service.job(uow, subject, no)).state


@pytest.fixture
async def works(city_url: str) -> AsyncIterator[Works]:
    clock, db, signals = ManualClock(NOW), Database(city_url), Signals(city_url)
    service = JobService(clock, Audit(clock))
    first = Worker(db, signals, clock, service, renew_seconds=0.05)
    yield Works(db, clock, signals, service, first, Worker(db, signals, clock, service))
    await db.close()


def declared(works: Works, name: str = "sum", *, resumable: bool = False) -> JobKind[Sum]:
    """A kind that notes each run and waits at the gate in between."""

    async def run(job: JobRun, given: Sum) -> JobResult:
        works.ran.append(job.no)
        await job.say("job.count", 1, given.upto, done=1, total=given.upto)
        works.begun.set()
        await works.gate.wait()
        async with works.db.write() as uow:
            await job.keep(uow, f"{job.checkpoint}+")
        text = JobFile(name="sum.txt", media="text/plain", data=b"6")
        return JobResult(key="job.count", params={"done": 6, "total": 6}, file=text)

    kind = JobKind(
        name=name, argument=Sum, permission=Permission.RATINGS, run=run, resumable=resumable
    )
    works.service.declare(kind)
    return kind


async def drain(worker: Worker) -> None:
    while await worker.work_once():
        pass


async def test_two_workers_do_each_job_once(works: Works) -> None:
    kind = declared(works)
    works.gate.set()
    numbers = [await works.start(kind) for _ in range(12)]
    async with asyncio.timeout(HANG_S):
        await asyncio.gather(drain(works.first), drain(works.second))
    assert sorted(works.ran) == numbers
    async with works.db.read() as uow:
        done = await works.service.job(uow, SYSTEM, numbers[0])
    assert (done.state, done.file, done.percent) == (JobState.DONE, "sum.txt", 100)
    assert done.saying.params == {"done": 6, "total": 6}


async def test_a_job_of_a_transaction_that_fails_never_was(works: Works) -> None:
    kind = declared(works)

    async def fail() -> None:
        async with works.db.write() as uow:
            await works.service.start(uow, SYSTEM, kind, Sum())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not await works.first.work_once()


@pytest.mark.parametrize("resumable", [True, False])
async def test_a_job_whose_worker_lost_its_lease_is_taken_over_or_fails_and_is_never_ended_twice(
    works: Works, resumable: bool
) -> None:
    no = await works.start(declared(works, resumable=resumable))
    late = Worker(works.db, works.signals, works.clock, works.service, renew_seconds=HANG_S)
    slow = asyncio.create_task(late.work_once())
    await works.begun.wait()
    await works.clock.advance(LEASE_MS / 1000 + 1)
    taken = asyncio.create_task(works.second.work_once())
    async with asyncio.timeout(HANG_S):
        if resumable:
            await until(lambda: len(works.ran) == 2)
        else:
            await taken
        works.gate.set()
        await asyncio.gather(slow, taken)
    assert works.ran == [no] * (2 if resumable else 1)
    async with works.db.read() as uow:
        job = await works.service.job(uow, SYSTEM, no)
        kept = await repo.one(uow, no)
    assert kept is not None
    assert kept["checkpoint"] == ("+" if resumable else "")
    assert job.state is (JobState.DONE if resumable else JobState.FAILED)
    assert job.code == ("" if resumable else "job.interrupted")


async def test_a_running_job_that_is_cancelled_stops_and_says_by_whom(works: Works) -> None:
    no = await works.start(declared(works))
    working = asyncio.create_task(works.first.work_once())
    async with asyncio.timeout(HANG_S):
        await works.begun.wait()
        async with works.db.write() as uow:
            await works.service.cancel(uow, SYSTEM, no)
        await working
    async with works.db.write() as uow:
        job = await works.service.job(uow, SYSTEM, no)
        assert (job.state, job.cancelled_by) == (JobState.CANCELLED, "system")
        with pytest.raises(Refusal, match=r"job\.over"):
            await works.service.cancel(uow, SYSTEM, no)


async def test_a_refusal_ends_a_job_with_its_reason_and_a_fault_without_its_text(
    works: Works,
) -> None:
    async def refuse(job: JobRun, given: Sum) -> JobResult:
        raise Refusal("sheet.too_large", rows=5, kilobytes=7)

    async def crash(job: JobRun, given: Sum) -> JobResult:
        raise ValueError("a secret")

    numbers = []
    for name, run in (("refuses", refuse), ("crashes", crash)):
        kind = JobKind(name=name, argument=Sum, permission=Permission.RATINGS, run=run)
        works.service.declare(kind)
        numbers.append(await works.start(kind))
    await drain(works.first)
    async with works.db.read() as uow:
        refused, crashed = [await works.service.job(uow, SYSTEM, one) for one in numbers]
    assert (refused.code, refused.params) == ("sheet.too_large", {"rows": 5, "kilobytes": 7})
    assert (crashed.code, crashed.params) == ("internal", {})


async def test_only_who_may_sees_a_job_and_only_who_began_it_fetches_its_file(works: Works) -> None:
    kind = declared(works)
    works.gate.set()
    mine = await works.start(kind, CLERK, hall="h1")
    with pytest.raises(Refusal, match=r"page\.forbidden"):
        await works.start(kind, CLERK, hall="h2")
    await drain(works.first)
    colleague = Subject(id="colleague", name="C", grants=CLERK.grants)
    keeper = Subject(id="keeper", name="K", grants=grants_everywhere([Permission.OPERATIONS]))
    assert await works.state(mine, colleague) is JobState.DONE
    with pytest.raises(Refusal, match=r"job\.unknown"):
        await works.state(mine, NOBODY)
    async with works.db.write() as uow:
        assert (await works.service.file(uow, CLERK, mine)).data == b"6"
        for other in (colleague, keeper):
            with pytest.raises(Refusal, match=r"page\.forbidden"):
                await works.service.file(uow, other, mine)
        for who, whose, count in ((NOBODY, "all", 0), (colleague, "mine", 0), (keeper, "all", 1)):
            found, _ = await works.service.jobs(
                uow, who, whose=whose, state="done", limit=9, offset=0
            )
            assert found == count
        assert [one.act for one in await read_audit(uow)] == ["job.file", "job.start"]
    await works.clock.advance(15 * 86_400)
    async with works.db.write() as uow:
        assert await works.service.pruning()(uow, 10) == 1
        with pytest.raises(Refusal, match=r"job\.unknown"):
            await works.service.job(uow, SYSTEM, mine)


CHILD = f"""
import asyncio, sys
from console.core.audit import Audit
from console.core.db import Database
from console.core.permissions import Permission
from console.core.signals import Signals
from console.modules.jobs.api import JobKind
from console.modules.jobs.service import JobService
from console.modules.jobs.worker import Worker
from qingting.contract.base import Strict
from qingting.kernel.aio.clock import ManualClock

class Sum(Strict, frozen=True, kw_only=True):
    upto: int = 3

async def run(job, given):
    print("begun", flush=True)
    await asyncio.Event().wait()

async def main(url):
    clock = ManualClock({NOW})
    jobs, db = JobService(clock, Audit(clock)), Database(url)
    jobs.declare(JobKind(name="sum", argument=Sum, permission=Permission.RATINGS, run=run))
    await Worker(db, Signals(url), clock, jobs).work_once()

asyncio.run(main(sys.argv[1]))
"""


async def test_a_job_of_a_killed_process_is_done_by_another(works: Works, city_url: str) -> None:
    no = await works.start(declared(works, resumable=True))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, city_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(HANG_S):
        assert await child.stdout.readline() == b"begun\n"
        child.send_signal(signal.SIGKILL)
        await child.wait()
    assert not await works.second.work_once(), "its lease still holds"
    await works.clock.advance(LEASE_MS / 1000 + 1)
    works.gate.set()
    assert await works.second.work_once()
    assert (await works.state(no), works.ran) == (JobState.DONE, [no])


@asynccontextmanager
async def _entered(url: str) -> AsyncIterator[tuple[ConsoleReady, Browser]]:
    async with console(url) as ready, browser(ready) as person:
        await person.enter(ready)
        yield ready, person


async def test_a_job_is_followed_and_its_file_fetched_without_a_script(city_url: str) -> None:
    async def run(job: JobRun, given: Sum) -> JobResult:
        await job.say("job.count", 1, 2, done=1, total=2)
        await gate.wait()
        data = JobFile(name="sum.txt", media="text/plain", data=b"six")
        return JobResult(key="job.count", params={"done": 2, "total": 2}, file=data)

    gate = asyncio.Event()
    kind = JobKind(name="sum", argument=Sum, permission=Permission.RATINGS, run=run)
    async with _entered(city_url) as (ready, person):
        jobs = ready.city.context.take(JOBS)
        jobs.declare(kind)
        async with ready.city.db.write() as uow:
            account = await uow.scalar(sa.text("SELECT id FROM ident_account WHERE name = 'admin'"))
            me = Subject(id=account, name="a", grants=grants_everywhere([Permission.RATINGS]))
            no = await jobs.start(uow, me, kind, Sum())

            values = dict.fromkeys(("argument", "subject", "asked_name", "hall"), "")
            values |= {"kind": "gone", "permission": "ratings", "asked_by": account}
            values["asked_name"] = SYSTEM.name
            late = await repo.add(uow, {**values, "asked_at": ready.city.context.clock.now_ms()})
        page = (await person.get(f"/jobs/{late}"))[1]
        assert "排队等待" in page, "nobody begins a kind that is gone: it says that it waits"
        assert f"/jobs/{late}/cancel" in page
        assert "<dd>系统 " in page, "in the reader's words, not the program's"

        async def shown(what: str) -> str:
            page = (await person.get(f"/jobs/{no}"))[1]
            return page if what in page else ""

        page = await until(lambda: shown("50%"))
        assert f'href="/jobs/{no}"' in page, "the refresh link"
        assert re.search(r"<progress[^>]*value=\"50\"", page)
        gate.set()
        assert "/file" in await until(lambda: shown("sum.txt"))
        assert await person.get(f"/jobs/{no}/file") == (200, "six")
        assert f"/jobs/{no}" in (await person.get("/jobs"))[1]


async def test_work_in_one_transaction_is_done_once_whenever_its_worker_dies(works: Works) -> None:
    no, audit, dies = await works.start(declared(works, resumable=True)), Audit(works.clock), True

    async def act(uow: Uow) -> JobResult:
        await audit.write(uow, SYSTEM, "work.done")
        if dies:
            raise asyncio.CancelledError
        return JobResult(key="job.count", params={"done": 1, "total": 1}, whys=[Why(row=4)])

    async def attempt() -> JobResult:
        async with works.db.write() as uow:
            row = await repo.take(uow, works.first.name, ["sum"], works.clock.now_ms(), 0)
        assert row is not None
        assert row["no"] == no
        return await all_or_nothing(works.db, Run(works.db, row, works.first.name), act)

    with pytest.raises(asyncio.CancelledError):
        await attempt()
    async with works.db.read() as uow:
        assert not await read_audit(uow, "work.done")
    dies = False
    first = await attempt()
    assert await attempt() == first, "it died after the commit, before it was written down"
    async with works.db.read() as uow:
        assert len(await read_audit(uow, "work.done")) == 1


async def test_who_finds_long_work_under_way_is_told_whose_and_a_job_waits_for_its_turn(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.core.turns.WAIT_MS", 20)
    turn = Turn(lock=7, who=partial(works.service.under_way, kinds=["long"]), offset=480)
    waits, other = asyncio.Event(), Subject(id="other", name="Other")

    async def run(job: JobRun, _: Sum) -> JobResult:
        async with works.db.write() as uow:
            await turn.wait(uow, waits_once)
        return JobResult(key="job.count", params={"done": 1, "total": 1})

    async def waits_once() -> None:
        waits.set()

    kind = JobKind(name="long", argument=Sum, permission=Permission.RATINGS, run=run)
    works.service.declare(kind)
    async with works.db.write() as uow:
        await turn.take(uow, SYSTEM)
        async with works.db.write() as second:
            with pytest.raises(Refusal, match=r"turn\.busy"):
                await turn.take(second, other)
        no = await works.start(kind)
        work = asyncio.ensure_future(works.first.work_once())
        await until_set(waits)
        async with works.db.write() as second:
            for who, seen in ((SYSTEM, no), (other, 0)):
                with pytest.raises(Refusal, match=r"turn\.under_way") as refused:
                    await turn.take(second, who)
                assert refused.value.params == {"name": "system", "at": "11-23 09:00", "job": seen}
            assert await works.service.latest(second, "long"), "the transaction goes on"
    assert await work
    assert await works.state(no) is JobState.DONE


async def until_set(event: asyncio.Event) -> None:
    async with asyncio.timeout(HANG_S):
        await event.wait()
