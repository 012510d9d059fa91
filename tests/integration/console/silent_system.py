"""A system outside that takes every question and never answers, until it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from patience import until

from console.core.db import Database


class Silent:
    """``asked`` at these paths. From :meth:`speak` on all are answered with an empty object."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._spoken = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        await self._spoken.wait()
        return web.json_response({})

    def speak(self) -> None:
        self._spoken.set()

    def times(self, path: str = "") -> int:
        """How often it was asked anything at paths that begin so."""
        return sum(one.startswith(path) for one in self.asked)

    async def was_asked(self, times: int, path: str = "") -> None:
        await until(lambda: self.times(path) >= times)


@asynccontextmanager
async def silent() -> AsyncIterator[Silent]:
    one, app = Silent(), web.Application()
    app.router.add_route("*", "/{path:.*}", one.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield one
    finally:
        one.speak()
        await runner.cleanup()


async def nobody_holds_a_connection(db: Database) -> None:
    """What runs beside holds one for a moment now and then; who waits for an answer would hold it all the time."""
    await until(lambda: db.held == 0)
