"""The same code held under a scanner is one scan, however often it is read."""

from qingting.kernel.aio.clock import Clock


class Repeats:
    """``repeat_ms``: the same code within this time of its last reading is no new scan."""

    def __init__(self, repeat_ms: int, clock: Clock) -> None:
        self._within_s = repeat_ms / 1000
        self._clock = clock
        self._last: tuple[str, float] | None = None

    def is_repeated(self, text: str) -> bool:
        """Counts as a reading of ``text``."""
        now = self._clock.monotonic()
        before, self._last = self._last, (text, now)
        if before is None or before[0] != text:
            return False
        return now - before[1] < self._within_s
