"""What events of tickets and visits do to the state."""

from collections.abc import Callable
from typing import Any

from hallserver.engine import learning
from hallserver.engine.announcing import note_call, note_said, note_unsaid
from hallserver.engine.calling import remember_call
from hallserver.engine.clerks import clerk_day, note_case, note_level
from hallserver.engine.evolve_acts import use_paper
from hallserver.engine.lines import enter, leave
from hallserver.engine.offers import period_cap, period_key
from hallserver.engine.state import (
    TAKEN_KEPT,
    Board,
    Case,
    Errand,
    HallState,
    Served,
    Ticket,
)
from qingting.contract import events as e
from qingting.contract.ids import QueueId, WindowId
from qingting.contract.states import (
    BAD_LEVELS,
    BookingState,
    Origin,
    PrintOutcome,
    PrintState,
    TicketState,
)

AT_HAND = ("chain", "resumed")
"""Reasons of calls to somebody who stands at the window already: nothing to announce, nobody's turn."""
BOARD_LINES = 12
"""Calls that the display board keeps."""
PRINT_STATES = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.FAILED: PrintState.FAILED,
    PrintOutcome.UNKNOWN: PrintState.UNKNOWN,
}
Step = Callable[[HallState, Any, e.Event], None]


def _issued(state: HallState, body: e.TicketIssued, event: e.Event) -> None:
    at = body.taken_at if body.taken_at is not None else event.at
    learning.issued(state, body, event.at)
    ticket = state.tickets[body.ticket] = Ticket(
        id=body.ticket,
        number=body.number,
        serial=body.serial,
        queue=body.queue,
        item=body.item,
        department=body.department,
        token=body.token,
        state=TicketState.WAITING,
        issued_at=at,
        since=at,
        ahead=body.ahead,
        wait=body.wait,
        person=body.person,
        device=body.device,
        language=body.language,
        order=len(state.tickets) + 1,
        todo=list(body.more),
        party=body.party,
        booking=body.booking,
        late=body.late,
        origin=body.origin,
        waiver=body.waiver,
        face_check=body.face_check,
        elder=body.elder,
        forecast=body.forecast,
    )
    if body.origin is Origin.LEASED:
        ticket.print_state, ticket.printed = PrintState.PRINTED, True
        _use_lease(state, body)
    else:
        state.serials[body.queue] = body.serial
    state.tokens[body.token] = body.ticket
    enter(state, ticket, body.placing or e.Placing(line=body.queue, at=at))
    _note_taken(state, body, event)


def _note_taken(state: HallState, body: e.TicketIssued, event: e.Event) -> None:
    """Counts for caps, repeats, the kiosk's own list and the booking."""
    if body.device is not None and body.origin is not Origin.LEASED:
        former = state.taken_at.get(body.device, ())[-TAKEN_KEPT + 1 :]
        state.taken_at[body.device] = [*former, body.ticket]
    if body.person is not None:
        state.people.setdefault(body.person.index, []).append(body.ticket)
    if body.booking is not None:
        life = state.bookings[body.booking]
        life.state, life.ticket = BookingState.ARRIVED, body.ticket
        state.due.pop(body.booking, None)
    keys = [f"item:{one}" for one in (body.item, *body.more)]
    for name in _queues_of(state, body):
        keys.append(f"queue:{name}")
        queue = state.queues.get(name)
        cap = period_cap(state, queue, event.at) if queue is not None else None
        if queue is not None and cap is not None:
            keys.append(period_key(queue, cap))
    for key in keys:
        state.issued[key] = state.issued.get(key, 0) + 1


def _queues_of(state: HallState, body: e.TicketIssued) -> dict[QueueId, None]:
    """Every queue that the ticket's items go through, once each: a further item takes a place there too."""
    further = (state.items[one].queue for one in body.more if one in state.items)
    return dict.fromkeys((body.queue, *further))


def _use_lease(state: HallState, body: e.TicketIssued) -> None:
    for lease in state.leases:
        if lease.queue == body.queue and lease.first <= body.serial <= lease.last:
            lease.used.append(body.serial)


