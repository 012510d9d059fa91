"""Pages of a hall's day: places, what no longer fits, moving or cancelling a whole day; figures."""

from datetime import date, timedelta

from aiohttp import web

from console.core.days import day_of
from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.appointments.api import Life
from console.modules.appointments.closing import Misfit, Proposal
from console.modules.appointments.closing_job import CloseDay
from console.modules.appointments.forms import ClosingForm
from console.modules.appointments.views import Desk, day_wanted, rights, wish_asked, wish_of
from console.modules.jobs.api import JobKind, JobsApi
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.asked import choice_asked
from qingting.kernel.web.sheets import sheet_response

COUNTED = (Life.BOOKED, Life.ARRIVED, Life.SERVED, Life.LEFT, Life.MISSED, Life.CANCELLED)
BY = ("hall", "department", "item", "day", "month")
TONES = ("info", "accent", "done", "caution", "fault", "off")
"""Of the states counted, in a chart."""


class DayPages:
    """Handlers over ``desk``. ``offset`` is the city's minutes from UTC."""

    def __init__(self, desk: Desk, offset: int, jobs: JobsApi, kind: JobKind[CloseDay]) -> None:
        self._desk = desk
        self._jobs = jobs
        self._kind = kind
        self._offset = offset

    def _today(self) -> date:
        return day_of(self._desk.staff.now(), self._offset)

    async def _hall(self, request: web.Request) -> tuple[str, list[tuple[str, str]]]:
        """The hall that is looked at: asked for, or the reader's first; empty where there is none."""
        halls = await self._desk.hall_choices(request)
        asked = request.query.get("hall", "")
        if asked:
            request[SUBJECT].require(Permission.APPOINTMENTS, hall=asked)
        return asked or (halls[0][0] if halls else ""), halls

    async def day(self, request: web.Request) -> web.Response:
        hall, halls = await self._hall(request)
        usual = self._today() + timedelta(days=1)
        day = day_wanted(request, "day", usual) or usual
        context = {
            "hall": hall,
            "halls": halls,
            "day": day,
            "before": day - timedelta(days=1),
            "after": day + timedelta(days=1),
            "lines": await self._lines(request, hall, day) if hall else [],
            "rows": await self._desk.staff.of_day(request[UOW], request[SUBJECT], HallId(hall), day)
            if hall
            else [],
            **rights(request),
        }
        return request.app[PAGES].render(request, "appointments_day.html", context, block="main")

    async def _lines(
        self, request: web.Request, hall: str, day: date
    ) -> list[tuple[str, str, object]]:
        """Items with their places of the day: place in the choice, name, day."""
        found: list[tuple[str, str, object]] = []
        for one in await self._desk.counter.offers(request[UOW], hall=hall):
            free = await self._desk.free_day(request, hall, (one.item,), day, public=True)
            if free is not None:
                found.append((f"{hall}/{one.item}", one.title(request[LANGUAGE]), free))
        return found

    async def unfit(self, request: web.Request) -> web.Response:
        hall, halls = await self._hall(request)
        listing, count, found = Listing.of(request, ("hall",), sort=""), 0, list[Misfit]()
        if hall:
            count, found = await self._desk.closing.misfits(
                request[UOW],
                request[SUBJECT],
                HallId(hall),
                limit=listing.rows,
                offset=listing.offset,
            )
        listing = listing.counted(count)
        context = {"hall": hall, "halls": halls, "rows": found, "count": count, "listing": listing}
        context |= rights(request)
        return request.app[PAGES].render(request, "appointments_unfit.html", context, block="main")

    async def closing(self, request: web.Request) -> web.Response:
        hall, halls = await self._hall(request)
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        day = day_wanted(request, "day", self._today()) or self._today()
        to = request.query.get("to") or hall
        to_day = day_wanted(request, "to_day")
        form = ClosingForm(hall=hall, day=day, to=to, to_day=to_day)
        return await self._closing(request, form, halls)

    async def _closing(
        self,
        request: web.Request,
        form: ClosingForm,
        halls: list[tuple[str, str]],
    ) -> web.Response:
        uow, subject, hall = request[UOW], request[SUBJECT], HallId(form.hall)
        booked = await self._desk.staff.of_day(uow, subject, hall, form.day, Life.BOOKED) if hall else []  # fmt: skip
        proposals = await self._proposals(request, form) if hall and form.to_day else None
        context = {
            "form": form,
            "halls": halls,
            "booked": booked,
            "proposals": proposals,
            "placed": sum(bool(one.start) for one in proposals or ()),
            "open": await self._takes_bookings(request, form),
            **rights(request),
        }
        return request.app[PAGES].render(
            request, "appointments_closing.html", context, block="main"
        )

    async def _takes_bookings(self, request: web.Request, form: ClosingForm) -> bool:
        """Whether somebody may still book on the day: a place that is freed would be taken again."""
        for one in await self._desk.counter.offers(request[UOW], hall=form.hall):
            free = await self._desk.free_day(request, form.hall, (one.item,), form.day, public=True)
            if free is not None and not free.why and any(not place.why for place in free.places):
                return True
        return False

    async def _proposals(self, request: web.Request, form: ClosingForm) -> list[Proposal]:
        assert form.to_day is not None
        return await self._desk.closing.proposals(
            request[UOW],
            request[SUBJECT],
            HallId(form.hall),
            form.day,
            HallId(form.to),
            form.to_day,
        )

    async def close(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        form, subject = await read_form(request, ClosingForm), request[SUBJECT]
        subject.require(Permission.APPOINTMENTS_HANDLE, hall=form.hall)
        if form.do == "move" and form.to_day is not None:
            subject.require(Permission.APPOINTMENTS_HANDLE, hall=form.to)
            wish = CloseDay(hall=HallId(form.hall), day=form.day, to=HallId(form.to), to_day=form.to_day)  # fmt: skip
        elif form.do == "cancel":
            wish = CloseDay(hall=HallId(form.hall), day=form.day, words=form.words)
        else:
            raise Refusal("form.invalid", field="to_day")
        no = await self._jobs.start(request[UOW], subject, self._kind, wish, hall=form.hall)
        raise see_other(request, f"/jobs/{no}")

    async def figures(self, request: web.Request) -> web.Response:
        listing, by = Listing.of(request, ("hall", "first", "last", "by"), sort=""), _by(request)
        wish = wish_asked(request, listing)
        rows = await self._desk.staff.figures(request[UOW], request[SUBJECT], wish, by)
        pages, language = request.app[PAGES], request[LANGUAGE]
        heads: list[object] = [pages.text(language, f"appointments.by.{by}")]
        heads += [(pages.text(language, f"appointments.state.{one}"), "num") for one in COUNTED]
        context = {
            "rows": rows,
            "heads": heads,
            "sums": {one: sum(_count(row, one) for row in rows) for one in COUNTED},
            "states": COUNTED,
            "series": [
                (pages.text(language, f"appointments.state.{one}"), tone)
                for one, tone in zip(COUNTED, TONES, strict=True)
            ],
            "by": by,
            "ways": BY,
            "wish": wish,
            "listing": listing,
            "narrowed": bool(listing.query.keys() - {"by"}),
            "halls": await self._desk.hall_choices(request),
            **rights(request),
        }
        return request.app[PAGES].render(
            request, "appointments_figures.html", context, block="main"
        )

    async def sheet(self, request: web.Request) -> web.Response:
        listing, by = Listing.of(request, ("hall", "first", "last"), sort=""), _by(request)
        rows = await self._desk.staff.figures(
            request[UOW], request[SUBJECT], wish_of(listing.query), by
        )
        pages, language = request.app[PAGES], request[LANGUAGE]
        name = "name" if language is Language.ZH else "name_en"
        return await sheet_response(
            request.match_info["kind"],
            file=f"appointments-by-{by}",
            title=by,
            head=[
                pages.text(language, f"appointments.by.{by}"),
                *(pages.text(language, f"appointments.state.{one}") for one in COUNTED),
            ],
            rows=[
                [str(row[name] or row["key"]), *(_count(row, one) for one in COUNTED)]
                for row in rows
            ],
        )


def _count(row: dict[str, object], state: Life) -> int:
    found = row[state.value]
    assert isinstance(found, int)
    return found


def _by(request: web.Request) -> str:
    return choice_asked(request, "by", BY, BY[0])


def routes(desk: Desk, offset: int, jobs: JobsApi, kind: JobKind[CloseDay]) -> list[web.RouteDef]:
    pages = DayPages(desk, offset, jobs, kind)
    return [
        web.get("/appointments/day", pages.day),
        web.get("/appointments/unfit", pages.unfit),
        web.get("/appointments/closing", pages.closing),
        web.post("/appointments/closing", pages.close),
        web.get("/appointments/figures", pages.figures),
        web.get("/appointments/figures.{kind}", pages.sheet),
    ]
