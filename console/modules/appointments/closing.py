"""A hall closes, or opens at other times: what no longer fits, and moving or cancelling a whole day."""

from collections import Counter as Counted
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from console.core.days import day_of
from console.core.db import Database
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow
from console.modules.appointments.api import Appointment, FreeDay, Life, Wanted
from console.modules.appointments.desk import StaffDesk
from console.modules.appointments.places import Slot, clock, nearest, slot_at
from console.modules.appointments.planner import DayPlan, Planner, plan_of
from console.modules.appointments.repository import Wish
from console.modules.appointments.visits import MOST_DAYS, Counter
from qingting.contract.calendar import clock_minutes
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId

Step = Callable[[int, int], Awaitable[None]]
"""Hears how many of how many are done; may stop the work by raising."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A booking that the rules and hours of now would not give; ``why`` as in :class:`FreeDay`, or ``no_time``,
    ``no_item``."""

    appointment: Appointment
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Where a booking would go. ``start`` empty: there is no place for it, for the reason ``why``."""

    appointment: Appointment
    start: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of each booking; ``code`` is the refusal of one that could not be changed, else empty."""

    appointment: Appointment
    code: str


class Closing:
    """Use cases around whole days. Each booking is moved in a transaction of its own: one that cannot be moved stays
    and is named, whatever becomes of the others."""

    def __init__(self, db: Database, planner: Planner, counter: Counter, desk: StaffDesk) -> None:
        self._db = db
        self._planner = planner
        self._counter = counter
        self._desk = desk

    async def misfits(
        self, uow: ReadUow, subject: Subject, hall: HallId, *, limit: int = 50, offset: int = 0
    ) -> tuple[int, list[Misfit]]:
        """How many bookings still to come at a hall no longer fit its hours, calendar or rules, and a page of them."""
        subject.require(Permission.APPOINTMENTS, hall=hall)
        offering = await self._planner.offering(uow, hall)
        today = day_of(self._desk.now(), offering.offset)
        wish = Wish(hall=hall, first=today, state=Life.BOOKED)
        slots = await self._desk.taken_slots(uow, subject, wish)
        if not slots:
            return 0, []
        last = min(max(one.day for one in slots), today + timedelta(days=400))
        facts = await self._planner.days(uow, hall, offering, today, last)
        plans: dict[tuple[ItemId, date], DayPlan | None] = {}
        whys: dict[tuple[ItemId, date, str], str] = {}
        bad = []
        for one in slots:
            if (one.item, one.day) not in plans:
                item = offering.item(one.item)
                line = await self._planner.line_of(uow, hall, offering, item) if item else None
                plan = plan_of(line, facts[min(one.day, last)], today) if line else None
                plans[one.item, one.day] = plan
            if why := _unfit(plans[one.item, one.day], one.start):
                bad.append(one)
                whys[one.item, one.day, clock(one.start)] = why
        page = await self._desk.in_slots(uow, subject, wish, bad, limit=limit, offset=offset)
        found = [
            Misfit(appointment=one, why=whys[one.items[0], one.day, one.start]) for one in page
        ]
        return sum(one.bookings for one in bad), found

    async def proposals(
        self, uow: ReadUow, subject: Subject, hall: HallId, day: date, to: HallId, to_day: date
    ) -> list[Proposal]:
        """Where all that is booked on a day would go: the same time where there is a place, else the nearest one.
        Nothing is kept; who books in the meantime may be there first."""
        subject.require(Permission.APPOINTMENTS_HANDLE, hall=hall)
        subject.require(Permission.APPOINTMENTS_HANDLE, hall=to)
        booked = await self._desk.of_day(uow, subject, hall, day, Life.BOOKED)
        spent: Counted[tuple[str, int]] = Counted()
        days: dict[tuple[str, ...], _Offered | str] = {}
        found = []
        for one in booked:
            if one.items not in days:
                days[one.items] = await self._offered(uow, to, one.items, to_day)
            offered = days[one.items]
            found.append(
                Proposal(appointment=one, why=offered)
                if isinstance(offered, str)
                else _propose(one, offered, spent)
            )
        return found

    async def _offered(
        self, uow: ReadUow, to: HallId, items: tuple[ItemId, ...], day: date
    ) -> "_Offered | str":
        """The free times of a day, or the code with which there are none."""
        try:
            (free,) = await self._counter.free(uow, to, items, day, day, beyond=True)
            offering, lines = await self._counter.lines(uow, to, items)
        except Refusal as refusal:
            return refusal.code
        facts = await self._planner.days(uow, to, offering, day, day)
        today = day_of(self._desk.now(), offering.offset)
        plans = {one.pool: plan_of(one, facts[day], today, beyond=True) for one in lines}
        return _Offered(free, {pool: plan.slots for pool, plan in plans.items()})

    async def move(
        self,
        subject: Subject,
        proposals: Sequence[Proposal],
        to: HallId,
        to_day: date,
        step: Step | None = None,
    ) -> list[Outcome]:
        """Moves what has a place proposed; each citizen is told. ``step`` hears before each how many are done."""
        done: list[Outcome] = []
        for one in proposals:
            if step is not None:
                await step(len(done), len(proposals))
            if not one.start:
                done.append(Outcome(appointment=one.appointment, code=one.why or "full"))
                continue
            booked = one.appointment
            wanted = Wanted(
                hall=to, items=booked.items, day=to_day, start=one.start, party=booked.party
            )
            done.append(await self._one(subject, booked, wanted))
        return done

    async def _one(self, subject: Subject, booked: Appointment, wanted: Wanted) -> Outcome:
        try:
            async with self._db.write() as uow:
                moved = await self._desk.move(uow, subject, booked.id, wanted)
        except Refusal as refusal:
            if refusal.code == "city.unavailable":
                raise
            return Outcome(appointment=booked, code=refusal.code)
        return Outcome(appointment=moved, code="")

    async def cancel_all(
        self,
        subject: Subject,
        booked: Sequence[Appointment],
        words: str,
        step: Step | None = None,
    ) -> list[Outcome]:
        """Cancels what is booked because the hall is closed; each citizen is told. ``step`` as in :meth:`move`."""
        done: list[Outcome] = []
        for one in booked:
            if step is not None:
                await step(len(done), len(booked))
            try:
                async with self._db.write() as uow:
                    gone = await self._desk.cancel(
                        uow, subject, one.id, reason="hall_closed", words=words
                    )
                done.append(Outcome(appointment=gone, code=""))
            except Refusal as refusal:
                if refusal.code == "city.unavailable":
                    raise
                done.append(Outcome(appointment=one, code=refusal.code))
        return done


