"""The paper of a number that was given while the hall could not be reached (断网号票)."""

from datetime import UTC, datetime, timedelta

from qingting.contract.continuity import LeasedTicket, OfflineKit
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

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("排队号票", "Queue ticket"),
    "item": ("办理事项", "Service"),
    "more": ("接着办理", "Then"),
    "time": ("取号时间", "Taken at"),
    "name": ("姓　　名", "Name"),
    "number": ("证件号码", "Certificate"),
    "offline": (
        "大厅网络中断时取号，号码有效，网络恢复后自动排入队列",
        "Given while the network is down: valid, and queued by itself",
    ),
    "wait": ("等候时间暂时无法估计，请留意屏幕和语音呼叫", "Watch the screens for your call"),
}


def offline_document(
    kit: OfflineKit, ticket: LeasedTicket, number: str, masked: tuple[str, str] | None
) -> tuple[PrintElement, ...]:
    """The ticket in the citizen's language; ``masked`` are name and certificate number, if known."""
    english = ticket.language is Language.EN

    def say(key: str) -> str:
        return _WORDS[key][english]

    names = {one.id: one.name_en if english else one.name for one in kit.items}
    taken = datetime.fromtimestamp(ticket.taken_at / 1000, UTC) + timedelta(
        minutes=kit.utc_offset_minutes
    )
    hall = kit.hall_name_en if english else kit.hall_name
    rows: list[PrintElement] = [
        TextLine(text=hall, align=Align.CENTRE, bold=True),
        TextLine(text=say("title"), align=Align.CENTRE),
        RuleLine(),
        TextLine(text=number, align=Align.CENTRE, scale=4, bold=True),
        FeedLines(lines=1),
        PairLine(label=say("item"), value=names.get(ticket.item, ticket.item), bold=True),
    ]
    rows += [PairLine(label=say("more"), value=names.get(one, one)) for one in ticket.more]
    if masked is not None:
        rows += [
            PairLine(label=say("name"), value=masked[0]),
            PairLine(label=say("number"), value=masked[1]),
        ]
    rows += [
        PairLine(label=say("time"), value=taken.strftime("%Y-%m-%d %H:%M")),
        TextLine(text=say("offline")),
        RuleLine(),
        QrCode(data=f"{kit.base_url.rstrip('/')}/t/{ticket.token}", module_dots=6),
        TextLine(text=say("wait"), align=Align.CENTRE),
        FeedLines(lines=1),
    ]
    return tuple(rows)
