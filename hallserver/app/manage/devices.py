"""All devices, live, in words."""

from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.app.manage.door_words import knock_lines
from hallserver.app.manage.words import device_lines


async def devices(request: web.Request) -> web.Response:
    desk = desk_of(request)
    only = request.query.get("show", "all")
    lines = device_lines(desk)
    context = {
        "lines": [one for one in lines if one.needs_somebody] if only == "faults" else lines,
        "all": len(lines),
        "faults": sum(one.needs_somebody for one in lines),
        "only": only,
        "knocks": knock_lines(desk),
    }
    return desk.pages.render(request, "devices.html", context, block="live")


ROUTES = (web.get("/manage/devices", devices),)
