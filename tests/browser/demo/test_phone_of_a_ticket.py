"""The QR code on the paper of the demonstration, opened by a phone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from demo_stage import Demo, OpenPage, shot
from patience import limit_ms
from people import go_home, log_in, press, take_number
from playwright.async_api import BrowserContext, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]


@pytest_asyncio.fixture(loop_scope="session")
async def phone(context: BrowserContext) -> AsyncIterator[Page]:
    """A citizen's own phone: nothing of the hall's screens is on it."""
    assert context.browser is not None
    own = await context.browser.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", device_scale_factor=2
    )
    yield await own.new_page()
    await own.close()


async def start_work(pad: Page, clerk: dict[str, str]) -> None:
    """Logs in and opens the window, as far as the day's other tests have not."""
    await expect(pad.locator("input[name=number], [data-test=primary]").first).to_be_visible()
    if await pad.locator("input[name=number]").count():
        await log_in(pad, clerk)
    primary = pad.locator("[data-test=primary]")
    await expect(primary).to_be_visible()
    if "开始服务" in await primary.inner_text():
        await press(pad, "开始服务")


async def serve_until(pad: Page, number: str) -> None:
    """Serves whoever waits before ``number``."""
    primary = pad.locator("[data-test=primary]")
    while True:
        await expect(primary).to_be_enabled()
        label = (await primary.inner_text()).split("\n")[0]
        if label == f"呼叫 {number}":
            return
        await press(pad, label)
        await expect(primary).not_to_contain_text(label)


async def test_from_the_printed_code_to_the_rating(
    demo: Demo, screen: OpenPage, phone: Page
) -> None:
    kiosk = await screen("kiosk", demo.url("k1"))
    pad = await screen("call_pad", demo.url("cp-1"))
    await start_work(pad, demo.hall["clerks"][0])
    number = await take_number(kiosk, demo)
    await expect(kiosk.locator("[data-paper=printed]")).to_be_visible()
    await go_home(kiosk)
    paper = await demo.printed("k1-printer")
    assert number in "".join(paper["lines"])
    await phone.goto(demo.code("k1-printer", paper["no"]))
    assert "/t/" in phone.url
    await expect(phone.locator("h1")).to_contain_text(number)
    await phone.wait_for_selector("#line.live")
    await shot(phone, "phone-of-a-printed-ticket")
    await serve_until(pad, number)
    await press(pad, f"呼叫 {number}")
    await expect(phone.locator("#say")).to_contain_text("号窗口", timeout=limit_ms(1))
    await press(pad, f"开始办理 {number}")
    await press(pad, f"办结 {number}")
    await phone.click("#rate")
    await phone.click("label[for=level-satisfied]")
    await phone.click("text=提交评价")
    await expect(phone.locator("#say")).to_contain_text("也评价过了")
    rate = await screen("rating_pad", demo.url("rp-1"))
    await expect(rate.locator("[data-test=level-satisfied]")).to_have_count(0)
