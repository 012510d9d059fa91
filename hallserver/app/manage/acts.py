"""The page of one device: how it is, and what can be done to it from here (远程处置)."""

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.words import device_lines
from hallserver.engine.evolve_acts import hands_of
from hallserver.engine.state import ActLife, DeviceLife
from qingting.contract.act_form import ActForm, action_of, words_for
from qingting.contract.acts import ActId
from qingting.contract.commands import AskAct
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, StaffId
from qingting.contract.states import DeviceKind, Language
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import LANGUAGE, read_form, see_other
from qingting.kernel.web.acts import ActLine, act_file, act_line

UNTIL_MS = 60_000
"""An act that has not begun by then is not begun."""
SHOWN = 12


def _device(desk: Desk, request: web.Request) -> DeviceLife:
    life = desk.state.devices.get(DeviceId(request.match_info["device"]))
    if life is None:
        raise Refusal("device.unknown")
    return life


def _who(desk: Desk, life: ActLife, language: Language) -> str:
    """The clerk's name, or who it was at the city."""
    if life.by == "city":
        return f"{desk.pages.text(language, 'act.city')} {life.asked_by}".strip()
    staff = desk.state.staff.get(StaffId(life.asked_by))
    return staff.name if staff is not None else life.asked_by


def _lines(desk: Desk, device: DeviceId, language: Language) -> list[ActLine]:
    """Newest first."""
    files = desk.hub.board.acts.files
    found = [one for one in reversed(desk.state.acts.values()) if one.device == device]
    return [
        act_line(
            one.action,
            asked_at=one.asked_at,
            who=_who(desk, one, language),
            outcome=one.outcome,
            code=one.code,
            note=one.note,
            figures=one.figures,
            file=f"/manage/acts/{one.id}/file" if files.has(one.id) else "",
            language=language,
        )
        for one in found[:SHOWN]
    ]


async def device(request: web.Request) -> web.Response:
    desk = desk_of(request)
    life = _device(desk, request)
    hands = hands_of(desk.state, life.id)
    context = {
        "device": life,
        "line": next(one for one in device_lines(desk) if one.id == life.id),
        "words": words_for(life.kind),
        "lines": _lines(desk, life.id, request[LANGUAGE]),
        "hands": hands,
        "bundles": [(one.id, one.name) for one in desk.state.bundles.values()],
        "is_agent": life.kind is DeviceKind.AGENT,
        "is_printer": life.kind is DeviceKind.PRINTER,
    }
    return desk.pages.render(request, "device.html", context, block="live")


async def ask(request: web.Request) -> web.Response:
    desk, staff = desk_of(request), person_of(request)
    life = _device(desk, request)
    form = await read_form(request, ActForm)
    command = AskAct(
        act=ActId(f"h-{new_token()}"),
        device=life.id,
        action=action_of(form),
        until=desk.clock.now_ms() + UNTIL_MS,
        asked_by=staff.id,
    )
    await desk.hall.submit(command, key=f"manager:{command.act}", actor=f"staff:{staff.id}")
    raise see_other(request, f"/manage/devices/{life.id}", done="act.asked")


async def file(request: web.Request) -> web.Response:
    """A picture to look at, or diagnostics to keep; gone after minutes."""
    found = desk_of(request).hub.board.acts.files.get(request.match_info["act"])
    return act_file(found.act, found.media, found.data)


ROUTES = (
    web.get("/manage/devices/{device}", device),
    web.post("/manage/devices/{device}/act", ask),
    web.get("/manage/acts/{act}/file", file),
)
