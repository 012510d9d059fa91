"""All SQL of the sync."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from console.core.sheet_import import CellFault
from console.core.uow import ReadUow, Uow
from console.modules.catalogue import models as m
from console.modules.catalogue.domain import ItemBody
from console.modules.catalogue.sync.mapping import Said
from console.modules.catalogue.sync.rules import SyncRules

_r, _w, _s = m.run.c, m.withdrawal.c, m.source.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The sync as it stands; see :data:`console.modules.catalogue.models.sync`."""

    rules: SyncRules
    cursor: str
    modified: int
    asked_at: int
    answered_at: int
    failing_since: int
    problem: str
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """See :data:`console.modules.catalogue.models.run`."""

    no: int
    kind: str
    state: str
    by: str
    began_at: int
    ended_at: int | None
    pages: int
    cursor: str
    position: str
    since: int
    total: int | None
    figures: Mapping[str, int]
    uncoded: int
    problem: str
    tries: int
    retry_at: int
    worker: str
    lease_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the source said of an item when both sides last agreed."""

    revision: int
    said: Mapping[str, Any]
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    run: int
    code: str
    name: str
    on: date | None
    missing: bool
    revision: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    code: str
    run: int
    at: int
    revision: int
    said: Mapping[str, Any]
    wanted_from: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    place: int
    code: str
    name: str
    faults: tuple[CellFault, ...]
    row: str


def packed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of an item as they are stored."""
    found: dict[str, Any] = msgspec.to_builtins(dict(fields))
    return found


def unpacked(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The same as values of an item."""
    body = msgspec.convert({"name": "", **stored}, ItemBody)
    return {name: getattr(body, name) for name in stored}


# -- the sync itself ------------------------------------------------------------------------------


async def standing(uow: ReadUow) -> Standing:
    row = await uow.first(sa.select(m.sync))
    assert row is not None
    rules = msgspec.convert(row["rules"], SyncRules)
    return Standing(
        **{name: row[name] for name in row if name not in ("id", "rules", "told")},
        rules=rules,
        told=tuple(row["told"]),
    )


def packed_rules(rules: SyncRules) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(rules)
    return found


async def put_standing(uow: Uow, **values: Any) -> None:
    await uow.run(sa.update(m.sync).values(**values))


async def lock_standing(uow: Uow) -> Standing:
    """The standing, for who changes it."""
    await uow.first(sa.select(m.sync.c.id).with_for_update())
    return await standing(uow)


# -- runs -----------------------------------------------------------------------------------------


async def begin_run(uow: Uow, **values: Any) -> bool:
    """False when one is running already."""
    blank = {
        "state": "running", "pages": 0, "cursor": "", "position": "", "since": 0, "figures": {}, "uncoded": 0,
        "problem": "", "tries": 0, "retry_at": 0, "worker": "", "lease_until": 0,
    }  # fmt: skip
    statement = insert(m.run).values({**blank, **values}).on_conflict_do_nothing()
    return bool(await uow.run(statement))


async def running(uow: ReadUow) -> Run | None:
    row = await uow.first(sa.select(m.run).where(_r.state == "running"))
    return None if row is None else Run(**row)


async def claim(uow: Uow, worker: str, now: int, lease_until: int) -> Run | None:
    """The run, if nobody else has it and its next try is due."""
    statement = (
        sa.update(m.run)
        .where(_r.state == "running", _r.retry_at <= now)
        .where(sa.or_(_r.worker == worker, _r.lease_until < now))
        .values(worker=worker, lease_until=lease_until)
        .returning(m.run)
    )
    row = await uow.first(statement)
    return None if row is None else Run(**row)


async def put_run(uow: Uow, run: Run, **values: Any) -> bool:
    """False when the run is another's by now, or has moved on: then nothing of this transaction may stay."""
    statement = (
        sa.update(m.run)
        .where(_r.no == run.no, _r.state == "running", _r.worker == run.worker)
        .where(_r.pages == run.pages)
        .values(**values)
    )
    return bool(await uow.run(statement))


async def end_run(uow: Uow, no: int, state: str, was: str, **values: Any) -> bool:
    """False when its state is not ``was`` any more."""
    statement = sa.update(m.run).where(_r.no == no, _r.state == was).values(state=state, **values)
    return bool(await uow.run(statement))


async def run(uow: ReadUow, no: int) -> Run | None:
    row = await uow.first(sa.select(m.run).where(_r.no == no))
    return None if row is None else Run(**row)


async def runs(uow: ReadUow, limit: int, offset: int = 0) -> tuple[int, list[Run]]:
    """How many, and one page of them, newest first."""
    count = await uow.scalar(sa.select(sa.func.count()).select_from(m.run))
    page = sa.select(m.run).order_by(_r.no.desc()).limit(limit).offset(offset)
    return int(count), [Run(**row) for row in await uow.all(page)]


async def last_began(uow: ReadUow) -> tuple[int | None, int | None]:
    """When the newest full run that did not fail began, and the newest run of any kind."""
    whole = sa.and_(_r.kind == "full", _r.state != "failed")
    full = await uow.scalar(sa.select(sa.func.max(_r.began_at)).where(whole))
    return full, await uow.scalar(sa.select(sa.func.max(_r.began_at)))


async def forget_runs(uow: Uow, before: int) -> None:
    """Runs that began before then, with what they found; one that waits for a decision stays."""
    old = sa.select(_r.no).where(_r.began_at < before, _r.state.not_in(("running", "waiting")))
    for table in (m.bad_row, m.withdrawal):
        await uow.run(sa.delete(table).where(table.c.run.in_(old)))
    await uow.run(sa.delete(m.run).where(_r.no.in_(old)))


# -- what the source said -------------------------------------------------------------------------


def _among(column: sa.ColumnElement[str], codes: Collection[str]) -> sa.ColumnElement[bool]:
    return column == sa.any_(sa.cast(sorted(codes), pg.ARRAY(sa.Text)))


async def known(uow: ReadUow, codes: Collection[str]) -> dict[str, Known]:
    rows = await uow.all(sa.select(m.source).where(_among(_s.code, codes)))
    return {
        row["code"]: Known(revision=row["revision"], said=unpacked(row["said"]), gone=row["gone"])
        for row in rows
    }


async def agree(
    uow: Uow, code: str, revision: int, said: Mapping[str, Any], run: int, *, gone: bool
) -> None:
    """Both sides have the same now."""
    values = {"revision": revision, "said": packed(said), "gone": gone, "seen_run": run}
    statement = insert(m.source).values(code=code, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["code"], set_=values))


