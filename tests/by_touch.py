"""A finger on a citizen's page: what can be pressed is large enough (工信厅信管函〔2021〕67号: 44, in the elder version 60)."""

from playwright.async_api import Page

LEAST = 44
LEAST_ELDER = 60
"""CSS pixels, each way."""
_SMALL = """least => [...document.querySelectorAll('a[href], button, summary, select, textarea, input')].map(one => {
    const box = (one.closest('label') ?? one.labels?.[0] ?? one).getBoundingClientRect();
    return [one, one.matches('[type=checkbox], [type=radio]') ? box : one.getBoundingClientRect()];
}).filter(([one, box]) => one.type !== 'hidden' && one.checkVisibility() && box.bottom > 0
    && !(one.localName === 'a' && getComputedStyle(one).display === 'inline')
    && (box.height < least - 0.5 || box.width < least - 0.5)
).map(([one, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${one.outerHTML.slice(0, 120)}`)"""
"""Links within a sentence have the height of its line; a box to tick is pressed on its words too."""


_COVERED = """() => {
    const floats = one => { for (let up = one; up; up = up.parentElement)
        if (['sticky', 'fixed'].includes(getComputedStyle(up).position)) return true; return false; };
    const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')].filter(one =>
        one.type !== 'hidden' && one.checkVisibility() && getComputedStyle(one).display !== 'inline' && !floats(one)
    ).map(one => [one, one.getBoundingClientRect()]).filter(([, box]) => box.width > 4 && box.height > 4);
    const found = [];
    all.forEach(([one, box], at) => { for (const [other, its] of all.slice(at + 1, at + 40))
        if (Math.min(box.right, its.right) - Math.max(box.left, its.left) > 3 &&
            Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top) > 3 && !one.contains(other))
            found.push(`${other.outerHTML.slice(0, 80)} on ${one.outerHTML.slice(0, 80)}`); });
    return found.slice(0, 3);
}"""
"""What floats over the page on purpose is left out: one scrolls past it."""


_BEYOND = """() => [...document.querySelectorAll(
    'tbody :is(button, a.button, select, textarea, input:not([type=hidden]))')].filter(one => {
    const box = one.getBoundingClientRect(), pane = one.closest('.table-box, main').getBoundingClientRect();
    return one.checkVisibility() && box.width > 0
        && (box.right > Math.min(innerWidth, pane.right) + 1 || box.left < Math.max(0, pane.left) - 1);
}).slice(0, 3).map(one => one.outerHTML.slice(0, 120))"""


async def beyond(page: Page) -> list[str]:
    """What is to be pressed in a row of a table and is only met by whoever scrolls the table sideways."""
    found: list[str] = await page.evaluate(_BEYOND)
    return found


async def covered(page: Page) -> list[str]:
    """Controls that lie on another one, so that a finger meets the wrong one."""
    found: list[str] = await page.evaluate(_COVERED)
    return found


async def too_small(page: Page, least: int) -> list[str]:
    """Sizes and beginnings of the controls that are smaller than ``least``."""
    found: list[str] = await page.evaluate(_SMALL, least)
    return found
