"""Pages that show items: the list, one item, its spreadsheet, flags."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from aiohttp import web

from console.core.divisions import full
from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi, HallStatus
from console.modules.calendar.api import TimeLimit
from console.modules.catalogue import repository
from console.modules.catalogue.api import ItemQuery
from console.modules.catalogue.cells import limit_words
from console.modules.catalogue.domain import FIELDS, State, short_division
from console.modules.catalogue.forms import yes_no
from console.modules.catalogue.service import CatalogueService, version_in_force
from console.modules.organisation.api import OrganisationApi
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.asked import choice_asked

FILTERS = ("q", "department", "theme", "division", "hall", "bookable", "on_site")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages need."""

    service: CatalogueService
    halls: HallsApi
    organisation: OrganisationApi

    async def hall_names(self, request: web.Request) -> dict[str, str]:
        language, scope = request[LANGUAGE], request[SUBJECT].scope(Permission.LOOK)
        return {one.id: one.title(language) for one in await self.halls.halls(request[UOW], scope)}

    async def choices(self, request: web.Request) -> dict[str, object]:
        """What lists and forms choose from."""
        uow, zh = request[UOW], request[LANGUAGE] is Language.ZH
        themes = await repository.themes(uow)
        return {
            "departments": [(one, one) for one in await repository.departments(uow)],
            "divisions": await self._divisions(request),
            "themes": [(name, name if zh else en or name) for name, en in themes],
            "halls": await self.hall_names(request),
        }

    async def place_names(self, request: web.Request) -> dict[str, str]:
        """Halls by id and divisions by code, in the reader's language."""
        divisions = await self._divisions(request)
        return await self.hall_names(request) | {code: name.strip() for code, name in divisions}

    async def _divisions(self, request: web.Request) -> list[tuple[str, str]]:
        """Those that items are of, by their names."""
        language = request[LANGUAGE]
        known = {one.code: one for one in await self.organisation.divisions(request[UOW])}
        used = sorted({full(one) for one in await repository.divisions(request[UOW])})
        return [
            (short_division(one), known[one].indented(language) if one in known else one)
            for one in used
        ]

    async def places(
        self, request: web.Request, department: str, division: str
    ) -> dict[str, object]:
        """What a form chooses department and division from: those of the organisation within reach or above it, of the
        halls and of other items, and what the item has already."""
        uow, language, subject = request[UOW], request[LANGUAGE], request[SUBJECT]
        scope = subject.scope(Permission.CATALOGUE)
        names = await self.service.references.departments(uow, subject)
        names |= {department} - {""}
        own = [
            (short_division(one.code), one.indented(language))
            for one in await self.organisation.divisions(uow)
            if scope.has_division(one.code)
        ]
        if division and division not in dict(own):
            own.append((division, division))
        return {"all_departments": sorted(names), "all_divisions": own}

    async def handled_at(self, request: web.Request, code: str) -> list[HallStatus]:
        """Halls within reach whose own lists have the item."""
        scope = request[SUBJECT].scope(Permission.LOOK)
        directory = await self.halls.directory(request[UOW], scope)
        having = {
            hall
            for (hall, kind, _), one in directory.entries.items()
            if kind == "item" and one.present and one.label == code
        }
        return [one for one in await self.halls.halls(request[UOW], scope) if one.id in having]


class Words:
    """Values of an item in the reader's language."""

    def __init__(self, request: web.Request, places: dict[str, str]) -> None:
        self._pages, self._language, self._places = request.app[PAGES], request[LANGUAGE], places

    def __call__(self, field: str, value: object) -> str:
        if value is None or value in ("", ()):
            return "—"
        if isinstance(value, bool):
            return self._text("catalogue.yes" if value else "catalogue.no")
        if isinstance(value, TimeLimit):
            return self.limit(value)
        if isinstance(value, tuple):
            between = "、" if self._language is Language.ZH else ", "
            return between.join(self._one(field, str(one)) for one in value)
        return self._one(field, str(value))

    def limit(self, limit: TimeLimit | None) -> str:
        if limit is None or self._language is Language.ZH:
            return limit_words(limit) or "—"
        return f"{limit.amount} {self._text(f'catalogue.unit.{limit.unit}')}"

    def _one(self, field: str, value: str) -> str:
        if field in ("kind", "level", "audience", "handling", "channels"):
            return self._text(f"catalogue.{field}.{value}")
        return self._places.get(value, value) if field in ("halls", "division") else value

    def _text(self, key: str) -> str:
        return self._pages.text(self._language, key)


def query_of(query: Mapping[str, str]) -> ItemQuery:
    """From the filters in an address."""
    return ItemQuery(
        text=query.get("q", ""),
        department=query.get("department", ""),
        theme=query.get("theme", ""),
        division=query.get("division", ""),
        hall=query.get("hall", ""),
        bookable=yes_no(query.get("bookable", "")),
        on_site=yes_no(query.get("on_site", "")),
    )


def routes(desk: Desk) -> list[web.RouteDef]:
    """Handlers over ``desk``."""
    service = desk.service

    async def catalogue(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.LOOK)
        listing = Listing.of(request, FILTERS, sort="")
        for name in ("bookable", "on_site"):
            choice_asked(request, name, ("yes", "no"), "")
        offset = listing.offset
        count, found = await service.items(
            request[UOW], query_of(listing.query), limit=listing.rows, offset=offset
        )
        choices = await desk.choices(request)
        context = {
            "rows": found,
            "count": count,
            "wanted": query_of(listing.query),
            "listing": listing.counted(count),
            "drafts": len(await service.reviews(request[UOW], request[SUBJECT])),
            "words": Words(request, await desk.place_names(request)),
            "language": request[LANGUAGE],
            **_rights(request),
            **choices,
        }
        return request.app[PAGES].render(request, "catalogue.html", context, block="main")

    async def item(request: web.Request) -> web.Response:
        code, language = request.match_info["code"], request[LANGUAGE]
        versions = await service.versions(request[UOW], request[SUBJECT], code)
        held = version_in_force(versions, service.today())
        draft = versions[0] if versions[0].state is State.DRAFT else None
        present = await repository.item(request[UOW], code, service.today())
        context = {
            "code": code,
            "versions": versions,
            "held": held,
            "draft": draft,
            "shown": held or versions[0],
            "present": present,
            "handled_at": await desk.handled_at(request, code),
            "due": await _due(request, service, code, held is not None and not held.body.withdrawn),
            "words": Words(request, await desk.place_names(request)),
            "fields": [one for one in FIELDS if one not in ("name", "name_en", "withdrawn")],
            "language": language,
            **_rights(request),
        }
        return request.app[PAGES].render(request, "catalogue_item.html", context, block="main")

    return [
        web.get("/catalogue", catalogue),
        web.get("/catalogue/items/{code}", item),
    ]


def _rights(request: web.Request) -> dict[str, object]:
    subject = request[SUBJECT]
    return {
        "may": subject.may(Permission.CATALOGUE),
        "may_publish": subject.may(Permission.CATALOGUE_PUBLISH),
        "may_sync": subject.may(Permission.CATALOGUE_SYNC),
    }


async def _due(
    request: web.Request, service: CatalogueService, code: str, in_force: bool
) -> dict[str, object] | None:
    """What is promised for a case accepted today."""
    today: date = service.today()
    if not in_force:
        return None
    due = await service.promised_day(request[UOW], code, today)
    return None if due is None else {"start": today, "day": due.day, "unsettled": due.unsettled}


__all__ = ["Desk", "Words", "routes"]
