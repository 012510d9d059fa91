"""Pages of integrators: who has access to the open API, to what, how much, and what went wrong."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission, Reach, ReachKind
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.gateway.api import Access
from console.modules.gateway.clients import reach_of, reach_text
from console.modules.gateway.service import Integrator, IntegratorService, WebhookAct
from console.modules.organisation.api import Chart, Level
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.sheets import sheet_response

FILTERS = ("state", "scope", "q")
Text = Annotated[str, msgspec.Meta(max_length=200)]
Lines = Annotated[str, msgspec.Meta(max_length=2000)]
_SORTS = {
    "name": lambda one: one.client.name,
    "id": lambda one: one.client.id,
    "made": lambda one: one.made_at,
}
_ELSEWHERE = ("integrator.unknown", "page.forbidden")


class AccessForm(Strict, frozen=True, kw_only=True):
    """``version`` None: a new one. ``networks`` has one address a line."""

    id: Text = ""
    name: Text = ""
    contact: Text = ""
    scopes: tuple[Text, ...] = ()
    reach: Text = ""
    networks: Lines = ""
    per_minute: int = 120
    per_day: int = 20_000
    version: int | None = None


class SecretForm(Strict, frozen=True, kw_only=True):
    at_once: bool = False


class WebhookForm(Strict, frozen=True, kw_only=True):
    """``hours`` back from now, for a repetition."""

    act: WebhookAct
    hours: Annotated[int, msgspec.Meta(ge=1, le=336)] = 24


class StateForm(Strict, frozen=True, kw_only=True):
    disabled: bool = False


def access_of(form: AccessForm) -> Access:
    """Raises ``reach.unknown``."""
    try:
        reach = reach_of(form.reach)
    except ValueError as error:
        raise Refusal("reach.unknown") from error
    return Access(
        name=form.name,
        contact=form.contact,
        scopes=form.scopes,
        reach=reach,
        networks=tuple(line for line in form.networks.split() if line),
        per_minute=form.per_minute,
        per_day=form.per_day,
    )


def form_of(found: Integrator) -> AccessForm:
    one = found.client
    return AccessForm(
        id=one.id,
        name=one.name,
        contact=found.contact,
        scopes=one.scopes,
        reach=reach_text(one.reach),
        networks="\n".join(one.networks),
        per_minute=one.per_minute,
        per_day=one.per_day,
        version=found.version,
    )


class IntegratorPages:
    """Handlers over the service."""

    def __init__(self, service: IntegratorService, halls: HallsApi) -> None:
        self._service, self._halls = service, halls

    async def listed(self, request: web.Request) -> web.Response:
        found, totals = await self._all(request)
        listing = Listing.of(request, FILTERS, sort="name")
        kept = [one for one in found if _fits(one, dict(listing.query))]
        listing, rows = listing.cut(kept, _SORTS)
        context = {
            "rows": rows,
            "count": len(kept),
            "known": len(found),
            "totals": totals,
            "listing": listing,
            "reaches": await self._reach_words(request),
            "reach_text": reach_text,
            "scopes": [(name, name) for name in sorted(self._service.scopes)],
        }
        return request.app[PAGES].render(request, "integrators.html", context, block="list")

    async def _all(
        self, request: web.Request
    ) -> tuple[list[Integrator], dict[str, tuple[int, int]]]:
        uow = request[UOW]
        found = await self._service.integrators(uow, request[SUBJECT])
        return found, await self._service.totals(uow)

    async def export(self, request: web.Request) -> web.Response:
        found, totals = await self._all(request)
        reaches = await self._reach_words(request)
        pages, language = request.app[PAGES], request[LANGUAGE]
        words = ("id", "name", "reach", "scopes", "per_minute", "per_day", "calls", "refused")
        head = [pages.text(language, f"integrator.{one}") for one in words]
        rows = [
            (
                one.client.id,
                one.client.name,
                reaches.get(reach_text(one.client.reach), reach_text(one.client.reach)),
                " ".join(one.client.scopes),
                one.client.per_minute,
                one.client.per_day,
                *totals.get(one.client.id, (0, 0)),
            )
            for one in found
        ]
        title = pages.text(language, "integrators.title")
        kind = request.match_info["kind"]
        return await sheet_response(kind, file="integrators", title=title, head=head, rows=rows)

    async def new(self, request: web.Request) -> web.Response:
        return await self._form(request, AccessForm(), None)

    async def make(self, request: web.Request) -> web.Response:
        form = await read_form(request, AccessForm)
        try:
            secret = await self._service.make(
                request[UOW], request[SUBJECT], form.id.strip(), access_of(form)
            )
        except Refusal as refusal:
            return await self._form(request, form, refusal)
        return await self._page(request, form.id.strip(), secret=secret)

    async def edit(self, request: web.Request) -> web.Response:
        name = request.match_info["integrator"]
        found = await self._service.integrator(request[UOW], request[SUBJECT], name)
        return await self._form(request, form_of(found), None)

    async def put(self, request: web.Request) -> web.Response:
        form, name = await read_form(request, AccessForm), request.match_info["integrator"]
        try:
            await self._service.put(
                request[UOW], request[SUBJECT], name, access_of(form), form.version or 0
            )
        except Refusal as refusal:
            if refusal.code in _ELSEWHERE:
                raise
            return await self._form(request, msgspec.structs.replace(form, id=name), refusal)
        raise see_other(request, f"/integrators/{name}", done="integrator.done.kept")

    async def _form(
        self, request: web.Request, form: AccessForm, problem: Refusal | None
    ) -> web.Response:
        request[SUBJECT].require(Permission.INTEGRATORS)
        language = request[LANGUAGE]
        context = {
            "form": form,
            "scopes": [
                (name, one.words.pick(language)) for name, one in sorted(self._service.scopes.items())
            ],
            "reaches": [
                one async for one in self._reaches(request)
            ],
            "problem": problem,
        }  # fmt: skip
        return request.app[PAGES].render(request, "integrator_edit.html", context)

    async def _reaches(self, request: web.Request) -> AsyncIterator[tuple[str, str]]:
        """What the keeper may choose, divisions first."""
        scope = request[SUBJECT].scope(Permission.INTEGRATORS)
        chart = await self._service.chart(request[UOW])
        words = await self._reach_words(request)
        for reach in _possible(chart):
            if chart.covers(scope, reach):
                yield reach_text(reach), words.get(reach_text(reach), reach.target)

    async def _reach_words(self, request: web.Request) -> dict[str, str]:
        """Names of reaches in the reader's language."""
        language, pages = request[LANGUAGE], request.app[PAGES]
        chart = await self._service.chart(request[UOW])
        scope = request[SUBJECT].scope(Permission.INTEGRATORS)
        found = {
            f"{ReachKind.REGION.value}:{one.code}": one.title(language)
            for one in chart.divisions.values()
        }
        department = pages.text(language, "reach.department")
        found |= {
            f"{ReachKind.DEPARTMENT.value}:{one.id}": f"{department} · {one.title(language)}"
            for one in chart.departments.values()
        }
        hall = pages.text(language, "reach.hall")
        found |= {
            f"{ReachKind.HALL.value}:{one.id}": f"{hall} · {one.title(language)}"
            for one in await self._halls.halls(request[UOW], scope)
        }
        return found

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.match_info["integrator"])

    async def _page(
        self,
        request: web.Request,
        name: str,
        *,
        secret: str = "",
        problem: Refusal | None = None,
    ) -> web.Response:
        uow, language = request[UOW], request[LANGUAGE]
        found = await self._service.integrator(uow, request[SUBJECT], name)
        reach = reach_text(found.client.reach)
        context = {
            "one": found,
            "secret": secret,
            "reach": (await self._reach_words(request)).get(reach, reach),
            "scopes": self._service.scopes,
            "language": language,
            "usage": await self._service.usage(uow, name),
            "faults": await self._service.faults(uow, name),
            "webhooks": await self._service.webhooks(uow, name),
            "problem": problem,
        }
        return request.app[PAGES].render(request, "integrator.html", context)

    async def renew(self, request: web.Request) -> web.Response:
        form, name = await read_form(request, SecretForm), request.match_info["integrator"]
        try:
            secret = await self._service.renew_secret(
                request[UOW], request[SUBJECT], name, at_once=form.at_once
            )
        except Refusal as refusal:
            return await self._refused(request, name, refusal)
        return await self._page(request, name, secret=secret)

    async def state(self, request: web.Request) -> web.Response:
        form, name = await read_form(request, StateForm), request.match_info["integrator"]
        try:
            await self._service.set_disabled(
                request[UOW], request[SUBJECT], name, disabled=form.disabled
            )
        except Refusal as refusal:
            return await self._refused(request, name, refusal)
        done = "integrator.done.disabled" if form.disabled else "integrator.done.enabled"
        raise see_other(request, f"/integrators/{name}", done=done)

    async def webhook(self, request: web.Request) -> web.Response:
        form, name = await read_form(request, WebhookForm), request.match_info["integrator"]
        try:
            await self._service.act_on_webhook(
                request[UOW], request[SUBJECT], name, request.match_info["webhook"], form.act, form.hours
            )  # fmt: skip
        except Refusal as refusal:
            return await self._refused(request, name, refusal)
        raise see_other(request, f"/integrators/{name}", done=f"webhook.done.{form.act.value}")

    async def _refused(self, request: web.Request, name: str, refusal: Refusal) -> web.Response:
        if refusal.code in _ELSEWHERE:
            raise refusal
        return await self._page(request, name, problem=refusal)


