"""How the city does for a monitoring program, and how a restored copy of it is tried out."""

import asyncio
import re
from collections.abc import Callable

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from console.app.city import City, open_city
from console.core.permissions import SYSTEM
from console.core.sealing import KeyFile
from console.modules.identity.api import FIRST_ADMINISTRATORS, IDENTITY
from console.modules.upkeep.api import UPKEEP, Health, HealthState, TryOut
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.web.metrics import check_asker

_WORST = (HealthState.FAULT, HealthState.CAUTION)
_SECONDS = 30.0


def health_json(city: City, token: str) -> Handler:
    """``GET /metrics/health``: the worst state, and each part with its state, since when, and its figures. 503
    with a fault, so that a plain probe notices."""
    upkeep = city.context.take(UPKEEP)

    async def health(request: web.Request) -> web.StreamResponse:
        check_asker(request, token)
        async with city.db.write() as uow:
            parts = await upkeep.health(uow)
        states = {one.state for one in parts}
        state = next((one for one in _WORST if one in states), HealthState.OK)
        body = {"state": state.value, "parts": [_part(one) for one in parts]}
        return web.json_response(body, status=503 if state is HealthState.FAULT else 200)

    return health


def _part(one: Health) -> dict[str, object]:
    return {
        "name": one.name,
        "state": one.state.value,
        "since": one.since,
        "figures": dict(one.params),
    }


def trying_out(clock: Clock, keys: KeyFile, app_of: Callable[[City], web.Application]) -> TryOut:
    """What a drill does with a restored database: serves its pages on this machine alone, doing nothing by itself,
    gives the first administrator a one-time password in the copy, and logs in with it."""

    async def try_out(url: str) -> None:
        async with open_city(url, clock=clock, keys=keys, quiet=True) as city:
            await city.check_keys()
            async with city.db.write() as uow:
                name = next(iter(FIRST_ADMINISTRATORS))
                identity = city.context.take(IDENTITY)
                given = await identity.renew_password(uow, SYSTEM, name)
                # In the copy alone: the list of networks need not know this machine.
                await identity.open_addresses(uow, SYSTEM)
            app = await asyncio.to_thread(app_of, city)
            runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                await _log_in(f"http://127.0.0.1:{runner.addresses[0][1]}", name, given.password)
            finally:
                await runner.cleanup()

    return try_out


async def _log_in(url: str, name: str, password: str) -> None:
    """Raises ``backup.no_login``, ``backup.no_page``."""
    jar, limit = aiohttp.CookieJar(unsafe=True), aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(url, cookie_jar=jar, timeout=limit) as http:
        async with http.get("/login") as answer:
            token = re.search(r'name="csrf" value="([^"]+)"', await answer.text())
        form = {"csrf": token[1] if token else "", "name": name, "password": password}
        async with http.post("/login", data=form, allow_redirects=False) as answer:
            inside = answer.headers.get("Location", "/login")
            if answer.status != 303 or inside.partition("?")[0] == "/login":
                raise Refusal("backup.no_login")
        async with http.get(inside) as answer:
            if answer.status != 200 or answer.url.path == "/login":
                raise Refusal("backup.no_page")
