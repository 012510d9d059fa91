"""Pages that change a draft: entries of a part, opening hours, text, what the catalogue says, several halls."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.catalogue.api import CatalogueApi, Item, ItemQuery
from console.modules.configuration import entries, repository
from console.modules.configuration.copying import COPIED, CopyParts
from console.modules.configuration.fields import FORMS, Field
from console.modules.configuration.offers import offer_lines, taken_over
from console.modules.configuration.packing import document
from console.modules.configuration.service import Standing
from console.modules.configuration.texts import (
    TEXT_PARTS,
    BadText,
    Slip,
    lines_of,
    read_text,
    text_of,
)
from console.modules.configuration.together import Origin
from console.modules.configuration.views import (
    HALL,
    Desk,
    Typed,
    about,
    clashes,
    saying,
    unread,
    wording,
)
from console.modules.jobs.api import JobKind, JobsApi
from qingting.contract.base import Strict
from qingting.contract.config import HallConfig, config_faults
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, read_form, see_other

MOST_ITEMS = 100_000
MOST_LINES = 1_000
"""Differences to the catalogue that are shown at once; what is taken over makes room for the rest."""


def routes(
    desk: Desk, catalogue: CatalogueApi, jobs: JobsApi, kind: JobKind[CopyParts]
) -> list[web.RouteDef]:
    """Handlers over ``desk``."""
    return [
        *_entry_routes(desk),
        *_text_routes(desk),
        *_catalogue_routes(desk, catalogue),
        *_copy_routes(desk, jobs, kind),
    ]


# ---- entries and hours ---------------------------------------------------------------------------


def _entry_routes(desk: Desk) -> list[web.RouteDef]:
    async def entry(request: web.Request) -> web.Response:
        standing = await desk.standing(request)
        return _form(request, standing, request.match_info["part"], request.match_info["entry"])

    async def put(request: web.Request) -> web.Response:
        standing, form = await desk.standing(request), await request.post()
        part, key = request.match_info["part"], request.match_info["entry"]
        typed = await unread(request, standing)

        def given(name: str) -> list[str]:
            return [one for one in form.getall(name, []) if isinstance(one, str)]

        try:
            typed = await desk.typed_on(request, standing)
            await desk.save(
                request, standing, typed, _as_typed(typed.config, part, key, given), part
            )
        except Refusal as refusal:
            return _form(request, standing, part, key, refusal, given, typed)
        raise see_other(request, _home(standing, part), done="conf.done.saved")

    base = HALL + "/parts/{part}"
    return [
        *_part_routes(desk, base),
        web.get(base + "/{entry}", entry),
        web.post(base + "/{entry}", put),
    ]


def _part_routes(desk: Desk, base: str) -> list[web.RouteDef]:
    async def part(request: web.Request) -> web.Response:
        standing, name = await desk.standing(request), request.match_info["part"]
        if name in ("hall", "calendar"):
            return _form(request, standing, name, "one")
        if name not in FORMS:
            raise Refusal("page.not_found")
        words = wording(request, standing.config, standing.config)
        rows = [
            (
                str(at) if name == "shifts" else one["id"],
                _title(words, name, one),
                _facts(words, name, one),
            )
            for at, one in enumerate(document(standing.config)[name], 1)
        ]
        context = {**about(request, standing), "part": name, "rows": rows}
        return request.app[PAGES].render(request, "configuration_part.html", context)

    async def drop(request: web.Request) -> web.Response:
        standing, part = await desk.standing(request), request.match_info["part"]
        if part not in FORMS or part == "hall":
            raise Refusal("page.not_found")
        typed = await desk.typed_on(request, standing)
        known, version = document(typed.config), typed.config.version
        config = entries.drop_entry(known, version, part, request.match_info["entry"])
        await desk.save(request, standing, typed, config, part)
        raise see_other(request, _home(standing, part), done="conf.done.saved")

    return [web.get(base, part), web.post(base + "/{entry}/drop", drop)]


def _as_typed(
    config: HallConfig, part: str, key: str, given: Callable[[str], list[str]]
) -> HallConfig:
    """Raises ``form.invalid``, ``page.not_found``."""
    known, version = document(config), config.version
    if part == "calendar":
        return entries.put_hours(known, version, given)
    if part not in FORMS:
        raise Refusal("page.not_found")
    return entries.put_entry(known, version, part, key, given)


def _home(standing: Standing, part: str) -> str:
    """Where one goes on after a change of a part."""
    single = part in ("hall", "calendar")
    return f"/configurations/{standing.hall}" + ("" if single else f"/parts/{part}")


def _form(
    request: web.Request,
    standing: Standing,
    part: str,
    key: str,
    problem: Refusal | None = None,
    given: Callable[[str], list[str]] | None = None,
    typed: Typed | None = None,
) -> web.Response:
    """The form of an entry; after a refusal with what was ``typed``, still on what it was made from."""
    known = document(typed.config if typed is not None else standing.config)
    fields: tuple[Field, ...] = ()
    if part == "calendar":
        values, title = entries.hours_values(known), ""
    elif part in FORMS:
        one = entries.entry(known, part, key)
        fields, values = FORMS[part], entries.values(part, one)
        words = wording(request, standing.config, standing.config)
        title = "" if key == entries.NEW else _title(words, part, one)
    else:
        raise Refusal("page.not_found")
    if given is not None:
        values = {
            name: given(name) if isinstance(value, list) else "".join(given(name))
            for name, value in values.items()
        }
    context = {
        **about(request, standing),
        "part": part,
        "key": key,
        "title": title,
        "fields": fields,
        "values": values,
        "options": _options(request, known, fields),
        "week": entries.WEEK,
        "problem": problem,
        "clashes": clashes(request, problem),
        "origin": typed.origin if typed is not None else standing.origin,
        "home": _home(standing, part),
    }
    return request.app[PAGES].render(request, "configuration_entry.html", context)


def _options(
    request: web.Request, known: Mapping[str, Any], fields: tuple[Field, ...]
) -> dict[str, list[tuple[str, str]]]:
    """What a field chooses from, by its name."""
    say, zh = saying(request), request[LANGUAGE] is Language.ZH
    found = {}
    for field in fields:
        if field.of:
            found[field.name] = [(one["id"], _name(one, zh=zh)) for one in known[field.of]]
        elif field.sort == "weekdays":
            found[field.name] = [(str(day), say(f"conf.day.{day}")) for day in entries.WEEK]
        elif field.options:
            found[field.name] = [(one, say(f"conf.v.{field.name}.{one}")) for one in field.options]
    return found


def _name(one: Mapping[str, Any], *, zh: bool) -> str:
    name = one["name"] if zh else one.get("name_en") or one["name"]
    sign = one.get("number") or one.get("prefix")
    return f"{sign} {name}" if sign else str(name)


def _title(words: Any, part: str, one: Mapping[str, Any]) -> str:
    if part == "shifts":
        return (
            f"{words.value('staff', one.get('staff'))} · {words.value('window', one.get('window'))}"
        )
    return str(words.called(part, one))


_SHOWN = {
    "departments": ("short_name",),
    "queues": ("hours", "daily_cap", "closed_reason"),
    "items": ("department", "queue", "minutes"),
    "windows": ("queues", "place", "area"),
    "staff": ("role", "department", "skills"),
    "shifts": ("weekdays", "periods"),
}


def _facts(words: Any, part: str, one: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a list says of an entry: field and value, without what is empty."""
    shown = [(name, one.get(name)) for name in _SHOWN[part]]
    return [(name, words.value(name, value)) for name, value in shown if value]


