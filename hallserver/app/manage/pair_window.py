"""Both pads of a window paired together (双平板配对): a code for each on one page, to scan or to type."""

from dataclasses import dataclass

import segno
from aiohttp import web
from markupsafe import Markup

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.pairing import AT_WINDOW, SCREENS, NewDeviceForm, pairing_of, spaced
from hallserver.hub.accounts import Pairing
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, Millis, WindowId
from qingting.kernel.web import read_form


class WindowForm(Strict, frozen=True, kw_only=True):
    window: WindowId


@dataclass(frozen=True, slots=True)
class PadCode:
    """One pad's part of the page. ``picture`` is the code as a QR that opens the pad's page and pairs it;
    ``replaces`` says that a pad is paired in this place, whose key ends when the code is used."""

    device: DeviceId
    kind: str
    name: str
    name_en: str
    code: str
    address: str
    picture: Markup
    replaces: bool


async def both_pads(request: web.Request) -> web.Response:
    desk = desk_of(request)
    form = await read_form(request, WindowForm)
    window = desk.state.window_config.get(form.window)
    if window is None:
        raise Refusal("window.unknown")
    paired = await desk.accounts.devices.paired()
    pads: list[PadCode] = []
    until: Millis = 0
    for kind in AT_WINDOW:
        pairing = _place(desk, NewDeviceForm(kind=kind, window=window.id))
        code, until = await desk.accounts.devices.make_code(pairing, person_of(request).id)
        pads.append(_pad_code(desk, pairing, code, replaces=pairing.device in paired))
    context = {"pads": pads, "until": until, "window": window.number, "used": False}
    return desk.pages.render(request, "pair_window.html", context)


def _place(desk: Desk, form: NewDeviceForm) -> Pairing:
    """The pad that stands at the window, which the new one takes the place of; else a new one."""
    for life in desk.state.devices.values():
        if life.kind is form.kind and life.window == form.window:
            return Pairing(
                device=life.id,
                kind=life.kind,
                name=life.name,
                name_en=life.name_en,
                parent=life.parent,
                window=life.window,
            )
    return pairing_of(desk, form)


def _pad_code(desk: Desk, pairing: Pairing, code: str, *, replaces: bool) -> PadCode:
    address = f"{desk.settings.screens_url}{SCREENS[pairing.kind]}"
    picture = segno.make(f"{address}#pair={code}", error="m", micro=False)
    return PadCode(
        device=pairing.device,
        kind=f"kind.{pairing.kind.value}",
        name=pairing.name,
        name_en=pairing.name_en,
        code=spaced(code),
        address=address,
        picture=Markup(picture.svg_inline(scale=5, border=2, dark="#1B2430")),  # noqa: S704 - ours
        replaces=replaces,
    )


ROUTES = (web.post("/manage/pair/window", both_pads),)
