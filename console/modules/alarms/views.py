"""Pages of alarms: the list, one alarm, notices, maintenance, a device's record."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

from aiohttp import web
from markupsafe import Markup

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.uow import ReadUow
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.alarms.forms import (
    MaintenanceForm,
    NoteForm,
    ReadForm,
    instant,
    local_text,
)
from console.modules.alarms.naming import Naming
from console.modules.alarms.service import MAX_LISTED, AlarmFilter, AlarmService
from console.modules.alarms.words import AlarmLine, Names, alarm_line, what_text
from console.modules.devices.api import DeviceInfo, DevicesApi
from console.modules.identity.api import IdentityApi
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.order import natural
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.sheets import Cell, moment, sheet_response

FILTERS = ("state", "hall", "severity", "kind", "rule")
STATES = ("open", "new", "acknowledged", "maintained", "cleared", "all")
KINDS = ("hall", *(kind.value for kind in DeviceKind))
COLUMNS = (
    "no", "severity", "what", "hall", "device", "state", "raised", "times", "acked", "cleared",
    "behind", "rule",
)  # fmt: skip
FOUR_HOURS_MS = 4 * 3_600_000
_SORTS: dict[str, Callable[[AlarmLine], Any]] = {
    "raised": lambda line: line.alarm.raised_at,
    "severity": lambda line: (-line.alarm.severity.rank, -line.alarm.raised_at),
    "hall": lambda line: (line.hall, natural(line.place)),
    "what": lambda line: (line.what, line.alarm.raised_at),
    "state": lambda line: (line.alarm.state.value, line.alarm.maintained),
    "times": lambda line: line.alarm.times,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the handlers work with."""

    service: AlarmService
    halls: HallsApi
    devices: DevicesApi
    identity: IdentityApi
    clock: Clock
    utc_offset_minutes: int

    async def people(self, uow: ReadUow, accounts: Collection[str]) -> dict[str, str]:
        """Names of accounts; an account that is gone has none."""
        found = {}
        for account in set(accounts) - {""}:
            if name := await self.identity.name(uow, account):
                found[account] = name
        return found

    async def lines(self, request: web.Request, wanted: AlarmFilter) -> list[AlarmLine]:
        uow = request[UOW]
        alarms = await self.service.listed(uow, request[SUBJECT], wanted)
        names = await self.names(request)
        return [alarm_line(one, names, request[LANGUAGE]) for one in alarms]

    async def hall_options(self, request: web.Request) -> list[tuple[str, str]]:
        language = request[LANGUAGE]
        known = await self.halls.halls(request[UOW], request[SUBJECT].scope(Permission.ALARMS))
        return [(one.id, one.title(language)) for one in known]

    async def names(self, request: web.Request) -> Names:
        """Names of what the reader may see, and of nothing else."""
        scope = request[SUBJECT].scope(Permission.ALARMS)
        return await Naming(self.halls, self.devices).names(request[UOW], scope)


def wanted_of(request: web.Request) -> AlarmFilter:
    """The filter in the URL; a state that does not exist counts as open."""
    given = {name: request.query.get(name, "") for name in FILTERS}
    if given["state"] not in STATES:
        given["state"] = "open"
    return AlarmFilter(**given)


