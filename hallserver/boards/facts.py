"""What a board may know of the hall: calls, counts, notices. No clear name, no certificate."""

from dataclasses import dataclass

from hallserver.engine.days import offset_minutes
from hallserver.engine.lines import count, window_line
from hallserver.engine.state import Board, HallState, Ticket
from qingting.contract.config import Window
from qingting.contract.ids import Millis, TicketId, WindowId
from qingting.contract.layouts import (
    Scope,
    ScopeAreas,
    ScopeDepartments,
    ScopeHall,
    ScopeWindows,
)
from qingting.contract.states import TicketState, WindowState

ON_THE_WAY = (TicketState.CALLED, TicketState.SERVING)
"""States of a ticket whose call is still true."""
Both = tuple[str, str]
"""Chinese and English; the second may be empty."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One called ticket. ``name`` is masked; ``active`` while the visitor is expected or served."""

    ticket: TicketId
    number: str
    window: str
    window_name: Both
    place: Both
    name: str
    item: Both
    department: Both
    call_no: int
    called_at: Millis
    active: bool


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """The one window of a board that hangs above it."""

    number: str
    name: Both
    place: Both
    state: WindowState


@dataclass(frozen=True, slots=True)
class HallFacts:
    """The hall as far as a board's scope goes. ``calls`` has the newest first; ``waiting`` counts those who
    wait for one of the scope's windows. ``since`` is the beginning of the business day."""

    hall: Both
    notice: Both
    waiting: int
    calls: tuple[CallFacts, ...]
    window: WindowFacts | None
    offset_minutes: int
    since: Millis


def windows_in(state: HallState, scope: Scope) -> set[WindowId]:
    """The windows whose calls a board with this scope shows, whatever item they are for."""
    every = state.window_config.values()
    match scope:
        case ScopeHall():
            return {one.id for one in every}
        case ScopeAreas(areas=areas):
            return {one.id for one in every if one.area in areas}
        case ScopeWindows(windows=windows):
            return set(windows)
        case ScopeDepartments(departments=departments):
            return {one.id for one in every if one.department in departments}


def in_scope(state: HallState, scope: Scope, ticket: Ticket, window: WindowId) -> bool:
    """True when a call of ``ticket`` to ``window`` belongs on such a board."""
    if window in windows_in(state, scope):
        return True
    if not isinstance(scope, ScopeDepartments):
        return False
    config = state.window_config.get(window)
    # A window for all (综合窗口) belongs to no department; the item then says whose visitor it is.
    return (
        config is not None
        and config.department is None
        and (ticket.department in scope.departments)
    )


def facts_of(state: HallState, scope: Scope, since: Millis) -> HallFacts:
    """What a board with this scope may show now."""
    config = state.config
    hall = config.hall if config is not None else None
    calls = []
    for line in reversed(state.board):
        window = state.window_config.get(line.window)
        ticket = state.tickets[line.ticket]
        if window is not None and in_scope(state, scope, ticket, line.window):
            calls.append(_call(state, line, ticket, window))
    return HallFacts(
        hall=(hall.name, hall.name_en) if hall is not None else ("", ""),
        notice=(state.notice, state.notice_en),
        waiting=_waiting(state, scope),
        calls=tuple(calls),
        window=_window(state, scope),
        offset_minutes=offset_minutes(config),
        since=since,
    )


def _call(state: HallState, line: Board, ticket: Ticket, window: Window) -> CallFacts:
    item = state.items.get(ticket.item)
    department = state.departments.get(ticket.department)
    return CallFacts(
        ticket=ticket.id,
        number=ticket.number,
        window=window.number,
        window_name=(window.name, window.name_en),
        place=(window.place, window.place_en),
        name=ticket.person.masked_name if ticket.person is not None else "",
        item=(item.name, item.name_en) if item is not None else ("", ""),
        department=(department.name, department.name_en) if department is not None else ("", ""),
        call_no=line.call_no,
        called_at=line.called_at,
        active=ticket.state in ON_THE_WAY,
    )


def _waiting(state: HallState, scope: Scope) -> int:
    if isinstance(scope, ScopeHall):
        return sum(count(state, line) for line in state.lines)
    inside = windows_in(state, scope)
    queues = {
        queue for one in state.window_config.values() if one.id in inside for queue in one.queues
    }
    lines = {*queues, *(window_line(one) for one in inside)}
    return sum(count(state, line) for line in lines)


def _window(state: HallState, scope: Scope) -> WindowFacts | None:
    if not isinstance(scope, ScopeWindows) or len(scope.windows) != 1:
        return None
    config = state.window_config.get(scope.windows[0])
    if config is None:
        return None
    return WindowFacts(
        config.number,
        (config.name, config.name_en),
        (config.place, config.place_en),
        state.windows[config.id].state,
    )
