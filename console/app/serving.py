"""One process of the console through its life: a city is served, let go of when its database is exchanged, and served anew.

The sockets stay open all the while, so nobody is turned away: between two cities there is :mod:`console.app.away`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from console.app.away import Waiting, create_away
from console.app.city import City, open_city
from console.app.health import trying_out
from console.app.modules import MIGRATIONS, PROGRAM
from console.app.settings import ConsoleSettings
from console.core.channels import open_channels
from console.core.exchange import Phase, settle
from console.core.migrate import migrate
from console.core.outward import Outward, networks_of
from console.core.sealing import KeyFile
from console.core.senders.opening import open_senders
from console.modules.identity.api import IDENTITY, OneTimePassword
from console.modules.upkeep.api import UPKEEP, Hosting
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock
from qingting.kernel.open_files import BACKLOG

log = structlog.get_logger(__name__)
FINISH_SECONDS = 10.0
"""So long answers under way may take when nobody new is let in."""
AppOf = Callable[[City, ConsoleSettings], web.Application]


class Door:
    """The sockets that people come in by. One application at a time takes whoever comes; one that others have followed
    finishes with those it has."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = sockets
        self._sites: list[web.SockSite] = []

    @classmethod
    async def open(cls, host: str, port: int) -> "Door":
        """Raises ``OSError`` when somebody else is there."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        sockets: list[socket.socket] = []
        try:
            for family, kind, protocol, _, address in dict.fromkeys(found):
                one = socket.socket(family, kind, protocol)
                sockets.append(one)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind(address)
                one.listen(BACKLOG)
                one.setblocking(False)
        except OSError:
            for one in sockets:
                one.close()
            raise
        return cls(sockets)

    @property
    def port(self) -> int:
        return int(self._sockets[0].getsockname()[1])

    async def lead_to(self, runner: web.AppRunner) -> None:
        """From now on whoever comes is taken by ``runner``."""
        before, self._sites = self._sites, []
        for one in self._sockets:
            site = web.SockSite(runner, one.dup(), backlog=BACKLOG)
            await site.start()
            self._sites.append(site)
        for site in before:
            await site.stop()

    def close(self) -> None:
        for one in self._sockets:
            one.close()


class Serving:
    """Runs until cancelled. ``opened`` is set with the first city; what keeps the first from opening is raised, a later
    one is tried again until it opens. ``settled`` is called after each opening."""

    def __init__(
        self,
        settings: ConsoleSettings,
        url: str,
        clock: Clock,
        app_of: AppOf,
        settled: Callable[[], None],
    ) -> None:
        self._settings, self._url, self._clock = settings, url, clock
        self._app_of, self._settled = app_of, settled
        self._waiting = Waiting()
        self._keys: KeyFile | None = None
        self._door: Door | None = None
        self.opened = asyncio.Event()
        self.city: City
        self.passwords: tuple[OneTimePassword, ...] = ()

    @property
    def host(self) -> str:
        return self._settings.host

    @property
    def port(self) -> int:
        assert self._door is not None
        return self._door.port

    async def run(self) -> None:
        away = web.AppRunner(web.Application())
        backoff = Backoff(first=1, cap=15)
        try:
            while True:
                try:
                    away = await self._one_city(away)
                    backoff.reset()
                except Exception:
                    if not self.opened.is_set():
                        raise
                    log.exception("console.not_opened")
                    await asyncio.sleep(backoff.next())
        finally:
            await away.cleanup()
            if self._door is not None:
                self._door.close()

    async def _one_city(self, away: web.AppRunner) -> web.AppRunner:
        """From opening a city until it is let go of; gives who answers from then on. ``away`` answered until now."""
        if self._door is None:
            # Before the first start gives passwords away that nobody would see if there was no room at the address.
            (await Door.open(self._settings.host, self._settings.port)).close()
        await settle(self._url, self._waiting.say)
        self._waiting.say(Phase.OPENING, 0)
        await migrate(self._url, MIGRATIONS)
        if self._keys is None:
            self._keys = await KeyFile.open(self._settings.key_path, self._clock)
        async with self._open(self._keys) as city:
            runner = await self._serve(city)
            try:
                await away.cleanup()
                await city.context.take(UPKEEP).exchange_due()
                return await self._let_go()
            finally:
                city.signals.end_pages()
                await city.link.close()
                await runner.cleanup()

    @asynccontextmanager
    async def _open(self, keys: KeyFile) -> AsyncIterator[City]:
        settings, clock = self._settings, self._clock
        async with open_city(
            self._url,
            clock=clock,
            keys=keys,
            channels=open_channels(settings, clock),
            senders=open_senders(settings, clock),
            site_url=settings.public_url,
            retention=settings.retention,
            audit_heads=settings.heads_path,
            item_system=settings.item_system,
            sign_on=settings.sign_on,
            citizens=settings.citizens,
            outward=Outward(networks_of(settings.webhook_networks)),
            upkeep=settings.upkeep(
                Path(settings.data), settings.key_path, embedded=not settings.database_url
            ),
            utc_offset_minutes=settings.utc_offset_minutes,
            secure_cookies=settings.secure_cookies,
        ) as city:
            await city.check_keys()
            # Any worker may do it, also one for citizens alone: who logs in at the copy is staff.
            whole = msgspec.structs.replace(settings, serve="all")
            try_out = trying_out(clock, keys, lambda copy: self._app_of(copy, whole))
            hosting = Hosting(try_out=try_out, program=PROGRAM)
            city.context.take(UPKEEP).hosted_by(hosting)
            async with city.db.write() as uow:
                passwords = await city.context.take(IDENTITY).first_start(uow)
            self.passwords = self.passwords or passwords
            yield city

    async def _serve(self, city: City) -> web.AppRunner:
        app = await asyncio.to_thread(self._app_of, city, self._settings)
        runner = web.AppRunner(app, shutdown_timeout=FINISH_SECONDS, access_log=None)
        await runner.setup()
        if self._door is None:
            self._door = await Door.open(self._settings.host, self._settings.port)
        await self._door.lead_to(runner)
        log.info("console.started", port=self._door.port)
        self.city = city
        self._settled()
        self.opened.set()
        return runner

    async def _let_go(self) -> web.AppRunner:
        """New requests get the page of those who wait; answers under way are finished."""
        assert self._door is not None
        self._waiting.say(Phase.CLOSING, 0)
        app = await asyncio.to_thread(create_away, self._settings, self._clock, self._waiting)
        away = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await away.setup()
        await self._door.lead_to(away)
        log.info("console.away")
        return away
