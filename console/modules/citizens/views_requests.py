"""A citizen's own requests (个人信息保护法 Art. 45-47): to have a copy, to have something corrected or erased."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.permissions import Subject
from console.core.web import PAGES, UOW, address_of
from console.modules.citizens.service import CitizenService
from console.modules.citizens.shell import START
from console.modules.privacy.api import PrivacyApi, RequestKind
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other

REQUESTS = f"{START}/me/requests"
MOST_WORDS = 500


class AskForm(Strict, frozen=True, kw_only=True):
    kind: RequestKind = RequestKind.COPY
    words: Annotated[str, msgspec.Meta(max_length=MOST_WORDS)] = ""


@dataclass(frozen=True, slots=True)
class RequestDesk:
    """What the page needs."""

    service: CitizenService
    privacy: PrivacyApi


class RequestPages:
    """Handlers over ``desk``."""

    def __init__(self, desk: RequestDesk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        return await self._page(request, AskForm(), None)

    async def _page(
        self, request: web.Request, form: AskForm, problem: Refusal | None
    ) -> web.Response:
        citizen, uow = await self._desk.service.require(request), request[UOW]
        who = await self._desk.service.requester(uow, citizen.id)
        context = {
            "rows": await self._desk.privacy.requests_of(uow, who.number),
            "kinds": list(RequestKind),
            "form": form,
            "problem": problem,
        }
        return request.app[PAGES].render(request, "c_requests.html", context)

    async def ask(self, request: web.Request) -> web.Response:
        citizen, form = await self._desk.service.require(request), await read_form(request, AskForm)
        uow, by = (
            request[UOW],
            Subject(id=f"citizen {citizen.id}", name="", address=address_of(request)),
        )
        who = await self._desk.service.requester(uow, citizen.id)
        try:
            async with uow.savepoint():
                await self._desk.privacy.ask_for(uow, form.kind, who, form.words, by=by)
        except Refusal as refusal:
            return await self._page(request, form, refusal)
        raise see_other(request, REQUESTS, done="c.done.requested")


def routes(desk: RequestDesk) -> list[web.RouteDef]:
    pages = RequestPages(desk)
    return [web.get(REQUESTS, pages.page), web.post(REQUESTS, pages.ask)]
