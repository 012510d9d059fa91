"""Availability (可用率): the share of a period in which a device was fit for service. Pure rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from console.core.days import day_of
from console.modules.devices.api import HallHours
from qingting.contract.calendar import clock_minutes, hours_on

DAY_MS = 86_400_000
MINUTE_MS = 60_000


class Interval(NamedTuple):
    """From ``start`` to ``end``, milliseconds, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """``measured`` is the time that counts: the hall's opening hours (``by_hours``) or all the time, without
    maintenance and without time of which nobody knows. ``down`` of it the device was out of order."""

    measured: int
    down: int
    by_hours: bool

    @property
    def share(self) -> float | None:
        """1.0 = never out of order; None when nothing was measured."""
        return 1 - self.down / self.measured if self.measured else None


def availability(
    measure: Iterable[Interval],
    down: Iterable[Interval],
    excluded: Iterable[Interval],
    *,
    by_hours: bool,
) -> Availability:
    """``down`` within ``measure``, both without ``excluded``; any of them may overlap itself."""
    counted = without(merged(measure), merged(excluded))
    broken = common(counted, merged(down))
    return Availability(measured=_length(counted), down=_length(broken), by_hours=by_hours)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in order, without overlaps and empty intervals."""
    found: list[Interval] = []
    for one in sorted(one for one in intervals if one.end > one.start):
        if found and one.start <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def common(one: Sequence[Interval], other: Sequence[Interval]) -> list[Interval]:
    """Time in both; both merged."""
    found, a, b = [], 0, 0
    while a < len(one) and b < len(other):
        start, end = max(one[a].start, other[b].start), min(one[a].end, other[b].end)
        if start < end:
            found.append(Interval(start, end))
        if one[a].end < other[b].end:
            a += 1
        else:
            b += 1
    return found


def without(one: Sequence[Interval], other: Sequence[Interval]) -> list[Interval]:
    """Time in ``one`` and not in ``other``; both merged."""
    if not one:
        return []
    first, last = one[0].start, one[-1].end
    gaps, at = [], first
    for each in other:
        if each.start > at:
            gaps.append(Interval(at, each.start))
        at = max(at, each.end)
    if at < last:
        gaps.append(Interval(at, last))
    return common(one, gaps)


def _length(intervals: Iterable[Interval]) -> int:
    return sum(one.end - one.start for one in intervals)


def to_measure(hours: HallHours | None, period: Interval) -> tuple[list[Interval], bool]:
    """The hall's opening hours within ``period``, as they are set now, and True; where none are set, the whole
    period and False."""
    if hours is None or not hours.calendar.weekly:
        return [period], False
    open_time = merged(
        Interval(start, end) for day in _days(hours, period) for start, end in _open(hours, day)
    )
    return common(open_time, [period]), True


def _days(hours: HallHours, period: Interval) -> Iterator[date]:
    day = day_of(period.start, hours.utc_offset_minutes)
    last = day_of(period.end, hours.utc_offset_minutes)
    while day <= last:
        yield day
        day += timedelta(days=1)


def _open(hours: HallHours, day: date) -> Iterator[tuple[int, int]]:
    midnight = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    midnight -= hours.utc_offset_minutes * MINUTE_MS
    for one in hours_on(hours.calendar, day).periods or ():
        yield (
            midnight + clock_minutes(one.start) * MINUTE_MS,
            midnight + clock_minutes(one.end) * MINUTE_MS,
        )


def periods(now: int, utc_offset_minutes: int) -> dict[str, Interval]:
    """Today since midnight, and the last 7 and 30 days, up to ``now``."""
    shift = utc_offset_minutes * MINUTE_MS
    midnight = (now + shift) // DAY_MS * DAY_MS - shift
    return {
        "day": Interval(midnight, now),
        "week": Interval(now - 7 * DAY_MS, now),
        "month": Interval(now - 30 * DAY_MS, now),
    }
