"""Overview, halls and the wall screen."""

from collections.abc import Callable

from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission, Subject
from console.core.web import PAGES, SUBJECT, UOW
from console.core.words import condition_words
from console.halls.api import HallsApi, LinkState
from console.modules.devices.api import DeviceInfo, DeviceLine, device_line
from console.modules.overview.domain import Attention
from console.modules.overview.places import MAP, Place, tiles
from console.modules.overview.service import HallLine, OverviewService
from console.modules.overview.standing import counted
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, read_form, see_other

LINK_TONES = {
    LinkState.ONLINE: "done",
    LinkState.OFFLINE: "fault",
    LinkState.NEVER: "off",
    LinkState.QUARANTINED: "caution",
}
_WORST = ("fault", "caution", "info")
_SORTS = {
    "hall": lambda line: line.status.id,
    "state": lambda line: (line.status.state.value, line.status.since),
    "seen": lambda line: line.status.seen_at,
    "waiting": lambda line: line.waiting,
    "served": lambda line: line.totals.done,
    "broken": lambda line: line.out_of_order,
}


class ForkForm(Strict, frozen=True, kw_only=True):
    accept: bool


def routes(
    service: OverviewService, halls: HallsApi, home: Callable[[Subject], str]
) -> list[web.RouteDef]:
    """Handlers over ``service``; ``home`` is where somebody starts who may not see the overview."""

    async def overview(request: web.Request) -> web.Response:
        if not request[SUBJECT].may(Permission.LOOK):
            raise see_other(request, home(request[SUBJECT]))
        picture = await service.picture(request[UOW], request[SUBJECT], Permission.LOOK)
        context = {"picture": picture, "words": _words(request), "tones": LINK_TONES}
        context |= {"map": MAP, "tiles": tiles(picture.lines)}
        return request.app[PAGES].render(request, "overview.html", context, block="now")

    async def wall(request: web.Request) -> web.Response:
        picture = await service.picture(request[UOW], request[SUBJECT], Permission.WALL)
        context = {"picture": picture, "words": _words(request), "tones": LINK_TONES}
        return request.app[PAGES].render(request, "wall.html", context, block="now")

    async def hall_list(request: web.Request) -> web.Response:
        picture = await service.picture(request[UOW], request[SUBJECT], Permission.LOOK)
        listing = Listing.of(request, (), sort="")
        listing, lines = listing.cut(picture.lines, _SORTS)
        context: dict[str, object] = {"lines": lines, "listing": listing, "tones": LINK_TONES}
        context["words"] = _words(request)
        return request.app[PAGES].render(request, "halls.html", context, block="now")

    async def hall(request: web.Request) -> web.Response:
        wanted = HallId(request.match_info["hall"])
        picture = await service.hall(request[UOW], request[SUBJECT], wanted)
        context = {"hall": picture, "words": _words(request), "tones": LINK_TONES}
        return request.app[PAGES].render(request, "hall.html", context, block="now")

    async def decide(request: web.Request) -> web.Response:
        form, wanted = await read_form(request, ForkForm), HallId(request.match_info["hall"])
        await halls.decide_fork(request[UOW], request[SUBJECT], wanted, accept=form.accept)
        done = "fork.accepted" if form.accept else "fork.rejected"
        raise see_other(request, f"/halls/{wanted}", done=done)

    return [
        web.get("/", overview),
        web.get("/wall", wall),
        web.get("/halls", hall_list),
        web.get("/halls/{hall}", hall),
        web.post("/halls/{hall}/fork", decide),
    ]


class Words:
    """What templates ask in the reader's language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def hall(self, line: HallLine) -> str:
        return line.status.title(self._language)

    def short(self, line: HallLine) -> str:
        """The hall's name without what all of them share."""
        return self.short_title(self.hall(line))

    def short_title(self, title: str) -> str:
        return MAP.short(title)

    def counted(self, models: dict[str, str]) -> list[tuple[str, int]]:
        """How many devices are of each model."""
        return counted(list(models.values()))

    def place(self, place: Place) -> str:
        return place.title(self._language)

    def what(self, one: Attention) -> list[tuple[str, str]]:
        """Tone and words of a device's conditions, worst first."""
        assert one.device is not None
        found = [
            (words.tone, words.text)
            for words in (
                condition_words(each.condition, self._language) for each in one.device.conditions
            )
        ]
        return sorted(found, key=lambda each: _WORST.index(each[0]))

    def device(self, device: DeviceInfo) -> DeviceLine:
        return device_line(device, self._language)

    def hint(self, one: Attention) -> str:
        """What to do about the worst of a device's conditions."""
        assert one.device is not None
        words = [condition_words(each.condition, self._language) for each in one.device.conditions]
        return min(words, key=lambda found: _WORST.index(found.tone)).hint if words else ""

    def refusal(self, code: str) -> str:
        """The catalogue's sentence for why a hall was refused."""
        return Refusal(code).sentence(self._language)

    @property
    def language(self) -> Language:
        return self._language


def _words(request: web.Request) -> Words:
    return Words(request[LANGUAGE])
