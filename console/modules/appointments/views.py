"""Pages of single appointments: the list, one of them, booking for somebody."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from aiohttp import web

from console.core.days import day_of, wall_time
from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.appointments.api import Appointment, FreeDay, Life, Wanted
from console.modules.appointments.closing import Closing
from console.modules.appointments.desk import STAFF_REASONS, StaffDesk
from console.modules.appointments.forms import BookForm, CancelForm, FindForm, MoveForm
from console.modules.appointments.repository import Wish
from console.modules.appointments.rule_desk import RuleDesk
from console.modules.appointments.taking_out import FILTERS as TAKEN_BY
from console.modules.appointments.visits import MOST_DAYS, Counter
from console.modules.calendar.api import FIRST_YEAR, LAST_YEAR
from console.modules.privacy.api import export_path
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId
from qingting.contract.states import CertificateKind, Language
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.asked import day_asked, day_of_text
from qingting.kernel.web.sheets import Cell

FILTERS = ("hall", "department", "item", "first", "last", "state", "q", "citizen", "refused")
YEAR_DAYS = 366
_CERTIFICATES = tuple(CertificateKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the pages need."""

    staff: StaffDesk
    closing: Closing
    rules: RuleDesk
    counter: Counter
    halls: HallsApi
    offset: int

    def today(self) -> date:
        return day_of(self.staff.now(), self.offset)

    def begun(self, day: date) -> str:
        """Until when the periods of a day have begun, and nobody books them any more; empty for another day."""
        return wall_time(self.staff.now(), self.offset).strftime("%H:%M") if day == self.today() else ""  # fmt: skip

    async def hall_choices(self, request: web.Request) -> list[tuple[str, str]]:
        scope, language = request[SUBJECT].scope(Permission.APPOINTMENTS), request[LANGUAGE]
        return [
            (one.id, one.title(language)) for one in await self.halls.halls(request[UOW], scope)
        ]

    async def item_choices(self, request: web.Request, hall: str = "") -> list[tuple[str, str]]:
        """What can be booked at the reader's halls, as ``hall/item``."""
        language, known = request[LANGUAGE], dict(await self.hall_choices(request))
        return [
            (f"{one.hall}/{one.item}", f"{known[one.hall]} · {one.title(language)}")
            for one in await self.counter.offers(request[UOW], hall=hall)
            if one.hall in known
        ]

    async def items_of(
        self, request: web.Request, hall: str
    ) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
        """A hall to book at, ``hall`` where it is one: with all there are, and what can be booked there, as
        ``hall/item``."""
        known, offers = await self.hall_choices(request), await self.counter.offers(request[UOW])
        offering = {str(one.hall) for one in offers}
        halls = [one for one in known if one[0] in offering]
        chosen = hall if hall in dict(halls) else halls[0][0] if halls else ""
        language = request[LANGUAGE]
        items = [(f"{chosen}/{one.item}", one.title(language)) for one in offers if one.hall == chosen]  # fmt: skip
        return chosen, halls, items

    async def next_free(
        self, request: web.Request, hall: str, item: ItemId, day: date
    ) -> date | None:
        """The first day behind ``day`` with a place; None when that is too far away for anybody to book."""
        if not 0 <= (day - self.today()).days <= YEAR_DAYS:
            return None
        first, last = day + timedelta(days=1), day + timedelta(days=MOST_DAYS)
        try:
            found = await self.counter.free(request[UOW], HallId(hall), (item,), first, last)
        except Refusal:
            return None
        return next((one.day for one in found if one.free), None)

    async def names(self, request: web.Request, kind: str) -> list[tuple[str, str]]:
        """Departments or items of the reader's halls by their ids."""
        scope, language = request[SUBJECT].scope(Permission.APPOINTMENTS), request[LANGUAGE]
        directory = await self.halls.directory(request[UOW], scope)
        found = {
            one.id: one.title(language) for one in directory.names(kind).values() if one.present
        }
        return sorted(found.items(), key=lambda one: one[1])

    async def free_day(
        self,
        request: web.Request,
        hall: str,
        items: tuple[str, ...],
        day: date,
        *,
        public: bool = False,
    ) -> FreeDay | None:
        """A day's places as staff may have them, or as the ``public`` may; None where nothing is offered."""
        try:
            found = await self.counter.free(
                request[UOW], HallId(hall), items, day, day, beyond=not public
            )
        except Refusal:
            return None
        return found[0]


