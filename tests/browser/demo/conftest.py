"""The whole demonstration as a user starts it, and people in front of its screens."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from demo_stage import PATIENCE_MS, SIZES, Demo, OpenPage, start_demo
from playwright.async_api import Browser, Page, async_playwright, expect


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    async with AsyncExitStack() as stack:
        yield await start_demo(stack)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield launched
        await launched.close()


@pytest.fixture
async def screen(browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens a page at the real size of its screen; a script error on any of them fails the test."""
    faults: list[str] = []

    async def opened(kind: str, url: str) -> Page:
        width, height = SIZES[kind]
        context = await browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN"
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(f"{url}: {error}"))
        await page.goto(url)
        return page

    yield opened
    assert faults == []


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield
    expect.set_options(timeout=5000)
