"""A clerk's hands at a real call pad in Chromium."""

from typing import Any

from patience import HANG_MS
from playwright.async_api import Browser, Page, expect

from qingting.contract.ids import StaffId
from qingting.contract.states import DeviceKind

SmallHall = Any
PASSWORD = "Lotus-2026-pond"


async def pad_of(browser: Browser, address: str) -> Page:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(HANG_MS)
    await page.goto(address)
    return page


async def clerk_at_desk(hall: SmallHall, browser: Browser) -> Page:
    """A paired call pad whose clerk has logged in and opened the window."""
    await hall.accounts.staff.seed({StaffId("s-01"): PASSWORD})
    code = await hall.code_for("pad3", DeviceKind.CALL_PAD)
    pad = await pad_of(browser, hall.page("call", code))
    await log_in(pad)
    await press(pad, "开始服务")
    await expect(pad.get_by_text("正在服务")).to_be_visible()
    return pad


async def log_in(pad: Page) -> None:
    await pad.fill("input[name=number]", "0101")
    await pad.fill("input[name=password]", PASSWORD)
    await pad.click("button[type=submit]")


async def press(pad: Page, label: str) -> None:
    """Presses the big button once it says ``label`` and a hurried second tap would be void."""
    button = pad.locator("[data-test=primary]")
    await expect(button).to_contain_text(label)
    await expect(button).to_be_enabled()
    await pad.wait_for_timeout(700)
    await button.click()
