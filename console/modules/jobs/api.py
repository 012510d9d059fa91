"""What other modules may know of jobs (后台任务): declare a kind at set-up, start one in a transaction."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from aiohttp import web

from console.core.db import Database
from console.core.long_lists import LongList, TakeOut, file_of, gathered, made, take_out
from console.core.module import ApiKey, ModuleContext
from console.core.permissions import Permission, Subject
from console.core.sheet_import import SheetRow
from console.core.turns import Turn, UnderWay
from console.core.uow import ReadUow, Uow
from qingting.contract.base import Strict

A = TypeVar("A", bound=msgspec.Struct)
KEEP_DAYS = 14
LIST_DAYS = 1
"""So long a list that was taken out waits to be fetched."""
MOST_WHYS = 1_000


class JobState(StrEnum):
    """``failed`` and ``cancelled`` ended before the work was done."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Why(Strict, frozen=True, kw_only=True):
    """Why a part of a job was refused: ``code`` with ``params``, at ``hall`` (its name) where it is one hall's part. Of a
    spreadsheet's cell: its ``row`` (0 for none), the text key of its ``field``, and the text key ``text`` for a code."""

    code: str = ""
    row: int = 0
    field: str = ""
    text: str = ""
    params: dict[str, str | int] = msgspec.field(default_factory=dict)
    hall: str = ""


class Saying(Strict, frozen=True, kw_only=True):
    """A text of the catalogue with its parameters; an empty key says nothing. ``whys``: what could not be done.
    Never personal data."""

    key: str = ""
    params: dict[str, str | int] = msgspec.field(default_factory=dict)
    whys: tuple[Why, ...] = ()
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """A file that a job made, at most :data:`console.modules.jobs.repository.MAX_FILE` bytes. Only whoever
    started the job may fetch it."""

    name: str
    media: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What came of a job: a text key with parameters, and perhaps a file. ``whys``: parts that were refused, of
    which :data:`MOST_WHYS` are kept. ``page`` is the address where one sees what was done, empty for none."""

    key: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    file: JobFile | None = None
    whys: Sequence[Why] = ()
    page: str = ""


class JobRun(Protocol):
    """A running job, as its code sees it. Every call renews nothing and may raise ``asyncio.CancelledError``: the job
    was cancelled, or another worker has taken it over."""

    @property
    def no(self) -> int: ...

    @property
    def subject(self) -> Subject:
        """Who started it, with the functions of then."""
        ...

    @property
    def checkpoint(self) -> str:
        """What an earlier attempt noted; empty in the first."""
        ...

    async def say(self, key: str, done: int = 0, total: int = 0, /, **params: str | int) -> None:
        """Progress: ``done`` of ``total`` (0: nobody knows how much there is) and what is done now, a text key.
        Written at most twice a second; call it as often as you like."""
        ...

    async def keep(self, uow: Uow, checkpoint: str) -> None:
        """Notes how far it is, with what the transaction does. Raises ``asyncio.CancelledError`` when the job is
        not this worker's any more: then the transaction must not be committed, and is not."""
        ...


async def all_or_nothing(
    db: Database, job: JobRun, act: Callable[[Uow], Awaitable[JobResult]]
) -> JobResult:
    """Does ``act`` in one transaction, with its result as the checkpoint: a job whose worker died is begun again when
    nothing was committed, and else only says what came of it. For resumable kinds."""
    if job.checkpoint:
        return _results.decode(job.checkpoint)
    async with db.write() as uow:
        result = await act(uow)
        await job.keep(uow, msgspec.json.encode(result).decode())
    return result


async def wait_turn(uow: Uow, turn: Turn, job: JobRun) -> None:
    """For a job whose changes come one after the other with others': says so while it waits."""

    async def meanwhile() -> None:
        await job.say("job.waits_turn")

    await turn.wait(uow, meanwhile)


_results = msgspec.json.Decoder(JobResult)


def whys_of(rows: Sequence[SheetRow[Any]], fields: str, *, values: bool) -> list[Why]:
    """What is wrong with each of a spreadsheet's rows. ``fields``: what the text keys of the columns begin with.
    ``values``: whether what stands in the cells may be told; never where it may be about persons."""
    found = [
        Why(row=row.row, field=fields + one.field, text=one.why, params=_told(one.params, values))
        for row in rows
        for one in row.faults
    ]
    more = len(found) - MOST_WHYS + 1
    rest = Why(text="sheet.and_more", params={"n": more})
    return [*found[: MOST_WHYS - 1], rest] if more > 1 else found


