"""Rules of windows: opening, shifts, pausing, closing, lending."""

from hallserver.engine.days import MINUTE_MS
from hallserver.engine.lines import staff_line, window_line
from hallserver.engine.roster import on_shift
from hallserver.engine.state import HallState, Ticket, WindowLife, staff_name
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis, StaffId, WindowId
from qingting.contract.states import ReturnCause, WindowState


def window_of(state: HallState, window: WindowId) -> WindowLife:
    """The window, or refusal ``window.unknown``."""
    life = state.windows.get(window)
    if life is None or window not in state.window_config:
        raise Refusal("window.unknown")
    return life


def staffed(life: WindowLife) -> StaffId:
    """Who serves at a window, or refusal ``window.not_open``."""
    if life.state is WindowState.CLOSED or life.staff is None:
        raise Refusal("window.not_open")
    return life.staff


def visit_of(state: HallState, life: WindowLife) -> Ticket:
    """The visitor at a window, or refusal ``window.idle``."""
    if life.ticket is None:
        raise Refusal("window.idle")
    return state.tickets[life.ticket]


def refuse_busy(state: HallState, life: WindowLife) -> None:
    if life.ticket is not None:
        raise Refusal("window.busy", number=state.tickets[life.ticket].number)


def open_window(state: HallState, command: c.OpenWindow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    if command.staff not in state.staff:
        raise Refusal("staff.unknown")
    events: list[e.EventBody] = []
    if life.state is not WindowState.CLOSED and life.staff not in (None, command.staff):
        events += _take_over(state, life, command.staff, now)
    elif life.state is WindowState.OPEN:
        return []
    for other in state.windows.values():
        if (
            other.id != life.id
            and other.staff == command.staff
            and other.state is not WindowState.CLOSED
        ):
            refuse_busy(state, other)
            events += _closing(state, other, [window_line(other.id)])
    events.append(e.WindowOpened(window=life.id, staff=command.staff))
    return events


def _take_over(
    state: HallState, life: WindowLife, staff: StaffId, now: Millis
) -> list[e.EventBody]:
    """The next shift's clerk takes an idle window; anybody else finds it taken."""
    if not on_shift(state, staff, life.id, now):
        number = state.window_config[life.id].number
        raise Refusal("window.taken", window=number, staff=staff_name(state, life) or "—")
    refuse_busy(state, life)
    assert life.staff is not None
    return _closing(state, life, [staff_line(life.staff)])


def pause(state: HallState, command: c.PauseWindow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    staff = staffed(life)
    refuse_busy(state, life)
    if life.state is WindowState.PAUSED and life.reason == command.reason:
        return []
    return [e.WindowPaused(window=life.id, staff=staff, reason=command.reason)]


def close_window(state: HallState, command: c.CloseWindow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    if life.state is WindowState.CLOSED or life.staff is None:
        return []
    refuse_busy(state, life)
    return closing(state, life)


def closing(state: HallState, life: WindowLife) -> list[e.EventBody]:
    """The clerk of an idle window goes, and nobody takes their place."""
    assert life.staff is not None
    return _closing(state, life, [window_line(life.id), staff_line(life.staff)])


def _closing(state: HallState, life: WindowLife, lines: list[str]) -> list[e.EventBody]:
    """Who was sent to what is not there any more waits in the queue again, at the same place."""
    assert life.staff is not None
    returned: list[e.EventBody] = [
        e.TicketReturned(
            ticket=one,
            cause=ReturnCause.WINDOW_CLOSED,
            placing=e.Placing(
                line=state.tickets[one].queue,
                at=state.tickets[one].place_at,
                priority=state.tickets[one].priority,
            ),
        )
        for line in lines
        for row in state.lines.get(line, {}).values()
        for one in row
    ]
    return [*returned, e.WindowClosed(window=life.id, staff=life.staff)]


def lend(state: HallState, command: c.LendWindow, now: int) -> list[e.EventBody]:
    life = window_of(state, command.window)
    for queue in command.queues:
        if queue not in state.queues:
            raise Refusal("queue.unknown")
    own = state.window_config[life.id].queues
    queues = tuple(dict.fromkeys(one for one in command.queues if one not in own))
    if command.queues and not queues:
        raise Refusal("window.serves_already", window=state.window_config[life.id].number)
    if not queues and not (life.lent and now < life.lent_until):
        return []
    until = now + command.minutes * MINUTE_MS if queues else now
    return [e.WindowLent(window=life.id, queues=queues, until=until)]
