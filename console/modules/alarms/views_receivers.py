"""Pages of receivers: the list, who hears what of each hall, and one receiver's form."""

from collections.abc import Sequence

from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallStatus
from console.modules.alarms.forms_receiver import ReceiverFields
from console.modules.alarms.receiver_desk import ReceiverService
from console.modules.alarms.receivers import HeldReceiver, hears
from console.modules.alarms.views import Desk
from console.modules.alarms.words import SEVERITY_TONES, receiver_name
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, read_form, see_other


def routes(desk: Desk, service: ReceiverService) -> list[web.RouteDef]:
    """Handlers over ``desk`` and ``service``."""

    async def receivers(request: web.Request) -> web.Response:
        return await _list(request, desk, service)

    async def new(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ALARMS_RULES)
        return await _form(request, desk, service, ReceiverFields(enabled=True), None)

    async def edit(request: web.Request) -> web.Response:
        receiver = request.match_info["receiver"]
        held = await service.receiver(request[UOW], request[SUBJECT], receiver)
        return await _form(request, desk, service, ReceiverFields.of(held), None)

    async def put(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.ALARMS_RULES)
        fields = await read_form(request, ReceiverFields)
        try:
            await service.put(request[UOW], request[SUBJECT], fields.receiver(), fields.version)
        except Refusal as refusal:
            return await _form(request, desk, service, fields, refusal)
        raise see_other(request, "/alarms/receivers", done="alarm.done.receiver")

    return [
        web.get("/alarms/receivers", receivers),
        web.get("/alarms/receivers/new", new),
        web.get("/alarms/receivers/edit/{receiver}", edit),
        web.post("/alarms/receivers", put),
    ]


async def _list(request: web.Request, desk: Desk, service: ReceiverService) -> web.Response:
    subject, language = request[SUBJECT], request[LANGUAGE]
    held = await service.receivers(request[UOW], subject)
    halls = await desk.halls.halls(request[UOW], subject.scope(Permission.ALARMS))
    context = {
        "rows": [(one, receiver_name(one.receiver, language)) for one in held],
        "hall_names": {one.id: one.title(language) for one in halls},
        "everywhere": service.everywhere,
        "tones": SEVERITY_TONES,
        "severities": (Severity.CRITICAL, Severity.WARNING),
        "hearing": _hearing(held, halls, language),
        "people": await desk.people(request[UOW], [one.changed_by for one in held]),
        "may": subject.may(Permission.ALARMS_RULES),
    }
    return request.app[PAGES].render(request, "alarm_receivers.html", context, block="main")


async def _form(
    request: web.Request,
    desk: Desk,
    service: ReceiverService,
    fields: ReceiverFields,
    problem: Refusal | None,
) -> web.Response:
    subject = request[SUBJECT]
    halls = await desk.halls.halls(request[UOW], subject.scope(Permission.ALARMS))
    may = subject.may(Permission.ALARMS_RULES)
    context = {
        # Who may not change it need not know private addresses.
        "fields": fields if may else fields.without_addresses(),
        "severities": list(reversed(Severity)),
        "halls": await desk.hall_options(request),
        "divisions": _divisions(halls, fields.divisions, request[LANGUAGE]),
        "ways": service.ways,
        "may": may,
        "problem": problem,
    }
    return request.app[PAGES].render(request, "alarm_receiver.html", context, block="main")


def _hearing(
    held: Sequence[HeldReceiver], halls: Sequence[HallStatus], language: Language
) -> list[tuple[str, list[list[tuple[str, int]]]]]:
    """For each hall and severity, gravest first: who hears, and after how many minutes."""

    def of(hall: HallStatus, severity: Severity) -> list[tuple[str, int]]:
        return [
            (receiver_name(one.receiver, language), one.receiver.after_minutes)
            for one in held
            if hears(one.receiver, hall=hall.id, division=hall.division, severity=severity)
        ]

    severities = (Severity.CRITICAL, Severity.WARNING)
    return [(hall.title(language), [of(hall, one) for one in severities]) for hall in halls]


def _divisions(
    halls: Sequence[HallStatus], chosen: Sequence[str], language: Language
) -> list[tuple[str, str]]:
    """Districts and counties in which halls stand, with the first of them for a name; the chosen ones stay."""
    found: dict[str, list[str]] = {one: [] for one in chosen}
    for hall in halls:
        if len(hall.division) >= 6:
            found.setdefault(hall.division[:6], []).append(hall.title(language))
    apart = "、" if language is Language.ZH else ", "
    return [
        (code, f"{code} {apart.join(names[:2])}".strip()) for code, names in sorted(found.items())
    ]
