"""Sealing of personal fields with SM4-GCM and keyed blind indexes with HMAC-SM3.

Keys live outside the database, in a key file of one line per key, newest last, each ``<id>:<64 hex>``
(16 bytes for SM4, 16 bytes for the index). Old keys stay readable, new boxes use the newest key. A key that
follows another keeps its index half, so that look-ups outlive every line.
"""

import base64
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_TAG = 16


class SealError(ValueError):
    """A box cannot be opened: damaged, cut short, or its key is not at hand."""


@dataclass(frozen=True, slots=True)
class SealKey:
    """One generation of keys; never shown in a repr."""

    id: str
    cipher: bytes
    index: bytes

    def __repr__(self) -> str:
        return f"SealKey(id={self.id!r})"

    @property
    def line(self) -> str:
        """As it stands in a key file."""
        return f"{self.id}:{(self.cipher + self.index).hex()}"

    def derived(self, purpose: str) -> "SealKey":
        """A key of its own for one purpose, from which nobody learns this one."""
        raw = _derive(self.cipher + self.index, purpose)
        return SealKey(self.id, raw[:16], raw[16:])

    def successor(self, key_id: str) -> "SealKey":
        """A fresh key for new boxes that finds people by the same index."""
        return SealKey(key_id, secrets.token_bytes(16), self.index)

    def fingerprint(self) -> str:
        """Tells keys of one id apart, and nothing about them."""
        return _derive(self.cipher + self.index, "fingerprint").hex()


class Sealer:
    """Seals and opens short texts. The blind index always uses the first key, so look-ups survive rotation."""

    def __init__(self, keys: Sequence[SealKey]) -> None:
        self.use(keys)

    def use(self, keys: Sequence[SealKey], newest: str = "") -> None:
        """From now on these keys; new boxes get the key ``newest``, else the last one."""
        if not keys:
            raise SealError("no keys")
        self._keys = {key.id: key for key in keys}
        self._newest = self._keys.get(newest, keys[-1])
        self._first = keys[0]

    @property
    def keys(self) -> tuple[SealKey, ...]:
        """Oldest first, as in the file."""
        return tuple(self._keys.values())

    @property
    def newest(self) -> str:
        """Id of the key of new boxes."""
        return self._newest.id

    def narrowed(self, purpose: str) -> "Sealer":
        """A sealer with keys of its own for ``purpose``: its holder opens what was sealed with it and nothing else."""
        narrow = Sealer([key.derived(purpose) for key in self.keys])
        narrow.use(narrow.keys, self.newest)
        return narrow

    def seal(self, text: str, *, context: str) -> str:
        """``text`` → ``<key id>.<base64>``; ``context`` is bound in and must be given again to open."""
        nonce = secrets.token_bytes(_NONCE)
        encryptor = Cipher(algorithms.SM4(self._newest.cipher), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(context.encode())
        box = nonce + encryptor.update(text.encode()) + encryptor.finalize() + encryptor.tag
        return f"{self._newest.id}.{base64.b64encode(box).decode('ascii')}"

    def open(self, box: str, *, context: str) -> str:
        """Inverse of :meth:`seal`; raises :class:`SealError`."""
        key_id, _, encoded = box.partition(".")
        key = self._keys.get(key_id)
        if key is None:
            raise SealError("unknown key")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise SealError("damaged") from error
        if len(raw) < _NONCE + _TAG:
            raise SealError("cut short")
        cipher = Cipher(algorithms.SM4(key.cipher), modes.GCM(raw[:_NONCE], raw[-_TAG:]))
        decryptor = cipher.decryptor()
        decryptor.authenticate_additional_data(context.encode())
        try:
            return (decryptor.update(raw[_NONCE:-_TAG]) + decryptor.finalize()).decode()
        except (InvalidTag, UnicodeDecodeError) as error:
            raise SealError("damaged or of another context") from error

    def blind_index(self, text: str) -> str:
        """Keyed HMAC-SM3 of the normalised text, hex: equal texts are found without being readable."""
        mac = hmac.HMAC(self._first.index, hashes.SM3())
        mac.update(text.strip().upper().encode())
        return mac.finalize().hex()

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose, always the same while the first key is kept."""
        return _derive(self._first.cipher + self._first.index, purpose)

    def lasting(self, purpose: str) -> bytes:
        """32 bytes for one purpose that stay the same when keys follow each other."""
        return _derive(self._first.index, f"lasting {purpose}")


def _derive(secret: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(
        secret
    )


def key_of(box: str) -> str:
    """Id of the key that a box was sealed with."""
    return box.partition(".")[0]


def new_key(key_id: str) -> str:
    """A fresh line for a key file."""
    return f"{key_id}:{secrets.token_hex(32)}"


def parse_keys(text: str) -> list[SealKey]:
    """Reads a key file's text; raises :class:`SealError` with the line number."""
    keys: list[SealKey] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key_id, _, digits = line.strip().partition(":")
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            raw = b""
        if len(raw) != 32 or not key_id.isalnum():
            raise SealError(f"line {number}: not a key")
        keys.append(SealKey(key_id, raw[:16], raw[16:]))
    return keys


def load_or_create_sealer(path: Path) -> Sealer:
    """Opens the key file, or makes one readable by its owner only. Of several programs that start together one
    makes the file and all read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_keys(path, [new_key("k1")], fresh=True)
    return Sealer(read_keys(path))


def read_keys(path: Path) -> list[SealKey]:
    """The keys of a file; raises :class:`SealError` with the file's name, ``OSError``."""
    try:
        return parse_keys(path.read_text("utf-8"))
    except SealError as error:
        raise SealError(f"{path}: {error}") from error


def write_keys(path: Path, lines: Sequence[str], *, fresh: bool = False) -> None:
    """Puts the whole file in one step, readable by its owner only; ``fresh`` leaves one that is there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        if fresh:
            with suppress(FileExistsError):
                os.link(draft, path)
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
