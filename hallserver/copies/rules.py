"""When a backup is due, and since when a hall is without a fresh one. Pure."""

from hallserver.engine.days import DAY_MS, MINUTE_MS
from qingting.contract.ids import Millis

HOUR_MS = 60 * MINUTE_MS
LATE_MS = 26 * HOUR_MS
"""A backup older than this is too old: yesterday's, and two hours to make today's."""
START_MS = HOUR_MS
"""A hall that was switched off over the weekend has this long to make its backup before anybody is called."""
RETRY_MS = 15 * MINUTE_MS
"""Pause after a backup that failed."""


def due_since(now: Millis, hour: int, offset_minutes: int) -> Millis:
    """The latest instant up to ``now`` at which it was ``hour`` o'clock in the hall."""
    shift = offset_minutes * MINUTE_MS - hour * HOUR_MS
    return (now + shift) // DAY_MS * DAY_MS - shift


def is_due(
    now: Millis, *, made: Millis, born: Millis, failed: Millis, hour: int, offset_minutes: int
) -> bool:
    """``made`` and ``failed`` are the newest good backup and the latest attempt that failed, 0 for none; ``born`` is
    when the hall's log began: a hall of today has its first night before it."""
    if failed and now - failed < RETRY_MS:
        return False
    return max(made, born) < due_since(now, hour, offset_minutes)


def bad_since(
    now: Millis, *, made: Millis, born: Millis, failing: Millis, started: Millis
) -> Millis:
    """Since when the hall has no fresh backup, 0 while it has. ``failing`` is when making it began to fail, 0 for not;
    ``started`` when this process began."""
    late = max(max(made, born) + LATE_MS, started + START_MS)
    found = [one for one in (failing, late) if 0 < one <= now]
    return min(found, default=0)
