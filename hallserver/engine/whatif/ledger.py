"""Keeps account of one run of a day, real or replayed: who waited how long, what the windows did."""

from dataclasses import dataclass, field

from hallserver.engine.state import HallState, Ticket
from qingting.contract import events as e
from qingting.contract.ids import Millis, QueueId, TicketId, WindowId
from qingting.contract.rules import ORDINARY
from qingting.contract.states import TicketState, WindowState


@dataclass(slots=True)
class Person:
    """One ticket. ``waits`` are its spells in a line that ended with a call, as (queue, ms)."""

    number: str
    queue: QueueId
    priority: str
    waits: list[tuple[QueueId, Millis]] = field(default_factory=list)
    since: Millis | None = None
    """Stands in line since then."""
    calls: list[tuple[Millis, WindowId]] = field(default_factory=list)
    served: int = 0
    no_shows: int = 0
    left: bool = False

    @property
    def waited(self) -> Millis:
        """All waiting that ended with a call."""
        return sum(ms for _, ms in self.waits)


@dataclass(slots=True)
class Desk:
    """One window: how long it was open, paused, with a visitor."""

    served: int = 0
    no_shows: int = 0
    open_ms: Millis = 0
    paused_ms: Millis = 0
    busy_ms: Millis = 0
    run: int = 0
    """Calls of priority classes in a row up to now."""
    longest_run: int = 0
    state: WindowState = WindowState.CLOSED
    since: Millis = 0
    busy_since: Millis | None = None

    def turn(self, state: WindowState, at: Millis) -> None:
        if self.state is WindowState.OPEN:
            self.open_ms += at - self.since
        elif self.state is WindowState.PAUSED:
            self.paused_ms += at - self.since
        self.state, self.since = state, at

    def free(self, at: Millis) -> None:
        if self.busy_since is not None:
            self.busy_ms += at - self.busy_since
            self.busy_since = None


class Ledger:
    """Fed with each event after the state has taken it."""

    def __init__(self, opening: HallState, at: Millis) -> None:
        self.people: dict[TicketId, Person] = {}
        self.desks: dict[WindowId, Desk] = {}
        self.order: list[tuple[Millis, TicketId, WindowId]] = []
        """Calls out of a line, in their order."""
        for life in opening.windows.values():
            self.desks[life.id] = Desk(state=life.state, since=at)

    def note(self, state: HallState, body: e.EventBody, at: Millis) -> None:
        match body:
            case e.TicketIssued(ticket=one):
                ticket = state.tickets[one]
                self.people[one] = Person(
                    ticket.number, ticket.queue, ticket.priority, since=ticket.issued_at
                )
            case e.TicketCalled():
                self._called(state, body, at)
            case e.TicketReturned(ticket=one):
                self._stands(state.tickets[one], at)
            case e.TicketCancelled(ticket=one, reason=reason):
                self._gone(state.tickets[one], reason, at)
            case e.PrioritySet(ticket=one, placing=placing):
                self.people[one].priority = placing.priority
            case _:
                self._at_window(state, body, at)

    def _at_window(self, state: HallState, body: e.EventBody, at: Millis) -> None:
        match body:
            case e.ServiceFinished(ticket=one, window=window):
                self.people[one].served += 1
                self._desk(window).served += 1
                self._freed(state.tickets[one], window, at)
            case e.TicketNoShow(ticket=one, window=window):
                self.people[one].no_shows += 1
                self._desk(window).no_shows += 1
                self._freed(state.tickets[one], window, at)
            case e.TicketParked() | e.TicketTransferred() | e.TicketHandedBack():
                self._freed(state.tickets[body.ticket], body.window, at)
            case e.WindowOpened(window=window):
                self._desk(window).turn(WindowState.OPEN, at)
            case e.WindowPaused(window=window):
                self._desk(window).turn(WindowState.PAUSED, at)
            case e.WindowClosed(window=window):
                self._desk(window).turn(WindowState.CLOSED, at)
            case _:
                pass

    def close(self, at: Millis) -> None:
        """The account ends: whatever is open counts up to here."""
        for desk in self.desks.values():
            desk.free(at)
            desk.turn(desk.state, at)

    def _desk(self, window: WindowId) -> Desk:
        return self.desks.setdefault(window, Desk())

    def _called(self, state: HallState, body: e.TicketCalled, at: Millis) -> None:
        person, desk = self.people[body.ticket], self._desk(body.window)
        desk.busy_since = at
        if body.reason == "chain":
            person.since = None
            return
        if person.since is not None:
            home = state.tickets[body.ticket].queue
            person.waits.append((home, max(0, at - person.since)))
        person.since = None
        person.calls.append((at, body.window))
        self.order.append((at, body.ticket, body.window))
        desk.run = desk.run + 1 if state.tickets[body.ticket].priority != ORDINARY else 0
        desk.longest_run = max(desk.longest_run, desk.run)

    def _freed(self, ticket: Ticket, window: WindowId, at: Millis) -> None:
        self._desk(window).free(at)
        self._stands(ticket, at)

    def _stands(self, ticket: Ticket, at: Millis) -> None:
        person = self.people[ticket.id]
        if ticket.state is TicketState.WAITING and person.since is None:
            person.since = at

    def _gone(self, ticket: Ticket, reason: str, at: Millis) -> None:
        person = self.people[ticket.id]
        person.left = reason == "left"
        if person.left:
            person.since = None
        if ticket.window is not None:
            desk = self._desk(ticket.window)
            if desk.busy_since is not None and ticket.called_at == desk.busy_since:
                desk.free(at)
