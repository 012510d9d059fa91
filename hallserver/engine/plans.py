"""What is planned for the day, made ready once: opening hours, who is due at which window, which windows share queues."""

from datetime import date

from hallserver.engine.days import DAY_MS, MINUTE_MS
from hallserver.engine.state import DayPlan, Planned, Span
from qingting.contract.calendar import Period, clock_minutes, hours_on, weekday_on
from qingting.contract.config import HallConfig
from qingting.contract.ids import BusinessDay, Millis, QueueId, WindowId


def day_plan(config: HallConfig, day: BusinessDay | None) -> DayPlan:
    """The plan of a day; before the first business day only what does not depend on it."""
    plan = DayPlan(joined=_joined(config))
    served = {one.id: one.queues for one in config.windows}
    for queue, windows in plan.joined.items():
        plan.linked[queue] = list(dict.fromkeys(q for one in windows for q in served[one]))
    for item in config.items:
        plan.items.setdefault(item.queue, []).append(item.id)
    if day is None:
        return plan
    today = date.fromisoformat(day)
    midnight = _midnight(config, today)
    hours = hours_on(config.calendar, today)
    if hours.periods is not None:
        plan.hours = [_span(midnight, one) for one in hours.periods]
    weekday = weekday_on(config.calendar, today)
    for shift in config.shifts:
        if weekday in shift.weekdays:
            row = plan.roster.setdefault(shift.window, [])
            row += [Planned(*_span(midnight, one), shift.staff) for one in shift.periods]
    for row in plan.roster.values():
        row.sort(key=lambda one: one.start)
    return plan


def _midnight(config: HallConfig, day: date) -> Millis:
    days = (day - date(1970, 1, 1)).days
    return days * DAY_MS - config.hall.utc_offset_minutes * MINUTE_MS


def _span(midnight: Millis, period: Period) -> Span:
    return (
        midnight + clock_minutes(period.start) * MINUTE_MS,
        midnight + clock_minutes(period.end) * MINUTE_MS,
    )


def _joined(config: HallConfig) -> dict[QueueId, list[WindowId]]:
    found: dict[QueueId, list[WindowId]] = {}
    for queue in config.queues:
        queues, windows = {queue.id}, [one for one in config.windows if queue.id in one.queues]
        while True:
            more = {one for window in windows for one in window.queues} | queues
            if more == queues:
                break
            queues = more
            windows = [one for one in config.windows if not queues.isdisjoint(one.queues)]
        found[queue.id] = [one.id for one in windows]
    return found
