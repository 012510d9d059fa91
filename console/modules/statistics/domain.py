"""How tickets and windows change with events: pure rules over rows."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from qingting.contract import events as e
from qingting.contract.states import PrintState, TicketState, WindowState

Row = dict[str, Any]


@dataclass(slots=True)
class Rows:
    """The rows of one hall that a batch touches."""

    tickets: dict[str, Row] = field(default_factory=dict)
    windows: dict[str, Row] = field(default_factory=dict)


def touched(event: e.Event) -> tuple[str | None, str | None]:
    """Ticket and window that ``event`` is about."""
    match event.b:
        case (
            e.TicketIssued() | e.TicketCalled() | e.TicketRecalled() | e.ServiceBegun()
            | e.ServiceFinished() | e.TicketNoShow() | e.TicketCancelled() | e.PrintReported()
        ):  # fmt: skip
            return event.b.ticket, getattr(event.b, "window", None)
        case (
            e.WindowOpened(window=window)
            | e.WindowPaused(window=window)
            | e.WindowClosed(window=window)
        ):
            return None, window
        case _:
            return None, None


def fold(rows: Rows, event: e.Event) -> None:
    """Applies one event. ``KeyError`` for a ticket that the log never issued."""
    body, at = event.b, event.at
    match body:
        case e.TicketIssued():
            rows.tickets[body.ticket] = _issued(body, at)
        case e.PrintReported():
            rows.tickets[body.ticket]["print_state"] = PrintState(body.outcome.value).value
        case e.TicketCalled():
            _called(rows, body, at)
        case e.TicketRecalled():
            rows.tickets[body.ticket]["calls"] = body.calls
        case e.ServiceBegun():
            rows.tickets[body.ticket].update(state=TicketState.SERVING.value, begun_at=at)
        case e.ServiceFinished() | e.TicketNoShow() | e.TicketCancelled():
            _end(rows, body.ticket, _ENDS[type(body)], at)
        case e.WindowOpened() | e.WindowPaused() | e.WindowClosed():
            _set_window(rows, body, at)
        case _:
            pass


_ENDS: dict[type, TicketState] = {
    e.ServiceFinished: TicketState.DONE,
    e.TicketNoShow: TicketState.NO_SHOW,
    e.TicketCancelled: TicketState.CANCELLED,
}
_WINDOW_STATES: dict[type, WindowState] = {
    e.WindowOpened: WindowState.OPEN,
    e.WindowPaused: WindowState.PAUSED,
    e.WindowClosed: WindowState.CLOSED,
}


def _called(rows: Rows, body: e.TicketCalled, at: int) -> None:
    row = rows.tickets[body.ticket]
    row.update(state=TicketState.CALLED.value, win=body.window, staff=body.staff, calls=1)
    row["called_at"] = row["called_at"] or at
    _window(rows, body.window)["ticket"] = body.ticket


def _issued(body: e.TicketIssued, at: int) -> Row:
    return {
        "id": body.ticket,
        "day": date.fromisoformat(body.day),
        "number": body.number,
        "queue": body.queue,
        "item": body.item,
        "department": body.department,
        "state": TicketState.WAITING.value,
        "issued_at": at,
        "called_at": None,
        "begun_at": None,
        "ended_at": None,
        "win": None,
        "staff": None,
        "calls": 0,
        "print_state": PrintState.PENDING.value,
    }


def _end(rows: Rows, ticket: str, state: TicketState, at: int) -> None:
    row = rows.tickets[ticket]
    row.update(state=state.value, ended_at=at)
    window = rows.windows.get(row["win"] or "")
    if window is not None and window["ticket"] == ticket:
        window["ticket"] = None


def _window(rows: Rows, window: str) -> Row:
    return rows.windows.setdefault(
        window,
        {
            "id": window,
            "state": WindowState.OPEN.value,
            "staff": "",
            "ticket": None,
            "reason": "",
            "since": 0,
        },
    )


def _set_window(
    rows: Rows, body: e.WindowOpened | e.WindowPaused | e.WindowClosed, at: int
) -> None:
    row, state = _window(rows, body.window), _WINDOW_STATES[type(body)]
    if row["state"] != state.value or not row["since"]:
        row["since"] = at
    row["state"] = state.value
    row["reason"] = body.reason if isinstance(body, e.WindowPaused) else ""
    row["staff"] = "" if state is WindowState.CLOSED else body.staff
    if state is WindowState.CLOSED:
        row["ticket"] = None
