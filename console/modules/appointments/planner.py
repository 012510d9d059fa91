"""Which places there are: halls, rules and calendars put together, kept in memory while none of them changes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from console.core.divisions import division_chain
from console.core.signals import EVERYTHING
from console.core.uow import ReadUow
from console.halls.api import HallsApi
from console.modules.appointments import repository_rules as repo
from console.modules.appointments.offering import OfferedItem, Offering
from console.modules.appointments.places import DayFacts, Slot, closed_why, grid
from console.modules.appointments.repository_places import Spot
from console.modules.appointments.rules import (
    Resolved,
    Rule,
    Target,
    Where,
    pool_of,
    resolve,
)
from console.modules.calendar.api import CalendarApi, HallDay
from console.modules.catalogue.api import CatalogueApi
from qingting.contract.calendar import weekday_on
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock

T = TypeVar("T")
PLACES = "appointment_places"
"""Told when rules or what a hall offers have changed."""
HEARD = frozenset({"calendar", "catalogue", PLACES})
"""What makes places other ones. Where a hall stands changes too, unheard: the word for it, ``halls``, is said with every
event of any hall. So nothing is kept for longer than :data:`KEEP_MS`."""
KEEP_MS = 60_000
_MOST = 20_000
"""Entries of a memory before it begins anew: many times the items of all halls of a city."""
Said = Sequence[tuple[Target, Rule]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An item in a hall with what holds for it and whose places it uses. ``why`` is ``not_bookable`` or empty."""

    item: OfferedItem
    resolved: Resolved
    pool: str
    windows: int
    why: str

    @property
    def grid_key(self) -> tuple[object, ...]:
        """The same for items that have the same days, periods and places."""
        return self.pool, self.windows, self.why, self.item.weekdays, self.resolved.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """A date for an item: why there is nothing, or its periods. ``name`` is the holiday's."""

    day: date
    why: str
    slots: tuple[Slot, ...]
    name: str = ""
    name_en: str = ""


