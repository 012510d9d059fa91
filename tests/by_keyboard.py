"""A person with a keyboard alone: Tab, Shift+Tab, Enter, Space, arrows. Wherever they stand, they see it."""

from playwright.async_api import Page

MOST_STEPS = 150
"""Further from one control to the next nobody walks; a trap ends here."""
STANDS_ON = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) return { words: '', seen: true, html: '' };
    const named = here.getAttribute('aria-label') ?? here.labels?.[0]?.innerText ?? '';
    const look = getComputedStyle(here);
    const ring = look.outlineStyle === 'auto' || (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2);
    const box = here.getBoundingClientRect();
    const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return { words: (named || here.innerText || here.name || '').trim(), seen: here.tabIndex < 0 || (ring && inView),
        html: here.outerHTML.slice(0, 120) };
}"""
"""What has the focus: its words, and whether a ring around it can be seen."""


class Keys:
    """Presses keys on ``page`` and walks to controls by their words."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def here(self) -> str:
        """The words of what has the focus; empty for nothing. It must be seen."""
        stands = await self._page.evaluate(STANDS_ON)
        assert stands["seen"], f"nobody sees the focus on {stands['html']}"
        return str(stands["words"])

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._page.keyboard.press(key)

    async def write(self, text: str) -> None:
        await self._page.keyboard.type(text)

    async def walk_to(self, words: str, *, back: bool = False) -> None:
        """Tab by Tab (or back) to the next control whose words begin with ``words``."""
        walked: list[str] = []
        for _ in range(MOST_STEPS):
            await self.press("Shift+Tab" if back else "Tab")
            walked.append(await self.here())
            if walked[-1].startswith(words):
                return
        raise AssertionError(f"no way by keys to {words!r}; stood on {walked}")

    async def follow(self, words: str) -> None:
        """Walks to a link or button and presses Enter; waits for the page it leads to."""
        await self.walk_to(words)
        async with self._page.expect_navigation():
            await self.press("Enter")
