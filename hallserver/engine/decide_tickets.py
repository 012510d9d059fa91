"""Rules of tickets: taking a number, the paper, the rating."""

from hallserver.engine.days import hall_time, weekday, within
from hallserver.engine.state import HallState, Ticket, children_of
from hallserver.engine.waiting import expected_wait
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config import Item, Queue
from qingting.contract.errors import Refusal
from qingting.contract.ids import BusinessDay, DeviceId, TicketId
from qingting.contract.ratings import check_rating
from qingting.contract.states import (
    OPEN_TICKET_STATES,
    DeviceKind,
    NotRatedReason,
    PrintOutcome,
    PrintState,
    TicketState,
)

SETTLED = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.FAILED: PrintState.FAILED,
    PrintOutcome.UNKNOWN: PrintState.UNKNOWN,
}
LEFT = "left"
"""Reason of a cancelled ticket: its holder gave up the place."""
WEEKDAY_WORDS = "一二三四五六日"


def ticket_of(state: HallState, ticket: TicketId) -> Ticket:
    """The ticket of today, or refusal ``ticket.unknown``."""
    found = state.tickets.get(ticket)
    if found is None:
        raise Refusal("ticket.unknown")
    return found


def check_offered(state: HallState, item: Item, now: int) -> Queue:
    """The item's queue if a ticket can be taken now, else the refusal that says why not."""
    if weekday(now, state.config) not in item.weekdays:
        days = "、".join(f"周{WEEKDAY_WORDS[day - 1]}" for day in sorted(item.weekdays))
        raise Refusal("ticket.item_not_today", item=item.name, days=days)
    queue = state.queues[item.queue]
    if queue.closed_reason:
        raise Refusal("ticket.queue_closed", queue=queue.name, reason=queue.closed_reason)
    if not within(queue.hours, now, state.config):
        hours = "、".join(f"{one.start}–{one.end}" for one in queue.hours) or "—"
        raise Refusal("ticket.outside_hours", queue=queue.name, hours=hours)
    return queue


def printer_of(state: HallState, kiosk: DeviceId) -> DeviceId:
    """The printer that belongs to a kiosk; the kiosk itself when it has none."""
    for device in children_of(state, kiosk):
        if device.kind is DeviceKind.PRINTER:
            return device.id
    return kiosk


def issue(state: HallState, command: c.IssueTicket, now: int) -> list[e.EventBody]:
    item = state.items.get(command.item)
    if item is None:
        raise Refusal("ticket.unknown_item")
    queue = check_offered(state, item, now)
    if item.needs_identity and command.person is None:
        raise Refusal("ticket.identity_needed", item=item.name)
    day = state.day or BusinessDay(hall_time(now, state.config).strftime("%Y-%m-%d"))
    serial = state.serials.get(queue.id, 0) + 1
    ahead = len(state.waiting.get(queue.id, ()))
    ticket = TicketId(f"{day}-{queue.id}-{serial}")
    events: list[e.EventBody] = [
        e.TicketIssued(
            ticket=ticket,
            number=f"{queue.prefix}{serial:03d}",
            serial=serial,
            day=day,
            queue=queue.id,
            item=item.id,
            department=item.department,
            token=command.token,
            ahead=ahead,
            wait=expected_wait(state, queue.id, ahead, now),
            person=command.person,
            device=command.device,
            language=command.language,
        )
    ]
    if command.device is not None:
        events.append(
            e.PrintRequested(ticket=ticket, device=printer_of(state, command.device), attempt=1)
        )
    return events


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
            ticket=ticket.id, attempt=command.attempt, outcome=command.outcome, cause=command.cause
        )
    ]


def reprint(state: HallState, command: c.ReprintTicket, now: int) -> list[e.EventBody]:
    ticket = ticket_of(state, command.ticket)
    if ticket.state not in OPEN_TICKET_STATES:
        raise Refusal("ticket.not_open", number=ticket.number)
    if ticket.attempt and ticket.print_state is PrintState.PENDING:
        raise Refusal("print.running", number=ticket.number)
    return [
        e.PrintRequested(
            ticket=ticket.id, device=printer_of(state, command.device), attempt=ticket.attempt + 1
        )
    ]


def leave(state: HallState, command: c.LeaveQueue, now: int) -> list[e.EventBody]:
    """Only who still waits can leave; somebody who has left already changes nothing."""
    ticket = ticket_of(state, command.ticket)
    if ticket.cancelled == LEFT:
        return []
    if ticket.state in (TicketState.CALLED, TicketState.SERVING):
        window = state.window_config.get(ticket.window) if ticket.window is not None else None
        raise Refusal(
            "ticket.leave_called",
            number=ticket.number,
            window=window.number if window is not None else "—",
        )
    if ticket.state is not TicketState.WAITING:
        raise Refusal("ticket.leave_over", number=ticket.number)
    return [e.TicketCancelled(ticket=ticket.id, reason=LEFT)]


def rate(state: HallState, command: c.RateVisit, now: int) -> list[e.EventBody]:
    ticket = state.tickets.get(command.ticket)
    if ticket is None:
        raise Refusal("rating.unknown_ticket")
    if ticket.state is not TicketState.DONE or ticket.window is None or ticket.staff is None:
        raise Refusal("rating.too_early")
    if ticket.rated:
        raise Refusal("rating.already")
    check_rating(command.level, command.tags)
    return [
        e.RatingGiven(
            ticket=ticket.id,
            case=ticket.case,
            window=ticket.window,
            staff=ticket.staff,
            item=ticket.item,
            department=ticket.department,
            level=command.level,
            tags=tuple(dict.fromkeys(command.tags)),
            words=command.words.strip(),
            channel=command.channel,
            seconds=max(0, (now - ticket.finished_at) // 1000),
        )
    ]


def leave_unrated(state: HallState, command: c.LeaveUnrated, now: int) -> list[e.EventBody]:
    ticket = state.tickets.get(command.ticket)
    if ticket is None or ticket.state is not TicketState.DONE:
        raise Refusal("rating.unknown_ticket")
    return close_rating(ticket, command.reason)


def close_rating(ticket: Ticket, reason: NotRatedReason) -> list[e.EventBody]:
    """The event that a finished visit stays without rating; nothing when that is already known."""
    if ticket.rated or ticket.rating_closed:
        return []
    return [e.RatingNotGiven(ticket=ticket.id, case=ticket.case, reason=reason)]
