"""Putting a backup in the place of a hall's database (恢复), so that a kill at any moment leaves the old or the new one.

:func:`prepare` makes a proven draft beside the database while the hall works. :func:`want` writes down that it is
to be taken. :func:`complete` takes it while nobody has the hall open; whoever starts the hall calls it first, so what
a kill interrupted is finished then, and what failed is undone and said. All functions block.
"""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec
import structlog

from hallserver.store.copies import Tell, keep_names, quiet, reading, rehearse
from hallserver.store.errors import StoreInUseError, StoreOpenError
from hallserver.store.opening import take_lock
from hallserver.store.verify import Verification
from qingting.contract.base import Strict

log = structlog.get_logger(__name__)


class RestoreState(StrEnum):
    WANTED = "wanted"
    DONE = "done"
    FAILED = "failed"
    """Nothing was changed; ``problem`` says why, in English."""


class Restore(Strict, frozen=True, kw_only=True):
    """The latest restore of a hall. ``copy`` is the name of the backup, ``former`` that of the database before, empty
    where there was none; ``seq`` its last event; ``by`` the staff number, or ``shell``. Instants are UTC ms."""

    copy: str
    former: str
    seq: int
    by: str
    asked_at: int
    ended_at: int = 0
    state: RestoreState = RestoreState.WANTED
    problem: str = ""


def prepare(copy: Path, database: Path, tell: Tell = quiet) -> Verification:
    """A proven draft of what is to be restored, beside ``database``, which goes on. Raises as :func:`rehearse`."""
    return rehearse(copy, _draft(database), tell)


def want(database: Path, copy: str, seq: int, by: str, now_ms: int) -> None:
    """From now on the prepared draft is the hall: the next :func:`complete` puts it in its place."""
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d%H%M%S")
    former = f"{database.stem}.before-restore-{stamp}{database.suffix}"
    wanted = Restore(copy=copy, former=former, seq=seq, by=by, asked_at=now_ms)
    _write(database, wanted)


def latest(database: Path) -> Restore | None:
    """The latest restore; None when there was none or its record says nothing any more. Raises ``OSError``."""
    try:
        return msgspec.json.decode(_record(database).read_bytes(), type=Restore)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        log.warning("restore.unreadable", file=_record(database).name, error=str(error))
        return None


def complete(database: Path, now_ms: int) -> Restore | None:
    """Takes the wanted draft; gives what came of it, None when nothing was wanted.

    Raises :class:`StoreInUseError` while the hall is open, and ``OSError`` or :class:`StoreOpenError` only when it
    is not even certain that the database before is in its place.
    """
    wanted = latest(database)
    if wanted is None or wanted.state is not RestoreState.WANTED:
        _draft(database).unlink(missing_ok=True)
        return None
    lock = take_lock(database)
    try:
        ended = _take(database, wanted)
    finally:
        os.close(lock)
    ended = msgspec.structs.replace(ended, ended_at=now_ms)
    _write(database, ended)
    _draft(database).unlink(missing_ok=True)
    say = log.error if ended.problem else log.warning
    say(f"restore.{ended.state}", copy=ended.copy, former=ended.former, problem=ended.problem)
    return ended


def _take(database: Path, wanted: Restore) -> Restore:
    former = database.with_name(wanted.former)
    try:
        if _draft(database).is_file():
            if database.is_file():
                _set_aside(database, former)
            _draft(database).replace(database)
            keep_names(database.parent)
        else:
            _check_taken(database, wanted)
    except (OSError, sqlite3.Error, StoreOpenError) as error:
        _put_back(database, former)
        return msgspec.structs.replace(wanted, state=RestoreState.FAILED, problem=str(error))
    kept = former.name if former.is_file() else ""
    return msgspec.structs.replace(wanted, state=RestoreState.DONE, former=kept)


def _check_taken(database: Path, wanted: Restore) -> None:
    """The draft is not there: it was taken and nobody could write that down, or it is lost."""
    if database.is_file():
        with closing(reading(database)) as raw:
            if raw.execute("SELECT max(seq) FROM event").fetchone()[0] == wanted.seq:
                return
    raise StoreOpenError(f"{_draft(database)}: the prepared copy is gone")


def _set_aside(database: Path, former: Path) -> None:
    """``former`` is the database as it was. Where the disk can give a file two names, the database keeps its own
    until the draft takes it: at no moment is there no hall."""
    _fold(database)
    log_file = database.with_name(database.name + "-wal")
    if log_file.is_file():
        log_file.replace(former.with_name(former.name + "-wal"))
    database.with_name(database.name + "-shm").unlink(missing_ok=True)
    if former.is_file():
        if former.samefile(database):
            return
        raise StoreOpenError(f"{former}: is there already")
    try:
        os.link(database, former)
    except OSError:
        database.replace(former)


def _fold(database: Path) -> None:
    """Brings the log beside the database into it. One that cannot be read any more keeps its log as it is."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database, timeout=5)) as raw:
        busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise StoreInUseError(f"{database}: another process reads it")


def _put_back(database: Path, former: Path) -> None:
    log_file = former.with_name(former.name + "-wal")
    if log_file.is_file():
        log_file.replace(database.with_name(database.name + "-wal"))
    if not database.is_file() and former.is_file():
        former.replace(database)
    elif former.is_file() and former.samefile(database):
        former.unlink()
    keep_names(database.parent)


def _draft(database: Path) -> Path:
    return database.with_name(f".{database.name}.restored")


def _record(database: Path) -> Path:
    return database.with_name(f"{database.stem}.restore.json")


def _write(database: Path, restore: Restore) -> None:
    path = _record(database)
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(restore))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    keep_names(path.parent)


def put_back(copy: Path, database: Path, now_ms: int) -> tuple[Verification, Path | None]:
    """Puts ``copy`` in the place of ``database``, which is kept beside it; gives what was found and where.

    The hall must be stopped. Raises :class:`StoreOpenError` while it runs, for a copy that is not whole and when it
    could not be done, and changes nothing then.
    """
    os.close(take_lock(database))
    found = prepare(copy, database)
    want(database, copy.name, found.tip.seq, "shell", now_ms)
    ended = complete(database, now_ms)
    assert ended is not None
    if ended.problem:
        raise StoreOpenError(ended.problem)
    return found, database.with_name(ended.former) if ended.former else None
