"""Layouts of the paper ticket (号票模板) and of the kiosk's screens (取号机界面模板), as data.

A template is bound to kiosks and item groups; whatever is bound to nothing uses the built-in one, so a
hall without templates works. Texts may hold placeholders of a closed set (:data:`PLACEHOLDERS`).
"""

import re
from enum import StrEnum
from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.calendar import DayMoment
from qingting.contract.faults import Fault, doubled
from qingting.contract.ids import DepartmentId, DeviceId, ItemId, ShortText, Slug
from qingting.contract.printing import Align, Scale
from qingting.contract.states import Language

LongText = Annotated[str, msgspec.Meta(max_length=200)]
PLACEHOLDERS = frozenset(
    {
        "hall",
        "kind",
        "number",
        "department",
        "item",
        "ahead",
        "wait",
        "time",
        "booked",
        "windows",
        "address",
        "phone",
        "name",
        "certificate",
    }
)
"""What a text of a ticket may name in braces; ``kind`` is 排队号票 or 预约号票."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class TicketField(StrEnum):
    """A fact of a ticket that stands on a line of its own with its label."""

    DEPARTMENT = "department"
    ITEM = "item"
    MORE_ITEMS = "more_items"
    AHEAD = "ahead"
    WAIT = "wait"
    NAME = "name"
    CERTIFICATE = "certificate"
    TIME = "time"
    BOOKED = "booked"
    PARTY = "party"
    PRIORITY = "priority"
    WINDOWS = "windows"
    PLACE = "place"
    ADDRESS = "address"
    PHONE = "phone"
    MATERIALS = "materials"


class RowWhen(StrEnum):
    """For which tickets a row is printed."""

    ALWAYS = "always"
    BOOKED = "booked"
    WALK_IN = "walk_in"
    IDENTIFIED = "identified"
    SEVERAL_ITEMS = "several_items"
    LATE = "late"


class TextRow(Strict, frozen=True, kw_only=True, tag="text", tag_field="row"):
    """Free text. ``fit`` halves the size when it would not fit on one line."""

    text: LongText
    text_en: LongText = ""
    align: Align = Align.CENTRE
    scale: Scale = 1
    bold: bool = False
    fit: bool = False
    when: RowWhen = RowWhen.ALWAYS


class FieldRow(Strict, frozen=True, kw_only=True, tag="field", tag_field="row"):
    """A label and a fact; left out when the ticket has nothing to say. Empty labels: the usual words."""

    field: TicketField
    label: ShortText = ""
    label_en: ShortText = ""
    bold: bool = False
    when: RowWhen = RowWhen.ALWAYS


class RuleRow(Strict, frozen=True, kw_only=True, tag="rule", tag_field="row"):
    """A line across the paper."""

    when: RowWhen = RowWhen.ALWAYS


class GapRow(Strict, frozen=True, kw_only=True, tag="gap", tag_field="row"):
    """Empty lines."""

    lines: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    when: RowWhen = RowWhen.ALWAYS


class QrRow(Strict, frozen=True, kw_only=True, tag="qr", tag_field="row"):
    """The ticket's opaque code; ``module_dots`` is the size of one module in printer dots."""

    module_dots: Annotated[int, msgspec.Meta(ge=3, le=12)] = 6
    when: RowWhen = RowWhen.ALWAYS


TicketRow = TextRow | FieldRow | RuleRow | GapRow | QrRow


class TicketTemplate(Strict, frozen=True, kw_only=True):
    """One layout of the paper ticket, for kiosks and item groups; both empty: for nothing by itself.

    Of several that fit, one for the kiosk and the group goes before one for the kiosk, that before one
    for the group.
    """

    id: Slug
    name: ShortText
    name_en: ShortText = ""
    rows: Annotated[tuple[TicketRow, ...], msgspec.Meta(min_length=1, max_length=60)]
    kiosks: tuple[DeviceId, ...] = ()
    groups: tuple[ShortText, ...] = ()


def _field(field: TicketField, *, bold: bool = False) -> FieldRow:
    return FieldRow(field=field, bold=bold)


DEFAULT_TICKET = TicketTemplate(
    id="builtin",
    name="标准号票",
    name_en="Standard ticket",
    rows=(
        TextRow(text="{hall}", text_en="{hall}", scale=2, bold=True, fit=True),
        GapRow(),
        TextRow(text="{kind}", text_en="{kind}"),
        RuleRow(),
        TextRow(text="{number}", text_en="{number}", scale=4, bold=True),
        GapRow(),
        _field(TicketField.DEPARTMENT),
        _field(TicketField.ITEM, bold=True),
        _field(TicketField.MORE_ITEMS),
        _field(TicketField.BOOKED, bold=True),
        _field(TicketField.AHEAD),
        _field(TicketField.WAIT, bold=True),
        FieldRow(field=TicketField.WINDOWS, when=RowWhen.BOOKED),
        FieldRow(field=TicketField.PLACE, when=RowWhen.BOOKED),
        _field(TicketField.PRIORITY),
        _field(TicketField.PARTY),
        _field(TicketField.NAME),
        _field(TicketField.CERTIFICATE),
        _field(TicketField.TIME),
        TextRow(
            text="您已过预约时间，按现场取号排队",
            text_en="Your booked time is over; you wait like visitors without a booking",
            when=RowWhen.LATE,
        ),
        RuleRow(),
        QrRow(),
        TextRow(
            text="扫码查看前面还有几人；在取号机上扫码可补打",
            text_en="Scan to see your place; scan at a kiosk to reprint",
        ),
        TextRow(
            text="请留意屏幕和语音呼叫，过号请联系工作人员",
            text_en="Watch the screens; ask staff if you missed your call",
        ),
        GapRow(),
    ),
)
"""The ticket of a hall without templates (tender: 现场取号号票信息、预约取号号票信息)."""