def routes(desk: Desk) -> list[web.RouteDef]:
    """Handlers over ``desk``."""

    async def alarms(request: web.Request) -> web.Response:
        wanted = wanted_of(request)
        lines = await desk.lines(request, wanted)
        listing = Listing.of(request, FILTERS, sort="severity")
        listing, rows = listing.cut(lines, _SORTS)
        context = {
            "rows": rows,
            "count": len(lines),
            "most": MAX_LISTED,
            "wanted": wanted,
            "listing": listing,
            "halls": await desk.hall_options(request),
            "options": {"state": STATES, "severity": list(reversed(Severity)), "kind": KINDS},
            "totals": await desk.service.open(
                request[UOW], request[SUBJECT].scope(Permission.ALARMS)
            ),
        }
        return request.app[PAGES].render(request, "alarms.html", context, block="list")

    async def sheet(request: web.Request) -> web.Response:
        lines, kind = await desk.lines(request, wanted_of(request)), request.match_info["kind"]
        await desk.service.taken_out(request[UOW], request[SUBJECT], kind, len(lines))
        return await sheet_response(
            kind,
            file="alarms",
            title=request.app[PAGES].text(request[LANGUAGE], "alarm.title"),
            head=[
                request.app[PAGES].text(request[LANGUAGE], f"alarm.column.{one}") for one in COLUMNS
            ],
            rows=_rows(request, desk, lines),
        )

    async def alarm(request: web.Request) -> web.Response:
        return await _alarm_page(request, desk, None)

    async def acknowledge(request: web.Request) -> web.Response:
        form, no = await read_form(request, NoteForm), _no(request)
        try:
            await desk.service.acknowledge(request[UOW], request[SUBJECT], no, form.note)
        except Refusal as refusal:
            return await _alarm_page(request, desk, refusal, note=form.note)
        raise see_other(request, f"/alarms/{no}", done="alarm.done.acknowledged")

    async def clear(request: web.Request) -> web.Response:
        form, no = await read_form(request, NoteForm), _no(request)
        try:
            await desk.service.clear(request[UOW], request[SUBJECT], no, form.note)
        except Refusal as refusal:
            return await _alarm_page(request, desk, refusal, reason=form.note)
        raise see_other(request, f"/alarms/{no}", done="alarm.done.cleared")

    return [
        web.get("/alarms", alarms),
        web.get("/alarms.{kind}", sheet),
        web.get(r"/alarms/{no:\d{1,18}}", alarm),
        web.post(r"/alarms/{no:\d{1,18}}/acknowledge", acknowledge),
        web.post(r"/alarms/{no:\d{1,18}}/clear", clear),
        *_notice_routes(desk),
        *_maintenance_routes(desk),
    ]


def _no(request: web.Request) -> int:
    return int(request.match_info["no"])


def _rows(
    request: web.Request, desk: Desk, lines: Iterable[AlarmLine]
) -> Iterator[tuple[Cell, ...]]:
    pages, language = request.app[PAGES], request[LANGUAGE]
    zone = timezone(timedelta(minutes=desk.utc_offset_minutes))
    for line in lines:
        yield (
            line.alarm.no,
            pages.text(language, f"severity.{line.alarm.severity.value}"),
            line.what,
            line.hall,
            line.place,
            pages.text(language, f"alarm.state.{line.alarm.state.value}"),
            moment(line.alarm.raised_at, zone),
            line.alarm.times,
            moment(line.alarm.acked_at, zone),
            moment(line.alarm.cleared_at, zone),
            line.alarm.behind,
            line.rule,
        )


async def _alarm_page(
    request: web.Request, desk: Desk, problem: Refusal | None, *, note: str = "", reason: str = ""
) -> web.Response:
    uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
    picture = await desk.service.alarm(uow, subject, _no(request))
    names = await desk.names(request)
    context = {
        "picture": picture,
        "line": alarm_line(picture.alarm, names, language),
        "root": alarm_line(picture.root, names, language) if picture.root else None,
        "behind": [alarm_line(one, names, language) for one in picture.behind],
        "known": (picture.alarm.hall, picture.alarm.device) in names.devices,
        "people": await desk.people(uow, [one.by for one in picture.steps]),
        "channel_text": lambda channel: names.channel(channel, language),
        "may": subject.may(Permission.ALARMS_HANDLE, hall=picture.alarm.hall),
        "note": note,
        "reason": reason,
        "problem": problem,
    }
    return request.app[PAGES].render(request, "alarm.html", context, block="now")


def record_part(desk: Desk) -> Callable[[web.Request, DeviceInfo], Awaitable[Markup]]:
    """Availability and alarms as a part of a device's page."""

    async def part(request: web.Request, device: DeviceInfo) -> Markup:
        uow, language = request[UOW], request[LANGUAGE]
        if not request[SUBJECT].may(Permission.ALARMS, hall=device.hall):
            return Markup()
        record = await desk.service.record(uow, device.hall, device.id)
        names = await desk.names(request)
        context = {
            "record": record,
            "lines": [alarm_line(one, names, language) for one in record.alarms],
            "what": lambda what: what_text(what, language),
            "may": request[SUBJECT].may(Permission.ALARMS_HANDLE, hall=device.hall),
        }
        pages = request.app[PAGES]
        return Markup(pages.render_block(request, "device_record.html", "record", context))  # noqa: S704 - drawn by an escaping template

    return part


