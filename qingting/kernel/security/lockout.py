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


def after_failure(tries: Tries, now_ms: int) -> Tries:
    """The record after one more wrong password (standards.md C1: 5 tries, 15 minutes)."""
    failed = tries.failed + 1
    if failed >= MAX_TRIES:
        return Tries(0, now_ms + LOCK_MINUTES * 60_000)
    return Tries(failed, tries.locked_until)


def tries_left(tries: Tries) -> int:
    return MAX_TRIES - tries.failed
