"""How long a ticket will wait, as an interval from P50 to P90.

The people ahead, those of other queues of the same windows included, are served by the open windows in
parallel, after the visits that have begun. Their total serving time is taken as a sum of gamma
variables with coefficient of variation :data:`SPREAD`; the measured mean of today is shrunk towards the configured typical time by :data:`PRIOR_WEIGHT` pseudo-visits. Nobody can
say (None) when no window of the queue is open.
"""

import math

from hallserver.engine.lines import count, in_order
from hallserver.engine.state import HallState, WindowLife, queues_of
from qingting.contract.events import Interval
from qingting.contract.ids import ItemId, Millis, QueueId
from qingting.contract.states import WindowState

SPREAD = 0.7
"""Coefficient of variation of one serving time."""
PRIOR_WEIGHT = 8
"""How many measured visits the configured typical time is worth."""
HANDOVER_MINUTES = 0.5
"""Between two visitors: walking to the window and papers out."""
Z_90 = 1.2816


def mean_minutes(state: HallState, item: ItemId) -> float:
    """Expected serving time of an item in minutes: today's mean shrunk to the configured one."""
    typical = state.items[item].minutes if item in state.items else 10.0
    served = state.served.get(item)
    if served is None:
        return typical
    return (typical * PRIOR_WEIGHT + served.total_ms / 60_000) / (PRIOR_WEIGHT + served.count)


def open_windows(state: HallState, queue: QueueId, now: Millis) -> list[WindowLife]:
    """Windows that call from ``queue`` now."""
    return [
        life
        for life in state.windows.values()
        if life.state is WindowState.OPEN
        and life.id in state.window_config
        and queue in queues_of(state, life.id, now)
    ]


def expected_wait(state: HallState, queue: QueueId, ahead: int, now: Millis) -> Interval | None:
    """The interval for somebody with ``ahead`` people before them in ``queue``; None when unknown."""
    windows = open_windows(state, queue, now)
    if not windows:
        return None
    turns = ahead + _ahead_elsewhere(state, queue, windows, now)
    idle = sum(1 for life in windows if life.ticket is None)
    if turns < idle:
        return Interval(low=0, high=2)
    mean = _mean_ahead(state, queue, ahead, now) + HANDOVER_MINUTES
    started = sum(_remaining(state, life, now) for life in windows if life.ticket is not None)
    middle = (turns * mean + started) / len(windows)
    spread = SPREAD * mean * math.sqrt(turns + 1) / len(windows)
    low = max(1, math.floor(middle))
    return Interval(low=low, high=max(low + 1, math.ceil(middle + Z_90 * spread)))


def _ahead_elsewhere(
    state: HallState, queue: QueueId, windows: list[WindowLife], now: Millis
) -> float:
    """People of other queues who will be called by the same windows before: all who wait there now,
    each for the part of their own windows that serve ``queue`` as well."""
    shared = {life.id for life in windows}
    others = {q for life in windows for q in queues_of(state, life.id, now)} - {queue}
    total = 0.0
    for other in others:
        if waiting := count(state, other):
            theirs = {life.id for life in open_windows(state, other, now)}
            total += waiting * len(theirs & shared) / len(theirs)
    return total


def _remaining(state: HallState, life: WindowLife, now: Millis) -> float:
    """Minutes that the visit at a window will still take; never less than a fifth of its usual time."""
    if life.ticket is None:
        return 0.0
    ticket = state.tickets[life.ticket]
    mean = mean_minutes(state, ticket.item)
    gone = (now - ticket.begun_at) / 60_000 if ticket.begun_at else 0.0
    return max(mean - gone, mean / 5)


def _mean_ahead(state: HallState, queue: QueueId, ahead: int, now: Millis) -> float:
    """Mean serving time of the first ``ahead`` tickets of the queue (all alike beyond the first 50)."""
    total = 0.0
    people = 0
    for ticket in in_order(state, queue, now):
        if people >= min(ahead, 50):
            break
        total += mean_minutes(state, ticket.item)
        people += 1
    if people:
        return total / people
    items = [item for item in state.items.values() if item.queue == queue]
    return sum(mean_minutes(state, item.id) for item in items) / len(items) if items else 10.0
