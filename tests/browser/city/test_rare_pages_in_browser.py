"""Pages that no link of a fresh city leads to: what they are for has happened, and each fits the narrowest phone, does without
scripts and is accessible."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from console_browser import NEW_PASSWORD
from crawl import Crawl, look_at
from manager_browser import watched
from pages_looked_at import RARE, not_among
from pictures import picture
from playwright.async_api import Browser, BrowserContext, Page, expect
from rare_city import CITIZEN, RareCity, rare_city
from sessions_of_staff import session_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
BY_STAFF = {
    "system": (
        "/alarms/1",
        "/alarms/receivers/edit/duty",
        "/backups",
        "/backups/restore?file={archive}",
        "/backups/kept/{former}/drop",
        "/backups/kept/{former}/restore",
        "/catalogue/sync/conflicts/{clashing}",
        "/catalogue/sync/runs/1",
        "/configuration-copies",
        "/departments",
        "/departments/edit/renshe",
        "/jobs",
        "/jobs/1",
        "/notifications",
        "/notifications/1",
        "/notifications/parked",
        "/rollouts/1",
        "/staff/edit/0901",
    ),
    "security": ("/integrators", "/integrators/bureau", "/integrators/bureau/edit"),
    "city_supervisor": (
        "/appointments/one/{appointment}",
        "/exports/new/requests",
        "/personal/requests/1",
        "/requests",
        "/requests/1",
        "/requests/new",
    ),
}
BY_CITIZEN = ("{booking}", "{booking}/cancel", "{times}")
BY_ANYBODY = ("/wall/enter", "/c/login")


@pytest_asyncio.fixture(loop_scope="session")
async def city(city_url: str, tmp_path: Path) -> AsyncIterator[RareCity]:
    async with rare_city(city_url, tmp_path) as one:
        yield one


class Looking:
    """Somebody's pages, one after the other."""

    def __init__(self, city: RareCity, page: Page, found: Crawl) -> None:
        self._city, self.page, self._found = city, page, found

    async def at(self, *paths: str) -> None:
        for path in paths:
            await look_at(self.page, self._city.url(path), self._found)


async def citizen(city: RareCity, browser: Browser) -> Page:
    page = await (await browser.new_context(locale="zh-CN")).new_page()
    await page.goto(city.url("/c/login/go?next=/c/bookings"))
    await page.locator(f"input[value={CITIZEN}]").check()
    await page.locator("button[name=allow]").click()
    await expect(page.get_by_role("main")).to_be_visible()
    return page


async def test_every_rare_page_fits_the_narrowest_phone_does_without_scripts_and_is_accessible(
    city: RareCity, browser: Browser
) -> None:
    found = Crawl()
    async with AsyncExitStack() as stack:
        sessions = {role: await session_of(stack, city.ready, browser, role) for role in BY_STAFF}
        await asyncio.gather(
            *(_of_staff(city, sessions[role], found, *paths) for role, paths in BY_STAFF.items()),
            _the_code_of_a_login(city, browser, sessions["system"], found),
            _of_a_citizen(city, browser, found),
            _before_a_login(city, browser, found),
        )
    assert found.faults == []
    assert not_among(RARE, found.seen) == []


async def _of_staff(city: RareCity, context: BrowserContext, found: Crawl, *paths: str) -> None:
    await Looking(city, await context.new_page(), found).at(*paths)


async def _of_a_citizen(city: RareCity, browser: Browser, found: Crawl) -> None:
    page = await citizen(city, browser)
    looking = Looking(city, page, found)
    await looking.at(*BY_CITIZEN)
    await page.goto(city.url("/c/messages"))
    message = await page.locator(
        "a[href^='/c/messages/']:not([href$=choices])"
    ).first.get_attribute("href")
    await page.goto(city.url("{other_times}"))
    await page.locator("button.c-place").first.click()
    await expect(page.get_by_role("heading", name="确认预约")).to_be_visible()
    await looking.at(str(message), page.url)


async def _the_code_of_a_login(
    city: RareCity, browser: Browser, confirming: BrowserContext, found: Crawl
) -> None:
    """A computer shows a code; a telephone that is logged in is asked about it."""
    desk = await browser.new_context(locale="zh-CN")
    await (await desk.new_page()).goto(city.url("/login/scan"))
    (token,) = [one["value"] for one in await desk.cookies() if one["name"] == "qt_scan"]
    looking = Looking(city, await confirming.new_page(), found)
    await looking.at(f"/scan/{token.partition('.')[0]}")


async def _before_a_login(city: RareCity, browser: Browser, found: Crawl) -> None:
    page = await (await browser.new_context(locale="zh-CN")).new_page()
    looking = Looking(city, page, found)
    await looking.at(*BY_ANYBODY)
    await page.goto(city.url("/login"))
    await page.get_by_label("账号").fill("security")
    await page.get_by_label("密码", exact=True).fill(NEW_PASSWORD)
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_label("动态口令")).to_be_visible()
    await looking.at("/login/second")


async def test_what_waits_after_a_restore_is_decided_on_a_phone_without_scripts(
    city: RareCity, browser: Browser
) -> None:
    """Both answers are in reach at the width of the narrowest phone, and say what they are about."""
    async with AsyncExitStack() as stack:
        context = await session_of(stack, city.ready, browser, "system", java_script_enabled=False)
        page = await watched(context, [])
        await page.set_viewport_size({"width": 320, "height": 640})
        await page.goto(city.url("/notifications/parked"))
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(2)
        await picture(page, "notifications-parked-phone", whole=True)
        for answer, left in (("不发", 1), ("发送", 0)):
            await rows.first.get_by_role("button", name=answer, exact=True).click()
            await expect(rows).to_have_count(left)
        await expect(page.get_by_text("没有待定的消息")).to_be_visible()
