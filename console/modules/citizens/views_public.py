"""Pages that need no login: home, service items, how the pages look."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from console.core.lists import Listing
from console.core.uow import ReadUow
from console.core.web import PAGES, UOW
from console.modules.appointments.api import AppointmentsApi
from console.modules.catalogue.api import CatalogueApi, Item, ItemQuery, Named
from console.modules.citizens.board import Board, HallNow, within
from console.modules.citizens.booking import proof_of
from console.modules.citizens.domain import inside
from console.modules.citizens.door import CITIZEN
from console.modules.citizens.shell import LOOKS, START, looks_of, remember_looks
from console.modules.organisation.api import Division
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.asked import misread

PAGE_ITEMS = 20
FILTERS = ("q", "theme", "division", "hall", "department", "bookable")
LONGEST_QUERY = 80
TASKS = (
    (f"{START}/book", "ticket", "book"),
    (f"{START}/bookings", "log", "mine"),
    (f"{START}/items", "search", "find"),
    (f"{START}/halls", "hall", "halls"),
)
"""What the home page offers: address, icon, text key's end."""


@dataclass(frozen=True, slots=True)
class PublicDesk:
    """What the pages need. ``secure`` marks cookies for https only."""

    catalogue: CatalogueApi
    appointments: AppointmentsApi
    board: Board
    secure: bool


def query_of(listing: Listing) -> ItemQuery:
    """What somebody looks for, cut to what an address may hold."""
    given = {name: text[:LONGEST_QUERY] for name, text in listing.query.items()}
    return ItemQuery(
        text=given.get("q", ""),
        theme=given.get("theme", ""),
        division=given.get("division", "") if given.get("division", "").isdecimal() else "",
        hall=given.get("hall", ""),
        department=given.get("department", ""),
        bookable=True if given.get("bookable") else None,
    )


class PublicPages:
    """Handlers over ``desk``."""

    def __init__(self, desk: PublicDesk) -> None:
        self._desk = desk
        self._themes = desk.board.kept(self._read_themes)

    async def _read_themes(self, uow: ReadUow, _: str) -> Sequence[Named]:
        return await self._desk.catalogue.themes(uow)

    async def home(self, request: web.Request) -> web.Response:
        board = self._desk.board
        context = {
            "halls": await board.halls(request[UOW]),
            "themes": await self._themes(request[UOW], ""),
            "tasks": TASKS,
            "now": board.moment(),
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "c_home.html", context, block="halls")

    async def look(self, request: web.Request) -> web.StreamResponse:
        """Switches a theme and leads back to where the reader was."""
        on = set(looks_of(request))
        for name in LOOKS:
            if (wish := request.query.get(name)) is not None:
                on = on | {name} if wish == "1" else on - {name}
        back = inside(request.query.get("back", START), START)
        answer = see_other(request, back)
        remember_looks(answer, tuple(one for one in LOOKS if one in on), secure=self._desk.secure)
        raise answer

    async def items(self, request: web.Request) -> web.Response:
        uow, catalogue, language = request[UOW], self._desk.catalogue, request[LANGUAGE]
        listing = Listing.of(request, FILTERS, sort="")
        wanted = query_of(listing)
        if not wanted.division:
            misread(request, "division", "choice")
        offset = (listing.page - 1) * PAGE_ITEMS
        count, found = await catalogue.items(uow, wanted, limit=PAGE_ITEMS, offset=offset)
        halls = await self._desk.board.halls(uow)
        context = {
            "rows": found,
            "count": count,
            "wanted": wanted,
            "page": listing.page,
            "pages": max(1, -(-count // PAGE_ITEMS)),
            "page_url": listing.url,
            "theme_options": [
                (one.name, one.title(language)) for one in await self._themes(uow, "")
            ],
            "division_options": options(await self._desk.board.divisions(uow), language),
            "hall": _hall_of(halls, wanted.hall),
            "language": language,
        }
        return request.app[PAGES].render(request, "c_items.html", context, block="main")

    async def item(self, request: web.Request) -> web.Response:
        uow, catalogue, board = request[UOW], self._desk.catalogue, self._desk.board
        item = await catalogue.item(uow, request.match_info["code"])
        offers = await self._desk.appointments.offers(uow, code=item.code)
        context = {
            "item": item,
            "bookable": bool(offers),
            "proof": proof_of(offers, request.get(CITIZEN), together=False),
            "materials": await catalogue.materials(uow, item.body.materials),
            "due": await catalogue.promised_day(uow, item.code, board.today()),
            "halls": handled_at(item, await board.halls(uow)),
            "divisions": _titles(await board.divisions(uow)),
            "today": board.today(),
            "now": board.moment(),
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "c_item.html", context)


def handled_at(item: Item, halls: Sequence[HallNow]) -> list[HallNow]:
    """Halls that handle an item; one that names none is handled in those of its division."""
    if item.body.halls:
        return [one for one in halls if one.status.id in item.body.halls]
    return within(halls, item.body.division)


def options(divisions: Sequence[Division], language: Language) -> list[tuple[str, str]]:
    """Divisions to choose from."""
    return [(one.code, one.indented(language)) for one in divisions]


def _titles(divisions: Sequence[Division]) -> dict[str, Division]:
    return {one.code: one for one in divisions}


def _hall_of(halls: Sequence[HallNow], wanted: str) -> HallNow | None:
    if not wanted:
        return None
    found = next((one for one in halls if one.status.id == wanted), None)
    if found is None:
        raise Refusal("hall.unknown")
    return found


def routes(desk: PublicDesk) -> list[web.RouteDef]:
    pages = PublicPages(desk)
    return [
        web.get(START, pages.home),
        web.get(f"{START}/look", pages.look),
        web.get(f"{START}/items", pages.items),
        web.get(f"{START}/items/{{code}}", pages.item),
    ]
