"""All SQL of the catalogue."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from console.core.permissions import stem
from console.core.uow import ReadUow, Uow
from console.modules.catalogue import models as m
from console.modules.catalogue.api import Item, ItemChange, ItemQuery
from console.modules.catalogue.domain import ItemBody, State
from console.modules.catalogue.reading import asked, index_of
from console.modules.catalogue.searching import named, rank

_v = m.version.c
_bodies = msgspec.json.Decoder(ItemBody)
LOCK = 0x71746361
"""Advisory lock of the versions."""
_PUBLISHED = _v.state == State.PUBLISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version with who made it and who published it."""

    code: str
    version: int
    state: State
    effective_from: date | None
    body: ItemBody
    origin: str
    made_at: int
    made_by: str
    published_at: int | None
    published_by: str | None
    wanted_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """An item in force with its switches; ``division`` empty: the whole city's."""

    code: str
    division: str
    bookable: bool
    on_site: bool


def _version(row: sa.RowMapping) -> Version:
    fields = {name: row[name] for name in Version.__dataclass_fields__}
    return Version(**{**fields, "state": State(row["state"]), "body": _body(row["body"])})


def _body(stored: object) -> ItemBody:
    return msgspec.convert(stored, ItemBody)


def body_in(text: str) -> ItemBody:
    """A body that was read as text."""
    return _bodies.decode(text)


def in_force(on: date) -> sa.Subquery:
    """The version of each item that holds on a date, withdrawn ones too, with its flags.

    Those that no later one has replaced: so PostgreSQL looks for words first, and sorts nothing wide.
    """
    flags, later = m.flag.c, m.version.alias("later").c
    replaced = sa.exists().where(
        later.code == _v.code,
        later.state == State.PUBLISHED,
        later.effective_from <= on,
        sa.tuple_(later.effective_from, later.version) > sa.tuple_(_v.effective_from, _v.version),
    )
    statement = (
        sa.select(
            m.version,
            sa.func.coalesce(flags.bookable, sa.false()).label("bookable"),
            sa.func.coalesce(flags.on_site, sa.true()).label("on_site"),
        )
        .select_from(m.version.outerjoin(m.flag, flags.code == _v.code))
        .where(_v.state == State.PUBLISHED, _v.effective_from <= on, ~replaced)
    )
    return statement.subquery("in_force")


def _where(held: sa.Subquery, wanted: ItemQuery) -> list[sa.ColumnElement[bool]]:
    c, body = held.c, held.c.body
    parts: list[sa.ColumnElement[bool]] = [~body["withdrawn"].astext.cast(sa.Boolean)]
    parts.extend(named(held, text) for text in asked(wanted.text))
    if wanted.department:
        parts.append(body["department"].astext == wanted.department)
    if wanted.division:
        below = body["division"].astext.startswith(stem(wanted.division), autoescape=True)
        parts.append(below)
    if wanted.theme:
        parts.append(body["themes"].contains([wanted.theme]))
    if wanted.hall:
        parts.append(body["halls"].contains([wanted.hall]))
    if wanted.bookable is not None:
        parts.append(c.bookable == wanted.bookable)
    if wanted.on_site is not None:
        parts.append(c.on_site == wanted.on_site)
    if wanted.codes is not None:
        parts.append(c.code.in_(wanted.codes))
    return parts


async def items(
    uow: ReadUow, on: date, wanted: ItemQuery, limit: int | None, offset: int = 0
) -> tuple[int, list[Item]]:
    held = in_force(on)
    where = _where(held, wanted)
    number = sa.func.count().over().label("count")
    place = rank(held, wanted.text).label("place")
    # By code points: the embedded PostgreSQL has no Chinese collation. Bodies are wide: only the page's are read.
    keys = (
        sa.select(held.c.code, held.c.version, number, place)
        .where(*where)
        .order_by(place, held.c.pinyin, held.c.code)
        .limit(limit)
        .offset(offset)
        .subquery("keys")
    )
    page = (
        sa.select(held, keys.c.count)
        .join(keys, sa.and_(keys.c.code == held.c.code, keys.c.version == held.c.version))
        .order_by(keys.c.place, held.c.pinyin, held.c.code)
    )
    rows = await uow.all(page)
    if rows or not offset:
        return (int(rows[0]["count"]) if rows else 0), [_item(row) for row in rows]
    return await count(uow, on, wanted), []


