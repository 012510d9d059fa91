"""A page that previews by itself keeps what is typed on it when its login ends, and goes on after the next one."""

import re

import pytest
from manager_browser import PASSWORD, Manager, axe_finds
from pictures import picture
from playwright.async_api import expect

from qingting.contract.ids import StaffId
from qingting.contract.states import StaffRole

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
HOURS = "/manage/hours"


async def test_a_page_with_a_preview_goes_on_after_the_next_login(manager: Manager) -> None:
    page, desk = manager.page, manager.desk
    who = next(one for one in desk.state.staff.values() if one.role is StaffRole.MANAGER)
    await page.goto(manager.base + HOURS)
    await desk.accounts.sessions.drop_subject(StaffId(who.id))
    await page.locator("[name=early_minutes]").fill("17")
    way = page.get_by_role("link", name="登录（新标签页）")
    await expect(way).to_be_visible()
    await expect(page.locator("[name=early_minutes]")).to_be_focused()
    assert await axe_finds(page) == []
    await picture(page, "unsent-hall-preview")
    async with page.context.expect_page() as opened:
        await way.click()
    other = await opened.value
    await other.fill("#f-number", who.number)
    await other.fill("#f-password", PASSWORD)
    await other.click("button[type=submit]")
    await other.wait_for_selector("#now")

    assert await page.locator("[name=early_minutes]").input_value() == "17"
    await page.locator("[name=last_minutes]").fill("3")
    await expect(page.get_by_text("请再按一次")).to_be_visible()
    await page.locator("button[name=do][value=save]").click()
    await expect(page).to_have_url(re.compile("done="))
    config = desk.state.config
    assert config is not None
    assert (config.calendar.early_minutes, config.calendar.last_minutes) == (17, 3)
