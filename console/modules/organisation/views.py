"""Pages of the organisation: divisions with their halls, departments."""

import dataclasses
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.codes import uscc_fits
from console.core.divisions import full
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.organisation.api import Department
from console.modules.organisation.service import OrganisationService
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.web import LANGUAGE, read_form, see_other

Text = Annotated[str, msgspec.Meta(max_length=80)]


class DivisionForm(Strict, frozen=True, kw_only=True):
    code: Text = ""
    name: Text = ""
    name_en: Text = ""


class PlaceForm(Strict, frozen=True, kw_only=True):
    division: Text = ""
    department: Text = ""
    spot: Text = ""


class DepartmentForm(Strict, frozen=True, kw_only=True):
    id: Text = ""
    parent: Text = ""
    division: Text = ""
    code: Text = ""
    name: Text = ""
    name_en: Text = ""
    uscc: Text = ""
    uscc_compared: bool = False

    def department(self) -> Department:
        values = msgspec.structs.asdict(self)
        return Department(**{name: values[name] for name in values if name != "uscc_compared"})


class DivisionPages:
    """Handlers over ``service``."""

    def __init__(self, service: OrganisationService) -> None:
        self._service = service

    async def top(self, request: web.Request) -> web.Response:
        return await self._page(request, "", DivisionForm(), None)

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.match_info["code"], DivisionForm(), None)

    async def _page(
        self, request: web.Request, code: str, form: DivisionForm, problem: Refusal | None
    ) -> web.Response:
        uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
        found = await self._service.page(uow, subject, code)
        divisions = await self._service.divisions_within(uow, subject)
        departments, _ = await self._service.own_departments(uow, subject)
        context = {
            "page": found,
            "language": language,
            "form": form,
            "divisions": [(one.code, one.indented(language)) for one in divisions],
            "departments": [("", "—"), *((one.id, one.title(language)) for one in departments)],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "division.html", context)

    async def add(self, request: web.Request) -> web.Response:
        form, above = await read_form(request, DivisionForm), request.match_info["code"]
        try:
            made = await self._service.put_division(
                request[UOW], request[SUBJECT], form.code,
                name=form.name, name_en=form.name_en, new=True,
            )  # fmt: skip
        except Refusal as refusal:
            return await self._page(request, above, form, refusal)
        raise see_other(request, f"/divisions/{made.parent}", done="division.done.added")

    async def rename(self, request: web.Request) -> web.Response:
        form, code = await read_form(request, DivisionForm), request.match_info["code"]
        await self._service.put_division(
            request[UOW], request[SUBJECT], code, name=form.name, name_en=form.name_en, new=False
        )
        raise see_other(request, f"/divisions/{code}", done="division.done.renamed")

    async def drop(self, request: web.Request) -> web.Response:
        code = request.match_info["code"]
        try:
            gone = await self._service.drop_division(request[UOW], request[SUBJECT], code)
        except Refusal as refusal:
            return await self._page(request, code, DivisionForm(), refusal)
        raise see_other(request, f"/divisions/{gone.parent}", done="division.done.dropped")

    async def place(self, request: web.Request) -> web.Response:
        form = await read_form(request, PlaceForm)
        await self._service.place(
            request[UOW], request[SUBJECT], HallId(request.match_info["hall"]),
            division=full(form.division), department=form.department, spot=form.spot,
        )  # fmt: skip
        raise see_other(request, f"/divisions/{full(form.division)}", done="division.done.placed")


class DepartmentPages:
    """Handlers over ``service``."""

    def __init__(self, service: OrganisationService) -> None:
        self._service = service

    async def listed(self, request: web.Request) -> web.Response:
        uow, language = request[UOW], request[LANGUAGE]
        own, unknown = await self._service.own_departments(uow, request[SUBJECT])
        titles = {one.id: one.title(language) for one in own}
        names = {one.code: one.title(language) for one in await self._service.divisions(uow)}
        context = {
            "rows": [(one, one.title(language)) for one in own],
            "titles": titles,
            "divisions": names,
            "unknown": unknown,
            "language": language,
        }
        return request.app[PAGES].render(request, "departments.html", context)

    async def _page(
        self, request: web.Request, form: DepartmentForm, problem: Refusal | None, *, new: bool
    ) -> web.Response:
        uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
        own, _ = await self._service.own_departments(uow, subject)
        divisions = await self._service.divisions_within(uow, subject)
        context = {
            "form": form,
            "new": new,
            "parents": [("", "—"), *((one.id, one.title(language)) for one in own)],
            "divisions": [(one.code, one.indented(language)) for one in divisions],
            "problem": problem,
        }
        return request.app[PAGES].render(request, "department.html", context)

    async def new(self, request: web.Request) -> web.Response:
        """With what a hall calls the department already filled in, when the list of the halls led here."""
        given = {key: request.query.get(key, "")[:80] for key in ("code", "name", "name_en")}
        form = DepartmentForm(
            id=given["code"], code=given["code"], name=given["name"], name_en=given["name_en"]
        )
        return await self._page(request, form, None, new=True)

    async def edit(self, request: web.Request) -> web.Response:
        own, _ = await self._service.own_departments(request[UOW], request[SUBJECT])
        wanted = request.match_info["department"]
        found = next((one for one in own if one.id == wanted), None)
        if found is None:
            raise Refusal("department.unknown")
        doubtful = bool(found.uscc) and not uscc_fits(found.uscc)
        given = dataclasses.asdict(found) | {"uscc_compared": doubtful}
        form = msgspec.convert(given, DepartmentForm)
        return await self._page(request, form, None, new=False)

    async def add(self, request: web.Request) -> web.Response:
        return await self._put(request, new=True)

    async def change(self, request: web.Request) -> web.Response:
        return await self._put(request, new=False)

    async def _put(self, request: web.Request, *, new: bool) -> web.Response:
        form = await read_form(request, DepartmentForm)
        try:
            await self._service.put_department(
                request[UOW], request[SUBJECT], form.department(), new=new,
                uscc_compared=form.uscc_compared,
            )  # fmt: skip
        except Refusal as refusal:
            return await self._page(request, form, refusal, new=new)
        raise see_other(request, "/departments", done="department.done.kept")

    async def drop(self, request: web.Request) -> web.Response:
        wanted = request.match_info["department"]
        await self._service.drop_department(request[UOW], request[SUBJECT], wanted)
        raise see_other(request, "/departments", done="department.done.dropped")


def routes(service: OrganisationService) -> list[web.RouteDef]:
    divisions, departments = DivisionPages(service), DepartmentPages(service)
    return [
        web.get("/divisions", divisions.top),
        web.get(r"/divisions/{code:\d{12}}", divisions.show),
        web.post(r"/divisions/{code:\d{12}}/parts", divisions.add),
        web.post(r"/divisions/{code:\d{12}}/name", divisions.rename),
        web.post(r"/divisions/{code:\d{12}}/drop", divisions.drop),
        web.post("/halls/{hall}/place", divisions.place),
        web.get("/departments", departments.listed),
        web.get("/departments/new", departments.new),
        web.post("/departments", departments.add),
        web.get("/departments/edit/{department}", departments.edit),
        web.post("/departments/edit/{department}", departments.change),
        web.post("/departments/edit/{department}/drop", departments.drop),
    ]
