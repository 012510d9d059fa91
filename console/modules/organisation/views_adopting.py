"""The page on which the staff of a hall are taken over, all at once."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.divisions import full
from console.core.lists import PAGE_ROWS
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.organisation.api import Staff
from console.modules.organisation.service import OrganisationService
from console.modules.organisation.staff import StaffService, number_fits
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, read_form, see_other

ADOPT = "/staff/adopt"
MOST = 4 * PAGE_ROWS
"""People on the page; the others follow once these are taken over."""
Text = Annotated[str, msgspec.Meta(max_length=80)]


class AdoptForm(Strict, frozen=True, kw_only=True):
    """``number``: the ticked ones."""

    hall: Text = ""
    division: Text = ""
    department: Text = ""
    post: Text = ""
    number: tuple[Text, ...] = ()

    def place(self) -> Staff:
        return Staff(
            number="",
            name="",
            post=self.post,
            division=self.division,
            department=self.department,
            hall=self.hall,
        )


class AdoptPages:
    """Handlers over both services."""

    def __init__(self, staff: StaffService, organisation: OrganisationService) -> None:
        self._staff = staff
        self._organisation = organisation

    async def show(self, request: web.Request) -> web.Response:
        """With everybody ticked, in the division where the hall stands."""
        hall = request.query.get("hall", "")[:80]
        found = await self._staff.strangers(request[UOW], request[SUBJECT], hall)
        stands, _ = (await self._organisation.chart(request[UOW])).halls.get(hall, ("", ""))
        division = full(stands) if stands else ""
        numbers = tuple(one.label for one in found[:MOST] if number_fits(one.label))
        return await self._page(request, AdoptForm(hall=hall, division=division, number=numbers))

    async def _page(
        self, request: web.Request, form: AdoptForm, problem: Refusal | None = None
    ) -> web.Response:
        uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
        departments, _ = await self._organisation.own_departments(uow, subject)
        divisions = await self._organisation.divisions_within(uow, subject)
        halls = {str(one.id): one.title(language) for one in await self._staff.halls(uow, subject)}
        found = await self._staff.strangers(uow, subject, form.hall)
        context = {
            "form": form,
            "hall": halls.get(form.hall, form.hall),
            "rows": found[:MOST],
            "count": len(found),
            "fits": number_fits,
            "divisions": [(one.code, one.indented(language)) for one in divisions],
            "departments": [("", "—"), *((one.id, one.title(language)) for one in departments)],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "staff_adopt.html", context)

    async def adopt(self, request: web.Request) -> web.Response:
        form = await read_form(request, AdoptForm)
        try:
            await self._staff.adopt(request[UOW], request[SUBJECT], form.place(), form.number)
        except Refusal as refusal:
            return await self._page(request, form, refusal)
        raise see_other(request, f"/staff?hall={form.hall}", done="staff.done.adopted")


def adopting_routes(staff: StaffService, organisation: OrganisationService) -> list[web.RouteDef]:
    pages = AdoptPages(staff, organisation)
    return [web.get(ADOPT, pages.show), web.post(ADOPT, pages.adopt)]