def rights(request: web.Request) -> dict[str, object]:
    """What every page of appointments knows."""
    subject = request[SUBJECT]
    return {
        "may_handle": subject.may(Permission.APPOINTMENTS_HANDLE),
        "may_rules": subject.may(Permission.APPOINTMENTS_RULES),
        "may_take_out": subject.may(Permission.PERSONAL),
        "language": request[LANGUAGE],
    }


def date_of(text: str | None) -> date | None:
    """None for no date, and for one so far away that nobody can count from it."""
    return day_of_text(text, FIRST_YEAR, LAST_YEAR)


def day_wanted(request: web.Request, name: str, instead: date | None = None) -> date | None:
    """The same in ``?name=``; what is none is told on the page."""
    return day_asked(request, name, instead, first=FIRST_YEAR, last=LAST_YEAR)


def wish_asked(request: web.Request, listing: Listing) -> Wish:
    """:func:`wish_of` what a page is asked for."""
    day_wanted(request, "first")
    day_wanted(request, "last")
    return wish_of(listing.query)


def wish_of(given: Mapping[str, str]) -> Wish:
    """From the filters in an address."""
    return Wish(
        hall=given.get("hall", ""),
        department=given.get("department", ""),
        item=given.get("item", ""),
        first=date_of(given.get("first")),
        last=date_of(given.get("last")),
        state=given.get("state", ""),
        word=given.get("q", "").strip()[:64],
        citizen=given.get("citizen", ""),
        refused="refused" in given,
    )


def take_out(listing: Listing) -> str:
    """Where the same list with its people in clear is asked for; what searches for a person stays behind."""
    kept = {name: value for name, value in listing.query.items() if name in TAKEN_BY}
    return f"{export_path('appointments')}?{urlencode(kept)}"