async def count(uow: ReadUow, on: date, wanted: ItemQuery) -> int:
    """How many are found."""
    held = in_force(on)
    counted = sa.select(sa.func.count()).select_from(held).where(*_where(held, wanted))
    return int(await uow.scalar(counted))


def found(on: date, wanted: ItemQuery) -> sa.Select[tuple[Any, ...]]:
    """Code and body (:func:`body_in`) of all items that are found, in the order of :func:`items`."""
    held = in_force(on)
    body = sa.cast(held.c.body, sa.Text).label("body")
    chosen = sa.select(held.c.code, body).where(*_where(held, wanted))
    return chosen.order_by(rank(held, wanted.text), held.c.pinyin, held.c.code)


async def departments_among(uow: ReadUow, on: date, wanted: ItemQuery) -> list[tuple[str, int]]:
    """Departments of the items found, with how many each has."""
    held = in_force(on)
    name = held.c.body["department"].astext
    statement = (
        sa.select(name.label("name"), sa.func.count().label("items"))
        .where(*_where(held, wanted))
        .group_by(name)
        .order_by(sa.func.count().desc(), name)
    )
    return [(row["name"], int(row["items"])) for row in await uow.all(statement)]


async def item(uow: ReadUow, code: str, on: date) -> Item | None:
    """The version in force, even a withdrawn one."""
    held = in_force(on)
    row = await uow.first(sa.select(held).where(held.c.code == code))
    return None if row is None else _item(row)


async def bookable(uow: ReadUow, on: date) -> dict[str, bool]:
    """Flags of all items in force that are not withdrawn."""
    held = in_force(on)
    rows = await uow.all(sa.select(held.c.code, held.c.bookable).where(*_where(held, ItemQuery())))
    return {row["code"]: row["bookable"] for row in rows}


def _item(row: sa.RowMapping) -> Item:
    names = ("code", "version", "effective_from", "bookable", "on_site")
    return Item(**{name: row[name] for name in names}, body=_body(row["body"]))


async def changes(uow: ReadUow, after: tuple[int, str, int], limit: int) -> list[ItemChange]:
    """Published versions behind ``after`` (instant, code, version), in that order. Publishing holds :func:`lock`,
    so none becomes visible behind one that was read already."""
    place = sa.tuple_(_v.published_at, _v.code, _v.version)
    statement = (
        sa.select(_v.code, _v.version, _v.effective_from, _v.published_at, _v.body)
        .where(_PUBLISHED, place > after)
        .order_by(_v.published_at, _v.code, _v.version)
        .limit(limit)
    )
    return [ItemChange(**{**row, "body": _body(row["body"])}) for row in await uow.all(statement)]


async def present(uow: ReadUow, codes: Collection[str]) -> dict[str, ItemBody]:
    """The newest version of each of ``codes``, published or not: what another one would be compared with."""
    statement = (
        sa.select(_v.code, sa.cast(_v.body, sa.Text).label("body"))
        .where(_v.code == sa.any_(sa.cast(sorted(codes), pg.ARRAY(sa.Text))))
        .ext(pg.distinct_on(_v.code))
        .order_by(_v.code, _v.version.desc())
    )
    # Read straight into its type: there may be thousands.
    return {row["code"]: body_in(row["body"]) for row in await uow.all(statement)}


async def alike(uow: ReadUow, codes: Collection[str]) -> set[str]:
    """Codes that differ from one of ``codes`` in zeros in front alone."""
    bare = {one.lstrip("0") for one in codes if one.isdecimal()}
    if not bare:
        return set()
    found = sa.func.ltrim(_v.code, "0") == sa.any_(sa.cast(sorted(bare), pg.ARRAY(sa.Text)))
    return {row["code"] for row in await uow.all(sa.select(_v.code).where(found).distinct())}


