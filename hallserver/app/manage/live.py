"""The stream that tells a page which of its parts are out of date."""

import asyncio
from collections.abc import Set
from contextlib import suppress

from aiohttp import web

from hallserver.app.desk import Desk, desk_of
from qingting.kernel.web import event_stream
from qingting.kernel.web.keys import SESSION_DIGEST
from qingting.kernel.web.sse import LOOK_SECONDS, Changes

GATHER_SECONDS = 0.25
"""Changes of this time go out together; a condition is on the page well within a second."""
LOGIN_CHECK_SECONDS = 30.0
_PARTS = {"kiosk": "tickets", "rating": "ratings", "window": "windows", "board": "tickets"}


def parts_of(topics: Set[str]) -> set[str]:
    """Names of page parts for the names of topics: ``window:w3`` → ``windows``."""
    found = {topic.partition(":")[0] for topic in topics}
    return {_PARTS.get(one, one) for one in found}


async def changed_parts(desk: Desk) -> Changes:
    """What changed, gathered for a moment; ends when the server stops."""
    pending: set[str] = set()
    wake = asyncio.Event()

    def changed(topics: set[str]) -> None:
        pending.update(parts_of(topics))
        wake.set()

    stop = desk.hub.board.topics.watch(changed)
    try:
        while not desk.stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await wake.wait()
            wake.clear()
            if pending:
                await asyncio.sleep(GATHER_SECONDS)
                names = frozenset(pending)
                pending.clear()
                yield names
    finally:
        stop()


class Login:
    """Whether the session behind a stream still lives, asked of the database now and then."""

    def __init__(self, desk: Desk, digest: str) -> None:
        self._desk = desk
        self._digest = digest
        self.alive = True

    async def watch(self) -> None:
        while self.alive:
            await asyncio.sleep(LOGIN_CHECK_SECONDS)
            session = await self._desk.accounts.sessions.find(self._digest)
            self.alive = session is not None and self._desk.sessions.alive(session)


async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events; ends when the session or the server does."""
    desk = desk_of(request)
    login = Login(desk, request[SESSION_DIGEST])
    watching = asyncio.ensure_future(login.watch())
    try:
        return await event_stream(request, changed_parts(desk), alive=lambda: login.alive)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


ROUTES = (web.get("/manage/live", live),)
