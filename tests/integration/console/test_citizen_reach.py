"""Somebody's phones and Alipay account, as their owner sees them, and limits that hold over two consoles."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web
from citizen_stage import citizens_city, enter
from city_hall import START
from console_browser import Browser, browser, console

from console.app.server import ConsoleReady
from console.modules.citizens import models as m
from console.modules.citizens.api import CITIZENS
from console.modules.citizens.pruning import prunes
from console.modules.citizens.reach import SILENT_DAYS
from console.modules.notifications.api import Reach
from qingting.kernel.aio.clock import ManualClock
from simulators.messages import AlipayPlatform, MessagePlatform, create_messages_app
from simulators.messages.alipay import USERS

pytestmark = pytest.mark.postgres
TOKEN = "c3f4d5e6-0001"


@asynccontextmanager
async def alipay_at(clock: ManualClock) -> AsyncIterator[dict[str, str]]:
    """The settings of a console that tells citizens at Alipay."""
    platform = await asyncio.to_thread(
        AlipayPlatform, MessagePlatform("daqing", "x" * 16, clock=clock)
    )
    runner = web.AppRunner(create_messages_app(platform.messages, platform), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        page = f"http://127.0.0.1:{runner.addresses[0][1]}/alipay"
        yield {
            "alipay_app_id": platform.app_id,
            "alipay_key": platform.city_key,
            "alipay_public_key": platform.alipay_key,
            "alipay_gateway": f"{page}/gateway.do",
            "alipay_authorize": f"{page}/authorize",
        }
    finally:
        await runner.cleanup()


async def at_alipay(person: Browser, user: str) -> str:
    """Goes to Alipay from the account's page and agrees; gives the address that leads back."""
    async with person.http.get("/c/me/alipay/go", allow_redirects=False) as answer:
        url = answer.headers["Location"]
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as page:
            text = await page.text()
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
        async with http.post(
            url.split("?")[0], data={**form, "user": user}, allow_redirects=False
        ) as answer:
            back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


async def reach_of(ready: ConsoleReady) -> Reach:
    """Of the only citizen."""
    async with ready.city.db.read() as uow:
        citizen = await uow.scalar(sa.select(m.citizen.c.id))
        found = await ready.city.context.take(CITIZENS).reach(uow, str(citizen))
    assert found is not None
    return found


async def test_who_binds_alipay_and_names_a_phone_is_reached_there_until_they_say_no(
    city_url: str,
) -> None:
    clock = ManualClock(START + 3_600_000)
    async with (
        alipay_at(clock) as settings,
        citizens_city(city_url, clock, **settings) as ready,
        browser(ready) as person,
    ):
        page = await enter(person, "person-citizen")
        assert "绑定支付宝" in page
        back = await at_alipay(person, next(iter(USERS)))
        status, text = await person.get(back)
        assert (status, "已绑定 ***oCo5" in text, "支付宝已绑定" in text) == (200, True, True)
        assert (await reach_of(ready)).alipay == next(iter(USERS))
        # A code is good once, and only in the browser that asked for it.
        for address in (back, re.sub("state=[^&]*", "state=other", back)):
            status, text = await person.get(address)
            assert (status, "不是您刚才在这个浏览器里开始的" in text) == (409, True)
        phone = {"platform": "android", "app": "cn.daqing.app", "token": TOKEN}
        status, _, _ = await person.submit("/c/me", "/c/me/devices", **phone)
        assert status == 204
        status, _, text = await person.submit(
            "/c/me", "/c/me/devices", **phone | {"platform": "tv"}
        )
        assert status == 422
        assert [one.token for one in (await reach_of(ready)).push] == [TOKEN]
        page = (await person.get("/c/me"))[1]
        assert ("安卓" in page, TOKEN in page) == (True, False)
        async with ready.city.db.read() as uow:
            kept = str(await uow.all(sa.select(m.device))) + str(await uow.all(sa.select(m.alipay)))
        assert TOKEN not in kept
        assert next(iter(USERS)) not in kept
        # The next one who logs in on that phone gets what comes to it, and nobody else.
        async with browser(ready) as other:
            await enter(other, "person-woman")
            await other.submit("/c/me", "/c/me/devices", **phone)
            assert "安卓" not in (await person.get("/c/me"))[1]
            await other.submit("/c/me", "/c/logout")
            async with ready.city.db.read() as uow:
                assert await uow.all(sa.select(m.device)) == []
        await person.submit("/c/me", "/c/me/devices", **phone)
        await clock.advance((SILENT_DAYS + 1) * 86_400)
        silent, *_ = prunes(clock)
        async with ready.city.db.write() as uow:
            assert await silent(uow, 100) == 1


async def test_two_consoles_let_no_more_through_together_than_was_set(city_url: str) -> None:
    clock, limit = ManualClock(START), {"citizen_address_per_minute": 64}
    async with (
        console(city_url, clock, **limit) as one,
        console(city_url, clock, **limit) as two,
        browser(one) as here,
        browser(two) as there,
    ):
        through = 0
        for person in (here, there, here, there):
            for _ in range(33):
                async with person.http.get("/c/look", allow_redirects=False) as answer:
                    through += answer.status == 303
        assert 48 <= through <= 64
        await clock.advance(60)
        for person in (here, there):
            assert (await person.get("/c/halls"))[0] == 200
