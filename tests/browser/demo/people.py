"""What citizens, clerks and managers do at the screens, step by step."""

import re
from typing import Any

from playwright.async_api import Page, expect


async def choose_item(kiosk: Page, letters: str = "jmsfzhl", item: str = "id-renew") -> None:
    """Finds an item by the initials of its reading."""
    await kiosk.click("[data-act=search]")
    for letter in letters:
        await kiosk.click(f"[data-key={letter}]")
    await kiosk.click(f"[data-choice={item}]")


async def take_number(kiosk: Page, demo: Any, card: str = "citizen") -> str:
    """The whole way at the kiosk with an ID card; returns the number."""
    await choose_item(kiosk)
    await kiosk.click("[data-act=proceed]")
    await kiosk.click("[data-act=agree]")
    await demo.device("k1-reader", "put", card=card)
    await kiosk.click("[data-act=confirm]")
    number = kiosk.locator("[data-number]")
    await expect(number).to_have_text(re.compile(r"[A-Z]\d{3}"))
    await demo.device("k1-reader", "take")
    return (await number.inner_text()).strip()


async def go_home(kiosk: Page) -> None:
    await kiosk.click("[data-act=done]")


async def log_in(pad: Page, person: dict[str, str]) -> None:
    await pad.fill("input[name=number]", person["number"])
    await pad.fill("input[name=password]", person["password"])
    await pad.click("button[type=submit]")


async def press(pad: Page, label: str) -> None:
    """Presses the call pad's big button once it says ``label``."""
    button = pad.locator("[data-test=primary]")
    await expect(button).to_contain_text(label)
    await expect(button).to_be_enabled()
    await pad.wait_for_timeout(700)
    await button.click()


async def first_login(page: Page, url: str, account: str, password: str, new: str) -> None:
    """A one-time password is used and replaced, on the city's or a hall's pages."""
    await page.goto(url)
    await page.fill("input[name=name], input[name=number]", account)
    await page.fill("input[name=password]", password)
    await page.click("form.panel button[type=submit]")
    await page.fill("input[name=present], input[name=old]", password)
    await page.fill("input[name=new]", new)
    await page.fill("input[name=again]", new)
    await page.click("form.panel button[type=submit]")


async def start_work(pad: Page, clerk: dict[str, str]) -> None:
    """Logs in and opens the window, as far as the day's other tests have not."""
    await expect(pad.locator("input[name=number], [data-test=primary]").first).to_be_visible()
    if await pad.locator("input[name=number]").count():
        await log_in(pad, clerk)
    primary = pad.locator("[data-test=primary]")
    await expect(primary).to_be_visible()
    if "开始服务" in await primary.inner_text():
        await press(pad, "开始服务")


async def call_up_to(pad: Page, number: str) -> None:
    """Serves whoever waits before ``number``, then calls it."""
    primary = pad.locator("[data-test=primary]")
    while True:
        await expect(primary).to_be_enabled()
        label = (await primary.inner_text()).split("\n")[0]
        await press(pad, label)
        if label == f"呼叫 {number}":
            return
        await expect(primary).not_to_contain_text(label)
