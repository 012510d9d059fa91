"""All SQL of configurations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from console.core.permissions import Scope
from console.core.uow import ReadUow, Uow
from console.modules.configuration import models as m
from console.modules.configuration.packing import pack, unpack
from qingting.contract.config import HallConfig
from qingting.contract.errors import sentence
from qingting.contract.states import Language

_LOCK = 0x71636F6E
_params = msgspec.json.Decoder(dict[str, str | int])
_OPEN = {"code": "", "params": "{}", "ended_at": 0}
"""Of what the hall has not answered."""
_EXPIRED = "directive.expired"
"""The hall's answer to what was withdrawn before it was delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """See :data:`console.modules.configuration.models.draft`."""

    hall: str
    revision: int
    base: HallConfig
    config: HallConfig
    changed_at: int
    changed_by: str


async def lock(uow: Uow, hall: str) -> None:
    """Who writes a hall's draft or sends it waits for the other who does."""
    await uow.scalar(
        sa.text("SELECT pg_advisory_xact_lock(:lock, hashtext(:hall))"),
        {"lock": _LOCK, "hall": hall},
    )


# ---- what was in force ---------------------------------------------------------------------------

_V = m.version.c
_FACTS = [column for column in m.version.c if column.name != "body"]


def _newest(hall: str) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(m.version)
        .where(_V.hall == hall)
        .order_by(_V.epoch.desc(), _V.seq.desc())
        .limit(1)
    )


async def newest(uow: ReadUow, hall: str) -> sa.RowMapping | None:
    return await uow.first(_newest(hall))


async def newest_of_all(uow: ReadUow, scope: Scope) -> dict[str, sa.RowMapping]:
    """What is in force in each hall, without the configurations themselves."""
    rows = await uow.all(
        sa.select(*_FACTS)
        .where(scope.where(_V.hall))
        .ext(distinct_on(_V.hall))
        .order_by(_V.hall, _V.epoch.desc(), _V.seq.desc())
    )
    return {row["hall"]: row for row in rows}


async def history(uow: ReadUow, hall: str, limit: int, offset: int = 0) -> Sequence[sa.RowMapping]:
    """Newest first, without the configurations themselves."""
    return await uow.all(
        sa.select(*_FACTS)
        .where(_V.hall == hall)
        .order_by(_V.epoch.desc(), _V.seq.desc())
        .limit(limit)
        .offset(offset)
    )


async def versions_count(uow: ReadUow, hall: str) -> int:
    found: int = await uow.scalar(
        sa.select(sa.func.count()).select_from(m.version).where(_V.hall == hall)
    )
    return found


async def version_and_before(
    uow: ReadUow, hall: str, epoch: int, seq: int
) -> Sequence[sa.RowMapping]:
    """A version and the one before it; fewer where there are none."""
    upto = sa.tuple_(_V.epoch, _V.seq) <= sa.tuple_(sa.literal(epoch), sa.literal(seq))
    found = await uow.all(_newest(hall).where(upto).limit(2))
    return found if found and (found[0]["epoch"], found[0]["seq"]) == (epoch, seq) else ()


async def of_version(uow: ReadUow, hall: str, version: int) -> HallConfig | None:
    """The newest configuration that was in force under this number."""
    row = await uow.first(_newest(hall).where(_V.version == version))
    return unpack(row["body"]) if row is not None else None


async def add_version(uow: Uow, **values: object) -> None:
    await uow.run(insert(m.version).values(values).on_conflict_do_nothing())


async def forget(uow: Uow, hall: str) -> None:
    await uow.run(sa.delete(m.version).where(_V.hall == hall))
    await uow.run(
        sa.update(m.publication)
        .where(_P.hall == hall)
        .values(state=sa.case((_P.withdrawn_at > 0, "withdrawn"), else_="pending"), **_OPEN)
    )


# ---- drafts --------------------------------------------------------------------------------------


async def draft(uow: ReadUow, hall: str) -> Draft | None:
    row = await uow.first(sa.select(m.draft).where(m.draft.c.hall == hall))
    if row is None:
        return None
    return Draft(
        hall=row["hall"],
        revision=row["revision"],
        base=unpack(row["base"]),
        config=unpack(row["body"]),
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )


async def drafts(uow: ReadUow) -> dict[str, sa.RowMapping]:
    rows = await uow.all(sa.select(m.draft.c.hall, m.draft.c.changed_at, m.draft.c.changed_by))
    return {row["hall"]: row for row in rows}


async def next_revision(uow: Uow, hall: str) -> int:
    """One that no draft of the hall has had. Under :func:`lock`."""
    r = m.revision.c
    begun = insert(m.revision).values(hall=hall, last=1)
    counted = begun.on_conflict_do_update(index_elements=["hall"], set_={"last": r.last + 1})
    return int(await uow.scalar(counted.returning(r.last)))


