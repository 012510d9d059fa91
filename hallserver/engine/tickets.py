"""The paper ticket (号票) as a document, from the template that its kiosk and item group are bound to."""

from collections.abc import Callable

from hallserver.engine.days import hall_time
from hallserver.engine.lines import class_of
from hallserver.engine.state import HallState, Ticket
from hallserver.engine.view_tickets import booked_at
from qingting.contract.config import Item, Window
from qingting.contract.events import Interval
from qingting.contract.ids import TicketId
from qingting.contract.printing import FeedLines, PairLine, PrintElement, QrCode, RuleLine, TextLine
from qingting.contract.states import Language, WaitBasis, WindowState
from qingting.contract.templates import (
    DEFAULT_TICKET,
    FieldRow,
    GapRow,
    QrRow,
    RowWhen,
    RuleRow,
    TextRow,
    TicketRow,
    TicketTemplate,
)

PAPER_COLUMNS = 48
"""Half-width columns of 80 mm paper; a line that is to fit is measured against it."""
MATERIALS_SHOWN = 6
_WORDS: dict[str, tuple[str, str]] = {
    "walk_in": ("排队号票", "Queue ticket"),
    "booked_ticket": ("预约号票", "Booked ticket"),
    "department": ("办理部门", "Department"),
    "item": ("办理事项", "Service"),
    "more_items": ("接着办理", "Then"),
    "ahead": ("前面等候", "Ahead of you"),
    "people": ("{n} 人", "{n} people"),
    "wait": ("预计等候", "Expected wait"),
    "soon": ("即将轮到您", "very soon"),
    "minutes": ("约 {low}-{high} 分钟", "{low}-{high} min"),
    "unknown": ("暂时无法估计", "not known yet"),
    "wide": ("近期误差较大，已放宽", "wide: off lately"),
    "average": ("按平均办理时间估计", "by average serving time"),
    "beyond": ("下班前可能排不到", "may be after closing"),
    "name": ("姓　　名", "Name"),
    "certificate": ("证件号码", "Certificate"),
    "time": ("取号时间", "Taken at"),
    "booked": ("预约时间", "Booked for"),
    "party": ("同行人数", "People"),
    "priority": ("优先类别", "Priority"),
    "windows": ("办理窗口", "Windows"),
    "place": ("窗口位置", "Place"),
    "address": ("大厅地址", "Address"),
    "phone": ("咨询电话", "Telephone"),
    "materials": ("所需材料", "Bring along"),
}


def say(language: Language, key: str, **values: int) -> str:
    """A word of the ticket in a language."""
    zh, en = _WORDS[key]
    return (zh if language is Language.ZH else en).format(**values)


def wait_words(wait: Interval | None, language: Language) -> str:
    """约 12-20 分钟 (a plain hyphen: paper prints a dash in full width); unknown is said as unknown."""
    if wait is None:
        return say(language, "unknown")
    if wait.low == 0:
        return say(language, "soon")
    return say(language, "minutes", low=wait.low, high=wait.high)


def wait_lines(wait: Interval | None, language: Language) -> list[str]:
    """The same with what one should know about it, each on a line of its own."""
    lines = [wait_words(wait, language)]
    if wait is not None:
        if wait.basis is not WaitBasis.SIMULATION:
            lines.append(say(language, wait.basis.value))
        if wait.beyond:
            lines.append(say(language, "beyond"))
    return lines


def ticket_url(base_url: str, ticket: Ticket) -> str:
    """What the QR holds: an opaque token, nothing about the person or the visit."""
    return f"{base_url.rstrip('/')}/t/{ticket.token}"


def template_for(state: HallState, ticket: Ticket) -> TicketTemplate:
    """The template that fits best: kiosk and group, kiosk, group; the built-in one when none does."""
    templates = state.config.ticket_templates if state.config is not None else ()
    item = state.items.get(ticket.item)
    group = item.group if item is not None else ""
    best, points = DEFAULT_TICKET, 0
    for one in templates:
        kiosk = 2 if ticket.device in one.kiosks else 0
        grouped = 1 if group and group in one.groups else 0
        misfit = (one.kiosks and not kiosk) or (one.groups and not grouped)
        if not misfit and kiosk + grouped > points:
            best, points = one, kiosk + grouped
    return best


def ticket_document(
    state: HallState,
    ticket_id: TicketId,
    base_url: str,
    template: TicketTemplate | None = None,
) -> tuple[PrintElement, ...]:
    """The ticket in the citizen's language, by ``template`` or the one it is bound to.

    Raises ``KeyError`` for a ticket that is not of today.
    """
    ticket = state.tickets[ticket_id]
    return document_of(state, ticket, template or template_for(state, ticket), base_url)


def document_of(
    state: HallState, ticket: Ticket, template: TicketTemplate, base_url: str
) -> tuple[PrintElement, ...]:
    """The document of any ticket, also of one that is only an example."""
    facts = facts_of(state, ticket)
    rows = template.rows
    url = ticket_url(base_url, ticket)
    return tuple(
        element
        for row in rows
        if _meant(row.when, ticket)
        for element in _elements(row, facts, ticket.language, url)
    )


