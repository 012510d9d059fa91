"""Pages of the calendar: the year, a month to edit, the year's notice, lists."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from aiohttp import web

from console.core.permissions import Permission
from console.core.sheet_reading import (
    MAX_BYTES,
    MAX_ROWS,
    columns_of,
    read_sheet,
    text_of,
    too_large,
)
from console.core.uploads import brings_file, read_upload
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.calendar.domain import (
    DIVISION,
    HALL,
    STATUTORY,
    DayKind,
    SpecialDay,
    TimeLimit,
    Unit,
    YearDays,
    place_meant,
)
from console.modules.calendar.notice import Reading, Row, lines_of, read_notice, read_rows, written
from console.modules.calendar.pages import WEEKDAYS, month_of, year_months
from console.modules.calendar.service import CalendarService
from console.modules.organisation.api import Level, OrganisationApi
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.asked import choice_asked, day_asked, number_asked
from qingting.kernel.web.sheets import Cell as SheetCell
from qingting.kernel.web.sheets import sheet_response

_MOST = {"rows": MAX_ROWS, "kilobytes": MAX_BYTES // 1024}
"""What a file may have."""
_COLUMNS = {
    "day": ("日期", "date", "day"),
    "kind": ("休/班", "类型", "kind"),
    "name": ("名称", "节日", "name"),
}


class DayForm(Strict, frozen=True, kw_only=True):
    """``kind``: ``rest``, ``work``, or ``none`` to let the date follow its weekday again."""

    day: date
    place: str = STATUTORY
    kind: str
    name: str = ""
    name_en: str = ""
    deadlines: bool = False


class YearForm(Strict, frozen=True, kw_only=True):
    """A notice that was shown in a preview: ``rows`` are its days as lines of text."""

    year: int
    version: int
    source: str = ""
    issued: str = ""
    rows: str = ""


_WIDE = (Level.CITY, Level.DISTRICT)
"""Levels whose divisions can always be chosen; of others those where halls stand."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages need."""

    service: CalendarService
    halls: HallsApi
    organisation: OrganisationApi

    async def places(self, request: web.Request) -> list[tuple[str, str]]:
        """Where a calendar can be looked at, with names: the country, the city and its districts and where halls stand,
        the halls."""
        uow, language = request[UOW], request[LANGUAGE]
        scope = request[SUBJECT].scope(Permission.LOOK)
        halls = await self.halls.halls(uow, scope)
        stand = {place_meant(f"{DIVISION}{one.division}") for one in halls if one.division}
        word = request.app[PAGES].text(language, "calendar.place.country")
        return [
            (STATUTORY, word),
            *(
                (place, one.indented(language))
                for one in await self.organisation.divisions(uow)
                if (place := f"{DIVISION}{one.code}") in stand
                or (one.level in _WIDE and (scope.has_division(one.code) or scope.below(one.code)))
            ),
            *((f"{HALL}{one.id}", one.title(language)) for one in halls),
        ]


