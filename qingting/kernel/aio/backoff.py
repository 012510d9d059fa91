"""Waiting between attempts: doubling, capped, with jitter, forgotten after success."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Delays in seconds: ``first``, ``first·factor``, … up to ``cap``, each ± ``jitter`` (a share).

    >>> Backoff(first=1, factor=2, cap=8, jitter=0).next()
    1.0
    """

    first: float = 0.5
    factor: float = 2.0
    cap: float = 30.0
    jitter: float = 0.2
    attempts: int = field(default=0, init=False)

    def next(self) -> float:
        """The delay before the next attempt."""
        delay = min(self.cap, self.first * self.factor ** min(self.attempts, 32))
        self.attempts += 1
        return float(delay * (1 + self.jitter * (2 * random.random() - 1)))  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """Call after a success."""
        self.attempts = 0
