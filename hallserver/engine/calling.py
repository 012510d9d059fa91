"""Who is next: the order in which a window takes waiting tickets."""

from typing import NamedTuple

from hallserver.engine.state import HallState
from qingting.contract.ids import TicketId, WindowId


class Choice(NamedTuple):
    """The ticket to call and, as a code for the clerk, why."""

    ticket: TicketId
    reason: str


def next_ticket(state: HallState, window: WindowId) -> Choice | None:
    """The longest waiting ticket over all queues of the window; None when nobody waits.

    Two tickets of the same instant are told apart by the window's own order of queues and then by
    number, so the choice is the same on every replay.
    """
    best: tuple[int, int, int] | None = None
    chosen: TicketId | None = None
    for order, queue in enumerate(state.window_config[window].queues):
        for ticket in state.waiting.get(queue, {}):
            candidate = (state.tickets[ticket].issued_at, order, state.tickets[ticket].serial)
            if best is None or candidate < best:
                best, chosen = candidate, ticket
            break
    return None if chosen is None else Choice(chosen, "longest_waiting")
