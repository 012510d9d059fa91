"""Pages that need no login: the front page, a ticket's place in the queue, the health check."""

from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.engine.lines import ahead
from hallserver.engine.state import HallState, Ticket
from hallserver.engine.waiting import expected_wait
from hallserver.hub.codes import ticket_of_code
from qingting.contract.errors import Refusal
from qingting.contract.states import TicketState


def add_public(app: web.Application) -> None:
    app.router.add_get("/", home)
    app.router.add_get("/healthz", health)
    app.router.add_get("/t/{token}", ticket)


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


async def ticket(request: web.Request) -> web.Response:
    """A citizen's own look at the queue; the token says nothing about the person, nor does the page."""
    desk = desk_of(request)
    try:
        found = ticket_of_code(desk.state, request.match_info["token"])
    except Refusal:
        return desk.pages.render(request, "ticket_unknown.html", status=404)
    context = ticket_context(desk.state, found, desk.clock.now_ms())
    return desk.pages.render(request, "ticket.html", context, block="place")


def ticket_context(state: HallState, found: Ticket, now: int) -> dict[str, object]:
    """Place and interval of a waiting ticket, the window of a called one."""
    waiting = found.state is TicketState.WAITING
    before = ahead(state, found, now)
    window = state.window_config.get(found.window) if found.window is not None else None
    item = state.items.get(found.item)
    return {
        "number": found.number,
        "state": found.state.value,
        "ahead": before,
        "wait": expected_wait(state, found.queue, before, now) if waiting else None,
        "window": window,
        "item": item,
        "hall": state.config.hall if state.config is not None else None,
    }
