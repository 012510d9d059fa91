"""Pages of alarm rules."""

from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.alarms.forms import RuleFields
from console.modules.alarms.rules import WHATS, RuleForm
from console.modules.alarms.views import Desk
from console.modules.alarms.words import SEVERITY_TONES, rule_name, what_text
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.states import DeviceKind
from qingting.kernel.web import LANGUAGE, read_form, see_other


def routes(desk: Desk) -> list[web.RouteDef]:
    """Handlers over ``desk``."""

    async def rules(request: web.Request) -> web.Response:
        language, subject = request[LANGUAGE], request[SUBJECT]
        held = await desk.service.rules(request[UOW], subject)
        context = {
            "rows": [(one, rule_name(one.rule, language)) for one in held],
            "what": lambda what: what_text(what, language),
            "tones": SEVERITY_TONES,
            "people": await desk.people(request[UOW], [one.changed_by for one in held]),
            "may": subject.may(Permission.ALARMS_RULES),
        }
        return request.app[PAGES].render(request, "alarm_rules.html", context, block="main")

    async def new(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ALARMS_RULES)
        return await _form(request, desk, RuleFields(notify=True, enabled=True), None)

    async def edit(request: web.Request) -> web.Response:
        rule = request.match_info["rule"]
        held = await desk.service.rule(request[UOW], request[SUBJECT], rule)
        return await _form(request, desk, RuleFields.of(held), None)

    async def put(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ALARMS_RULES)
        fields = await read_form(request, RuleFields)
        try:
            await desk.service.put_rule(
                request[UOW], request[SUBJECT], fields.rule(), fields.version
            )
        except Refusal as refusal:
            return await _form(request, desk, fields, refusal)
        raise see_other(request, "/alarms/rules", done="alarm.done.rule")

    return [
        web.get("/alarms/rules", rules),
        web.get("/alarms/rules/new", new),
        web.get("/alarms/rules/edit/{rule}", edit),
        web.post("/alarms/rules", put),
    ]


async def _form(
    request: web.Request, desk: Desk, fields: RuleFields, problem: Refusal | None
) -> web.Response:
    language = request[LANGUAGE]
    context = {
        "fields": fields,
        "whats": [(one, what_text(one, language)) for one in WHATS],
        "forms": list(RuleForm),
        "severities": list(reversed(Severity)),
        "kinds": list(DeviceKind),
        "halls": await desk.hall_options(request),
        "may": request[SUBJECT].may(Permission.ALARMS_RULES),
        "problem": problem,
    }
    return request.app[PAGES].render(request, "alarm_rule.html", context, block="main")
