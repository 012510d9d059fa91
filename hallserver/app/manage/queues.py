"""Queues and windows as they are now."""

from aiohttp import web

from hallserver.app.desk import desk_of, person_of
from qingting.contract.commands import CloseWindow
from qingting.contract.ids import WindowId
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import see_other


async def queues(request: web.Request) -> web.Response:
    desk = desk_of(request)
    context = {"queues": desk.topic("queues")}
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