# ---- text ----------------------------------------------------------------------------------------


def _text_routes(desk: Desk) -> list[web.RouteDef]:
    async def text(request: web.Request) -> web.Response:
        standing, part = await desk.standing(request), request.match_info["part"]
        if part not in TEXT_PARTS:
            raise Refusal("page.not_found")
        shown = text_of(standing.config, part)
        here = [one for one in config_faults(standing.config) if one.part in TEXT_PARTS[part]]
        slips = lines_of(here, shown, request[LANGUAGE])
        return _text_page(request, standing, shown, slips, standing.origin)

    async def put(request: web.Request) -> web.Response:
        standing, part = await desk.standing(request), request.match_info["part"]
        given = (await request.post()).get("text", "")
        if part not in TEXT_PARTS or not isinstance(given, str):
            raise Refusal("page.not_found")
        origin = (await unread(request, standing)).origin
        try:
            typed = await desk.typed_on(request, standing)
            await desk.save(request, standing, typed, read_text(typed.config, part, given), part)
        except BadText as bad:
            return _text_page(request, standing, given, bad.slips, origin, status=422)
        except Refusal as refusal:
            return _text_page(request, standing, given, [], origin, problem=refusal)
        raise see_other(request, f"/configurations/{standing.hall}", done="conf.done.saved")

    return [web.get(HALL + "/text/{part}", text), web.post(HALL + "/text/{part}", put)]


