"""Opening a hall's database: one writer, checks, backup, migration.

SQLite before 3.51.3 can corrupt a WAL when two connections write or checkpoint at the same moment
(sqlite.org/wal.html#walresetbug). Here exactly one connection ever writes: a lock file keeps other
processes out, every other connection of this process is opened read-only, and migrations and
back-ups run on the writer itself. So no version of SQLite needs to be refused.
"""

import fcntl
import os
import re
import sqlite3
import threading
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import Engine, StaticPool, create_engine
from sqlalchemy import event as sa_event

from hallserver.store.errors import (
    DamagedDatabaseError,
    NewerDatabaseError,
    StoreInUseError,
    StoreOpenError,
)

log = structlog.get_logger(__name__)

APPLICATION_ID = 0x5154_4831
"""``QTH1`` in SQLite's application_id: tells a hall's database from any other file."""
FULL_CHECK_BYTES = 256 * 1024 * 1024
"""Larger files get ``quick_check``: a hall must be back seconds after a power cut."""
WAL_LIMIT_BYTES = 64 * 1024 * 1024
_migrating = threading.Lock()
"""Alembic keeps its context in module globals: one migration at a time in a process."""


@dataclass(slots=True)
class Writer:
    """The only connection that may write, and the lock that makes it so."""

    raw: sqlite3.Connection
    engine: Engine
    lock: int

    def close(self) -> None:
        self.engine.dispose()
        self.raw.close()
        os.close(self.lock)


@dataclass(slots=True)
class Reader:
    """A read-only connection."""

    raw: sqlite3.Connection
    engine: Engine

    def close(self) -> None:
        self.engine.dispose()
        self.raw.close()


@cache
def schema_version() -> int:
    """The number of the newest migration."""
    names = (entry.name for entry in files("hallserver.store.migrations.versions").iterdir())
    return max(int(found[1]) for name in names if (found := re.match(r"(\d{4})_\w+\.py$", name)))


def open_writer(path: Path) -> Writer:
    """Opens, checks and migrates; raises :class:`StoreOpenError` or ``sqlite3.Error``."""
    lock = take_lock(path)
    try:
        raw = sqlite3.connect(path, isolation_level=None, timeout=5, cached_statements=256)
        try:
            return _prepare(path, raw, lock)
        except BaseException:
            raw.close()
            raise
    except BaseException:
        os.close(lock)
        raise


def _prepare(path: Path, raw: sqlite3.Connection, lock: int) -> Writer:
    try:
        version = _recognise(path, raw)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=1000",
            f"journal_size_limit={WAL_LIMIT_BYTES}",
            "cache_size=-32000",
            "temp_store=MEMORY",
        ):
            raw.execute(f"PRAGMA {pragma}")
        if version:
            _check(path, raw)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise DamagedDatabaseError(f"{path}: {error}") from error
    engine = _engine(raw, "BEGIN IMMEDIATE")
    if version < schema_version():
        _migrate(path, raw, engine, version)
    raw.execute("PRAGMA foreign_keys=ON")
    return Writer(raw, engine, lock)


def open_reader(path: Path) -> Reader:
    """A second connection that cannot write, whatever SQL it is given."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    raw = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)
    raw.execute("PRAGMA query_only=ON")
    return Reader(raw, _engine(raw, "BEGIN"))


def take_lock(path: Path) -> int:
    """The lock of whoever may write the database at ``path``, as a descriptor to close; raises
    :class:`StoreInUseError`. Its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".lock")
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreInUseError(f"{path}: another process has this hall open") from error
    return descriptor


def _recognise(path: Path, raw: sqlite3.Connection) -> int:
    """The schema version of the file, 0 when it is new."""
    version = int(raw.execute("PRAGMA user_version").fetchone()[0])
    application = int(raw.execute("PRAGMA application_id").fetchone()[0])
    empty = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if not empty and application != APPLICATION_ID:
        raise StoreOpenError(f"{path}: not a hall's database")
    if version > schema_version():
        raise NewerDatabaseError(
            f"{path}: schema {version}, this program knows {schema_version()}; install a newer one"
        )
    return version


def _check(path: Path, raw: sqlite3.Connection) -> None:
    check = "quick_check" if path.stat().st_size > FULL_CHECK_BYTES else "integrity_check"
    found = [row[0] for row in raw.execute(f"PRAGMA {check}(5)")]
    if found != ["ok"]:
        raise DamagedDatabaseError(f"{path}: {'; '.join(found)}")
    broken = raw.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise DamagedDatabaseError(
            f"{path}: {len(broken)} broken references, first in {broken[0][0]}"
        )


def _engine(raw: sqlite3.Connection, begin: str) -> Engine:
    """SQLAlchemy over the one connection; the driver starts no transaction by itself."""
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)

    @sa_event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def backup(raw: sqlite3.Connection, target: Path) -> None:
    """A consistent copy of the database as one file."""
    with sqlite3.connect(target) as copy:
        raw.backup(copy)
    copy.close()


def _migrate(path: Path, raw: sqlite3.Connection, engine: Engine, version: int) -> None:
    from alembic import command
    from alembic.config import Config

    if version:
        target = path.with_name(f"{path.stem}.before-{schema_version():04d}{path.suffix}")
        backup(raw, target)
        log.info("store.backup", file=target.name, schema=version)
    config = Config()
    config.set_main_option(
        "script_location", str(files("hallserver.store.migrations")).replace("%", "%%")
    )
    raw.execute("PRAGMA foreign_keys=OFF")
    with _migrating, engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={schema_version()}")
    _check(path, raw)
    log.info("store.migrated", before=version, now=schema_version())
