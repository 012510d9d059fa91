"""Rules of a visit at a window: calling, serving, and every way it can go on."""

from hallserver.engine.calling import may_call, next_ticket
from hallserver.engine.days import MINUTE_MS
from hallserver.engine.decide_tickets import close_rating, line_for, place_in, ticket_of
from hallserver.engine.decide_windows import refuse_busy, staffed, visit_of, window_of
from hallserver.engine.lines import place_first, staff_line, window_line
from hallserver.engine.offers import item_of
from hallserver.engine.state import HallState, Ticket, WindowLife, permissions_of
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config import Item
from qingting.contract.errors import Refusal
from qingting.contract.ids import QueueId
from qingting.contract.rules import Place
from qingting.contract.states import (
    NotRatedReason,
    StaffPermission,
    TicketState,
    WindowState,
)


def _free_window(
    state: HallState, command: c.CallNext | c.CallTicket | c.ResumeVisit
) -> WindowLife:
    """An open window without a visitor, or the refusal that says what it is instead."""
    life = window_of(state, command.window)
    staffed(life)
    if life.state is not WindowState.OPEN:
        raise Refusal("window.not_open")
    refuse_busy(state, life)
    return life


def call_next(state: HallState, command: c.CallNext, now: int) -> list[e.EventBody]:
    life = _free_window(state, command)
    choice = next_ticket(state, life.id, now)
    if choice is None:
        raise Refusal("call.nobody_waiting")
    return [
        e.TicketCalled(
            ticket=choice.ticket,
            window=life.id,
            staff=staffed(life),
            reason=choice.reason,
            why=choice.why,
        )
    ]


def call_ticket(state: HallState, command: c.CallTicket, now: int) -> list[e.EventBody]:
    """Out of turn: only with the permission, only somebody who waits, never without a reason."""
    life = _free_window(state, command)
    staff = staffed(life)
    ticket = ticket_of(state, command.ticket)
    if StaffPermission.PICK not in permissions_of(state.staff[staff]):
        raise Refusal("call.pick_forbidden")
    if ticket.state is not TicketState.WAITING:
        raise Refusal("call.not_waiting", number=ticket.number)
    if not may_call(state, life, ticket):
        raise Refusal("call.skill_missing", number=ticket.number)
    return [
        e.TicketCalled(
            ticket=ticket.id,
            window=life.id,
            staff=staff,
            reason="picked",
            why={"text": command.reason},
        )
    ]


def resume(state: HallState, command: c.ResumeVisit, now: int) -> list[e.EventBody]:
    """Somebody who was away, or was missed at this window, stands there again."""
    life = _free_window(state, command)
    ticket = ticket_of(state, command.ticket)
    missed_here = ticket.state is TicketState.NO_SHOW and ticket.window == life.id
    if ticket.state is not TicketState.PARKED and not missed_here:
        raise Refusal("ticket.not_away", number=ticket.number)
    return [e.TicketCalled(ticket=ticket.id, window=life.id, staff=staffed(life), reason="resumed")]


