"""From ``print.requested`` to the agent and back: every job ends as printed, failed or unknown.

A job that was never handed to an agent fails; one that was handed over and not answered is unknown,
because it may lie in the printer's exit. Nothing is ever printed again without a person asking.
"""

from dataclasses import dataclass

from hallserver.engine.state import DeviceLife, HallState, Ticket
from hallserver.engine.tickets import ticket_document
from qingting.contract.commands import ReportPrint
from qingting.contract.conditions import blocks_printing
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import PrintJob
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    PrintOutcome,
    PrintState,
)
from qingting.kernel.aio.clock import Clock

ANSWER_SECONDS = 30.0
"""A job handed to an agent is settled after this, as unknown."""
HANDOVER_SECONDS = 3.0
"""How long a job waits for an agent that has just dropped off and may be back at once."""
JobId = tuple[TicketId, int]
_REACHABLE = (DeviceState.READY, DeviceState.DEGRADED)


@dataclass(slots=True)
class _Pending:
    """``asked`` and ``handed`` are monotonic seconds; ``handed`` is None before an agent had it."""

    asked: float
    handed: float | None


class PrintDesk:
    """Decides what to do with each pending job; the hub carries it out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[JobId, _Pending] = {}

    def adopt(self, state: HallState) -> None:
        """After a start: jobs of the log may have been with an agent, so they get a full wait."""
        now = self._clock.monotonic()
        for ticket in state.tickets.values():
            if is_pending(ticket):
                self._jobs.setdefault((ticket.id, ticket.attempt), _Pending(now, now))

    def asked(self, ticket: TicketId, attempt: int) -> None:
        self._jobs.setdefault((ticket, attempt), _Pending(self._clock.monotonic(), None))

    def handed(self, ticket: TicketId, attempt: int) -> None:
        """An agent has the job from now on."""
        job = self._jobs.get((ticket, attempt))
        if job is not None:
            job.handed = self._clock.monotonic()

    def settled(self, ticket: TicketId) -> None:
        for job in [one for one in self._jobs if one[0] == ticket]:
            del self._jobs[job]

    def waiting(self, state: HallState) -> list[Ticket]:
        """Tickets whose paper is still open, in the order of asking; forgets jobs that are over."""
        found = []
        for ticket_id, attempt in list(self._jobs):
            ticket = state.tickets.get(ticket_id)
            if ticket is None or not is_pending(ticket) or ticket.attempt != attempt:
                del self._jobs[ticket_id, attempt]
            else:
                found.append(ticket)
        return found

    def not_handed(self, ticket: Ticket) -> bool:
        job = self._jobs.get((ticket.id, ticket.attempt))
        return job is not None and job.handed is None

    def overdue(self, state: HallState) -> list[ReportPrint]:
        """Jobs whose time is over: failed when no agent ever had them, else unknown."""
        now = self._clock.monotonic()
        reports = []
        for ticket in self.waiting(state):
            job = self._jobs[ticket.id, ticket.attempt]
            if job.handed is None:
                if now - job.asked >= HANDOVER_SECONDS:
                    reports.append(failed(ticket, Condition.OFFLINE))
            elif now - job.handed >= ANSWER_SECONDS:
                reports.append(_report(ticket, PrintOutcome.UNKNOWN, None))
        return reports


def is_pending(ticket: Ticket) -> bool:
    return ticket.attempt > 0 and ticket.print_state is PrintState.PENDING


def failed(ticket: Ticket, cause: Condition) -> ReportPrint:
    return _report(ticket, PrintOutcome.FAILED, cause)


def _report(ticket: Ticket, outcome: PrintOutcome, cause: Condition | None) -> ReportPrint:
    return ReportPrint(ticket=ticket.id, attempt=ticket.attempt, outcome=outcome, cause=cause)


def printer_fault(state: HallState, printer: DeviceId | None) -> Condition | None:
    """Why the printer must not be given a job now; None when it may."""
    life = state.devices.get(printer) if printer is not None else None
    if life is None or life.kind is not DeviceKind.PRINTER:
        return Condition.OFFLINE
    faults = [one for one in life.conditions if blocks_printing(one)]
    if faults:
        return _worst(life, faults)
    return None if life.state in _REACHABLE else Condition.OFFLINE


def _worst(life: DeviceLife, faults: list[Condition]) -> Condition:
    """A printer that does not answer is offline, whatever else was known of it."""
    if life.state not in _REACHABLE:
        return Condition.OFFLINE
    return min(faults, key=lambda one: life.conditions[one])


def job_of(state: HallState, ticket: Ticket, base_url: str) -> PrintJob:
    """The job for a ticket's present attempt. Attempts after the first were asked for by a person."""
    assert ticket.print_device is not None
    return PrintJob(
        ticket=ticket.id,
        attempt=ticket.attempt,
        printer=ticket.print_device,
        issued_at=ticket.print_asked_at,
        document=ticket_document(state, ticket.id, base_url),
        again=ticket.attempt > 1,
    )
