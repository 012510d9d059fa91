"""The city goes away for a moment while somebody types: in real Chromium, with scripts and without, all of it is there
afterwards, in the language that was chosen meanwhile."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from citizen_stage import citizens_city
from city_hall import START
from console_browser import NEW_PASSWORD, console
from console_browser import Browser as Keeper
from manager_browser import axe_finds, watched
from pictures import picture
from playwright.async_api import Browser, Page, expect

from console.app.away import Waiting, create_away
from console.app.server import ConsoleReady
from console.app.settings import ConsoleSettings
from qingting.kernel.aio.clock import ManualClock, SystemClock

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
NAME, WORDS = "人社局 “一” & <二>", "我的名字登记错了，应为“张某”。\n第二行 <b>\"'&"


@asynccontextmanager
async def away_at(port: int, folder: Path) -> AsyncIterator[None]:
    """Who answers in the city's place while its database is exchanged."""
    settings = ConsoleSettings(data=str(folder), place="大庆市", place_en="Daqing ")
    app = await asyncio.to_thread(create_away, settings, SystemClock(), Waiting())
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        yield
    finally:
        await runner.cleanup()


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).first.click()


async def staff_types(browser: Browser, city: ConsoleReady) -> Page:
    keeper = Keeper(city.url)
    await keeper.enter(city)
    await keeper.http.close()
    context = await browser.new_context(viewport={"width": 1366, "height": 800})
    page = await watched(context, [])
    await page.goto(f"{city.url}/login")
    await page.get_by_label("账号").fill("admin")
    await page.get_by_label("密码", exact=True).fill(NEW_PASSWORD)
    await press(page, "登录")
    await page.goto(f"{city.url}/departments/new")
    for name, value in (("id", "renshe"), ("name", NAME), ("code", "C-9")):
        await page.locator(f"#f-{name}").fill(value)
    return page


async def citizen_types(browser: Browser, city: ConsoleReady) -> Page:
    context = await browser.new_context(
        viewport={"width": 320, "height": 700}, java_script_enabled=False
    )
    page = await watched(context, [])
    await page.goto(f"{city.url}/c/login?next=/c/me/requests")
    await page.get_by_role("link", name="用统一身份认证登录").click()
    await page.locator("input[value=person-citizen]").check()
    await page.locator("button[name=allow]").click()
    await page.get_by_role("checkbox").check()
    await press(page, "同意并继续")
    await page.locator("input[value=correct]").check()
    await page.locator("#words").fill(WORDS)
    return page


async def test_what_was_typed_is_there_when_the_city_is_there_again(
    city_url: str, browser: Browser, tmp_path: Path
) -> None:
    clock = ManualClock(START + 3_600_000)
    async with citizens_city(city_url, clock) as city:
        port = city.serving.port
        staff, citizen = await staff_types(browser, city), await citizen_types(browser, city)
    async with away_at(port, tmp_path):
        await staff.locator("form[action='/departments'] button").click()
        await citizen.locator("form.c-form button").click()
        for page, name, typed in ((staff, "staff", NAME), (citizen, "citizen", "应为“张某”")):
            await expect(page.get_by_role("heading", name="内容还没有提交")).to_be_visible()
            await expect(page.get_by_text(typed)).to_be_visible()
            await picture(page, f"unsent-away-{name}", whole=True)
            await press(page, "English")
            await expect(page.get_by_role("heading", name="Not sent yet")).to_be_visible()
            await expect(page.get_by_text(typed)).to_be_visible()
            await picture(page, f"unsent-away-{name}-en", whole=True)
            if page is staff:
                assert await axe_finds(page) == []
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= (320 if name == "citizen" else 1366)
        await press(staff, "Send again")
        await expect(staff.get_by_text(NAME)).to_be_visible()
    async with console(city_url, clock, port=port):
        await press(staff, "Send again")
        await expect(staff.get_by_text("Logged in now: admin")).to_be_visible()
        await press(staff, "Send")
        await expect(staff).to_have_url(re.compile(r"/departments\?done="))
        await expect(staff.get_by_text(NAME).first).to_be_visible()
