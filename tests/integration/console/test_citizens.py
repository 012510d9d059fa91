"""Citizens' pages on a running console: what everybody can see, and that staff's side and theirs keep apart."""

from collections.abc import AsyncIterator

import pytest
from citizen_stage import CARD, set_up
from city_hall import START
from console_browser import browser, console

from console.app.server import ConsoleReady
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url, ManualClock(START + 3_600_000)) as one:
        await set_up(one)
        yield one


async def test_everybody_finds_a_service_and_a_hall_without_a_login(ready: ConsoleReady) -> None:
    async with browser(ready) as person:
        home = (await person.get("/c"))[1]
        assert "开放中，到 11:30" in home
        assert "2 人在等" in home
        for words in ("社会保障卡", "shbzk", "shehuibaozhang"):
            status, text = await person.get(f"/c/items?q={words}")
            assert (status, f"/c/items/{CARD}" in text, "找到 1 项" in text) == (200, True, True)
        for narrowed in ("theme=社会保障", "division=230602000000", "hall=longfeng", "bookable=1"):
            assert f"/c/items/{CARD}" in (await person.get(f"/c/items?{narrowed}"))[1], narrowed
        item = (await person.get(f"/c/items/{CARD}"))[1]
        for said in (
            "原件，在有效期内",
            "5 个工作日",
            "11月30日",
            "20 个工作日",
            "不收费",
            "第五十八条",
        ):
            assert said in item, said
        hall = (await person.get("/c/halls/saertu"))[1]
        for said in ("08:30–11:30", "0459-6000000", "geo:46.63", "人社局"):
            assert said in hall, said
        status, _, text = await person.submit(
            "/c/halls", "/c/halls/near", latitude="46.57", longitude="125.141"
        )
        order = [text.index(f"/c/halls/{one}") for one in ("longfeng", "saertu", "ranghulu")]
        assert (status, order) == (200, sorted(order))
        assert "直线距离" in text
        assert "76 米" in text or "80 米" in text


async def test_the_two_sides_share_no_session_and_a_citizens_page_offers_no_staff_menu(
    ready: ConsoleReady,
) -> None:
    async with browser(ready) as person:
        await person.enter(ready)
        text = (await person.get("/c"))[1]
        assert 'class="side"' not in text
        assert "/password" not in text
        async with person.http.get("/c/look?elder=1&back=//evil.example") as answer:
            assert answer.url.path == "/c"
            assert 'data-theme="elder"' in await answer.text()
