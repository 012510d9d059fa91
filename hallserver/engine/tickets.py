"""The paper ticket (号票) as a document: hall, department, item, number, place, interval, masked identity, time, QR."""

from hallserver.engine.days import hall_time
from hallserver.engine.state import HallState, Ticket
from qingting.contract.events import Interval
from qingting.contract.ids import TicketId
from qingting.contract.printing import (
    Align,
    FeedLines,
    PairLine,
    PrintElement,
    QrCode,
    RuleLine,
    TextLine,
)
from qingting.contract.states import Language

LARGE_HANZI, LARGE_ASCII = 12, 24
"""Longest hall name that fits one line of 80 mm paper in double size."""
_WORDS: dict[str, tuple[str, str]] = {
    "title": ("排队号票", "Queue ticket"),
    "department": ("办理部门", "Department"),
    "item": ("办理事项", "Service"),
    "ahead": ("前面等候", "Ahead of you"),
    "people": ("{n} 人", "{n} people"),
    "wait": ("预计等候", "Expected wait"),
    "soon": ("即将轮到您", "very soon"),
    "minutes": ("约 {low}-{high} 分钟", "{low}-{high} min"),
    "unknown": ("暂时无法估计", "not known yet"),
    "name": ("姓　　名", "Name"),
    "number": ("证件号码", "Certificate"),
    "time": ("取号时间", "Taken at"),
    "listen": (
        "请留意屏幕和语音呼叫，过号请联系工作人员",
        "Watch the screens; ask staff if you missed your call",
    ),
    "scan": ("在取号机上扫码可查询进度、补打号票", "Scan at a kiosk to see your place or reprint"),
}


def _say(language: Language, key: str, **values: int) -> str:
    zh, en = _WORDS[key]
    return (zh if language is Language.ZH else en).format(**values)


def wait_words(wait: Interval | None, language: Language) -> str:
    """约 12-20 分钟 (a plain hyphen: paper prints a dash in full width); unknown is said as unknown."""
    if wait is None:
        return _say(language, "unknown")
    if wait.low == 0:
        return _say(language, "soon")
    return _say(language, "minutes", low=wait.low, high=wait.high)


def ticket_url(base_url: str, ticket: Ticket) -> str:
    """What the QR holds: an opaque token, nothing about the person or the visit."""
    return f"{base_url.rstrip('/')}/t/{ticket.token}"


def ticket_document(
    state: HallState, ticket_id: TicketId, base_url: str
) -> tuple[PrintElement, ...]:
    """The ticket in the citizen's language. Raises ``KeyError`` for a ticket that is not of today."""
    ticket = state.tickets[ticket_id]
    language = ticket.language
    taken = hall_time(ticket.issued_at, state.config).strftime("%Y-%m-%d %H:%M")
    return (
        *_head(state, ticket),
        *_place(state, ticket),
        *_person(ticket),
        PairLine(label=_say(language, "time"), value=taken),
        RuleLine(),
        QrCode(data=ticket_url(base_url, ticket), module_dots=6),
        TextLine(text=_say(language, "scan"), align=Align.CENTRE),
        TextLine(text=_say(language, "listen"), align=Align.CENTRE),
        FeedLines(lines=1),
    )


def _head(state: HallState, ticket: Ticket) -> list[PrintElement]:
    english = ticket.language is Language.EN
    rows: list[PrintElement] = []
    if state.config is not None:
        hall = state.config.hall
        name = hall.name_en if english else hall.name
        scale = 2 if len(name) <= (LARGE_ASCII if name.isascii() else LARGE_HANZI) else 1
        rows += [
            TextLine(text=name, align=Align.CENTRE, scale=scale, bold=True),
            FeedLines(lines=1),
        ]
    rows += [
        TextLine(text=_say(ticket.language, "title"), align=Align.CENTRE),
        RuleLine(),
        TextLine(text=ticket.number, align=Align.CENTRE, scale=4, bold=True),
        FeedLines(lines=1),
    ]
    return rows


def _place(state: HallState, ticket: Ticket) -> list[PrintElement]:
    language = ticket.language
    english = language is Language.EN
    rows: list[PrintElement] = []
    if (department := state.departments.get(ticket.department)) is not None:
        name = department.name_en if english else department.name
        rows.append(PairLine(label=_say(language, "department"), value=name))
    if (item := state.items.get(ticket.item)) is not None:
        rows.append(
            PairLine(
                label=_say(language, "item"),
                value=item.name_en if english else item.name,
                bold=True,
            )
        )
    rows += [
        PairLine(label=_say(language, "ahead"), value=_say(language, "people", n=ticket.ahead)),
        PairLine(label=_say(language, "wait"), value=wait_words(ticket.wait, language), bold=True),
    ]
    return rows


def _person(ticket: Ticket) -> list[PrintElement]:
    if ticket.person is None:
        return []
    return [
        PairLine(label=_say(ticket.language, "name"), value=ticket.person.masked_name),
        PairLine(label=_say(ticket.language, "number"), value=ticket.person.masked_number),
    ]
