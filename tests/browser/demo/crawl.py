"""Walks through all pages that somebody can reach by links, and looks at each as whoever has the narrowest phone, no
scripts, a keyboard alone, high contrast or a screen reader meets it."""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from by_touch import LEAST, beyond, covered, too_small
from pages_looked_at import CITY_ROUTES, NO_PAGE, pattern
from playwright.async_api import APIResponse, BrowserContext, Error, Locator, Page, Response

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NARROWEST = 320
CITIZENS = ("/c/", "/c?")
NOT_FOLLOWED = ("/language", "/c/look")
"""Addresses that change how all further pages look."""
FORM_EACH = "/configurations/{hall}/parts/"
"""Routes whose pages differ by the part: each part has a form of its own, made from its type, and is looked at."""
LINKS = """html => [...new DOMParser().parseFromString(html, 'text/html').querySelectorAll('a[href]')]
    .map(one => one.getAttribute('href'))"""
WIDER = """[...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    if (box.width === 0 || box.right <= innerWidth + 1) return false;
    for (let up = one.parentElement; up; up = up.parentElement)
        if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(up).overflowX)) return false;
    return getComputedStyle(one).position !== 'fixed';
}).slice(0, 2).map(one => one.outerHTML.slice(0, 120))"""
"""What makes the page wider than the screen; wide tables scroll within a box of their own."""
NEEDS_SCRIPT = """html => [...new DOMParser().parseFromString(html, 'text/html')
    .querySelectorAll('[hx-get], [hx-post], button:not([form])')].filter(one => {
    if (one.matches('a[href], form[action]') || one.closest('form') || one.hidden) return false;
    const wakes = one.getAttribute('hx-trigger') || '';
    return !/live|load|every|sse|refresh/.test(wakes);
}).slice(0, 3).map(one => one.outerHTML.slice(0, 160))"""
"""Controls of the page as it is served that do nothing without scripts; parts that only renew themselves are none, and
what needs a script is hidden until one shows it."""

ALIKE = """for (const one of document.querySelectorAll('details')) one.open = true;
for (const list of document.querySelectorAll('body, body *')) {
    if (list.children.length < 6) continue;
    const met = new Map();
    for (const one of [...list.children]) {
        const shape = [one, ...one.querySelectorAll('*')].map(each => [each.localName, ...each.getAttributeNames(),
            each.getAttribute('class'), each.getAttribute('type')].join(' ')).join('|');
        met.set(shape, (met.get(shape) ?? 0) + 1);
        if (met.get(shape) > 2) one.remove();
    }
}"""
"""What is folded is unfolded; rows that are alike but for their words are looked at twice, not five hundred times."""
CHECKED = """rules => axe.run({...rules, resultTypes: ['violations'], preload: false}).then(
    found => found.violations.map(one => [one.id, one.nodes[0].html.slice(0, 120)]))"""
ACCESSIBLE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "rules": {"target-size": {"enabled": True}},
}
"""WCAG 2.1, and of 2.2 the least size of what is pressed (24 px), which axe leaves out unless it is named."""
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
UNSEEN = """known => {
    const found = [], kinds = [];
    document.activeElement?.blur();
    const look = one => { const css = getComputedStyle(one);
        return [css.outlineStyle, css.outlineWidth, css.outlineColor, css.boxShadow].join(' '); };
    for (const one of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')) {
        const kind = [one.localName, one.getAttribute('class'), one.getAttribute('type'),
            one.parentElement.getAttribute('class')].join(' ');
        if (known.includes(kind) || kinds.includes(kind) || !one.checkVisibility() || one.disabled) continue;
        const before = look(one);
        one.focus({ preventScroll: true });
        if (document.activeElement !== one) continue;
        kinds.push(kind);
        if (look(one) === before) found.push(one.outerHTML.slice(0, 120));
        one.blur();
    }
    return [kinds, found];
}"""
"""Controls that look the same with and without the focus; ``known`` kinds were seen on another page."""


@dataclass
class Crawl:
    """What was found. ``seen`` are the routes that were looked at, one page of each (:data:`FORM_EACH`: of each part);
    ``faults`` name the page. ``kinds`` of controls have shown how they look with the focus."""

    routes: tuple[str, ...] = CITY_ROUTES
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def route(self, path: str) -> str:
        """The route an address belongs to, by the list of routes; itself when it is in none."""
        if path in self.routes:
            return path
        for one in self.routes:
            if re.fullmatch(pattern(one), path):
                part = path.split("/")[4] if one.startswith(FORM_EACH) else ""
                return re.sub(r"\{(part|whole)\}", part, one) if part else one
        return path


