"""Pages of what the whole catalogue shares: the dictionary with the rules, the themes."""

from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.catalogue import repository
from console.modules.catalogue.forms import FourEyesForm, MaterialForm, PatternForm, ThemeForm
from console.modules.catalogue.service import CatalogueService
from qingting.contract.errors import Refusal
from qingting.kernel.web import read_form, see_other


class ListPages:
    """Handlers over ``service``."""

    def __init__(self, service: CatalogueService) -> None:
        self._service, self._lists = service, service.lists

    async def dictionary(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.LOOK)
        return await self._dictionary(request, None)

    async def _dictionary(self, request: web.Request, problem: Refusal | None) -> web.Response:
        uow, subject = request[UOW], request[SUBJECT]
        context = {
            "rows": await repository.materials(uow),
            "pattern": await self._lists.pattern(uow),
            "four_eyes": await self._lists.four_eyes(uow),
            "problem": problem,
            "may": subject.may(Permission.CATALOGUE),
            "may_publish": _whole_city(request),
            "may_roles": subject.may(Permission.ROLES),
        }
        return request.app[PAGES].render(
            request, "catalogue_dictionary.html", context, block="main"
        )

    async def put_material(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE)
        form = await read_form(request, MaterialForm)
        try:
            await self._lists.put_material(
                request[UOW], request[SUBJECT], form.name, form.name_en, form.note
            )
        except Refusal as refusal:
            return await self._dictionary(request, refusal)
        raise see_other(request, "/catalogue/dictionary", done="catalogue.done.material")

    async def put_pattern(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_PUBLISH)
        form = await read_form(request, PatternForm)
        try:
            await self._lists.put_pattern(request[UOW], request[SUBJECT], form.pattern)
        except Refusal as refusal:
            return await self._dictionary(request, refusal)
        raise see_other(request, "/catalogue/dictionary", done="catalogue.done.pattern")

    async def put_four_eyes(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ROLES)
        form = await read_form(request, FourEyesForm)
        await self._lists.put_four_eyes(request[UOW], request[SUBJECT], wanted=form.wanted)
        raise see_other(request, "/catalogue/dictionary", done="catalogue.done.four_eyes")

    async def themes(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.LOOK)
        return await self._themes(request, ThemeForm(), None)

    async def _themes(
        self, request: web.Request, form: ThemeForm, problem: Refusal | None
    ) -> web.Response:
        context = {
            "rows": await repository.themes(request[UOW]),
            "form": form,
            "problem": problem,
            "may": _whole_city(request),
        }
        return request.app[PAGES].render(request, "catalogue_themes.html", context, block="main")

    async def put_theme(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_PUBLISH)
        form = await read_form(request, ThemeForm)
        try:
            await self._lists.put_theme(request[UOW], request[SUBJECT], form.name, form.name_en)
        except Refusal as refusal:
            return await self._themes(request, form, refusal)
        raise see_other(request, "/catalogue/themes", done="catalogue.done.theme")

    async def move_theme(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_PUBLISH)
        form = await read_form(request, ThemeForm)
        await self._lists.move_theme(request[UOW], request[SUBJECT], form.name, up=form.up)
        raise see_other(request, "/catalogue/themes", done="catalogue.done.theme")

    async def drop_theme(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CATALOGUE_PUBLISH)
        form, today = await read_form(request, ThemeForm), self._service.today()
        try:
            await self._lists.drop_theme(request[UOW], request[SUBJECT], form.name, today)
        except Refusal as refusal:
            return await self._themes(request, ThemeForm(), refusal)
        raise see_other(request, "/catalogue/themes", done="catalogue.done.theme_dropped")


def _whole_city(request: web.Request) -> bool:
    subject = request[SUBJECT]
    mine = subject.grants.get(Permission.CATALOGUE_PUBLISH)
    return mine is not None and mine.everywhere


def list_routes(service: CatalogueService) -> list[web.RouteDef]:
    pages = ListPages(service)
    return [
        web.get("/catalogue/dictionary", pages.dictionary),
        web.post("/catalogue/dictionary", pages.put_material),
        web.post("/catalogue/pattern", pages.put_pattern),
        web.post("/catalogue/four-eyes", pages.put_four_eyes),
        web.get("/catalogue/themes", pages.themes),
        web.post("/catalogue/themes", pages.put_theme),
        web.post("/catalogue/themes/move", pages.move_theme),
        web.post("/catalogue/themes/drop", pages.drop_theme),
    ]