async def versions(uow: ReadUow, code: str) -> list[Version]:
    """Newest first."""
    statement = sa.select(m.version).where(_v.code == code).order_by(_v.version.desc())
    return [_version(row) for row in await uow.all(statement)]


async def drafts(uow: ReadUow, codes: Collection[str] | None = None) -> list[Version]:
    statement = sa.select(m.version).where(_v.state == State.DRAFT).order_by(_v.pinyin, _v.code)
    if codes is not None:
        statement = statement.where(_v.code == sa.any_(sa.cast(sorted(codes), pg.ARRAY(sa.Text))))
    return [_version(row) for row in await uow.all(statement)]


async def published(uow: ReadUow, codes: Collection[str]) -> dict[str, Version]:
    """The newest published version of each."""
    statement = (
        sa.select(m.version)
        .where(
            _v.state == State.PUBLISHED,
            _v.code == sa.any_(sa.cast(sorted(codes), pg.ARRAY(sa.Text))),
        )
        .ext(pg.distinct_on(_v.code))
        .order_by(_v.code, _v.version.desc())
    )
    return {row["code"]: _version(row) for row in await uow.all(statement)}


async def lock(uow: Uow) -> None:
    """Changes of versions come one after the other."""
    await uow.scalar(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


async def newest(uow: ReadUow, codes: Collection[str]) -> dict[str, Version]:
    """The newest version of each, draft or published."""
    statement = (
        sa.select(m.version)
        .where(_v.code == sa.any_(sa.cast(sorted(codes), pg.ARRAY(sa.Text))))
        .ext(pg.distinct_on(_v.code))
        .order_by(_v.code, _v.version.desc())
    )
    return {row["code"]: _version(row) for row in await uow.all(statement)}


async def put_draft(
    uow: Uow,
    code: str,
    body: ItemBody,
    *,
    origin: str,
    at: int,
    by: str,
    wanted_from: date | None = None,
) -> int:
    """The item's one draft, made or replaced; gives its version. :func:`lock` first."""
    last = await uow.first(
        sa.select(_v.version, _v.state).where(_v.code == code).order_by(_v.version.desc()).limit(1)
    )
    found = index_of(code, body)
    values: dict[str, Any] = {
        "body": msgspec.to_builtins(body),
        **dataclasses.asdict(found),
        "origin": origin,
        "made_at": at,
        "made_by": by,
        "wanted_from": wanted_from,
    }
    if last is not None and last["state"] == State.DRAFT:
        number = int(last["version"])
        await uow.run(
            sa.update(m.version).where(_v.code == code, _v.version == number).values(**values)
        )
        return number
    number = (last["version"] if last else 0) + 1
    await uow.run(
        sa.insert(m.version).values(code=code, version=number, state=State.DRAFT.value, **values)
    )
    return number


async def drop_draft(uow: Uow, code: str) -> bool:
    return bool(await uow.run(sa.delete(m.version).where(_v.code == code, _v.state == State.DRAFT)))


async def publish(uow: Uow, code: str, version: int, on: date, at: int, by: str) -> bool:
    """False when that version is no draft (any more)."""
    statement = (
        sa.update(m.version)
        .where(_v.code == code, _v.version == version, _v.state == State.DRAFT)
        .values(state=State.PUBLISHED.value, effective_from=on, published_at=at, published_by=by)
    )
    return bool(await uow.run(statement))


async def flagged(uow: ReadUow, on: date, wanted: ItemQuery) -> list[Flagged]:
    """Of all items found only what switching them needs: bodies are wide."""
    held = in_force(on)
    division = held.c.body["division"].astext.label("division")
    statement = (
        sa.select(held.c.code, division, held.c.bookable, held.c.on_site)
        .where(*_where(held, wanted))
        .order_by(held.c.code)
    )
    return [Flagged(**row) for row in await uow.all(statement)]


async def put_flags(uow: Uow, rows: Sequence[tuple[str, bool, bool]], at: int, by: str) -> None:
    """Code, bookable, on site."""
    statement = insert(m.flag)
    replaced = {
        name: statement.excluded[name]
        for name in ("bookable", "on_site", "changed_at", "changed_by")
    }
    if rows:
        await uow.run(
            statement.on_conflict_do_update(index_elements=["code"], set_=replaced),
            [
                {
                    "code": code,
                    "bookable": bookable,
                    "on_site": on_site,
                    "changed_at": at,
                    "changed_by": by,
                }
                for code, bookable, on_site in rows
            ],
        )


async def departments(uow: ReadUow) -> list[str]:
    name = _v.body["department"].astext
    rows = await uow.all(sa.select(name.label("name")).where(_PUBLISHED).distinct().order_by(name))
    return [row["name"] for row in rows if row["name"]]


async def divisions(uow: ReadUow) -> list[str]:
    code = _v.body["division"].astext
    rows = await uow.all(sa.select(code.label("code")).where(_PUBLISHED).distinct().order_by(code))
    return [row["code"] for row in rows if row["code"]]


async def themes(uow: ReadUow) -> list[tuple[str, str]]:
    rows = await uow.all(sa.select(m.theme).order_by(m.theme.c.place))
    return [(row["name"], row["name_en"]) for row in rows]


async def add_themes(uow: Uow, names: Collection[str]) -> None:
    """Brings names into the list of themes that it does not have, at its end."""
    if names:
        last = sa.select(sa.func.coalesce(sa.func.max(m.theme.c.place), 0)).scalar_subquery()
        for one in sorted(names):
            statement = insert(m.theme).values(name=one, name_en="", place=last + 1)
            await uow.run(statement.on_conflict_do_nothing())


async def put_theme(uow: Uow, name: str, name_en: str) -> None:
    """Adds one at the end, or gives a known one its English name."""
    await add_themes(uow, [name])
    await uow.run(sa.update(m.theme).where(m.theme.c.name == name).values(name_en=name_en))


async def order_themes(uow: Uow, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        await uow.run(sa.update(m.theme).where(m.theme.c.name == name).values(place=place))


async def drop_theme(uow: Uow, name: str) -> None:
    await uow.run(sa.delete(m.theme).where(m.theme.c.name == name))


async def theme_used(uow: ReadUow, name: str, on: date) -> bool:
    """True while an item that is in force, or a draft, has it."""
    held = in_force(on)
    has = held.c.body["themes"].contains([name])
    gone = held.c.body["withdrawn"].astext.cast(sa.Boolean)
    drafted = sa.select(_v.code).where(_v.state == State.DRAFT, _v.body["themes"].contains([name]))
    found = sa.select(held.c.code).where(has, ~gone).union_all(drafted).limit(1)
    return await uow.first(found) is not None


async def materials(
    uow: ReadUow, names: Collection[str] | None = None
) -> list[tuple[str, str, str]]:
    """Name, English name, note; of all, or of ``names``."""
    statement = sa.select(m.material).order_by(m.material.c.name)
    if names is not None:
        statement = statement.where(m.material.c.name.in_(sorted(names)))
    rows = await uow.all(statement)
    return [(row["name"], row["name_en"], row["note"]) for row in rows]


async def add_materials(uow: Uow, names: Collection[str]) -> None:
    """Brings names into the dictionary that it does not have."""
    if names:
        await uow.run(
            insert(m.material).on_conflict_do_nothing(),
            [{"name": one, "name_en": "", "note": ""} for one in sorted(names)],
        )


async def put_material(uow: Uow, name: str, name_en: str, note: str) -> None:
    values = {"name_en": name_en, "note": note}
    statement = insert(m.material).values(name=name, **values)
    await uow.run(statement.on_conflict_do_update(index_elements=["name"], set_=values))


async def rule(uow: ReadUow, name: str) -> str | None:
    found = await uow.scalar(sa.select(m.rule.c.value).where(m.rule.c.name == name))
    return None if found is None else str(found)


async def put_rule(uow: Uow, name: str, value: str) -> None:
    statement = insert(m.rule).values(name=name, value=value)
    await uow.run(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
