"""A clerk logs in on a call pad by scanning its code with a phone (扫码登录)."""

import pytest
from manager_browser import PASSWORD, Manager, axe_finds, watched
from pictures import picture
from playwright.async_api import Page, expect

from qingting.contract.states import StaffRole

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PAD, PHONE = (1280, 800), {"width": 390, "height": 844}


async def scanned(manager: Manager, pad: Page, frames: list[str]) -> str:
    """The path in the code that the pad shows; ``frames`` is what its line brought."""
    await pad.click("[data-test=scan]")
    await expect(pad.locator("[data-test=scan-code]")).to_be_visible()
    found = [one.split("/scan/")[1].split('"')[0] for one in frames if "/scan/" in one]
    return f"/scan/{found[-1]}"


async def listening_pad(manager: Manager) -> tuple[Page, list[str]]:
    """A call pad before its login, and what its line brings."""
    pad = await manager.screen("cp-1", "/tablet/call.html", PAD)
    frames: list[str] = []
    pad.on(
        "websocket",
        lambda line: line.on("framereceived", lambda one: frames.append(str(one))),
    )
    await expect(pad.locator("input[name=number]")).to_be_visible()
    await pad.reload()
    return pad, frames


async def test_a_clerk_scans_the_pads_code_and_the_pad_opens_in_the_language_of_the_phone_page(
    manager: Manager,
) -> None:
    clerk = next(one for one in manager.desk.state.staff.values() if one.role is StaffRole.CLERK)
    await manager.desk.accounts.staff.put(clerk.id, PASSWORD, must_change=False)
    pad, frames = await listening_pad(manager)
    path = await scanned(manager, pad, frames)
    await picture(pad, "call-pad-scan")
    assert manager.page.context.browser is not None
    context = await manager.page.context.browser.new_context(viewport=PHONE, locale="zh-CN")
    phone = await watched(context, manager.complaints)
    await phone.goto(f"{manager.base}{path}?lang=en")
    assert await axe_finds(phone) == []
    await phone.fill("#f-number", clerk.number)
    await phone.fill("#f-password", PASSWORD)
    await phone.click("form.panel button[type=submit]")
    await expect(phone.locator("html")).to_have_attribute("lang", "en")
    await expect(phone.locator(".scan-facts")).to_contain_text(clerk.number)
    assert await axe_finds(phone) == []
    await picture(phone, "call-pad-scan-phone")
    await phone.click("form.stack >> nth=0 >> button[type=submit]")
    await expect(phone.locator(".scan-facts")).to_be_visible()
    await expect(pad.locator("[data-test=primary]")).to_contain_text("开始服务")
    await expect(pad.get_by_text(clerk.name).first).to_be_visible()
    assert manager.complaints == []