def _notice_routes(desk: Desk) -> list[web.RouteDef]:
    async def notices(request: web.Request) -> web.Response:
        uow, language = request[UOW], request[LANGUAGE]
        found = await desk.service.notices(uow, request[SUBJECT])
        names = await desk.names(request)
        context = {
            "rows": [(one, alarm_line(one.alarm, names, language)) for one in found],
            "upto": max((one.no for one in found), default=0),
            "unread": sum(one.unread for one in found),
            "channel_text": lambda channel: names.channel(channel, language),
        }
        return request.app[PAGES].render(request, "alarm_notices.html", context, block="list")

    async def read(request: web.Request) -> web.Response:
        form = await read_form(request, ReadForm)
        await desk.service.mark_read(request[UOW], request[SUBJECT], form.upto)
        raise see_other(request, "/alarms/notices", done="alarm.done.read")

    async def bell(request: web.Request) -> web.Response:
        context = {"unread": await desk.service.unread(request[UOW], request[SUBJECT])}
        text = request.app[PAGES].render_block(request, "alarm_bell.html", "bell", context)
        return web.Response(text=text, content_type="text/html")

    return [
        web.get("/alarms/notices", notices),
        web.post("/alarms/read", read),
        web.get("/alarms/bell", bell),
    ]


def _maintenance_routes(desk: Desk) -> list[web.RouteDef]:
    async def show(request: web.Request) -> web.Response:
        return await _maintenance_page(
            request, desk, MaintenanceForm(place=request.query.get("place", "")), None
        )

    async def begin(request: web.Request) -> web.Response:
        form = await read_form(request, MaintenanceForm)
        hall, _, device = form.place.partition("/")
        try:
            await desk.service.begin_maintenance(
                request[UOW],
                request[SUBJECT],
                HallId(hall),
                device,
                start=instant(form.start, desk.utc_offset_minutes),
                until=instant(form.until, desk.utc_offset_minutes),
                reason=form.reason,
            )
        except Refusal as refusal:
            return await _maintenance_page(request, desk, form, refusal)
        raise see_other(request, "/alarms/maintenance", done="maintenance.done.begun")

    async def end(request: web.Request) -> web.Response:
        await desk.service.end_maintenance(request[UOW], request[SUBJECT], _no(request))
        raise see_other(request, "/alarms/maintenance", done="maintenance.done.ended")

    return [
        web.get("/alarms/maintenance", show),
        web.post("/alarms/maintenance", begin),
        web.post(r"/alarms/maintenance/{no:\d{1,18}}/end", end),
    ]


async def _maintenance_page(
    request: web.Request, desk: Desk, form: MaintenanceForm, problem: Refusal | None
) -> web.Response:
    uow, subject, language = request[UOW], request[SUBJECT], request[LANGUAGE]
    works = await desk.service.maintenance(uow, subject)
    names = await desk.names(request)
    places = [(hall, names.hall(hall, language)) for hall in names.halls]
    places += [
        (f"{hall}/{device}", f"{names.hall(hall, language)} · {text}")
        for hall, device, text in sorted(
            (
                (hall, device, names.device(hall, device, language))
                for hall, device in names.devices
            ),
            key=lambda one: (one[0], natural(one[2])),
        )
    ]
    now = desk.clock.now_ms()
    context = {
        "works": list(reversed(works)),
        "names": names,
        "language": language,
        "places": places,
        "form": form,
        "until": form.until or local_text(now + FOUR_HOURS_MS, desk.utc_offset_minutes),
        "people": await desk.people(uow, [one.by for one in works]),
        "may": subject.may(Permission.ALARMS_HANDLE),
        "problem": problem,
    }
    return request.app[PAGES].render(request, "alarm_maintenance.html", context, block="list")
