"""Somebody types, the login ends, the form is sent: in real Chromium nothing of it is lost. Staff and citizens go on without
scripts; on a live page nothing is taken from under the hands."""

import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from citizen_stage import citizens_city
from city_hall import START
from console_browser import NEW_PASSWORD
from console_browser import Browser as Keeper
from manager_browser import axe_finds, watched
from pictures import picture
from playwright.async_api import Browser, Page, Route, expect

from console.app.server import ConsoleReady
from console.modules.privacy import models as m
from qingting.kernel.aio.clock import ManualClock

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
IDLE_S = 31 * 60
WORDS = "我的名字登记错了，应为“张某”。\n第二行 <b>\"'&"
CROSS = """<form method="post" action="{to}/departments">
<input name="csrf" value="{token}"><input name="id" value="planted"><button>x</button></form>"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START + 3_600_000)


@pytest_asyncio.fixture(loop_scope="session")
async def city(city_url: str, clock: ManualClock) -> AsyncIterator[ConsoleReady]:
    async with citizens_city(city_url, clock) as ready:
        yield ready


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).first.click()


async def staff_logs_in(page: Page, password: str) -> None:
    await page.get_by_label("账号").fill("admin")
    await page.get_by_label("密码", exact=True).fill(password)
    await press(page, "登录")


async def administrator(browser: Browser, city: ConsoleReady, **more: Any) -> Page:
    """A staff member's browser with a session of its own."""
    keeper = Keeper(city.url)
    await keeper.enter(city)
    await keeper.http.close()
    context = await browser.new_context(viewport={"width": 1366, "height": 800}, **more)
    page = await watched(context, [])
    await page.goto(f"{city.url}/login")
    await staff_logs_in(page, NEW_PASSWORD)
    await expect(page.get_by_text("admin").first).to_be_visible()
    return page


async def force_out(city: ConsoleReady) -> None:
    """What the keeper of accounts does to all logins of the administrator."""
    (first,) = [one.password for one in city.one_time_passwords if one.account == "security"]
    keeper = Keeper(city.url)
    try:
        await keeper.login(first, "security")
        await keeper.submit(
            "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
        )
        listed = (await keeper.get("/accounts?q=admin"))[1]
        account = re.search(r'href="(/accounts/[\w-]{8,})">\s*admin<', listed)
        assert account is not None
        keys = re.findall(r'name="key" value="([0-9a-f]{64})"', (await keeper.get(account[1]))[1])
        assert keys
        for key in keys:
            path = f"{account[1]}/sessions/end"
            assert (await keeper.submit(account[1], path, key=key))[0] == 200
    finally:
        await keeper.http.close()


async def test_what_staff_typed_is_sent_after_a_forced_logout_without_scripts(
    city: ConsoleReady, browser: Browser
) -> None:
    page = await administrator(browser, city, java_script_enabled=False)
    await page.goto(f"{city.url}/departments/new")
    await page.locator("#f-id").fill("renshe")
    await page.locator("#f-name").fill("人社局 “一” & <二>")
    await page.locator("#f-code").fill("C-9")
    await force_out(city)
    await page.locator("form[action='/departments'] button").click()
    await expect(page.get_by_role("heading", name="内容还没有提交")).to_be_visible()
    await expect(page.get_by_text("已被强制下线")).to_be_visible()
    await expect(page.get_by_text("人社局 “一” & <二>")).to_be_visible()
    await picture(page, "unsent-staff", whole=True)
    await press(page, "继续")
    await expect(page.get_by_text("什么都没有丢")).to_be_visible()

    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="登录（新标签页）").click()
    await staff_logs_in(await opened.value, NEW_PASSWORD)
    await expect((await opened.value).get_by_text("admin").first).to_be_visible()
    await press(page, "继续")
    await expect(page.get_by_text("现在登录的是：admin")).to_be_visible()
    await picture(page, "unsent-staff-again", whole=True)
    await press(page, "提交")
    await expect(page).to_have_url(re.compile(r"/departments\?done="))
    await expect(page.get_by_text("人社局 “一” & <二>").first).to_be_visible()


async def citizen_logs_in(page: Page, user: str) -> None:
    await page.get_by_role("link", name="用统一身份认证登录").click()
    await page.locator(f"input[value={user}]").check()
    await page.locator("button[name=allow]").click()


