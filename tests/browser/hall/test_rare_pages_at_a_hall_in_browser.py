"""Pages of a hall that its menu does not lead to: of one device, a backup, a trial, a template of its own, a code to scan. Each fits the
narrowest phone, does without scripts and is accessible."""

import pytest
from crawl import Crawl, look_at
from manager_browser import Manager
from pages_looked_at import HALL_NO_PAGE, HALL_PAGES, not_among
from playwright.async_api import Browser, Page, expect
from test_scan_login_in_browser import listening_pad, scanned

from qingting.contract.states import DeviceKind

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def link_to(page: Page, starts: str, but: str = "/copy") -> str:
    """The address of the last link to a thing of a list."""
    found = page.locator(f"main a[href^='{starts}']:not([href$='{but}'], [href*='/new'])").last
    return str(await found.get_attribute("href"))


async def saved(page: Page, base: str, start: str, home: str) -> str:
    """The page of a template that is made of the one at ``start``."""
    await page.goto(base + start)
    await page.fill("input[name=name]", "一楼东侧")
    await page.click("button[value=save]")
    await expect(page.get_by_text("已保存").first).to_be_visible()
    await page.goto(base + home)
    return await link_to(page, f"{home}/")


async def a_backup(page: Page, base: str) -> str:
    await page.goto(f"{base}/manage/backups")
    await page.click("text=立即备份")
    await page.wait_for_selector("text=条记录，完整无误")
    return await link_to(page, "/manage/backups/")


async def a_trial(page: Page, base: str) -> str:
    await page.goto(f"{base}/manage/rules/edit")
    await page.fill("input[name=name]", "控制优先规则")
    await page.click("button[value=try]")
    await page.wait_for_selector("text=启用这套规则")
    return page.url


async def a_code(manager: Manager) -> str:
    """What the code of a call pad leads a telephone to."""
    return await scanned(manager, *await listening_pad(manager))


async def test_every_rare_page_fits_the_narrowest_phone_does_without_scripts_and_is_accessible(
    manager: Manager, browser: Browser
) -> None:
    hall, page, base = manager.hall, manager.page, manager.base
    printer = next(
        one for one in manager.desk.state.devices.values() if one.kind is DeviceKind.PRINTER
    )
    code = await a_code(manager)
    rare = (
        code,
        f"/manage/devices/{printer.id}",
        await a_backup(page, base),
        await saved(page, base, "/manage/boards/new/area", "/manage/boards"),
        await saved(page, base, "/manage/ticket-layouts/builtin/copy", "/manage/ticket-layouts"),
        await saved(page, base, "/manage/kiosk-screens/builtin/copy", "/manage/kiosk-screens"),
        await a_trial(page, base),
    )
    stranger = await (await browser.new_context(locale="zh-CN")).new_page()
    found = Crawl(routes=tuple(sorted(hall.routes)))
    for who, paths in ((page, rare), (stranger, ("/", "/manage/login", code))):
        for path in paths:
            await look_at(who, path if path.startswith("http") else base + path, found)
    assert found.faults == []
    assert not_among(set(hall.routes) - HALL_NO_PAGE, {*found.seen, *HALL_PAGES}) == []
