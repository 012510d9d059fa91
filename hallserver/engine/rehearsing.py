"""The hall's own calling rules for a forecast that looks ahead (:data:`.forecast.situation.Pick`)."""

from collections.abc import Sequence

import msgspec

from hallserver.engine.calling import Candidate, next_among, remember_call
from hallserver.engine.forecast.situation import Desk, Pick, Visitor
from hallserver.engine.lines import class_of, score
from hallserver.engine.situations import head_start
from hallserver.engine.state import HallState, Ticket, WindowLife
from qingting.contract.config import WindowOrder
from qingting.contract.ids import DepartmentId, ItemId, Millis, TicketId, WindowId
from qingting.contract.states import Language, TicketState


def plain(state: HallState, desks: Sequence[Desk]) -> bool:
    """True when the order of place is the whole rule: all classes age alike, and neither ratios nor conditions nor
    a window's own order of its queues interfere.

    The cap on priority calls in a row and the longest wait change that order only where many people with
    priority or very long waits come together; forecasts leave them out then.
    """
    rules = state.rules
    if rules.ratios or rules.conditions or len({one.ageing for one in rules.classes}) > 1:
        return False
    return not any(
        len(one.queues) > 1 and state.window_config[one.id].order is WindowOrder.LISTED
        for one in desks
    )


def rule(state: HallState, desks: Sequence[Desk]) -> Pick | None:
    """What decides each call of the rehearsal; None when the order of place does."""
    return None if plain(state, desks) else _Rule(state)


class _Rule:
    """The six steps of the rules over the fronts that the rehearsal has. Tests of how many wait see the lines as they
    are now; calls in a row are those of the rehearsal."""

    def __init__(self, state: HallState) -> None:
        self._state = state
        self._lives: dict[WindowId, WindowLife] = {}

    def __call__(self, desk: Desk, visitors: Sequence[Visitor], now: Millis) -> int | None:
        life = self._lives.get(desk.id)
        if life is None:
            life = self._lives[desk.id] = msgspec.structs.replace(self._state.windows[desk.id])
        tickets = [self._ticket(one, number) for number, one in enumerate(visitors)]
        ordinary: list[Candidate] = []
        sent: list[Candidate] = []
        for one, ticket in zip(visitors, tickets, strict=True):
            order = desk.queues.index(one.queue)
            group = class_of(self._state, ticket.priority)
            points = score(group, ticket.place_at, now)
            waited = now - ticket.place_at
            candidate = Candidate(ticket, one.queue, order, group.id, points, waited)
            (sent if one.window == desk.id else ordinary).append(candidate)
        choice = next_among(self._state, life, ordinary, sent, now)
        if choice is None:
            return None
        index = next(n for n, one in enumerate(tickets) if one.id == choice.ticket)
        remember_call(self._state, life, tickets[index].priority)
        return index

    def _ticket(self, visitor: Visitor, number: int) -> Ticket:
        """The visitor's ticket; one made up for who has none yet."""
        found = self._state.tickets.get(TicketId(visitor.ref))
        if found is not None:
            return found
        priority = visitor.line.rpartition("/")[2]
        return Ticket(
            id=TicketId(f"#{number}"),
            number="",
            serial=0,
            queue=visitor.queue,
            item=visitor.items[0] if visitor.items else ItemId(""),
            department=DepartmentId(""),
            token="",
            state=TicketState.WAITING,
            issued_at=visitor.came,
            since=visitor.came,
            ahead=0,
            wait=None,
            person=None,
            device=None,
            language=Language.ZH,
            place_at=visitor.since + head_start(class_of(self._state, priority)),
            priority=priority,
            order=len(self._state.tickets) + 1 + number,
        )
