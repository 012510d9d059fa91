"""The stream that tells a page which of its parts are out of date."""

import asyncio
from collections.abc import AsyncIterator, Set

from aiohttp import web

from hallserver.app.desk import desk_of
from qingting.kernel.web import SESSION, WebSession, event_stream
from qingting.kernel.web.keys import SESSION_DIGEST

GATHER_SECONDS = 0.25
"""Changes of this time go out together; a condition is on the page well within a second."""
_PARTS = {"kiosk": "tickets", "rating": "ratings", "window": "windows", "board": "tickets"}


def parts_of(topics: Set[str]) -> set[str]:
    """Names of page parts for the names of topics: ``window:w3`` → ``windows``."""
    found = {topic.partition(":")[0] for topic in topics}
    return {_PARTS.get(one, one) for one in found}


async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events; ends when the session does."""
    desk = desk_of(request)
    digest = request[SESSION_DIGEST]
    ended = asyncio.Event()

    async def still_logged_in() -> bool:
        session: WebSession | None = await desk.accounts.sessions.find(digest)
        return session is not None and desk.sessions.alive(session)

    async def changes() -> AsyncIterator[Set[str]]:
        pending: set[str] = set()
        wake = asyncio.Event()

        def changed(topics: set[str]) -> None:
            pending.update(parts_of(topics))
            wake.set()

        stop = desk.hub.board.topics.watch(changed)
        try:
            while True:
                await wake.wait()
                await asyncio.sleep(GATHER_SECONDS)
                wake.clear()
                if not await still_logged_in():
                    ended.set()
                names, pending_now = set(pending), pending
                pending_now.clear()
                yield names or {"nothing"}
        finally:
            stop()

    assert SESSION in request
    return await event_stream(request, changes(), alive=lambda: not ended.is_set())


ROUTES = (web.get("/manage/live", live),)