def _possible(chart: Chart) -> Iterator[Reach]:
    for one in chart.divisions.values():
        if one.level in (Level.CITY, Level.DISTRICT, Level.TOWN):
            yield Reach(ReachKind.REGION, one.code)
    for department in chart.departments:
        yield Reach(ReachKind.DEPARTMENT, department)
    for hall in chart.halls:
        yield Reach(ReachKind.HALL, hall)


def _fits(one: Integrator, query: dict[str, str]) -> bool:
    state = "off" if one.client.disabled else "on"
    return (
        query.get("state", state) == state
        and query.get("scope", "") in (*one.client.scopes, "")
        and query.get("q", "").casefold() in f"{one.client.id} {one.client.name}".casefold()
    )


def routes(service: IntegratorService, halls: HallsApi) -> list[web.RouteDef]:
    pages = IntegratorPages(service, halls)
    return [
        web.get("/integrators", pages.listed),
        web.post("/integrators", pages.make),
        web.get("/integrators.{kind}", pages.export),
        web.get("/integrators/new", pages.new),
        web.get("/integrators/{integrator}", pages.show),
        web.post("/integrators/{integrator}", pages.put),
        web.get("/integrators/{integrator}/edit", pages.edit),
        web.post("/integrators/{integrator}/secret", pages.renew),
        web.post("/integrators/{integrator}/state", pages.state),
        web.post("/integrators/{integrator}/webhooks/{webhook}", pages.webhook),
    ]
