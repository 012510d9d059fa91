"""Keys of numbers that a kiosk gives alone: a signing key a day and device, a box that only the hall opens.

Both are derived from a secret of the hall, so nothing has to be stored for them.
"""

import base64
import hmac
import secrets
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY, _NONCE, _MAC, _SALT = 32, 12, 16, 8
_TOKEN = struct.Struct(f">I{_SALT}s{_MAC}s")
TOKEN_MARK = "L"  # noqa: S105 - the first character of every such token, no secret
"""Tokens of leased numbers begin with this; the rest is serial, salt and signature in base64."""


class BoxError(ValueError):
    """A box cannot be opened: damaged, cut short, or sealed for somebody else."""


def sign(key: bytes, data: bytes) -> str:
    """Signature of ``data``, hex (HMAC-SHA-256)."""
    return hmac.digest(key, data, "sha256").hex()


def is_signed(key: bytes, data: bytes, signature: str) -> bool:
    return hmac.compare_digest(sign(key, data), signature)


def new_lease_token(key: bytes, queue: str, serial: int) -> str:
    """The text of a leased ticket's QR: opaque, and yet the hall knows it for its own before it was
    merged."""
    salt = secrets.token_bytes(_SALT)
    packed = _TOKEN.pack(serial, salt, _mac(key, queue, serial, salt))
    return TOKEN_MARK + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def lease_serial(token: str) -> int | None:
    """The serial that a token names; None for any other text. Says nothing about its signature."""
    packed = _unpacked(token)
    return packed[0] if packed is not None else None


def is_lease_token(key: bytes, queue: str, token: str) -> bool:
    """Whether ``key`` made this token for a number of ``queue``."""
    packed = _unpacked(token)
    return packed is not None and hmac.compare_digest(
        packed[2], _mac(key, queue, packed[0], packed[1])
    )


def _unpacked(token: str) -> tuple[int, bytes, bytes] | None:
    if not token.startswith(TOKEN_MARK):
        return None
    body = token[len(TOKEN_MARK) :]
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except ValueError:
        return None
    if len(raw) != _TOKEN.size:
        return None
    serial, salt, mac = _TOKEN.unpack(raw)
    return int(serial), bytes(salt), bytes(mac)


def _mac(key: bytes, queue: str, serial: int, salt: bytes) -> bytes:
    return hmac.digest(key, f"{queue}|{serial}|".encode() + salt, "sha256")[:_MAC]


def public_half(secret: bytes) -> str:
    """The public key (hex) that belongs to a secret of 32 bytes."""
    return _raw(X25519PrivateKey.from_private_bytes(secret).public_key()).hex()


def seal_for(public: str, text: str, *, context: str) -> str:
    """``text`` for the holder of the secret half alone; ``context`` is bound in."""
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(public)))
    mine = _raw(ephemeral.public_key())
    nonce = secrets.token_bytes(_NONCE)
    box = ChaCha20Poly1305(_cipher_key(shared, mine)).encrypt(
        nonce, text.encode(), context.encode()
    )
    return base64.b64encode(mine + nonce + box).decode("ascii")


def open_box(secret: bytes, box: str, *, context: str) -> str:
    """Inverse of :func:`seal_for`; raises :class:`BoxError`."""
    try:
        raw = base64.b64decode(box, validate=True)
        theirs, nonce, sealed = raw[:_KEY], raw[_KEY : _KEY + _NONCE], raw[_KEY + _NONCE :]
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(
            X25519PublicKey.from_public_bytes(theirs)
        )
        cipher = ChaCha20Poly1305(_cipher_key(shared, theirs))
        return cipher.decrypt(nonce, sealed, context.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise BoxError("damaged or for somebody else") from error


def _cipher_key(shared: bytes, ephemeral: bytes) -> bytes:
    hkdf = HKDF(algorithm=hashes.SHA256(), length=_KEY, salt=ephemeral, info=b"qingting offline")
    return hkdf.derive(shared)


def _raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
