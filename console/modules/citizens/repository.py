"""All SQL of citizens but that of their sessions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from console.core.uow import ReadUow, Uow
from console.modules.citizens import models as m
from console.modules.citizens.api import Firm

_c = m.citizen.c
_ROW = sa.select(m.citizen).where(_c.id == sa.bindparam("its"), _c.forgotten_at.is_(None))
MOST_OF_A_PHONE = 10


async def row(uow: ReadUow, citizen: str) -> sa.RowMapping | None:
    """None for who is not known or was forgotten."""
    return await uow.first(_ROW, {"its": citizen})


async def rows(uow: ReadUow, citizens: Collection[str]) -> Sequence[sa.RowMapping]:
    """Those of them who are known and were not forgotten."""
    wanted = sa.any_(sa.cast(sorted(citizens), pg.ARRAY(sa.Text)))
    return await uow.all(sa.select(m.citizen).where(_c.id == wanted, _c.forgotten_at.is_(None)))


async def by_number(uow: ReadUow, certificate: str, index: str) -> sa.RowMapping | None:
    return await uow.first(
        sa.select(m.citizen).where(_c.certificate == certificate, _c.number_index == index)
    )


async def by_index(uow: ReadUow, index: str) -> Sequence[sa.RowMapping]:
    """Everybody with a certificate of that number, of whatever kind."""
    return await uow.all(sa.select(m.citizen).where(_c.number_index == index))


async def by_phone(uow: ReadUow, index: str | None) -> Sequence[sa.RowMapping]:
    """The one who was here last comes first."""
    statement = sa.select(m.citizen).where(_c.phone_index == index, _c.forgotten_at.is_(None))
    return await uow.all(statement.order_by(_c.seen_at.desc()).limit(MOST_OF_A_PHONE))


async def lock_number(uow: Uow, certificate: str, index: str) -> None:
    """Of two who bring the same certificate for the first time the second waits and finds the first one's row."""
    await uow.scalar(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
        {"key": f"citizen {certificate} {index}"},
    )


async def add(uow: Uow, values: Mapping[str, Any]) -> None:
    await uow.run(sa.insert(m.citizen).values(**values))


async def change(uow: Uow, citizen: str, values: Mapping[str, Any]) -> None:
    await uow.run(sa.update(m.citizen).where(_c.id == citizen).values(**values))


async def put_login(uow: Uow, digest: str, citizen: str, now: int) -> None:
    statement = insert(m.login).values(digest=digest, citizen=citizen, made_at=now)
    await uow.run(
        statement.on_conflict_do_update(index_elements=["digest"], set_={"citizen": citizen})
    )


async def put_firm(uow: Uow, id: str, code: str, name: str) -> str:  # noqa: A002
    """The firm of that code, made or renamed; gives its id."""
    statement = insert(m.firm).values(id=id, code=code, name=name)
    statement = statement.on_conflict_do_update(index_elements=["code"], set_={"name": name})
    return str(await uow.scalar(statement.returning(m.firm.c.id)))


async def put_mandates(uow: Uow, citizen: str, firms: Collection[tuple[str, bool]]) -> None:
    """These are all that somebody may act for; each with whether as its legal representative."""
    await uow.run(sa.delete(m.mandate).where(m.mandate.c.citizen == citizen))
    if firms:
        await uow.run(
            sa.insert(m.mandate),
            [{"citizen": citizen, "firm": firm, "legal": legal} for firm, legal in firms],
        )


async def mandates(uow: ReadUow, citizen: str) -> Sequence[tuple[Firm, bool]]:
    f, one = m.firm.c, m.mandate.c
    rows = await uow.all(
        sa.select(f.id, f.name, f.code, one.legal)
        .join(m.mandate, one.firm == f.id)
        .where(one.citizen == citizen)
        .order_by(f.name)
    )
    return [(Firm(id=r["id"], name=r["name"], code=r["code"]), r["legal"]) for r in rows]


async def put_proof(
    uow: Uow, citizen: str, channel: str, values: Mapping[str, Any], before: int
) -> bool:
    """False while there is one that expires after ``before``, also when it was made at the same moment."""
    statement = insert(m.proof).values(citizen=citizen, channel=channel, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["citizen", "channel"],
        set_=dict(values),
        where=m.proof.c.expires_at <= before,
    )
    return bool(await uow.run(statement))


async def proof(uow: ReadUow, citizen: str, channel: str) -> sa.RowMapping | None:
    p = m.proof.c
    return await uow.first(sa.select(m.proof).where(p.citizen == citizen, p.channel == channel))


async def take_try(
    uow: Uow, citizen: str, channel: str, now: int, most: int
) -> sa.RowMapping | None:
    """The proof with one try more; None when it is over. Tries at the same moment are counted one after the other."""
    p = m.proof.c
    statement = (
        sa.update(m.proof)
        .where(p.citizen == citizen, p.channel == channel, p.expires_at > now, p.tries < most)
        .values(tries=p.tries + 1)
    )
    return await uow.first(statement.returning(m.proof))


async def drop_proof(uow: Uow, citizen: str, channel: str) -> None:
    p = m.proof.c
    await uow.run(sa.delete(m.proof).where(p.citizen == citizen, p.channel == channel))


async def put_errand(uow: Uow, appointment: str, firm: str) -> None:
    statement = insert(m.errand).values(appointment=appointment, firm=firm)
    await uow.run(statement.on_conflict_do_nothing())


async def errands(uow: ReadUow, appointments: Collection[str]) -> dict[str, Firm]:
    """For which firms these were made; those that were made for oneself are left out."""
    f, one = m.firm.c, m.errand.c
    rows = await uow.all(
        sa.select(one.appointment, f.id, f.name, f.code)
        .join(m.firm, one.firm == f.id)
        .where(one.appointment.in_(sorted(appointments)))
    )
    return {r["appointment"]: Firm(id=r["id"], name=r["name"], code=r["code"]) for r in rows}


async def forget(uow: Uow, citizen: str, now: int) -> None:
    """Empties somebody's row and removes all around it."""
    for table in (m.proof, m.mandate, m.login, m.alipay, m.device):
        await uow.run(sa.delete(table).where(table.c.citizen == citizen))
    boxes = ("name_box", "number_box", "comes_box", "phone_box", "mail_box")
    masks = ("masked_name", "masked_number", "masked_phone", "masked_mail")
    blank = dict.fromkeys((*boxes, *masks), "")
    await change(
        uow, citizen, {**blank, "number_index": None, "phone_index": None, "forgotten_at": now}
    )