class Planner:
    """Asked with every booking: what rarely changes is read once. It hears of changes from all workers, and what was
    read as it stood before a change is not kept."""

    def __init__(
        self, clock: Clock, halls: HallsApi, calendar: CalendarApi, catalogue: CatalogueApi
    ) -> None:
        self._clock = clock
        self._since = clock.now_ms()
        self._halls = halls
        self._calendar = calendar
        self._catalogue = catalogue
        self._memory: dict[object, object] = {}
        self._reading: dict[object, asyncio.Lock] = {}
        self._changed = 0.0

    def heard(self, payload: str) -> None:
        """For what pages are told of too."""
        if payload == EVERYTHING or HEARD & set(payload.split()):
            self.forget()

    def forget(self) -> None:
        self._changed = time.monotonic()
        self._empty()

    def _empty(self) -> None:
        self._memory.clear()
        self._reading = {one: lock for one, lock in self._reading.items() if lock.locked()}

    async def once(self, uow: ReadUow, key: object, read: Callable[[], Awaitable[T]]) -> T:
        """What ``read`` gives by ``uow``, read by one of those who want it and kept while nothing changes that it
        depends on."""
        now = self._clock.now_ms()
        if not self._since <= now < self._since + KEEP_MS:
            self._since = now
            self.forget()
        if key not in self._memory:
            async with self._reading.setdefault(key, asyncio.Lock()):
                if key not in self._memory:
                    return await self._read(uow, key, read)
        known: T = self._memory[key]  # type: ignore[assignment]
        return known

    async def _read(self, uow: ReadUow, key: object, read: Callable[[], Awaitable[T]]) -> T:
        found = await read()
        # A snapshot that began before the change was heard of may not show it, however late it is read.
        if uow.opened > self._changed:
            if len(self._memory) >= _MOST:
                self._empty()
            self._memory[key] = found
        return found

    async def offering(self, uow: ReadUow, hall: str) -> Offering:
        """Raises ``hall.unknown`` for a hall that has not told its configuration."""
        found = await self.once(uow, ("hall", hall), lambda: repo.offering(uow, hall))
        if found is None:
            raise Refusal("hall.unknown")
        return found

    async def offerings(self, uow: ReadUow) -> Sequence[tuple[str, Offering]]:
        """All halls that have told what they offer."""
        return await self.once(uow, "halls", lambda: repo.offerings(uow))

    async def said(self, uow: ReadUow) -> Said:
        """All rules that hold."""

        async def read() -> Said:
            return [(one.target, one.rule) for one in await repo.rules(uow)]

        return await self.once(uow, "rules", read)

    async def flags(self, uow: ReadUow) -> Mapping[str, bool]:
        """Items of the catalogue in force, and whether they can be booked."""
        return await self.once(uow, "flags", lambda: self._catalogue.bookable(uow))

    async def division(self, uow: ReadUow, hall: str) -> str:
        """Where the hall stands."""
        placed = await self.once(uow, "placed", lambda: self._halls.placed(uow))
        return placed.get(HallId(hall), ("", ""))[0]

    async def divisions(self, uow: ReadUow, hall: str) -> tuple[str, ...]:
        """A hall's division and all it is within."""
        return division_chain(await self.division(uow, hall))

    def chain(self, division: str) -> tuple[str, ...]:
        """A division and all it is within."""
        return division_chain(division)

    async def where(self, uow: ReadUow, hall: str, item: OfferedItem) -> Where:
        return Where(
            divisions=await self.divisions(uow, hall),
            department=item.department,
            hall=hall,
            item=item.id,
            code=item.code,
        )

    async def line(
        self, uow: ReadUow, hall: str, item: str, said: Said | None = None
    ) -> tuple[Offering, Line]:
        """An item with what holds for it, by ``said`` or by the rules that hold. Raises ``appointments.no_item``,
        ``hall.unknown``."""
        offering = await self.offering(uow, hall)
        found = offering.item(item)
        if found is None:
            raise Refusal("appointments.no_item")
        return offering, await self.line_of(uow, hall, offering, found, said)

    async def line_of(
        self,
        uow: ReadUow,
        hall: str,
        offering: Offering,
        item: OfferedItem,
        said: Said | None = None,
    ) -> Line:
        if said is None:
            key = ("line", hall, item.id)
            return await self.once(uow, key, lambda: self._line(uow, hall, offering, item, None))
        return await self._line(uow, hall, offering, item, said)

    async def _line(
        self, uow: ReadUow, hall: str, offering: Offering, item: OfferedItem, said: Said | None
    ) -> Line:
        rules = await self.said(uow) if said is None else said
        resolved = resolve(rules, await self.where(uow, hall, item))
        flag = (await self.flags(uow)).get(item.code) if item.code else None
        taken = resolved.rule.open
        closed = taken is False or flag is False or (taken is None and flag is None)
        return Line(
            item=item,
            resolved=resolved,
            pool=pool_of(resolved, queue=item.queue, department=item.department, item=item.id),
            windows=offering.windows.get(item.queue, 0),
            why="not_bookable" if closed else "",
        )

    async def days(
        self, uow: ReadUow, hall: str, offering: Offering, first: date, last: date
    ) -> dict[date, DayFacts]:
        """What each date is at the hall."""
        key = ("days", hall, first, last)
        return await self.once(uow, key, lambda: self._days(uow, hall, offering, first, last))

    async def _days(
        self, uow: ReadUow, hall: str, offering: Offering, first: date, last: date
    ) -> dict[date, DayFacts]:
        found = await self._calendar.hall_days(uow, HallId(hall), first, last)
        work = await self._calendar.working_days(uow, await self.division(uow, hall))
        return {
            day: DayFacts(
                day=day,
                hours=one.periods,
                special=one.special.kind if one.special is not None else None,
                workday=work.is_workday(day),
                weekday=weekday_on(offering.calendar, day),
                name=_name(one),
                name_en=_name(one, english=True),
            )
            for day, one in found.items()
        }


def plan_of(line: Line, facts: DayFacts, today: date, *, beyond: bool = False) -> DayPlan:
    """The periods of a date for an item, or why it has none. ``beyond``: also further ahead than citizens may book."""
    rule = line.resolved.rule
    why = line.why or closed_why(facts, rule, facts.day if beyond and facts.day > today else today)
    if not why and facts.weekday not in line.item.weekdays:
        why = "weekday"
    if why:
        return DayPlan(day=facts.day, why=why, slots=(), name=facts.name, name_en=facts.name_en)
    return DayPlan(day=facts.day, why="", slots=grid(rule, facts.hours, line.windows))


def spot_of(hall: str, line: Line, day: date, slot: Slot) -> Spot:
    return Spot(hall, line.pool, day, slot.start)


def _name(one: HallDay, *, english: bool = False) -> str:
    if one.special is None:
        return ""
    return one.special.name_en or one.special.name if english else one.special.name
