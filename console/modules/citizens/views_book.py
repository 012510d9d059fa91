"""Booking, step by step: item and hall, day and time, who comes, done. Times are shown without a login."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from console.core.web import PAGES, UOW
from console.modules.appointments.api import (
    Appointment,
    AppointmentsApi,
    FreeDay,
    Life,
    Offer,
    Visitor,
    Wanted,
)
from console.modules.appointments.api import Level as BookingLevel
from console.modules.catalogue.api import CatalogueApi, ItemQuery, Named
from console.modules.citizens import repository as repo
from console.modules.citizens.api import Citizen
from console.modules.citizens.board import Board
from console.modules.citizens.booking import (
    STILL_OPEN,
    first_free,
    gone,
    nearest_free,
    proof_of,
    shown_days,
)
from console.modules.citizens.door import CITIZEN
from console.modules.citizens.handled import departments_of
from console.modules.citizens.service import CitizenService
from console.modules.citizens.shell import START, looks_of
from console.modules.citizens.views_public import LONGEST_QUERY
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.asked import day_asked

BOOK = f"{START}/book"
MOST_ITEMS = 5
FEW_ITEMS = 8
"""So many are seen at a glance; of more, the departments are folded."""
DAYS_SHOWN = 14
DAYS_ELDER = 6
DAYS_ALL = 61
_IN_THE_WAY = ("appointments.same_item", "appointments.holds")
"""Refusals because of another booking, which is shown with them."""
_PROOFS = ("appointments.needs_real_name", "appointments.needs_face")
"""Refusals that say how to prove who one is: the page need not say it again."""
Text = Annotated[str, msgspec.Meta(max_length=80)]


class TimeForm(Strict, frozen=True, kw_only=True):
    item: tuple[Text, ...] = ()
    day: Text = ""
    start: Text = ""
    party: Annotated[int, msgspec.Meta(ge=1, le=200)] = 1
    change: Text = ""
    key: Text = ""


class KeyForm(Strict, frozen=True, kw_only=True):
    key: Text = ""


@dataclass(frozen=True, slots=True)
class BookDesk:
    """What the pages need."""

    service: CitizenService
    appointments: AppointmentsApi
    catalogue: CatalogueApi
    board: Board

    def visitor(self, citizen: Citizen) -> Visitor:
        return Visitor(citizen=citizen.id, level=BookingLevel(citizen.level.value))

    async def found(
        self, request: web.Request, offers: Sequence[Offer], text: str
    ) -> Sequence[Offer]:
        """Those that the catalogue finds by ``text``, or that have its words; all without it."""
        if not text:
            return offers
        codes = tuple(one.code for one in offers if one.code)
        wanted = ItemQuery(text=text, codes=codes)
        _, known = await self.catalogue.items(request[UOW], wanted, limit=len(offers))
        hits, words = {one.code for one in known}, text.casefold().split()
        return [one for one in offers if one.code in hits or _has(one, words)]

    async def bring(
        self, request: web.Request, hall: HallId, items: Sequence[ItemId]
    ) -> list[tuple[str, Named | None]]:
        """What the catalogue says to bring for items of a hall, each thing once."""
        uow = request[UOW]
        names: dict[str, None] = {}
        for offer in await self.appointments.offers(uow, hall=hall):
            if offer.item in items and offer.code:
                try:
                    body = (await self.catalogue.item(uow, offer.code)).body
                except Refusal:
                    continue  # the hall offers it; the catalogue has it no more
                names |= dict.fromkeys(body.materials)
        known = await self.catalogue.materials(uow, list(names))
        return [(name, known.get(name)) for name in names]


class BookPages:
    """Handlers over ``desk``."""

    def __init__(self, desk: BookDesk) -> None:
        self._desk = desk

    async def choose(self, request: web.Request) -> web.Response:
        """The halls where an item can be booked; without one, the halls where anything can."""
        uow, code = request[UOW], request.query.get("code", "")[:80]
        offers = await self._desk.appointments.offers(uow, code=code)
        if code and len({one.hall for one in offers}) == 1:
            raise see_other(request, _times(offers[0].hall, [offers[0].item]))
        named = {one.hall: one for one in offers}
        halls = [one for one in await self._desk.board.halls(uow) if one.status.id in named]
        context = {
            "code": code,
            "item": offers[0] if code and offers else None,
            "halls": [(one, _of(named[one.status.id], code)) for one in halls],
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "c_book.html", context)

    async def items(self, request: web.Request) -> web.Response:
        return await self._items(request, None)

    async def _items(self, request: web.Request, problem: Refusal | None) -> web.Response:
        """What can be booked in a hall, by department, or what of it is looked for; before it what is chosen."""
        hall, uow = HallId(request.match_info["hall"]), request[UOW]
        offers = await self._desk.appointments.offers(uow, hall=hall)
        if not offers:
            raise Refusal("appointments.no_item")
        text, whose = _looked_for(request)
        found = await self._desk.found(request, offers, text)
        if whose:
            known = await departments_of(uow, self._desk.catalogue, offers)
            found = [one for one in found if known[one.item] == whose]
        ticked = request.query.getall("item", [])
        context = {
            "hall": offers[0],
            "chosen": [one for one in offers if one.item in ticked],
            "groups": _by_department([one for one in found if one.item not in ticked]),
            "text": text,
            "whose": whose,
            "count": len(found),
            "unfolded": text or whose or len(offers) <= FEW_ITEMS,
            "most": MOST_ITEMS,
            "proof": lambda one: proof_of([one], request.get(CITIZEN), together=True),
            "language": request[LANGUAGE],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "c_book_items.html", context)

    async def times(self, request: web.Request) -> web.Response:
        chosen = len(request.query.getall("item", []))
        if "change" not in request.query and not 0 < chosen <= MOST_ITEMS:
            wrong = Refusal("citizen.items_chosen", most=MOST_ITEMS, n=chosen)
            return await self._items(request, wrong)
        form = TimeForm(
            item=tuple(request.query.getall("item", [])[:MOST_ITEMS]),
            day=str(day_asked(request, "day") or ""),
            change=request.query.get("change", ""),
        )
        return await self._times(request, form, None)

    async def _times(
        self, request: web.Request, form: TimeForm, problem: Refusal | None
    ) -> web.Response:
        uow, hall = request[UOW], HallId(request.match_info["hall"])
        items = tuple(ItemId(one) for one in form.item)
        if not items:
            raise see_other(request, f"{BOOK}/{hall}")
        offers = [
            one for one in await self._desk.appointments.offers(uow, hall=hall) if one.item in items
        ]
        today = self._desk.board.today()
        few = DAYS_ELDER if "elder" in looks_of(request) else DAYS_SHOWN
        span = DAYS_ALL if "more" in request.query else few
        days = shown_days(
            await self._desk.appointments.free(uow, hall, items, today, today + timedelta(span))
        )
        chosen = _day(form.day) or first_free(days)
        context = {
            "hall": hall,
            "offers": offers,
            "days": days,
            "shown": next((one for one in days if one.day == chosen), None),
            "form": form,
            "key": form.key or new_token(),
            "party_most": min((one.party_most for one in offers), default=1),
            "gone": gone,
            "instead": _instead(problem, days, form),
            "first": await self._first(request, problem, form),
            "citizen": request.get(CITIZEN),
            "proof": None
            if problem is not None and problem.code in _PROOFS
            else proof_of(offers, request.get(CITIZEN), together=True),
            "here": _times(hall, items, day=str(chosen or ""), change=form.change),
            "day_name": partial(day_name, request),
            "day_url": lambda day: f"{_times(hall, items, day=str(day), change=form.change)}#day",
            "more_url": ""
            if "more" in request.query
            else _times(hall, items, change=form.change, more="1"),
            "now": self._desk.board.moment(),
            "language": request[LANGUAGE],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "c_book_times.html", context, block="places")

    async def _first(
        self, request: web.Request, problem: Refusal | None, form: TimeForm
    ) -> Appointment | None:
        """The booking for which another one of the same item is refused, or the place that is kept already."""
        citizen = request.get(CITIZEN)
        if problem is None or problem.code not in _IN_THE_WAY or citizen is None:
            return None
        found = await self._desk.appointments.bookings_of(request[UOW], citizen.id)
        kept = problem.code == "appointments.holds"
        open_ones = [
            one
            for one in found
            if (one.state is Life.HELD if kept else one.state in STILL_OPEN)
            and (kept or {*one.items} & {*form.item})
        ]
        return min(open_ones, key=lambda one: (one.day, one.start), default=None)

    async def hold(self, request: web.Request) -> web.Response:
        """Keeps a place, or moves a booking. Whoever was slower is told so, and offered what is nearest."""
        citizen, form = (
            await self._desk.service.require(request),
            await read_form(request, TimeForm),
        )
        uow, wanted = request[UOW], _wanted(request, form)
        who, key = self._desk.visitor(citizen), _key(form)
        try:
            async with uow.savepoint():
                if form.change:
                    await self._desk.appointments.change(uow, who, form.change, wanted, key=key)
                    target = f"{START}/bookings/{form.change}"
                else:
                    held = await self._desk.appointments.hold(uow, who, wanted, key=key)
                    await _for_firm(request, citizen, held)
                    target = f"{BOOK}/hold/{held.id}"
        except Refusal as refusal:
            again = msgspec.structs.replace(form, key=new_token())
            return await self._times(request, again, refusal)
        raise see_other(request, target, done="c.done.changed" if form.change else "")

    async def held(self, request: web.Request) -> web.Response:
        return await self._held(request, None)

    async def _held(self, request: web.Request, problem: Refusal | None) -> web.Response:
        citizen = await self._desk.service.require(request)
        one = await self._appointment(request, citizen)
        if one.state not in (Life.HELD, Life.LAPSED):
            raise see_other(request, f"{START}/bookings/{one.id}")
        context = {
            "one": one,
            "citizen": citizen,
            "again": _times(one.hall, one.items, day=str(one.day)),
            "bring": await self._desk.bring(request, one.hall, one.items),
            "key": new_token(),
            "language": request[LANGUAGE],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "c_book_hold.html", context)

    async def _appointment(self, request: web.Request, citizen: Citizen) -> Appointment:
        found = request.match_info["appointment"]
        return await self._desk.appointments.booking(request[UOW], found, citizen.id)

    async def confirm(self, request: web.Request) -> web.Response:
        citizen, form = await self._desk.service.require(request), await read_form(request, KeyForm)
        uow, found = request[UOW], request.match_info["appointment"]
        try:
            async with uow.savepoint():
                await self._desk.appointments.confirm(
                    uow, self._desk.visitor(citizen), found, key=form.key or new_token()
                )
        except Refusal as refusal:
            return await self._held(request, refusal)
        raise see_other(request, f"{START}/bookings/{found}", done="c.done.booked")

    async def extend(self, request: web.Request) -> web.Response:
        citizen, uow = await self._desk.service.require(request), request[UOW]
        found = request.match_info["appointment"]
        try:
            async with uow.savepoint():
                await self._desk.appointments.extend(uow, self._desk.visitor(citizen), found)
        except Refusal as refusal:
            return await self._held(request, refusal)
        raise see_other(request, f"{BOOK}/hold/{found}", done="c.done.extended")

    async def release(self, request: web.Request) -> web.Response:
        citizen = await self._desk.service.require(request)
        one = await self._appointment(request, citizen)
        await self._desk.appointments.release(request[UOW], self._desk.visitor(citizen), one.id)
        raise see_other(request, _times(one.hall, one.items), done="c.done.released")


async def _for_firm(request: web.Request, citizen: Citizen, one: Appointment) -> None:
    """Notes for which firm somebody made it; a firm that logged in itself is the booker itself."""
    if citizen.acts_for is not None and citizen.certificate is not None:
        await repo.put_errand(request[UOW], one.id, citizen.acts_for.id)


def _key(form: TimeForm) -> str:
    """The form's key with what was chosen: a page that the browser kept may be sent again with another time, which is
    another wish."""
    if not form.key:
        return new_token()
    return f"{form.key} {form.day} {form.start} {form.party} {' '.join(form.item)}"


def _wanted(request: web.Request, form: TimeForm) -> Wanted:
    """Raises ``appointments.no_place`` for what is no time."""
    day = _day(form.day)
    if day is None or not form.item or len(form.item) > MOST_ITEMS:
        raise Refusal("appointments.no_place")
    return Wanted(
        hall=HallId(request.match_info["hall"]),
        items=tuple(ItemId(one) for one in form.item),
        day=day,
        start=form.start,
        party=form.party,
    )


def _instead(problem: Refusal | None, days: Sequence[FreeDay], form: TimeForm) -> object:
    """What is offered to who was slower."""
    day = _day(form.day)
    if (
        problem is None
        or day is None
        or problem.code not in ("appointments.full", "appointments.no_place")
    ):
        return ()
    return nearest_free(days, day, form.start if form.start.count(":") == 1 else "12:00")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_name(request: web.Request, day: date) -> str:
    """A date as people say it: 11月27日 星期五."""
    t = partial(request.app[PAGES].text, request[LANGUAGE])
    month, week = t(f"c.month.{day.month}"), t(f"c.week.{day.isoweekday()}")
    return t("c.day", m=day.month, d=day.day, month=month, week=week)


def _looked_for(request: web.Request) -> tuple[str, str]:
    """Words, or a department of which alone the items are wanted; nothing for who asks for all."""
    if "all" in request.query:
        return "", ""
    text, whose = (request.query.get(name, "")[:LONGEST_QUERY].strip() for name in ("q", "of"))
    return text, "" if text else whose


def _times(hall: str, items: Sequence[str], **more: str) -> str:
    query = [*(("item", one) for one in items), *((k, v) for k, v in more.items() if v)]
    return f"{BOOK}/{hall}/times?{urlencode(query)}"


def _of(offer: Offer, code: str) -> str:
    """Where choosing a hall leads."""
    return _times(offer.hall, [offer.item]) if code else f"{BOOK}/{offer.hall}"


def _has(offer: Offer, words: Sequence[str]) -> bool:
    """What a hall calls its items and departments, the catalogue need not know."""
    names = (offer.name, offer.name_en, offer.department_name, offer.department_name_en)
    return all(word in " ".join(names).casefold() for word in words)


def _by_department(offers: Sequence[Offer]) -> dict[str, list[Offer]]:
    found: dict[str, list[Offer]] = {}
    for one in offers:
        found.setdefault(one.department, []).append(one)
    return found


def routes(desk: BookDesk) -> list[web.RouteDef]:
    pages = BookPages(desk)
    hold = f"{BOOK}/hold/{{appointment}}"
    return [
        web.get(BOOK, pages.choose),
        web.get(hold, pages.held),
        web.post(f"{hold}/confirm", pages.confirm),
        web.post(f"{hold}/extend", pages.extend),
        web.post(f"{hold}/release", pages.release),
        web.get(f"{BOOK}/{{hall}}", pages.items),
        web.get(f"{BOOK}/{{hall}}/times", pages.times),
        web.post(f"{BOOK}/{{hall}}/hold", pages.hold),
    ]
