"""A city that was put back from an older backup, and a hall that knows more: a real one, on a real line."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest
import sqlalchemy as sa
from city_line import HALL, Line, linked, settled
from engine_builders import small_hall
from patience import until

from console.app.city import City, open_city
from console.app.modules import PROGRAM
from console.core.databases import beside, connected, maintaining
from console.core.db import asyncpg_arguments
from console.core.permissions import SYSTEM, Permission
from console.halls import models as m
from console.halls.api import HALLS
from console.modules.upkeep.dumping import dump_city
from console.modules.upkeep.restoring import restore_city
from hallserver.hall import Hall, open_hall
from qingting.contract.directives import PutNotice
from qingting.contract.errors import Refusal
from qingting.contract.events import Event, NoticePut
from qingting.kernel.aio.clock import SystemClock

pytestmark = pytest.mark.postgres
NOW = 1_795_395_600_000


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    path = tmp_path / "hall.sqlite"
    async with open_hall(path, clock=SystemClock(), config=small_hall()) as hall:
        yield hall


async def tell(city: City, text: str) -> int:
    async with city.db.write() as uow:
        halls, notice = city.context.take(HALLS), PutNotice(text=text)
        return await halls.send(uow, SYSTEM, HALL, notice, under=Permission.HALLS_DECIDE)


async def unconfirmed(city: City) -> list[int]:
    d = m.directive.c
    async with city.db.read() as uow:
        rows = await uow.all(sa.select(d.no).where(d.acked_at.is_(None)).order_by(d.no))
    return [row["no"] for row in rows]


async def notices_of(hall: Hall) -> list[str]:
    """What was put up at the hall, in order, each as often as it was."""
    events = [msgspec.json.decode(one.json, type=Event) for one in await hall.store.events(0, 9999)]
    return [one.b.text for one in events if isinstance(one.b, NoticePut)]


async def test_a_restored_city_goes_on_with_numbers_that_the_hall_has_not_seen(
    hall: Hall, city_url: str, tmp_path: Path
) -> None:
    async def applied(no: int) -> None:
        await until(lambda: hall.state.directive_no == no)

    async with open_city(city_url) as city:
        key = await city.enrol_hall(HALL, name="测试大厅", key="key-of-the-hall")
        line = Line(city)
        await line.plug()
        async with linked(hall, line.url, key) as link:
            await until(lambda: settled(link))
            assert await tell(city, "一") == 1
            await applied(1)
            await until(lambda: _none(city))
        assert await tell(city, "二") == 2
        archive = await dump_city(city_url, tmp_path, NOW)
        async with linked(hall, line.url, key) as link:
            await applied(2)
            assert await tell(city, "三") == 3
            await applied(3)
            await until(lambda: settled(link))
        await line.pull()

    restored = await restore_city(city_url, archive, NOW, PROGRAM)
    try:
        async with open_city(city_url) as city:
            assert await unconfirmed(city) == [2]
            with pytest.raises(Refusal, match=r"hall\.unsettled"):
                await tell(city, "太早")
            line = Line(city)
            await line.plug()
            async with linked(hall, line.url, key) as link:
                await until(lambda: settled(link))
                assert await unconfirmed(city) == [], "what the hall has is not sent again"
                assert await tell(city, "四") == 4
                await applied(4)
                await until(lambda: settled(link))
            await city.runner.catch_up_all()
            async with city.db.read() as uow:
                wanted = [(str(HALL), no) for no in range(1, 5)]
                outcomes = await city.context.take(HALLS).outcomes(uow, wanted)
            assert [(no, code) for (_, no), (code, _) in sorted(outcomes.items())] == [
                (no, "") for no in range(1, 5)
            ]
            await line.pull()
    finally:
        admin = await asyncpg.connect(**asyncpg_arguments(beside(city_url, "postgres")))
        await admin.execute(f'DROP DATABASE "{restored.former}" WITH (FORCE)')
        await admin.close()
    assert await notices_of(hall) == ["一", "二", "三", "四"]


EVENT = (
    "INSERT INTO gate_event (place, id, kind, hall, at, body)"
    " VALUES ($1::bigint, 'e' || $1, 'ping', '', 1, '{}')"
)


async def test_a_restored_city_gives_no_number_again_that_others_keep(
    city_url: str, tmp_path: Path
) -> None:
    """A provider takes a known number of a letter for a repetition; an integrator asks for what is behind a place."""
    letter, former = "SELECT nextval('note_message_no_seq')", []

    async def given(places: int) -> int:
        """So many events more; gives the number of the last letter."""
        async with connected(city_url) as connection:
            last = await connection.fetchval("SELECT coalesce(max(place), 0) FROM gate_event")
            for place in range(last + 1, last + 1 + places):
                await connection.execute(EVENT, place)
            return max([await connection.fetchval(letter) for _ in range(places)])

    await given(2)
    archive = await dump_city(city_url, tmp_path, NOW)
    highest = await given(3)
    former.append((await restore_city(city_url, archive, NOW, PROGRAM)).former)
    async with connected(city_url) as connection:
        rows = await connection.fetch("SELECT place, id FROM gate_event ORDER BY place")
        assert [row["id"] for row in rows] == ["e1", "e2"]
        assert rows[-1]["place"] > 5, "whoever had five hears of the next"
    assert (later := await given(1)) > highest
    former.append((await restore_city(city_url, archive, NOW + 1000, PROGRAM)).former)
    assert await given(1) > later, "also restored twice from the same archive"
    async with maintaining(city_url) as connection:
        for name in former:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def _none(city: City) -> bool:
    return await unconfirmed(city) == []
