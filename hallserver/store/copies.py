"""Backups of a hall's database, also while the hall runs, and proofs of them. All functions block.

A running hall is read by a connection of its own that cannot write; nothing here opens its file otherwise: closing
another descriptor of it in the hall's process would drop SQLite's locks (sqlite.org/howtocorrupt.html §2.2).
"""

import os
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from hallserver.store.accounts import web_session
from hallserver.store.errors import NoRoomError, StoreOpenError
from hallserver.store.opening import open_writer
from hallserver.store.verify import Verification, verify

Tell = Callable[[str, float], None]
"""Told a step (``copy``, ``check``, ``replay``) and how far it is, 0 to 1."""
STEP_PAGES = 1024
"""Pages copied between two words of progress, 4 MB."""
ROOM_LEFT_BYTES = 256 * 1024 * 1024
"""A backup that would leave the disk less than this is not begun: a full disk stops the hall."""


def quiet(step: str, share: float) -> None:
    """Nobody wants to know."""


def back_up(database: Path, target: Path, tell: Tell = quiet) -> Verification:
    """A consistent copy of ``database`` as one file, proven whole by replaying its log; a running hall goes on.

    Only the owner may read it. Raises :class:`StoreOpenError` when there is no database, when ``target`` is there
    already, when the copy is not whole, and :class:`NoRoomError`; ``OSError``, ``sqlite3.Error``.
    """
    if not database.is_file():
        raise StoreOpenError(f"{database}: there is no hall")
    if target.exists():
        raise StoreOpenError(f"{target}: is there already")
    draft = target.with_name(f".{target.name}.new")
    try:
        copy_file(database, draft, tell)
        found = _proven(draft, tell)
        draft.replace(target)
        keep_names(target.parent)
    except BaseException:
        _drop(draft)
        raise
    return found


def rehearse(copy: Path, draft: Path, tell: Tell = quiet) -> Verification:
    """Makes ``draft`` out of ``copy`` as a restore needs it: of this program's schema, proven whole by replaying its
    log, nobody logged in to the manager's pages. Raises as :func:`back_up`, and ``NewerDatabaseError``."""
    if not copy.is_file():
        raise StoreOpenError(f"{copy}: there is no backup")
    try:
        copy_file(copy, draft, tell)
        _check_pages(draft)
        writer = open_writer(draft)
        try:
            with writer.engine.begin() as connection:
                connection.execute(delete(web_session))
            _ = writer.raw.execute("PRAGMA journal_mode=DELETE").fetchone()
        finally:
            writer.close()
        found = _replayed(draft, tell)
    except sqlite3.DatabaseError as error:
        _drop(draft)
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise StoreOpenError(f"{copy}: {error}") from error
    except BaseException:
        _drop(draft)
        raise
    _drop_beside(draft)
    return found


def copy_file(source: Path, target: Path, tell: Tell = quiet) -> None:
    """All of ``source`` as it is now, on one snapshot, as one plain file that only the owner may read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _check_room(source, target.parent)
    _drop(target)
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(reading(source)) as raw, closing(sqlite3.connect(target)) as copy:
        # The transaction holds the snapshot: otherwise each commit of the hall would begin the copy anew.
        raw.execute("BEGIN")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
        raw.backup(
            copy,
            pages=STEP_PAGES,
            progress=lambda _, left, pages: tell("copy", 1 - left / max(1, pages)),
        )
        # With a log beside it, it could not be read where nobody may write.
        _ = copy.execute("PRAGMA journal_mode=DELETE").fetchone()


def keep_names(folder: Path) -> None:
    """What was renamed in ``folder`` stays so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, for whoever must not disturb a running hall."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)


def _check_room(source: Path, folder: Path) -> None:
    size = source.stat().st_size
    free = shutil.disk_usage(folder).free
    if free < size + ROOM_LEFT_BYTES:
        raise NoRoomError(size + ROOM_LEFT_BYTES, free)


def _drop(draft: Path) -> None:
    draft.unlink(missing_ok=True)
    _drop_beside(draft)


def _drop_beside(draft: Path) -> None:
    """What opening it for writing leaves: lock, log, the file before its migration."""
    beside = [draft.with_name(draft.name + end) for end in (".lock", "-wal", "-shm", "-journal")]
    for path in (*beside, *draft.parent.glob(f"{draft.stem}.before-????{draft.suffix}")):
        path.unlink(missing_ok=True)


def _proven(copy: Path, tell: Tell) -> Verification:
    tell("check", 0.0)
    _check_pages(copy)
    return _replayed(copy, tell)


def _replayed(copy: Path, tell: Tell) -> Verification:
    try:
        found = verify(copy, lambda share: tell("replay", share))
    except (sqlite3.Error, SQLAlchemyError, ValueError, zlib.error) as error:
        raise StoreOpenError(f"{copy}: {error}") from error
    if found.faults:
        raise StoreOpenError(f"{copy}: {found.faults[0]}")
    return found


def _check_pages(copy: Path) -> None:
    """SQLite's own look at every page, before anything is read from them."""
    try:
        with closing(reading(copy)) as raw:
            found = [row[0] for row in raw.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        raise StoreOpenError(f"{copy}: {error}") from error
    if found != ["ok"]:
        raise StoreOpenError(f"{copy}: {'; '.join(found)}")


def drop_leftovers(folder: Path, prefix: str) -> None:
    """Drafts of backups named ``prefix…`` that a killed program left in ``folder``."""
    with suppress(FileNotFoundError):
        for draft in folder.glob(f".{prefix}*.new"):
            _drop(draft)
