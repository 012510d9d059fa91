"""One business day out of a hall's database, read-only and beside a running hall. Blocking: for a worker thread."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
from sqlalchemy import bindparam, func, select

from hallserver.engine.state import STATE_SCHEMA, HallState
from hallserver.engine.whatif.day import LASTING_TAGS, DayHead, DayLog, lasting
from hallserver.store import tables as t
from hallserver.store.errors import StoreOpenError
from hallserver.store.opening import APPLICATION_ID
from hallserver.store.replay import decode_state
from hallserver.store.sql import compile_sql
from qingting.contract.events import Event
from qingting.contract.ids import BusinessDay, HallId

_DAYS = compile_sql(select(t.event.c.bd).distinct().order_by(t.event.c.bd))
_FIRST = compile_sql(select(func.min(t.event.c.seq)).where(t.event.c.bd == bindparam("day")))
_DAY = compile_sql(
    select(t.event.c.json).where(t.event.c.bd == bindparam("day")).order_by(t.event.c.seq)
)
_SNAPSHOT = compile_sql(
    select(t.snapshot.c.blob)
    .where(t.snapshot.c.seq < bindparam("first"), t.snapshot.c.schema == bindparam("known"))
    .order_by(t.snapshot.c.seq.desc()),
    limit="one",
)
_KINDS = ", ".join(f"'{tag}'" for tag in LASTING_TAGS)
_BEFORE = (
    f"SELECT json FROM event WHERE seq > :after AND seq < :first AND k IN ({_KINDS}) ORDER BY seq"  # noqa: S608 - tags of our own events
)


class NoSuchDayError(LookupError):
    """The log holds nothing of that day; ``days`` are those that it has."""

    def __init__(self, day: str, days: list[str]) -> None:
        self.days = days
        held = f"{days[0]} to {days[-1]}" if days else "no day"
        super().__init__(f"the log holds nothing of {day}; it has {held}")


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """One snapshot of the data on a connection that cannot write."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)) as raw:
        raw.execute("PRAGMA query_only=ON")
        if raw.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreOpenError(f"{path}: not a hall's database")
        raw.execute("BEGIN")
        yield raw
        raw.rollback()


def days_of(path: Path) -> list[str]:
    """Business days in the log, oldest first. Raises ``sqlite3.Error`` or ``StoreOpenError``."""
    with _reading(path) as raw:
        return _days(raw)


def _days(raw: sqlite3.Connection) -> list[str]:
    return [row[0] for row in raw.execute(_DAYS)]


def stored_day(path: Path, day: str) -> tuple[DayHead, list[bytes]]:
    """A day's head and its events exactly as stored. Raises :class:`NoSuchDayError`, ``sqlite3.Error``,
    ``StoreOpenError``."""
    with _reading(path) as raw:
        first = raw.execute(_FIRST, {"day": day}).fetchone()[0]
        if first is None:
            raise NoSuchDayError(day, _days(raw))
        base = _base(raw, first)
        span = {"after": base.seq if base is not None else 0, "first": first}
        before = [_event(row[0]) for row in raw.execute(_BEFORE, span)]
        events = [_bytes(row[0]) for row in raw.execute(_DAY, {"day": day})]
    return lasting(BusinessDay(day), HallId("hall"), before, base), events


def load_day(path: Path, day: str) -> DayLog:
    """A day's log. Raises what :func:`stored_day` raises."""
    head, events = stored_day(path, day)
    return DayLog(head, tuple(_event(one) for one in events))


def _base(raw: sqlite3.Connection, first: int) -> HallState | None:
    """The newest readable snapshot before the day: a short cut past a long log."""
    row = raw.execute(_SNAPSHOT, {"first": first, "known": STATE_SCHEMA, "one": 1}).fetchone()
    if row is None:
        return None
    try:
        return decode_state(zlib.decompress(row[0]))
    except (msgspec.DecodeError, zlib.error):
        return None  # a snapshot is only a short cut; the log itself is read instead


def _bytes(json: bytes | str) -> bytes:
    return json.encode() if isinstance(json, str) else json


def _event(json: bytes | str) -> Event:
    return msgspec.json.decode(json, type=Event)
