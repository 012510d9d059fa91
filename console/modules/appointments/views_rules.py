"""Pages of rules: what is said for whom, and what next week would look like."""

from collections.abc import Mapping

from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.appointments.forms import CHOICES, GROUPS, RuleForm, form_of, rule_form, typed
from console.modules.appointments.rule_desk import Look, Sheet
from console.modules.appointments.rules import DEFAULTS, FIELDS, Target, rule_faults
from console.modules.appointments.views import Desk, rights
from console.modules.organisation.api import OrganisationApi
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.asked import choice_asked


class RulePages:
    """Handlers over ``desk``."""

    def __init__(self, desk: Desk, organisation: OrganisationApi) -> None:
        self._desk = desk
        self._organisation = organisation

    async def listed(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS)
        found = await self._desk.rules.rules(request[UOW], request[SUBJECT])
        names = await self._names(request)
        context = {
            "rows": [(one, _title(request, names, one.target)) for one in found],
            "said": {
                one.target.key: [field for field in FIELDS if getattr(one.rule, field) is not None]
                for one in found
            },
            "targets": await self._targets(request, names),
            **rights(request),
        }
        return request.app[PAGES].render(request, "appointment_rules.html", context, block="main")

    async def _names(self, request: web.Request) -> Mapping[str, Mapping[str, str]]:
        """Names by kind and id, for all that a target may be."""
        language, uow = request[LANGUAGE], request[UOW]
        places = await self._desk.item_choices(request)
        return {
            "division": {one.code: one.indented(language) for one in await self._organisation.divisions(uow)},
            "hall": dict(await self._desk.hall_choices(request)),
            "department": dict(await self._desk.names(request, "department")),
            "item": dict(await self._desk.names(request, "item")),
            "place": dict(places),
        }  # fmt: skip

    async def _targets(
        self, request: web.Request, names: Mapping[str, Mapping[str, str]]
    ) -> list[tuple[str, list[tuple[str, str]]]]:
        """What the reader may make a rule for, in groups."""
        offers = {
            Target(hall=hall, item=item).key: name
            for place, name in names["place"].items()
            for hall, _, item in [place.partition("/")]
        }
        groups = {
            "city": {Target().key: ""},
            "division": {Target(division=code).key: name for code, name in names["division"].items()},
            "department": {Target(department=one).key: name for one, name in names["department"].items()},
            "hall": {Target(hall=one).key: name for one, name in names["hall"].items()},
            "item": offers,
        }  # fmt: skip
        pages, language = request.app[PAGES], request[LANGUAGE]
        found = []
        for kind, options in groups.items():
            may = [
                (key, name or pages.text(language, "appointments.target.city"))
                for key, name in options.items()
                if (target := Target.of(key)) is not None
                and self._desk.rules.may(request[SUBJECT], target)
            ]
            if may:
                found.append((pages.text(language, f"appointments.target.{kind}"), may))
        return found

    async def edit(self, request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.APPOINTMENTS)
        target = Target.of(request.query.get("target", ""))
        if target is None:
            raise Refusal("appointments.target")
        sheet = await self._desk.rules.sheet(request[UOW], request[SUBJECT], target)
        version = request.query.get("version", "")
        rules = {str(one.version): one.rule for one in sheet.versions}
        _ = choice_asked(request, "version", rules, "")
        rule = rules.get(version, sheet.rule)
        return await self._form(request, form_of(target, sheet.seen, rule), sheet)

    async def _form(
        self,
        request: web.Request,
        form: RuleForm,
        sheet: Sheet,
        *,
        problem: Refusal | None = None,
        faults: list[tuple[str, str]] | None = None,
        look: Look | None = None,
    ) -> web.Response:
        names = await self._names(request)
        context = {
            "form": form,
            "sheet": sheet,
            "title": _title(request, names, sheet.target),
            "groups": GROUPS,
            "choices": CHOICES,
            "inherited": {
                field: (
                    typed(getattr(sheet.inherited.rule, field)),
                    _title(request, names, source) if (source := sheet.inherited.source(field)) else "",
                )
                for field in FIELDS
            },
            "defaults": DEFAULTS,
            "places": list(names["place"].items()),
            "look": look,
            "faults": faults or [],
            "problem": problem,
            "may": self._desk.rules.may(request[SUBJECT], sheet.target),
            **rights(request),
        }  # fmt: skip
        return request.app[PAGES].render(request, "appointment_rule.html", context, block="main")

    async def put(self, request: web.Request) -> web.Response:
        """Stores a rule, or with ``look`` pressed shows what it would do."""
        request[SUBJECT].require(Permission.APPOINTMENTS_RULES)
        data = {name: str(value) for name, value in (await request.post()).items()}
        form, uow, subject = rule_form(data), request[UOW], request[SUBJECT]
        sheet = await self._desk.rules.sheet(uow, subject, form.place)
        try:
            rule = form.rule()
            faults = rule_faults(rule)
            if data.get("do") == "look" and not faults:
                look = await self._look(request, form)
                return await self._form(request, form, sheet, look=look)
            if faults:
                problem = Refusal("appointments.rule_faulty")
                return await self._form(request, form, sheet, problem=problem, faults=faults)
            await self._desk.rules.put(uow, subject, form.place, form.seen, rule, form.note)
        except Refusal as refusal:
            if refusal.code == "page.forbidden":
                raise
            return await self._form(request, form, sheet, problem=refusal)
        raise see_other(request, "/appointments/rules", done="appointments.done.rule")

    async def _look(self, request: web.Request, form: RuleForm) -> Look:
        hall, _, item = form.look.partition("/")
        if not hall or not item:
            raise Refusal("appointments.no_item")
        return await self._desk.rules.look(
            request[UOW], request[SUBJECT], form.place, form.rule(), HallId(hall), item
        )


def _title(request: web.Request, names: Mapping[str, Mapping[str, str]], target: Target) -> str:
    """A target in words: 萨尔图区政务服务中心 · 公安局."""
    parts = [
        names[kind].get(value, value).strip("\u3000")
        for kind, value in (
            ("division", target.division),
            ("hall", target.hall),
            ("department", target.department),
            ("item", target.item),
        )
        if value
    ]
    city = request.app[PAGES].text(request[LANGUAGE], "appointments.target.city")
    return " · ".join(parts) or city


def routes(desk: Desk, organisation: OrganisationApi) -> list[web.RouteDef]:
    pages = RulePages(desk, organisation)
    return [
        web.get("/appointments/rules", pages.listed),
        web.get("/appointments/rules/edit", pages.edit),
        web.post("/appointments/rules", pages.put),
    ]