def recall(state: HallState, command: c.Recall, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    ticket = _called(state, life)
    rules = state.rules
    pause = ticket.last_call_at + rules.recall_pause_seconds * 1000 - now
    if pause > 0:
        raise Refusal("call.recall_too_soon", seconds=-(-pause // 1000))
    if rules.max_calls and ticket.calls >= rules.max_calls:
        raise Refusal("call.max_calls", number=ticket.number, calls=rules.max_calls)
    return [e.TicketRecalled(ticket=ticket.id, window=life.id, calls=ticket.calls + 1)]


def _called(state: HallState, life: WindowLife) -> Ticket:
    ticket = visit_of(state, life)
    if ticket.state is not TicketState.CALLED:
        raise Refusal("service.not_called")
    return ticket


def begin(state: HallState, command: c.BeginService, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = staffed(life)
    return [e.ServiceBegun(ticket=_called(state, life).id, window=life.id, staff=staff)]


def no_show(state: HallState, command: c.MarkNoShow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = staffed(life)
    ticket = visit_of(state, life)
    if ticket.state is not TicketState.CALLED:
        raise Refusal("window.busy", number=ticket.number)
    return [e.TicketNoShow(ticket=ticket.id, window=life.id, staff=staff)]


def hand_back(state: HallState, command: c.HandBack, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = staffed(life)
    ticket = _called(state, life)
    line = line_for(state, ticket.home, ticket.queue)
    placing = e.Placing(line=line, at=ticket.place_at, priority=ticket.priority)
    return [e.TicketHandedBack(ticket=ticket.id, window=life.id, staff=staff, placing=placing)]


def park(state: HallState, command: c.ParkVisit, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = staffed(life)
    minutes = command.minutes
    return [
        e.TicketParked(
            ticket=visit_of(state, life).id,
            window=life.id,
            staff=staff,
            reason=command.reason,
            until=now + minutes * MINUTE_MS if minutes is not None else None,
            mine=command.mine,
        )
    ]


def add_item(state: HallState, command: c.AddItem, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    ticket = visit_of(state, life)
    item = item_of(state, command.item)
    if item.id == ticket.item or item.id in ticket.todo:
        raise Refusal("ticket.item_twice")
    if len(ticket.todo) + 1 >= c.MAX_CHAIN:
        raise Refusal("ticket.chain_too_long", most=c.MAX_CHAIN)
    return [e.ItemAdded(ticket=ticket.id, item=item.id)]


# ---- finishing ----------------------------------------------------------------------------------


def finish(state: HallState, command: c.FinishService, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = staffed(life)
    ticket = visit_of(state, life)
    if ticket.state is not TicketState.SERVING:
        raise Refusal("service.not_begun")
    back = None if command.stay else _way_back(state, ticket, now)
    finished = e.ServiceFinished(
        ticket=ticket.id,
        window=life.id,
        staff=staff,
        case=_case_number(state, ticket),
        onward=_onward(state, ticket, now) if back is None else None,
        back=back,
    )
    events = [*_former_rating(state, life), finished]
    if command.stay:
        events += _stay(state, life, ticket)
    return events


def _case_number(state: HallState, ticket: Ticket) -> str:
    """Hall, day, queue and number under which the ticket was given; further items count on."""
    hall = state.config.hall.id if state.config is not None else ""
    day, queue = ticket.id[:10].replace("-", ""), ticket.id[11:].rpartition("-")[0]
    number = f"{hall}-{day}-{queue}-{ticket.serial:04d}"
    return f"{number}-{len(ticket.cases) + 1}" if ticket.cases else number


def _former_rating(state: HallState, life: WindowLife) -> list[e.EventBody]:
    """Nobody can rate the former visit at this pad any more."""
    if life.to_rate is None:
        return []
    former = state.tickets[life.to_rate]
    case = former.case_by(life.to_rate_case)
    return close_rating(former, case, NotRatedReason.TIMEOUT) if case is not None else []


def _onward(state: HallState, ticket: Ticket, now: int) -> e.Onward | None:
    known = [one for one in ticket.todo if one in state.items]
    if not known:
        return None
    item = state.items[known[0]]
    placing = place_in(state, item.queue, ticket, state.rules.returning.chained, now)
    return e.Onward(item=item.id, queue=item.queue, department=item.department, placing=placing)


def _way_back(state: HallState, ticket: Ticket, now: int) -> e.Onward | None:
    """What a clerk left undone to send the visitor here comes before the items still to come."""
    if not ticket.back:
        return None
    errand = ticket.back[-1]
    line = line_for(state, errand.line, errand.queue)
    at = place_first(state, line, ticket, now)
    placing = e.Placing(line=line, at=at, priority=ticket.priority)
    return e.Onward(
        item=errand.item, queue=errand.queue, department=errand.department, placing=placing
    )


def _stay(state: HallState, life: WindowLife, ticket: Ticket) -> list[e.EventBody]:
    """The next item goes on here: nobody is called in between."""
    known = [state.items[one] for one in ticket.todo if one in state.items]
    if not known:
        raise Refusal("ticket.no_next_item", number=ticket.number)
    staff = staffed(life)
    if known[0].skill and known[0].skill not in state.staff[staff].skills:
        raise Refusal("call.skill_missing", number=ticket.number)
    return [
        e.TicketCalled(ticket=ticket.id, window=life.id, staff=staff, reason="chain"),
        e.ServiceBegun(ticket=ticket.id, window=life.id, staff=staff),
    ]


# ---- sending on ---------------------------------------------------------------------------------


def transfer(state: HallState, command: c.TransferVisit, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = staffed(life)
    ticket = visit_of(state, life)
    item = item_of(state, command.item) if command.item is not None else None
    queue, line = _target(state, life, ticket, item, command)
    wanted = item or state.items.get(ticket.item)
    return [
        e.TicketTransferred(
            ticket=ticket.id,
            window=life.id,
            staff=staff,
            item=wanted.id if wanted is not None else ticket.item,
            queue=queue,
            department=wanted.department if wanted is not None else ticket.department,
            placing=place_in(state, line, ticket, command.place, now),
            back=window_line(life.id) if command.back else "",
            note=command.note,
        )
    ]


def _target(
    state: HallState,
    life: WindowLife,
    ticket: Ticket,
    item: Item | None,
    command: c.TransferVisit,
) -> tuple[QueueId, str]:
    """Queue and line of a transfer; exactly one target, or another item alone."""
    named = [
        one for one in (command.to_queue, command.to_window, command.to_staff) if one is not None
    ]
    queue = item.queue if item is not None else ticket.queue
    if len(named) > 1 or (not named and item is None):
        raise Refusal("transfer.one_target")
    if command.to_window is not None:
        return queue, _to_window(state, life, command)
    if command.to_staff is not None:
        return queue, _to_staff(state, life, command)
    target = command.to_queue if command.to_queue is not None else queue
    if target not in state.queues:
        raise Refusal("queue.unknown")
    if item is not None and item.queue != target:
        raise Refusal("transfer.item_elsewhere", item=item.name)
    if target == ticket.queue and item is None and command.place is Place.KEPT:
        raise Refusal("transfer.same_queue", queue=state.queues[target].name)
    return target, target


def _to_window(state: HallState, life: WindowLife, command: c.TransferVisit) -> str:
    assert command.to_window is not None
    target = window_of(state, command.to_window)
    if target.id == life.id:
        raise Refusal("transfer.same_window")
    if target.state is WindowState.CLOSED:
        raise Refusal("transfer.window_closed", window=state.window_config[target.id].number)
    return window_line(target.id)


def _to_staff(state: HallState, life: WindowLife, command: c.TransferVisit) -> str:
    assert command.to_staff is not None
    person = state.staff.get(command.to_staff)
    if person is None:
        raise Refusal("staff.unknown")
    if person.id == life.staff:
        raise Refusal("transfer.same_window")
    if all(
        one.staff != person.id or one.state is WindowState.CLOSED for one in state.windows.values()
    ):
        raise Refusal("transfer.staff_away", staff=person.name)
    return staff_line(person.id)
