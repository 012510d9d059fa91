"""The archive of a release: reading one that nobody has looked at yet, and making one.

A release is a ZIP of front-end files with :data:`MANIFEST`. It comes from outside, so nothing of what it says about itself
is believed: names, sizes and kinds of files are bounded before anything reaches a disk.
"""

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives import hashes

from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.releases import MAX_RELEASE_BYTES, ReleaseFacts, release_id
from qingting.contract.states import App

MANIFEST = "release.json"
FILE_LIST = "files.json"
"""Written by whoever unpacks a release: the names of its files."""
MAX_FILES = 600
MAX_UNPACKED_BYTES = 96 * 1024 * 1024
MAX_DEPTH = 4
SUFFIXES = frozenset(
    {".html", ".js", ".css", ".json", ".svg", ".png", ".webp", ".jpg", ".woff2", ".webmanifest"}
    | {".wav", ".mp3", ".onnx", ".wasm", ".ico"}
)
PAGES_OF: dict[App, tuple[str, ...]] = {
    App.PAD: ("call.html", "rate.html"),
    App.KIOSK: ("index.html",),
}
"""The pages that a program must have; each names its own script (:func:`entry_of`)."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99})*")
_ENTRY = re.compile(rb'<script[^>]*\sdata-entry="([^"]+)"')
_CHUNK = 1024 * 1024
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error),
    *(NotImplementedError, EOFError, OSError, RuntimeError, ValueError, LookupError, OverflowError),
)
"""What reading a damaged archive may raise."""


class Manifest(Strict, frozen=True, kw_only=True):
    """What a release says of itself."""

    app: App
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,39}$")]
    build: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{6,40}$")]


class Release(Strict, frozen=True, kw_only=True):
    """A release that was read: ``files`` by name, ``sm3`` of the archive in hex."""

    facts: ReleaseFacts
    sm3: str
    files: dict[str, bytes]


def entry_of(page: bytes) -> str:
    """The script that a built page starts; empty when it names none."""
    found = _ENTRY.search(page)
    return found.group(1).decode("ascii", "replace") if found is not None else ""


def _bad(fault: str) -> Refusal:
    return Refusal("release.archive_bad", fault=fault[:80])


def too_large() -> Refusal:
    """The refusal with the limit that holds of the archive as it comes."""
    return Refusal("release.too_large", mb=MAX_RELEASE_BYTES // 1024**2)


def read_release(data: bytes) -> Release:
    """Checks and unpacks in memory. Blocking. Raises ``release.archive_bad`` and ``release.too_large``."""
    if not 0 < len(data) <= MAX_RELEASE_BYTES:
        raise too_large()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = _files_in(archive)
    except _DAMAGED as error:
        raise _bad("ZIP") from error
    manifest = _manifest(files)
    for page in PAGES_OF[manifest.app]:
        entry = entry_of(files.get(page, b""))
        if not entry or entry not in files:
            raise _bad(page)
    facts = ReleaseFacts(
        id=release_id(data),
        app=manifest.app,
        version=manifest.version,
        build=manifest.build,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
    )
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(data)
    return Release(facts=facts, sm3=sm3.finalize().hex(), files=files)


def _manifest(files: Mapping[str, bytes]) -> Manifest:
    try:
        return msgspec.json.decode(files.get(MANIFEST, b""), type=Manifest)
    except msgspec.DecodeError as error:
        raise _bad(MANIFEST) from error


def _files_in(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [one for one in archive.infolist() if not one.is_dir()]
    if len(entries) > MAX_FILES:
        raise Refusal("release.too_large", mb=MAX_UNPACKED_BYTES // 1024**2)
    files: dict[str, bytes] = {}
    room = MAX_UNPACKED_BYTES
    for entry in entries:
        _check_name(entry, files)
        files[entry.filename] = _content(archive, entry, room)
        room -= len(files[entry.filename])
    return files


def _check_name(entry: zipfile.ZipInfo, known: Mapping[str, bytes]) -> None:
    """Only plain files below the root, none twice, none that a browser would not be given."""
    name, mode = entry.filename, entry.external_attr >> 16
    path = PurePosixPath(name)
    plain = _NAME.fullmatch(name) is not None and len(path.parts) <= MAX_DEPTH
    if not plain or path.suffix not in SUFFIXES or name == FILE_LIST:
        raise _bad(name)
    special = mode and stat.S_IFMT(mode) and not stat.S_ISREG(mode)
    if special or entry.flag_bits & 0x1 or entry.compress_type not in _PACKED:
        raise _bad(name)
    if name.lower() in {one.lower() for one in known}:
        raise _bad(name)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    """Never more than ``room``, whatever the archive says about its sizes."""
    parts, size = [], 0
    with archive.open(entry) as file:
        while part := file.read(_CHUNK):
            size += len(part)
            if size > room:
                raise Refusal("release.too_large", mb=MAX_UNPACKED_BYTES // 1024**2)
            parts.append(part)
    return b"".join(parts)


def make_release(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """An archive with the same bytes for the same files. Raises as :func:`read_release` for what that would refuse."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted({**files, MANIFEST: msgspec.json.encode(manifest)}.items()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, data)
    made = held.getvalue()
    _ = read_release(made)
    return made
