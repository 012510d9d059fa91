"""Parts of a hall's configuration that its own manager edits one at a time."""

import msgspec

from qingting.contract.base import Strict
from qingting.contract.calendar import HallCalendar
from qingting.contract.config import HallConfig, HallInfo, Item, Queue, Shift, Staff, Window
from qingting.contract.ids import DeviceId, ShortText
from qingting.contract.layouts import Announcements, BoardLayout
from qingting.contract.rules import CallingRules
from qingting.contract.templates import KioskTemplate, TicketTemplate


class HallPart(Strict, frozen=True, kw_only=True, tag="hall", tag_field="part"):
    """What is said of the hall itself; its ``id`` stays."""

    hall: HallInfo


class CalendarPart(Strict, frozen=True, kw_only=True, tag="calendar", tag_field="part"):
    """New opening hours."""

    calendar: HallCalendar


class RulesPart(Strict, frozen=True, kw_only=True, tag="rules", tag_field="part"):
    """New calling rules."""

    rules: CallingRules


class RosterPart(Strict, frozen=True, kw_only=True, tag="roster", tag_field="part"):
    """New windows, staff and shifts."""

    windows: tuple[Window, ...]
    staff: tuple[Staff, ...]
    shifts: tuple[Shift, ...]


class OfferPart(Strict, frozen=True, kw_only=True, tag="offer", tag_field="part"):
    """New queues and items: what is offered, when, how often."""

    queues: tuple[Queue, ...]
    items: tuple[Item, ...]


class TicketTemplatesPart(Strict, frozen=True, kw_only=True, tag="tickets", tag_field="part"):
    """New layouts of the paper ticket."""

    ticket_templates: tuple[TicketTemplate, ...]


class KioskTemplatesPart(Strict, frozen=True, kw_only=True, tag="kiosks", tag_field="part"):
    """New kiosk screens: what is offered where, and how it looks."""

    kiosk_templates: tuple[KioskTemplate, ...]


class BoardsPart(Strict, frozen=True, kw_only=True, tag="boards", tag_field="part"):
    """New board layouts and which board shows which."""

    layouts: tuple[BoardLayout, ...]
    board_layouts: dict[DeviceId, ShortText]


class AnnouncementsPart(Strict, frozen=True, kw_only=True, tag="announcements", tag_field="part"):
    """New ways of calling aloud."""

    announcements: Announcements


ConfigPart = (
    HallPart
    | CalendarPart
    | RulesPart
    | RosterPart
    | OfferPart
    | TicketTemplatesPart
    | KioskTemplatesPart
    | BoardsPart
    | AnnouncementsPart
)
"""What the hall's own manager may change, a part at a time. The fields are those of :class:`HallConfig`."""


def edited(config: HallConfig, version: int, part: ConfigPart) -> HallConfig:
    """``config`` with one part replaced, as version ``version``. Devices of a window that is no more stay,
    at none."""
    fields = {name: getattr(part, name) for name in part.__struct_fields__}
    if isinstance(part, RosterPart):
        windows = {one.id for one in part.windows}
        fields["devices"] = tuple(
            one
            if one.window is None or one.window in windows
            else msgspec.structs.replace(one, window=None)
            for one in config.devices
        )
    return msgspec.structs.replace(config, version=version, **fields)
