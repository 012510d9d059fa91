"""Pairing: a code for a device of the configuration, or for a new one at a window."""

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.engine.state import DeviceLife, HallState
from hallserver.hub.accounts import Pairing
from qingting.contract.base import Strict
from qingting.contract.commands import KeyDevice
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, ShortText, WindowId
from qingting.contract.states import DeviceKind
from qingting.contract.supervision import OWN_CONNECTION
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import read_form, see_other

NEW_KINDS = (DeviceKind.CALL_PAD, DeviceKind.RATING_PAD, DeviceKind.BOARD, DeviceKind.KIOSK)
"""What a manager may add. Agents come with a kiosk's configuration, which names its peripherals."""
AT_WINDOW = (DeviceKind.CALL_PAD, DeviceKind.RATING_PAD)
SCREENS = {
    DeviceKind.KIOSK: "/kiosk/",
    DeviceKind.BOARD: "/board/",
    DeviceKind.CALL_PAD: "/tablet/call.html",
    DeviceKind.RATING_PAD: "/tablet/rate.html",
}
"""The page that a new device opens to type its code."""


class NewDeviceForm(Strict, frozen=True, kw_only=True):
    """``window`` is needed for pads; ``name`` may be left to us."""

    kind: DeviceKind
    window: WindowId | None = None
    name: ShortText = ""


async def page(request: web.Request) -> web.Response:
    return desk_of(request).pages.render(request, "pair.html", await _context(desk_of(request)))


async def _context(desk: Desk) -> dict[str, object]:
    state = desk.state
    paired = await desk.accounts.devices.paired()
    return {
        "devices": [one for one in state.devices.values() if one.kind in OWN_CONNECTION],
        "paired": paired,
        "connected": {one for one in state.devices if desk.hub.board.presence.connected(one)},
        "windows": list(state.window_config.values()),
        "numbers": {one.id: one.number for one in state.window_config.values()},
        "kinds": NEW_KINDS,
        "form": NewDeviceForm(kind=DeviceKind.CALL_PAD),
    }


async def known_device(request: web.Request) -> web.Response:
    """A code for a device that the hall knows."""
    desk = desk_of(request)
    life = _device(desk, request)
    pairing = Pairing(
        device=life.id,
        kind=life.kind,
        name=life.name,
        name_en=life.name_en,
        parent=life.parent,
        window=life.window,
    )
    return await _show_code(request, pairing)


def _device(desk: Desk, request: web.Request) -> DeviceLife:
    life = desk.state.devices.get(DeviceId(request.match_info["device"]))
    if life is None or life.kind not in OWN_CONNECTION:
        raise Refusal("device.unknown")
    return life


async def new_device(request: web.Request) -> web.Response:
    """A code for a device that joins the hall by being paired."""
    desk = desk_of(request)
    form = await read_form(request, NewDeviceForm)
    try:
        pairing = pairing_of(desk, form)
    except Refusal as refusal:
        context = await _context(desk) | {"form": form, "problem": refusal}
        return desk.pages.render(request, "pair.html", context)
    return await _show_code(request, pairing)


def pairing_of(desk: Desk, form: NewDeviceForm) -> Pairing:
    """A new device with a free id; raises ``form.invalid`` or ``window.unknown``."""
    if form.kind not in NEW_KINDS:
        raise Refusal("form.invalid", field="kind")
    window = form.window if form.kind in AT_WINDOW else None
    place = desk.state.window_config.get(window) if window is not None else None
    if form.kind in AT_WINDOW and place is None:
        raise Refusal("window.unknown")
    zh = {
        DeviceKind.CALL_PAD: "呼叫器",
        DeviceKind.RATING_PAD: "评价器",
        DeviceKind.BOARD: "显示屏",
        DeviceKind.KIOSK: "取号机",
    }[form.kind]
    device = _free_id(desk.state, form.kind, window)
    name = form.name.strip() or (f"{place.number}号窗口{zh}" if place is not None else zh)
    return Pairing(device=device, kind=form.kind, name=name, window=window)


def _free_id(state: HallState, kind: DeviceKind, window: WindowId | None) -> DeviceId:
    stem = kind.value.replace("_", "-") + (f"-{window}" if window is not None else "")
    number = 1
    while f"{stem}-{number}" in state.devices:
        number += 1
    return DeviceId(f"{stem}-{number}")


def spaced(code: str) -> str:
    """A code as it is read out and typed."""
    return f"{code[:4]} {code[4:]}"


async def _show_code(request: web.Request, pairing: Pairing) -> web.Response:
    """The only place where the code is ever seen."""
    desk = desk_of(request)
    code, until = await desk.accounts.devices.make_code(pairing, person_of(request).id)
    window = desk.state.window_config.get(pairing.window) if pairing.window is not None else None
    context = {
        "code": spaced(code),
        "until": until,
        "pairing": pairing,
        "window": window.number if window is not None else "",
        "address": f"{desk.settings.screens_url}{SCREENS.get(pairing.kind, '')}",
        "used": False,
        "device": pairing.device,
    }
    return desk.pages.render(request, "pair_code.html", context)


async def status(request: web.Request) -> web.Response:
    """The part of the code's page that says whether the device has arrived."""
    desk = desk_of(request)
    device = DeviceId(request.match_info["device"])
    used = await desk.accounts.devices.code_used(device)
    text = desk.pages.render_block(
        request, "pair_code.html", "status", {"used": used, "device": device}
    )
    return web.Response(text=text, content_type="text/html")


async def revoke(request: web.Request) -> web.Response:
    """The device's key is gone and its connection with it."""
    desk = desk_of(request)
    life = _device(desk, request)
    await desk.accounts.devices.revoke(life.id)
    await desk.accounts.devices.forget_login(device=life.id)
    desk.hub.board.disconnect(life.id, "hub.not_authenticated")
    await desk.hall.submit(
        KeyDevice(device=life.id, revoked=True),
        key=f"revoke:{life.id}:{new_token()}",
        actor=f"staff:{person_of(request).id}",
    )
    raise see_other(request, "/manage/pair", done="pair.revoked")


ROUTES = (
    web.get("/manage/pair", page),
    web.post("/manage/pair/new", new_device),
    web.post("/manage/pair/{device}", known_device),
    web.get("/manage/pair/{device}/status", status),
    web.post("/manage/pair/{device}/revoke", revoke),
)
