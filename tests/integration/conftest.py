"""The day has begun at nine: a hall's day ends at midnight with all its numbers and calls, whenever the suite is run."""

import time

from qingting.kernel.aio.clock import SystemClock

CHINA_MS, NINE_MS, DAY_MS = 8 * 3_600_000, 9 * 3_600_000, 86_400_000
TO_NINE_MS = NINE_MS - (time.time_ns() // 1_000_000 + CHINA_MS) % DAY_MS
"""From now to nine of the same day in China."""


def _since_nine(_: SystemClock) -> int:
    return time.time_ns() // 1_000_000 + TO_NINE_MS


# For everything in the process of a test, so that a hall, its devices and its city agree. Time goes on from nine.
SystemClock.now_ms = _since_nine  # type: ignore[method-assign]
