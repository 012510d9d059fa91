"""Credentials that are good once: which of them were spent a moment ago, known by their digests alone."""

import hashlib

from qingting.kernel.aio.clock import Clock

KEPT_SECONDS = 3600.0
"""Longer than any credential is good, so that the platform refuses what the hall has forgotten."""


class Spent:
    """In memory only: a restarted hall leaves it to the platform, which refuses a second time as well."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[bytes, float] = {}

    def spend(self, text: str) -> bool:
        """False when ``text`` was spent before."""
        now = self._clock.monotonic()
        self._until = {one: until for one, until in self._until.items() if until > now}
        digest = hashlib.sha256(text.encode()).digest()
        if digest in self._until:
            return False
        self._until[digest] = now + KEPT_SECONDS
        return True
