"""Server-sent events: names of what changed, so that the page fetches just those parts again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Set

from aiohttp import web

KEEPALIVE_SECONDS = 15.0


async def event_stream(
    request: web.Request,
    changes: AsyncIterator[Set[str]],
    *,
    alive: Callable[[], bool] = lambda: True,
    keepalive: float = KEEPALIVE_SECONDS,
) -> web.StreamResponse:
    """Sends each set of names as one ``changed`` event until the reader leaves or ``alive`` is False.

    ``alive`` is asked before each message; a comment goes out every ``keepalive`` seconds of silence
    so that a dead reader is noticed and the page can tell a quiet server from a lost one.
    """
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    waiting: asyncio.Future[Set[str]] | None = None
    try:
        await response.write(b"retry: 2000\nevent: open\ndata: -\n\n")
        while alive():
            waiting = waiting or asyncio.ensure_future(_next(changes))
            done, _ = await asyncio.wait({waiting}, timeout=keepalive)
            if not done:
                await response.write(b"event: beat\ndata: -\n\n")
                continue
            names, waiting = waiting.result(), None
            if not names:
                break  # the server is going down: the page reconnects by itself
            text = " ".join(sorted(names))
            await response.write(f"event: changed\ndata: {text}\n\n".encode())
        if not alive():
            await response.write(b"event: ended\ndata: -\n\n")
    except ConnectionResetError:
        pass  # the reader closed the page: the normal end of a stream
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    return response


async def _next(changes: AsyncIterator[Set[str]]) -> Set[str]:
    """The next set, or an empty one at the end."""
    async for names in changes:
        return names
    return frozenset()