def _told(params: Mapping[str, object], values: bool) -> dict[str, str | int]:
    return {
        name: one if isinstance(one, int) else str(one) if values else "…"
        for name, one in params.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind(Generic[A]):
    """``name`` has the text ``job.kind.<name>``; ``argument`` is never shown. ``resumable``: after the death of
    its worker it is begun again with its checkpoint; any other is failed, because nobody knows what it did."""

    name: str
    argument: type[A]
    permission: Permission
    run: Callable[[JobRun, A], Awaitable[JobResult]]
    resumable: bool = False
    keep_days: int = KEEP_DAYS


def taking_out(db: Database, which: LongList) -> JobKind[TakeOut]:
    """The kind of job that makes a long list's file, which is kept for :data:`LIST_DAYS`."""

    async def run(job: JobRun, wish: TakeOut) -> JobResult:
        async def progress(done: int, total: int) -> None:
            await job.say("list.reading", done, total)

        async with db.read() as uow:
            rows = await gathered(uow, job.subject, which, wish.query, wish.language, progress)
        await job.say("list.writing")
        name, media = file_of(which, wish)
        file = JobFile(name=name, media=media, data=await made(which, wish, rows))
        return JobResult(key="list.made", params={"n": len(rows)}, file=file)

    return JobKind(
        name=which.name,
        argument=TakeOut,
        permission=which.permission,
        run=run,
        resumable=True,
        keep_days=LIST_DAYS,
    )


def list_route(
    context: ModuleContext,
    jobs: "JobsApi",
    path: str,
    which: LongList,
    mark: Callable[[web.Request], str] = lambda _: "",
) -> web.RouteDef:
    """``GET path`` with ``{kind}`` (csv or xlsx) at its end: the list's file, or the job that makes it. At set-up."""
    kind = taking_out(context.db, which)
    jobs.declare(kind)

    async def begin(uow: Uow, subject: Subject, wish: TakeOut) -> int:
        return await jobs.start(uow, subject, kind, wish)

    async def fetch(request: web.Request) -> web.Response:
        return await take_out(request, which, context.audit, begin, mark=mark(request))

    return web.get(path, fetch)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInfo:
    """A job as pages show it. ``code`` with ``params`` says why it failed; ``file`` is empty without one."""

    no: int
    kind: str
    state: JobState
    asked_by: str
    asked_name: str
    asked_at: int
    begun_at: int
    ended_at: int
    expires_at: int
    attempts: int
    cancelled_by: str
    done: int
    total: int
    saying: Saying
    code: str
    params: Mapping[str, str | int]
    hall: str
    file: str

    @property
    def open(self) -> bool:
        return self.state in (JobState.WAITING, JobState.RUNNING)

    @property
    def percent(self) -> int:
        """0 to 100; of one whose extent nobody knows, 0 until it is done."""
        if self.state is JobState.DONE:
            return 100
        return min(100, self.done * 100 // self.total) if self.total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsStanding:
    """``oldest_waiting``: when the one that waits longest was asked for, 0 for none; ``failed`` since an instant."""

    oldest_waiting: int
    failed: int


class JobsApi(Protocol):
    """Anything that takes more than a second."""

    def declare(self, kind: JobKind[Any]) -> None:
        """At set-up. Raises ``ModuleError`` for a name that is known already."""
        ...

    async def start(
        self, uow: Uow, subject: Subject, kind: JobKind[A], argument: A, *, hall: str = ""
    ) -> int:
        """Gives the job's number; it begins after the commit, or never. Its page is ``/jobs/<number>``.

        The subject must have the kind's function, at ``hall`` if one is named. Audited."""
        ...

    async def job(self, uow: ReadUow, subject: Subject, no: int) -> JobInfo:
        """One's own, one about a hall where one has its function, or any for who keeps the system running.

        Raises ``job.unknown``."""
        ...

    async def latest(self, uow: ReadUow, kind: str) -> JobInfo | None:
        """The newest of a kind."""
        ...

    async def under_way(
        self, uow: ReadUow, subject: Subject, kinds: Collection[str]
    ) -> UnderWay | None:
        """The job of one of these kinds that runs now; its number only where the subject may see it."""
        ...

    async def standing(self, uow: ReadUow, since: int) -> JobsStanding:
        """For whoever watches over the system."""
        ...


JOBS = ApiKey[JobsApi]("JOBS")
