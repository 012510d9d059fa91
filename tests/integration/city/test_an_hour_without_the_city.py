"""The line to the city is cut for an hour of traffic: the hall does not notice, the city loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web
from patience import until

from console.app.city import City, open_city
from console.halls import models as m
from console.halls.api import HALLS
from hallserver.app.desk import DESK, Desk
from hallserver.app.server import HallSettings, open_hall_app
from qingting.contract import hub
from qingting.contract.config import HallConfig
from qingting.contract.ids import DeviceId, HallId, WindowId
from qingting.contract.states import DeviceKind
from qingting.demo.builder import build_hall, hall_ids
from qingting.demo.cast import SIMULATED_CLERKS, Cast, cast_hall
from qingting.kernel.config_file import dump_config
from simulators.citizens import Citizens, Crew, Kiosk
from simulators.hub_client import Credentials

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(400)]
PROGRAM = version("qingting")
SPEED = 180.0
"""An hour passes in twenty seconds."""
HOUR_SECONDS = 3600 / SPEED


class Line:
    """The city's address: there, or not."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def plug(self) -> None:
        app = web.Application()
        app.router.add_get("/link", self._city.link.handle)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def pull(self) -> None:
        await self._city.link.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


@asynccontextmanager
async def serving(settings: HallSettings) -> AsyncIterator[tuple[Desk, str]]:
    """A hall server on a free port, with everything that ships."""
    async with open_hall_app(settings) as app:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield app[DESK], f"ws://127.0.0.1:{runner.addresses[0][1]}/hub"
        finally:
            await runner.cleanup()


def staffed(config: HallConfig) -> tuple[list[WindowId], frozenset[DeviceId]]:
    """Windows worked by simulated clerks, and the devices that simulated people hold."""
    windows = [one.id for one in config.windows[:SIMULATED_CLERKS]]
    pads = {one.id for one in config.devices if one.window in windows}
    kiosks = {one.id for one in config.devices if one.kind is DeviceKind.KIOSK}
    return windows, frozenset(pads | kiosks)


def crowd(config: HallConfig, cast: Cast, url: str) -> Citizens:
    windows, _ = staffed(config)
    held = {(one.kind, one.window): one.id for one in config.devices}

    def credentials(device: DeviceId) -> Credentials:
        return Credentials(device=device, key=cast.pad_keys[device])

    kiosks = [one.id for one in config.devices if one.kind is DeviceKind.KIOSK]
    crews = [
        Crew(
            window=window,
            call_pad=credentials(held[DeviceKind.CALL_PAD, window]),
            rating_pad=credentials(held[DeviceKind.RATING_PAD, window]),
            staff_number=clerk.number,
            password=clerk.password,
        )
        for window, clerk in zip(windows, cast.simulated_clerks, strict=True)
    ]
    return Citizens(
        url,
        [Kiosk(credentials=credentials(one)) for one in kiosks],
        crews,
        rate_per_minute=4,
        speed=SPEED,
        seed=7,
    )


async def test_the_hall_does_not_notice_and_the_city_catches_up_exactly(
    tmp_path: Path, city_url: str
) -> None:
    config = await asyncio.to_thread(lambda: build_hall(hall_ids(1)[0]))
    await asyncio.to_thread(dump_config, config, tmp_path / "config.json")
    async with open_city(city_url) as city:
        sealer = city.context.hall_sealer(HallId(config.hall.id))
        cast = await cast_hall(
            tmp_path / "hall.db", config, "http://hall", sealer, staffed(config)[1]
        )
        key = await city.enrol_hall(HallId(config.hall.id), name=config.hall.name)
        line = Line(city)
        await line.plug()
        settings = HallSettings(
            data=str(tmp_path),
            config=str(tmp_path / "config.json"),
            city_url=f"ws://127.0.0.1:{line.port}/link",
            hall_key=key,
        )
        async with serving(settings) as (desk, url):
            link = desk.link
            assert link is not None

            async def settled() -> bool:
                return link.connected and link.lag == 0

            await until(settled)
            await line.pull()
            async with crowd(config, cast, url) as people:
                counts = people.counts
                await asyncio.sleep(HOUR_SECONDS)
                # On a slow machine people take longer; what counts is an hour's traffic.
                await until(lambda: counts.of(hub.TakeTicket) > 100, 120)
                await until(lambda: counts.of(hub.Finish) > 8, 120)
            assert not link.connected
            assert counts.reconnects == 0
            assert counts.refused.get("store.unavailable", 0) == 0
            behind = link.lag
            assert behind > 400
            await line.plug()
            await until(settled)

            async def the_same() -> bool:
                # Screens that left are still being reported lost: the log may have grown meanwhile.
                return await held_by(city) == await log_of(desk)

            await until(the_same)
            async with city.db.read() as uow:
                known = await city.context.take(HALLS).hall(uow, HallId(config.hall.id))
            assert known.build == PROGRAM, "the city knows which program a hall runs"
        await line.pull()


async def log_of(desk: Desk) -> list[str]:
    return [one.json.decode() for one in await desk.hall.store.events(0, 100_000)]


async def held_by(city: City) -> list[str]:
    async with city.db.read() as uow:
        rows = await uow.all(sa.select(m.event.c.raw).order_by(m.event.c.seq))
    return [bytes(row["raw"]).decode() for row in rows]