def _text_page(
    request: web.Request,
    standing: Standing,
    text: str,
    slips: list[Slip],
    origin: Origin,
    *,
    status: int = 200,
    problem: Refusal | None = None,
) -> web.Response:
    context = {
        **about(request, standing),
        "part": request.match_info["part"],
        "text": text,
        "slips": slips,
        "bad": status != 200,
        "problem": problem,
        "clashes": clashes(request, problem),
        "origin": origin,
    }
    return request.app[PAGES].render(request, "configuration_text.html", context, status=status)


# ---- the catalogue -------------------------------------------------------------------------------


def _catalogue_routes(desk: Desk, catalogue: CatalogueApi) -> list[web.RouteDef]:
    async def items(request: web.Request) -> dict[str, Item]:
        _, found = await catalogue.items(request[UOW], ItemQuery(), limit=MOST_ITEMS)
        return {one.code: one for one in found}

    async def compare(request: web.Request) -> web.Response:
        standing = await desk.standing(request)
        words = wording(request, standing.config, standing.config)
        lines = offer_lines(standing.config, await items(request))
        context = {
            **about(request, standing),
            "lines": lines[:MOST_LINES],
            "beyond": max(0, len(lines) - MOST_LINES),
            "says": words.value,
        }
        return request.app[PAGES].render(request, "configuration_catalogue.html", context)

    async def take(request: web.Request) -> web.Response:
        standing, form = await desk.standing(request), await request.post()
        codes = {one for one in form.getall("codes", []) if isinstance(one, str)}
        part = taken_over(standing.config, await items(request), codes)
        note = request.app[PAGES].text(request[LANGUAGE], "conf.catalogue_note")
        await desk.service.push(request[UOW], request[SUBJECT], standing.hall, [part], note)
        raise see_other(request, f"/configurations/{standing.hall}", done="conf.done.saved")

    return [web.get(HALL + "/catalogue", compare), web.post(HALL + "/catalogue", take)]


# ---- several halls -------------------------------------------------------------------------------


class CopyForm(Strict, frozen=True, kw_only=True):
    """``halls``: where to, the source itself left out."""

    source: str
    parts: tuple[str, ...] = ()
    halls: tuple[str, ...] = ()
    publish: bool = False


def _copy_routes(desk: Desk, jobs: JobsApi, kind: JobKind[CopyParts]) -> list[web.RouteDef]:
    async def form(request: web.Request) -> web.Response:
        uow, scope = request[UOW], request[SUBJECT].scope(Permission.CONFIGURATION)
        known = await repository.newest_of_all(uow, scope)
        halls = [
            (one.id, one.title(request[LANGUAGE]))
            for one in await desk.halls.halls(uow, scope)
            if one.id in known
        ]
        context = {"halls": halls, "parts": tuple(COPIED)}
        return request.app[PAGES].render(request, "configuration_copy.html", context)

    async def start(request: web.Request) -> web.Response:
        subject = request[SUBJECT]
        subject.require(Permission.CONFIGURATION)
        given = await read_form(request, CopyForm)
        for hall in (given.source, *given.halls):
            subject.require(Permission.CONFIGURATION, hall=hall)
        targets = tuple(one for one in given.halls if one != given.source)
        parts = tuple(one for one in given.parts if one in COPIED)
        if not targets or not parts:
            raise Refusal("config.copy_nothing")
        source = (await desk.halls.hall(request[UOW], HallId(given.source))).title(
            request[LANGUAGE]
        )
        note = request.app[PAGES].text(request[LANGUAGE], "conf.copy_note", hall=source)
        wish = CopyParts(
            source=given.source, parts=parts, halls=targets, note=note, publish=given.publish
        )
        no = await jobs.start(request[UOW], subject, kind, wish)
        raise see_other(request, f"/jobs/{no}")

    return [web.get("/configuration-copies", form), web.post("/configuration-copies", start)]
