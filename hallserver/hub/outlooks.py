"""Waiting times for screens: worked out anew when the hall has changed, but not more often than they are worth.

An outlook costs a few milliseconds in a large hall. Screens look at it after every event; a hall that is not
overrun has a fresh one each time. When events come faster than :data:`PER_SECOND`, screens share one for a moment.
"""

from hallserver.engine.state import HallState
from hallserver.engine.waiting import Outlook
from qingting.kernel.aio.clock import Clock

PER_SECOND = 2.0
AT_ONCE = 30.0
"""So many in a burst, after a quiet time."""
STALE_MS = 5_000
"""Age of an outlook that is renewed although nothing happened."""


class Outlooks:
    """The latest outlook of one hall."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest: Outlook | None = None
        self._allowance = AT_ONCE
        self._counted = clock.monotonic()

    def latest(self, state: HallState) -> Outlook:
        """Of ``state`` as it is, or as it was a moment ago."""
        now = self._clock.now_ms()
        latest = self._latest
        if latest is None or (
            (latest.seq != state.seq or now - latest.now >= STALE_MS) and self._allowed()
        ):
            latest = self._latest = Outlook(state, now)
        return latest

    def _allowed(self) -> bool:
        now = self._clock.monotonic()
        earned = (now - self._counted) * PER_SECOND
        self._allowance = min(AT_ONCE, self._allowance + earned)
        self._counted = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
