"""Databases beside the city's on the same server, and what is written about them outside of every one."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

import asyncpg
import msgspec
import sqlalchemy as sa

from console.core.db import asyncpg_arguments
from console.core.uow import ReadUow
from qingting.contract.base import Record

_MARK = "qingting "
_LONGEST = 40
"""Characters of the city's name that names beside it begin with: PostgreSQL cuts names at 63 bytes."""


class Step(StrEnum):
    """``due``: it is to take the city's place now; ``given_up``: that was not possible; ``kept``: it was the city."""

    PREPARING = "preparing"
    DUE = "due"
    GIVEN_UP = "given_up"
    KEPT = "kept"


class Marker(Record, frozen=True, kw_only=True):
    """Written as the comment of a database: the server keeps it for all of its databases, and it goes with a name.

    ``moment``: the state of the city that it holds, in UTC milliseconds; ``at``: since when it is in its ``step``;
    ``source``: the archive or database that it came from or was replaced by; ``by``: the account's name; ``former``: what
    the present city will be called; ``why``: what kept it from taking the city's place.
    """

    of: str
    step: Step
    at: int
    moment: int
    source: str
    by: str
    job: int = 0
    former: str = ""
    why: str = ""


class Beside(Record, frozen=True, kw_only=True):
    """A database that was, or may become, the city. ``mark`` None: an older program left it."""

    name: str
    bytes: int
    mark: Marker | None


def beside(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return sa.engine.make_url(url).set(database=name).render_as_string(hide_password=False)


def name_of(url: str) -> str:
    return str(sa.engine.make_url(url).database)


def named(city: str, what: str, stamp: str) -> str:
    """``what``: ``new`` or ``before``; ``stamp``: fourteen figures of a time in UTC."""
    return f"{city[:_LONGEST]}_{what}_{stamp}"


def quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def words(mark: Marker) -> str:
    """As the comment has it."""
    return _MARK + msgspec.json.encode(mark).decode()


def read_words(comment: str | None) -> Marker | None:
    """None for a comment that is none of ours."""
    if not comment or not comment.startswith(_MARK):
        return None
    try:
        return msgspec.json.decode(comment.removeprefix(_MARK), type=Marker)
    except msgspec.DecodeError:
        return None


@asynccontextmanager
async def connected(url: str, *, name: str = "qingting") -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own, outside of every pool; ``name`` is what the server's list of connections calls it."""
    connection = await asyncpg.connect(
        timeout=10, server_settings={"application_name": name}, **asyncpg_arguments(url)
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


@asynccontextmanager
async def maintaining(url: str, *, name: str = "qingting") -> AsyncIterator[asyncpg.Connection]:
    """A connection to the server's maintenance database."""
    async with connected(beside(url, "postgres"), name=name) as connection:
        yield connection


async def administer(url: str, *statements: str) -> None:
    """Statements that belong to no database, one after the other."""
    async with maintaining(url) as connection:
        for one in statements:
            await connection.execute(one)


async def put_mark(connection: asyncpg.Connection, name: str, mark: Marker | None) -> None:
    """Writes what a database is; None takes it away."""
    text = "NULL"
    if mark is not None:
        text = await connection.fetchval("SELECT quote_literal($1::text)", words(mark))
    await connection.execute(f"COMMENT ON DATABASE {quoted(name)} IS {text}")


_FOUND = (
    "SELECT datname, shobj_description(oid, 'pg_database') AS said,"
    " CASE WHEN {sizes} THEN pg_database_size(oid) ELSE 0 END AS size"
    " FROM pg_database WHERE starts_with(datname, {start})"
)


async def besides(connection: asyncpg.Connection, city: str) -> list[Beside]:
    """Databases that were or may become ``city``, newest first, without their sizes. Any database of the server can
    be asked."""
    statement = _FOUND.format(start="$1", sizes="$2")
    return _besides(await connection.fetch(statement, _start(city), False), city)


async def besides_in(uow: ReadUow, city: str, *, sizes: bool) -> list[Beside]:
    """The same within a unit of work; ``bytes`` is 0 unless ``sizes`` are asked for."""
    statement = sa.text(_FOUND.format(start=":start", sizes="CAST(:sizes AS boolean)"))
    return _besides(await uow.all(statement, {"start": _start(city), "sizes": sizes}), city)


def _start(city: str) -> str:
    return f"{city[:_LONGEST]}_"


def _besides(rows: Iterable[Any], city: str) -> list[Beside]:
    shape = re.compile(rf"{re.escape(_start(city))}(new|before)_\d{{14}}")
    found = [
        Beside(name=row["datname"], bytes=row["size"], mark=read_words(row["said"]))
        for row in rows
        if shape.fullmatch(row["datname"])
    ]
    ours = [one for one in found if one.mark is None or one.mark.of == city]
    return sorted(ours, key=lambda one: one.name[-14:], reverse=True)
