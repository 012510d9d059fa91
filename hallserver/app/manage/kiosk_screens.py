"""Kiosk screens (取号机界面模板): what each kiosk offers and how it looks, with the screen itself as preview."""

from dataclasses import dataclass, field, replace

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk, desk_of
from hallserver.app.manage.rows import Values, changed, read_rows
from hallserver.app.manage.shelf import Posted, Shelf, Workshop, fresh_id
from hallserver.engine.kiosks import screen
from qingting.contract import views as v
from qingting.contract.config_parts import KioskTemplatesPart
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.states import DeviceKind, IdentityWay, Language
from qingting.contract.templates import DEFAULT_KIOSK, KioskBlock, KioskStart, KioskTemplate
from qingting.kernel.web.headers import POLICY

SHELF = Shelf(
    "kiosk_templates",
    DEFAULT_KIOSK,
    lambda kept: KioskTemplatesPart(kiosk_templates=kept),
)
FRESH: dict[str, Values] = {"notice": {"text": ""}}
SEVERAL = ("kiosks", "departments", "groups", "items", "hot", "languages")
"""Fields of which several values are ticked."""
PLAIN = ("name", "name_en", "greeting", "greeting_en", "start", "idle_seconds")
UNNAMED = "—"
"""Stands for the name that a new template does not have yet."""
PREVIEW_POLICY = "frame-src 'self'"


@dataclass(slots=True)
class ScreensForm:
    """The editor's fields as typed. ``blocks`` in the order to show; ``hidden`` are those left out."""

    id: str
    values: Values = field(default_factory=dict)
    several: dict[str, list[str]] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    notices: list[Values] = field(default_factory=list)
    elder: bool = False
    contrast: bool = False
    base: int = 0

    @property
    def hidden(self) -> list[str]:
        return [one.value for one in KioskBlock if one.value not in self.blocks]

    def template(self) -> KioskTemplate:
        """Raises ``form.invalid`` naming the field that cannot be read."""
        raw: dict[str, object] = {
            **{name: value for name, value in self.values.items() if value},
            **{name: values for name, values in self.several.items() if values},
            "id": self.id,
            "blocks": self.blocks,
            "elder": self.elder,
            "contrast": self.contrast,
            "notices": [
                {name: text for name, text in one.items() if text}
                for one in self.notices
                if one.get("text")
            ],
        }
        try:
            return msgspec.convert(raw, KioskTemplate, strict=False)
        except msgspec.ValidationError as error:
            named = str(error).rpartition("`$.")[2].strip("`") or "name"
            raise Refusal("form.invalid", field=named) from error


def form_of(template: KioskTemplate, version: int) -> ScreensForm:
    raw = msgspec.to_builtins(template)
    return ScreensForm(
        id=template.id,
        values={name: str(raw[name]) for name in PLAIN},
        several={name: list(raw[name]) for name in SEVERAL},
        blocks=list(raw["blocks"]),
        notices=list(raw["notices"]),
        elder=template.elder,
        contrast=template.contrast,
        base=version,
    )


def _read(screens: str, posted: Posted) -> ScreensForm:
    blocks = read_rows(posted.data, "block")
    return ScreensForm(
        id=screens,
        values={name: posted.one(name) for name in PLAIN},
        several={name: posted.many(name) for name in SEVERAL},
        blocks=[block["name"] for block in blocks if block.get("name")],
        notices=read_rows(posted.data, "notice"),
        elder=posted.one("elder") == "on",
        contrast=posted.one("contrast") == "on",
        base=posted.base,
    )


def _copy_of(template: KioskTemplate, version: int) -> ScreensForm:
    form = form_of(template, version)
    form.id = fresh_id("k")
    form.several["kiosks"] = []
    form.values |= {"name": "", "name_en": ""}
    return form


def _press(form: ScreensForm, action: str) -> None:
    """Buttons of the two lists: ``block:up:1``, ``block:show:scan``, ``notice:drop:0``…"""
    which, _, rest = action.partition(":")
    verb, _, what = rest.partition(":")
    if which == "notice":
        form.notices = changed(form.notices, rest, FRESH)
    elif which == "block" and verb == "show" and what in form.hidden:
        form.blocks.append(what)
    elif which == "block":
        rows = changed([{"name": one} for one in form.blocks], rest, {})
        form.blocks = [one["name"] for one in rows]


async def _editor(
    request: web.Request,
    form: ScreensForm,
    problem: Refusal | None = None,
    block: str | None = None,
) -> web.Response:
    desk = desk_of(request)
    look, why = _look(desk, form)
    context = {
        "form": form,
        "problem": problem,
        "look": look,
        "why": why,
        **_choices(desk),
    }
    answer = desk.pages.render(
        request, "kiosk_screen.html", context, block=block, status=422 if problem else 200
    )
    answer.headers["Content-Security-Policy"] = f"{POLICY}; {PREVIEW_POLICY}"
    return answer


def _choices(desk: Desk) -> dict[str, object]:
    state = desk.state
    items = sorted(state.items.values(), key=lambda one: one.department)
    return {
        "kiosks": [one for one in state.devices.values() if one.kind is DeviceKind.KIOSK],
        "departments": sorted(state.departments.values(), key=lambda one: one.order),
        "groups": sorted({one.group for one in items if one.group}),
        "items": items,
        "languages": list(Language),
        "starts": list(KioskStart),
    }


def _look(desk: Desk, form: ScreensForm) -> tuple[str, Refusal | None]:
    """What a kiosk with this form would be told, as JSON of its topics; or why it cannot be shown."""
    unnamed = {} if form.values.get("name") else {"name": UNNAMED}
    try:
        template = replace(form, values=form.values | unnamed).template()
    except Refusal as refusal:
        return "", refusal
    named = v.KioskView(
        id=DeviceId("preview"),
        name=template.name,
        name_en=template.name_en,
        peripherals=(),
        blocked_by=(),
        ways=(IdentityWay.CARD,),
        screen=screen(desk.state, template, desk.clock.now_ms()),
    )
    topics = {name: desk.topic(name) for name in ("hall", "catalogue", "queues")}
    return msgspec.json.encode({**topics, "kiosk:preview": {"kiosk": named}}).decode(), None


ROUTES = Workshop(
    home="/manage/kiosk-screens",
    shelf=SHELF,
    listing=("kiosk_screens.html", "screens"),
    saved="screens.saved",
    opened=form_of,
    copied=_copy_of,
    read=_read,
    press=_press,
    draw=_editor,
).routes()
