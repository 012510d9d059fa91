"""Server-sent events: names of what changed, so that the page fetches just those parts again."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Set

from aiohttp import web

KEEPALIVE_SECONDS = 15.0
LOOK_SECONDS = 1.0
"""How often a silent stream looks whether its reader is still there."""
Changes = AsyncGenerator[Set[str], None]
"""Sets of names; it ends when the server goes down."""


async def event_stream(
    request: web.Request,
    changes: Changes,
    *,
    alive: Callable[[], bool] = lambda: True,
    keepalive: float = KEEPALIVE_SECONDS,
) -> web.StreamResponse:
    """Sends each set of names as one ``changed`` event until the reader leaves or ``changes`` ends.

    When ``alive`` turns False the page is told ``ended`` (it reloads, and finds the login). A ``beat``
    goes out after ``keepalive`` seconds of silence, so that a page can tell a quiet server from a
    lost one.
    """
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    try:
        await _send_all(request, response, changes, alive, keepalive)
    except ConnectionResetError:
        pass  # the reader closed the page: the normal end of a stream
    finally:
        await changes.aclose()
    return response


async def _send_all(
    request: web.Request,
    response: web.StreamResponse,
    changes: Changes,
    alive: Callable[[], bool],
    keepalive: float,
) -> None:
    """Returns when the reader left, the server goes down or ``alive`` is False."""
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + keepalive
    waiting = asyncio.ensure_future(_next(changes))
    try:
        # Whoever hears "open" looks at everything once: from there on no change may be missed.
        await asyncio.sleep(0)
        await response.write(b"retry: 2000\nevent: open\ndata: -\n\n")
        # aiohttp does not cancel a handler whose reader left; its transport is gone then.
        while request.transport is not None and not request.transport.is_closing():
            if not alive():
                await response.write(b"event: ended\ndata: -\n\n")
                return
            wait = max(0.0, min(LOOK_SECONDS, beat_at - loop.time()))
            done, _ = await asyncio.wait({waiting}, timeout=wait)
            if done:
                names = waiting.result()
                if not names:
                    return  # the server goes down: the page comes back by itself
                text = " ".join(sorted(names))
                await response.write(f"event: changed\ndata: {text}\n\n".encode())
                waiting = asyncio.ensure_future(_next(changes))
            elif loop.time() >= beat_at:
                await response.write(b"event: beat\ndata: -\n\n")
            else:
                continue
            beat_at = loop.time() + keepalive
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def _next(changes: Changes) -> Set[str]:
    """The next set, or an empty one at the end."""
    async for names in changes:
        return names
    return frozenset()
