"""The list of all devices."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.devices.api import DeviceInfo, DevicesApi, device_line
from qingting.contract.states import DeviceKind, DeviceState
from qingting.kernel.order import natural
from qingting.kernel.web import LANGUAGE

FILTERS = ("hall", "kind", "state")
PROBLEMS = "problems"
"""Value of the state filter that keeps what needs somebody."""


_RANK = {
    state: rank
    for rank, state in enumerate(
        (
            DeviceState.LOST,
            DeviceState.DEGRADED,
            DeviceState.CONNECTING,
            DeviceState.IDENTIFYING,
            DeviceState.READY,
            DeviceState.ABSENT,
        )
    )
}
"""What asks for a look comes first, what was never there last."""
_SORTS: dict[str, Callable[[DeviceInfo], Any]] = {
    "device": lambda one: (one.kind.value, natural(one.name), one.hall),
    "hall": lambda one: (one.hall, one.parent, natural(one.name)),
    "state": lambda one: (
        not (one.fresh and one.needs_somebody),
        _RANK[one.state],
        one.hall,
        one.kind.value,
        natural(one.name),
    ),
    "since": lambda one: one.since,
    "seen": lambda one: one.seen,
}


def _kept(devices: Sequence[DeviceInfo], query: dict[str, str]) -> list[DeviceInfo]:
    state = query.get("state", "")
    return [
        one
        for one in devices
        if query.get("hall", one.hall) == one.hall
        and query.get("kind", one.kind.value) == one.kind.value
        and (not state or one.state.value == state or (state == PROBLEMS and one.needs_somebody))
    ]


def routes(service: DevicesApi, halls: HallsApi) -> list[web.RouteDef]:
    """Handlers over ``service``."""

    async def devices(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.LOOK)
        uow, language = request[UOW], request[LANGUAGE]
        known = await service.devices(uow)
        listing = Listing.of(request, FILTERS, sort="state")
        kept = _kept(known, dict(listing.query))
        listing, rows = listing.cut(kept, _SORTS)
        context = {
            "rows": [device_line(one, language) for one in rows],
            "count": len(kept),
            "known": len(known),
            "problems": sum(one.fresh and one.needs_somebody for one in known),
            "listing": listing,
            "halls": [(hall.id, hall.title(language)) for hall in await halls.halls(uow)],
            "kinds": [kind.value for kind in DeviceKind],
            "states": [state.value for state in DeviceState],
        }
        return request.app[PAGES].render(request, "devices.html", context, block="list")

    return [web.get("/devices", devices)]
