"""Board layouts (屏幕模板): list, editor with the true preview, binding to boards."""

import asyncio
import secrets
from typing import Any

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.board_form import BoardForm, form_of, press, read
from hallserver.app.manage.drafts import DRAFTS, Draft
from hallserver.boards.dots import film_gif, still_png
from hallserver.boards.layouts import DEFAULT, TEMPLATES
from hallserver.boards.samples import sample_entries
from hallserver.boards.strip import programme_of
from hallserver.engine.state import DeviceLife
from qingting.contract.boards import BoardRow, BoardScreen
from qingting.contract.commands import EditConfig
from qingting.contract.config import HallConfig, layouts_reach
from qingting.contract.config_parts import BoardsPart
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.layouts import (
    PLACEHOLDERS,
    BoardLayout,
    Colour,
    Content,
    Lamps,
    LayoutFault,
    LayoutKind,
    Motion,
    Size,
    Zone,
    layout_faults,
)
from qingting.contract.printing import Align
from qingting.contract.states import DeviceKind, Language
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import framing, see_other

HOME = "/manage/boards"
CHOICES: dict[str, list[str]] = {
    "kinds": [one.value for one in LayoutKind],
    "zones": [one.value for one in Zone],
    "motions": [one.value for one in Motion],
    "contents": [one.value for one in Content],
    "sizes": [one.value for one in Size],
    "colours": [one.value for one in Colour],
    "aligns": [one.value for one in Align],
    "lamps": [one.value for one in Lamps],
    "languages": [one.value for one in Language],
    "field_names": [
        "title",
        "kind",
        "rows",
        "earlier",
        "height",
        "width",
        "seconds",
        "repeats",
        "every_seconds",
        "line",
        "starts",
        "ends",
        "share",
        "text",
        "text_en",
    ],
    "placeholders": sorted(one.value for one in PLACEHOLDERS),
}


def _config(desk: Desk) -> HallConfig:
    """Raises ``config.none``."""
    if desk.state.config is None:
        raise Refusal("config.none")
    return desk.state.config


def _boards(desk: Desk) -> list[DeviceLife]:
    """Boards and LED panels."""
    kinds = (DeviceKind.BOARD, DeviceKind.LED)
    return [one for one in desk.state.devices.values() if one.kind in kinds]


def _shown_on(config: HallConfig, layout: str) -> list[str]:
    return [board for board, one in config.board_layouts.items() if one == layout]


def _find(config: HallConfig, layout: str) -> BoardLayout:
    for one in (*config.layouts, *TEMPLATES):
        if one.id == layout:
            return one
    raise Refusal("board.unknown_layout")


# ---- the list -----------------------------------------------------------------------------------


async def page(request: web.Request) -> web.Response:
    desk = desk_of(request)
    config = _config(desk)
    boards = _boards(desk)
    context = {
        "layouts": config.layouts,
        "templates": TEMPLATES,
        "builtin": DEFAULT,
        "boards": boards,
        "bound": config.board_layouts,
        "names": {one.id: one for one in boards},
        "base": config.version,
        "numbers": {one.id: one.number for one in config.windows},
        "departments": {one.id: one for one in config.departments},
    }
    return desk.pages.render(request, "boards.html", context)


async def bind(request: web.Request) -> web.Response:
    """One board gets another layout; an empty one is the built-in."""
    desk = desk_of(request)
    data = await request.post()
    board, layout = str(data.get("board", "")), str(data.get("layout", ""))
    config = _config(desk)
    if board not in {one.id for one in _boards(desk)}:
        raise Refusal("device.unknown")
    bound = {one: kept for one, kept in config.board_layouts.items() if one != board}
    if layout:
        led = desk.state.devices[DeviceId(board)].kind is DeviceKind.LED
        if led and _find(config, layout).matrix is None:
            raise Refusal("board.no_lamps")
        bound[DeviceId(board)] = layout
    await _put(request, config.version, config.layouts, bound)
    raise see_other(request, HOME, done="boards.bound")


async def drop(request: web.Request) -> web.Response:
    """Boards that showed it show the built-in overview from now on."""
    config = _config(desk_of(request))
    layout = request.match_info["layout"]
    kept = tuple(one for one in config.layouts if one.id != layout)
    if len(kept) == len(config.layouts):
        raise Refusal("board.unknown_layout")
    bound = {board: one for board, one in config.board_layouts.items() if one != layout}
    await _put(request, config.version, kept, bound)
    raise see_other(request, HOME, done="boards.dropped")


async def _put(
    request: web.Request, base: int, layouts: tuple[BoardLayout, ...], bound: dict[DeviceId, str]
) -> None:
    command = EditConfig(base=base, part=BoardsPart(layouts=layouts, board_layouts=bound))
    actor = f"staff:{person_of(request).id}"
    await desk_of(request).hall.submit(command, key=f"manager:{new_token()}", actor=actor)


# ---- the editor ---------------------------------------------------------------------------------


async def copy(request: web.Request) -> web.Response:
    """A new layout begins as a copy of a template or of one of the hall's own."""
    config = _config(desk_of(request))
    source = _find(config, request.match_info["layout"])
    fresh = msgspec.structs.replace(source, id=f"b-{secrets.token_hex(5)}")
    return _editor(request, form_of(fresh, config.version, []))


