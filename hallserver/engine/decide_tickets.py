"""Rules of tickets: the paper, leaving and coming back, priority, the rating."""

from hallserver.engine.days import MINUTE_MS
from hallserver.engine.decide_issue import printer_of
from hallserver.engine.lines import place_behind, place_first, staff_line, window_line
from hallserver.engine.state import Case, HallState, Ticket
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, QueueId, TicketId
from qingting.contract.ratings import check_rating
from qingting.contract.rules import BOOKED, Place
from qingting.contract.states import (
    AT_WINDOW_STATES,
    OPEN_TICKET_STATES,
    NotRatedReason,
    PrintOutcome,
    PrintState,
    ReturnCause,
    TicketState,
    WindowState,
)

SETTLED = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.FAILED: PrintState.FAILED,
    PrintOutcome.UNKNOWN: PrintState.UNKNOWN,
}
LEFT = "left"
"""Reason of a cancelled ticket: its holder gave up the place."""


def ticket_of(state: HallState, ticket: TicketId) -> Ticket:
    """The ticket of today, or refusal ``ticket.unknown``."""
    found = state.tickets.get(ticket)
    if found is None:
        raise Refusal("ticket.unknown")
    return found


def report_print(state: HallState, command: c.ReportPrint, now: int) -> list[e.EventBody]:
    ticket = ticket_of(state, command.ticket)
    if ticket.attempt == 0 or command.attempt > ticket.attempt:
        raise Refusal("print.unknown_job")
    outdated = command.attempt < ticket.attempt or ticket.print_state in (
        PrintState.PRINTED,
        PrintState.FAILED,
    )
    if outdated or ticket.print_state is SETTLED[command.outcome]:
        return []
    return [
        e.PrintReported(
            ticket=ticket.id,
            attempt=command.attempt,
            outcome=command.outcome,
            cause=command.cause,
            mm=command.mm if command.outcome is PrintOutcome.PRINTED else 0,
        )
    ]


def reprint(state: HallState, command: c.ReprintTicket, now: int) -> list[e.EventBody]:
    ticket = ticket_of(state, command.ticket)
    return [reprint_at(ticket, printer_of(state, command.device))]


def reprint_at(ticket: Ticket, printer: DeviceId) -> e.PrintRequested:
    """The next attempt of an open ticket at a printer; refused while another is under way."""
    if ticket.state not in OPEN_TICKET_STATES:
        raise Refusal("ticket.not_open", number=ticket.number)
    if ticket.attempt and ticket.print_state is PrintState.PENDING:
        raise Refusal("print.running", number=ticket.number)
    return e.PrintRequested(ticket=ticket.id, device=printer, attempt=ticket.attempt + 1)


def leave(state: HallState, command: c.LeaveQueue, now: int) -> list[e.EventBody]:
    """Only who waits or is away can leave; somebody who has left already changes nothing."""
    ticket = ticket_of(state, command.ticket)
    if ticket.cancelled == LEFT:
        return []
    if ticket.state in AT_WINDOW_STATES:
        window = state.window_config.get(ticket.window) if ticket.window is not None else None
        raise Refusal(
            "ticket.leave_called",
            number=ticket.number,
            window=window.number if window is not None else "—",
        )
    if ticket.state not in OPEN_TICKET_STATES:
        raise Refusal("ticket.leave_over", number=ticket.number)
    return [e.TicketCancelled(ticket=ticket.id, reason=LEFT)]


def line_for(state: HallState, line: str, queue: QueueId) -> str:
    """``line`` of a window or clerk while somebody is there to call from it, else ``queue``."""
    for life in state.windows.values():
        if life.state is WindowState.CLOSED:
            continue
        if line == window_line(life.id):
            return line
        if life.staff is not None and line == staff_line(life.staff):
            return line
    return queue


def place_in(state: HallState, line: str, ticket: Ticket, place: Place, now: int) -> e.Placing:
    """Where a ticket enters a line: before all, behind all, or by the time it has waited."""
    at = ticket.place_at
    if place is Place.FIRST:
        at = place_first(state, line, ticket, now)
    elif place is Place.LAST:
        at = max(now, ticket.place_at)
    return e.Placing(line=line, at=at, priority=ticket.priority)


