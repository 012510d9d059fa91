"""Where a wall screen types its code, and where codes are made and revoked."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from console.core.permissions import Permission, Subject
from console.core.uow import Uow
from console.core.web import PAGES, SUBJECT, UOW, address_of
from console.modules.wall.service import WallService, plain
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

COOKIE = "qt_wall"
DOOR = "/wall/enter"
_FIVE_YEARS = 5 * 31_536_000


class CodeForm(Strict, frozen=True, kw_only=True):
    passcode: str = ""


class NameForm(Strict, frozen=True, kw_only=True):
    name: str = ""


def guest_of(service: WallService) -> Callable[[Uow, web.Request], Awaitable[Subject | None]]:
    """Who comes with the cookie of a wall screen."""

    async def guest(uow: Uow, request: web.Request) -> Subject | None:
        return await service.guest(uow, request.cookies.get(COOKIE, ""), address_of(request))

    return guest


def routes(service: WallService, *, secure: bool) -> list[web.RouteDef]:
    """Handlers over ``service``; ``secure`` marks the cookie for https only."""

    async def door(request: web.Request) -> web.Response:
        return request.app[PAGES].render(request, "wall_enter.html", {"problem": None})

    async def enter(request: web.Request) -> web.Response:
        form = await read_form(request, CodeForm)
        if await service.guest(request[UOW], form.passcode, address_of(request)) is None:
            problem = {"problem": Refusal("wall.code_wrong")}
            return request.app[PAGES].render(request, "wall_enter.html", problem)
        answer = see_other(request, "/wall")
        answer.set_cookie(
            COOKIE,
            plain(form.passcode),
            max_age=_FIVE_YEARS,
            httponly=True,
            secure=secure,
            samesite="Strict",
        )
        raise answer

    async def walls(request: web.Request) -> web.Response:
        return await _page(request, "")

    async def make(request: web.Request) -> web.Response:
        form = await read_form(request, NameForm)
        return await _page(request, await service.make(request[UOW], request[SUBJECT], form.name))

    async def revoke(request: web.Request) -> web.Response:
        await service.revoke(request[UOW], request[SUBJECT], request.match_info["token"])
        raise see_other(request, "/walls", done="walls.revoked")

    async def _page(request: web.Request, code: str) -> web.Response:
        subject = request[SUBJECT]
        subject.require(Permission.WALL)
        may = subject.may(Permission.WALL_TOKENS)
        tokens = await service.tokens(request[UOW], subject) if may else []
        context = {"tokens": tokens, "may": may, "code": code, "door": DOOR}
        return request.app[PAGES].render(request, "walls.html", context)

    return [
        web.get(DOOR, door),
        web.post(DOOR, enter),
        web.get("/walls", walls),
        web.post("/walls", make),
        web.post("/walls/{token}/revoke", revoke),
    ]
