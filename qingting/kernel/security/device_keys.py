"""Keys of devices and halls: a random secret at the device, its SM3 digest at the server."""

import hmac
import re
import secrets

from cryptography.hazmat.primitives import hashes


def new_device_key() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def new_pairing_code() -> str:
    """Eight digits, shown as ``1234 5678``, valid for minutes and once."""
    return f"{secrets.randbelow(10**8):08d}"


def new_token() -> str:
    """An opaque single-purpose token for QR codes and links: 128 random bits."""
    return secrets.token_urlsafe(16)


def has_token_shape(text: str) -> bool:
    """True for a text that :func:`new_token` may have made. So may chance: one random text in sixteen of the same
    22 characters has this shape, for 128 bits leave the last character two bits."""
    return _TOKEN.fullmatch(text) is not None


_TOKEN = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")


def digest(key: str) -> str:
    """SM3 of a high-entropy secret, hex. Not for passwords."""
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(key.encode())
    return sm3.finalize().hex()


def matches(stored_digest: str, key: str) -> bool:
    """Constant-time check of ``key`` against a stored digest."""
    return hmac.compare_digest(stored_digest, digest(key))
