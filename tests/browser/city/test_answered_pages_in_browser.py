"""Pages that answer a press and have no address of their own: a preview, a password that is shown once. Each fits the
narrowest phone, does without scripts and is accessible, like those that a link leads to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from citizen_stage import citizens_city
from city_hall import START
from console_browser import NEW_PASSWORD
from crawl import NARROWEST, Crawl, press_and_look
from people import first_login
from playwright.async_api import Browser, BrowserContext, Page, expect
from sessions_of_staff import session_of
from test_second_factor import code

from console.app.server import ConsoleReady
from console.modules.catalogue.cells import COLUMNS
from console.modules.organisation.cells import (
    DEPARTMENT_COLUMNS,
    DIVISION_COLUMNS,
    STAFF_COLUMNS,
)
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.web.sheets import csv_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
SHEETS: Mapping[str, tuple[Mapping[str, Sequence[str]], Mapping[str, str], Mapping[str, str]]] = {
    "/divisions/import": (
        DIVISION_COLUMNS, {"code": "230602013001", "name": "铁人村"}, {"code": "23", "name": "没有"}
    ),
    "/departments/import": (
        DEPARTMENT_COLUMNS,
        {"id": "d901", "name": "档案局", "division": "230600"}, {"id": "d902", "division": "9"},
    ),
    "/staff/import": (
        STAFF_COLUMNS,
        {"number": "7001", "name": "郑一", "division": "230602"}, {"number": "7002", "division": "9"},
    ),
    "/catalogue/import": (COLUMNS, {"code": "x", "name": "没有编码"}, {"name": "也没有"}),
}  # fmt: skip
"""The columns of a sheet, and two rows of which one is bad at least."""


def clock() -> ManualClock:
    """Of the city's time, which stands still."""
    return ManualClock(START + 3_600_000)


@pytest_asyncio.fixture(loop_scope="session")
async def city(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with citizens_city(city_url, clock()) as one:
        yield one


class Pressing:
    """One person's page, whose answers to presses are looked at."""

    def __init__(self, url: str, page: Page, found: Crawl) -> None:
        self.url, self.page, self._found = url, page, found
        page.on("dialog", lambda asked: asked.accept())

    async def of(self, context: BrowserContext) -> "Pressing":
        """The same of somebody else."""
        return Pressing(self.url, await context.new_page(), self._found)

    async def at(self, path: str) -> None:
        await self.page.set_viewport_size({"width": NARROWEST, "height": 640})
        await self.page.goto(f"{self.url}{path}")

    async def press(self, text: str, name: str, status: int = 200) -> None:
        button = self.page.get_by_role("main").get_by_role("button", name=text, exact=True)
        await press_and_look(button.first, self._found, name, status)


async def test_every_page_that_answers_a_press_fits_does_without_scripts_and_is_accessible(
    city: ConsoleReady, browser: Browser
) -> None:
    found = Crawl()
    walks = {
        "system": (sheets, a_wording, a_rule),
        "security": (an_account_and_its_second_factor, integrators),
    }
    async with AsyncExitStack() as stack:
        sessions = {one: await session_of(stack, city, browser, one) for one in walks}
        for role, each in walks.items():
            for walk in each:
                await walk(Pressing(city.url, await sessions[role].new_page(), found))
    assert found.faults == []
    assert len(found.seen) == len(SHEETS) + 8


async def sheets(one: Pressing) -> None:
    for path, (columns, *rows) in SHEETS.items():
        await one.at(path)
        cells = [[row.get(key, "") for key in columns] for row in rows]
        data = csv_of([heads[0] for heads in columns.values()], cells)
        file = {"name": "sheet.csv", "mimeType": "text/csv", "buffer": data}
        await one.page.set_input_files("input[type=file]", file)  # type: ignore[arg-type]
        await one.press("预览", f"preview of {path}")


async def a_wording(one: Pressing) -> None:
    await one.at("/notifications/topics")
    await one.page.locator("main a[href^='/notifications/topics/']").first.click()
    await one.page.locator("main a[href*='/sms/']").first.click()
    await one.press("预览", "preview of a wording")


async def an_account_and_its_second_factor(one: Pressing) -> None:
    await one.at("/accounts/new")
    await one.page.fill("input[name=name]", "zheng.yi")
    await one.press("建立账号", "password of a new account")
    await one.at("/accounts?q=zheng.yi")
    await one.page.get_by_role("main").get_by_role("link", name="zheng.yi").first.click()
    await one.press("重置密码", "password that was renewed")
    password = await one.page.locator(".wall-code").inner_text()
    browser = one.page.context.browser
    assert browser is not None
    own = await one.of(await browser.new_context(locale="zh-CN"))
    await first_login(own.page, f"{one.url}/login", "zheng.yi", password, NEW_PASSWORD)
    await expect(own.page.get_by_role("main")).to_be_visible()
    await own.at("/second-factor?renew=1")
    await own.page.locator("summary", has_text="手工").click()
    secret = (await own.page.locator("code.secret").inner_text()).replace(" ", "")
    await own.page.fill("input[name=passcode]", code(clock(), secret))
    await own.page.fill("input[name=present]", NEW_PASSWORD)
    await own.press("完成设置", "recovery codes")


async def integrators(one: Pressing) -> None:
    await one.at("/integrators/new")
    await one.page.fill("input[name=name]", "人社系统")
    await one.page.fill("input[name=id]", "renshe-system")
    await one.page.select_option("select[name=reach]", index=1)
    await one.page.locator("input[name=scopes]").first.check()
    await one.press("新建并显示密钥", "secret of a new integrator")
    await one.at("/integrators/renshe-system")
    await one.press("换新密钥", "secret that was renewed")


async def a_rule(one: Pressing) -> None:
    await one.at("/appointments/rules")
    await one.page.get_by_role("main").get_by_role("button").first.click()
    await one.press("先看效果", "what a rule would do")
    await one.page.fill("input[name=minutes]", "x")
    await one.press("先看效果", "a rule that cannot be", status=422)
