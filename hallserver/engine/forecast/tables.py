"""Fixed tables for sampling: the same situation always gives the same forecast.

A replica of the future needs one duration for every visitor. Over the replicas of a :class:`Design`, a visitor's
durations are equally likely quantiles of their distribution in an order of their own (Latin hypercube): every
visitor's mean is exact with few replicas, and only the combination is random. The orders are drawn once
from a fixed seed.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, log, sqrt
from operator import itemgetter
from random import Random
from statistics import NormalDist

Shuffle = Callable[[Sequence[float]], tuple[float, ...]]
FINE = 400
"""Points of the tables that remaining times are read from."""
TAIL = 8
"""Points of that table below which it says nothing any more."""
_CV_STEP, _CV_STEPS = 0.05, 40
_NORMAL = NormalDist()
_Z90 = _NORMAL.inv_cdf(0.9)


class Design:
    """``replicas`` futures. ``visitors``, ``streams`` and ``windows`` are orders for columns of values, used again
    from the beginning when there are more of those; ``doubt`` is one more.

    ``uniform``, ``normal`` and ``exponential`` are the quantiles of these distributions, ascending.
    """

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas
        random = Random(20261125)  # noqa: S311 - a fixed design, not a secret
        self.visitors = [_shuffle(replicas, random) for _ in range(64)]
        self.streams = [_shuffle(replicas, random) for _ in range(31)]
        self.windows = [_shuffle(replicas, random) for _ in range(32)]
        self.doubt = _shuffle(replicas, random)
        self.uniform = tuple((k + 0.5) / replicas for k in range(replicas))
        self.normal = tuple(_NORMAL.inv_cdf(one) for one in self.uniform)
        self.exponential = tuple(-log(1 - one) for one in self.uniform)
        self._weights = {share: _weights(share, replicas) for share in (0.5, 0.9)}

    def quantile(self, ordered: Sequence[float], share: float) -> float:
        """The 0.5 or 0.9 quantile of one ascending value a replica; grows with each of them."""
        return sum(ordered[k] * weight for k, weight in self._weights[share])


def _shuffle(replicas: int, random: Random) -> Shuffle:
    order = list(range(replicas))
    random.shuffle(order)
    return itemgetter(*order)


def _weights(share: float, replicas: int) -> tuple[tuple[int, float], ...]:
    """Weights of the ascending values for a quantile: a narrow bell instead of one of them, for less noise."""
    width = sqrt(share * (1 - share) / (replicas + 1))
    edges = [_NORMAL.cdf((k / replicas - share) / width) for k in range(replicas + 1)]
    raw = [edges[k + 1] - edges[k] for k in range(replicas)]
    total = sum(raw)
    return tuple((k, one / total) for k, one in enumerate(raw) if one / total > 0.002)


@lru_cache(maxsize=512)
def _standard(cv_step: int, points: int) -> tuple[float, ...]:
    """Quantiles of a lognormal with mean 1, ascending; their own mean is exactly 1."""
    cv = cv_step * _CV_STEP
    sigma = sqrt(log(1 + cv * cv))
    raw = [exp(sigma * _NORMAL.inv_cdf((k + 0.5) / points)) for k in range(points)]
    mean = sum(raw) / points
    return tuple(one / mean for one in raw)


def _step(cv: float) -> int:
    return max(1, min(_CV_STEPS, round(cv / _CV_STEP)))


@lru_cache(maxsize=2048)
def turns(
    replicas: int,
    mean: float,
    cv: float,
    overhead: float,
    absent: float,
    missed: float,
    stay_away: float,
) -> tuple[float, ...]:
    """Quantiles of one turn at a window: minutes until the window can call again, ascending.

    ``mean`` and ``cv`` of the visit; ``overhead`` is what calling costs besides; with probability ``absent``
    nobody comes to the window and the turn takes ``missed``; with probability ``stay_away`` there is
    no turn. Arguments come rounded where that does no harm, so that most calls are found in the cache.
    """
    nothing = round(replicas * stay_away)
    short = round((replicas - nothing) * absent)
    rest = replicas - nothing - short
    visits = [overhead + mean * one for one in _standard(_step(cv), rest)] if rest else []
    return tuple(sorted([0.0] * nothing + [missed] * short + visits))


def quick(mean: float, cv: float) -> tuple[float, float]:
    """P50 and P90 of something with that mean that has just begun."""
    sigma = sqrt(log(1 + cv * cv))
    middle = mean * exp(-sigma * sigma / 2)
    return middle, middle * exp(_Z90 * sigma)


def remaining(design: Design, mean: float, cv: float, gone: float) -> list[float]:
    """Quantiles of what is left of something that has run for ``gone`` minutes, ascending.

    Beyond the longest of the table the past is the only guide: what is left is taken as exponential
    with a third of the time already gone.
    """
    fine = _standard(_step(cv), FINE)
    start = bisect_left(fine, gone / mean) if mean > 0 else FINE
    left = FINE - start
    if left < TAIL:
        return [gone / 3 * one for one in design.exponential]
    return [mean * fine[start + int(u * left)] - gone for u in design.uniform]


FINEST, COARSE, COARSEST = Design(32), Design(16), Design(8)


def design_for(people: int) -> Design:
    """Fewer futures for more people: their sum varies less, and costs more."""
    if people <= 48:
        return FINEST
    return COARSE if people <= 128 else COARSEST
