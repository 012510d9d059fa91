"""Backups of a hall's database, also while the hall runs, and putting one back. All functions block."""

import os
import sqlite3
import zlib
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError

from hallserver.store.errors import StoreOpenError
from hallserver.store.opening import backup, open_writer
from hallserver.store.verify import Verification, verify


def back_up(database: Path, target: Path) -> Verification:
    """A consistent copy of ``database`` as one file, proven whole by replaying its log; a running hall goes on.

    Only the owner may read it. Raises :class:`StoreOpenError` when there is no database, when ``target`` is there
    already, and when the copy is not whole; ``OSError``, ``sqlite3.Error``.
    """
    if not database.is_file():
        raise StoreOpenError(f"{database}: there is no hall")
    if target.exists():
        raise StoreOpenError(f"{target}: is there already")
    draft = target.with_name(f".{target.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))
    try:
        source = sqlite3.connect(f"file:{quote(str(database.absolute()))}?mode=ro", uri=True)
        try:
            backup(source, draft)
        finally:
            source.close()
        found = _proven(draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return found


def put_back(copy: Path, database: Path, now_ms: int) -> tuple[Verification, Path | None]:
    """Puts ``copy`` in the place of ``database``, which is kept beside it; gives what was found and where.

    The hall must be stopped. Raises :class:`StoreOpenError` while it runs and for a copy that is not whole, and
    changes nothing then.
    """
    found = _proven(copy)
    former: Path | None = None
    draft = database.with_name(f".{database.name}.restored")
    draft.unlink(missing_ok=True)
    source = sqlite3.connect(f"file:{quote(str(copy.absolute()))}?mode=ro", uri=True)
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))
        backup(source, draft)
    finally:
        source.close()
    if database.is_file():
        # Who can open it for writing is its only user: a running hall holds the lock. Closing empties the log beside it.
        open_writer(database).close()
        stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d%H%M%S")
        former = database.with_name(f"{database.stem}.before-restore-{stamp}{database.suffix}")
        database.replace(former)
    for end in ("-wal", "-shm"):
        database.with_name(database.name + end).unlink(missing_ok=True)
    draft.replace(database)
    return found, former


def _proven(copy: Path) -> Verification:
    if not copy.is_file():
        raise StoreOpenError(f"{copy}: there is no backup")
    _check_pages(copy)
    try:
        found = verify(copy)
    except (sqlite3.Error, SQLAlchemyError, ValueError, zlib.error) as error:
        raise StoreOpenError(f"{copy}: {error}") from error
    if found.faults:
        raise StoreOpenError(f"{copy}: {found.faults[0]}")
    return found


def _check_pages(copy: Path) -> None:
    """SQLite's own look at every page, before anything is read from them."""
    raw = sqlite3.connect(f"file:{quote(str(copy.absolute()))}?mode=ro", uri=True)
    try:
        found = [row[0] for row in raw.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        raise StoreOpenError(f"{copy}: {error}") from error
    finally:
        raw.close()
    if found != ["ok"]:
        raise StoreOpenError(f"{copy}: {'; '.join(found)}")