def _meant(when: RowWhen, ticket: Ticket) -> bool:
    match when:
        case RowWhen.ALWAYS:
            return True
        case RowWhen.BOOKED:
            return ticket.booking is not None
        case RowWhen.WALK_IN:
            return ticket.booking is None
        case RowWhen.IDENTIFIED:
            return ticket.person is not None
        case RowWhen.SEVERAL_ITEMS:
            return bool(ticket.todo)
        case RowWhen.LATE:
            return ticket.late


def _elements(
    row: TicketRow, facts: dict[str, list[str]], language: Language, url: str
) -> list[PrintElement]:
    match row:
        case TextRow():
            return [_text(row, facts, language)]
        case FieldRow():
            return _pairs(row, facts, language)
        case RuleRow():
            return [RuleLine()]
        case GapRow(lines=lines):
            return [FeedLines(lines=lines)]
        case QrRow(module_dots=dots):
            return [QrCode(data=url, module_dots=dots)]


def _text(row: TextRow, facts: dict[str, list[str]], language: Language) -> TextLine:
    pattern = row.text_en if language is Language.EN and row.text_en else row.text
    text = pattern.format_map({name: "、".join(lines) for name, lines in facts.items()})
    scale = row.scale
    if row.fit and sum(1 if char < "\x80" else 2 for char in text) * scale > PAPER_COLUMNS:
        scale = max(1, scale // 2)
    return TextLine(text=text, align=row.align, scale=scale, bold=row.bold)


def _pairs(row: FieldRow, facts: dict[str, list[str]], language: Language) -> list[PrintElement]:
    """One line for each value; only the first carries the label."""
    own = row.label_en if language is Language.EN and row.label_en else row.label
    label = own or say(language, row.field.value)
    values = [one for one in facts[row.field.value] if one]
    return [
        PairLine(label="" if number else label, value=value, bold=row.bold)
        for number, value in enumerate(values)
    ]


# ---- what a ticket knows ------------------------------------------------------------------------


def facts_of(state: HallState, ticket: Ticket) -> dict[str, list[str]]:
    """Every fact and placeholder of a ticket in its language, as lines; empty when it has none."""
    facts = {**_visit_facts(state, ticket), **_hall_facts(state, ticket)}
    person = ticket.person
    facts["name"] = [person.masked_name] if person is not None else []
    facts["certificate"] = [person.masked_number] if person is not None else []
    return facts


def _named(language: Language) -> Callable[[str, str], str]:
    return lambda zh, en: en if language is Language.EN and en else zh


def _materials(item: Item, language: Language) -> list[str]:
    shown = item.materials_en if language is Language.EN else ()
    return list((shown or item.materials)[:MATERIALS_SHOWN])


def _visit_facts(state: HallState, ticket: Ticket) -> dict[str, list[str]]:
    language = ticket.language
    named = _named(language)
    item, department = state.items.get(ticket.item), state.departments.get(ticket.department)
    more = [state.items[one] for one in ticket.todo if one in state.items]
    group = class_of(state, ticket.priority)
    booked = booked_at(state, ticket)
    return {
        "kind": [say(language, "booked_ticket" if ticket.booking is not None else "walk_in")],
        "number": [ticket.number],
        "department": [named(department.name, department.name_en)] if department else [],
        "item": [named(item.name, item.name_en)] if item else [],
        "more_items": [named(one.name, one.name_en) for one in more],
        "ahead": [say(language, "people", n=ticket.ahead)],
        "wait": wait_lines(ticket.wait, language),
        "time": [hall_time(ticket.issued_at, state.config).strftime("%Y-%m-%d %H:%M")],
        "booked": [hall_time(booked, state.config).strftime("%H:%M")] if booked is not None else [],
        "party": [say(language, "people", n=ticket.party)] if ticket.party > 1 else [],
        "priority": [named(group.name, group.name_en)] if group.statutory else [],
        "materials": _materials(item, language) if item else [],
    }


def _serving(state: HallState, ticket: Ticket) -> list[Window]:
    """Where the ticket can be called: windows that serve its queue now, else those that serve it at all. Those
    for booked visitors alone call nobody else."""
    in_time = ticket.booking is not None and not ticket.late
    fitting = [
        one
        for one in state.window_config.values()
        if ticket.queue in one.queues and (in_time or not one.appointment_only)
    ]
    staffed = [one for one in fitting if state.windows[one.id].state is not WindowState.CLOSED]
    return staffed or fitting


def _hall_facts(state: HallState, ticket: Ticket) -> dict[str, list[str]]:
    named = _named(ticket.language)
    hall = state.config.hall if state.config is not None else None
    serving = _serving(state, ticket)
    numbers = "、" if ticket.language is Language.ZH else ", "
    return {
        "hall": [named(hall.name, hall.name_en)] if hall is not None else [],
        "address": [hall.address] if hall is not None else [],
        "phone": [hall.phone] if hall is not None else [],
        "windows": [numbers.join(one.number for one in serving)] if serving else [],
        "place": list(dict.fromkeys(named(one.place, one.place_en) for one in serving if one.place))
        or ([hall.address] if hall is not None and hall.address else []),
    }
