"""Days and times of the city. It has no summer time (China: UTC+8 all year), so minutes from UTC are enough."""

from datetime import UTC, date, datetime, timedelta


def wall_time(at: int, offset_minutes: int) -> datetime:
    """What the city's clocks show at an instant (UTC milliseconds)."""
    there = datetime.fromtimestamp(at / 1000, UTC) + timedelta(minutes=offset_minutes)
    return there.replace(tzinfo=None)


def day_of(at: int, offset_minutes: int) -> date:
    """The city's date at an instant."""
    return wall_time(at, offset_minutes).date()