async def test_what_a_citizen_typed_is_sent_after_a_pause_without_scripts(
    city: ConsoleReady, browser: Browser, clock: ManualClock
) -> None:
    context = await browser.new_context(
        viewport={"width": 320, "height": 700}, java_script_enabled=False
    )
    page = await watched(context, [])
    await page.goto(f"{city.url}/c/login?next=/c/me/requests")
    await citizen_logs_in(page, "person-citizen")
    await page.get_by_role("checkbox").check()
    await press(page, "同意并继续")
    await page.locator("input[value=correct]").check()
    await page.locator("#words").fill(WORDS)
    await clock.advance(IDLE_S)
    await page.locator("form.c-form button").click()
    await expect(page.get_by_text("您很久没有操作")).to_be_visible()
    await expect(page.get_by_text("应为“张某”")).to_be_visible()
    await picture(page, "unsent-citizen", whole=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    async with context.expect_page() as opened:
        await page.get_by_role("link", name="登录（新标签页）").click()
    await citizen_logs_in(await opened.value, "person-citizen")
    await press(page, "继续")
    await expect(page.get_by_text("现在登录的是")).to_be_visible()
    await picture(page, "unsent-citizen-again", whole=True)
    await press(page, "提交")
    await expect(page).to_have_url(re.compile(r"/c/me/requests\?done="))
    async with city.city.db.read() as uow:
        (row,) = await uow.all(sa.select(m.request))
    assert row["kind"] == "correct"


async def test_a_firms_form_is_sent_in_another_name_by_a_press_that_says_so(
    city: ConsoleReady, browser: Browser
) -> None:
    context = await browser.new_context(viewport={"width": 320, "height": 700})
    page = await watched(context, [])
    await page.goto(f"{city.url}/c/login?next=/c/me/requests")
    await citizen_logs_in(page, "agent-woman")
    firms = page.locator("input[name=firm]")
    await page.get_by_role("checkbox").check()
    await press(page, "同意并继续")
    await page.goto(f"{city.url}/c/acting?next=/c/me/requests")
    await firms.nth(1).check()
    await page.locator("form.c-form button").click()
    await page.locator("input[value=correct]").check()
    await page.locator("#words").fill(WORDS)
    other = await context.new_page()
    await other.goto(f"{city.url}/c/acting")
    await other.locator("input[name=firm]").nth(2).check()
    await other.locator("form.c-form button").click()
    await expect(other.get_by_text("您正在为")).to_be_visible()
    await page.locator("form.c-form button").click()
    await expect(page.get_by_text("为另一方（本人或另一家单位）办理")).to_be_visible()
    await picture(page, "unsent-acting", whole=True)
    assert await axe_finds(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.locator(".c-menu > summary").click()
    await picture(page, "unsent-acting-menu", whole=True)
    await press(page, "English")
    await expect(page.get_by_text("acted for somebody else")).to_be_visible()
    await page.set_viewport_size({"width": 1366, "height": 800})
    await picture(page, "unsent-acting-en", whole=True)
    await page.get_by_role("button", name="Send it for").click()
    await expect(page).to_have_url(re.compile(r"/c/me/requests\?done="))


async def test_a_live_page_is_not_taken_from_under_the_hands(
    city: ConsoleReady, browser: Browser, clock: ManualClock
) -> None:
    page = await administrator(browser, city)
    await page.goto(f"{city.url}/departments/new")
    await expect(page.locator(".bell-box .bell")).to_be_visible()
    await page.locator("#f-name").fill("半句话")
    await clock.advance(IDLE_S)
    again = "document.body.dispatchEvent(new CustomEvent('live:alarms'))"
    await page.evaluate(again)
    await expect(page.get_by_text("您填写的都还在这一页上")).to_be_visible()
    assert await axe_finds(page) == []
    await picture(page, "unsent-live", whole=True)
    assert await page.locator("#f-name").input_value() == "半句话"
    await page.locator("#f-name").fill("")
    await page.evaluate(again)
    await expect(page).to_have_url(re.compile("/login"))


async def serve(body: str, route: Route) -> None:
    await route.fulfill(body=body, content_type="text/html")


async def test_another_sites_page_shows_nobody_what_it_planted(
    city: ConsoleReady, browser: Browser
) -> None:
    page = await administrator(browser, city)
    await page.goto(f"{city.url}/departments/new")
    token = await page.locator("input[name=csrf]").first.input_value()
    elsewhere = city.url.replace("127.0.0.1", "localhost")
    for how in ("page", "frame"):
        planted = await page.context.new_page()
        form = CROSS.format(to=city.url, token=token[:-1] + "x")
        frame = f'<iframe name="f"></iframe>{form.replace("<form", chr(60) + "form target=f")}'
        body = form if how == "page" else frame
        await planted.route(f"{elsewhere}/planted", partial(serve, body))
        await planted.goto(f"{elsewhere}/planted")
        if how == "frame":
            async with planted.expect_event(
                "requestfailed", lambda one: one.url.endswith("/departments")
            ) as failed:
                await planted.get_by_role("button").click()
            assert "BLOCKED" in str((await failed.value).failure), "nobody frames a page of ours"
            continue
        async with planted.expect_response(re.compile(r"/departments$")) as answered:
            await planted.get_by_role("button").click()
        assert (await answered.value).status == 403
        await expect(planted.get_by_text("没有执行")).to_be_visible()
        assert await planted.locator("form.unsent").count() == 0
