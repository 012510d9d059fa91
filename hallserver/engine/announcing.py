"""Which calls have been made and which board has said them (语音播报). The truth is the log: a board that
comes back is told what it owes, and nothing that it has said before."""

from hallserver.engine.state import Call, HallState, Ticket
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis, TicketId
from qingting.contract.states import DeviceKind

KEPT_MS = 900_000
"""How long a call can still be owed, the largest ``too_old_seconds`` that a hall may set."""


def note_call(state: HallState, ticket: Ticket, at: Millis) -> None:
    """A call or a recall was made; its number is ``state.call_no``. Old calls are forgotten."""
    if ticket.window is None:
        return
    call = state.calls.pop(ticket.id, None) or Call(ticket=ticket.id, window=ticket.window)
    call.window = ticket.window
    call.numbers.append(state.call_no)
    call.at.append(at)
    call.unsaid.clear()
    state.calls[ticket.id] = call
    # Ordered by the latest call, so the old ones are at the front.
    while (oldest := next(iter(state.calls.values()))).at[-1] < at - KEPT_MS:
        del state.calls[oldest.ticket]


def note_said(state: HallState, body: e.CallAnnounced) -> None:
    """A board has said a call and every earlier one of the same ticket."""
    call = state.calls.get(body.ticket)
    if call is not None:
        call.said[body.device] = max(call.said.get(body.device, 0), body.call_no)


def note_unsaid(state: HallState, body: e.CallUnsaid, at: Millis) -> None:
    """A loudspeaker broke off; what it tries at a later number counts anew."""
    call = state.calls.get(body.ticket)
    if call is not None and call.numbers[-1] == body.call_no:
        call.unsaid[body.device] = call.unsaid.get(body.device, 0) + 1
        call.unsaid_at = at


def announced(state: HallState, command: c.ReportAnnounced, now: Millis) -> list[e.EventBody]:
    """A board or loudspeaker reports that it has said a call. One that is not known any more, or was reported
    before, is nothing new."""
    life = state.devices.get(command.device)
    if life is None or life.kind not in (DeviceKind.BOARD, DeviceKind.SPEAKER):
        raise Refusal("device.unknown")
    ticket = ticket_of_call(state, command.call_no)
    if ticket is None or state.calls[ticket].said.get(life.id, 0) >= command.call_no:
        return []
    return [e.CallAnnounced(device=life.id, call_no=command.call_no, ticket=ticket)]


def unsaid(state: HallState, command: c.ReportUnsaid, now: Millis) -> list[e.EventBody]:
    """A loudspeaker reports that it broke off; nothing new for a call that is not remembered."""
    life = state.devices.get(command.device)
    if life is None or life.kind is not DeviceKind.SPEAKER:
        raise Refusal("device.unknown")
    ticket = ticket_of_call(state, command.call_no)
    if ticket is None:
        return []
    return [
        e.CallUnsaid(device=life.id, call_no=command.call_no, ticket=ticket, cause=command.cause)
    ]


def ticket_of_call(state: HallState, call_no: int) -> TicketId | None:
    """Whose call a number is, while it is remembered."""
    for call in reversed(state.calls.values()):
        if call_no in call.numbers:
            return call.ticket
    return None
