"""What a kiosk shows and offers, from the screens' template that it is bound to (取号机界面模板)."""

from hallserver.engine.days import hall_time
from hallserver.engine.state import HallState
from qingting.contract import views as v
from qingting.contract.config import Item
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, ItemId, Millis
from qingting.contract.templates import DEFAULT_KIOSK, KioskNotice, KioskTemplate


def template_of(state: HallState, kiosk: DeviceId | None) -> KioskTemplate:
    """The template of a kiosk; the built-in one when it is bound to none."""
    templates = state.config.kiosk_templates if state.config is not None else ()
    return next((one for one in templates if kiosk in one.kiosks), DEFAULT_KIOSK)


def offers(template: KioskTemplate, item: Item) -> bool:
    """Whether an item can be taken at a kiosk with this template."""
    return (
        (not template.departments or item.department in template.departments)
        and (not template.groups or item.group in template.groups)
        and (not template.items or item.id in template.items)
    )


def check_kiosk(state: HallState, kiosk: DeviceId | None, items: tuple[Item, ...]) -> None:
    """Raises ``ticket.not_at_kiosk`` for an item that this kiosk does not offer."""
    template = template_of(state, kiosk)
    for item in items:
        if not offers(template, item):
            raise Refusal("ticket.not_at_kiosk", item=item.name)


def offered_items(state: HallState, template: KioskTemplate) -> tuple[ItemId, ...] | None:
    """The items of a template in the hall's order; None when it offers all."""
    if not (template.departments or template.groups or template.items):
        return None
    return tuple(one.id for one in state.items.values() if offers(template, one))


def screen(state: HallState, template: KioskTemplate, now: Millis) -> v.KioskScreen:
    """What the screen of a kiosk with this template shows now."""
    clock = hall_time(now, state.config).strftime("%Y-%m-%dT%H:%M")
    return v.KioskScreen(
        template=template.id,
        greeting=template.greeting,
        greeting_en=template.greeting_en,
        start=template.start,
        blocks=template.blocks,
        items=offered_items(state, template),
        hot=tuple(one for one in template.hot if one in state.items),
        languages=template.languages,
        elder=template.elder,
        contrast=template.contrast,
        idle_seconds=template.idle_seconds,
        notices=tuple(
            v.KioskNoticeView(text=one.text, text_en=one.text_en)
            for one in template.notices
            if _in_force(one, clock)
        ),
    )


def _in_force(notice: KioskNotice, clock: str) -> bool:
    """``YYYY-MM-DDTHH:MM`` sorts like the instants it names."""
    return (not notice.starts or notice.starts <= clock) and (
        not notice.ends or clock < notice.ends
    )
