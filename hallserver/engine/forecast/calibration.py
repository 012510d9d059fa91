"""Forecasts against what happened: correction, score, verdict.

Each called ticket scores the forecast that was made for it.

- The distance from P50 to P90 follows the misses online, so that in the long run nine waits in ten are within.
- The P50 is corrected at night by a part of the day's middle error. Within a day that would be
  feedback with a delay as long as the wait itself: tried, it swings and costs a fifth of the accuracy.
- Both corrections are bounded: a broken forecast is not to be corrected but withdrawn. That is the verdict, per
  item, from the scores of its latest forecasts. The simulation goes on unseen and comes back by its scores.
"""

from collections.abc import Iterable
from math import exp, log
from typing import NamedTuple

import msgspec

from qingting.contract.ids import ItemId, QueueId
from qingting.contract.states import WaitBasis

LATEST = 60
"""Forecasts that a score looks back on (exponentially, once there are as many)."""
ENOUGH = 20
"""Scored forecasts before there is a verdict."""
REACH_STEP = 0.05
HALL_PART = 0.3
"""Part of a correction that goes to the whole hall; the rest goes to the queue."""
MIDDLE_GAIN, MIDDLE_WEIGHT = 0.3, 40.0
"""Part of a day's middle error that is corrected, and the tickets after which half of that is believed."""
MIDDLE_BOUND, REACH_BOUND = 0.4, 0.7
"""Largest corrections on the log scale: P50 by half, its distance to P90 by two."""
RATIO_FROM, RATIO_CAP = 5.0, 0.7
"""Waits (minutes) that are long enough to say something about the ratio, and its cut on the log scale."""
COVERED_LOW, COVERED_HIGH = 0.7, 0.8
"""A P90 that holds less often than the first is bad until it holds more often than the second."""
ERROR_FACTOR, ERROR_FLOOR = 1.25, 3.0
"""A P50 is bad whose mean error is beyond this factor of the average rule's error on the same tickets and beyond
so many minutes; good again when it is below the rule's."""
WIDE_ERRORS, WIDE_LEAST = 2.5, 10.0
"""The fallback reaches so many of its own mean errors beyond its middle, and at least so many minutes."""


class Told(NamedTuple):
    """A forecast as people are told it, minutes."""

    p50: float
    p90: float
    basis: WaitBasis


class Made(NamedTuple):
    """All that was forecast for one ticket, minutes: by the simulation (corrected), by the average rule, and what
    was told."""

    p50: float
    p90: float
    rule: float
    told: Told


class Correction(msgspec.Struct):
    """Log factors on the P50 and on the distance from there to the P90; today's sum of log errors."""

    middle: float = 0.0
    reach: float = 0.0
    seen: int = 0
    errors: float = 0.0


class Score(msgspec.Struct, kw_only=True):
    """The latest scored forecasts of an item, or of a queue: shares, and means in minutes."""

    count: int = 0
    covered: float = 0.0
    """Waits up to the P90."""
    below: float = 0.0
    """Waits up to the P50."""
    error: float = 0.0
    bias: float = 0.0
    """Forecast less wait."""
    rule_error: float = 0.0
    """Of the average rule on the same tickets."""
    wait: float = 0.0
    told_covered: float = 0.0
    told_error: float = 0.0
    """Of what was told, which is not the simulation while the verdict is bad."""
    bad: bool = False

    def take(self, wait: float, made: Made) -> None:
        """Counts one forecast against the wait that followed."""
        p50, p90, rule, told = made
        self.count += 1
        part = 1 / min(self.count, LATEST)
        self.covered += ((wait <= p90) - self.covered) * part
        self.below += ((wait <= p50) - self.below) * part
        self.error += (abs(wait - p50) - self.error) * part
        self.bias += (p50 - wait - self.bias) * part
        self.rule_error += (abs(wait - rule) - self.rule_error) * part
        self.wait += (wait - self.wait) * part
        self.told_covered += ((wait <= told.p90) - self.told_covered) * part
        self.told_error += (abs(wait - told.p50) - self.told_error) * part
        if self.count >= ENOUGH:
            self.bad = self.fails()

    def fails(self) -> bool:
        """Whether these figures are outside the stated limits; narrower ones for what is bad already."""
        if self.covered < (COVERED_HIGH if self.bad else COVERED_LOW):
            return True
        limit = 1.0 if self.bad else ERROR_FACTOR
        return self.error > ERROR_FLOOR and self.error > limit * self.rule_error


