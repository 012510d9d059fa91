"""A whole hall that was put back from its own backup, in which somebody stands who was erased since: real hall, real city,
a real file in between."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_line import HALL, OWN, Line, linked, settled
from engine_builders import CARE, KIOSK, LI, RENEW, W3, small_hall
from patience import until

from console.app.city import City, open_city
from console.core.permissions import EVERYWHERE, SYSTEM, Permission, Subject
from console.halls.api import HALLS
from console.modules.privacy.api import PRIVACY, Requester, RequestKind
from console.modules.privacy.service import PrivacyService
from hallserver.engine.days import business_day
from hallserver.hall import Hall, open_hall
from hallserver.link.uplink import LinkState
from hallserver.store.copies import back_up
from hallserver.store.exchange import put_back
from hallserver.store.verify import verify
from qingting.contract import commands as c
from qingting.contract.bookings import Booking
from qingting.contract.directives import PutBooking
from qingting.contract.ids import BookingId
from qingting.contract.people import NOBODY
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.persons import open_person, seal_person

pytestmark = pytest.mark.postgres
NAME, NUMBER = "张小三", "230602199001011238"
KEEPER = Subject(
    id="keeper", name="经办人", grants={Permission.REQUESTS: EVERYWHERE}, address="10.0.0.9"
)


def privacy(city: City) -> PrivacyService:
    service = city.context.take(PRIVACY)
    assert isinstance(service, PrivacyService)
    return service


async def visit(city: City, hall: Hall) -> None:
    """Somebody comes with a booking of the city and is served; the hall knows who it was."""
    now = SystemClock().now_ms()
    person = seal_person(city.context.hall_sealer(HALL), CertificateKind.RESIDENT_ID, NAME, NUMBER)
    booking = Booking(
        id=BookingId("b-1"),
        code="code-0001",
        day=business_day(now, hall.state.config),
        start=now,
        end=now + 1_800_000,
        items=(RENEW,),
        person=person,
    )
    async with city.db.write() as uow:
        put = PutBooking(booking=booking)
        await city.context.take(HALLS).send(uow, SYSTEM, HALL, put, under=Permission.HALLS_DECIDE)
    await until(lambda: hall.state.directive_no == 1)
    await hall.submit(c.OpenWindow(window=W3, staff=LI), key="open:00000001", actor="staff:li")
    for step, command in enumerate(
        (
            c.IssueTicket(item=CARE, token="booked", booking=BookingId("b-1"), device=KIOSK),
            c.CallNext(window=W3),
            c.BeginService(window=W3),
            c.FinishService(window=W3),
        )
    ):
        await hall.submit(command, key=f"visit:{step:06d}", actor="test:1")


async def erase(city: City) -> int:
    """The citizen asks, staff carry it out; the number of the request."""
    desk = privacy(city)
    async with city.db.write() as uow:
        who = Requester(name=NAME, number=NUMBER)
        asked = await desk.ask_for(uow, RequestKind.ERASE, who, "请删除", by=SYSTEM)
        await desk.requests.answer(uow, KEEPER, asked.no, done=True, outcome="核实后删除")
    return asked.no


async def all_answered(city: City) -> bool:
    await city.runner.catch_up_all()
    async with city.db.read() as uow:
        (told,) = await privacy(city).requests_of(uow, NUMBER)
    return told.halls_waiting == 0


def known(hall: Hall) -> bool:
    """Whether the hall can say who came."""
    (ticket,) = hall.state.tickets.values()
    held = hall.state.bookings[BookingId("b-1")].booking.person
    return ticket.person is not None and held != NOBODY


async def named_at_the_city(city: City) -> list[str]:
    """Columns of the city's read models in which the person's masked name stands."""
    text = (
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name IN ('masked_name', 'masked', 'name') AND table_name LIKE 'stat%'"
    )
    found = []
    async with city.db.read() as uow:
        for row in await uow.all(sa.text(text)):
            table, column = row["table_name"], row["column_name"]
            many = sa.text(f"SELECT count(*) FROM {table} WHERE CAST({column} AS text) LIKE '张%'")
            if await uow.scalar(many):
                found.append(f"{table}.{column}")
    return found


async def test_a_hall_put_back_from_its_backup_forgets_again_who_was_erased_since(
    city_url: str, tmp_path: Path
) -> None:
    database, copy = tmp_path / "hall.sqlite", tmp_path / "backup.db"
    async with open_city(city_url) as city:
        key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
        line = Line(city)
        await line.plug()
        async with (
            open_hall(database, clock=SystemClock(), config=small_hall()) as hall,
            linked(hall, line.url, key) as link,
        ):
            await until(lambda: settled(link))
            await visit(city, hall)
            await asyncio.to_thread(back_up, database, copy)
            await erase(city)
            await until(lambda: all_answered(city))
            await until(lambda: not known(hall))
            await until(lambda: settled(link))

        await asyncio.to_thread(put_back, copy, database, SystemClock().now_ms())
        async with open_hall(database, clock=SystemClock(), config=small_hall()) as hall:
            assert known(hall), "the backup is older than the request"
            held = hall.state.bookings[BookingId("b-1")].booking.person
            assert open_person(OWN, held) == (NAME, NUMBER)
            async with linked(hall, line.url, key) as link:
                # The city has more than this log: a person says that it holds.
                await until(lambda: link.state is LinkState.QUARANTINED)
                assert known(hall)
                async with city.db.write() as uow:
                    await city.context.take(HALLS).decide_fork(uow, SYSTEM, HALL, accept=True)
            async with linked(hall, line.url, key) as link:
                await until(lambda: not known(hall))
                await until(lambda: settled(link))
            assert await all_answered(city)
        assert await named_at_the_city(city) == []
        await line.pull()
    found = await asyncio.to_thread(verify, database)
    assert found.faults == []
    assert [one.booking.person for one in found.state.bookings.values()] == [NOBODY]
