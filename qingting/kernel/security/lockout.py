"""Lockout after wrong passwords, as pure rules over a stored record so that it survives a restart."""

from dataclasses import dataclass

MAX_TRIES = 5
LOCK_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Tries:
    """Failed attempts in a row and the instant (UTC ms) until which the account is locked."""

    failed: int = 0
    locked_until: int = 0


def locked_minutes(tries: Tries, now_ms: int) -> int:
    """Whole minutes left of a lock, 0 when open."""
    return max(0, -(-(tries.locked_until - now_ms) // 60_000))


def after_failure(
    tries: Tries, now_ms: int, *, most: int = MAX_TRIES, minutes: int = LOCK_MINUTES
) -> Tries:
    """The record after one more wrong password (standards.md C1: 5 tries, 15 minutes)."""
    failed = tries.failed + 1
    if failed >= most:
        return Tries(0, now_ms + minutes * 60_000)
    return Tries(failed, tries.locked_until)


def tries_left(tries: Tries, *, most: int = MAX_TRIES) -> int:
    return most - tries.failed