def routes(desk: Desk) -> list[web.RouteDef]:
    """Handlers over ``desk``."""
    service = desk.service

    async def year(request: web.Request) -> web.Response:
        place = _place(request)
        wanted = number_asked(request, "year", service.today().year)
        sheet = await service.year(request[UOW], request[SUBJECT], wanted, place)
        context = {
            "sheet": sheet,
            "months": year_months(sheet, service.today()),
            "settled": await service.settled_years(request[UOW]),
            "count": await _count(request, service, place),
            **await _frame(request, desk, place),
        }
        return request.app[PAGES].render(request, "calendar_year.html", context, block="main")

    async def month(request: web.Request) -> web.Response:
        first = _month(request.match_info["month"])
        place = _place(request)
        sheet = await service.year(request[UOW], request[SUBJECT], first.year, place)
        context = {
            "sheet": sheet,
            "month": month_of(sheet, first.month, service.today()),
            "before": first - timedelta(days=1),
            "after": first + timedelta(days=31),
            "chosen": day_asked(request, "day"),
            "hours": await _hours(request, service, place, first),
            **await _frame(request, desk, place),
        }
        return request.app[PAGES].render(request, "calendar_month.html", context, block="main")

    async def put_day(request: web.Request) -> web.Response:
        form = await read_form(request, DayForm)
        await _store(request, service, form)
        back = {"place": place_meant(form.place), "day": form.day.isoformat()}
        path = f"/calendar/month/{form.day:%Y-%m}?{urlencode(back)}"
        raise see_other(request, path, done="calendar.done.day")

    async def notice(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CALENDAR_YEARS)
        wanted = number_asked(request, "year", service.today().year + 1)
        context = {
            "year": wanted,
            "text": "",
            "source": "",
            "issued": "",
            "most": _MOST,
            "problem": None,
            "preview": None,
        }
        return request.app[PAGES].render(request, "calendar_notice.html", context, block="main")

    @brings_file(MAX_BYTES, too_large)
    async def preview(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CALENDAR_YEARS)
        data, fields = await read_upload(request, "file")
        return await _preview(request, service, data, fields)

    async def put_year(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.CALENDAR_YEARS)
        form = await read_form(request, YearForm)
        reading = read_rows(lines_of(form.rows), form.year)
        found = YearDays(year=form.year, source=form.source, issued=form.issued, days=reading.days)
        await service.put_year(request[UOW], request[SUBJECT], found, form.version)
        raise see_other(request, f"/calendar?year={form.year}", done="calendar.done.year")

    async def export(request: web.Request) -> web.Response:
        wanted = number_asked(request, "year", service.today().year)
        sheet = await service.year(request[UOW], request[SUBJECT], wanted, _place(request))
        names = {place: name.strip() for place, name in await desk.places(request)}
        return await _sheet(request, list(sheet.days.values()), wanted, names)

    return [
        web.get("/calendar", year),
        web.get("/calendar/month/{month}", month),
        web.post("/calendar/days", put_day),
        web.get("/calendar/notice", notice),
        web.post("/calendar/notice/preview", preview),
        web.post("/calendar/notice", put_year),
        web.get("/calendar/days.{kind}", export),
    ]


def _place(request: web.Request) -> str:
    return place_meant(request.query.get("place", STATUTORY))


async def _frame(request: web.Request, desk: Desk, place: str) -> dict[str, object]:
    """What year and month share."""
    needed = Permission.CALENDAR_YEARS if place == STATUTORY else Permission.CALENDAR
    places = await desk.places(request)
    known = dict(places)
    if place not in known:
        places.append((place, place.partition(":")[2]))
    return {
        "place": place,
        "places": places,
        "place_name": dict(places)[place].strip(),
        "weekdays": WEEKDAYS,
        "language": request[LANGUAGE],
        "today": desk.service.today(),
        "may": request[SUBJECT].may(needed) and desk.service.may_change(request[SUBJECT], place),
        "may_years": request[SUBJECT].may(Permission.CALENDAR_YEARS),
        "query": f"place={place}" if place else "",
    }


async def _count(request: web.Request, service: CalendarService, place: str) -> dict[str, object]:
    """The counting form with its answer, where something was asked."""
    start = day_asked(request, "start", service.today()) or service.today()
    amount, unit = (
        request.query.get("amount", ""),
        choice_asked(request, "unit", tuple(Unit), Unit.WORKDAYS),
    )
    limit = TimeLimit(_number(amount, -1), Unit(unit))
    asked = {
        "start": start,
        "amount": amount,
        "unit": limit.unit,
        "units": list(Unit),
        "due": None,
        "problem": None,
    }
    if not amount:
        return asked
    try:
        division = await service.division_of(request[UOW], place)
        asked["due"] = await service.due(request[UOW], start, limit, division=division)
    except Refusal as refusal:
        asked["problem"] = refusal
    return asked


