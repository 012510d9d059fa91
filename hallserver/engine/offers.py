"""What can be taken now, and by whom: hours, caps, identity, repeats."""

from collections.abc import Sequence

from hallserver.engine.days import hall_time, weekday, within
from hallserver.engine.opening import check_open
from hallserver.engine.state import HallState
from qingting.contract.calendar import clock_minutes
from qingting.contract.config import Item, PeriodCap, Queue, RepeatRule
from qingting.contract.errors import Refusal
from qingting.contract.ids import ItemId, Millis
from qingting.contract.people import Person
from qingting.contract.states import OPEN_TICKET_STATES

WEEKDAY_WORDS = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Parameters of refusals that end in ``_en`` stand in for those without it where English is read."""


def item_of(state: HallState, item: ItemId) -> Item:
    """The item, or refusal ``ticket.unknown_item``."""
    found = state.items.get(item)
    if found is None:
        raise Refusal("ticket.unknown_item")
    return found


def check_offered(state: HallState, item: Item, now: Millis) -> Queue:
    """The item's queue if a ticket can be taken now, else the refusal that says why not."""
    check_open(state, now)
    if weekday(now, state.config) not in item.weekdays:
        days = "、".join(f"周{WEEKDAY_WORDS[day - 1]}" for day in sorted(item.weekdays))
        english = ", ".join(WEEKDAYS_EN[day - 1] for day in sorted(item.weekdays))
        params = {"item_en": item.name_en, "days": days, "days_en": english}
        raise Refusal("ticket.item_not_today", item=item.name, **params)
    queue = state.queues[item.queue]
    if queue.closed_reason:
        raise Refusal("ticket.queue_closed", reason=queue.closed_reason, **_called(queue))
    if not within(queue.hours, now, state.config):
        hours = "、".join(f"{one.start}–{one.end}" for one in queue.hours) or "—"
        raise Refusal("ticket.outside_hours", hours=hours, **_called(queue))
    _check_caps(state, item, queue, now)
    return queue


def _check_caps(state: HallState, item: Item, queue: Queue, now: Millis) -> None:
    if item.daily_cap and state.issued.get(f"item:{item.id}", 0) >= item.daily_cap:
        raise Refusal("ticket.item_full", cap=item.daily_cap, **_called(item))
    if queue.daily_cap and state.issued.get(f"queue:{queue.id}", 0) >= queue.daily_cap:
        raise Refusal("ticket.queue_full", cap=queue.daily_cap, **_called(queue))
    cap = period_cap(state, queue, now)
    if cap is not None and state.issued.get(period_key(queue, cap), 0) >= cap.tickets:
        later = [
            one.period.start
            for one in queue.caps
            if clock_minutes(one.period.start) >= clock_minutes(cap.period.end)
        ]
        begins = min(later, key=clock_minutes, default="")
        span = {"start": cap.period.start, "end": cap.period.end, "next": begins}
        code = "ticket.period_full" if begins else "ticket.period_full_last"
        raise Refusal(code, cap=cap.tickets, **span, **_called(queue))


def _called(one: Item | Queue) -> dict[str, str]:
    """The names of an item or a queue as parameters of a refusal."""
    kind = "item" if isinstance(one, Item) else "queue"
    return {kind: one.name, f"{kind}_en": one.name_en}


def period_cap(state: HallState, queue: Queue, now: Millis) -> PeriodCap | None:
    """The cap of the part of the day that it is now; None when this part has none."""
    if not queue.caps:
        return None
    clock = hall_time(now, state.config)
    minute = clock.hour * 60 + clock.minute
    for cap in queue.caps:
        if clock_minutes(cap.period.start) <= minute < clock_minutes(cap.period.end):
            return cap
    return None


def period_key(queue: Queue, cap: PeriodCap) -> str:
    """Where the tickets of a capped period are counted."""
    return f"queue:{queue.id}@{cap.period.start}"


def check_party(items: Sequence[Item], party: int) -> None:
    for item in items:
        if party > item.party_max:
            raise Refusal("ticket.party_too_large", most=item.party_max, **_called(item))


def check_person(
    state: HallState, items: Sequence[Item], person: Person | None, waiver: str
) -> None:
    """Identity where an item demands it, and no second ticket where an item forbids it.

    Raises ``ticket.identity_needed``, ``ticket.repeat_open`` or ``ticket.repeat_once``.
    """
    for item in items:
        if item.needs_identity and person is None and not waiver:
            raise Refusal("ticket.identity_needed", **_called(item))
        if person is not None and item.repeat is not RepeatRule.FREE:
            _check_repeat(state, item, person)


def _check_repeat(state: HallState, item: Item, person: Person) -> None:
    for one in state.people.get(person.index, ()):
        ticket = state.tickets[one]
        if item.repeat is RepeatRule.ONCE and any(case.item == item.id for case in ticket.cases):
            raise Refusal("ticket.repeat_once", number=ticket.number, **_called(item))
        to_come = (ticket.item, *ticket.todo, *(errand.item for errand in ticket.back))
        if ticket.state in OPEN_TICKET_STATES and item.id in to_come:
            held = {"number": ticket.number, "ticket": ticket.id}
            raise Refusal("ticket.repeat_open", **held, **_called(item))
