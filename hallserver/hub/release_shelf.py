"""Releases on the hall's disk (程序版本库): fetched from the city in pieces, checked, unpacked, served, thrown away."""

import asyncio
import base64
import binascii
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from hallserver.hall import Hall
from qingting.contract import events as e
from qingting.contract.commands import ReportRelease
from qingting.contract.errors import Refusal
from qingting.contract.link import Piece, Want
from qingting.contract.releases import ReleaseFacts
from qingting.contract.states import App
from qingting.kernel.release_archive import FILE_LIST, Release, read_release
from qingting.kernel.security.device_keys import new_token

log = structlog.get_logger(__name__)

_FOLDER_NAME_DIGITS = 16


class ReleaseShelf:
    """``folder`` holds ``<id>/`` for each release that is whole, and ``<id>.part`` while one is fetched."""

    def __init__(self, hall: Hall, folder: Path) -> None:
        self._hall = hall
        self._folder = folder
        self._fetched: dict[str, int] = {}
        self._here: set[str] = set()
        self._listeners: list[Callable[[], None]] = []

    # ---- life -----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Looks at what is on the disk; what the log holds and the disk lost is fetched again."""
        self._here, self._fetched = await asyncio.to_thread(_look, self._folder)
        self._hall.subscribe(self._committed)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """``listener`` is called when there is something to fetch; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _committed(self, events: tuple[e.Event, ...]) -> None:
        if any(isinstance(one.b, e.ReleasePut) for one in events):
            for listener in tuple(self._listeners):
                listener()

    # ---- fetched --------------------------------------------------------------------------------

    def want(self) -> Want | None:
        """The next piece to ask the city for."""
        for life in self._hall.state.releases.values():
            if not life.code and life.facts.id not in self._here:
                return Want(release=life.facts.id, offset=self._fetched.get(life.facts.id, 0))
        return None

    async def take(self, piece: Piece) -> None:
        """A piece from the city; the last one puts the release on the shelf, or says in the log why not."""
        life = self._hall.state.releases.get(piece.release)
        if life is None or piece.offset != self._fetched.get(piece.release, 0):
            return
        try:
            size = await asyncio.to_thread(_append, self._folder, life.facts, piece)
        except Refusal as refusal:
            log.warning("release.refused", release=piece.release, code=refusal.code)
            self._fetched.pop(piece.release, None)
            await self._report(piece.release, refusal.code)
            return
        self._fetched[piece.release] = size
        if size == life.facts.size:
            self._fetched.pop(piece.release)
            self._here.add(piece.release)
            log.info("release.kept", release=piece.release)
            await self._report(piece.release, "")

    async def settle(self) -> None:
        """Says in the log what is here and was not told, and throws away what nobody knows any more."""
        known = self._hall.state.releases
        for life in list(known.values()):
            if life.facts.id in self._here and not life.kept:
                await self._report(life.facts.id, "")
        gone = {one for one in (*self._here, *self._fetched) if one not in known}
        if gone:
            await asyncio.to_thread(_remove, self._folder, gone)
            self._here -= gone
            for one in gone:
                self._fetched.pop(one, None)

    async def _report(self, release: str, code: str) -> None:
        """A hall that cannot write now says it later (:meth:`settle`)."""
        try:
            await self._hall.submit(
                ReportRelease(release=release, code=code),
                key=f"release:{release}:{new_token()}",
                actor="system",
            )
        except Refusal as refusal:
            log.warning("release.not_told", release=release, code=refusal.code)

    # ---- served ---------------------------------------------------------------------------------

    def find(self, app: App, release: str, name: str) -> Path | None:
        """A file of a release of ``app``. Blocking."""
        life = self._hall.state.releases.get(release)
        if life is None or release not in self._here or life.facts.app is not app:
            return None
        folder = (self._folder / release).resolve()
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None


def checked(facts: ReleaseFacts, archive: bytes) -> Release:
    """Raises ``release.digest`` for other bytes than were meant, ``release.archive_bad`` and ``release.too_large``."""
    if hashlib.sha256(archive).hexdigest() != facts.sha256:
        raise Refusal("release.digest")
    found = read_release(archive)
    if (found.facts.app, found.facts.build) != (facts.app, facts.build):
        raise Refusal("release.digest")
    return found


def unpack(release: Release, folder: Path) -> None:
    """Under its name only when it is whole: a machine that dies in between leaves none that is half there."""
    half, whole = folder / f"{release.facts.id}.half", folder / release.facts.id
    shutil.rmtree(half, ignore_errors=True)
    for name, data in release.files.items():
        (half / name).parent.mkdir(parents=True, exist_ok=True)
        (half / name).write_bytes(data)
    (half / FILE_LIST).write_bytes(msgspec.json.encode(sorted(release.files)))
    shutil.rmtree(whole, ignore_errors=True)
    half.rename(whole)


def _append(folder: Path, facts: ReleaseFacts, piece: Piece) -> int:
    """How much of the archive is here now; all of it is checked and unpacked. Raises ``release.…`` for what it
    must not be."""
    part = folder / f"{facts.id}.part"
    try:
        data = base64.b64decode(piece.data, validate=True)
    except binascii.Error as error:
        raise Refusal("release.digest") from error
    size = piece.offset + len(data)
    if not data or size > facts.size:
        part.unlink(missing_ok=True)
        raise Refusal("release.digest")
    folder.mkdir(parents=True, exist_ok=True)
    with part.open("ab" if piece.offset else "wb") as file:
        file.write(data)
    if size == facts.size:
        archive = part.read_bytes()
        part.unlink()
        unpack(checked(facts, archive), folder)
    return size


def _look(folder: Path) -> tuple[set[str], dict[str, int]]:
    if not folder.is_dir():
        return set(), {}
    whole = {
        one.name
        for one in folder.iterdir()
        if one.is_dir() and len(one.name) == _FOLDER_NAME_DIGITS
    }
    return whole, {one.stem: one.stat().st_size for one in folder.glob("*.part")}


def _remove(folder: Path, names: set[str]) -> None:
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / f"{name}.part").unlink(missing_ok=True)
