"""A browser in which somebody with a role is logged in."""

from contextlib import AsyncExitStack

from playwright.async_api import Browser, BrowserContext
from test_who_may_do_what import CITY, caller

from console.app.server import ConsoleReady


async def session_of(
    stack: AsyncExitStack, ready: ConsoleReady, browser: Browser, role: str, **more: bool
) -> BrowserContext:
    """With a session of somebody who has ``role`` in the whole city; ``more`` as a context of the browser takes it."""
    who = await stack.enter_async_context(caller(ready, role, CITY))
    context = await browser.new_context(locale="zh-CN", **more)  # type: ignore[arg-type]
    await context.add_cookies(
        [{"name": one.key, "value": one.value, "url": ready.url} for one in who.http.cookie_jar]
    )
    return context
