"""Use cases of jobs; implements :class:`console.modules.jobs.api.JobsApi`."""

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.module import ModuleError
from console.core.permissions import Permission, Subject
from console.core.pruning import Prune
from console.core.turns import UnderWay
from console.core.uow import ReadUow, Uow
from console.modules.jobs import repository as repo
from console.modules.jobs.api import A, JobFile, JobInfo, JobKind, JobsStanding, JobState, Saying
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

_sayings = msgspec.json.Decoder(Saying)
_params = msgspec.json.Decoder(dict[str, str | int])


class JobService:
    """Keeps the kinds that modules declared, and what became of jobs."""

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock = clock
        self._audit = audit
        self.kinds: dict[str, JobKind[Any]] = {}

    def declare(self, kind: JobKind[Any]) -> None:
        if kind.name in self.kinds:
            raise ModuleError(f"job kind {kind.name} is declared twice")
        self.kinds[kind.name] = kind

    async def start(
        self, uow: Uow, subject: Subject, kind: JobKind[A], argument: A, *, hall: str = ""
    ) -> int:
        subject.require(kind.permission, hall=hall or None)
        assert self.kinds.get(kind.name) is kind, f"{kind.name} was not declared"
        no = await repo.add(
            uow,
            {
                "kind": kind.name,
                "argument": msgspec.json.encode(argument).decode(),
                "subject": msgspec.json.encode(subject).decode(),
                "asked_by": subject.id,
                "asked_name": subject.name[:80],
                "hall": hall,
                "permission": kind.permission.value,
                "asked_at": self._clock.now_ms(),
            },
        )
        await self._audit.write(uow, subject, "job.start", object=f"job:{no}", detail=kind.name)
        return no

    async def job(self, uow: ReadUow, subject: Subject, no: int) -> JobInfo:
        row = await repo.one(uow, no)
        if row is None or not _sees(subject, row):
            raise Refusal("job.unknown")
        return info(row)

    async def latest(self, uow: ReadUow, kind: str) -> JobInfo | None:
        row = await repo.latest(uow, kind)
        return info(row) if row is not None else None

    async def under_way(
        self, uow: ReadUow, subject: Subject, kinds: Collection[str]
    ) -> UnderWay | None:
        row = await repo.running(uow, kinds)
        if row is None:
            return None
        no = row["no"] if _sees(subject, row) else 0
        return UnderWay(row["asked_name"], row["begun_at"], no)

    async def standing(self, uow: ReadUow, since: int) -> JobsStanding:
        return JobsStanding(
            oldest_waiting=await repo.oldest_waiting(uow), failed=await repo.failed(uow, since)
        )

    async def jobs(
        self, uow: ReadUow, subject: Subject, *, whose: str, state: str, limit: int, offset: int
    ) -> tuple[int, list[JobInfo]]:
        """``whose``: ``mine``, or all that the subject may see. ``state``: one, ``open``, or empty for any."""
        seen: sa.ColumnElement[bool] = repo.mine(subject)
        if whose != "mine":
            everything = subject.may(Permission.OPERATIONS)
            seen = sa.true() if everything else sa.or_(seen, repo.at_halls(subject))
        if state in {"open", *JobState}:
            seen = sa.and_(seen, repo.of_state(state))
        count, rows = await repo.found(uow, seen, limit=limit, offset=offset)
        return count, [info(row) for row in rows]

    async def cancel(self, uow: Uow, subject: Subject, no: int) -> None:
        """By who started it or who keeps the system running. Raises ``job.unknown``, ``job.over``."""
        known = await self.job(uow, subject, no)
        if known.asked_by != subject.id:
            subject.require(Permission.OPERATIONS)
        if not await repo.ask_to_cancel(uow, no, subject.id, self._clock.now_ms()):
            raise Refusal("job.over")
        await self._audit.write(uow, subject, "job.cancel", object=f"job:{no}", detail=known.kind)

    async def file(self, uow: Uow, subject: Subject, no: int) -> JobFile:
        """Only for who started the job; fetching is audited. Raises ``job.unknown``, ``job.no_file``."""
        known = await self.job(uow, subject, no)
        if known.asked_by != subject.id:
            raise Refusal("page.forbidden")
        row = await repo.file(uow, no)
        if row is None:
            raise Refusal("job.no_file")
        await self._audit.write(uow, subject, "job.file", object=f"job:{no}", detail=row["name"])
        return JobFile(name=row["name"], media=row["media"], data=row["data"])

    def pruning(self) -> Prune:
        async def prune(uow: Uow, limit: int) -> int:
            return await repo.prune(uow, self._clock.now_ms(), limit)

        return prune


def _sees(subject: Subject, row: sa.RowMapping) -> bool:
    if row["asked_by"] == subject.id or subject.may(Permission.OPERATIONS):
        return True
    known = {one.value: one for one in Permission}
    function = known.get(row["permission"])
    return bool(row["hall"]) and function is not None and subject.may(function, hall=row["hall"])


def info(row: sa.RowMapping) -> JobInfo:
    same = (
        "no",
        "kind",
        "asked_by",
        "asked_name",
        "asked_at",
        "begun_at",
        "ended_at",
        "expires_at",
    )
    more = ("attempts", "cancelled_by", "done", "total", "code", "hall")
    return JobInfo(
        **{name: row[name] for name in (*same, *more)},
        state=JobState(row["state"]),
        saying=_sayings.decode(row["saying"]) if row["saying"] else Saying(),
        params=_params.decode(row["params"]) if row["params"] else {},
        file=row["file"] or "",
    )
