"""A served provider of single sign-on and a browser that logs in there, for tests."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

from qingting.kernel.aio.clock import Clock
from simulators.identity_provider import IdentityProvider, create_provider_app


@asynccontextmanager
async def served(
    clock: Clock | None = None, *, algorithm: str = "ES256"
) -> AsyncIterator[IdentityProvider]:
    """The provider on a loopback port until the block ends."""
    provider = IdentityProvider(clock, algorithm=algorithm)
    app = web.Application()
    app.add_subapp("/identity/", create_provider_app(provider))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.issuer = f"http://127.0.0.1:{site.port}/identity"
    try:
        yield provider
    finally:
        await runner.cleanup()


async def at_the_provider(url: str, **form: str) -> str:
    """Fills in the provider's page that ``url`` leads to; gives the address that it sends the browser back to."""
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as page:
            text = await page.text()
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
        where = url.split("?")[0]
        data = {**{k: v.replace("&amp;", "&") for k, v in hidden.items()}, **form}
        async with http.post(where, data=data, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
            return answer.headers["Location"]


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
