"""All SQL of the rollouts module."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.rollouts import models as m
from console.modules.rollouts.domain import OPEN, At, Note, Phase, Rollout, Target, What
from console.modules.rollouts.waves import Place
from qingting.contract.errors import Refusal

ADVANCE_LOCK = 0x71746C72
"""Advisory lock of the job: one worker decides at a time, and no person's button crosses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRow:
    """A rollout with what people wrote and when. ``title`` is what the release is called."""

    no: int
    title: str
    waves: str
    within_s: int
    started_at: int
    started_by: str
    ended_at: int
    rollout: Rollout


async def try_lock(uow: Uow) -> bool:
    """False while another worker decides."""
    found = await uow.scalar(
        sa.text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": ADVANCE_LOCK}
    )
    return bool(found)


async def lock(uow: Uow) -> None:
    """Waits for a decision that is under way."""
    await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVANCE_LOCK})


# -- releases ---------------------------------------------------------------------------------


async def put_release(uow: Uow, row: Mapping[str, object]) -> bool:
    """False when it was known."""
    statement = insert(m.release).values(**row).on_conflict_do_nothing()
    return bool(await uow.run(statement))


async def releases(uow: ReadUow) -> Sequence[sa.RowMapping]:
    """Newest first."""
    return await uow.all(sa.select(m.release).order_by(m.release.c.put_at.desc()).limit(100))


async def release(uow: ReadUow, release_id: str) -> sa.RowMapping:
    """Raises ``release.unknown``."""
    row = await uow.first(sa.select(m.release).where(m.release.c.id == release_id))
    if row is None:
        raise Refusal("release.unknown")
    return row


async def shelves(uow: ReadUow, release_id: str) -> dict[str, sa.RowMapping]:
    """By hall."""
    rows = await uow.all(sa.select(m.shelf).where(m.shelf.c.release == release_id))
    return {row["hall"]: row for row in rows}


async def put_shelf(uow: Uow, hall: str, release_id: str, directive: int, now: int) -> None:
    values = {"directive": directive, "sent_at": now, "kept": False, "code": ""}
    statement = insert(m.shelf).values(hall=hall, release=release_id, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["hall", "release"], set_=values))


async def told_of(uow: Uow, hall: str, release_id: str, code: str) -> int:
    """What a hall said of a release; 0 when it was not told of it from here."""
    return await uow.run(
        sa.update(m.shelf)
        .where(m.shelf.c.hall == hall, m.shelf.c.release == release_id)
        .values(kept=not code, code=code)
    )


async def refused(uow: Uow, hall: str, directive: int, code: str) -> int:
    return await uow.run(
        sa.update(m.shelf)
        .where(m.shelf.c.hall == hall, m.shelf.c.directive == directive)
        .values(kept=False, code=code)
    )


# -- rollouts ---------------------------------------------------------------------------------


async def add(uow: Uow, row: RolloutRow) -> int:
    """Its number."""
    one = row.rollout
    no = await uow.scalar(
        sa.insert(m.rollout)
        .values(
            what=one.what.value,
            release=one.release,
            title=row.title,
            phase=one.phase.value,
            wave=one.wave,
            waves=row.waves,
            soak_ms=one.soak_ms,
            within_s=row.within_s,
            started_at=row.started_at,
            started_by=row.started_by,
            ended_at=0,
        )
        .returning(m.rollout.c.no)
    )
    rows = [
        {"rollout": no, "place": place, **_target_row(target)}
        for place, target in enumerate(one.targets.values())
    ]
    await uow.run(sa.insert(m.target), rows)
    return int(no)


def _target_row(target: Target) -> dict[str, object]:
    row = asdict(target)
    place: Place = row.pop("place")
    return row | {"at": target.at.value, "hall": place[0], "device": place[1]}


async def found(
    uow: ReadUow, numbers: Collection[int] | None = None, *, only_open: bool = False
) -> list[RolloutRow]:
    """Newest first."""
    statement = sa.select(m.rollout).order_by(m.rollout.c.no.desc()).limit(100)
    if numbers is not None:
        statement = statement.where(m.rollout.c.no.in_(numbers))
    if only_open:
        statement = statement.where(m.rollout.c.phase.in_([one.value for one in OPEN]))
    rows = await uow.all(statement)
    targets = await uow.all(
        sa.select(m.target)
        .where(m.target.c.rollout.in_([row["no"] for row in rows]))
        .order_by(m.target.c.rollout, m.target.c.wave, m.target.c.place)
    )
    by_no: dict[int, dict[Place, Target]] = {row["no"]: {} for row in rows}
    for row in targets:
        target = _target(row)
        by_no[row["rollout"]][target.place] = target
    return [_rollout(row, by_no[row["no"]]) for row in rows]


def _target(row: sa.RowMapping) -> Target:
    return Target(
        place=Place(row["hall"], row["device"]),
        wave=row["wave"],
        at=At(row["at"]),
        former=row["former"],
        act=row["act"],
        since=row["since"],
        retry_at=row["retry_at"],
        code=row["code"],
        passed=row["passed"],
    )


def _rollout(row: sa.RowMapping, targets: dict[Place, Target]) -> RolloutRow:
    return RolloutRow(
        no=row["no"],
        title=row["title"],
        waves=row["waves"],
        within_s=row["within_s"],
        started_at=row["started_at"],
        started_by=row["started_by"],
        ended_at=row["ended_at"],
        rollout=Rollout(
            what=What(row["what"]),
            release=row["release"],
            phase=Phase(row["phase"]),
            wave=row["wave"],
            soak_ms=row["soak_ms"],
            targets=targets,
        ),
    )


async def one(uow: ReadUow, no: int) -> RolloutRow:
    """Raises ``rollout.unknown``."""
    rows = await found(uow, [no])
    if not rows:
        raise Refusal("rollout.unknown")
    return rows[0]


async def keep(uow: Uow, no: int, before: Rollout, after: Rollout, now: int) -> None:
    """Writes what is different."""
    if (before.phase, before.wave) != (after.phase, after.wave):
        await uow.run(
            sa.update(m.rollout)
            .where(m.rollout.c.no == no)
            .values(phase=after.phase.value, wave=after.wave, ended_at=0 if after.open else now)
        )
    for place, target in after.targets.items():
        if target != before.targets[place]:
            await uow.run(
                sa.update(m.target)
                .where(
                    m.target.c.rollout == no,
                    m.target.c.hall == place.hall,
                    m.target.c.device == place.device,
                )
                .values(**_target_row(target))
            )


async def note(uow: Uow, no: int, note: Note, at: int, by: str) -> None:
    place = note.place or Place("", "")
    await uow.run(
        sa.insert(m.step).values(
            rollout=no,
            at=at,
            step=note.step,
            hall=place.hall,
            device=place.device,
            code=note.code,
            wave=note.wave,
            by=by,
        )
    )


async def steps(uow: ReadUow, no: int) -> Sequence[sa.RowMapping]:
    """Newest first."""
    statement = sa.select(m.step).where(m.step.c.rollout == no).order_by(m.step.c.no.desc())
    return await uow.all(statement.limit(300))
