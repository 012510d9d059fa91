"""A wall screen that nobody is logged in at sees the wall, live, and nothing else, until its code is taken back."""

import re
from collections.abc import AsyncIterator

import pytest
from city_hall import START, Log
from console_browser import HALL, browser, connect_hall, console, link_of

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url, ManualClock(START + 30 * 60_000)) as one:
        yield one


async def test_a_code_opens_the_wall_alone_until_it_is_taken_back(ready: ConsoleReady) -> None:
    log = Log(HALL)
    log.configure()
    for number in (1, 2, 3):
        log.issue(number)
    async with browser(ready) as admin, browser(ready) as screen, link_of(ready) as client:
        await admin.enter(ready)
        await connect_hall(ready, client, log)
        assert (await admin.submit("/walls", "/walls", name=" "))[0] == 422
        status, _, page = await admin.submit("/walls", "/walls", name="三楼指挥室")
        code = re.search(r'class="wall-code">([A-Z0-9-]{24})<', page)
        assert status == 200
        assert code is not None
        assert code[1] not in (await admin.get("/walls"))[1], "said once"

        status, path, text = await screen.submit(
            "/wall/enter", "/wall/enter", passcode="AAAA-BBBB-CCCC-DDDD-EEEE"
        )
        assert (status, path, "口令不对" in text) == (403, "/wall/enter", True)
        status, path, text = await screen.submit(
            "/wall/enter", "/wall/enter", passcode=code[1].lower()
        )
        assert (status, path) == (200, "/wall")
        assert "<b>3</b><span>正在等候</span>" in text
        assert re.search(r"<b>29<small> 分钟</small></b><span>最长等候", text), (
            "since the first ticket"
        )
        assert 'data-live-url="/live"' in text
        assert 'class="menu"' not in text
        assert code[1] not in text
        async with screen.http.get("/live") as stream:
            assert stream.status == 200
        part = await screen.get("/wall", **{"HX-Request": "true", "X-Qingting-Live": "1"})
        assert part[0] == 200
        for path in (
            "/",
            "/halls",
            f"/halls/{HALL}",
            "/devices",
            "/devices/export.csv",
            "/walls",
            "/ratings",
        ):
            async with screen.http.get(path, allow_redirects=False) as answer:
                assert answer.headers.get("Location", "").startswith("/login"), path

        assert "三楼指挥室" in (await admin.get("/walls"))[1]
        key = re.search(r'action="/walls/([^/"]+)/revoke"', (await admin.get("/walls"))[1])
        assert key is not None
        assert (await admin.submit("/walls", f"/walls/{key[1]}/revoke"))[0] == 200
        async with screen.http.get("/wall", allow_redirects=False) as answer:
            assert answer.headers["Location"].startswith("/login")
        assert (await screen.get("/live"))[0] == 401
        assert (await admin.submit("/walls", f"/walls/{key[1]}/revoke"))[0] == 404
    async with ready.city.db.read() as uow:
        entries = await read_audit(uow)
    assert [one.act for one in reversed(entries) if one.act.startswith("wall")] == [
        "wall.token_made", "wall.token_revoked",
    ]  # fmt: skip
    assert code[1] not in repr(entries)