async def edit(request: web.Request) -> web.Response:
    config = _config(desk_of(request))
    layout = _find(config, request.match_info["layout"])
    if layout not in config.layouts:
        raise Refusal("board.builtin")
    return _editor(request, form_of(layout, config.version, _shown_on(config, layout.id)))


async def preview(request: web.Request) -> web.Response:
    form = read(request.match_info["layout"], await request.post())
    return _editor(request, form, block="preview")


async def save(request: web.Request) -> web.Response:
    """Buttons of the lists change the form only; "save" puts the layout in force."""
    data = await request.post()
    form = read(request.match_info["layout"], data)
    button = str(data.get("do", ""))
    if button != "save":
        press(form, button)
        return _editor(request, form)
    config = _config(desk_of(request))
    layout, faults = _checked(config, form)
    if layout is None or faults:
        return _editor(request, form, Refusal("board.layout_faults", count=len(faults)))
    try:
        await _put(request, form.base, *_with(config, layout, form))
    except Refusal as refusal:
        form.base = config.version
        return _editor(request, form, refusal)
    raise see_other(request, HOME, done="boards.saved")


def _with(
    config: HallConfig, layout: BoardLayout, form: BoardForm
) -> tuple[tuple[BoardLayout, ...], dict[DeviceId, str]]:
    """All layouts and bindings of the hall with this one replaced or added."""
    if any(one.id == layout.id for one in config.layouts):
        layouts = tuple(layout if one.id == layout.id else one for one in config.layouts)
    else:
        layouts = (*config.layouts, layout)
    bound = {board: one for board, one in config.board_layouts.items() if one != layout.id}
    return layouts, bound | {DeviceId(board): layout.id for board in form.lists["boards"]}


def _checked(config: HallConfig, form: BoardForm) -> tuple[BoardLayout | None, list[LayoutFault]]:
    layout, faults = form.layout()
    if layout is not None:
        faults = list(layout_faults(layout, layouts_reach(config)))
        if not layout.name.strip():
            faults.insert(0, LayoutFault("unreadable", "title"))
    return layout, faults


def _editor(
    request: web.Request, form: BoardForm, problem: Refusal | None = None, block: str | None = None
) -> web.Response:
    desk = desk_of(request)
    config = _config(desk)
    layout, faults = _checked(config, form)
    context: dict[str, Any] = CHOICES | {
        "form": form,
        "boards": _boards(desk),
        "areas": sorted({one.area for one in config.windows if one.area}),
        "windows": config.windows,
        "departments": config.departments,
        "faults": faults,
        "draft": _keep_draft(request, layout, form) if layout is not None else "",
        "strip": form.is_strip,
        "problem": problem,
    }
    response = desk.pages.render(request, "board_editor.html", context, block=block)
    response.headers["Content-Security-Policy"] = framing(frame_src="'self'")
    return response


def _keep_draft(request: web.Request, layout: BoardLayout, form: BoardForm) -> str:
    """The name of the draft; empty while its layout cannot be drawn."""
    desk = desk_of(request)
    now = desk.clock.now_ms()
    # A text with an unknown placeholder is named below the form; it cannot be filled.
    if any(
        one.code == "placeholder" for one in layout_faults(layout, layouts_reach(_config(desk)))
    ):
        return ""
    entries = sample_entries(desk.state, layout, now, calls=form.sample != "quiet")
    screen = entries["screen"]
    assert isinstance(screen, BoardScreen)
    rows = [one for one in entries.values() if isinstance(one, BoardRow)]
    programme = programme_of(screen, rows) if screen.matrix is not None else None
    return request.app[DRAFTS].keep(Draft(entries, programme, now))


# ---- what the preview asks for ------------------------------------------------------------------


async def draft(request: web.Request) -> web.Response:
    """The entries of a board's topic, as the hub would send them."""
    found = request.app[DRAFTS].find(request.match_info["draft"])
    return web.Response(body=msgspec.json.encode(found.entries), content_type="application/json")


async def picture(request: web.Request) -> web.Response:
    """A strip's lamps: ``.gif`` moves, ``.png`` stands still."""
    found = request.app[DRAFTS].find(request.match_info["draft"])
    if found.programme is None:
        raise Refusal("board.draft_gone")
    moving = request.match_info["form"] == "gif"
    draw = film_gif if moving else still_png
    body = await asyncio.to_thread(draw, found.programme, found.since)
    return web.Response(body=body, content_type="image/gif" if moving else "image/png")


ROUTES = (
    web.get(HOME, page),
    web.post(HOME + "/bind", bind),
    web.get(HOME + "/drafts/{draft}", draft),
    web.get(HOME + "/drafts/{draft}/strip.{form:gif|png}", picture),
    web.get(HOME + "/new/{layout}", copy),
    web.get(HOME + "/{layout}", edit),
    web.post(HOME + "/{layout}", save),
    web.post(HOME + "/{layout}/preview", preview),
    web.post(HOME + "/{layout}/drop", drop),
)
