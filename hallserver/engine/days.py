"""Hall time: business days, weekdays and opening hours in the hall's own offset from UTC."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from qingting.contract.calendar import Period, clock_minutes, weekday_on
from qingting.contract.config import HallConfig
from qingting.contract.ids import BusinessDay, Millis

DEFAULT_OFFSET_MINUTES = 480
"""China Standard Time, before a configuration is known."""
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


def offset_minutes(config: HallConfig | None) -> int:
    return config.hall.utc_offset_minutes if config is not None else DEFAULT_OFFSET_MINUTES


def hall_time(at: Millis, config: HallConfig | None) -> datetime:
    """``at`` as an aware datetime whose clock shows hall time (tagged UTC, already shifted)."""
    return datetime.fromtimestamp(at / 1000, UTC) + timedelta(minutes=offset_minutes(config))


def business_day(at: Millis, config: HallConfig | None) -> BusinessDay:
    """The calendar date in the hall."""
    return _date((at + offset_minutes(config) * MINUTE_MS) // DAY_MS)


@lru_cache(maxsize=8)
def _date(days: int) -> BusinessDay:
    """Asked for every command, so the text of a day is made once."""
    return BusinessDay((date(1970, 1, 1) + timedelta(days=days)).isoformat())


def weekday(at: Millis, config: HallConfig | None) -> int:
    """ISO weekday in the hall, 1 = Monday; on a made-up working day the one that it stands in for."""
    day = hall_time(at, config).date()
    return weekday_on(config.calendar, day) if config is not None else day.isoweekday()


def within(periods: tuple[Period, ...], at: Millis, config: HallConfig | None) -> bool:
    """True when ``at`` lies in one of the periods, ends exclusive."""
    now = hall_time(at, config)
    minute = now.hour * 60 + now.minute
    return any(clock_minutes(one.start) <= minute < clock_minutes(one.end) for one in periods)


def day_start(at: Millis, config: HallConfig | None) -> Millis:
    """The instant at which the business day of ``at`` began."""
    return next_midnight(at, config) - DAY_MS


def next_midnight(at: Millis, config: HallConfig | None) -> Millis:
    """The instant at which the next business day begins."""
    shift = offset_minutes(config) * MINUTE_MS
    return ((at + shift) // DAY_MS + 1) * DAY_MS - shift
