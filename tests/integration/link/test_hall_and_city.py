"""A real hall and a real city: PostgreSQL, SQLite, a socket between them, and nothing played."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web
from engine_builders import CARE, KIOSK, LI, RENEW, W1, small_hall
from patience import until

from console.app.city import City, open_city
from console.core.permissions import EVERYWHERE, SYSTEM, Permission
from console.halls import models as m
from console.halls.api import HALLS
from console.modules.statistics.api import STATISTICS
from hallserver.engine.days import business_day
from hallserver.hall import Hall, open_hall
from hallserver.hub.claims import bookings_of
from hallserver.hub.identity import IdentityDesk
from hallserver.link.city_link import CityLink
from hallserver.link.uplink import LinkState
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.bookings import Booking
from qingting.contract.directives import DropBooking, PutBooking, PutNotice
from qingting.contract.hub import CardRead
from qingting.contract.ids import BookingId, DeviceId, HallId
from qingting.contract.states import CertificateKind, RatingLevel
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.persons import open_person, seal_person
from qingting.kernel.security.seal import Sealer, new_key, parse_keys

pytestmark = pytest.mark.postgres
HALL = HallId("test")
OWN = Sealer(parse_keys(new_key("k1")))
CARD = CardRead(
    device=DeviceId("reader"),
    kind=CertificateKind.RESIDENT_ID,
    name="张小三",
    number="230602199001011238",
    birth="19900101",
    valid_from="20200101",
    valid_to="长期",
)


class Line:
    """The city's address, which can be there or not."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link"

    async def plug(self) -> None:
        app = web.Application()
        app.router.add_get("/link", self._city.link.handle)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def pull(self) -> None:
        await self._city.link.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


@asynccontextmanager
async def linked(hall: Hall, url: str, key: str) -> AsyncIterator[CityLink]:
    link = CityLink(hall, hall.store, url, HALL, key, SystemClock(), sealer=OWN)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settled(link: CityLink) -> bool:
    return link.connected and link.lag == 0


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
