"""The page behind the QR code of a ticket: no login, live, for any phone (docs/decisions/0013)."""

from aiohttp import web
from aiohttp.typedefs import Handler

from hallserver.app.phone import pages, rating, stream
from hallserver.app.phone.access import PHONE, Phone, language_for, unknown
from hallserver.app.phone.watch import Watch
from hallserver.hall import Hall
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.open_files import open_files
from qingting.kernel.web import LANGUAGE, Assets

__all__ = ["add_phone", "open_phone"]

MOST_PAGES = 5_000
"""Open ticket pages that a hall box follows at a time."""


def open_phone(hall: Hall, clock: Clock, tasks: Supervisor) -> Phone:
    """Starts to follow ``hall``. Half of the files that this process may open stay free for screens."""
    limit = min(MOST_PAGES, open_files() // 2)
    watch = Watch(lambda: hall.state, clock.now_ms, limit)
    _ = hall.subscribe(watch.committed)
    _ = tasks.keep("phones", watch.run)
    return Phone(watch)


def add_phone(app: web.Application, phone: Phone, assets: Assets) -> None:
    """Routes below ``/t``."""
    app[PHONE] = phone
    router = app.router
    router.add_get("/t/notify.js", _notifier(assets))
    router.add_get("/t/{token}", pages.ticket)
    router.add_get("/t/{token}/live", stream.stream)
    router.add_get("/t/{token}/look", pages.look)
    router.add_get("/t/{token}/leave", pages.ask_leave)
    router.add_post("/t/{token}/leave", pages.leave)
    router.add_post("/t/{token}/return", pages.come_back)
    router.add_get(r"/t/{token}/rate/{no:\d{1,2}}", rating.ask)
    router.add_post(r"/t/{token}/rate/{no:\d{1,2}}", rating.rate)
    router.add_post(r"/t/{token}/skip/{no:\d{1,2}}", rating.skip)
    router.add_get("/t{rest:(/.*)?}", _nothing)
    app.on_shutdown.append(_hang_up)


async def _nothing(request: web.Request) -> web.Response:
    """Half a link, or more than one: the same page as for a link of yesterday."""
    request[LANGUAGE] = language_for(request, None)
    return unknown(request, Refusal("code.unknown"))


def _notifier(assets: Assets) -> Handler:
    """The service worker of notifications. It must lie beside the pages that it speaks for."""

    async def serve(request: web.Request) -> web.Response:
        return web.Response(
            body=assets.read("phone-notify.js"),
            content_type="text/javascript",
            charset="utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    return serve


async def _hang_up(app: web.Application) -> None:
    app[PHONE].watch.close()