async def keep_draft(uow: Uow, one: Draft, part: str) -> None:
    """Writes the draft as it is now, and notes the save under its revision."""
    row: dict[str, Any] = {
        "hall": one.hall,
        "revision": one.revision,
        "base_version": one.base.version,
        "base": pack(one.base),
        "body": pack(one.config),
        "changed_at": one.changed_at,
        "changed_by": one.changed_by,
    }
    statement = insert(m.draft).values(row)
    await uow.run(statement.on_conflict_do_update(index_elements=["hall"], set_=row))
    saved = {"hall": one.hall, "revision": one.revision, "at": one.changed_at, "part": part}
    await uow.run(sa.insert(m.save).values(**saved, who=one.changed_by, body=row["body"]))


async def saves(uow: ReadUow, hall: str) -> Sequence[sa.RowMapping]:
    """Newest first."""
    c = m.save.c
    return await uow.all(
        sa.select(c.revision, c.at, c.who, c.part)
        .where(c.hall == hall)
        .order_by(c.revision.desc())
        .limit(50)
    )


async def saved(uow: ReadUow, hall: str, revision: int) -> HallConfig | None:
    c = m.save.c
    body = await uow.scalar(sa.select(c.body).where(c.hall == hall, c.revision == revision))
    return unpack(body) if body is not None else None


async def drop_draft(uow: Uow, hall: str) -> bool:
    await uow.run(sa.delete(m.save).where(m.save.c.hall == hall))
    return bool(await uow.run(sa.delete(m.draft).where(m.draft.c.hall == hall)))


# ---- what was sent -------------------------------------------------------------------------------

_P = m.publication.c


async def add_publication(uow: Uow, **values: object) -> None:
    kept = {"state": "pending", "withdrawn_at": 0, "withdrawn_by": ""}
    await uow.run(sa.insert(m.publication).values(**kept, **_OPEN, **values))


async def latest_publication(uow: ReadUow, hall: str) -> sa.RowMapping | None:
    return await uow.first(
        sa.select(m.publication).where(_P.hall == hall).order_by(_P.directive.desc()).limit(1)
    )


async def withdrawn_before(uow: ReadUow, hall: str, directive: int) -> Sequence[sa.RowMapping]:
    """Withdrawn ones before ``directive`` that the hall has not answered or took all the same, newest first, since one
    that nobody withdrew came into force."""
    came = sa.select(sa.func.coalesce(sa.func.max(_P.directive), 0)).where(
        _P.hall == hall, _P.withdrawn_at == 0, _P.state == "applied"
    )
    told = sa.or_(_P.ended_at == 0, _P.state == "applied")
    return await uow.all(
        sa.select(m.publication)
        .where(_P.hall == hall, _P.withdrawn_at > 0, told)
        .where(_P.directive < directive, _P.directive > came.scalar_subquery())
        .order_by(_P.directive.desc())
        .limit(10)
    )


async def withdraw(uow: Uow, hall: str, directive: int, at: int, who: str) -> sa.RowMapping | None:
    """None when it does not wait for the hall any more."""
    return await uow.first(
        sa.update(m.publication)
        .where(_P.hall == hall, _P.directive == directive, _P.state == "pending")
        .values(state="withdrawn", withdrawn_at=at, withdrawn_by=who)
        .returning(m.publication)
    )


async def latest_publications(uow: ReadUow) -> dict[str, sa.RowMapping]:
    rows = await uow.all(
        sa.select(m.publication).ext(distinct_on(_P.hall)).order_by(_P.hall, _P.directive.desc())
    )
    return {row["hall"]: row for row in rows}


async def name_version(uow: Uow, sent: sa.RowMapping) -> None:
    """What came into force last was what the city sent so: the version is of whom sent it."""
    last = sa.tuple_(_V.hall, _V.epoch, _V.seq).in_(
        sa.select(_V.hall, _V.epoch, _V.seq)
        .where(_V.hall == sent["hall"], _V.version == sent["version"])
        .order_by(_V.epoch.desc(), _V.seq.desc())
        .limit(1)
    )
    statement = sa.update(m.version).where(last, _V.origin == "city")
    await uow.run(statement.values(who=sent["who"], note=sent["note"]))


async def end_publication(
    uow: Uow,
    hall: str,
    directive: int,
    at: int,
    why: tuple[str, dict[str, str | int]] | None = None,
) -> sa.RowMapping | None:
    """``why``: code and parameters with which the hall refused it; None: it is in force, withdrawn or not."""
    code, params = why or ("", {})
    state: sa.ColumnElement[str] = sa.literal("refused" if why else "applied")
    if code == _EXPIRED:
        state = sa.case((_P.withdrawn_at > 0, "withdrawn"), else_=state)
    return await uow.first(
        sa.update(m.publication)
        .where(_P.hall == hall, _P.directive == directive)
        .values(
            state=state,
            code=code,
            params=msgspec.json.encode(params).decode(),
            ended_at=at,
        )
        .returning(m.publication)
    )


async def rebase_draft(uow: Uow, hall: str, base: bytes, version: int) -> None:
    """The draft goes on from what is in force now; what was changed in it stays changed."""
    await uow.run(
        sa.update(m.draft).where(m.draft.c.hall == hall).values(base=base, base_version=version)
    )


def why(sent: sa.RowMapping, language: Language) -> str:
    """The sentence with which the hall refused what was sent; empty where it did not."""
    if sent["state"] != "refused":
        return ""
    return sentence(sent["code"], _params.decode(sent["params"]), language)
