"""Rules of windows: opening, calling, serving."""

from hallserver.engine.calling import next_ticket
from hallserver.engine.decide_tickets import close_rating
from hallserver.engine.state import HallState, Ticket, WindowLife, staff_name
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.ids import StaffId, WindowId
from qingting.contract.states import NotRatedReason, TicketState, WindowState

RECALL_PAUSE_MS = 5_000
"""Least time between two calls of the same visitor, so that an announcement can end."""


def window_of(state: HallState, window: WindowId) -> WindowLife:
    """The window, or refusal ``window.unknown``."""
    life = state.windows.get(window)
    if life is None or window not in state.window_config:
        raise Refusal("window.unknown")
    return life


def _staffed(life: WindowLife) -> StaffId:
    if life.state is WindowState.CLOSED or life.staff is None:
        raise Refusal("window.not_open")
    return life.staff


def _visit(state: HallState, life: WindowLife) -> Ticket:
    if life.ticket is None:
        raise Refusal("window.idle")
    return state.tickets[life.ticket]


def _refuse_busy(state: HallState, life: WindowLife) -> None:
    if life.ticket is not None:
        raise Refusal("window.busy", number=state.tickets[life.ticket].number)


def call_next(state: HallState, command: c.CallNext, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = _staffed(life)
    if life.state is not WindowState.OPEN:
        raise Refusal("window.not_open")
    _refuse_busy(state, life)
    choice = next_ticket(state, life.id)
    if choice is None:
        raise Refusal("call.nobody_waiting")
    return [e.TicketCalled(ticket=choice.ticket, window=life.id, staff=staff, reason=choice.reason)]


def recall(state: HallState, command: c.Recall, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    ticket = _visit(state, life)
    if ticket.state is not TicketState.CALLED:
        raise Refusal("service.not_called")
    pause = ticket.last_call_at + RECALL_PAUSE_MS - now
    if pause > 0:
        raise Refusal("call.recall_too_soon", seconds=-(-pause // 1000))
    return [e.TicketRecalled(ticket=ticket.id, window=life.id, calls=ticket.calls + 1)]


def begin(state: HallState, command: c.BeginService, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = _staffed(life)
    ticket = _visit(state, life)
    if ticket.state is not TicketState.CALLED:
        raise Refusal("service.not_called")
    return [e.ServiceBegun(ticket=ticket.id, window=life.id, staff=staff)]


def finish(state: HallState, command: c.FinishService, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = _staffed(life)
    ticket = _visit(state, life)
    if ticket.state is not TicketState.SERVING:
        raise Refusal("service.not_begun")
    hall = state.config.hall.id if state.config is not None else ""
    case = f"{hall}-{(state.day or '').replace('-', '')}-{ticket.queue}-{ticket.serial:04d}"
    former: list[e.EventBody] = []
    if life.to_rate is not None:
        former = close_rating(state.tickets[life.to_rate], NotRatedReason.TIMEOUT)
    return [*former, e.ServiceFinished(ticket=ticket.id, window=life.id, staff=staff, case=case)]


def no_show(state: HallState, command: c.MarkNoShow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = _staffed(life)
    ticket = _visit(state, life)
    if ticket.state is not TicketState.CALLED:
        raise Refusal("window.busy", number=ticket.number)
    return [e.TicketNoShow(ticket=ticket.id, window=life.id, staff=staff)]


def open_window(state: HallState, command: c.OpenWindow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    if command.staff not in state.staff:
        raise Refusal("staff.unknown")
    if life.state is not WindowState.CLOSED and life.staff not in (None, command.staff):
        number = state.window_config[life.id].number
        raise Refusal("window.taken", window=number, staff=staff_name(state, life) or "—")
    if life.state is WindowState.OPEN:
        return []
    events: list[e.EventBody] = []
    for other in state.windows.values():
        if (
            other.id != life.id
            and other.staff == command.staff
            and other.state is not WindowState.CLOSED
        ):
            _refuse_busy(state, other)
            events.append(e.WindowClosed(window=other.id, staff=command.staff))
    events.append(e.WindowOpened(window=life.id, staff=command.staff))
    return events


def pause(state: HallState, command: c.PauseWindow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = _staffed(life)
    _refuse_busy(state, life)
    if life.state is WindowState.PAUSED and life.reason == command.reason:
        return []
    return [e.WindowPaused(window=life.id, staff=staff, reason=command.reason)]


def close_window(state: HallState, command: c.CloseWindow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    if life.state is WindowState.CLOSED or life.staff is None:
        return []
    _refuse_busy(state, life)
    return [e.WindowClosed(window=life.id, staff=life.staff)]
