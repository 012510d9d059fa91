"""Proof that a hall's database is whole: chain, snapshots and projections all follow from the log."""

import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import StaticPool, Table, create_engine, func, select

from hallserver.engine.evolve import evolve
from hallserver.engine.state import STATE_SCHEMA, HallState, new_state
from hallserver.store import tables as t
from hallserver.store.batch import StoredEvent, Tip
from hallserver.store.projections import changes
from hallserver.store.replay import decode_state
from qingting.contract.events import Event
from qingting.contract.link import chain_hash

MAX_FAULTS = 20
TOLD_EVERY = 2000
"""Events between two words of progress."""


@dataclass(slots=True)
class Verification:
    """What was found. ``last_at`` is when the last event happened (UTC ms). ``faults`` is empty when everything
    agrees, else one English line each."""

    events: int = 0
    commands: int = 0
    tip: Tip = field(default_factory=Tip)
    last_at: int = 0
    state: HallState = field(default_factory=new_state)
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(text)


def verify(path: Path, tell: Callable[[float], None] = lambda share: None) -> Verification:
    """Replays the whole log of the database at ``path``, read-only, and compares all that was derived.

    ``tell`` hears how much of the log is replayed, 0 to 1. Blocking; takes about a second for 50 000 events. Raises ``sqlite3.Error`` when the file cannot be read.
    """
    found = Verification()
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    stored = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, isolation_level=None),
        poolclass=StaticPool,
    )
    rebuilt = create_engine("sqlite://", poolclass=StaticPool)
    try:
        t.metadata.create_all(rebuilt)
        with stored.connect() as old, rebuilt.connect() as new:
            old.exec_driver_sql("BEGIN")
            driver = new.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            _replay(found, old, driver, tell)
            _compare_commands(found, old)
            for table in t.PROJECTIONS:
                _compare(found, table, old, new)
            old.rollback()
    finally:
        stored.dispose()
        rebuilt.dispose()
    return found


def _replay(
    found: Verification, old: Any, rebuilt: sqlite3.Connection, tell: Callable[[float], None]
) -> None:
    most = old.execute(select(func.max(t.event.c.seq))).scalar() or 1
    snapshots = {
        row.seq: zlib.decompress(row.blob)
        for row in old.execute(select(t.snapshot).where(t.snapshot.c.schema == STATE_SCHEMA))
    }
    rows = old.execute(
        select(t.event.c.seq, t.event.c.json, t.event.c.hash, t.event.c.cmd).order_by(t.event.c.seq)
    )
    command = ""
    for seq, json, stored_hash, cmd in rows:
        # SQLite keeps whatever type a careless hand wrote.
        stored = StoredEvent(seq, json.encode() if isinstance(json, str) else json, stored_hash)
        if not _check_chain(found, stored):
            return
        event = _decode(found, stored)
        if event is None:
            return
        found.last_at = event.at
        if seq % TOLD_EVERY == 0:
            tell(seq / most)
        found.commands += cmd != command
        command = cmd
        evolve(found.state, event)
        for sql, row in changes(event):
            rebuilt.execute(sql, row)
        snapshot = snapshots.pop(seq, None)
        if snapshot is not None and decode_state(snapshot) != found.state:
            found.fault(f"snapshot after event {seq} differs from the replayed state")
    if snapshots:
        found.fault(f"snapshots beyond the log: {sorted(snapshots)}")


def _check_chain(found: Verification, stored: StoredEvent) -> bool:
    if stored.seq != found.tip.seq + 1:
        found.fault(f"event {found.tip.seq + 1} is missing")
        return False
    if stored.hash != chain_hash(found.tip.hash, stored.json):
        found.fault(f"event {stored.seq} breaks the hash chain")
        return False
    found.tip = Tip(stored.seq, stored.hash)
    found.events += 1
    return True


def _decode(found: Verification, stored: StoredEvent) -> Event | None:
    try:
        event = stored.event()
    except msgspec.DecodeError as error:
        found.fault(f"event {stored.seq} cannot be read: {error}")
        return None
    if event.s != stored.seq:
        found.fault(f"event {stored.seq} says it is {event.s}")
    return event


def _compare_commands(found: Verification, old: Any) -> None:
    spans = {(row.key, row.first_seq, row.last_seq) for row in old.execute(select(t.command))}
    logged: dict[str, tuple[int, int]] = {}
    for cmd, seq in old.execute(select(t.event.c.cmd, t.event.c.seq).order_by(t.event.c.seq)):
        logged[cmd] = (logged.get(cmd, (seq, seq))[0], seq)
    wanted = {(key, first, last) for key, (first, last) in logged.items()}
    if spans != wanted:
        found.fault(f"command table differs from the log in {len(spans ^ wanted)} rows")


def _compare(found: Verification, table: Table, old: Any, new: Any) -> None:
    key = list(table.primary_key.columns)
    stored = [tuple(row) for row in old.execute(select(table).order_by(*key))]
    wanted = [tuple(row) for row in new.execute(select(table).order_by(*key))]
    if stored != wanted:
        differing = len(set(stored) ^ set(wanted))
        found.fault(f"table {table.name} differs from the replayed log in {differing} rows")
