"""Appointments for citizens; implements :class:`console.modules.appointments.api.AppointmentsApi`."""

from collections.abc import Sequence
from datetime import date

from console.core.days import day_of
from console.core.uow import ReadUow, Uow
from console.modules.appointments import repository as repo
from console.modules.appointments import repository_places as places
from console.modules.appointments import repository_standing as standing_repo
from console.modules.appointments.api import (
    Appointment,
    CitizenStanding,
    FreeDay,
    Life,
    Offer,
    People,
    Visitor,
    Wanted,
)
from console.modules.appointments.booker import Booker
from console.modules.appointments.domain import Asker, check_reason
from console.modules.appointments.places import instant
from console.modules.appointments.planner import Planner
from console.modules.appointments.rules import Effective
from console.modules.appointments.visits import Counter
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId
from qingting.kernel.aio.clock import Clock


class Door:
    """Where the module of citizens is let in: it is put together after this one."""

    def __init__(self) -> None:
        self._people: People | None = None

    def open(self, people: People) -> None:
        self._people = people

    def people(self) -> People:
        """Raises ``appointments.no_people`` when nobody knows the citizens."""
        if self._people is None:
            raise Refusal("appointments.no_people")
        return self._people

    async def hold_still(self, uow: Uow, citizen: str) -> None:
        """In the order of whoever registers somebody and then books for them, so that nobody waits in a circle."""
        await self.people().hold_still(uow, citizen)
        await places.lock(uow, citizen)


class AppointmentService:
    """See :class:`console.modules.appointments.api.AppointmentsApi`."""

    def __init__(
        self,
        clock: Clock,
        planner: Planner,
        counter: Counter,
        booker: Booker,
        door: Door,
        offset: int,
    ) -> None:
        self._clock = clock
        self._planner = planner
        self._counter = counter
        self._booker = booker
        self._door = door
        self._offset = offset

    def use_people(self, people: People) -> None:
        self._door.open(people)

    async def offers(
        self, uow: ReadUow, *, hall: str = "", department: str = "", code: str = ""
    ) -> Sequence[Offer]:
        return await self._counter.offers(uow, hall=hall, department=department, code=code)

    async def rules(self, uow: ReadUow, hall: HallId, item: ItemId) -> Effective:
        _, line = await self._planner.line(uow, hall, item)
        return line.resolved.rule

    async def free(
        self, uow: ReadUow, hall: HallId, items: tuple[ItemId, ...], first: date, last: date
    ) -> Sequence[FreeDay]:
        return await self._counter.free(uow, hall, items, first, last)

    async def hold(self, uow: Uow, who: Visitor, wanted: Wanted, *, key: str) -> Appointment:
        return await self._booker.make(uow, Asker.of(who), wanted, key=key, held=True)

    async def confirm(self, uow: Uow, who: Visitor, hold: str, *, key: str) -> Appointment:
        return await self._booker.confirm(uow, Asker.of(who), hold, key=key)

    async def extend(self, uow: Uow, who: Visitor, hold: str) -> Appointment:
        return await self._booker.extend(uow, Asker.of(who), hold)

    async def release(self, uow: Uow, who: Visitor, hold: str) -> None:
        await self._booker.release(uow, Asker.of(who), hold)

    async def book(self, uow: Uow, who: Visitor, wanted: Wanted, *, key: str) -> Appointment:
        return await self._booker.make(uow, Asker.of(who), wanted, key=key, held=False)

    async def change(
        self, uow: Uow, who: Visitor, appointment: str, wanted: Wanted, *, key: str
    ) -> Appointment:
        return await self._booker.change(uow, Asker.of(who), appointment, wanted, key=key)

    async def cancel(
        self, uow: Uow, who: Visitor, appointment: str, *, reason: str, words: str = "", key: str
    ) -> Appointment:
        check_reason(reason, words.strip())
        return await self._booker.cancel(
            uow, Asker.of(who), appointment, reason=reason, words=words.strip(), key=key
        )

    async def bookings_of(self, uow: ReadUow, citizen: str) -> Sequence[Appointment]:
        now = self._clock.now_ms()
        rows = await repo.of_citizen(uow, citizen)
        found = [repo.appointment_of(row, now) for row in rows]
        return [one for one in found if one.state is not Life.LAPSED and one.reason != "released"]

    async def expected(self, uow: ReadUow, citizen: str) -> tuple[int, int]:
        return await repo.expected_of(uow, citizen, self._clock.now_ms())

    async def hold_still(self, uow: Uow, citizen: str) -> None:
        await self._door.hold_still(uow, citizen)

    async def booking(self, uow: ReadUow, appointment: str, citizen: str) -> Appointment:
        row = await repo.row_of(uow, appointment)
        if row is None or row["citizen"] != citizen:
            raise Refusal("appointments.unknown")
        return repo.appointment_of(row, self._clock.now_ms())

    async def standing(self, uow: ReadUow, citizen: str) -> CitizenStanding:
        now = self._clock.now_ms()
        today = day_of(now, self._offset)
        record = await repo.record(
            uow, citizen, day=today, items=(), now=now, midnight=instant(today, 0, self._offset)
        )
        listed = record.listed
        return CitizenStanding(
            banned_until=record.banned_until,
            listed=listed.kind if listed is not None else "",
            listed_reason=listed.reason if listed is not None else "",
            listed_until=listed.until if listed is not None else 0,
            missed=await standing_repo.breaches_that_count(uow, citizen),
            cancelled_today=record.cancelled_today,
        )

    async def account_ends(self, uow: Uow, citizen: str, index: str) -> None:
        await standing_repo.leave(uow, citizen, index, self._clock.now_ms())

    async def account_begins(self, uow: Uow, citizen: str, index: str) -> None:
        await standing_repo.take_up(uow, citizen, index, self._clock.now_ms())
