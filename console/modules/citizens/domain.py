"""What citizens are told about halls: whether one is open, how far it is. Pure rules."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.halls.api import Spot
from qingting.contract.calendar import Period

EARTH_KM = 6371.0


class Door(StrEnum):
    """What the door of a hall is like at a moment."""

    OPEN = "open"
    BREAK = "break"
    LATER = "later"
    OVER = "over"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Opening:
    """``at`` is the time of day of the next change: an open door closes then, during a break or before the first hour
    it opens then. Empty where nothing more happens on the day."""

    door: Door
    at: str = ""


def opening(periods: Sequence[Period] | None, clock: str) -> Opening:
    """What a day's hours mean at ``clock`` (``HH:MM``). ``periods`` None: the hall has set none."""
    if periods is None:
        return Opening(Door.UNKNOWN)
    if not periods:
        return Opening(Door.CLOSED)
    for place, one in enumerate(sorted(periods, key=lambda one: one.start)):
        if clock < one.start:
            return Opening(Door.BREAK if place else Door.LATER, one.start)
        if clock < one.end:
            return Opening(Door.OPEN, one.end)
    return Opening(Door.OVER)


def kilometres(one: Spot, other: Spot) -> float:
    """The straight line over the ground between two places (haversine)."""
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def inside(path: str, start: str) -> str:
    """``path`` where it is an address of this server that is ``start`` or below it, else ``start``. What a browser
    would read as another server (``//elsewhere``, ``/\\elsewhere``), what climbs out (``..``) and what has control
    characters is none."""
    plain = path.partition("?")[0]
    below = plain == start or plain.startswith(f"{start}/")
    odd = "\\" in path or "//" in path or ".." in plain or not path.isprintable()
    return path if below and not odd else start