class AppointmentPages:
    """Handlers over ``desk``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def listed(self, request: web.Request) -> web.Response:
        return await self._listed(request, FindForm(), None)

    async def _listed(
        self, request: web.Request, sought: FindForm, problem: Refusal | None
    ) -> web.Response:
        listing = replace(Listing.of(request, FILTERS, sort=""), path="/appointments")
        wish, offset = wish_asked(request, listing), listing.offset
        count, rows = await self._desk.staff.search(
            request[UOW], request[SUBJECT], wish, limit=listing.rows, offset=offset
        )
        context = {
            "rows": rows,
            "certificates": _CERTIFICATES,
            "count": count,
            "wish": wish,
            "listing": listing.counted(count),
            "halls": await self._desk.hall_choices(request),
            "departments": await self._desk.names(request, "department"),
            "items": await self._desk.names(request, "item"),
            "states": list(Life),
            "take_out": take_out(listing),
            "sought": sought,
            "problem": problem,
            **rights(request),
        }
        return request.app[PAGES].render(request, "appointments.html", context, block="main")

    async def one(self, request: web.Request) -> web.Response:
        return await self._one(request, None)

    async def _one(self, request: web.Request, problem: Refusal | None) -> web.Response:
        found, history = await self._desk.staff.one(
            request[UOW], request[SUBJECT], request.match_info["appointment"]
        )
        day = day_wanted(request, "day", found.day) or found.day
        hall = request.query.get("hall") or str(found.hall)
        moving = "move" in request.query and found.state is Life.BOOKED
        context = {
            "one": found,
            "history": history,
            "reasons": [(one, f"appointments.reason.{one}") for one in STAFF_REASONS],
            "open": found.state is Life.BOOKED,
            "moving": moving,
            "halls": await self._desk.hall_choices(request),
            "to": hall,
            "to_day": day,
            "begun": self._desk.begun(day),
            "free": await self._desk.free_day(request, hall, found.items, day) if moving else None,
            "problem": problem,
            "may_show": request[SUBJECT].may(Permission.PERSONAL, hall=found.hall),
            **rights(request),
        }
        return request.app[PAGES].render(request, "appointment.html", context, block="main")

    async def cancel(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        form, name = await read_form(request, CancelForm), request.match_info["appointment"]
        uow, subject = request[UOW], request[SUBJECT]
        try:
            async with uow.savepoint():
                await self._desk.staff.cancel(
                    uow, subject, name, reason=form.reason, words=form.words
                )
        except Refusal as refusal:
            return await self._or_page(request, refusal)
        raise see_other(request, f"/appointments/one/{name}", done="appointments.done.cancelled")

    async def move(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        form, name = await read_form(request, MoveForm), request.match_info["appointment"]
        uow, subject = request[UOW], request[SUBJECT]
        found, _ = await self._desk.staff.one(uow, subject, name)
        try:
            async with uow.savepoint():
                await self._desk.staff.move(uow, subject, name, wanted_for(found, form))
        except Refusal as refusal:
            return await self._or_page(request, refusal)
        raise see_other(request, f"/appointments/one/{name}", done="appointments.done.moved")

    async def _or_page(self, request: web.Request, problem: Refusal) -> web.Response:
        """Whoever may not see it is not shown why it cannot be changed."""
        if problem.code in ("page.forbidden", "appointments.unknown"):
            raise problem
        return await self._one(request, problem)

    async def find(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS)
        form = await read_form(request, FindForm)
        try:
            found = await self._desk.staff.find(
                request[UOW], request[SUBJECT], form.by, form.number
            )
        except Refusal as refusal:
            return await self._listed(request, form, refusal)
        raise see_other(request, f"/appointments?citizen={','.join(found)}")

    async def new(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        day = day_wanted(request, "day")
        place, hall = request.query.get("place", ""), request.query.get("hall", "")
        if hall and hall != place.partition("/")[0]:
            place = f"{hall}/"  # another hall was chosen: what was chosen at the one before counts no more
        form = BookForm(day=day or date.min, place=place, key=secrets.token_hex(8))
        return await self._new(request, form, None)

    async def _new(
        self, request: web.Request, form: BookForm, problem: Refusal | None
    ) -> web.Response:
        asked, _, item = form.place.partition("/")
        hall, halls, places = await self._desk.items_of(request, asked)
        chosen = form.place in dict(places) and form.day > date.min
        free = await self._desk.free_day(request, hall, (ItemId(item),), form.day) if chosen else None  # fmt: skip
        gone = free is not None and not free.free
        context = {
            "form": form,
            "hall": hall,
            "halls": halls,
            "day": form.day if form.day > date.min else self._desk.today(),
            "places": places,
            "free": free,
            "begun": self._desk.begun(form.day),
            "next_free": await self._desk.next_free(request, hall, ItemId(item), form.day)
            if gone
            else None,
            "certificates": _CERTIFICATES,
            "problem": problem,
            **rights(request),
        }
        return request.app[PAGES].render(request, "appointment_new.html", context, block="main")

    async def book(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS_HANDLE)
        form, uow = await read_form(request, BookForm), request[UOW]
        try:
            async with uow.savepoint():
                made = await self._desk.staff.book(
                    uow, request[SUBJECT], form.caller, form.wanted, form.key
                )
        except Refusal as refusal:
            return await self._new(request, form, refusal)
        raise see_other(request, f"/appointments/one/{made.id}", done="appointments.done.booked")


def department_title(one: Appointment, language: Language) -> Cell:
    chinese = language is Language.ZH or not one.department_name_en
    return one.department_name if chinese else one.department_name_en


def wanted_for(found: Appointment, form: MoveForm) -> Wanted:
    return Wanted(
        hall=HallId(form.hall or found.hall),
        items=found.items,
        day=form.day,
        start=form.start,
        party=found.party,
    )


def routes(desk: Desk) -> list[web.RouteDef]:
    pages = AppointmentPages(desk)
    return [
        web.get("/appointments", pages.listed),
        web.get("/appointments/new", pages.new),
        web.post("/appointments/new", pages.book),
        web.post("/appointments/find", pages.find),
        web.get("/appointments/one/{appointment}", pages.one),
        web.post("/appointments/one/{appointment}/cancel", pages.cancel),
        web.post("/appointments/one/{appointment}/move", pages.move),
    ]
