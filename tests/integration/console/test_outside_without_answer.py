"""A system outside that does not answer keeps those waiting who asked it, and nobody else: no connection to the
database, and no lock in it, is held while it is asked."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from citizen_stage import citizens_city, enter
from city_hall import START
from console_browser import Browser, browser, console
from silent_system import nobody_holds_a_connection, silent
from test_citizen_reach import alipay_at

from console.app.city import open_city
from console.core import channels, oidc_provider
from console.core.db import POOL_SIZE, Database
from console.core.delivering import DeliveryError
from console.core.senders import alipay_client, signing
from console.core.uow import Uow
from console.modules.alarms.api import ALARMS
from console.modules.notifications.ahead import FEW_AHEAD
from console.modules.upkeep import models as up
from console.modules.upkeep.api import UPKEEP
from console.modules.upkeep.service import UpkeepService
from console.modules.upkeep.telling import LEASE_MS, Caller
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
DAY_S = timedelta(days=1).total_seconds()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks gives up later than any of these tests ends, however slow the machine is."""
    for module in (alipay_client, signing, channels):
        monkeypatch.setattr(module, "SEND_SECONDS", 3600.0)
    monkeypatch.setattr(oidc_provider, "ANSWER_SECONDS", 3600.0)


async def coming_back(person: Browser) -> str:
    """Where Alipay would lead this browser back to."""
    async with person.http.get("/c/me/alipay/go", allow_redirects=False) as answer:
        state = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
    return f"/c/me/alipay/back?state={state}&auth_code=of-somebody"


async def test_more_people_wait_for_alipay_than_there_are_connections_and_pages_answer(
    city_url: str,
) -> None:
    clock = ManualClock(START + 3_600_000)
    async with alipay_at(clock) as settings, silent() as away:
        settings["alipay_gateway"] = f"{away.url}/gateway.do"
        async with (
            citizens_city(city_url, clock, **settings) as ready,
            browser(ready) as person,
            browser(ready) as other,
        ):
            await enter(person, "person-citizen")
            back = await coming_back(person)
            waiting = [asyncio.create_task(person.get(back)) for _ in range(POOL_SIZE)]
            await away.was_asked(POOL_SIZE)
            status, _ = await other.get("/c")
            assert (status, any(one.done() for one in waiting)) == (200, False)
            await nobody_holds_a_connection(ready.city.db)
            away.speak()
            told = await asyncio.gather(*waiting)
            assert {status for status, _ in told} == {502}, "and each is told"


async def test_who_goes_to_an_identity_platform_that_is_silent_holds_nothing(city_url: str) -> None:
    clock = ManualClock(START)
    async with silent() as away:
        settings = {
            f"{whose}oidc_{name}": value
            for whose in ("", "citizen_")
            for name, value in (
                ("issuer", away.url),
                ("client_id", "city"),
                ("client_secret", "a secret of sixteen or more"),
            )
        }
        async with console(city_url, clock, **settings) as ready, browser(ready) as person:
            await person.enter(ready)
            ways = ("/login/sso", "/password/sso/begin", "/c/login?out=1")
            for count, way in enumerate(ways, 1):
                asking = asyncio.create_task(person.get(way))
                await away.was_asked(count)
                await nobody_holds_a_connection(ready.city.db)
                assert not asking.done()
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)


async def test_who_tries_a_wording_at_a_silent_provider_holds_nothing(city_url: str) -> None:
    page = f"/notifications/topics/{FEW_AHEAD}/sms/zh-CN"
    async with silent() as away:
        settings = {
            "sms_url": away.url,
            "sms_account": "daqing",
            "sms_secret": "a secret of sixteen or more",
            "sms_sign": "大庆政务",
        }
        async with (
            console(city_url, ManualClock(START), **settings) as ready,
            browser(ready) as person,
        ):
            await person.enter(ready)
            form = {"seen": "0", "text": "还有{前面人数}位", "to": "13945678901", "do": "try"}
            trying = asyncio.create_task(person.submit(page, page, **form))
            await away.was_asked(1, "/sms")
            await nobody_holds_a_connection(ready.city.db)
            assert not trying.done()
            away.speak()
            status, _, text = await trying
            assert (status < 500, "还有{前面人数}位" in text) == (True, True)


async def test_word_of_the_citys_own_health_holds_nothing_and_is_said_once(city_url: str) -> None:
    """The day's backup was never set up: that is told when a day has passed."""
    clock = ManualClock(START)
    async with silent() as away:
        settings = {"webhook_url": f"{away.url}/hook", "webhook_secret": "a secret of sixteen"}
        async with console(city_url, clock, **settings) as ready:
            db, service = ready.city.db, ready.city.context.take(UPKEEP)
            assert isinstance(service, UpkeepService)
            one, two = (
                Caller(db, clock, service, ready.city.context.take(ALARMS)) for _ in range(2)
            )
            await one.look()
            await clock.advance(3 * DAY_S)
            telling = asyncio.create_task(one.look())
            await away.was_asked(1)
            await nobody_holds_a_connection(db)
            said = away.times()
            await two.look()
            assert away.times() == said, "another worker leaves it to the one that is at it"
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            away.speak()
            await two.look()
            assert away.times() == said, "so long it may still be on its way"
            await clock.advance(LEASE_MS / 1000 + 1)
            await two.look()
            assert away.times() > said, "what a worker left that died is said by another"
            said = away.times()
            await clock.advance(LEASE_MS / 1000 + 1)
            await one.look()
            assert away.times() == said
            async with db.read() as uow:
                row = await uow.first(sa.select(up.told).where(up.told.c.part == "backup"))
            assert row is not None
            assert row["channels"] == ["webhook"]


async def refused_after_asking(db: Database) -> None:
    async def note(uow: Uow, part: str) -> None:
        values = {"part": part, "channels": [], "lease_until": 0}
        await uow.run(sa.insert(up.told).values(values))

    async with db.write() as uow:
        await note(uow, "before")
        with suppress(DeliveryError):
            async with uow.outside():
                await db.ping()
                raise DeliveryError("away")
        # What was refused is said by a page, which reads and writes.
        await note(uow, "after")
        raise Refusal("internal")


async def test_what_was_done_before_the_question_stays_and_what_fails_after_it_leaves_nothing(
    city_url: str,
) -> None:
    """With one connection in all: somebody else has it while another system is asked."""
    async with open_city(city_url):
        db = Database(city_url, pool_size=1)
        try:
            with pytest.raises(Refusal, match="internal"):
                await refused_after_asking(db)
            async with db.read() as uow:
                rows = await uow.all(sa.select(up.told.c.part))
        finally:
            await db.close()
    assert [row["part"] for row in rows] == ["before"]
