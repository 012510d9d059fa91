"""Somebody's phones with the city's app, and their Alipay account."""

from dataclasses import dataclass

from aiohttp import web

from console.core.senders.port import PushDevice
from console.core.web import UOW
from console.modules.citizens.api import Citizen
from console.modules.citizens.reach import ATTEMPT_MS, Reachable
from console.modules.citizens.service import CitizenService
from console.modules.citizens.views_me import ME, MePages
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import SESSION_DIGEST, read_form, see_other

DEVICES, ALIPAY = f"{ME}/devices", f"{ME}/alipay"
COOKIE = "qt_citizen_alipay"


class DeviceForm(Strict, frozen=True, kw_only=True):
    """What the app says of itself once its person is logged in."""

    platform: str = ""
    app: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return "DeviceForm(…)"


class DropForm(Strict, frozen=True, kw_only=True):
    key: str = ""


@dataclass(frozen=True, slots=True)
class ReachDesk:
    """What the pages need. ``public_url`` is what browsers call this server by; empty: by what each request says."""

    service: CitizenService
    me: MePages
    reachable: Reachable
    public_url: str
    secure: bool


class ReachPages:
    """Handlers over ``desk``."""

    def __init__(self, desk: ReachDesk) -> None:
        self._desk = desk

    async def _citizen(self, request: web.Request) -> Citizen:
        return await self._desk.service.require(request)

    async def name_phone(self, request: web.Request) -> web.Response:
        """The app's own call (docs/integrators/app-push.md)."""
        citizen, form = await self._citizen(request), await read_form(request, DeviceForm)
        device = PushDevice(platform=form.platform, app=form.app, token=form.token)
        await self._desk.reachable.name_phone(
            request[UOW], citizen.id, request[SESSION_DIGEST], device
        )
        return web.Response(status=204)

    async def drop_phone(self, request: web.Request) -> web.Response:
        citizen, form = await self._citizen(request), await read_form(request, DropForm)
        await self._desk.reachable.drop_phone(request[UOW], citizen.id, form.key)
        raise see_other(request, ME, done="c.done.phone_dropped")

    async def alipay_go(self, request: web.Request) -> web.Response:
        citizen = await self._citizen(request)
        origin = self._desk.public_url.rstrip("/") or str(request.url.origin())
        url, sealed = self._desk.reachable.begin(citizen.id, f"{origin}{ALIPAY}/back")
        answer = web.HTTPFound(url)
        answer.set_cookie(
            COOKIE, sealed, path=ALIPAY, max_age=ATTEMPT_MS // 1000,
            httponly=True, samesite="Lax", secure=self._desk.secure,
        )  # fmt: skip
        raise answer

    async def alipay_back(self, request: web.Request) -> web.Response:
        citizen, asked = await self._citizen(request), request.query
        sealed = request.cookies.get(COOKIE, "")
        state, code = asked.get("state", ""), asked.get("auth_code", "")
        try:
            await self._desk.reachable.finish(request[UOW], citizen.id, sealed, state, code)
        except Refusal as refusal:
            page = await self._desk.me.show(request, refusal, {}, "alipay")
            page.del_cookie(COOKIE, path=ALIPAY)
            return page
        answer = see_other(request, ME, done="c.done.alipay")
        answer.del_cookie(COOKIE, path=ALIPAY)
        raise answer

    async def alipay_drop(self, request: web.Request) -> web.Response:
        citizen = await self._citizen(request)
        await self._desk.reachable.unbind(request[UOW], citizen.id)
        raise see_other(request, ME, done="c.done.alipay_dropped")


def routes(desk: ReachDesk) -> list[web.RouteDef]:
    pages = ReachPages(desk)
    return [
        web.post(DEVICES, pages.name_phone),
        web.post(f"{DEVICES}/drop", pages.drop_phone),
        web.get(f"{ALIPAY}/go", pages.alipay_go),
        web.get(f"{ALIPAY}/back", pages.alipay_back),
        web.post(f"{ALIPAY}/drop", pages.alipay_drop),
    ]
