"""How long a ticket will wait, as an interval from P50 to P90.

The people ahead are served by the open windows of the queue in parallel. Their total serving time is
taken as a sum of gamma variables with coefficient of variation :data:`SPREAD`; the measured mean of
today is shrunk towards the configured typical time by :data:`PRIOR_WEIGHT` pseudo-visits. Nobody can
say (None) when no window of the queue is open.
"""

import math

from hallserver.engine.state import HallState, WindowLife
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


def open_windows(state: HallState, queue: QueueId) -> list[WindowLife]:
    """Windows that call from ``queue`` now."""
    return [
        life
        for life in state.windows.values()
        if life.state is WindowState.OPEN
        and (window := state.window_config.get(life.id)) is not None
        and queue in window.queues
    ]


def _share(state: HallState, life: WindowLife, queue: QueueId) -> float:
    """The part of a window's time that ``queue`` can expect: it competes with the window's other queues."""
    busy = [q for q in state.window_config[life.id].queues if q == queue or state.waiting.get(q)]
    return 1 / len(busy)


def expected_wait(state: HallState, queue: QueueId, ahead: int, now: Millis) -> Interval | None:
    """The interval for somebody with ``ahead`` people before them in ``queue``; None when unknown."""
    windows = open_windows(state, queue)
    if not windows:
        return None
    idle = sum(1 for life in windows if life.ticket is None)
    if ahead < idle:
        return Interval(low=0, high=2)
    capacity = sum(_share(state, life, queue) for life in windows)
    mean = _mean_ahead(state, queue, ahead) + HANDOVER_MINUTES
    turns = ahead + 1 - idle
    total = turns * mean
    middle = total / capacity
    spread = SPREAD * mean * math.sqrt(turns) / capacity
    low = max(1, math.floor(middle))
    return Interval(low=low, high=max(low + 1, math.ceil(middle + Z_90 * spread)))


def _mean_ahead(state: HallState, queue: QueueId, ahead: int) -> float:
    """Mean serving time of the first ``ahead`` tickets of the queue (all alike beyond the first 50)."""
    total = 0.0
    count = 0
    for ticket in state.waiting.get(queue, {}):
        if count >= min(ahead, 50):
            break
        total += mean_minutes(state, state.tickets[ticket].item)
        count += 1
    if count:
        return total / count
    items = [item for item in state.items.values() if item.queue == queue]
    return sum(mean_minutes(state, item.id) for item in items) / len(items) if items else 10.0
