"""A page that says no leaves nothing of what it refused: neither a place given back, nor a person, nor half a list."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from appointment_stage import HALL, ONE_PLACE, TOMORROW, Folk, booking_config, visitor, wanted
from city_hall import START, Log
from console_browser import Browser, browser, console

from console.app.server import ConsoleReady
from console.core.permissions import SYSTEM
from console.modules.appointments import repository_rules as rules
from console.modules.appointments.api import APPOINTMENTS
from console.modules.appointments.rules import Target
from console.modules.calendar.api import TimeLimit
from console.modules.catalogue.api import CATALOGUE, ItemBody
from console.modules.catalogue.service import NEW, CatalogueService
from qingting.contract import events as e
from qingting.contract.examples import ITEM
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
CODES = ("11230600MB0A00001N3000117051000", "11230600MB0A00021L3000117051000")


@asynccontextmanager
async def bookable(url: str) -> AsyncIterator[tuple[ConsoleReady, Browser]]:
    """A hall whose items have one place in each period, and a member of staff."""
    async with console(url, ManualClock(START)) as ready, browser(ready) as person:
        city, log = ready.city, Log(HALL)
        log.add(e.ConfigApplied(config=booking_config()))
        await city.enrol_hall(HALL, name="萨尔图", key="key-of-hall")
        await city.link.intake.greet(log.hello("key-of-hall"))
        await city.link.intake.apply(HALL, log.frame(1))
        await city.runner.catch_up_all()
        async with city.db.write() as uow:
            await rules.add_version(
                uow, Target(hall=HALL), 0, ONE_PLACE, at=START, by="system", note=""
            )
        await person.enter(ready)
        yield ready, person


async def count(ready: ConsoleReady, statement: str) -> int:
    async with ready.city.db.read() as uow:
        return int(await uow.scalar(sa.text(f"SELECT count(*) FROM {statement}")))


async def test_a_visit_that_cannot_be_moved_keeps_the_place_that_it_has(city_url: str) -> None:
    async with bookable(city_url) as (ready, person):
        api = ready.city.context.take(APPOINTMENTS)
        api.use_people(Folk(ready.city))
        async with ready.city.db.write() as uow:
            mine = await api.book(uow, visitor("ann"), wanted("09:00"), key="a")
            await api.book(uow, visitor("bob"), wanted("10:00"), key="b")
        page = f"/appointments/one/{mine.id}"
        status, _, text = await person.submit(
            page, f"{page}/move", hall=str(HALL), day=str(TOMORROW), start="10:00"
        )
        assert (status, "刚刚约满" in text) == (409, True)
        assert await count(ready, f"app_seat WHERE appointment = '{mine.id}'") == 1


async def test_nobody_is_registered_whose_booking_is_refused(city_url: str) -> None:
    async with bookable(city_url) as (ready, person):
        new = f"/appointments/new?place={HALL}/{ITEM}&day={TOMORROW}"
        who = {"number": "230602199001011238", "name": "张小明", "phone": "13800000101"}
        when = {"place": f"{HALL}/{ITEM}", "day": str(TOMORROW), "start": "12:00", "key": "k"}
        status, _, _ = await person.submit(new, "/appointments/new", **who, **when)
        assert status == 409
        assert await count(ready, "cit_citizen") == 0
        assert await count(ready, "core_audit WHERE act = 'citizen.registered'") == 0


async def test_of_drafts_of_which_one_has_changed_none_is_published(city_url: str) -> None:
    async with console(city_url, ManualClock(START)) as ready, browser(ready) as person:
        await person.enter(ready)
        service = ready.city.context.take(CATALOGUE)
        assert isinstance(service, CatalogueService)
        body = ItemBody(
            name="社保卡补办", department="人社局", division="230600", promised=TimeLimit(5)
        )
        async with ready.city.db.write() as uow:
            for code in CODES:
                await service.put_draft(uow, SYSTEM, code, body, NEW)
        _, text = await person.get("/catalogue/review")
        token = re.search(r'name="csrf" value="([^"]+)"', text)
        assert token is not None
        chosen = [("chosen", f"{CODES[0]}@1"), ("chosen", f"{CODES[1]}@2")]
        form = [("csrf", token[1]), *chosen, ("effective", str(TOMORROW))]
        async with person.http.post("/catalogue/review", data=form) as answer:
            assert (answer.status, "草稿" in await answer.text()) == (409, True)
        assert await count(ready, "cat_version WHERE state = 'published'") == 0
