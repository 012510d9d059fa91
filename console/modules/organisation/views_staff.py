"""Pages of staff."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.codes import plain
from console.core.divisions import full
from console.core.lists import MOST_TAKEN, PAGE_ROWS, Listing
from console.core.permissions import stem
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.organisation.api import Division, Level, Staff
from console.modules.organisation.service import OrganisationService
from console.modules.organisation.staff import StaffService
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.taking import TAKING

Text = Annotated[str, msgspec.Meta(max_length=80)]


FILTERS = ("division", "hall", "state", "q")
_SORTS = {
    "number": lambda one: one.number,
    "name": lambda one: one.name,
    "division": lambda one: (one.division, one.number),
}


def _fits(one: Staff, query: Mapping[str, str]) -> bool:
    """A division stands for all below it, too."""
    state = "left" if one.left else "here"
    return (
        one.division.startswith(stem(query.get("division", "")))
        and query.get("hall", one.hall) == one.hall
        and query.get("state", state) == state
        and _named(query, one.number, one.name, one.post)
    )


def _named(query: Mapping[str, str], *texts: str) -> bool:
    return plain(query.get("q", "")).casefold() in " ".join(texts).casefold()


def _areas(within: Sequence[Division]) -> list[Division]:
    """Divisions to choose from: the city and its districts, or the towns of whoever keeps no more."""
    wide = [one for one in within if one.level in (Level.CITY, Level.DISTRICT)]
    return wide or list(within)


class StaffForm(Strict, frozen=True, kw_only=True):
    number: Text = ""
    name: Text = ""
    post: Text = ""
    division: Text = ""
    department: Text = ""
    hall: Text = ""
    left: bool = False

    def staff(self) -> Staff:
        return Staff(**msgspec.structs.asdict(self))


class StaffPages:
    """Handlers over both services."""

    def __init__(self, staff: StaffService, organisation: OrganisationService) -> None:
        self._staff = staff
        self._organisation = organisation

    async def listed(self, request: web.Request) -> web.Response:
        uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
        own, strangers = await self._staff.listed(uow, subject)
        departments = await self._organisation.departments(uow)
        wide = await self._organisation.divisions_within(uow, subject)
        listing = Listing.of(request, FILTERS, sort="number")
        query = dict(listing.query)
        kept = [one for one in own if _fits(one, query)]
        taken = TAKING in request
        # Only the other table can be taken out of the page: this one has files of its own.
        listing, rows = listing.cut(kept[:MOST_TAKEN] if "table" in request.query else kept, _SORTS)
        context = {
            "rows": rows,
            "count": len(kept),
            "known": len(own),
            "listing": listing,
            "strangers": [one for one in strangers if _named(query, one.label, one.name)],
            "at_halls": Counter(one.hall for one in strangers).most_common(),
            "shown": len(strangers) if taken else PAGE_ROWS,
            "divisions": {
                one.code: one.title(language) for one in await self._organisation.divisions(uow)
            },
            "areas": [(one.code, one.indented(language)) for one in _areas(wide)],
            "departments": {one.id: one.title(language) for one in departments},
            "halls": {one.id: one.title(language) for one in await self._staff.halls(uow, subject)},
        }
        return request.app[PAGES].render(request, "staff.html", context, block="list")

    async def _page(
        self, request: web.Request, form: StaffForm, problem: Refusal | None, *, new: bool
    ) -> web.Response:
        uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
        divisions = await self._organisation.divisions_within(uow, subject)
        departments, _ = await self._organisation.own_departments(uow, subject)
        halls = await self._staff.halls(uow, subject)
        context = {
            "form": form,
            "new": new,
            "divisions": [(one.code, one.indented(language)) for one in divisions],
            "departments": [("", "—"), *((one.id, one.title(language)) for one in departments)],
            "halls": [("", "—"), *((one.id, one.title(language)) for one in halls)],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "staff_one.html", context)

    async def new(self, request: web.Request) -> web.Response:
        """With what a hall says of the person already filled in, when the list of the halls led here."""
        number, hall = (request.query.get(key, "")[:80] for key in ("number", "hall"))
        _, strangers = await self._staff.listed(request[UOW], request[SUBJECT])
        names = [one.name for one in strangers if (one.label, one.hall) == (number, hall)]
        chart = await self._organisation.chart(request[UOW])
        stands, _ = chart.halls.get(hall, ("", ""))
        form = StaffForm(
            number=number,
            hall=hall,
            name=names[0] if names else "",
            division=full(stands) if stands else "",
        )
        return await self._page(request, form, None, new=True)

    async def edit(self, request: web.Request) -> web.Response:
        found = await self._staff.one(request[UOW], request[SUBJECT], request.match_info["number"])
        fields = {name: getattr(found, name) for name in StaffForm.__struct_fields__}
        return await self._page(request, StaffForm(**fields), None, new=False)

    async def add(self, request: web.Request) -> web.Response:
        return await self._put(request, await read_form(request, StaffForm), new=True)

    async def change(self, request: web.Request) -> web.Response:
        form = await read_form(request, StaffForm)
        number = request.match_info["number"]
        return await self._put(request, msgspec.structs.replace(form, number=number), new=False)

    async def _put(self, request: web.Request, form: StaffForm, *, new: bool) -> web.Response:
        try:
            await self._staff.put(request[UOW], request[SUBJECT], form.staff(), new=new)
        except Refusal as refusal:
            return await self._page(request, form, refusal, new=new)
        raise see_other(request, "/staff", done="staff.done.kept")


def staff_routes(staff: StaffService, organisation: OrganisationService) -> list[web.RouteDef]:
    pages = StaffPages(staff, organisation)
    return [
        web.get("/staff", pages.listed),
        web.post("/staff", pages.add),
        web.get("/staff/new", pages.new),
        web.get("/staff/edit/{number}", pages.edit),
        web.post("/staff/edit/{number}", pages.change),
    ]