def return_ticket(state: HallState, command: c.ReturnTicket, now: int) -> list[e.EventBody]:
    """Back from a pause, or the second chance of somebody who was missed."""
    ticket = ticket_of(state, command.ticket)
    if ticket.state is TicketState.PARKED:
        return [_from_park(state, ticket, command, now)]
    if ticket.state is not TicketState.NO_SHOW:
        raise Refusal("ticket.not_away", number=ticket.number)
    rule = state.rules.returning
    in_time = now - ticket.since <= rule.within_minutes * MINUTE_MS
    if not command.by_staff and not (in_time and ticket.misses <= rule.second_chances):
        raise Refusal(
            "ticket.no_second_chance",
            number=ticket.number,
            chances=rule.second_chances,
            minutes=rule.within_minutes,
        )
    at = place_behind(state, ticket.queue, ticket, rule.after_people, now)
    placing = e.Placing(line=ticket.queue, at=at, priority=ticket.priority)
    return [e.TicketReturned(ticket=ticket.id, cause=ReturnCause.SECOND_CHANCE, placing=placing)]


def _from_park(
    state: HallState, ticket: Ticket, command: c.ReturnTicket, now: int
) -> e.TicketReturned:
    line: str = ticket.queue
    if ticket.park_mine and ticket.window is not None:
        line = line_for(state, window_line(ticket.window), ticket.queue)
    over = ticket.park_until is not None and now >= ticket.park_until
    cause = ReturnCause.PARK_OVER if over else ReturnCause.VISITOR
    return e.TicketReturned(
        ticket=ticket.id,
        cause=ReturnCause.STAFF if command.by_staff else cause,
        placing=place_in(state, line, ticket, state.rules.returning.parked, now),
    )


def set_priority(state: HallState, command: c.SetPriority, now: int) -> list[e.EventBody]:
    ticket = ticket_of(state, command.ticket)
    if command.priority not in state.classes:
        raise Refusal("ticket.unknown_class")
    if command.priority == BOOKED and ticket.booking is None:
        raise Refusal("ticket.unknown_class")
    if ticket.state is not TicketState.WAITING:
        raise Refusal("call.not_waiting", number=ticket.number)
    if ticket.priority == command.priority:
        return []
    placing = e.Placing(line=ticket.line, at=ticket.place_at, priority=command.priority)
    return [e.PrioritySet(ticket=ticket.id, placing=placing, reason=command.reason)]


# ---- the rating ---------------------------------------------------------------------------------


def rate(state: HallState, command: c.RateVisit, now: int) -> list[e.EventBody]:
    ticket = state.tickets.get(command.ticket)
    if ticket is None:
        raise Refusal("rating.unknown_ticket")
    case = ticket.case_by(command.case)
    if case is None:
        raise Refusal("rating.unknown_ticket" if command.case else "rating.too_early")
    if case.rated:
        raise Refusal("rating.already")
    check_rating(command.level, command.tags)
    return [
        e.RatingGiven(
            ticket=ticket.id,
            case=case.number,
            window=case.window,
            staff=case.staff,
            item=case.item,
            department=case.department,
            level=command.level,
            tags=tuple(dict.fromkeys(command.tags)),
            words=command.words.strip(),
            channel=command.channel,
            seconds=max(0, (now - case.finished_at) // 1000),
        )
    ]


def leave_unrated(state: HallState, command: c.LeaveUnrated, now: int) -> list[e.EventBody]:
    ticket = state.tickets.get(command.ticket)
    case = ticket.case_by(command.case) if ticket is not None else None
    if ticket is None or case is None:
        raise Refusal("rating.unknown_ticket")
    return close_rating(ticket, case, command.reason)


def close_rating(ticket: Ticket, case: Case, reason: NotRatedReason) -> list[e.EventBody]:
    """The event that a finished case stays without rating; nothing when that is already known."""
    if case.rated or case.closed:
        return []
    return [e.RatingNotGiven(ticket=ticket.id, case=case.number, reason=reason)]
