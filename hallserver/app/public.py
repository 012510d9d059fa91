"""Pages that need no login: the front page and the health check; a ticket's page is in ``phone``."""

from aiohttp import web

from hallserver.app.desk import desk_of


def add_public(app: web.Application) -> None:
    app.router.add_get("/", home)
    app.router.add_get("/healthz", health)


async def home(request: web.Request) -> web.Response:
    return desk_of(request).pages.render(request, "home.html")


async def health(request: web.Request) -> web.Response:
    """200 while commands can be stored, 503 while they cannot."""
    desk = desk_of(request)
    body = {
        "ok": desk.hall.writable,
        "hall": desk.state.config.hall.id if desk.state.config is not None else None,
        "seq": desk.state.seq,
        "city": desk.link.state.value if desk.link is not None else None,
    }
    return web.json_response(body, status=200 if desk.hall.writable else 503)
