"""All that a hall learns for its forecasts, as one piece of plain data in its state."""

from copy import deepcopy

import msgspec

from hallserver.engine.forecast import arrivals as coming
from hallserver.engine.forecast import calibration as calibrating
from hallserver.engine.forecast import durations as learning
from hallserver.engine.forecast.arrivals import Arrivals
from hallserver.engine.forecast.calibration import Calibration
from hallserver.engine.forecast.durations import Durations, Mean
from qingting.contract.ids import QueueId

AVERAGE_WEIGHT = 8.0
"""Visits that the configured minutes of a queue are worth in its average."""


class Learned(msgspec.Struct, kw_only=True):
    """Durations, arrivals, the forecasts' own scores, and the plain average visit of each queue for the usual rule."""

    durations: Durations = msgspec.field(default_factory=Durations)
    arrivals: Arrivals = msgspec.field(default_factory=Arrivals)
    calibration: Calibration = msgspec.field(default_factory=Calibration)
    averages: dict[QueueId, Mean] = {}


def next_day(learned: Learned) -> Learned:
    """A copy for the next day: what was learned stays and is a little less certain."""
    fresh = deepcopy(learned)
    learning.night(fresh.durations)
    coming.night(fresh.arrivals)
    calibrating.night(fresh.calibration)
    return fresh
