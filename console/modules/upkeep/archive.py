"""The backup archive: a tar of a manifest, the dump of the database and the checksums of both.

``qingting-city-<UTC>.tar`` holds ``manifest.json``, ``city.dump`` (``pg_dump`` custom format) and ``SHA256SUMS`` as
``sha256sum -c`` reads it. It can be looked into and restored without this program. All functions here block.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from qingting.contract.base import Record
from qingting.contract.errors import Refusal

FORMAT = 1
NAME = "qingting-city-"
DUMP, MANIFEST, SUMS = "city.dump", "manifest.json", "SHA256SUMS"
EXCLUDED = (
    "settings and their secrets (tokens, mail and SMS passwords)",
    "the key file of sealed personal data (seal_keys)",
    "TLS keys and certificates",
    "the signed ends of the audit (audit_heads)",
)
"""What is not in an archive and must be kept apart; without the key file sealed data stays sealed."""
_PIECE = 1 << 20


class HallHead(Record, frozen=True, kw_only=True):
    """How far a hall's log had come, and the hash of its last event."""

    epoch: int
    seq: int
    hash: str


class Manifest(Record, frozen=True, kw_only=True):
    """What an archive must give back: rows by table, schema ``heads``, ends of the audit and of the halls' logs.

    ``keys``: names and fingerprints of the keys that data is sealed with; the keys themselves are elsewhere.
    """

    format: int
    made_at: int
    program: str
    server: str
    heads: tuple[str, ...]
    tables: dict[str, int]
    audit_no: int
    audit_hash: str
    halls: dict[str, HallHead]
    keys: dict[str, str] = {}  # noqa: RUF012 - msgspec copies defaults
    excluded: tuple[str, ...] = EXCLUDED

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


def pack(folder: Path, name: str, manifest: Manifest, dump: Path) -> Path:
    """Writes the archive; a half-written one never bears its name. Only the owner may read it."""
    body = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    sums = f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n{_sum_of(dump)}  {DUMP}\n".encode()
    target, draft = folder / name, folder / f".{name}.new"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
        for member, data in ((MANIFEST, body), (SUMS, sums)):
            tar.addfile(_info(member, len(data), manifest), io.BytesIO(data))
        with dump.open("rb") as source:
            tar.addfile(_info(DUMP, dump.stat().st_size, manifest), source)
        tar.close()
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    return target


def _info(name: str, size: int, manifest: Manifest) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, manifest.made_at // 1000
    return info


def read_manifest(path: Path) -> Manifest:
    """Without looking at the dump. Raises ``backup.damaged``, ``backup.newer``, ``backup.unknown``."""
    if not path.is_file():
        raise Refusal("backup.unknown")
    return _open(path, lambda tar: _manifest(tar)[0])


def unpack(path: Path, dump: Path) -> Manifest:
    """Writes the dump to ``dump`` and compares both checksums. Raises as :func:`read_manifest`."""
    if not path.is_file():
        raise Refusal("backup.unknown")

    def read(tar: tarfile.TarFile) -> Manifest:
        manifest, sums = _manifest(tar)
        source = _member(tar, DUMP)
        digest = hashlib.sha256()
        with dump.open("wb") as target:
            while piece := source.read(_PIECE):
                digest.update(piece)
                target.write(piece)
        if digest.hexdigest() != sums.get(DUMP):
            raise Refusal("backup.damaged", what=DUMP)
        return manifest

    return _open(path, read)


def _open(path: Path, read: Callable[[tarfile.TarFile], Manifest]) -> Manifest:
    try:
        with tarfile.open(path, "r:") as tar:
            return read(tar)
    except (tarfile.TarError, EOFError, OSError, UnicodeDecodeError) as error:
        raise Refusal("backup.damaged", what=path.name) from error


def _manifest(tar: tarfile.TarFile) -> tuple[Manifest, dict[str, str]]:
    body, listed = _member(tar, MANIFEST).read(), _member(tar, SUMS).read().decode()
    parts = [line.split("  ", 1) for line in listed.splitlines()]
    sums = {one[1]: one[0] for one in parts if len(one) == 2}
    if hashlib.sha256(body).hexdigest() != sums.get(MANIFEST):
        raise Refusal("backup.damaged", what=MANIFEST)
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError as error:
        raise Refusal("backup.damaged", what=MANIFEST) from error
    if manifest.format > FORMAT:
        raise Refusal("backup.newer")
    return manifest, sums


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        found = tar.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise Refusal("backup.damaged", what=name)
    return found


def _sum_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
