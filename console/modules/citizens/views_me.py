"""My data: what is kept about somebody, how to reach the person, where one is logged in, the end of the account."""

from dataclasses import dataclass

from aiohttp import web

from console.core.module import Slot
from console.core.web import PAGES, UOW, address_of
from console.modules.appointments.api import AppointmentsApi
from console.modules.citizens.api import Citizen
from console.modules.citizens.contact import CHANNELS, Contact
from console.modules.citizens.door import LOGIN
from console.modules.citizens.reach import Reachable
from console.modules.citizens.service import CitizenService
from console.modules.citizens.sessions import CitizenSessions, sessions_of
from console.modules.citizens.shell import START
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, SESSION_DIGEST, read_form, see_other

ME = f"{START}/me"


class AddressForm(Strict, frozen=True, kw_only=True):
    value: str = ""
    passcode: str = ""


class ComesForm(Strict, frozen=True, kw_only=True):
    name: str = ""
    number: str = ""


class EndForm(Strict, frozen=True, kw_only=True):
    sure: bool = False


@dataclass(frozen=True, slots=True)
class MeDesk:
    """What the pages need."""

    service: CitizenService
    contact: Contact
    reachable: Reachable
    store: CitizenSessions
    slot: Slot[Citizen]
    appointments: AppointmentsApi


class MePages:
    """Handlers over ``desk``."""

    def __init__(self, desk: MeDesk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        return await self.show(request, None, {}, "")

    async def show(
        self, request: web.Request, problem: Refusal | None, typed: dict[str, str], where: str
    ) -> web.Response:
        """The page with what is wrong at its part ``where``, and what was typed there."""
        citizen, uow = await self._desk.service.require(request), request[UOW]
        row = await self._desk.service.row(uow, citizen.id)
        context = {
            "citizen": citizen,
            "kept": row,
            "pending": await self._desk.contact.pending(uow, citizen.id),
            "phones": await self._desk.reachable.phones(uow, citizen.id),
            "alipay": await self._desk.reachable.bound(uow, citizen.id),
            "alipay_here": self._desk.reachable.alipay is not None,
            "sessions": await sessions_of(uow, citizen.id),
            "own": request[SESSION_DIGEST],
            "firms": await self._desk.service.firms(uow, citizen),
            "more": await self._desk.slot.draw(request, citizen),
            "typed": typed,
            "where": where,
            "problem": problem,
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "c_me.html", context)

    async def begin(self, request: web.Request) -> web.Response:
        citizen, channel = await self._desk.service.require(request), _channel(request)
        form = await read_form(request, AddressForm)
        try:
            await self._desk.contact.begin(request[UOW], citizen.id, channel, form.value)
        except Refusal as refusal:
            return await self.show(request, refusal, {channel: form.value}, channel)
        raise see_other(request, f"{ME}#{channel}", done="c.done.code_sent")

    async def confirm(self, request: web.Request) -> web.Response:
        citizen, channel = await self._desk.service.require(request), _channel(request)
        form = await read_form(request, AddressForm)
        refusal = await self._desk.contact.confirm(request[UOW], citizen.id, channel, form.passcode)
        if refusal is not None:
            return await self.show(request, refusal, {}, channel)
        raise see_other(request, ME, done=f"c.done.{channel}")

    async def comes(self, request: web.Request) -> web.Response:
        citizen, form = (
            await self._desk.service.require(request),
            await read_form(request, ComesForm),
        )
        if citizen.certificate is not None:
            raise Refusal("page.not_found")
        try:
            await self._desk.contact.put_comes(request[UOW], citizen.id, form.name, form.number)
        except Refusal as refusal:
            typed = {"name": form.name, "number": form.number}
            return await self.show(request, refusal, typed, "comes")
        raise see_other(request, ME, done="c.done.comes")

    async def end_sessions(self, request: web.Request) -> web.Response:
        citizen = await self._desk.service.require(request)
        await self._desk.store.within(request[UOW]).drop_subject(citizen.id)
        await self._desk.reachable.drop_phones(request[UOW], citizen.id)
        raise see_other(request, LOGIN, done="c.done.ended")

    async def delete_page(self, request: web.Request) -> web.Response:
        citizen = await self._desk.service.require(request)
        context = {"booked": await self._booked(request, citizen), "problem": None}
        return request.app[PAGES].render(request, "c_delete.html", context)

    async def _booked(self, request: web.Request, citizen: Citizen) -> int:
        """How many visits of somebody are still to come."""
        return (await self._desk.appointments.expected(request[UOW], citizen.id))[0]

    async def delete(self, request: web.Request) -> web.Response:
        citizen, form = await self._desk.service.require(request), await read_form(request, EndForm)
        problem = None if form.sure else Refusal("citizen.not_sure")
        try:
            if problem is None:
                async with request[UOW].savepoint():
                    await self._desk.contact.forget(request[UOW], citizen.id, address_of(request))
        except Refusal as refusal:
            problem = refusal
        if problem is None:
            raise see_other(request, START, done="c.done.deleted")
        context = {"booked": await self._booked(request, citizen), "problem": problem}
        return request.app[PAGES].render(request, "c_delete.html", context)


def _channel(request: web.Request) -> str:
    channel = request.match_info["channel"]
    if channel not in CHANNELS:
        raise Refusal("page.not_found")
    return channel


def routes(pages: MePages) -> list[web.RouteDef]:
    return [
        web.get(ME, pages.page),
        web.post(f"{ME}/comes", pages.comes),
        web.post(f"{ME}/sessions/end", pages.end_sessions),
        web.get(f"{ME}/delete", pages.delete_page),
        web.post(f"{ME}/delete", pages.delete),
        web.post(f"{ME}/{{channel}}", pages.begin),
        web.post(f"{ME}/{{channel}}/code", pages.confirm),
    ]
