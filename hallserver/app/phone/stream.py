"""The live line of an open ticket page: small sentences, made only when something changed for this ticket."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk
from hallserver.app.phone.access import PHONE, opens
from hallserver.app.phone.standing import Standing
from hallserver.app.phone.voice import voice_of
from hallserver.app.phone.watch import Follower
from hallserver.app.phone.words import Voice, sentences
from hallserver.engine.state import Ticket
from qingting.contract.base import Record
from qingting.kernel.web import LANGUAGE

BEAT_SECONDS = 15.0
"""A quiet line says so this often; a phone that left is noticed by then as well."""
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
"""The last one keeps a reverse proxy from collecting the stream."""


class Told(Record, frozen=True, kw_only=True):
    """One ``say`` event: when ``mark`` is not the page's own, the page fetches its part anew."""

    mark: str
    say: str
    more: str
    title: str


@opens
async def stream(request: web.Request, desk: Desk, ticket: Ticket) -> web.StreamResponse:
    """Server-sent events until the phone leaves, the ticket is over or the server goes down."""
    watch = request.app[PHONE].watch
    with watch.follow(ticket.id, lambda: _has_left(request)) as follower:
        response = web.StreamResponse(headers=HEADERS)
        with suppress(ConnectionResetError):  # a phone that closes the page is the normal end
            await response.prepare(request)
            words = partial(_event, voice_of(desk, request[LANGUAGE]), ticket.number)
            await _tell(response, follower, lambda: watch.closed, words)
    return response


def _has_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _event(voice: Voice, number: str, standing: Standing) -> bytes:
    said = sentences(voice, number, standing)
    told = Told(mark=standing.mark, say=said.say, more=said.more, title=said.title)
    return b"event: say\ndata: " + msgspec.json.encode(told) + b"\n\n"


async def _tell(
    response: web.StreamResponse,
    follower: Follower,
    closed: Callable[[], bool],
    words: partial[bytes],
) -> None:
    await response.write(b"retry: 2000\n\n")
    while not closed():
        follower.news.clear()
        if follower.standing is None:
            await response.write(b"event: ended\ndata: -\n\n")
            return
        await response.write(words(follower.standing))
        while not await _news(follower):
            await response.write(b"event: beat\ndata: -\n\n")


async def _news(follower: Follower) -> bool:
    """False after a while of silence."""
    try:
        async with asyncio.timeout(BEAT_SECONDS):
            await follower.news.wait()
    except TimeoutError:
        return False
    return True
