"""Pages of halls for everybody: which there are, which is near, one hall with its hours and queues."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.web import PAGES, UOW
from console.halls.api import Spot
from console.modules.citizens.board import nearest, within
from console.modules.citizens.handled import Handling
from console.modules.citizens.shell import START
from console.modules.citizens.views_public import PublicDesk, options
from qingting.contract.base import Strict
from qingting.contract.ids import HallId
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.asked import misread

MAY_LOCATE = {"Permissions-Policy": "camera=(), microphone=(), geolocation=(self)"}
"""Only the page that offers it may ask the browser where somebody is, and the browser asks the person."""


class SpotForm(Strict, frozen=True, kw_only=True):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class HallPages:
    """Handlers over ``desk``. ``map_url`` is an address with {latitude}, {longitude} and {name}, or empty."""

    def __init__(self, desk: PublicDesk, map_url: str) -> None:
        self._desk = desk
        self._map_url = map_url
        handling = Handling(desk.catalogue, desk.appointments, desk.board)
        self._handled = desk.board.kept(handling.read)

    async def halls(self, request: web.Request) -> web.Response:
        return await self._listed(request, None)

    async def near_again(self, request: web.Request) -> web.Response:
        """Where a link leads back to that was followed on the answer: without the position."""
        raise see_other(request, f"{START}/halls")

    async def near(self, request: web.Request) -> web.Response:
        """The position comes in the body: an address would be kept in histories and logs. It is not stored."""
        form = await read_form(request, SpotForm)
        return await self._listed(request, Spot(form.latitude, form.longitude))

    async def _listed(self, request: web.Request, spot: Spot | None) -> web.Response:
        uow, board = request[UOW], self._desk.board
        halls = await board.halls(uow)
        wanted = request.query.get("division", "")
        if not wanted.isdecimal():
            misread(request, "division", "choice")
        chosen = within(halls, wanted if wanted.isdecimal() else "")
        rows = nearest(halls, spot) if spot else [(one, None) for one in chosen]
        context = {
            "rows": rows,
            "near": spot is not None,
            "wanted": wanted,
            "division_options": options(await board.divisions(uow), request[LANGUAGE]),
            "now": board.moment(),
            "language": request[LANGUAGE],
        }
        answer = request.app[PAGES].render(request, "c_halls.html", context, block="main")
        answer.headers.update(MAY_LOCATE)
        return answer

    async def hall(self, request: web.Request) -> web.Response:
        uow, hall = request[UOW], HallId(request.match_info["hall"])
        found = await self._desk.board.hall(uow, hall)
        context = {
            "page": found,
            "handled": await self._handled(uow, (hall, request[LANGUAGE])),
            "bookable": bool(await self._desk.appointments.offers(uow, hall=hall)),
            "map_url": self._map(found.now.status.spot, found.now.status.name),
            "now": self._desk.board.moment(),
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "c_hall.html", context, block="live")

    def _map(self, spot: Spot | None, name: str) -> str:
        if spot is None or not self._map_url:
            return ""
        return self._map_url.format(latitude=spot.latitude, longitude=spot.longitude, name=name)


def routes(desk: PublicDesk, map_url: str) -> list[web.RouteDef]:
    pages = HallPages(desk, map_url)
    return [
        web.get(f"{START}/halls", pages.halls),
        web.get(f"{START}/halls/near", pages.near_again),
        web.post(f"{START}/halls/near", pages.near),
        web.get(f"{START}/halls/{{hall}}", pages.hall),
    ]