async def see(uow: Uow, codes: Collection[str], run: int) -> None:
    """The run had these, whatever became of them."""
    await uow.run(sa.update(m.source).where(_among(_s.code, codes)).values(seen_run=run))


async def alive(uow: ReadUow) -> int:
    """Items that the source is known to have."""
    count = sa.select(sa.func.count()).select_from(m.source).where(~_s.gone)
    return int(await uow.scalar(count))


async def seen(uow: ReadUow, run: int) -> int:
    """Different codes that a run had; items here that both sides do not agree on yet count too."""
    codes = (
        sa.select(_s.code)
        .where(_s.seen_run == run)
        .union(
            sa.select(m.bad_row.c.code).where(m.bad_row.c.run == run, m.bad_row.c.code != ""),
            sa.select(m.conflict.c.code).where(m.conflict.c.run == run),
            sa.select(_w.code).where(_w.run == run, ~_w.missing),
        )
        .subquery()
    )
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(codes)))


async def missing(uow: ReadUow, run: int) -> list[tuple[str, str, int]]:
    """Code, name and revision of what a full run did not have."""
    name = _s.said["name"].astext
    statement = sa.select(_s.code, sa.func.coalesce(name, "").label("name"), _s.revision)
    rows = await uow.all(statement.where(_s.seen_run != run, ~_s.gone).order_by(_s.code))
    return [(row["code"], row["name"], row["revision"]) for row in rows]


# -- withdrawals ----------------------------------------------------------------------------------


async def stage(uow: Uow, run: int, found: Sequence[Mapping[str, Any]]) -> None:
    """Withdrawals that wait for the end of the run: ``code``, ``name``, ``on``, ``missing``, ``revision``."""
    if not found:
        return
    statement = insert(m.withdrawal)
    names = ("name", "on", "missing", "revision", "state")
    replaced = {name: statement.excluded[name] for name in names}
    rows = [{"run": run, "state": "pending", **one} for one in found]
    await uow.run(
        statement.on_conflict_do_update(index_elements=["run", "code"], set_=replaced), rows
    )


async def unstage(uow: Uow, codes: Collection[str]) -> None:
    """The source says that these are in force after all."""
    await uow.run(
        sa.update(m.withdrawal)
        .where(_w.state == "pending", _among(_w.code, codes))
        .values(state="gone")
    )


async def withdrawals(uow: ReadUow, run: int, state: str = "") -> list[Withdrawal]:
    statement = sa.select(m.withdrawal).where(_w.run == run).order_by(_w.code)
    if state:
        statement = statement.where(_w.state == state)
    return [Withdrawal(**row) for row in await uow.all(statement)]


async def settle(uow: Uow, run: int, state: str) -> None:
    await uow.run(
        sa.update(m.withdrawal).where(_w.run == run, _w.state == "pending").values(state=state)
    )


# -- conflicts and bad rows -----------------------------------------------------------------------


async def conflicts(uow: ReadUow, codes: Collection[str] | None = None) -> list[Conflict]:
    statement = sa.select(m.conflict).order_by(m.conflict.c.code)
    if codes is not None:
        statement = statement.where(_among(m.conflict.c.code, codes))
    rows = await uow.all(statement)
    return [Conflict(**{**row, "said": unpacked(row["said"])}) for row in rows]


async def put_conflict(uow: Uow, said: Said, run: int, at: int, wanted: date | None) -> None:
    values = {
        "run": run,
        "at": at,
        "revision": said.revision,
        "said": packed(said.fields),
        "wanted_from": wanted,
    }
    statement = insert(m.conflict).values(code=said.code, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["code"], set_=values))


async def drop_conflict(uow: Uow, code: str) -> None:
    await uow.run(sa.delete(m.conflict).where(m.conflict.c.code == code))


async def add_bad_rows(uow: Uow, run: int, rows: Sequence[BadRow]) -> None:
    if rows:
        await uow.run(
            insert(m.bad_row).on_conflict_do_nothing(),
            [
                {
                    "run": run,
                    "place": one.place,
                    "code": one.code,
                    "name": one.name,
                    "faults": [[f.field, f.why, dict(f.params)] for f in one.faults],
                    "row": one.row,
                }
                for one in rows
            ],
        )


async def bad_rows(
    uow: ReadUow, run: int, limit: int | None = None, offset: int = 0
) -> list[BadRow]:
    b = m.bad_row.c
    statement = sa.select(m.bad_row).where(b.run == run).order_by(b.place)
    rows = await uow.all(statement.limit(limit).offset(offset))
    return [
        BadRow(
            place=row["place"],
            code=row["code"],
            name=row["name"],
            faults=tuple(CellFault(*one) for one in row["faults"]),
            row=row["row"],
        )
        for row in rows
    ]
