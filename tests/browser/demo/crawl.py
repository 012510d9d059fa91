"""Walks through all pages that somebody can reach by links, as one without scripts on the narrowest phone does."""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from playwright.async_api import Browser, BrowserContext, Page, StorageState

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NARROWEST = 320
SAMPLES = 2
"""Pages of one route that are looked at: lists differ from empty lists, drafts from what is published."""
LINKS = "[...document.querySelectorAll('a[href]')].map(one => one.href)"
WIDER = """[...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    if (box.width === 0 || box.right <= innerWidth + 1) return false;
    for (let up = one.parentElement; up; up = up.parentElement)
        if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(up).overflowX)) return false;
    return getComputedStyle(one).position !== 'fixed';
}).slice(0, 2).map(one => one.outerHTML.slice(0, 120))"""
"""What makes the page wider than the screen; wide tables scroll within a box of their own."""
NEEDS_SCRIPT = """[...document.querySelectorAll('[hx-get], [hx-post], button:not([form])')].filter(one => {
    if (one.matches('a[href], form[action]') || one.closest('form')) return false;
    const wakes = one.getAttribute('hx-trigger') || '';
    return !/live|load|every|sse|refresh/.test(wakes) && !one.closest('[data-script]');
}).slice(0, 3).map(one => one.outerHTML.slice(0, 160))"""
"""Controls that do nothing without scripts; parts that only renew themselves are none."""


@dataclass
class Crawl:
    """What was found. ``seen`` counts pages by route; ``faults`` name the page."""

    routes: tuple[str, ...]
    seen: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def route(self, path: str) -> str:
        """The route an address belongs to, by the list of routes; itself when it is in none."""
        if path in self.routes:
            return path
        for one in self.routes:
            if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(one)), path):
                return one
        return path


async def crawl(browser: Browser, session: StorageState, start: str, found: Crawl) -> None:
    """From ``start`` over all links of the same site, as whoever has ``session``: each page once without scripts,
    where all its controls must do, and once with them, under axe."""
    plain = await browser.new_context(
        locale="zh-CN", storage_state=session, java_script_enabled=False
    )
    lively = await browser.new_context(locale="zh-CN", storage_state=session)
    pages = [await one.new_page() for one in (plain, lively)]
    for page in pages:
        await page.set_viewport_size({"width": NARROWEST, "height": 640})
    todo, known = deque([start]), {start}
    while todo:
        url = todo.popleft()
        route = found.route(urlsplit(url).path)
        if found.seen.get(route, 0) >= SAMPLES or not await _is_page(plain, url, route, found):
            continue
        found.seen[route] = found.seen.get(route, 0) + 1
        for link in await _links(pages[0], url, found):
            target = urljoin(url, link).partition("#")[0]
            if urlsplit(target).netloc == urlsplit(start).netloc and target not in known:
                known.add(target)
                todo.append(target)
        await _look(pages[1], url, found)
    for context in (plain, lively):
        await context.close()


async def _is_page(context: BrowserContext, url: str, route: str, found: Crawl) -> bool:
    """False for files, and for what is refused: a link that leads nowhere is a fault."""
    head = await context.request.get(url, max_redirects=0)
    if head.status >= 400:
        found.faults.append(f"{url}: {head.status}")
        return False
    if "text/html" in head.headers.get("content-type", "") and head.status < 300:
        return True
    found.seen[route] = found.seen.get(route, 0) + 1
    return False


async def _links(page: Page, url: str, found: Crawl) -> list[str]:
    await page.goto(url)
    for control in await page.evaluate(NEEDS_SCRIPT):
        found.faults.append(f"{url}: needs a script: {control}")
    links: list[str] = await page.evaluate(LINKS)
    return links


async def _look(page: Page, url: str, found: Crawl) -> None:
    await page.goto(url)
    if await page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
        found.faults.append(f"{url}: wider than {NARROWEST}: {await page.evaluate(WIDER)}")
    await page.evaluate(await asyncio.to_thread(AXE.read_text, "utf-8"))
    report = await page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})")
    for one in report["violations"]:
        found.faults.append(f"{url}: {one['id']}: {one['nodes'][0]['html'][:120]}")
