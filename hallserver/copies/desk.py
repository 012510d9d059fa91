"""The desk of backups: the day's backup by itself, and what a manager asks for; one job at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from hallserver.copies.book import Backup, Book, Proof
from hallserver.copies.rules import bad_since, is_due
from hallserver.copies.runner import Runner, run_apart
from hallserver.engine.days import DAY_MS, offset_minutes
from hallserver.hall import Hall
from hallserver.store import exchange
from hallserver.store.copying import Act, Facts, Order, Word, facts_of
from hallserver.store.exchange import Restore
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor

log = structlog.get_logger(__name__)
T = TypeVar("T")
LOOK_SECONDS = 60.0
_NOT_GOOD = ("hall_backup.not_whole", "hall_backup.other_hall")
"""Refusals that say something of the file, not of the disk or of this program."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``folder`` None: nothing is made by itself. ``hour`` is the hall's; ``keep`` backups stay."""

    folder: Path | None
    hour: int
    keep: int


class Kind(StrEnum):
    BACKUP = "backup"
    DRILL = "drill"
    RESTORE = "restore"


@dataclass(slots=True)
class Job:
    """``by``: staff number, empty: by itself. ``share`` of ``step`` is done, 0 to 1. ``facts`` or ``problem`` when it
    has ended; a restore goes on behind its ``facts``, when the hall opens anew."""

    kind: Kind
    file: str
    by: str
    began: Millis
    step: str = "copy"
    share: float = 0.0
    facts: Facts | None = None
    problem: Refusal | None = None
    took_ms: int = 0

    @property
    def ended(self) -> bool:
        return self.facts is not None or self.problem is not None

    def hear(self, word: Word) -> None:
        self.step, self.share = word.step, word.share


@dataclass(slots=True)
class _Health:
    """Of the backups: the newest good one, since when making one fails, when it last did and why; 0 for never."""

    made: Millis = 0
    failing: Millis = 0
    failed: Millis = 0
    problem: Refusal | None = None


