"""All SQL of jobs."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from console.modules.jobs import models as m
from console.modules.jobs.api import JobFile

MAX_FILE = 64 * 1024 * 1024
WAITING_CHANNEL = "job_waiting"
_J = m.job.c
_FILE = (
    sa.select(m.file.c.name).where(m.file.c.job == _J.no).correlate(m.job).scalar_subquery()
).label("file")
OPEN = ("waiting", "running")


async def add(uow: Uow, values: dict[str, object]) -> int:
    empty = {
        **dict.fromkeys(("worker", "cancelled_by", "saying", "checkpoint", "code", "params"), ""),
        **dict.fromkeys(
            ("begun_at", "ended_at", "expires_at", "lease_until", "attempts", "done", "total"), 0
        ),
    }
    given = {**empty, **values, "state": "waiting"}
    no: int = await uow.scalar(sa.insert(m.job).values(given).returning(_J.no))
    uow.notify(WAITING_CHANNEL, "")
    uow.changed("jobs")
    return no


def _rows() -> sa.Select[tuple[object, ...]]:
    return sa.select(m.job, _FILE)


async def one(uow: ReadUow, no: int) -> sa.RowMapping | None:
    return await uow.first(_rows().where(_J.no == no))


async def latest(uow: ReadUow, kind: str) -> sa.RowMapping | None:
    return await uow.first(_rows().where(_J.kind == kind).order_by(_J.no.desc()).limit(1))


async def running(uow: ReadUow, kinds: Collection[str]) -> sa.RowMapping | None:
    """The one that began first."""
    chosen = _rows().where(_J.kind.in_(kinds), _J.state == "running")
    return await uow.first(chosen.order_by(_J.begun_at, _J.no).limit(1))


async def found(
    uow: ReadUow, seen: sa.ColumnElement[bool], *, limit: int, offset: int
) -> tuple[int, Sequence[sa.RowMapping]]:
    """How many there are, and one page of them, newest first."""
    count: int = await uow.scalar(sa.select(sa.func.count()).select_from(m.job).where(seen))
    page = _rows().where(seen).order_by(_J.no.desc()).limit(limit).offset(offset)
    return count, await uow.all(page)


def mine(subject: Subject) -> sa.ColumnElement[bool]:
    return _J.asked_by == subject.id


def at_halls(subject: Subject) -> sa.ColumnElement[bool]:
    """Jobs about halls where the subject has their function."""
    return sa.or_(
        sa.false(),
        *(
            sa.and_(_J.hall != "", _J.permission == function.value, scope.where(_J.hall))
            for function, scope in subject.grants.items()
        ),
    )


def of_state(state: str) -> sa.ColumnElement[bool]:
    return _J.state.in_(OPEN) if state == "open" else _J.state == state


async def take(
    uow: Uow, worker: str, kinds: Collection[str], now: int, lease_until: int
) -> sa.RowMapping | None:
    """The oldest job that waits or whose worker let its lease run out, now with this worker."""
    due = sa.or_(_J.state == "waiting", sa.and_(_J.state == "running", _J.lease_until < now))
    oldest = (
        sa.select(_J.no)
        .where(due, _J.kind.in_(kinds))
        .order_by(_J.no)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = (
        sa.update(m.job)
        .where(_J.no == oldest)
        .values(
            state="running",
            worker=worker,
            lease_until=lease_until,
            attempts=_J.attempts + 1,
            begun_at=sa.case((_J.begun_at == 0, now), else_=_J.begun_at),
        )
        .returning(m.job)
    )
    return await uow.first(taken)


def _held(no: int, worker: str) -> sa.ColumnElement[bool]:
    return sa.and_(_J.no == no, _J.worker == worker, _J.state == "running")


async def renew(uow: Uow, no: int, worker: str, lease_until: int) -> str | None:
    """Who cancelled it, empty for nobody; None when the job is another's now."""
    statement = sa.update(m.job).where(_held(no, worker)).values(lease_until=lease_until)
    found: str | None = await uow.scalar(statement.returning(_J.cancelled_by))
    return found


async def change(uow: Uow, no: int, worker: str, **values: object) -> bool:
    """False when the job is another's now."""
    changed = await uow.run(sa.update(m.job).where(_held(no, worker)).values(**values))
    uow.changed("jobs")
    return bool(changed)


async def put_file(uow: Uow, no: int, file: JobFile) -> None:
    await uow.run(
        sa.insert(m.file).values(job=no, name=file.name, media=file.media, data=file.data)
    )


async def file(uow: ReadUow, no: int) -> sa.RowMapping | None:
    return await uow.first(sa.select(m.file).where(m.file.c.job == no))


async def ask_to_cancel(uow: Uow, no: int, by: str, now: int) -> bool:
    """One that waits is cancelled at once, one that runs by its worker. False for one that is over."""
    asked = sa.update(m.job).where(_J.no == no, _J.state.in_(OPEN), _J.cancelled_by == "")
    waits = _J.state == "waiting"
    changed = await uow.run(
        asked.values(
            cancelled_by=by,
            state=sa.case((waits, "cancelled"), else_=_J.state),
            ended_at=sa.case((waits, now), else_=0),
            expires_at=sa.case((waits, now + 14 * 86_400_000), else_=0),
        )
    )
    uow.changed("jobs")
    return bool(changed)


async def oldest_waiting(uow: ReadUow) -> int:
    found = await uow.scalar(sa.select(sa.func.min(_J.asked_at)).where(_J.state == "waiting"))
    return int(found or 0)


async def failed(uow: ReadUow, since: int) -> int:
    counted = sa.select(sa.func.count()).select_from(m.job)
    found: int = await uow.scalar(counted.where(_J.state == "failed", _J.ended_at >= since))
    return found


async def prune(uow: Uow, now: int, limit: int) -> int:
    old = sa.select(_J.no).where(_J.expires_at > 0, _J.expires_at < now).limit(limit)
    numbers = [row["no"] for row in await uow.all(old)]
    await uow.run(sa.delete(m.file).where(m.file.c.job.in_(numbers)))
    await uow.run(sa.delete(m.job).where(_J.no.in_(numbers)))
    return len(numbers)
