"""Days as they are before anybody has taken a place: laid out once, and for each who asks only what differs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.modules.appointments.api import FreeDay, FreePlace
from console.modules.appointments.places import (
    MINUTE_MS,
    Slot,
    Taken,
    clock,
    free_of,
    instant,
    slot_at,
    slot_why,
)
from console.modules.appointments.planner import DayPlan, Line, spot_of
from console.modules.appointments.repository_places import Spot

NOTHING: Mapping[Spot, Taken] = {}


class BlankDay:
    """A date for some items of a hall. ``lines`` and ``plans`` belong together, one of each for an item; the periods
    are those of the first."""

    def __init__(
        self, hall: str, offset: int, lines: Sequence[Line], plans: Sequence[DayPlan]
    ) -> None:
        self.day = plans[0].day
        self._hall = hall
        self._lines = tuple(zip(lines, plans, strict=True))
        self._slots = plans[0].slots
        self._lead = max(one.resolved.rule.lead_minutes for one in lines) * MINUTE_MS
        self._starts = [instant(self.day, one.start, offset) for one in self._slots]
        closed = next((one for one in plans if one.why), None)
        if closed is not None:
            self._slots, self._starts = (), []
            self._blank = FreeDay(
                day=self.day, why=closed.why, name=closed.name, name_en=closed.name_en
            )
        else:
            places = [self._place(place, NOTHING, 0) for place in range(len(self._slots))]
            self._blank = FreeDay(day=self.day, places=tuple(places))
        self._spots = [self._spots_of(one) for one in self._slots]

    def with_taken(self, taken: Mapping[Spot, Taken], now: int) -> FreeDay:
        """The day as it is now, with what is ``taken`` of it."""
        if not taken and (not self._starts or self._starts[0] - now >= self._lead):
            return self._blank
        changed = {
            place: self._place(place, taken, now)
            for place, spots in enumerate(self._spots)
            if self._starts[place] - now < self._lead or not taken.keys().isdisjoint(spots)
        }
        places = [changed.get(place, blank) for place, blank in enumerate(self._blank.places)]
        return replace(self._blank, places=tuple(places))

    def _spots_of(self, slot: Slot) -> tuple[Spot, ...]:
        found = [(line, plan, slot_at(plan.slots, slot.start)) for line, plan in self._lines]
        return tuple(
            spot_of(self._hall, line, plan.day, mine) for line, plan, mine in found if mine
        )

    def _place(self, place: int, taken: Mapping[Spot, Taken], now: int) -> FreePlace:
        """Of several items the one that has least decides."""
        slot, found = self._slots[place], list[FreePlace]()
        times = clock(slot.start), clock(slot.end)
        for line, plan in self._lines:
            mine = slot_at(plan.slots, slot.start)
            if mine is None:
                found.append(FreePlace(start=times[0], end=times[1], free=0, why="no_window"))
                continue
            held = taken.get(spot_of(self._hall, line, plan.day, mine), Taken())
            why = slot_why(mine, held, self._starts[place], now, line.resolved.rule)
            found.append(
                FreePlace(
                    start=times[0],
                    end=times[1],
                    free=0 if why else free_of(mine, held),
                    why=why,
                    total=mine.total,
                    taken=held.all,
                )
            )
        return min(found, key=lambda one: one.free)
