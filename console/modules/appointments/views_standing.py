"""Pages of breaches, punishments and the lists."""

from datetime import timedelta

from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.appointments import repository_standing as repo
from console.modules.appointments.forms import ListForm, ReasonForm
from console.modules.appointments.places import instant
from console.modules.appointments.views import Desk, rights
from qingting.contract.errors import Refusal
from qingting.contract.states import CertificateKind
from qingting.kernel.web import read_form, see_other


class StandingPages:
    """Handlers over ``desk``. ``offset`` is the city's minutes from UTC."""

    def __init__(self, desk: Desk, offset: int) -> None:
        self._desk = desk
        self._offset = offset

    async def breaches(self, request: web.Request) -> web.Response:
        scope = request[SUBJECT].scope(Permission.APPOINTMENTS)
        listing = Listing.of(request, (), sort="")
        offset = listing.offset
        count, rows = await repo.breaches(request[UOW], scope, listing.rows, offset)
        context = {
            "rows": rows,
            "count": count,
            "listing": listing.counted(count),
            "bans": await repo.bans(request[UOW], scope, self._desk.staff.now()),
            **rights(request),
        }
        return request.app[PAGES].render(
            request, "appointment_breaches.html", context, block="main"
        )

    async def forgive(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        form = await read_form(request, ReasonForm)
        await self._desk.staff.forgive(
            request[UOW], request[SUBJECT], request.match_info["appointment"], form.reason
        )
        raise see_other(request, "/appointments/breaches", done="appointments.done.forgiven")

    async def lift(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        form = await read_form(request, ReasonForm)
        await self._desk.staff.lift(request[UOW], request[SUBJECT], _no(request), form.reason)
        raise see_other(request, "/appointments/breaches", done="appointments.done.lifted")

    async def lists(self, request: web.Request) -> web.Response:
        return await self._lists(request, ListForm(), None)

    async def _lists(
        self, request: web.Request, form: ListForm, problem: Refusal | None
    ) -> web.Response:
        scope = request[SUBJECT].scope(Permission.APPOINTMENTS)
        if not scope.everywhere:
            raise Refusal("page.forbidden")
        handle = request[SUBJECT].may(Permission.APPOINTMENTS_HANDLE)
        context = {
            "rows": await repo.listed(request[UOW], self._desk.staff.now()),
            "form": form,
            "certificates": tuple(CertificateKind),
            "problem": problem,
            "may": handle,
            **rights(request),
        }
        return request.app[PAGES].render(request, "appointment_lists.html", context, block="main")

    async def put(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        form = await read_form(request, ListForm)
        last = form.until
        until = 0 if last is None else instant(last + timedelta(days=1), 0, self._offset)
        uow, subject = request[UOW], request[SUBJECT]
        try:
            async with uow.savepoint():
                await self._desk.staff.put_listed(
                    uow, subject, form.caller, kind=form.kind, reason=form.reason, until=until
                )
        except Refusal as refusal:
            return await self._lists(request, form, refusal)
        raise see_other(request, "/appointments/lists", done="appointments.done.listed")

    async def end(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        await self._desk.staff.end_listed(request[UOW], request[SUBJECT], _no(request))
        raise see_other(request, "/appointments/lists", done="appointments.done.unlisted")


def _no(request: web.Request) -> int:
    """Raises ``page.not_found`` for what is no number."""
    text = request.match_info["no"]
    if not text.isdecimal() or len(text) > 12:
        raise Refusal("page.not_found")
    return int(text)


def routes(desk: Desk, offset: int) -> list[web.RouteDef]:
    pages = StandingPages(desk, offset)
    return [
        web.get("/appointments/breaches", pages.breaches),
        web.post("/appointments/breaches/{appointment}/forgive", pages.forgive),
        web.post("/appointments/bans/{no}/lift", pages.lift),
        web.get("/appointments/lists", pages.lists),
        web.post("/appointments/lists", pages.put),
        web.post("/appointments/lists/{no}/end", pages.end),
    ]
