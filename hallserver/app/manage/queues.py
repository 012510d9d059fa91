"""Queues and windows as they are now."""

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.engine.days import MINUTE_MS
from qingting.contract.commands import CloseWindow
from qingting.contract.ids import QueueId, WindowId
from qingting.contract.states import TicketState
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import see_other


def longest_waits(desk: Desk) -> dict[QueueId, int]:
    """Full minutes that the longest waiting visitor stands in line, by queue; empty queues are left out."""
    now = desk.hub.board.ambient().now
    found: dict[QueueId, int] = {}
    for ticket in desk.state.tickets.values():
        if ticket.state is TicketState.WAITING:
            minutes = max(0, now - ticket.since) // MINUTE_MS
            found[ticket.queue] = max(minutes, found.get(ticket.queue, 0))
    return found


async def queues(request: web.Request) -> web.Response:
    desk = desk_of(request)
    context = {"queues": desk.topic("queues"), "longest": longest_waits(desk)}
    return desk.pages.render(request, "queues.html", context, block="live")


async def windows(request: web.Request) -> web.Response:
    desk = desk_of(request)
    lives = desk.state.windows
    context = {
        "windows": desk.topic("windows"),
        "minutes": {
            one: round(life.tally.serving_ms / life.tally.served / 60_000, 1)
            for one, life in lives.items()
            if life.tally.served
        },
    }
    return desk.pages.render(request, "windows.html", context, block="live")


async def close_window(request: web.Request) -> web.Response:
    """A clerk left without logging out; refused while a visitor is there."""
    await desk_of(request).hall.submit(
        CloseWindow(window=WindowId(request.match_info["window"])),
        key=f"manager:{new_token()}",
        actor=f"staff:{person_of(request).id}",
    )
    raise see_other(request, "/manage/windows", done="windows.closed")


ROUTES = (
    web.get("/manage/queues", queues),
    web.get("/manage/windows", windows),
    web.post("/manage/windows/{window}/close", close_window),
)
