"""What somebody asks for, looked up: items, what holds for them, the places they need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from console.core.days import day_of
from console.core.uow import ReadUow
from console.modules.appointments import repository_places as places_repo
from console.modules.appointments.api import FreeDay, Offer, Wanted
from console.modules.appointments.blank_days import BlankDay
from console.modules.appointments.offering import OfferedItem, Offering
from console.modules.appointments.places import Slot, Taken, dates, instant, slot_at
from console.modules.appointments.planner import DayPlan, Line, Planner, Said, plan_of, spot_of
from console.modules.appointments.repository import Names
from console.modules.appointments.repository_places import Spot
from console.modules.appointments.rules import Effective, Level, strictest
from qingting.contract.calendar import clock_minutes
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId
from qingting.kernel.aio.clock import Clock

MOST_DAYS = 62
MOST_ITEMS = 5


FURTHEST = timedelta(days=1100)
"""No calendar and no rule reaches further ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A wish that the rules allow. ``slot`` is the period of the first item, whose rules hold for the visit; every
    pool of places that the items need gives one place: ``spots`` with their period."""

    hall: HallId
    items: tuple[OfferedItem, ...]
    offering: Offering
    rule: Effective
    identity: Level
    day: date
    slot: Slot
    spots: tuple[tuple[Spot, Slot], ...]
    party: int

    @property
    def start_at(self) -> int:
        return instant(self.day, self.slot.start, self.offering.offset)

    @property
    def end_at(self) -> int:
        return instant(self.day, self.slot.end, self.offering.offset)

    @property
    def names(self) -> Names:
        hall, department = self.offering.hall, self.offering.department(self.items[0].department)
        return Names(
            hall=hall.name,
            hall_en=hall.name_en,
            address=hall.address,
            phone=hall.phone,
            item="、".join(one.name for one in self.items),
            item_en=", ".join(one.name_en for one in self.items),
            department=department.name,
            department_en=department.name_en,
        )


class Counter:
    """Looks at places; takes none."""

    def __init__(self, clock: Clock, planner: Planner) -> None:
        self._clock = clock
        self._planner = planner

    async def lines(
        self, uow: ReadUow, hall: str, items: Sequence[str], said: Said | None = None
    ) -> tuple[Offering, list[Line]]:
        """Raises ``appointments.no_item`` for none, too many, twice the same, or one the hall does not have."""
        if not 0 < len(items) <= MOST_ITEMS or len(set(items)) != len(items):
            raise Refusal("appointments.no_item")
        offering = await self._planner.offering(uow, hall)
        return offering, [(await self._planner.line(uow, hall, one, said))[1] for one in items]

    async def visit(self, uow: ReadUow, wanted: Wanted, *, by_staff: bool = False) -> Visit:
        """Raises what the rules say against a wish, whoever has it: ``appointments.no_item``,
        ``appointments.day_closed``, ``appointments.no_place``, ``appointments.party``, ``appointments.too_soon``.
        Staff book up to the start and beyond the horizon."""
        offering, lines = await self.lines(uow, wanted.hall, wanted.items)
        today = day_of(self._clock.now_ms(), offering.offset)
        if not today <= wanted.day <= today + FURTHEST:
            raise Refusal("appointments.day_closed")
        facts = await self._planner.days(uow, wanted.hall, offering, wanted.day, wanted.day)
        plans = [plan_of(one, facts[wanted.day], today, beyond=by_staff) for one in lines]
        if any(plan.why for plan in plans):
            raise Refusal("appointments.day_closed")
        visit = self._put_together(wanted, offering, lines, plans)
        lead = 0 if by_staff else visit.rule.lead_minutes
        if visit.start_at - self._clock.now_ms() < lead * 60_000 or visit.start_at < self._clock.now_ms():  # fmt: skip
            raise Refusal("appointments.too_soon", minutes=lead)
        most = min(visit.rule.party_most, *(one.party_max for one in visit.items))
        if not 1 <= wanted.party <= most:
            raise Refusal("appointments.party", most=most)
        return visit

    def _put_together(
        self, wanted: Wanted, offering: Offering, lines: Sequence[Line], plans: Sequence[DayPlan]
    ) -> Visit:
        try:
            minute = clock_minutes(wanted.start)
        except ValueError as error:
            raise Refusal("appointments.no_place") from error
        spots: dict[Spot, Slot] = {}
        for line, plan in zip(lines, plans, strict=True):
            slot = slot_at(plan.slots, minute)
            if slot is None:
                raise Refusal("appointments.no_place")
            spots[spot_of(wanted.hall, line, wanted.day, slot)] = slot
        first = slot_at(plans[0].slots, minute)
        if first is None or first.start != minute:
            raise Refusal("appointments.no_place")
        rules = [one.resolved.rule for one in lines]
        return Visit(
            hall=wanted.hall,
            items=tuple(one.item for one in lines),
            offering=offering,
            rule=rules[0],
            identity=strictest(rules),
            day=wanted.day,
            slot=first,
            spots=tuple(sorted(spots.items())),
            party=wanted.party,
        )

    async def free(
        self,
        uow: ReadUow,
        hall: HallId,
        items: Sequence[str],
        first: date,
        last: date,
        said: Said | None = None,
        *,
        beyond: bool = False,
    ) -> list[FreeDay]:
        """See :meth:`console.modules.appointments.api.AppointmentsApi.free`; by ``said`` instead of the rules that
        hold, to see what they would do. ``beyond``: also days further ahead than citizens may book, as staff may."""
        offering, lines = await self.lines(uow, hall, items, said)
        if not 0 <= (last - first).days < MOST_DAYS:
            raise Refusal("page.not_found")
        now = self._clock.now_ms()
        today = day_of(now, offering.offset)
        beyond = beyond and last <= today + FURTHEST

        async def lay_out() -> list[BlankDay]:
            facts = await self._planner.days(uow, hall, offering, first, last)
            return [
                BlankDay(
                    hall,
                    offering.offset,
                    lines,
                    [plan_of(one, facts[day], today, beyond=beyond) for one in lines],
                )
                for day in dates(first, last)
            ]

        # Items that share their places and their rules share their days too.
        key = ("blank", hall, tuple(one.grid_key for one in lines), first, last, today, beyond)
        days = await (lay_out() if said is not None else self._planner.once(uow, key, lay_out))
        taken = await places_repo.taken(uow, hall, {one.pool for one in lines}, first, last, now)
        by_day: dict[date, dict[Spot, Taken]] = {}
        for spot, one in taken.items():
            by_day.setdefault(spot.day, {})[spot] = one
        return [one.with_taken(by_day.get(one.day, {}), now) for one in days]

    async def offers(
        self, uow: ReadUow, *, hall: str = "", department: str = "", code: str = ""
    ) -> list[Offer]:
        """What can be booked, by hall and item."""
        offered = await self._planner.once(uow, "offers", lambda: self._offers(uow))
        return [
            one
            for one in (offered.get(hall, ()) if hall else chain(*offered.values()))
            if department in ("", one.department) and code in ("", one.code)
        ]

    async def _offers(self, uow: ReadUow) -> dict[str, list[Offer]]:
        found: dict[str, list[Offer]] = {}
        for hall, offering in await self._planner.offerings(uow):
            lines = [
                await self._planner.line_of(uow, hall, offering, one) for one in offering.items
            ]
            found[hall] = [_offer(hall, offering, one) for one in lines if not one.why]
        return found


def _offer(hall: str, offering: Offering, line: Line) -> Offer:
    item, department = line.item, offering.department(line.item.department)
    return Offer(
        hall=HallId(hall),
        hall_name=offering.hall.name,
        hall_name_en=offering.hall.name_en,
        item=ItemId(item.id),
        name=item.name,
        name_en=item.name_en,
        code=item.code,
        department=item.department,
        department_name=department.name,
        department_name_en=department.name_en,
        party_most=min(line.resolved.rule.party_most, item.party_max),
        identity=line.resolved.rule.identity,
    )
