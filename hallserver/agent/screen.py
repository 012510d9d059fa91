"""Where a kiosk's own screen finds its agent when the hall is gone: HTTP on the loopback interface alone.

Only the page of this agent's hall may ask (its origin), and only with the secret that the hall told it.
"""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from qingting.contract.errors import Refusal
from qingting.contract.hub import Answer, Problem, TakeTicket
from qingting.contract.ids import KeyText
from qingting.contract.offline_screen import OfflineReprint, OfflineState, OfflineWish

LOOPBACK = "127.0.0.1"
SECRET_HEADER = "X-Agent-Secret"  # noqa: S105 - a header's name
MAX_BODY = 16 * 1024


class Screen(Protocol):
    """What the endpoint asks of the agent. Each raises a refusal."""

    def offline_state(self) -> OfflineState: ...

    def offline_identity(self, begin: bool) -> None: ...

    async def offline_take(self, wish: TakeTicket, key: KeyText) -> Answer: ...

    def offline_reprint(self, ticket: str) -> None: ...


def screen_app(screen: Screen, origin: str, secret: str) -> web.Application:
    """``origin`` is the hall's, as a browser writes it: ``http://10.1.2.3:8080``."""
    app = guarded(origin, lambda told: hmac.compare_digest(told.encode(), secret.encode()))

    async def state(request: web.Request) -> web.Response:
        return _json(screen.offline_state())

    async def begin(request: web.Request) -> web.Response:
        screen.offline_identity(True)
        return _json(None)

    async def end(request: web.Request) -> web.Response:
        screen.offline_identity(False)
        return _json(None)

    async def take(request: web.Request) -> web.Response:
        body = msgspec.json.decode(await request.read(), type=OfflineWish)
        return _json(await screen.offline_take(body.wish, body.key))

    async def reprint(request: web.Request) -> web.Response:
        screen.offline_reprint(
            msgspec.json.decode(await request.read(), type=OfflineReprint).ticket
        )
        return _json(None)

    app.router.add_get("/state", state)
    for path, handler in (
        ("/identity/begin", begin),
        ("/identity/end", end),
        ("/take", take),
        ("/reprint", reprint),
    ):
        app.router.add_post(path, handler)
    return app


def guarded(origin: str, knows: Callable[[str], bool]) -> web.Application:
    """An endpoint for the page of ``origin`` alone, with a secret for which ``knows`` is true."""
    app = web.Application(middlewares=[_guard(origin, knows)], client_max_size=MAX_BODY)
    app.router.add_route("OPTIONS", "/{any:.*}", _preflight)
    return app


async def _preflight(request: web.Request) -> web.Response:
    return web.Response(status=204)


def _json(body: Any, status: int = 200) -> web.Response:
    data = msgspec.json.encode(body)
    return web.Response(body=data, content_type="application/json", status=status)


def _refused(refusal: Refusal) -> web.Response:
    return _json(Problem(code=refusal.code, params=dict(refusal.params)), refusal.status)


def _guard(origin: str, knows: Callable[[str], bool]) -> Middleware:
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": f"Content-Type, {SECRET_HEADER}",
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Private-Network": "true",
        "Access-Control-Max-Age": "600",
        "Cache-Control": "no-store",
    }

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _answer(request, handler)
        response.headers.update(headers)
        return response

    async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        told = request.headers.get(SECRET_HEADER, "")
        if request.method != "OPTIONS" and not knows(told):
            return _refused(Refusal("hub.forbidden"))
        try:
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal)
        except msgspec.DecodeError:
            return _refused(Refusal("hub.bad_message", where="$"))

    return guard


@asynccontextmanager
async def serve_screen(app: web.Application, port: int) -> AsyncIterator[int]:
    """Serves until left; gives the port. Raises ``OSError`` when it is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, LOOPBACK, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
