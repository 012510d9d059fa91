"""The pressure value of queues (压力值), a number from 0 to 100: pure arithmetic over counts.

Load, expected wait, seats and missed calls weigh 40, 30, 20 and 10. The wait is that of an M/M/c queue
(Erlang C), or what already stands there when that is longer; beyond full load it is what the horizon
piles up. A hall that does not know its seats spreads their points over the other terms.
"""

import math
from dataclasses import dataclass

ARRIVAL_MINUTES = 30
"""Arrivals are counted over so many minutes, and overload is looked ahead as far."""
TARGET_MINUTES = 15.0
"""The wait that a hall aims at."""
AMBER, RED = 50.0, 75.0
MOST_WINDOWS = 200
_WEIGHTS = {"load": 40.0, "wait": 30.0, "seats": 20.0, "missed": 10.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What bears on some queues now. ``service_minutes`` is the mean; ``seats`` None: not known;
    ``missed`` of ``called`` visitors did not come."""

    arrivals_per_minute: float
    service_minutes: float
    windows: int
    waiting: int
    missed: int = 0
    called: int = 0
    seats: int | None = None
    target_minutes: float = TARGET_MINUTES

    @property
    def offered(self) -> float:
        """Windows that the arrivals keep busy (Erlang)."""
        return self.arrivals_per_minute * self.service_minutes

    @property
    def load(self) -> float:
        """ρ; infinite when somebody comes and nobody serves."""
        if self.windows == 0:
            return math.inf if self.offered or self.waiting else 0.0
        return self.offered / self.windows


def probability_of_waiting(windows: int, offered: float) -> float:
    """Erlang C: how likely an arrival finds all windows busy; 1 from full load on."""
    if windows <= 0 or offered >= windows:
        return 1.0
    blocked = 1.0
    for busy in range(1, windows + 1):
        blocked = offered * blocked / (busy + offered * blocked)
    return blocked / (1 - offered / windows * (1 - blocked))


def steady_wait(load: Load, windows: int) -> float:
    """Mean wait in minutes once things have settled; infinite from full load on."""
    if load.offered >= windows:
        return math.inf if load.offered else 0.0
    if not load.offered:
        return 0.0
    free = windows / load.service_minutes - load.arrivals_per_minute
    return probability_of_waiting(windows, load.offered) / free


def expected_minutes(load: Load) -> float:
    """The wait of who comes now, in minutes; infinite when nobody serves whoever is there."""
    if load.windows == 0:
        return math.inf if load.offered or load.waiting else 0.0
    standing = load.waiting * load.service_minutes / load.windows
    if load.load < 1:
        return max(steady_wait(load, load.windows), standing)
    surplus = load.arrivals_per_minute - load.windows / load.service_minutes
    return standing + surplus * ARRIVAL_MINUTES * load.service_minutes / (2 * load.windows)


def windows_needed(load: Load) -> int:
    """The fewest windows that keep the settled wait within the target; 0 when nobody comes."""
    if not load.offered:
        return 0
    first = math.floor(load.offered) + 1
    for windows in range(first, first + MOST_WINDOWS):
        if steady_wait(load, windows) <= load.target_minutes:
            return windows
    return first + MOST_WINDOWS


def terms(load: Load) -> dict[str, tuple[float, float]]:
    """Each term's points and its most; together the pressure value."""
    shares = {
        "load": min(load.load, 1.5) / 1.5,
        "wait": min(expected_minutes(load) / load.target_minutes, 2.0) / 2.0,
        "missed": min(load.missed / max(load.called, 1), 1.0),
    }
    if load.seats:
        shares["seats"] = min(load.waiting / load.seats, 1.0)
    known = sum(_WEIGHTS[name] for name in shares)
    return {
        name: (100 * _WEIGHTS[name] / known * share, 100 * _WEIGHTS[name] / known)
        for name, share in shares.items()
    }


def pressure(load: Load) -> float:
    """The pressure value, 0 to 100."""
    return min(100.0, sum(points for points, _ in terms(load).values()))
