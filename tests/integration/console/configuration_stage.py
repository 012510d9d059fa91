"""A console, a real hall that dials it, and an administrator's browser, for tests of configurations."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from console_browser import Browser
from patience import until

from console.app.server import ConsoleReady
from console.core.permissions import SYSTEM
from console.modules.configuration.api import CONFIGURATION
from console.modules.configuration.service import ConfigurationService, Standing
from hallserver.hall import Hall
from hallserver.link.city_link import CityLink
from qingting.contract.config_parts import OfferPart, RosterPart
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import SystemClock

HALL = HallId("test")


@dataclass
class Stage:
    """A console, a real hall that dials it, and an administrator's browser."""

    ready: ConsoleReady
    hall: Hall
    person: Browser

    @property
    def service(self) -> ConfigurationService:
        found = self.ready.city.context.take(CONFIGURATION)
        assert isinstance(found, ConfigurationService)
        return found

    async def standing(self) -> Standing:
        async with self.ready.city.db.read() as uow:
            return await self.service.standing(uow, SYSTEM, HALL)

    async def known(self) -> bool:
        """The hall has told its configuration."""
        async with self.ready.city.db.read() as uow:
            return await self.service.in_force(uow, HALL) is not None

    async def at_version(self, version: int) -> Standing:
        """Once the city knows that the hall has it."""

        async def known() -> bool:
            return (await self.standing()).present.version == version

        await until(known)
        return await self.standing()

    async def answered(self) -> str:
        """State and code of what was sent last, once the hall has answered."""

        async def known() -> bool:
            return not (await self.standing()).unanswered

        await until(known)
        sent = (await self.standing()).sent
        assert sent is not None
        return f"{sent['state']} {sent['code']}".strip()

    async def push(self, *parts: OfferPart | RosterPart) -> None:
        async with self.ready.city.db.write() as uow:
            await self.service.push(uow, SYSTEM, HALL, parts, "test")

    async def press(self, step: str, **fields: str) -> tuple[int, str]:
        page = "/configurations/test"
        status, _, text = await self.person.submit(page, f"{page}/{step}", **fields)
        return status, text


@asynccontextmanager
async def linked(ready: ConsoleReady, hall: Hall) -> AsyncIterator[CityLink]:
    """The hall dials the city while this lasts."""
    key = await ready.city.enrol_hall(HALL, name="测试大厅")
    url = ready.url.replace("http", "ws") + "/link"
    link = CityLink(hall, hall.store, url, HALL, key, SystemClock(), build="t1")
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