async def crawl(context: BrowserContext, start: str, found: Crawl) -> None:
    """From ``start`` over all links of the same site, with the session of ``context``."""
    page = await context.new_page()
    await page.set_viewport_size({"width": NARROWEST, "height": 640})
    todo, known, walked = deque([start]), {start}, set[str]()
    while todo:
        url = todo.popleft()
        route = found.route(urlsplit(url).path)
        if route in walked or route in NOT_FOLLOWED:
            continue
        walked.add(route)
        again = route in found.seen
        found.seen.add(route)
        for link in await _look(page, url, found, again=again):
            target = urljoin(url, link).partition("#")[0]
            if urlsplit(target).netloc == urlsplit(start).netloc and target not in known:
                known.add(target)
                todo.append(target)
    await page.close()


async def _look(page: Page, url: str, found: Crawl, *, again: bool) -> list[str]:
    """Gives the links of a page; a link that leads to a refusal is a fault, files are not looked at. What another
    session has seen ``again`` is only read for its links."""
    answer = None if again else await _shown(page, url)
    got: Response | APIResponse = answer or await page.context.request.get(url, max_redirects=0)
    if got.status >= 400:
        found.faults.append(f"{url}: {got.status}")
    if "text/html" not in got.headers.get("content-type", "") or got.status >= 300:
        return [got.headers["location"]] if "location" in got.headers else []
    html = await got.text()
    for control in await page.evaluate(NEEDS_SCRIPT, html):
        found.faults.append(f"{url}: needs a script: {control}")
    links: list[str] = await page.evaluate(LINKS, html)
    if answer is not None:
        if found.route(urlsplit(url).path) in NO_PAGE:
            found.faults.append(f"{url}: is a page, and pages_looked_at.py says that it is none")
        await _measure(page, url, found)
    return links


async def look_at(page: Page, url: str, found: Crawl) -> None:
    """At one page that no link leads to. Whoever is led elsewhere has not seen it."""
    await page.set_viewport_size({"width": NARROWEST, "height": 640})
    answer = await _shown(page, url)
    if answer is None or answer.status != 200:
        found.faults.append(f"{url}: {answer.status if answer else 'leads on'}")
        return
    found.seen.add(found.route(urlsplit(url).path))
    for control in await page.evaluate(NEEDS_SCRIPT, await answer.text()):
        found.faults.append(f"{url}: needs a script: {control}")
    await _measure(page, url, found)


async def press_and_look(button: Locator, found: Crawl, name: str, status: int = 200) -> None:
    """At the page that a press is answered with, which has no address of its own. Whoever is led on has not seen it."""
    page = button.page
    async with page.expect_navigation(wait_until="domcontentloaded") as going:
        await button.click()
    answer = await going.value
    if answer is None or answer.status != status or answer.request.method != "POST":
        found.faults.append(f"{name}: {answer.status if answer else 'nothing'}, or leads on")
        return
    found.seen.add(name)
    for control in await page.evaluate(NEEDS_SCRIPT, await answer.text()):
        found.faults.append(f"{name}: needs a script: {control}")
    await _measure(page, name, found)


async def _shown(page: Page, url: str) -> Response | None:
    """The answer to ``url`` itself, which the page shows now; none for a file and for what leads on to another page."""
    try:
        answer = await page.goto(url, wait_until="domcontentloaded")
    except Error as error:
        if "Download is starting" in error.message or "ERR_ABORTED" in error.message:
            return None
        raise
    return None if answer is None or answer.request.redirected_from else answer


async def _measure(page: Page, url: str, found: Crawl) -> None:
    if await page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
        found.faults.append(f"{url}: wider than {NARROWEST}: {await page.evaluate(WIDER)}")
    if f"{urlsplit(url).path}?".startswith(CITIZENS):
        found.faults.extend(f"{url}: too small: {one}" for one in await too_small(page, LEAST))
    found.faults.extend(f"{url}: beyond the edge: {one}" for one in await beyond(page))
    await page.evaluate(ALIKE)
    found.faults.extend(f"{url}: covered: {one}" for one in await covered(page))
    await page.evaluate(await asyncio.to_thread(AXE.read_text, "utf-8"))
    for rule, html in await page.evaluate(CHECKED, ACCESSIBLE):
        found.faults.append(f"{url}: {rule}: {html}")
    await page.evaluate("document.documentElement.dataset.theme = 'contrast'")
    for rule, html in await page.evaluate(CHECKED, CONTRAST):
        found.faults.append(f"{url} in high contrast: {rule}: {html}")
    await page.keyboard.press("Tab")
    kinds, unseen = await page.evaluate(UNSEEN, sorted(found.kinds))
    found.kinds.update(kinds)
    found.faults.extend(f"{url}: nobody sees the focus on {html}" for html in unseen)