async def _hours(
    request: web.Request, service: CalendarService, place: str, first: date
) -> dict[date, object]:
    """A hall's opening hours on each date of the month."""
    if not place.startswith(HALL):
        return {}
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    hall = HallId(place.removeprefix(HALL))
    return {**await service.hall_days(request[UOW], hall, first, last)}


async def _store(request: web.Request, service: CalendarService, form: DayForm) -> None:
    if form.kind == "none":
        await service.drop_day(request[UOW], request[SUBJECT], form.day, form.place)
        return
    if form.kind not in tuple(DayKind):
        raise Refusal("form.invalid", field="kind")
    one = SpecialDay(
        day=form.day,
        kind=DayKind(form.kind),
        name=form.name.strip(),
        name_en=form.name_en.strip(),
        place=form.place,
        deadlines=form.deadlines,
    )
    await service.put_day(request[UOW], request[SUBJECT], one)


async def _preview(
    request: web.Request, service: CalendarService, data: bytes, fields: dict[str, str]
) -> web.Response:
    year = _number(fields.get("year"), 0)
    typed = {
        "year": year,
        "text": fields.get("text", ""),
        "source": fields.get("source", ""),
        "issued": fields.get("issued", ""),
        "most": _MOST,
    }
    pages = request.app[PAGES]
    try:
        shown = await _changes(request, service, data, fields.get("text", ""), year)
        context = {**typed, "problem": None, "preview": shown}
    except Refusal as refusal:
        context = {**typed, "problem": refusal, "preview": None}
    return pages.render(request, "calendar_notice.html", context, block="main")


async def _changes(
    request: web.Request, service: CalendarService, data: bytes, text: str, year: int
) -> dict[str, object]:
    """What was read, and what storing it would do."""
    reading = await _reading(data, text, year)
    if not reading.days and not reading.bad:
        raise Refusal("calendar.empty")
    settled = {one.year: one.version for one in await service.settled_years(request[UOW])}
    return {
        "reading": reading,
        "changes": await service.changes(request[UOW], request[SUBJECT], year, reading.days),
        "rows": written(reading.days),
        "version": settled.get(year, 0),
    }


async def _reading(data: bytes, text: str, year: int) -> Reading:
    """A file goes before a text. Raises ``sheet.unreadable``, ``sheet.too_large``, ``sheet.column``."""
    if not data:
        return read_notice(text, year)
    rows = await asyncio.to_thread(read_sheet, data)
    places = columns_of(rows[0], _COLUMNS)

    def cell(row: list[object], key: str) -> object:
        return row[places[key]] if places[key] < len(row) else ""

    listed = [
        Row(number, cell([*row], "day"), str(cell([*row], "kind")), str(cell([*row], "name")))
        for number, row in enumerate(rows[1:], start=2)
        if any(text_of(one) for one in row)
    ]
    return read_rows(listed, year)


async def _sheet(
    request: web.Request, days: list[SpecialDay], year: int, names: Mapping[str, str]
) -> web.Response:
    zh = request[LANGUAGE] is Language.ZH
    words = {DayKind.REST: "休" if zh else "rest", DayKind.WORK: "班" if zh else "work"}
    head = (
        ("日期", "休/班", "名称", "英文名称", "范围")
        if zh
        else ("date", "kind", "name", "English name", "place")
    )
    rows: list[list[SheetCell]] = [
        [
            one.day.isoformat(),
            words[one.kind],
            one.name,
            one.name_en,
            names.get(one.place, one.place),
        ]
        for one in sorted(days, key=lambda one: one.day)
    ]
    return await sheet_response(
        request.match_info["kind"], file=f"calendar-{year}", title=str(year), head=head, rows=rows
    )


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else otherwise


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _month(text: str) -> date:
    found = _date(f"{text}-01")
    if found is None:
        raise Refusal("page.not_found")
    return found
