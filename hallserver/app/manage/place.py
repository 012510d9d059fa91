"""The hall itself (大厅): where it is, its telephone, the seats of its waiting area."""

from typing import Any

import msgspec
from aiohttp import web

from hallserver.app.manage.editor import Editor, Form
from hallserver.app.manage.edits import convert
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import HallPart

HOME = "/manage/hall"


def load(config: HallConfig) -> Form:
    hall = config.hall
    values = {"address": hall.address, "phone": hall.phone, "seats": str(hall.seats)}
    return Form(config.version, values)


def part(request: web.Request, form: Form, config: HallConfig) -> HallPart:
    """Name and division are the city's to change."""
    typed = form.values | {"seats": form.values["seats"] or "0"}
    raw = {"part": "hall", "hall": msgspec.to_builtins(config.hall) | typed}
    return convert(request, raw, HallPart, "place.f")


def more(request: web.Request, form: Form) -> dict[str, Any]:
    return {}


EDITOR = Editor(
    home=HOME,
    template="place.html",
    done="place.saved",
    plain=("address", "phone", "seats"),
    fresh={},
    load=load,
    part=part,
    more=more,
)
ROUTES = EDITOR.routes()
