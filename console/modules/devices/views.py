"""The list of all devices: filtered, ordered and cut by the database, and taken out as a file or on paper."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone

from aiohttp import web

from console.core.audit import Audit
from console.core.lists import PAGE_ROWS, Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.core.words import condition_words
from console.halls.api import Directory, HallsApi
from console.modules.devices.api import DevicesApi, FleetPage, FleetQuery, device_line
from qingting.contract.states import Condition, DeviceKind, DeviceState, Language
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.sheets import Cell, moment, sheet_response
from qingting.kernel.web.taking import TAKING

FILTERS = ("hall", "kind", "state", "condition", "q")
PROBLEMS = "problems"
"""Value of the state filter that keeps what needs somebody."""
LONGEST_SEARCH = 60
COLUMNS = (
    "col.hall", "col.device", "device.id", "col.kind", "device.parent", "col.window", "col.state",
    "col.since", "col.seen", "col.what", "col.todo",
)  # fmt: skip


def fleet_query(listing: Listing, rows: int) -> FleetQuery:
    """What the address asks for; a value that no filter knows keeps nothing."""
    query: Mapping[str, str] = listing.query
    state = query.get("state", "")
    return FleetQuery(
        hall=query.get("hall", ""),
        kind=query.get("kind", ""),
        state="" if state == PROBLEMS else state,
        problems=state == PROBLEMS,
        condition=query.get("condition", ""),
        text=query.get("q", "").strip()[:LONGEST_SEARCH],
        sort=listing.sort,
        descending=listing.descending,
        page=listing.page,
        rows=rows,
    )


def routes(
    service: DevicesApi, halls: HallsApi, audit: Audit, utc_offset_minutes: int
) -> list[web.RouteDef]:
    """Handlers over ``service``."""
    zone = timezone(timedelta(minutes=utc_offset_minutes))

    async def found(request: web.Request, rows: int) -> tuple[Listing, FleetPage]:
        scope = request[SUBJECT].scope(Permission.LOOK)
        listing = Listing.of(request, FILTERS, sort="state")
        page = await service.search(request[UOW], scope, fleet_query(listing, rows))
        return listing.counted(page.kept), page

    async def shown(request: web.Request, template: str, rows: int) -> web.Response:
        listing, page = await found(request, rows)
        language, scope = request[LANGUAGE], request[SUBJECT].scope(Permission.LOOK)
        known = await halls.halls(request[UOW], scope)
        context = {
            "rows": [device_line(one, language) for one in page.devices],
            "page": page,
            "listing": listing,
            "halls": [(one.id, one.title(language)) for one in known],
            "kinds": [kind.value for kind in DeviceKind],
            "states": [state.value for state in DeviceState],
            "conditions": _conditions(language),
        }
        return request.app[PAGES].render(request, template, context, block="list")

    async def devices(request: web.Request) -> web.Response:
        return await shown(request, "devices.html", 0 if TAKING in request else PAGE_ROWS)

    async def printed(request: web.Request) -> web.Response:
        return await shown(request, "devices_print.html", 0)

    async def export(request: web.Request) -> web.Response:
        kind, language = request.match_info["kind"], request[LANGUAGE]
        listing, page = await found(request, 0)
        names = await halls.directory(request[UOW], request[SUBJECT].scope(Permission.LOOK))
        what = "&".join(f"{key}={value}" for key, value in listing.query.items() if key != "q")
        detail = f"{page.kept} {kind} {what}"
        await audit.write(request[UOW], request[SUBJECT], "devices.export", detail=detail)
        return await sheet_response(
            kind,
            file=f"devices-{datetime.now(zone):%Y%m%d-%H%M}",
            title=request.app[PAGES].text(language, "devices.title"),
            head=[request.app[PAGES].text(language, key) for key in COLUMNS],
            rows=_rows(request, page, names, zone),
        )

    return [
        web.get("/devices", devices),
        web.get("/devices/print", printed),
        web.get("/devices/export.{kind}", export),
    ]


def _conditions(language: Language) -> list[tuple[str, str]]:
    return [(one.value, condition_words(one, language).text) for one in Condition]


def _rows(
    request: web.Request, page: FleetPage, names: Directory, zone: timezone
) -> Iterator[tuple[Cell, ...]]:
    pages, language = request.app[PAGES], request[LANGUAGE]
    for one in page.devices:
        line = device_line(one, language)
        window = names.find(one.hall, "window", one.window).label if one.window else ""
        yield (
            line.hall,
            line.name,
            one.id,
            pages.text(language, f"kind.{one.kind.value}"),
            line.parent,
            window,
            pages.text(language, line.state_key),
            moment(one.since, zone),
            moment(one.seen, zone) if one.state is not DeviceState.ABSENT else None,
            "；".join(each.text for each in line.conditions),
            "；".join(each.hint for each in line.conditions),
        )