class CopyDesk:
    """Run :meth:`keep` as a supervised service. ``reopen`` is set when the hall is to close, put the prepared copy in
    its place and open again; None: whoever runs this hall cannot do that. ``tasks`` own the jobs."""

    def __init__(
        self,
        hall: Hall,
        clock: Clock,
        plan: Plan,
        tasks: Supervisor,
        *,
        run: Runner = run_apart,
        reopen: asyncio.Event | None = None,
        restored: Restore | None = None,
    ) -> None:
        self.plan = plan
        self.job: Job | None = None
        self.restored = restored
        """The latest restore of this hall."""
        self.bad_since: Millis = 0
        """Since when the hall has no fresh backup, 0 while it has one or makes none by itself."""
        self.changed: Callable[[], None] = lambda: None
        """Called when :attr:`bad_since` is another; whoever wants to know sets it."""
        self._hall = hall
        self._clock = clock
        self._tasks = tasks
        self._run = run
        self._reopen = reopen
        self._started = clock.now_ms()
        self._health = _Health()
        self._task: asyncio.Task[None] | None = None

    # ---- looking --------------------------------------------------------------------------------

    @property
    def problem(self) -> Refusal | None:
        """Why no backup could be made; None once one was."""
        return self._health.problem

    @property
    def database(self) -> Path:
        return self._hall.store.path

    def book(self) -> Book:
        """Raises ``hall_backup.no_folder``, also while the hall has no configuration."""
        config = self._hall.state.config
        if self.plan.folder is None or config is None:
            raise Refusal("hall_backup.no_folder")
        return Book(self.plan.folder, config.hall.id)

    async def backups(self) -> list[Backup]:
        """Newest first. Raises as :meth:`book`, and ``hall_backup.unreadable``."""
        return await _on_disk(self.book().backups)

    async def find(self, name: str) -> Backup:
        """Raises as :meth:`backups`, and ``hall_backup.unknown``."""
        book = self.book()
        return await _on_disk(lambda: book.find(name))

    async def same_disk(self) -> bool:
        """True when whatever takes the disk of the hall takes its backups too."""
        book = self.book()
        return await _on_disk(lambda: book.on_disk_of(self.database))

    @property
    def lately_restored(self) -> Restore | None:
        """A restore that succeeded within the last day, which every manager should know of."""
        last = self.restored
        recent = last is not None and self._clock.now_ms() - last.ended_at < DAY_MS
        return last if last is not None and recent and not last.problem else None

    async def present(self) -> Facts:
        """What the hall holds now."""
        tip = await self._hall.store.tip()
        last = await self._hall.store.events(tip.seq - 1, 1)
        at = last[0].event().at if last else 0
        return facts_of(self._hall.state, hash_=tip.hash, last_at=at)

    # ---- by itself ------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Makes the day's backup; never returns while there is a folder for it."""
        if self.plan.folder is None:
            log.warning("backup.off", setting="backup_folder", hint="no backup is made by itself")
            return
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Makes a backup if one is due, and waits for it; then tells how it stands."""
        config = self._hall.state.config
        if config is None:
            return
        self._health.made = await self._newest()
        due = is_due(
            self._clock.now_ms(),
            made=self._health.made,
            born=self._hall.store.born,
            failed=self._health.failed,
            hour=self.plan.hour,
            offset_minutes=offset_minutes(config),
        )
        if due and not self._busy:
            await self._begin(Job(Kind.BACKUP, "", "", self._clock.now_ms()), self._make)
        self._weigh()

    async def _newest(self) -> Millis:
        """A folder that cannot be read holds no backup; why, the attempt to make one tells."""
        try:
            return next((one.made_at for one in await self.backups() if one.whole), 0)
        except Refusal:
            return 0

    def _weigh(self) -> None:
        found = bad_since(
            self._clock.now_ms(),
            made=self._health.made,
            born=self._hall.store.born,
            failing=self._health.failing,
            started=self._started,
        )
        if found != self.bad_since:
            self.bad_since = found
            self.changed()

    # ---- asked for ------------------------------------------------------------------------------

    def make(self, by: str) -> None:
        """Begins a backup of now. Raises as :meth:`book`, and ``hall_backup.busy``."""
        _ = self.book()
        _ = self._begin(Job(Kind.BACKUP, "", by, self._clock.now_ms()), self._make)

    async def drill(self, name: str, by: str) -> None:
        """Begins to prove a backup again, by restoring it aside. Raises as :meth:`find`, and ``hall_backup.busy``."""
        found = await self.find(name)
        job = Job(Kind.DRILL, found.name, by, self._clock.now_ms())
        _ = self._begin(job, lambda one: self._drill(one, found))

    async def restore(self, name: str, by: str) -> None:
        """Begins to prepare a backup in place of the hall, which then closes and opens with it.

        Raises as :meth:`find`, ``hall_backup.busy``, and ``hall_backup.by_command`` where this process cannot reopen.
        """
        found = await self.find(name)
        reopen = self._reopen
        if reopen is None:
            raise Refusal("hall_backup.by_command")
        job = Job(Kind.RESTORE, found.name, by, self._clock.now_ms())
        _ = self._begin(job, lambda one: self._restore(one, reopen))

    # ---- jobs -----------------------------------------------------------------------------------

    @property
    def _busy(self) -> bool:
        return self._task is not None and not self._task.done()

    def _begin(self, job: Job, work: Callable[[Job], Awaitable[Facts]]) -> asyncio.Task[None]:
        if self._busy:
            raise Refusal("hall_backup.busy")
        self.job = job
        self._task = self._tasks.run(job.kind.value, self._carry_out(job, work))
        return self._task

    async def _carry_out(self, job: Job, work: Callable[[Job], Awaitable[Facts]]) -> None:
        try:
            job.facts = await work(job)
        except Refusal as refusal:
            job.problem = refusal
        except Exception:
            log.exception("backup.job_failed", kind=job.kind.value)
            job.problem = Refusal("internal")
        job.took_ms = self._clock.now_ms() - job.began
        if job.kind is Kind.BACKUP:
            self._remember(job)

    def _remember(self, job: Job) -> None:
        """Said once when it begins to fail and once when it works again."""
        health = self._health
        health.problem = job.problem
        if job.problem is not None:
            if not health.failing:
                log.error("backup.failing", code=job.problem.code, params=job.problem.params)
                health.failing = self._clock.now_ms()
            health.failed = self._clock.now_ms()
        else:
            if health.failing:
                log.info("backup.works_again", file=job.file)
            health.failing = health.failed = 0
            health.made = job.began
        self._weigh()

    async def _make(self, job: Job) -> Facts:
        book = self.book()
        job.file = book.name_at(job.began)
        await _on_disk(book.tidy, "hall_backup.not_written")
        target = book.folder / job.file
        facts = await self._apart(job, Act.BACK_UP, self.database, target)

        def note() -> None:
            now = self._clock.now_ms()
            size = target.stat().st_size
            took = now - job.began
            book.note(
                job.file, Proof(facts=facts, size=size, proven_at=now, by=job.by, took_ms=took)
            )
            if dropped := book.drop_old(self.plan.keep):
                log.info("backup.dropped", files=len(dropped))

        await _on_disk(note, "hall_backup.not_written")
        log.info("backup.made", file=job.file, events=facts.seq)
        return facts

    async def _drill(self, job: Job, found: Backup) -> Facts:
        book = self.book()
        draft = book.folder / f".{found.name}.drill.new"
        failed, facts = "", None
        try:
            facts = await self._apart(job, Act.DRILL, book.folder / found.name, draft)
        except Refusal as refusal:
            failed = refusal.code
            raise
        finally:
            if facts is not None or failed in _NOT_GOOD:
                proof = _proof_after(found, facts, failed, self._clock.now_ms())
                await _on_disk(lambda: book.note(found.name, proof), "hall_backup.not_written")
        return facts

    async def _restore(self, job: Job, reopen: asyncio.Event) -> Facts:
        """From the moment it is wanted, whatever happens the next start finishes it."""
        source = self.book().folder / job.file
        facts = await self._apart(job, Act.PREPARE, source, self.database)

        def want() -> None:
            exchange.want(self.database, job.file, facts.seq, job.by, self._clock.now_ms())

        await _on_disk(want, "hall_backup.not_written")
        reopen.set()
        return facts

    async def _apart(self, job: Job, act: Act, source: Path, target: Path) -> Facts:
        order = Order(act=act, source=str(source), target=str(target))
        outcome = await self._run(order, job.hear)
        if outcome.facts is None:
            raise Refusal(outcome.code, **outcome.params)
        config = self._hall.state.config
        if config is None or outcome.facts.hall != config.hall.id:
            raise Refusal("hall_backup.other_hall")
        return outcome.facts


def _proof_after(found: Backup, facts: Facts | None, failed: str, now: Millis) -> Proof:
    before = found.proof or Proof(size=found.size)
    proven = now if facts is not None else before.proven_at
    return msgspec.structs.replace(
        before, size=found.size, facts=facts or before.facts, proven_at=proven, failed=failed
    )


async def _on_disk(work: Callable[[], T], code: str = "hall_backup.unreadable") -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise Refusal(code, said=error.strerror or type(error).__name__) from error
