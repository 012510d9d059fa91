"""The line between a real hall and a real city, which can be pulled and plugged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from console.app.city import City
from hallserver.hall import Hall
from hallserver.link.city_link import CityLink
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.seal import Sealer, new_key, parse_keys

HALL = HallId("test")
OWN = Sealer(parse_keys(new_key("k1")))


class Line:
    """The city's address, which can be there or not."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link"

    async def plug(self) -> None:
        app = web.Application()
        app.router.add_get("/link", self._city.link.handle)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def pull(self) -> None:
        await self._city.link.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


@asynccontextmanager
async def linked(hall: Hall, url: str, key: str) -> AsyncIterator[CityLink]:
    link = CityLink(hall, hall.store, url, HALL, key, SystemClock(), sealer=OWN)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settled(link: CityLink) -> bool:
    return link.connected and link.lag == 0
