"""A real hall and a real city: PostgreSQL, SQLite, a socket between them, and nothing played."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from city_line import HALL, OWN, Line, linked, settled
from engine_builders import CARE, KIOSK, LI, RENEW, W1, W3, small_hall
from patience import until

from console.app.city import City, open_city
from console.core.audit import read_audit
from console.core.permissions import EVERYWHERE, SYSTEM, Permission, Subject
from console.core.uow import ReadUow, Uow
from console.halls import models as m
from console.halls.api import HALLS
from console.modules.appointments.api import APPOINTMENTS, Level, Visitor, Wanted
from console.modules.appointments.repository_rules import add_version
from console.modules.appointments.rules import Rule, Target
from console.modules.privacy.api import PRIVACY, Requester, RequestKind
from console.modules.privacy.service import PrivacyService
from console.modules.statistics.api import STATISTICS
from hallserver.engine.days import business_day
from hallserver.hall import Hall, open_hall
from hallserver.hub.claims import bookings_of
from hallserver.hub.identity import IdentityDesk
from hallserver.link.uplink import LinkState
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.bookings import Booking
from qingting.contract.directives import DropBooking, ForgetPerson, PutBooking, PutNotice
from qingting.contract.hub import CardRead
from qingting.contract.ids import BookingId, DeviceId, HallId
from qingting.contract.link import read_directive
from qingting.contract.people import NOBODY, Person
from qingting.contract.states import CertificateKind, RatingLevel
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.persons import open_person, seal_person

pytestmark = pytest.mark.postgres
NINE_ON_MONDAY = 1_795_395_600_000
"""2026-11-23 09:00 in China."""
CARD = CardRead(
    device=DeviceId("reader"),
    kind=CertificateKind.RESIDENT_ID,
    name="张小三",
    number="230602199001011238",
    birth="19900101",
    valid_from="20200101",
    valid_to="长期",
)


async def held_by(city: City) -> list[str]:
    async with city.db.read() as uow:
        rows = await uow.all(sa.select(m.event.c.raw).order_by(m.event.c.seq))
    return [bytes(row["raw"]).decode() for row in rows]


async def log_of(hall: Hall) -> list[str]:
    return [one.json.decode() for one in await hall.store.events(0, 100_000)]


async def serve_citizens(hall: Hall, first: int, last: int) -> None:
    """Whole lives of tickets: taken, called, served, rated."""
    await hall.submit(c.OpenWindow(window=W1, staff=LI), key=f"open:{first:08d}", actor="staff:li")
    for number in range(first, last):
        commands: tuple[c.Command, ...] = (
            c.IssueTicket(item=CARE, token=f"token-{number}", device=KIOSK),
            c.CallNext(window=W1),
            c.BeginService(window=W1),
            c.FinishService(window=W1),
        )
        for step, command in enumerate(commands):
            await hall.submit(command, key=f"life:{number:06d}-{step}", actor="test:1")
        ticket = hall.state.windows[W1].to_rate
        assert ticket is not None
        rating = c.RateVisit(ticket=ticket, level=RatingLevel.SATISFIED)
        await hall.submit(rating, key=f"life:{number:06d}-rate", actor="test:1")


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url) as city:
        yield city


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    path = tmp_path / "hall.sqlite"
    async with open_hall(path, clock=SystemClock(), config=small_hall()) as hall:
        yield hall


async def test_a_city_that_was_away_catches_up_without_loss_or_duplicate(
    hall: Hall, city: City
) -> None:
    key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
    line = Line(city)
    await line.plug()
    async with linked(hall, line.url, key) as link:
        await until(lambda: settled(link))
        await serve_citizens(hall, 0, 20)
        await line.pull()
        await serve_citizens(hall, 20, 220)
        assert link.lag >= 1000
        await line.plug()
        await until(lambda: settled(link))
        await serve_citizens(hall, 220, 240)
        await until(lambda: settled(link))
        await line.pull()
    assert await held_by(city) == await log_of(hall)
    assert (await asyncio.to_thread(verify, hall.store.path)).faults == []


async def test_a_line_that_is_pulled_again_and_again_brings_everything(
    hall: Hall, city: City
) -> None:
    key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
    line = Line(city)
    await line.plug()
    async with linked(hall, line.url, key) as link:
        traffic = asyncio.create_task(serve_citizens(hall, 0, 150))
        for _ in range(4):
            await asyncio.sleep(0.2)
            await line.pull()
            await line.plug()
        await traffic
        await until(lambda: settled(link))
        await line.pull()
    assert await held_by(city) == await log_of(hall)


async def test_a_directive_of_the_city_is_in_force_in_the_hall(hall: Hall, city: City) -> None:
    key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
    line = Line(city)
    await line.plug()
    async with linked(hall, line.url, key) as link:
        await until(lambda: settled(link))
        async with city.db.write() as uow:
            notice = PutNotice(text="今天下午系统维护")
            await city.context.take(HALLS).send(
                uow, SYSTEM, HALL, notice, under=Permission.HALLS_DECIDE
            )

        async def shown() -> bool:
            return hall.state.notice == "今天下午系统维护"

        await until(shown)
        await until(lambda: settled(link))
        await line.pull()
    assert any('"directive.applied"' in raw for raw in await held_by(city))


async def test_a_booking_of_the_city_is_found_by_card_in_the_hall_and_the_city_hears_of_it(
    hall: Hall, city: City
) -> None:
    """The person is the city's own until the link brings it: there the hall's keys and index take over."""
    key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
    line = Line(city)
    await line.plug()
    now = SystemClock().now_ms()
    today = business_day(now, hall.state.config)
    put = PutBooking(
        booking=Booking(
            id=BookingId("b-1"),
            code="code-0001",
            day=today,
            start=now,
            end=now + 1_800_000,
            items=(RENEW,),
            person=seal_person(city.context.hall_sealer(HALL), CARD.kind, CARD.name, CARD.number),
        )
    )

    async def arrived() -> bool:
        await city.runner.catch_up_all()
        async with city.db.read() as uow:
            figures = await city.context.take(STATISTICS).bookings(
                uow, EVERYWHERE, date.fromisoformat(today)
            )
        return [(one.due, one.arrived) for one in figures] == [(0, 1)]

    async with linked(hall, line.url, key) as link:
        await until(lambda: settled(link))
        async with city.db.write() as uow:
            halls = city.context.take(HALLS)
            await halls.send(uow, SYSTEM, HALL, put, under=Permission.HALLS_DECIDE)
            await halls.send(
                uow,
                SYSTEM,
                HALL,
                DropBooking(booking=BookingId("b-2")),
                under=Permission.HALLS_DECIDE,
            )

        async def known() -> bool:
            return hall.state.directive_no == 2

        await until(known)
        holder = IdentityDesk(OWN, SystemClock())
        token = holder.accept(KIOSK, CARD, date.fromisoformat(today)).token
        person = holder.person(token)
        assert person is not None
        assert [one.booking.id for one in bookings_of(hall.state, person)] == ["b-1"]
        booked = hall.state.bookings[BookingId("b-1")].booking.person
        assert open_person(OWN, booked) == (CARD.name, CARD.number)
        command = c.IssueTicket(item=CARE, token="booked", booking=BookingId("b-1"))
        await hall.submit(command, key="take:00000001", actor="kiosk:k1")
        ticket = next(iter(hall.state.tickets.values()))
        assert (ticket.item, ticket.priority) == (RENEW, "booked")
        await until(arrived)
        await line.pull()
    refused = [raw for raw in await held_by(city) if '"directive.refused"' in raw]
    assert ["booking.unknown" in raw for raw in refused] == [True]


async def test_a_wrong_key_is_refused_and_the_hall_works_on(hall: Hall, city: City) -> None:
    await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
    line = Line(city)
    await line.plug()
    async with linked(hall, line.url, "another-key") as link:

        async def refused() -> bool:
            return link.state is LinkState.REFUSED

        await until(refused)
        assert link.problem == "link.unknown_hall"
        await serve_citizens(hall, 0, 5)
        await line.pull()
    assert await held_by(city) == []


async def test_a_restored_disk_is_quarantined_and_the_hall_goes_on_serving(
    hall: Hall, city: City, tmp_path: Path
) -> None:
    key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
    line = Line(city)
    await line.plug()
    async with linked(hall, line.url, key) as link:
        await serve_citizens(hall, 0, 5)
        await until(lambda: settled(link))
        await hall.store.backup(tmp_path / "old.sqlite")
        await serve_citizens(hall, 5, 10)
        await until(lambda: settled(link))
    held = await held_by(city)
    async with (
        open_hall(tmp_path / "old.sqlite", clock=SystemClock()) as old,
        linked(old, line.url, key) as link,
    ):

        async def quarantined() -> bool:
            return link.state is LinkState.QUARANTINED

        await until(quarantined)
        await serve_citizens(old, 100, 103)
        await line.pull()
    assert await held_by(city) == held


class Morning(SystemClock):
    """The machine's clock, set so that it begins at nine on a working day."""

    def __init__(self) -> None:
        self._shift = NINE_ON_MONDAY - super().now_ms()

    def now_ms(self) -> int:
        return super().now_ms() + self._shift


