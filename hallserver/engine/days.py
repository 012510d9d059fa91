"""Hall time: business days, weekdays and opening hours in the hall's own offset from UTC."""

from datetime import UTC, datetime, timedelta

from qingting.contract.config import HallConfig, Period
from qingting.contract.ids import BusinessDay, Millis

DEFAULT_OFFSET_MINUTES = 480
"""China Standard Time, before a configuration is known."""
MINUTE_MS = 60_000


def offset_minutes(config: HallConfig | None) -> int:
    return config.hall.utc_offset_minutes if config is not None else DEFAULT_OFFSET_MINUTES


def hall_time(at: Millis, config: HallConfig | None) -> datetime:
    """``at`` as an aware datetime whose clock shows hall time (tagged UTC, already shifted)."""
    return datetime.fromtimestamp(at / 1000, UTC) + timedelta(minutes=offset_minutes(config))


def business_day(at: Millis, config: HallConfig | None) -> BusinessDay:
    """The calendar date in the hall."""
    return BusinessDay(hall_time(at, config).strftime("%Y-%m-%d"))


def weekday(at: Millis, config: HallConfig | None) -> int:
    """ISO weekday in the hall, 1 = Monday."""
    return hall_time(at, config).isoweekday()


def clock_minutes(text: str) -> int:
    """``08:30`` → 510; ``24:00`` → 1440."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def within(periods: tuple[Period, ...], at: Millis, config: HallConfig | None) -> bool:
    """True when ``at`` lies in one of the periods, ends exclusive."""
    now = hall_time(at, config)
    minute = now.hour * 60 + now.minute
    return any(clock_minutes(one.start) <= minute < clock_minutes(one.end) for one in periods)


def next_midnight(at: Millis, config: HallConfig | None) -> Millis:
    """The instant at which the next business day begins."""
    shift = offset_minutes(config) * MINUTE_MS
    day_ms = 24 * 60 * MINUTE_MS
    return ((at + shift) // day_ms + 1) * day_ms - shift
