"""My bookings: what is to come and what became of it, the code to take a number with, cancelling."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import msgspec
import segno
from aiohttp import web
from markupsafe import Markup

from console.core.web import PAGES, UOW
from console.modules.appointments.api import CANCEL_REASONS, Appointment, Life
from console.modules.citizens import repository as repo
from console.modules.citizens.booking import STILL_OPEN, calendar_file, pick_up
from console.modules.citizens.shell import START
from console.modules.citizens.views_book import BOOK, BookDesk
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import LANGUAGE, read_form, see_other

BOOKINGS = f"{START}/bookings"
RELEASED = "released"
"""Reason of a hold that its citizen gave up: it never was a booking."""


class CancelForm(Strict, frozen=True, kw_only=True):
    reason: Annotated[str, msgspec.Meta(max_length=40)] = ""
    words: Annotated[str, msgspec.Meta(max_length=400)] = ""
    key: Annotated[str, msgspec.Meta(max_length=80)] = ""


@dataclass(frozen=True, slots=True)
class BookingsDesk:
    """What the pages need."""

    book: BookDesk
    clock: Clock


class BookingsPages:
    """Handlers over ``desk``."""

    def __init__(self, desk: BookingsDesk) -> None:
        self._desk = desk
        self._book = desk.book

    async def listed(self, request: web.Request) -> web.Response:
        citizen, uow = await self._book.service.require(request), request[UOW]
        found = await self._book.appointments.bookings_of(uow, citizen.id)
        coming = [one for one in found if one.state in STILL_OPEN]
        context = {
            "coming": sorted(coming, key=lambda one: one.start_at),
            "past": [one for one in found if one not in coming and one.reason != RELEASED],
            "errands": await repo.errands(uow, [one.id for one in found]),
            "standing": await self._book.appointments.standing(uow, citizen.id),
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "c_bookings.html", context)

    async def _mine(self, request: web.Request) -> Appointment:
        """Raises ``appointments.unknown``, also for somebody else's."""
        citizen = await self._book.service.require(request)
        found = request.match_info["appointment"]
        return await self._book.appointments.booking(request[UOW], found, citizen.id)

    async def one(self, request: web.Request) -> web.Response:
        one, uow = await self._mine(request), request[UOW]
        if one.state is Life.HELD:
            raise see_other(request, f"{BOOK}/hold/{one.id}")
        halls = await self._book.board.halls(uow)
        query = [*(("item", item) for item in one.items), ("change", one.id), ("day", str(one.day))]
        context = {
            "one": one,
            "code": qr_of(one.code) if one.state is Life.BOOKED else "",
            "pick_up": pick_up(one, self._desk.clock.now_ms()),
            "firm": (await repo.errands(uow, [one.id])).get(one.id),
            "bring": await self._book.bring(request, one.hall, one.items),
            "spot": next((h.status.spot for h in halls if h.status.id == one.hall), None),
            "change_url": f"{BOOK}/{one.hall}/times?{urlencode(query)}",
            "changeable": one.state is Life.BOOKED
            and self._desk.clock.now_ms() <= one.cancel_until,
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "c_booking.html", context)

    async def calendar(self, request: web.Request) -> web.Response:
        one = await self._mine(request)
        return web.Response(
            text=calendar_file(one, request[LANGUAGE], self._desk.clock.now_ms()),
            content_type="text/calendar",
            headers={
                "Content-Disposition": 'attachment; filename="visit.ics"',
                "Cache-Control": "no-store",
            },
        )

    async def cancel_page(self, request: web.Request) -> web.Response:
        return await self._cancel(request, CancelForm(), None)

    async def _cancel(
        self, request: web.Request, form: CancelForm, problem: Refusal | None
    ) -> web.Response:
        context = {
            "one": await self._mine(request),
            "reasons": CANCEL_REASONS,
            "form": form,
            "key": form.key or new_token(),
            "language": request[LANGUAGE],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "c_cancel.html", context)

    async def cancel(self, request: web.Request) -> web.Response:
        citizen = await self._book.service.require(request)
        form, uow = await read_form(request, CancelForm), request[UOW]
        one = await self._mine(request)
        try:
            async with uow.savepoint():
                await self._book.appointments.cancel(
                    uow,
                    self._book.visitor(citizen),
                    one.id,
                    reason=form.reason,
                    words=form.words,
                    key=form.key or new_token(),
                )
        except Refusal as refusal:
            return await self._cancel(request, form, refusal)
        raise see_other(request, f"{BOOKINGS}/{one.id}", done="c.done.cancelled")


def qr_of(code: str) -> Markup:
    """The opaque text of a booking as a picture; it says nothing about the person."""
    made = segno.make(code, error="m", micro=False)
    drawn = made.svg_inline(border=4, dark="#000", light="#fff", omitsize=True)
    return Markup(drawn)  # noqa: S704 - drawn by segno, which escapes what it is given


def routes(desk: BookingsDesk) -> list[web.RouteDef]:
    pages = BookingsPages(desk)
    one = f"{BOOKINGS}/{{appointment}}"
    return [
        web.get(BOOKINGS, pages.listed),
        web.get(one, pages.one),
        web.get(f"{one}/visit.ics", pages.calendar),
        web.get(f"{one}/cancel", pages.cancel_page),
        web.post(f"{one}/cancel", pages.cancel),
    ]
