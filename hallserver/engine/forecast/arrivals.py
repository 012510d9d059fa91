"""How many people come, by queue, hour and calling class: needed for those who will still be called first.

The rate of a queue in an hour of the day is a count over hours watched, shrunk to the queue's rate over all
hours; the part of a class is a share shrunk to the hall's. Plain data for the hall's state.
"""

from typing import TypeVar

import msgspec

from hallserver.engine.forecast.durations import FADE, Share
from qingting.contract.ids import Millis, QueueId

K = TypeVar("K")
HOUR_MS = 3_600_000
RATE_WEIGHT = 1.0
"""Hours of the queue's usual rate that one hour of the day starts with."""
SHARE_WEIGHT = 20.0
"""Visitors of a queue for which the hall's share of a class stands in."""
LONGEST_STEP = 0.5
"""Hours between two arrivals that count at most: longer is a night or a closed hall."""


class Flow(msgspec.Struct):
    """Visitors of one queue: by hour of the day, and by class."""

    hours: dict[int, float] = {}
    kinds: dict[str, float] = {}
    total: float = 0.0


class Arrivals(msgspec.Struct, kw_only=True):
    """Everything a hall has learned about who comes. ``watched`` are hours of watching by hour of the day."""

    queues: dict[QueueId, Flow] = {}
    watched: dict[int, float] = {}
    kinds: dict[str, float] = {}
    total: float = 0.0
    last: Millis = 0


def observe_arrival(learned: Arrivals, queue: QueueId, kind: str, hour: int, now: Millis) -> None:
    """Counts somebody of calling class ``kind`` who came to ``queue`` in ``hour`` of the day."""
    if learned.last:
        step = max(0.0, min((now - learned.last) / HOUR_MS, LONGEST_STEP))
        learned.watched[hour] = learned.watched.get(hour, 0.0) + step
    learned.last = now
    flow = learned.queues.get(queue) or learned.queues.setdefault(queue, Flow())
    flow.hours[hour] = flow.hours.get(hour, 0.0) + 1
    for counts in (flow.kinds, learned.kinds):
        counts[kind] = counts.get(kind, 0.0) + 1
    flow.total += 1
    learned.total += 1


def per_hour(learned: Arrivals, queue: QueueId, kind: str, hour: int) -> float:
    """Visitors of class ``kind`` an hour who come to ``queue`` around ``hour`` of the day."""
    flow = learned.queues.get(queue)
    watched = sum(learned.watched.values())
    if flow is None or watched < 0.25:
        return 0.0
    usual = flow.total / watched
    here = learned.watched.get(hour, 0.0)
    rate = (flow.hours.get(hour, 0.0) + RATE_WEIGHT * usual) / (here + RATE_WEIGHT)
    overall = learned.kinds.get(kind, 0.0) / learned.total
    share = Share(flow.kinds.get(kind, 0.0) + SHARE_WEIGHT * overall, flow.total + SHARE_WEIGHT)
    return rate * share.value


def night(learned: Arrivals) -> None:
    """The turn of the day: older days count less."""
    learned.watched = _faded(learned.watched)
    learned.kinds = _faded(learned.kinds)
    for flow in learned.queues.values():
        flow.hours, flow.kinds = _faded(flow.hours), _faded(flow.kinds)
        flow.total *= FADE
    learned.total *= FADE
    learned.last = 0


def _faded(counts: dict[K, float]) -> dict[K, float]:
    return {key: count * FADE for key, count in counts.items()}
