"""Ratings with their filters. Bad ones are as easy to reach as good ones."""

from datetime import date

from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.core.words import LEVEL_TONES
from console.halls.api import Directory, HallsApi
from console.modules.evaluation.api import EvaluationApi, RatingFilter, RatingInfo
from console.modules.statistics.api import StatisticsApi
from qingting.contract.ratings import LEVEL_WORDS, rating_tags
from qingting.contract.rules import BOOKED, ORDINARY
from qingting.contract.states import Language, RatingLevel
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.asked import choice_asked, day_asked

FILTERS = ("level", "hall", "department", "first", "last")
LEVELS = ("bad", *(level.value for level in RatingLevel))


class RatingLine:
    """A rating in the reader's words."""

    def __init__(self, rating: RatingInfo, hall: str, names: Directory, language: Language) -> None:
        place = 0 if language is Language.ZH else 1
        self.rating = rating
        self.hall = hall
        self.tone = LEVEL_TONES[rating.level]
        self.level = LEVEL_WORDS[rating.level][place]
        self.item = names.find(rating.hall, "item", rating.item).title(language)
        self.department = names.find(rating.hall, "department", rating.department).title(language)
        group = names.find(rating.hall, "class", rating.priority).title(language)
        self.priority = group if rating.priority not in (ORDINARY, BOOKED) else ""
        self.window = names.find(rating.hall, "window", rating.win).label
        self.staff = names.find(rating.hall, "staff", rating.staff).label
        self.tags = [_tag(code, language) for code in rating.tags]


def _tag(code: str, language: Language) -> str:
    """A retired or foreign tag shows as its code: what the citizen chose is never dropped."""
    tag = rating_tags().get(code)
    if tag is None:
        return code
    return tag.zh if language is Language.ZH else tag.en


def _wanted(request: web.Request, listing: Listing, today: date) -> RatingFilter:
    query = listing.query
    first, last = day_asked(request, "first", today), day_asked(request, "last", today)
    assert first is not None
    assert last is not None
    return RatingFilter(
        first=min(first, last),
        last=max(first, last),
        level=choice_asked(request, "level", LEVELS, ""),
        hall=query.get("hall", ""),
        department=query.get("department", ""),
    )


def routes(
    service: EvaluationApi, halls: HallsApi, statistics: StatisticsApi
) -> list[web.RouteDef]:
    """Handlers over ``service``."""

    async def ratings(request: web.Request) -> web.Response:
        scope = request[SUBJECT].scope(Permission.RATINGS)
        uow, language = request[UOW], request[LANGUAGE]
        listing = Listing.of(request, FILTERS, sort="")
        wanted = _wanted(request, listing, statistics.today())
        offset = listing.offset
        count, found = await service.ratings(uow, scope, wanted, limit=listing.rows, offset=offset)
        names = await halls.directory(uow, scope)
        titles = {hall.id: hall.title(language) for hall in await halls.halls(uow, scope)}
        context = {
            "rows": [RatingLine(one, titles.get(one.hall, one.hall), names, language) for one in found],
            "count": count,
            "figures": await service.figures(uow, scope, wanted),
            "wanted": wanted,
            "listing": listing.counted(count),
            "halls": list(titles.items()),
            "departments": _departments(names, language),
            "levels": _levels(language),
        }  # fmt: skip
        return request.app[PAGES].render(request, "ratings.html", context, block="list")

    return [web.get("/ratings", ratings)]


def _departments(names: Directory, language: Language) -> list[tuple[str, str]]:
    return [(one, entry.title(language)) for one, entry in names.names("department").items()]


def _levels(language: Language) -> list[tuple[RatingLevel, str, str]]:
    place = 0 if language is Language.ZH else 1
    return [(level, LEVEL_WORDS[level][place], LEVEL_TONES[level]) for level in RatingLevel]