@dataclass(frozen=True)
class Holder:
    """A citizen whom the city knows, the holder of the card."""

    city: City
    id: str = "holder"
    masked_name: str = "张*三"
    masked_number: str = ""

    async def person(self, uow: ReadUow, id: str, hall: HallId) -> Person:  # noqa: A002
        sealer = self.city.context.hall_sealer(hall)
        return seal_person(sealer, CARD.kind, CARD.name, CARD.number)

    async def check_stays(self, uow: ReadUow, id: str) -> None:  # noqa: A002
        """Did not ask to be erased before booking."""

    async def hold_still(self, uow: Uow, id: str) -> None:  # noqa: A002
        """Nobody logs in."""

    async def find(self, uow: ReadUow, kind: CertificateKind, number: str) -> "Holder":
        return self

    async def register(self, uow: Uow, subject: Subject, **known: object) -> "Holder":
        return self


async def test_a_visit_booked_at_the_city_is_picked_up_and_erased_with_the_line_cut(
    city_url: str, tmp_path: Path
) -> None:
    clock = Morning()
    config = small_hall()
    async with (
        open_city(city_url, clock=clock) as city,
        open_hall(tmp_path / "hall.sqlite", clock=clock, config=config) as hall,
    ):
        api = city.context.take(APPOINTMENTS)
        api.use_people(Holder(city))
        async with city.db.write() as uow:
            target = Target(hall=HALL)
            rule = Rule(open=True, lead_minutes=0)
            await add_version(uow, target, 0, rule, at=clock.now_ms(), by="system", note="")
        key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
        line = Line(city)
        await line.plug()

        async def state() -> str:
            await city.runner.catch_up_all()
            async with city.db.read() as uow:
                return (await api.booking(uow, booked.id, "holder")).state

        async def offered() -> bool:
            await city.runner.catch_up_all()
            async with city.db.read() as uow:
                return bool(await api.offers(uow, hall=HALL))

        async with linked(hall, line.url, key) as link:
            await until(lambda: settled(link))
            await until(offered)
            wanted = Wanted(hall=HALL, items=(RENEW,), day=date(2026, 11, 23), start="09:30")
            async with city.db.write() as uow:
                who = Visitor(citizen="holder", level=Level.FACE)
                booked = await api.book(uow, who, wanted, key="first")
            await until(lambda: booked.code in hall.state.booking_codes)
            await line.pull()
            visit = hall.state.booking_codes[booked.code]
            await hall.submit(
                c.OpenWindow(window=W3, staff=LI), key="open:00000001", actor="staff:li"
            )
            for step, command in enumerate(
                (
                    c.IssueTicket(item=CARE, token="booked", booking=visit, device=KIOSK),
                    c.CallNext(window=W3),
                    c.BeginService(window=W3),
                    c.FinishService(window=W3),
                )
            ):
                await hall.submit(command, key=f"visit:{step:06d}", actor="test:1")
            assert await state() == "booked", "the city cannot know yet"
            await line.plug()
            await until(lambda: _is(state, "served"))
            await line.pull()
            await _erased_while_cut_off(city, hall)
            await line.plug()
            await until(lambda: _forgotten(city, hall))
            await line.pull()
        await _nobody_anywhere(city, tmp_path / "hall.sqlite")


