"""A console whose database goes away, or that is itself killed: pages say so, nothing is lost."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_hall import START, Log
from console_browser import HALL, browser, connect_hall, console, link_of
from patience import until

from console.app.server import ConsoleReady
from console.core.db import CityUnavailable
from console.core.migrate import create_database
from console.core.postgres import EmbeddedPostgres
from console.halls.api import HALLS
from qingting.contract import link as k
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres


@pytest.fixture
def log() -> Log:
    log = Log(HALL)
    log.configure()
    return log


@pytest.fixture
def own() -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, which it may stop and start."""
    with tempfile.TemporaryDirectory(prefix="qt-pages-pg-") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        asyncio.run(_create(server))
        server.start()
        yield server
        server.stop()


async def _create(server: EmbeddedPostgres) -> None:
    await asyncio.to_thread(server.start)
    await create_database(server.url())
    await asyncio.to_thread(server.stop)


class TestDatabaseGone:
    """PostgreSQL stops and starts under a running console with a connected hall."""

    async def test_pages_say_so_and_recover_and_no_event_is_lost(
        self, own: EmbeddedPostgres, log: Log
    ) -> None:
        clock = ManualClock(START + 60_000)
        async with console(own.url(), clock) as ready, browser(ready) as person:
            await person.enter(ready)
            async with link_of(ready) as client:
                await connect_hall(ready, client, log)
                await asyncio.to_thread(own.stop)
                status, page = await person.get("/devices")
                assert status == 503
                assert "城市数据库暂时连不上" in page
                assert "还没有设备" not in page
                status, part = await person.get("/devices", **{"HX-Request": "true"})
                assert (status, "城市数据库暂时连不上" in part) == (503, True)
                log.issue(1)
                await client.send(log.frame(log.head))
                assert await client.closed()
            await asyncio.to_thread(own.start)
            key = await _until_enrolled(ready)
            async with link_of(ready) as client:
                welcome = await client.greet(log, key)
                assert welcome.cursor == log.head - 1
                assert (await client.push(log.frame(log.head))).upto == log.head

                async def shown() -> bool:
                    status, page = await person.get("/tickets?hall=saertu")
                    return status == 200 and "公安综合" in page

                await until(shown)


async def _until_enrolled(ready: ConsoleReady) -> str:
    async def up() -> bool:
        try:
            await ready.city.db.ping()
        except CityUnavailable:
            return False
        return True

    await until(up)
    return await ready.city.enrol_hall(HALL, name="萨尔图区政务服务中心")


async def test_a_console_killed_in_mid_stream_goes_on_where_it_was(city_url: str, log: Log) -> None:
    for number in range(1, 200):
        log.issue(number)
    key = ""
    sent = 0
    while sent < log.head:
        async with console(city_url) as ready:
            key = await ready.city.enrol_hall(HALL, name="大厅", key="key-of-saertu")
            async with link_of(ready) as client:
                welcome = await client.greet(log, key)
                assert welcome.cursor in (sent, min(sent + 40, log.head))
                sent = welcome.cursor
                for first in range(sent + 1, min(sent + 80, log.head) + 1, 40):
                    last = min(first + 39, log.head)
                    await client.push(log.frame(first, last))
                    sent = last
                if sent < log.head:
                    # Taken or not: the city goes away before anybody hears of it.
                    await client.send(log.frame(sent + 1, min(sent + 40, log.head)))
    async with console(city_url) as ready:
        await ready.city.runner.catch_up_all()
        async with ready.city.db.read() as uow:
            status = await ready.city.context.take(HALLS).hall(uow, HALL)
            tickets = await uow.scalar(sa.text("SELECT count(*) FROM stat_ticket"))
    assert (status.seq, tickets) == (log.head, 199)


async def test_the_link_says_busy_when_the_database_is_away(
    own: EmbeddedPostgres, log: Log
) -> None:
    async with console(own.url()) as ready:
        await asyncio.to_thread(own.stop)
        async with link_of(ready) as client:
            await client.send(log.hello("any"))
            bye = await client.expect(k.LinkBye)
            assert (bye.code, bye.retry_after > 0) == ("city.unavailable", True)
