"""Pages whose forms come from the types of the configuration: rules, announcements, boards, kiosks, tickets, devices."""

from typing import Any

from aiohttp import web

from console.core.web import PAGES
from console.modules.configuration.packing import document
from console.modules.configuration.service import Standing
from console.modules.configuration.typed import parts
from console.modules.configuration.typed.drawn import Artist
from console.modules.configuration.typed.flat import Flat, pressed
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
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.faulty import FormRefusal

SCREENS = "screens"
"""Which board shows which layout: written beside the layouts, a form of its own."""
_FACTS = {
    "devices": ("kind", "parent", "window", "profile"),
    "boards": ("kind", "scope", "languages"),
    "tickets": ("kiosks", "groups"),
    "kiosks": ("kiosks", "departments", "groups"),
}


def routes(desk: Desk) -> list[web.RouteDef]:
    """Handlers over ``desk``; they come before those that take any part."""
    whole, lists = "|".join(parts.WHOLE), "|".join(parts.LISTS)
    one, entry = HALL + f"/parts/{{whole:{whole}}}", HALL + f"/parts/{{part:{lists}}}"
    return [*_form_routes(desk, one, entry + "/{entry}"), *_list_routes(desk, entry)]


def _list_routes(desk: Desk, base: str) -> list[web.RouteDef]:
    async def entries(request: web.Request) -> web.Response:
        standing, part = await desk.standing(request), request.match_info["part"]
        words = wording(request, standing.config, standing.config)
        field = parts.LISTS[part]
        rows = [
            (one["id"], words.called(field, one), _facts(words, part, one))
            for one in document(standing.config)[field]
        ]
        context = {**about(request, standing), "part": part, "rows": rows}
        return request.app[PAGES].render(request, "configuration_part.html", context)

    async def drop(request: web.Request) -> web.Response:
        standing, part = await desk.standing(request), request.match_info["part"]
        typed = await desk.typed_on(request, standing)
        known, version = document(typed.config), typed.config.version
        config = parts.drop(known, version, part, request.match_info["entry"])
        await desk.save(request, standing, typed, config, part)
        raise see_other(request, _home(standing, part), done="conf.done.saved")

    return [web.get(base, entries), web.post(base + "/{entry}/drop", drop)]


def _facts(words: Any, part: str, one: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, words.value(name, one[name])) for name in _FACTS[part] if one[name]]


def _form_routes(desk: Desk, one: str, entry: str) -> list[web.RouteDef]:
    async def form(request: web.Request) -> web.Response:
        standing = await desk.standing(request)
        part, key = _place(request)
        given = parts.standing(document(standing.config), part, key)
        return _page(request, standing, given, Typed(standing.origin, standing.config))

    async def put(request: web.Request) -> web.Response:
        """Saves, or shows the same form with a row more or less: nothing else than the form is changed by that."""
        standing, (part, key) = await desk.standing(request), _place(request)
        given, button = await _typed(request)
        typed = await unread(request, standing)
        try:
            typed = await desk.typed_on(request, standing)
            if button != "save":
                given = pressed(parts.shape(part), parts.root(part), given, button)
                return _page(request, standing, given, typed)
            config = parts.put(document(typed.config), typed.config.version, part, key, given)
            await desk.save(request, standing, typed, config, part)
        except Refusal as refusal:
            return _page(request, standing, given, typed, problem=refusal)
        raise see_other(request, _home(standing, part), done="conf.done.saved")

    return [web.get(one, form), web.post(one, put), web.get(entry, form), web.post(entry, put)]


def _place(request: web.Request) -> tuple[str, str]:
    whole = request.match_info.get("whole")
    if whole is not None:
        return whole, parts.ONE
    return request.match_info["part"], request.match_info["entry"]


async def _typed(request: web.Request) -> tuple[Flat, str]:
    """The inputs of the form itself, and the button."""
    form = await request.post()
    given: Flat = {}
    for name, value in form.items():
        if isinstance(value, str):
            given.setdefault(name, []).append(value)
    for name in ("csrf", "revision", "over"):
        given.pop(name, None)
    return given, given.pop("do", [""])[0] or "save"


def _home(standing: Standing, part: str) -> str:
    """Where one goes on after a change of a part."""
    page = f"/configurations/{standing.hall}"
    if part == SCREENS:
        return f"{page}/parts/boards"
    return f"{page}/parts/{part}" if part in parts.LISTS else page


def _page(
    request: web.Request,
    standing: Standing,
    given: Flat,
    typed: Typed,
    *,
    problem: Refusal | None = None,
) -> web.Response:
    part, key = _place(request)
    known, say = document(typed.config), saying(request)
    before = parts.standing(known, part, key)
    kept = frozenset((name, values[0]) for name, values in before.items() if values)
    artist = Artist(known, part, say, request[LANGUAGE] is Language.ZH, kept)
    node = artist.draw(parts.shape(part), parts.root(part), given)
    title = say(f"conf.part.{part}")
    if key == parts.NEW:
        title = request.app[PAGES].text(request[LANGUAGE], "conf.add_to", part=title)
    elif part in parts.LISTS:
        words = wording(request, standing.config, standing.config)
        title = words.called(parts.LISTS[part], {"id": key})
    context = {
        **about(request, standing),
        "title": title,
        "form": node,
        "address": request.path,
        "origin": typed.origin,
        "clashes": clashes(request, problem),
        "problem": _in_words(problem, part, say) if problem is not None else None,
        "home": _home(standing, part),
        "text_part": "boards" if part == SCREENS else part,
    }
    return request.app[PAGES].render(request, "configuration_typed.html", context)


def _in_words(problem: Refusal, part: str, say: Any) -> Refusal:
    """A refused input by what its form calls it: ``rules.classes.0.weight`` is 人员类别 1 · 起始分."""
    if not isinstance(problem, FormRefusal):
        return problem
    (place,) = problem.inputs
    shown = []
    for step in place.split(".")[1:]:
        if step.isdecimal():
            shown.append(str(int(step) + 1))
        elif step not in ("#", "@"):
            own = say(f"conf.f.{part}.{step}")
            shown.append(own if own != step else say(f"conf.f.{step}"))
    return FormRefusal(" · ".join(shown) or place, problem.inputs)