def _unfit(plan: DayPlan | None, start: int) -> str:
    """Why a booking does not fit a day's plan (None: the item is offered no more); empty for one that does."""
    if plan is None:
        return "no_item"
    slot = slot_at(plan.slots, start)
    fits = slot is not None and slot.start == start
    if plan.why not in ("", "too_far"):
        return plan.why
    return "no_time" if not plan.why and not fits else ""


@dataclass(frozen=True, slots=True)
class _Offered:
    """A day for some items: its free times, and the periods of each pool of places that they take one of."""

    free: FreeDay
    periods: Mapping[str, Sequence[Slot]]

    def takes(self, minute: int) -> list[tuple[str, int]]:
        """Pool and start of the places that a visit at that time needs."""
        found = [(pool, slot_at(slots, minute)) for pool, slots in self.periods.items()]
        return [(pool, slot.start) for pool, slot in found if slot is not None]


def _propose(one: Appointment, offered: _Offered, spent: Counted[tuple[str, int]]) -> Proposal:
    """The best time of a day for a booking; ``spent`` counts what was proposed to others already, also for other items
    of the same places."""
    if offered.free.why:
        return Proposal(appointment=one, why=offered.free.why)
    left = {clock_minutes(place.start): place for place in offered.free.places if place.free}
    for minute in nearest(clock_minutes(one.start), left):
        takes = offered.takes(minute)
        if all(spent[place] < left[minute].free for place in takes):
            spent.update(takes)
            return Proposal(appointment=one, start=left[minute].start)
    return Proposal(appointment=one, why="full")


__all__ = ["MOST_DAYS", "Closing", "Misfit", "Outcome", "Proposal"]
