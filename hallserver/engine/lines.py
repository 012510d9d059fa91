"""Lines of waiting tickets: who stands where, in which order, and how many are ahead.

A line is the key of a queue, or ``@w:<window>`` and ``@s:<staff>`` for visitors who were sent to one
window or one clerk. Within a line each class has its own row, ordered by place: that order no rule can
break. Between classes the score of the calling rules decides (:mod:`qingting.contract.rules`).
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter

from hallserver.engine.days import MINUTE_MS
from hallserver.engine.state import HallState, Ticket
from qingting.contract.events import Placing
from qingting.contract.ids import Millis, StaffId, TicketId, WindowId
from qingting.contract.rules import PriorityClass

Key = tuple[Millis, int]
"""Place of a ticket within its class: the instant that orders it, then the order of arrival."""
Turn = tuple[float, Millis, int]
"""Sorts a line, first who is called first: points (negative), then the place."""


def window_line(window: WindowId) -> str:
    """The line of visitors who were sent to one window."""
    return f"@w:{window}"


def staff_line(staff: StaffId) -> str:
    """The line of visitors who were sent to one clerk."""
    return f"@s:{staff}"


def place_key(ticket: Ticket) -> Key:
    return (ticket.place_at, ticket.order)


def enter(state: HallState, ticket: Ticket, placing: Placing) -> None:
    """Puts a ticket into a line, at its place."""
    ticket.line, ticket.place_at, ticket.priority = placing.line, placing.at, placing.priority
    row = state.lines.setdefault(placing.line, {}).setdefault(placing.priority, [])
    if not row or place_key(state.tickets[row[-1]]) < place_key(ticket):
        row.append(ticket.id)
    else:
        insort(row, ticket.id, key=lambda one: place_key(state.tickets[one]))


def leave(state: HallState, ticket: Ticket) -> None:
    """Takes a ticket out of its line, if it stands in one."""
    if not ticket.line:
        return
    classes = state.lines[ticket.line]
    row = classes[ticket.priority]
    if row[0] == ticket.id:
        del row[0]
    else:
        del row[bisect_left(row, place_key(ticket), key=lambda one: place_key(state.tickets[one]))]
    if not row:
        del classes[ticket.priority]
    if not classes:
        del state.lines[ticket.line]
    ticket.line = ""


def count(state: HallState, line: str) -> int:
    """How many stand in a line."""
    return sum(len(row) for row in state.lines.get(line, {}).values())


def score(priority: PriorityClass, place_at: Millis, now: Millis) -> float:
    """Points of a ticket now; before a booked time they are fewer than the class gives."""
    return priority.weight + priority.ageing * (now - place_at) / MINUTE_MS


def class_of(state: HallState, priority: str) -> PriorityClass:
    """The class by its id; a class that the rules do not have any more counts as the ordinary one."""
    return state.classes.get(priority) or state.classes["ordinary"]


def turn(priority: PriorityClass, place: Key, now: Millis) -> Turn:
    """What orders a line: most points first, then the earlier place. Along a row it never falls."""
    return (-score(priority, place[0], now), *place)


def in_order(state: HallState, line: str, now: Millis) -> Iterator[Ticket]:
    """Everybody in a line, highest score first."""
    return (one for _, one in turns(state, line, now))


def turns(state: HallState, line: str, now: Millis) -> Iterator[tuple[Turn, Ticket]]:
    """Everybody in a line with what orders them, best first; computed as far as it is read."""
    rows = [
        _row_turns(state, class_of(state, name), row, now)
        for name, row in state.lines.get(line, {}).items()
    ]
    return rows[0] if len(rows) == 1 else merge(*rows, key=itemgetter(0))


def _row_turns(
    state: HallState, group: PriorityClass, row: list[TicketId], now: Millis
) -> Iterator[tuple[Turn, Ticket]]:
    for one in row:
        ticket = state.tickets[one]
        yield turn(group, place_key(ticket), now), ticket


def ahead_of(state: HallState, line: str, priority: str, place: Key, now: Millis) -> int:
    """How many of a line have their turn before somebody of a class at a place."""
    mine = turn(class_of(state, priority), place, now)
    ahead = 0
    for name, row in state.lines.get(line, {}).items():
        group = class_of(state, name)

        def theirs(one: TicketId, group: PriorityClass = group) -> Turn:
            return turn(group, place_key(state.tickets[one]), now)

        ahead += bisect_left(row, mine, key=theirs)
    return ahead


def ahead(state: HallState, ticket: Ticket, now: Millis) -> int:
    """How many are called before a waiting ticket as things stand; 0 when it does not wait."""
    if not ticket.line:
        return 0
    return ahead_of(state, ticket.line, ticket.priority, place_key(ticket), now)


def waiting(state: HallState) -> int:
    """Everybody who waits in the hall."""
    return sum(len(row) for classes in state.lines.values() for row in classes.values())


def sent_to(state: HallState, window: WindowId, staff: StaffId | None) -> list[str]:
    """Lines of those who were sent to this window or to this clerk."""
    lines = [window_line(window)]
    return [*lines, staff_line(staff)] if staff is not None else lines


def _place_worth(priority: PriorityClass, points: float, now: Millis) -> float:
    """The place at which somebody of a class has ``points`` now."""
    return now - (points - priority.weight) / priority.ageing * MINUTE_MS


def _beside(state: HallState, ticket: Ticket, other: Ticket, now: Millis, step: int) -> Millis:
    """The place next to somebody in a line, before (-1) or behind (1) them. An instant since 1970, however
    slowly a class ages: no event could hold an earlier one."""
    own, theirs = class_of(state, ticket.priority), class_of(state, other.priority)
    if own.id == theirs.id:
        return max(0, other.place_at + step)
    worth = _place_worth(own, score(theirs, other.place_at, now), now)
    return max(0, round(worth) + 2 * step)


def place_first(state: HallState, line: str, ticket: Ticket, now: Millis) -> Millis:
    """The place before everybody in a line; the ticket's own when it is better or nobody waits."""
    top = next(in_order(state, line, now), None)
    return (
        ticket.place_at
        if top is None
        else min(ticket.place_at, _beside(state, ticket, top, now, -1))
    )


def place_behind(state: HallState, line: str, ticket: Ticket, people: int, now: Millis) -> Millis:
    """The place behind the next ``people`` of a line, or behind all when fewer wait; never better than
    the place that the ticket had before."""
    if not people:
        return ticket.place_at
    front = deque(islice(in_order(state, line, now), people), maxlen=1)
    if not front:
        return max(ticket.place_at, now)
    return max(ticket.place_at, _beside(state, ticket, front[0], now, 1))
