"""What answers without a page: the stream that tells open pages of changes, and whether the city is well."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from console.app.city import City
from console.core.web import address_of
from console.modules.identity.api import IDENTITY
from qingting.contract.errors import Refusal
from qingting.kernel.web import SESSION, event_stream

LIVE_NAMES = frozenset(
    {
        "halls",
        "devices",
        "tickets",
        "ratings",
        "live",
        "alarms",
        "acts",
        "rollouts",
        "jobs",
        "configuration",
        "notifications",
        "upkeep",
    }
)


def live_of(city: City) -> Handler:
    async def live(request: web.Request) -> web.StreamResponse:
        alive = await _watcher(city, request)
        changes = city.signals.changes(LIVE_NAMES)
        try:
            return await event_stream(request, changes, alive=alive)
        finally:
            await changes.aclose()

    return live


async def _watcher(city: City, request: web.Request) -> Callable[[], bool]:
    """Who may watch: a session as long as it lives, and a guest, whose page finds out at its next refresh
    that it is one no more: the stream itself carries nothing but names of what changed."""
    session, sessions = request.get(SESSION), city.context.sessions
    if session is not None and not session.marks and sessions is not None:
        identity = city.context.take(IDENTITY)
        async with city.db.read() as uow:
            # The stream is no page, so the guard of the pages does not stand before it.
            here = address_of(request)
            if not await identity.here(uow, session.subject, here, session.means):
                raise Refusal("session.expired")
        return lambda: sessions.alive(session)
    async with city.db.write() as uow:
        for guest in city.context.guests:
            if await guest.find(uow, request) is not None:
                return lambda: True
    raise Refusal("session.expired")


def health_of(city: City) -> Handler:
    async def health(request: web.Request) -> web.StreamResponse:
        await city.db.ping()
        return web.json_response({"ok": True})

    return health
