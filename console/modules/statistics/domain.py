"""How tickets, windows and bookings change with events: pure rules over rows."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from qingting.contract import events as e
from qingting.contract.rules import ORDINARY
from qingting.contract.states import BookingState, Origin, PrintState, TicketState, WindowState

Row = dict[str, Any]


@dataclass(slots=True)
class Rows:
    """The rows of one hall that a batch touches."""

    tickets: dict[str, Row] = field(default_factory=dict)
    windows: dict[str, Row] = field(default_factory=dict)
    bookings: dict[str, Row] = field(default_factory=dict)


class Touched(NamedTuple):
    """What an event is about, by id."""

    ticket: str | None = None
    window: str | None = None
    booking: str | None = None


def touched(event: e.Event) -> Touched:
    """Ticket, window and booking that ``event`` is about; all None when it is about none."""
    body = event.b
    match body:
        case e.TicketIssued():
            return Touched(body.ticket, None, body.booking)
        case (
            e.TicketCalled() | e.TicketRecalled() | e.ServiceBegun() | e.ServiceFinished()
            | e.TicketNoShow() | e.TicketCancelled() | e.PrintReported() | e.TicketParked()
            | e.TicketReturned() | e.TicketTransferred() | e.TicketHandedBack() | e.PrioritySet()
            | e.ItemAdded()
        ):  # fmt: skip
            return Touched(body.ticket, getattr(body, "window", None))
        case e.WindowOpened() | e.WindowPaused() | e.WindowClosed():
            return Touched(window=body.window)
        case e.BookingPut():
            return Touched(booking=body.booking.id)
        case e.BookingDropped() | e.BookingMissed():
            return Touched(booking=body.booking)
        case _:
            return Touched()


def fold(rows: Rows, event: e.Event) -> None:
    """Applies one event. ``KeyError`` for a ticket that the log never issued."""
    body, at = event.b, event.at
    match body:
        case e.TicketIssued():
            rows.tickets[body.ticket] = _issued(body, at)
            if body.booking is not None:
                rows.bookings[body.booking]["state"] = BookingState.ARRIVED.value
        case e.TicketCalled():
            _called(rows, body, at)
        case e.ServiceBegun():
            rows.tickets[body.ticket].update(state=TicketState.SERVING.value, begun_at=at)
        case e.ServiceFinished():
            _finished(rows, body, at)
        case e.TicketNoShow() | e.TicketCancelled():
            _end(rows, body.ticket, _ENDS[type(body)], at)
        case e.BookingPut() | e.BookingDropped() | e.BookingMissed():
            _booking(rows.bookings, body)
        case e.WindowOpened() | e.WindowPaused() | e.WindowClosed():
            _set_window(rows, body, at)
        case _:
            _move(rows, body)


_ENDS: dict[type, TicketState] = {
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
    row.update(ended_at=None, until=None)
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
        "issued_at": body.taken_at if body.taken_at is not None else at,
        "called_at": None,
        "begun_at": None,
        "ended_at": None,
        "win": None,
        "staff": None,
        "calls": 0,
        "print_state": (
            PrintState.PRINTED if body.origin is Origin.LEASED else PrintState.PENDING
        ).value,
        "priority": body.placing.priority if body.placing is not None else ORDINARY,
        "origin": body.origin.value,
        "booking": body.booking,
        "late": body.late,
        "party": body.party,
        "items": 1 + len(body.more),
        "cases": 0,
        "until": None,
    }


def _end(rows: Rows, ticket: str, state: TicketState, at: int) -> None:
    rows.tickets[ticket].update(state=state.value, ended_at=at, until=None)
    _leave_window(rows, ticket)


def _leave_window(rows: Rows, ticket: str) -> None:
    window = rows.windows.get(rows.tickets[ticket]["win"] or "")
    if window is not None and window["ticket"] == ticket:
        window["ticket"] = None


def _finished(rows: Rows, body: e.ServiceFinished, at: int) -> None:
    """A case is done; the ticket may go on with its next item, or back to who sent it."""
    row = rows.tickets[body.ticket]
    row["cases"] += 1
    onward = body.onward or body.back
    if onward is None:
        _end(rows, body.ticket, TicketState.DONE, at)
        return
    row.update(
        state=TicketState.WAITING.value,
        item=onward.item,
        queue=onward.queue,
        department=onward.department,
    )
    _leave_window(rows, body.ticket)


def _move(rows: Rows, body: e.EventBody) -> None:
    """What changes a ticket without a call, a beginning or an end."""
    match body:
        case e.PrintReported():
            row = rows.tickets[body.ticket]
            if (
                row["print_state"] != PrintState.PRINTED.value
            ):  # a failed reprint leaves the paper in hand
                row["print_state"] = PrintState(body.outcome.value).value
        case e.TicketRecalled():
            rows.tickets[body.ticket]["calls"] = body.calls
        case e.PrioritySet():
            rows.tickets[body.ticket]["priority"] = body.placing.priority
        case e.ItemAdded():
            rows.tickets[body.ticket]["items"] += 1
        case e.TicketParked() | e.TicketTransferred() | e.TicketHandedBack():
            _send_away(rows, body)
        case e.TicketReturned():
            rows.tickets[body.ticket].update(
                state=TicketState.WAITING.value, ended_at=None, until=None
            )
        case _:
            pass


def _send_away(rows: Rows, body: e.TicketParked | e.TicketTransferred | e.TicketHandedBack) -> None:
    row = rows.tickets[body.ticket]
    row["state"] = TicketState.WAITING.value
    if isinstance(body, e.TicketParked):
        row.update(state=TicketState.PARKED.value, until=body.until)
    elif isinstance(body, e.TicketTransferred):
        row.update(item=body.item, queue=body.queue, department=body.department)
    _leave_window(rows, body.ticket)


def _booking(
    bookings: dict[str, Row], body: e.BookingPut | e.BookingDropped | e.BookingMissed
) -> None:
    if isinstance(body, e.BookingPut):
        one = body.booking
        bookings[one.id] = {
            "id": one.id,
            "day": date.fromisoformat(one.day),
            "starts": one.start,
            "party": one.party,
            "state": BookingState.DUE.value,
        }
        return
    dropped = isinstance(body, e.BookingDropped)
    state = BookingState.CANCELLED if dropped else BookingState.MISSED
    bookings[body.booking]["state"] = state.value


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
