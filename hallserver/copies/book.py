"""The folder of a hall's backups: names, what was proven of each, what is dropped. All functions block."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from hallserver.store.copies import drop_leftovers
from hallserver.store.copying import Facts
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis

log = structlog.get_logger(__name__)
_STAMP = "%Y%m%dT%H%M%SZ"


class Proof(Strict, frozen=True, kw_only=True):
    """What is known of a backup, beside it as JSON. ``size`` in bytes is what was proven: another size is another file.
    ``facts`` are what it was found to hold, None until it was. ``by`` is the staff number, empty: by itself. ``failed`` is a refusal's code of the latest proof that failed."""

    size: int
    facts: Facts | None = None
    proven_at: Millis = 0
    by: str = ""
    took_ms: int = 0
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Backup:
    """One file of the folder. ``proof`` None: nothing is known of it, as when it was interrupted or brought here."""

    name: str
    made_at: Millis
    size: int
    proof: Proof | None

    @property
    def whole(self) -> bool:
        proof = self.proof
        return proof is not None and proof.facts is not None and not proof.failed


class Book:
    """Backups of the hall ``hall`` in ``folder``, named after it and the instant (UTC)."""

    def __init__(self, folder: Path, hall: str) -> None:
        self.folder = folder
        self._hall = hall
        self._name = re.compile(rf"{re.escape(hall)}-(\d{{8}}T\d{{6}}Z)\.db")

    def name_at(self, now: Millis) -> str:
        return f"{self._hall}-{datetime.fromtimestamp(now / 1000, UTC):{_STAMP}}.db"

    def backups(self) -> list[Backup]:
        """Newest first; none where there is no folder. Raises ``OSError`` for one that cannot be read."""
        if not self.folder.exists():
            return []
        found = [one for path in self.folder.iterdir() if (one := self._backup(path)) is not None]
        return sorted(found, key=lambda one: one.made_at, reverse=True)

    def _backup(self, path: Path) -> Backup | None:
        matched = self._name.fullmatch(path.name)
        if matched is None:
            return None
        made = datetime.strptime(matched[1], _STAMP).replace(tzinfo=UTC)
        size = path.stat().st_size
        return Backup(path.name, int(made.timestamp() * 1000), size, _proof(path, size))

    def find(self, name: str) -> Backup:
        """Raises ``hall_backup.unknown``, also for anything that is no name of a backup."""
        found = next((one for one in self.backups() if one.name == name), None)
        if found is None:
            raise Refusal("hall_backup.unknown")
        return found

    def note(self, name: str, proof: Proof) -> None:
        path = _beside(self.folder / name)
        draft = path.with_name(f".{path.name}.new")
        descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(proof))
        draft.replace(path)

    def drop_old(self, keep: int) -> list[str]:
        """Whole ones beyond the newest ``keep`` go, and what is older than those and not whole."""
        backups = self.backups()
        kept = [one for one in backups if one.whole][: max(1, keep)]
        if not kept:
            return []
        old = [one.name for one in backups if one.made_at < kept[-1].made_at]
        for name in old:
            (self.folder / name).unlink(missing_ok=True)
            _beside(self.folder / name).unlink(missing_ok=True)
        return old

    def tidy(self) -> None:
        """Takes away what a killed copier left."""
        drop_leftovers(self.folder, f"{self._hall}-")

    def on_disk_of(self, database: Path) -> bool:
        """True when the folder is on the same disk as the database, as far as the system says."""
        here = next(one for one in (self.folder, *self.folder.absolute().parents) if one.exists())
        return here.stat().st_dev == database.parent.stat().st_dev


def _proof(path: Path, size: int) -> Proof | None:
    try:
        found = msgspec.json.decode(_beside(path).read_bytes(), type=Proof)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        log.warning("backup.proof_unreadable", file=path.name, error=str(error))
        return None
    return found if found.size == size else None


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")
