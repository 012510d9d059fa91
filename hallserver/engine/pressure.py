"""The pressure value of queues (压力值), a number from 0 to 100: pure arithmetic over counts.

Load, expected wait, seats and missed calls weigh 40, 30, 20 and 10. The wait is that of an M/M/c queue
(Erlang C) as far as a queue can grow within the horizon, or what already stands there and what overload
piles up when that is longer. So the value has no jump at full load, where the settled wait has no bound.
Where nobody serves, half a window is reckoned with: each visitor then weighs twice as much as at one window.
A hall that does not know its seats spreads their points over the other terms.
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
    """What bears on some queues now. ``service_minutes`` is the mean; ``seats`` of the hall, 0 or None: not
    known; ``crowd`` waits in the whole hall; ``missed`` of ``called`` visitors did not come."""

    arrivals_per_minute: float
    service_minutes: float
    windows: int
    waiting: int
    missed: int = 0
    called: int = 0
    seats: int | None = None
    crowd: int = 0
    target_minutes: float = TARGET_MINUTES

    @property
    def offered(self) -> float:
        """Windows that the arrivals keep busy (Erlang)."""
        return self.arrivals_per_minute * self.service_minutes

    @property
    def load(self) -> float:
        """ρ."""
        return self.offered / self.serving

    @property
    def serving(self) -> float:
        """Open windows; half a one where none is."""
        return self.windows or 0.5


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


def built_up_wait(load: Load) -> float:
    """Mean wait in minutes after a horizon at full load that began empty: the queue of a reflected
    Brownian motion with the variance of Poisson arrivals and exponential services."""
    queue = math.sqrt(4 * load.arrivals_per_minute * ARRIVAL_MINUTES / math.pi)
    return queue * load.service_minutes / load.serving


def expected_minutes(load: Load) -> float:
    """The wait of who comes now, in minutes."""
    settled = min(steady_wait(load, load.windows), built_up_wait(load))
    standing = load.waiting * load.service_minutes / load.serving
    surplus = max(0.0, load.arrivals_per_minute - load.serving / load.service_minutes)
    piled = surplus * ARRIVAL_MINUTES * load.service_minutes / (2 * load.serving)
    return max(settled, standing + piled)


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
        shares["seats"] = min(max(load.waiting, load.crowd) / load.seats, 1.0)
    known = sum(_WEIGHTS[name] for name in shares)
    return {
        name: (100 * _WEIGHTS[name] / known * share, 100 * _WEIGHTS[name] / known)
        for name, share in shares.items()
    }


def pressure(load: Load) -> float:
    """The pressure value, 0 to 100."""
    return min(100.0, sum(points for points, _ in terms(load).values()))
