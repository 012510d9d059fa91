"""Layouts of the paper ticket (号票模板): list, editor with the true preview, binding."""

import asyncio
import base64
from dataclasses import dataclass, field, replace

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk, desk_of
from hallserver.app.manage.examples import EXAMPLES, example_ticket
from hallserver.app.manage.rows import Values, changed, read_rows
from hallserver.app.manage.shelf import Posted, Shelf, Workshop, fresh_id
from hallserver.devices.paper import draw
from hallserver.engine.tickets import document_of
from qingting.contract.config_parts import TicketTemplatesPart
from qingting.contract.errors import Refusal
from qingting.contract.printing import Align
from qingting.contract.states import DeviceKind, Language
from qingting.contract.templates import (
    DEFAULT_TICKET,
    PLACEHOLDERS,
    RowWhen,
    TicketField,
    TicketRow,
    TicketTemplate,
)
from qingting.kernel.web import LANGUAGE

SHELF = Shelf(
    "ticket_templates",
    DEFAULT_TICKET,
    lambda kept: TicketTemplatesPart(ticket_templates=kept),
)
FRESH: dict[str, Values] = {
    "text": {"row": "text", "text": "", "scale": "1", "align": "centre", "when": "always"},
    "field": {"row": "field", "field": "item", "when": "always"},
    "rule": {"row": "rule", "when": "always"},
    "gap": {"row": "gap", "lines": "1", "when": "always"},
    "qr": {"row": "qr", "module_dots": "6", "when": "always"},
}
"""What a new row of each kind begins with."""
CHOICES = {
    "align": list(Align),
    "when_choices": list(RowWhen),
    "field": list(TicketField),
    "scale": ["1", "2", "3", "4", "5", "6"],
    "placeholders": sorted(PLACEHOLDERS),
    "kinds": list(FRESH),
}


@dataclass(slots=True)
class LayoutForm:
    """The editor's fields as typed."""

    id: str
    name: str = ""
    name_en: str = ""
    kiosks: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    rows: list[Values] = field(default_factory=list)
    base: int = 0
    example: str = "walk_in"

    def template(self) -> TicketTemplate:
        """Raises ``form.invalid`` naming the field that cannot be read."""
        if not self.name:
            raise Refusal("form.invalid", field="name")
        raw = {
            "id": self.id,
            "name": self.name,
            "name_en": self.name_en,
            "kiosks": self.kiosks,
            "groups": self.groups,
            "rows": [_row(values) for values in self.rows],
        }
        try:
            return msgspec.convert(raw, TicketTemplate, strict=False)
        except msgspec.ValidationError as error:
            raise Refusal(
                "form.invalid", field=str(error).rpartition("`$.")[2].strip("`")
            ) from error


def _row(values: Values) -> dict[str, object]:
    """Typed values as the contract reads them: ticked boxes are true, empty ones are the default."""
    return {
        name: (value == "on" if name in ("bold", "fit") else value)
        for name, value in values.items()
        if value != "" or name == "text"
    }


def form_of(template: TicketTemplate, version: int) -> LayoutForm:
    return LayoutForm(
        id=template.id,
        name=template.name,
        name_en=template.name_en,
        kiosks=list(template.kiosks),
        groups=list(template.groups),
        rows=[_values(row) for row in template.rows],
        base=version,
    )


def _values(row: TicketRow) -> Values:
    raw = msgspec.to_builtins(row)
    ticked = {name: "on" for name, value in raw.items() if value is True}
    plain = {name: str(value) for name, value in raw.items() if not isinstance(value, bool)}
    return plain | ticked


def _read(layout: str, posted: Posted) -> LayoutForm:
    return LayoutForm(
        id=layout,
        name=posted.one("name"),
        name_en=posted.one("name_en"),
        kiosks=posted.many("kiosks"),
        groups=posted.many("groups"),
        rows=read_rows(posted.data),
        base=posted.base,
        example=posted.one("example") or "walk_in",
    )


def _copy_of(template: TicketTemplate, version: int) -> LayoutForm:
    form = form_of(template, version)
    form.id, form.kiosks, form.groups = fresh_id("t"), [], []
    form.name, form.name_en = "", ""
    return form


def _press(form: LayoutForm, action: str) -> None:
    form.rows = changed(form.rows, action, FRESH)


async def _editor(
    request: web.Request, form: LayoutForm, problem: Refusal | None = None, block: str | None = None
) -> web.Response:
    desk = desk_of(request)
    kiosks = [one for one in desk.state.devices.values() if one.kind is DeviceKind.KIOSK]
    groups = sorted({one.group for one in desk.state.items.values() if one.group})
    picture, why = await _preview(desk, form)
    context = {
        "form": form,
        "kiosks": kiosks,
        "groups": groups,
        "picture": picture,
        "why": why,
        "problem": problem,
        "example_choices": _examples(request, desk),
        **CHOICES,
    }
    return desk.pages.render(
        request, "ticket_layout.html", context, block=block, status=422 if problem else 200
    )


def _examples(request: web.Request, desk: Desk) -> list[tuple[str, str]]:
    language = request.get(LANGUAGE) or Language.ZH
    return [(one, desk.pages.text(language, f"layouts.example.{one}")) for one in EXAMPLES]


async def _preview(desk: Desk, form: LayoutForm) -> tuple[str, Refusal | None]:
    """The ticket as a picture for a page; or why it cannot be drawn."""
    try:
        template = replace(form, name=form.name or "—").template()
        state, ticket = example_ticket(desk.state, form.example, form.groups)
        document = document_of(state, ticket, template, desk.settings.public_url)
    except Refusal as refusal:
        return "", refusal
    except (KeyError, ValueError, IndexError):
        return "", Refusal("layout.placeholder")
    picture = await asyncio.to_thread(draw, document)
    return base64.b64encode(picture).decode(), None


ROUTES = Workshop(
    home="/manage/ticket-layouts",
    shelf=SHELF,
    listing=("ticket_layouts.html", "layouts"),
    saved="layouts.saved",
    opened=form_of,
    copied=_copy_of,
    read=_read,
    press=_press,
    draw=_editor,
).routes()