def _print_requested(state: HallState, body: e.PrintRequested, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.attempt, ticket.print_device, ticket.print_asked_at = body.attempt, body.device, event.at
    ticket.print_state, ticket.print_cause = PrintState.PENDING, None


def _print_reported(state: HallState, body: e.PrintReported, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.print_state, ticket.print_cause = PRINT_STATES[body.outcome], body.cause
    ticket.printed = ticket.printed or ticket.print_state is PrintState.PRINTED
    if body.outcome is PrintOutcome.PRINTED and ticket.print_device is not None:
        use_paper(state, ticket.print_device, body.mm)


# ---- at a window --------------------------------------------------------------------------------


def _called(state: HallState, body: e.TicketCalled, event: e.Event) -> None:
    ticket, life = state.tickets[body.ticket], state.windows[body.window]
    learning.called(state, ticket, life, event.at)
    ticket.forecast = None
    if ticket.line:
        ticket.home = ticket.line
    leave(state, ticket)
    _come_back(state, ticket)
    ticket.state, ticket.since = TicketState.CALLED, event.at
    ticket.window, ticket.staff = body.window, body.staff
    ticket.reason, ticket.why = body.reason, body.why
    ticket.called_at = ticket.last_call_at = event.at
    ticket.calls, ticket.begun_at, ticket.returned = 1, 0, ""
    life.ticket = ticket.id
    if body.reason not in AT_HAND:
        remember_call(state, life, ticket.priority)
        _announce(state, ticket, event)


def _recalled(state: HallState, body: e.TicketRecalled, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.calls, ticket.last_call_at = body.calls, event.at
    _announce(state, ticket, event)


def _announce(state: HallState, ticket: Ticket, event: e.Event) -> None:
    state.call_no += 1
    note_call(state, ticket, event.at)
    state.board = [line for line in state.board if line.ticket != ticket.id][-BOARD_LINES + 1 :]
    if ticket.window is not None:
        state.board.append(
            Board(ticket=ticket.id, window=ticket.window, call_no=state.call_no, called_at=event.at)
        )


def _said(state: HallState, body: e.CallAnnounced, event: e.Event) -> None:
    note_said(state, body)


def _unsaid(state: HallState, body: e.CallUnsaid, event: e.Event) -> None:
    note_unsaid(state, body, event.at)


def _begun(state: HallState, body: e.ServiceBegun, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    learning.begun(state, ticket, event.at)
    ticket.state, ticket.since, ticket.begun_at, ticket.staff = (
        TicketState.SERVING,
        event.at,
        event.at,
        body.staff,
    )


def _finished(state: HallState, body: e.ServiceFinished, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    learning.finished(state, ticket, body, event.at)
    ticket.finished_at, ticket.staff, ticket.note = event.at, body.staff, ""
    ticket.cases.append(
        Case(
            number=body.case,
            item=ticket.item,
            department=ticket.department,
            window=body.window,
            staff=body.staff,
            begun_at=ticket.begun_at,
            finished_at=event.at,
        )
    )
    note_case(state, ticket.cases[-1])
    life = state.windows[body.window]
    life.to_rate, life.to_rate_case = ticket.id, body.case
    _free(state, body.window, event)
    _measure(state, ticket, body.window, event)
    _go_on(state, ticket, body, event)


def _measure(state: HallState, ticket: Ticket, window: WindowId, event: e.Event) -> None:
    duration = max(0, event.at - ticket.begun_at)
    tally = state.windows[window].tally
    tally.served += 1
    tally.serving_ms += duration
    served = state.served.setdefault(ticket.item, Served())
    served.count += 1
    served.total_ms += duration


def _go_on(state: HallState, ticket: Ticket, body: e.ServiceFinished, event: e.Event) -> None:
    """To the next item, back to who sent it, or to the end."""
    if body.onward is not None:
        onward = body.onward
        ticket.todo = ticket.todo[ticket.todo.index(onward.item) + 1 :]
        ticket.item, ticket.queue, ticket.department = onward.item, onward.queue, onward.department
        _wait(state, ticket, onward.placing, event)
    elif body.back is not None:
        back = body.back
        del ticket.back[-1]
        ticket.item, ticket.queue, ticket.department = back.item, back.queue, back.department
        _wait(state, ticket, back.placing, event)
    else:
        ticket.state, ticket.since = TicketState.DONE, event.at


def _wait(state: HallState, ticket: Ticket, placing: e.Placing, event: e.Event) -> None:
    ticket.state, ticket.since = TicketState.WAITING, event.at
    enter(state, ticket, placing)


def _free(state: HallState, window: WindowId, event: e.Event) -> None:
    life = state.windows[window]
    life.ticket, life.idle_since = None, event.at


def _no_show(state: HallState, body: e.TicketNoShow, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    learning.missed(state, ticket, event.at)
    ticket.state, ticket.since = TicketState.NO_SHOW, event.at
    ticket.misses += 1
    state.missed.append(ticket.id)
    _free(state, body.window, event)
    state.windows[body.window].tally.no_show += 1
    clerk_day(state, body.staff).no_show += 1


def _parked(state: HallState, body: e.TicketParked, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.state, ticket.since = TicketState.PARKED, event.at
    ticket.park_reason, ticket.park_until, ticket.park_mine = body.reason, body.until, body.mine
    state.parked.append(ticket.id)
    _free(state, body.window, event)


def _come_back(state: HallState, ticket: Ticket) -> None:
    if ticket.state is TicketState.PARKED:
        state.parked.remove(ticket.id)
    elif ticket.state is TicketState.NO_SHOW:
        state.missed.remove(ticket.id)
    ticket.park_reason, ticket.park_until, ticket.park_mine = "", None, False


def _returned(state: HallState, body: e.TicketReturned, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    leave(state, ticket)
    _come_back(state, ticket)
    ticket.returned = body.cause.value
    if ticket.state is TicketState.WAITING:
        enter(state, ticket, body.placing)
    else:
        _wait(state, ticket, body.placing, event)


def _transferred(state: HallState, body: e.TicketTransferred, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    if body.back:
        ticket.back.append(
            Errand(
                line=body.back,
                item=ticket.item,
                queue=ticket.queue,
                department=ticket.department,
            )
        )
    ticket.item, ticket.queue, ticket.department = body.item, body.queue, body.department
    ticket.note = body.note
    _free(state, body.window, event)
    _wait(state, ticket, body.placing, event)


def _handed_back(state: HallState, body: e.TicketHandedBack, event: e.Event) -> None:
    _free(state, body.window, event)
    _wait(state, state.tickets[body.ticket], body.placing, event)


def _priority(state: HallState, body: e.PrioritySet, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.forecast = None
    leave(state, ticket)
    enter(state, ticket, body.placing)


def _item_added(state: HallState, body: e.ItemAdded, event: e.Event) -> None:
    state.tickets[body.ticket].todo.append(body.item)


def _cancelled(state: HallState, body: e.TicketCancelled, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    leave(state, ticket)
    _come_back(state, ticket)
    if ticket.window is not None and state.windows[ticket.window].ticket == ticket.id:
        _free(state, ticket.window, event)
    ticket.state, ticket.since = TicketState.CANCELLED, event.at
    ticket.cancelled = body.reason


# ---- the rating ---------------------------------------------------------------------------------


def _rated(state: HallState, body: e.RatingGiven, event: e.Event) -> None:
    case = state.tickets[body.ticket].case_by(body.case)
    assert case is not None
    tally = state.windows[body.window].tally
    if case.closed:
        tally.not_rated -= 1
    note_level(state, body.staff, body.level, late=case.closed)
    case.rated = case.closed = True
    tally.ratings += 1
    tally.bad_ratings += body.level in BAD_LEVELS
    _clear_rating(state, case)


def _not_rated(state: HallState, body: e.RatingNotGiven, event: e.Event) -> None:
    case = state.tickets[body.ticket].case_by(body.case)
    assert case is not None
    case.closed = True
    state.windows[case.window].tally.not_rated += 1
    clerk_day(state, case.staff).not_rated += 1
    _clear_rating(state, case)


def _clear_rating(state: HallState, case: Case) -> None:
    life = state.windows[case.window]
    if life.to_rate_case == case.number:
        life.to_rate, life.to_rate_case = None, ""


TICKET_STEPS: dict[type, Step] = {
    e.TicketIssued: _issued,
    e.PrintRequested: _print_requested,
    e.PrintReported: _print_reported,
    e.TicketCalled: _called,
    e.TicketRecalled: _recalled,
    e.CallAnnounced: _said,
    e.CallUnsaid: _unsaid,
    e.ServiceBegun: _begun,
    e.ServiceFinished: _finished,
    e.TicketNoShow: _no_show,
    e.TicketParked: _parked,
    e.TicketReturned: _returned,
    e.TicketTransferred: _transferred,
    e.TicketHandedBack: _handed_back,
    e.PrioritySet: _priority,
    e.ItemAdded: _item_added,
    e.TicketCancelled: _cancelled,
    e.RatingGiven: _rated,
    e.RatingNotGiven: _not_rated,
}
