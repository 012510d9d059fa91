"""One demonstration for all journeys, as a user starts it, and people in front of its screens."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest_asyncio
from demo_stage import SIZES, Demo, OpenPage, start_demo
from patience import HANG_MS
from people import first_login
from playwright.async_api import BrowserContext, Page, async_playwright

NEW_PASSWORD = "Lotus-2026-pond"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo() -> AsyncIterator[Demo]:
    async with AsyncExitStack() as stack:
        yield await start_demo(stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context() -> AsyncIterator[BrowserContext]:
    """One browser profile: a screen that was paired once stays paired, like the real one."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield await browser.new_context(locale="zh-CN")
        await browser.close()


@dataclass
class Desks:
    """The city console and the hall manager's pages, past their first login."""

    console: Page
    manager: Page


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desks(demo: Demo, context: BrowserContext) -> AsyncIterator[Desks]:
    pages = []
    person = demo.hall["manager"]
    for url, account, password in (
        (demo.report["console"], demo.report["user"], demo.report["password"]),
        (demo.hall["manage"], person["number"], person["password"]),
    ):
        page = await sized(context, "desk")
        await first_login(page, url, account, password, NEW_PASSWORD)
        pages.append(page)
    yield Desks(*pages)


@pytest_asyncio.fixture(loop_scope="session")
async def screen(context: BrowserContext) -> AsyncIterator[OpenPage]:
    """Opens a page at the real size of its screen; a script error on any of them fails the test."""
    faults: list[str] = []
    pages: list[Page] = []

    async def opened(kind: str, url: str) -> Page:
        page = await sized(context, kind)
        pages.append(page)
        page.on("pageerror", lambda error: faults.append(f"{url}: {error}"))
        await page.goto(url)
        return page

    yield opened
    for page in pages:
        await page.close()
    assert faults == []


async def sized(context: BrowserContext, kind: str) -> Page:
    page = await context.new_page()
    width, height = SIZES[kind]
    await page.set_viewport_size({"width": width, "height": height})
    page.set_default_timeout(HANG_MS)
    return page
