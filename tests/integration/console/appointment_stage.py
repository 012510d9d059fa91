"""A city with one hall whose items can be booked, and citizens known to nobody but the test."""

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec
import sqlalchemy as sa
from city_hall import START, Log

from console.app.city import City, open_city
from console.core.permissions import SYSTEM, Subject
from console.core.uow import ReadUow, Uow
from console.halls.api import HALLS
from console.modules.appointments import models as m
from console.modules.appointments import repository_rules as rules_repo
from console.modules.appointments.api import APPOINTMENTS, Level, Visitor, Wanted
from console.modules.appointments.relay import Relay
from console.modules.appointments.reminders import Reminders
from console.modules.appointments.rules import CapacityBy, Rule, Target
from console.modules.appointments.service import AppointmentService
from console.modules.appointments.telling import WaitingTeller
from console.modules.notifications.api import NOTIFICATIONS
from qingting.contract import events as e
from qingting.contract.calendar import HallCalendar, Period, WeeklyHours
from qingting.contract.config import HallConfig, Item
from qingting.contract.examples import CONFIG, ITEM
from qingting.contract.ids import HallId, ItemId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.persons import seal_person

HALL = HallId("saertu")
ENTRY = ItemId("entry-permit")
"""A second item of the same queue."""
TODAY = date(2026, 11, 23)
"""A Monday, in the city's first minute of the test at nine o'clock."""
TOMORROW = TODAY + timedelta(days=1)
HOURS = HallCalendar(
    weekly=(WeeklyHours(weekdays=(1, 2, 3, 4, 5), periods=(Period(start="09:00", end="11:00"),)),)
)
ONE_PLACE = Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=1, reoffer_from=5, reoffer_to=5)


def booking_config() -> HallConfig:
    item = CONFIG.items[0]
    more = msgspec.structs.replace(
        item, id=ENTRY, name="往来港澳通行证签注", name_en="Exit endorsement"
    )
    items: tuple[Item, ...] = (item, more)
    return msgspec.structs.replace(CONFIG, calendar=HOURS, items=items)


@dataclass(frozen=True)
class One:
    id: str
    masked_name: str = "张*"
    masked_number: str = "230602********1238"


@dataclass
class Folk:
    """Citizens by number; anybody who is asked for exists."""

    city: City

    async def person(self, uow: ReadUow, id: str, hall: HallId) -> Person:  # noqa: A002
        sealer = self.city.context.hall_sealer(hall)
        kind = CertificateKind.RESIDENT_ID
        return seal_person(sealer, kind, f"张小{id[-1]}", "230602199001011238")

    async def check_stays(self, uow: ReadUow, id: str) -> None:  # noqa: A002
        """Nobody of the test asked to be erased."""

    async def hold_still(self, uow: Uow, id: str) -> None:  # noqa: A002
        """Nobody logs in."""

    async def in_clear(self, uow: ReadUow, ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        return {one: (f"张小{one[-1]}", "230602199001011238") for one in ids}

    async def find(self, uow: ReadUow, kind: CertificateKind, number: str) -> One | None:
        return One("known") if number == "230602199001011238" else None

    async def find_by_phone(self, uow: ReadUow, phone: str) -> list[One]:
        return [One("known"), One("child")] if phone == "13800000101" else []

    async def register(
        self, uow: Uow, subject: Subject, *, kind: CertificateKind, name: str, number: str, phone: str = ""
    ) -> One:  # fmt: skip
        return One(f"c-{number[-4:]}")


@dataclass
class Stage:
    city: City
    clock: ManualClock
    log: Log

    @property
    def api(self) -> AppointmentService:
        found = self.city.context.take(APPOINTMENTS)
        assert isinstance(found, AppointmentService)
        return found

    async def relayed(self) -> bool:
        """Whether all that waits was handed on; the worker's own relay may be at it."""
        relay = Relay(
            self.city.db, self.city.context.take(HALLS), self.city.context.take(NOTIFICATIONS)
        )
        await relay.send_some()
        async with self.city.db.read() as uow:
            return await uow.scalar(sa.select(sa.func.count()).select_from(m.outgoing)) == 0

    @property
    def reminders(self) -> Reminders:
        teller = WaitingTeller(self.clock, self.city.context.take(NOTIFICATIONS))
        return Reminders(self.city.db, self.clock, self.api._planner, teller)

    async def wait(self, ms: int) -> None:
        await self.clock.advance(ms / 1000)

    async def at(self, ms: int) -> int:
        await self.wait(ms - self.clock.now_ms())
        return ms

    async def rule(self, rule: Rule, target: Target = Target(hall=HALL)) -> None:  # noqa: B008
        async with self.city.db.write() as uow:
            seen = len(await rules_repo.versions(uow, target))
            assert await rules_repo.add_version(
                uow, target, seen, rule, at=self.clock.now_ms(), by="system", note=""
            )
        self.api._planner.forget()

    async def hears(self, *bodies: e.EventBody) -> None:
        """What happens in the hall reaches the city."""
        first = self.log.head + 1
        for body in bodies:
            self.log.add(body)
        await self.city.link.intake.apply(HALL, self.log.frame(first))
        await self.city.runner.catch_up_all()


def visitor(name: str, level: Level = Level.FACE) -> Visitor:
    return Visitor(citizen=name, level=level)


def wanted(start: str = "09:00", day: date = TOMORROW, items: Sequence[ItemId] = (ITEM,), party: int = 1) -> Wanted:  # fmt: skip
    return Wanted(hall=HALL, items=tuple(items), day=day, start=start, party=party)


@asynccontextmanager
async def booking_city(url: str) -> AsyncIterator[City]:
    """A worker of the city that knows the citizens."""
    async with open_city(url, clock=ManualClock(START)) as city:
        city.context.take(APPOINTMENTS).use_people(Folk(city))
        yield city


@asynccontextmanager
async def stage(url: str, rule: Rule = ONE_PLACE) -> AsyncIterator[Stage]:
    async with booking_city(url) as city:
        clock = city.context.clock
        assert isinstance(clock, ManualClock)
        log = Log(HALL)
        log.add(e.ConfigApplied(config=booking_config()))
        log.add(e.DayOpened(day=log.day))
        await city.enrol_hall(HALL, name="萨尔图", key="key-of-hall")
        await city.link.intake.greet(log.hello("key-of-hall"))
        await city.link.intake.apply(HALL, log.frame(1))
        await city.runner.catch_up_all()
        one = Stage(city, clock, log)
        await one.rule(rule)
        yield one


async def _stuck(url: str) -> None:
    """A worker that has taken the last place and never comes to its commit."""
    async with booking_city(url) as city, city.db.write() as uow:
        await city.context.take(APPOINTMENTS).book(uow, visitor("stuck"), wanted(), key="k")
        sys.stdout.write("inside\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_stuck(sys.argv[1]))

__all__ = ["SYSTEM", "Stage", "booking_city", "stage", "visitor", "wanted"]