MEANS = (
    *("covered", "below", "error", "bias", "rule_error", "wait"),
    *("told_covered", "told_error"),
)
"""The fields of a score that are means."""


class Calibration(msgspec.Struct, kw_only=True):
    """All a hall knows about its own forecasts. Plain data for its state."""

    hall: Correction = msgspec.field(default_factory=Correction)
    queues: dict[QueueId, Correction] = {}
    items: dict[ItemId, Score] = {}


def corrected(learned: Calibration, queue: QueueId, p50: float, p90: float) -> tuple[float, float]:
    """A simulated P50 and P90, corrected."""
    own = learned.queues.get(queue)
    middle, reach = learned.hall.middle, learned.hall.reach
    if own is not None:
        middle, reach = middle + own.middle, reach + own.reach
    factor = exp(_within(middle, MIDDLE_BOUND))
    return p50 * factor, (p50 + (p90 - p50) * exp(_within(reach, REACH_BOUND))) * factor


def tell(score: Score | None, p50: float, p90: float, rule: float) -> Told:
    """What people are told: the simulation, or while the verdict of ``score`` is bad the fallback, which is whatever has been
    nearer of late with a margin that its own errors ask for."""
    if score is None or not score.bad:
        return Told(p50, p90, WaitBasis.SIMULATION)
    if score.error <= score.rule_error:
        return Told(
            p50, p50 + max(WIDE_LEAST, p90 - p50, WIDE_ERRORS * score.error), WaitBasis.WIDE
        )
    return Told(rule, rule + max(WIDE_LEAST, WIDE_ERRORS * score.rule_error), WaitBasis.AVERAGE)


def observe(learned: Calibration, queue: QueueId, item: ItemId, wait: float, made: Made) -> None:
    """Scores what was forecast for a ticket of the item against its wait in minutes."""
    score = learned.items.get(item)
    if score is None:
        score = learned.items[item] = Score()
    score.take(wait, made)
    own = learned.queues.get(queue)
    if own is None:
        own = learned.queues[queue] = Correction()
    step = REACH_STEP * ((wait > made.p90) - 0.1)
    error = 0.0
    seen = wait > RATIO_FROM or made.p50 > RATIO_FROM
    if seen:
        error = _within(log(max(wait, 1.0) / max(made.p50, 1.0)), RATIO_CAP)
    for one, part in ((learned.hall, HALL_PART), (own, 1 - HALL_PART)):
        one.reach = _within(one.reach + part * step, REACH_BOUND)
        one.seen += seen
        one.errors += error


def together(scores: Iterable[Score]) -> Score:
    """One score of several, each by the forecasts that it looks back on; bad when most of those are."""
    whole, bad = Score(), 0
    for one in scores:
        latest = min(one.count, LATEST)
        whole.count += latest
        bad += latest if one.bad else 0
        part = latest / max(1, whole.count)
        for name in MEANS:
            former = getattr(whole, name)
            setattr(whole, name, former + (getattr(one, name) - former) * part)
    whole.bad = 2 * bad > whole.count
    return whole


def night(learned: Calibration) -> None:
    """The turn of the day: the P50 is corrected by a part of the day's error."""
    for one, part in (
        (learned.hall, HALL_PART),
        *((own, 1 - HALL_PART) for own in learned.queues.values()),
    ):
        if one.seen:
            believed = MIDDLE_GAIN * one.seen / (one.seen + MIDDLE_WEIGHT)
            one.middle = _within(one.middle + part * believed * one.errors / one.seen, MIDDLE_BOUND)
        one.seen, one.errors = 0, 0.0


def _within(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))
