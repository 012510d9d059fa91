"""Today's tickets by hall and queue."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.statistics.api import BookingFigures, QueueFigures, StatisticsApi, totals
from qingting.contract.ids import HallId
from qingting.kernel.web import LANGUAGE

_SORTS: dict[str, Callable[[QueueFigures], Any]] = {
    "hall": lambda one: (one.hall, one.queue),
    "queue": lambda one: (one.queue, one.hall),
    "issued": lambda one: one.issued,
    "waiting": lambda one: one.waiting,
    "serving": lambda one: one.serving,
    "done": lambda one: one.done,
    "no_show": lambda one: one.no_show,
    "average": lambda one: one.wait_average or 0,
    "booked": lambda one: one.booked,
    "priority": lambda one: one.priority,
    "p90": lambda one: one.wait_p90 or 0,
}


def routes(service: StatisticsApi, halls: HallsApi) -> list[web.RouteDef]:
    """Handlers over ``service``."""

    async def tickets(request: web.Request) -> web.Response:
        scope = request[SUBJECT].scope(Permission.TICKETS)
        uow, language = request[UOW], request[LANGUAGE]
        listing = Listing.of(request, ("hall",), sort="waiting", descending=True)
        wanted = listing.query.get("hall")
        only = HallId(wanted) if wanted else None
        figures = await service.queues(uow, scope, service.today(), only)
        known = {hall.id: hall for hall in await halls.halls(uow, scope)}
        names = await halls.directory(uow, scope)
        listing, rows = listing.cut([one for one in figures if one.hall in known], _SORTS)
        context = {
            "rows": [
                (one, known[one.hall].title(language),
                 names.find(one.hall, "queue", one.queue).title(language))
                for one in rows
            ],
            "totals": totals(figures),
            "bookings": _bookings(await service.bookings(uow, scope, service.today()), wanted),
            "day": service.today(),
            "listing": listing,
            "halls": [(hall.id, hall.title(language)) for hall in known.values()],
            "silent": sum(hall.state.value != "online" for hall in known.values()),
        }  # fmt: skip
        return request.app[PAGES].render(request, "tickets.html", context, block="list")

    return [web.get("/tickets", tickets)]


def _bookings(figures: list[BookingFigures], hall: str | None) -> tuple[int, int, int]:
    """Bookings of today: not here yet, arrived, missed."""
    own = [one for one in figures if not hall or one.hall == hall]
    return (
        sum(one.due for one in own),
        sum(one.arrived for one in own),
        sum(one.missed for one in own),
    )