class KioskBlock(StrEnum):
    """A part of the kiosk's first screen. What is only read (queues, scan) stands above what is touched,
    so that every control stays within reach; the order counts within each of the two."""

    QUEUES = "queues"
    SCAN = "scan"
    TAKE = "take"
    BOOKING = "booking"
    SEARCH = "search"
    HOT = "hot"


class KioskStart(StrEnum):
    """What a citizen sees first."""

    HOME = "home"
    DEPARTMENTS = "departments"
    ITEMS = "items"
    """The items offered here, without departments: for a kiosk of one business."""


class KioskNotice(Strict, frozen=True, kw_only=True):
    """A notice on the first screen, within hall time ``starts`` to ``ends``."""

    text: LongText
    text_en: LongText = ""
    starts: DayMoment = ""
    ends: DayMoment = ""


class KioskTemplate(Strict, frozen=True, kw_only=True):
    """One set of screens. ``departments``, ``groups`` and ``items`` limit what is offered here (each
    empty: no limit); ``hot`` replaces the hall's frequent items. ``languages`` are those offered, the
    first is the one a new citizen finds. ``elder`` and ``contrast`` begin in that version.
    """

    id: Slug
    name: ShortText
    name_en: ShortText = ""
    greeting: ShortText = ""
    greeting_en: ShortText = ""
    start: KioskStart = KioskStart.HOME
    blocks: tuple[KioskBlock, ...] = tuple(KioskBlock)
    departments: tuple[DepartmentId, ...] = ()
    groups: tuple[ShortText, ...] = ()
    items: tuple[ItemId, ...] = ()
    hot: Annotated[tuple[ItemId, ...], msgspec.Meta(max_length=8)] = ()
    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1)] = tuple(Language)
    elder: bool = False
    contrast: bool = False
    idle_seconds: Annotated[int, msgspec.Meta(ge=15, le=600)] = 60
    notices: Annotated[tuple[KioskNotice, ...], msgspec.Meta(max_length=8)] = ()
    kiosks: tuple[DeviceId, ...] = ()


DEFAULT_KIOSK = KioskTemplate(id="builtin", name="标准界面", name_en="Standard screens")


class TemplateReach(msgspec.Struct, frozen=True, kw_only=True):
    """What templates may name; kiosks may be any, since some join by pairing."""

    departments: frozenset[str]
    items: frozenset[str]
    groups: frozenset[str]


def templates_faults(
    tickets: tuple[TicketTemplate, ...], kiosks: tuple[KioskTemplate, ...], reach: TemplateReach
) -> list[Fault]:
    """What makes templates unusable; empty when sound."""
    faults: list[Fault] = []
    for part, ids in (
        ("ticket_templates", [one.id for one in tickets]),
        ("kiosk_templates", [one.id for one in kiosks]),
    ):
        faults += [Fault("fault.twice", part, name=one, what=one) for one in doubled(ids)]
    for ticket in tickets:
        at = Fault("", "ticket_templates", ticket.id, ticket.name, name_en=ticket.name_en)
        faults += _unknown(at, "fault.no_group", ticket.groups, reach.groups)
        faults += _row_faults(at, ticket)
    bound = doubled(one for kiosk in kiosks for one in kiosk.kiosks)
    faults += [Fault("fault.bound_twice", "kiosk_templates", name=one, what=one) for one in bound]
    for kiosk in kiosks:
        at = Fault("", "kiosk_templates", kiosk.id, kiosk.name, name_en=kiosk.name_en)
        faults += _kiosk_faults(at, kiosk, reach)
    return faults


def _unknown(at: Fault, code: str, named: tuple[str, ...], known: frozenset[str]) -> list[Fault]:
    return [at._replace(code=code, what=one) for one in named if one not in known]


def _row_faults(at: Fault, template: TicketTemplate) -> list[Fault]:
    texts = [row for row in template.rows if isinstance(row, TextRow)]
    faults = [
        at._replace(code="fault.no_placeholder", what=f"{{{one}}}")
        for row in texts
        for one in _PLACEHOLDER.findall(row.text) + _PLACEHOLDER.findall(row.text_en)
        if one not in PLACEHOLDERS
    ]
    if not any("{number}" in row.text for row in texts):
        faults.append(at._replace(code="fault.number_missing", what="{number}"))
    return faults


def _kiosk_faults(at: Fault, kiosk: KioskTemplate, reach: TemplateReach) -> list[Fault]:
    faults = _unknown(at, "fault.no_department", kiosk.departments, reach.departments)
    faults += _unknown(at, "fault.no_item", kiosk.items + kiosk.hot, reach.items)
    faults += _unknown(at, "fault.no_group", kiosk.groups, reach.groups)
    if len(set(kiosk.blocks)) < len(kiosk.blocks):
        faults.append(at._replace(code="fault.block_twice"))
    if not {KioskBlock.TAKE, KioskBlock.SEARCH, KioskBlock.HOT} & set(kiosk.blocks):
        faults.append(at._replace(code="fault.no_way_in"))
    return faults
