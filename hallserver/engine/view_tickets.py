"""Views of single tickets, shared by pads, kiosks and phones."""

from hallserver.engine.days import MINUTE_MS
from hallserver.engine.lines import class_of
from hallserver.engine.state import HallState, Ticket
from qingting.contract import views as v
from qingting.contract.ids import Millis, QueueId
from qingting.contract.states import TicketState


def names_of(state: HallState, ticket: Ticket) -> tuple[str, str]:
    """The present item in Chinese and English; empty when the configuration has it no more."""
    item = state.items.get(ticket.item)
    return (item.name, item.name_en) if item is not None else ("", "")


def item_names(
    state: HallState, ticket: Ticket, here: tuple[QueueId, ...] = ()
) -> tuple[v.ItemName, ...]:
    """The items still to come after the present one; ``here`` are the queues of the window at hand."""
    known = [state.items[one] for one in ticket.todo if one in state.items]
    return tuple(
        v.ItemName(id=one.id, name=one.name, name_en=one.name_en, here=one.queue in here)
        for one in known
    )


def booked_at(state: HallState, ticket: Ticket) -> Millis | None:
    """The booked time of a booked visitor."""
    life = state.bookings.get(ticket.booking) if ticket.booking is not None else None
    return life.booking.start if life is not None else None


def may_return(state: HallState, ticket: Ticket, now: Millis) -> bool:
    """Whether the visitor may stand in line again by themselves: away, or missed with a chance left."""
    if ticket.state is TicketState.PARKED:
        return True
    rule = state.rules.returning
    return (
        ticket.state is TicketState.NO_SHOW
        and ticket.misses <= rule.second_chances
        and now - ticket.since <= rule.within_minutes * MINUTE_MS
    )


def brief(state: HallState, ticket: Ticket, *, sent: bool = False) -> v.TicketBrief:
    """One line of a clerk's list."""
    name, name_en = names_of(state, ticket)
    group = class_of(state, ticket.priority)
    return v.TicketBrief(
        ticket=ticket.id,
        number=ticket.number,
        item_name=name,
        item_name_en=name_en,
        since=ticket.issued_at,
        masked_name=ticket.person.masked_name if ticket.person is not None else "",
        priority=group.id,
        priority_name=group.name,
        priority_name_en=group.name_en,
        booked=booked_at(state, ticket),
        late=ticket.late,
        party=ticket.party,
        items=len(ticket.todo) + 1,
        returned=ticket.returned,
        told=ticket.wait,
        until=ticket.park_until,
        reason=ticket.park_reason,
        sent=sent,
    )
