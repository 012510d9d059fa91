"""One demonstration for all journeys, as a user starts it, and people in front of its screens."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest_asyncio
from demo_stage import SIZES, Demo, OpenPage, start_demo
from patience import HANG_MS
from people import first_login
from playwright.async_api import Browser, BrowserContext, Page

NEW_PASSWORD = "Lotus-2026-pond"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo() -> AsyncIterator[Demo]:
    async with AsyncExitStack() as stack:
        yield await start_demo(stack)


class Profiles:
    """A browser profile for each screen: one that was paired once stays paired, like the real one. A window of
    its own also keeps it drawing at full speed while another screen is looked at."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._known: dict[str, BrowserContext] = {}

    async def page(self, kind: str, url: str) -> Page:
        if url not in self._known:
            self._known[url] = await self._chromium.new_context(locale="zh-CN")
        page = await self._known[url].new_page()
        width, height = SIZES[kind]
        await page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(HANG_MS)
        return page

    async def close(self) -> None:
        for context in self._known.values():
            await context.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def profiles(chromium: Browser) -> AsyncIterator[Profiles]:
    made = Profiles(chromium)
    yield made
    await made.close()


@dataclass
class Desks:
    """The city console and the hall manager's pages, past their first login."""

    console: Page
    manager: Page


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desks(demo: Demo, profiles: Profiles) -> AsyncIterator[Desks]:
    pages = []
    person = demo.hall["manager"]
    for url, account, password in (
        (demo.report["console"], demo.report["user"], demo.report["password"]),
        (demo.hall["manage"], person["number"], person["password"]),
    ):
        page = await profiles.page("desk", url)
        await first_login(page, url, account, password, NEW_PASSWORD)
        pages.append(page)
    yield Desks(*pages)


@pytest_asyncio.fixture(loop_scope="session")
async def screen(profiles: Profiles) -> AsyncIterator[OpenPage]:
    """Opens a page at the real size of its screen; a script error on any of them fails the test."""
    faults: list[str] = []
    pages: list[Page] = []

    async def opened(kind: str, url: str) -> Page:
        page = await profiles.page(kind, url)
        pages.append(page)
        page.on("pageerror", lambda error: faults.append(f"{url}: {error}"))
        await page.goto(url)
        return page

    yield opened
    for page in pages:
        await page.close()
    assert faults == []
