"""Passwords: argon2id in worker threads, bounded, with the policy of level 3 (standards.md C1)."""

import asyncio
import base64
import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

MIN_LENGTH = 10
_KINDS = (string.ascii_uppercase, string.ascii_lowercase, string.digits)


class Passwords:
    """Hashes and verifies off the event loop, at most ``parallel`` at once (64 MiB each)."""

    def __init__(self, *, parallel: int = 2, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limit = asyncio.Semaphore(parallel)
        self._decoy = _decoy(self._hasher)

    async def hash(self, password: str) -> str:
        async with self._limit:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """False for a wrong password; an unknown account (``None``) costs the same time."""
        async with self._limit:
            right = await asyncio.to_thread(self._verify, stored or self._decoy, password)
        return right and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _decoy(hasher: PasswordHasher) -> str:
    """What a hash of ``hasher`` looks like, of a password that nobody knows: to verify it costs what a real one costs,
    and to make it costs nothing, so that no start waits for it."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2{hasher.type.name.lower()}$v={ARGON2_VERSION}${cost}${salt}${digest}"


def password_is_strong(password: str, account: str) -> bool:
    """At least ten characters of three kinds (capital, small, digit, sign) and not the account's name."""
    kinds = sum(any(char in kind for char in password) for kind in _KINDS)
    kinds += any(char not in "".join(_KINDS) for char in password)
    return len(password) >= MIN_LENGTH and kinds >= 3 and account.lower() not in password.lower()


def one_time_password() -> str:
    """A random password that a person can read aloud: no look-alike characters, strong by the policy."""
    letters = "abcdefghjkmnpqrstuvwxyz"
    groups = ["".join(secrets.choice(letters + "23456789") for _ in range(4)) for _ in range(3)]
    return (
        secrets.choice("ABCDEFGHJKMNPQRSTUVWXYZ")
        + secrets.choice("23456789")
        + "-"
        + "-".join(groups)
    )
