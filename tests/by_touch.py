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


async def too_small(page: Page, least: int) -> list[str]:
    """Sizes and beginnings of the controls that are smaller than ``least``."""
    found: list[str] = await page.evaluate(_SMALL, least)
    return found