async def _erased_while_cut_off(city: City, hall: Hall) -> None:
    """The citizen asks, staff carry it out: the city forgets at once, the hall cannot know yet."""
    keeper = Subject(
        id="keeper", name="经办人", grants={Permission.REQUESTS: EVERYWHERE}, address="10.0.0.9"
    )
    desk = privacy(city)
    async with city.db.write() as uow:
        who = Requester(name=CARD.name, number=CARD.number)
        asked = await desk.ask_for(uow, RequestKind.ERASE, who, "请删除", by=SYSTEM)
        await desk.requests.answer(uow, keeper, asked.no, done=True, outcome="核实后删除")
        (told,) = await desk.requests_of(uow, CARD.number)
        assert (told.state, told.halls_waiting) == ("done", 1)
        assert told.counts["appointments"] == 1
        (row,) = await uow.all(sa.text("SELECT masked_name, masked_number FROM app_appointment"))
        assert dict(row) == {"masked_name": "", "masked_number": ""}
        ((entry), *_) = await read_audit(uow, "request.done")
        assert (entry.actor, entry.object) == ("keeper", f"request:{asked.no}")
        assert '"halls":1' in entry.detail
    (ticket,) = hall.state.tickets.values()
    assert ticket.person is not None


async def _forgotten(city: City, hall: Hall) -> bool:
    await city.runner.catch_up_all()
    async with city.db.read() as uow:
        (told,) = await privacy(city).requests_of(uow, CARD.number)
    (ticket,) = hall.state.tickets.values()
    return told.halls_waiting == 0 and ticket.person is None


async def _nobody_anywhere(city: City, path: Path) -> None:
    """Neither on a ticket or a booking of the hall nor in what the city had sent it."""
    async with city.db.read() as uow:
        rows = await uow.all(sa.select(m.directive.c.body).order_by(m.directive.c.no))
        assert len(rows) == 2
        for row in rows:
            assert b'"sealed":""' in bytes(row["body"])
            assert b'"masked_number":""' in bytes(row["body"])
    # What is left of the word is the hall's own index: a hall from an older copy can be told again.
    (word,) = [
        one.person
        for row in rows
        if isinstance(one := read_directive(msgspec.Raw(row["body"])), ForgetPerson)
    ]
    (line,) = [raw for raw in await held_by(city) if '"person.forgotten"' in raw]
    assert word.index != city.context.sealer.blind_index(CARD.number)
    assert f'"index":"{word.index}"' in line
    found = await asyncio.to_thread(verify, path)
    assert found.faults == []
    assert [one.booking.person for one in found.state.bookings.values()] == [NOBODY]


def privacy(city: City) -> PrivacyService:
    service = city.context.take(PRIVACY)
    assert isinstance(service, PrivacyService)
    return service


async def _is(state: Callable[[], Awaitable[str]], wanted: str) -> bool:
    return await state() == wanted
