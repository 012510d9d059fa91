"""What a kiosk may ask."""

from hallserver.engine.state import HallState, Ticket
from hallserver.hub.claims import class_claimed
from hallserver.hub.registry import handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import commands as c
from qingting.contract import hub as h
from qingting.contract.errors import Refusal
from qingting.contract.events import TicketIssued
from qingting.contract.ids import BookingId, DeviceId, TicketId
from qingting.contract.people import Person
from qingting.contract.states import DeviceKind, DeviceState, Role
from qingting.kernel.security.device_keys import new_token

SHOWS_TICKET = frozenset({"ticket.repeat_open", "booking.arrived"})
"""Refusals that name a ticket which the citizen already holds."""


@handles(h.TakeTicket, Role.KIOSK, changes=True)
async def take_ticket(hub: Switchboard, session: Session, body: h.TakeTicket, key: str) -> h.Answer:
    token = body.identity
    person = hub.identity.take(session.device, token, key) if token is not None else None
    command = c.IssueTicket(
        item=body.item,
        token=new_token(),
        device=session.device,
        person=person,
        language=body.language,
        more=body.more,
        party=body.party,
        priority=class_claimed(hub, token, body.priority),
        booking=_proved(hub, session.device, body.booking),
        elder=body.elder,
        face_check=body.face_check,
    )
    try:
        done = await hub.hall.submit(command, key=key, actor=session.actor)
    except Refusal as refusal:
        if command.booking == UNPROVED and refusal.code == "booking.unknown":
            refusal = Refusal("booking.not_shown")
        _show_former(hub, session.device, refusal)
        raise _released(hub, token, key, person, refusal) from refusal
    hub.identity.wipe(session.device)
    issued = next(event.b for event in done.events if isinstance(event.b, TicketIssued))
    return h.Answer(ticket=issued.ticket, number=issued.number)


UNPROVED = BookingId("")
"""Names no booking of any hall."""


def _proved(hub: Switchboard, kiosk: DeviceId, booking: BookingId | None) -> BookingId | None:
    """The booking when it was shown at this kiosk. Whether it was not is only said behind the idempotency key,
    as with :func:`_released`: a repeated press gets its ticket although the kiosk has forgotten the visitor."""
    if booking is None or hub.identity.offered(kiosk, booking):
        return booking
    return UNPROVED


def _released(
    hub: Switchboard, token: str | None, key: str, person: Person | None, refusal: Refusal
) -> Refusal:
    """The refusal to answer with; a token that was good stays good for another press.

    A token that is over is only found out here, behind the idempotency key: the same press repeated
    after its ticket was issued must get that ticket, although its token is gone.
    """
    if token is None:
        return refusal
    if person is None and refusal.code == "ticket.identity_needed":
        return Refusal("identity.token_expired")
    hub.identity.release(token, key)
    return refusal


def _show_former(hub: Switchboard, kiosk: DeviceId, refusal: Refusal) -> None:
    """Who proved that they hold a ticket already may see and reprint it at this kiosk."""
    if refusal.code in SHOWS_TICKET:
        hub.topics.look_up(kiosk, TicketId(str(refusal.params["ticket"])))


@handles(h.LeaveLine, Role.KIOSK, changes=True)
async def leave_line(hub: Switchboard, session: Session, body: h.LeaveLine, key: str) -> None:
    ticket = _ticket_here(hub, session, body.ticket)
    await hub.hall.submit(c.LeaveQueue(ticket=ticket.id), key=key, actor=session.actor)


def _ticket_here(hub: Switchboard, session: Session, ticket_id: TicketId) -> Ticket:
    """A ticket that was taken or shown at this kiosk; raises ``ticket.unknown`` or ``hub.forbidden``."""
    ticket = hub.hall.state.tickets.get(ticket_id)
    if ticket is None:
        raise Refusal("ticket.unknown")
    if ticket.device != session.device and not hub.topics.shows(session.device, ticket.id):
        raise Refusal("hub.forbidden")
    return ticket


@handles(h.Reprint, Role.KIOSK, changes=True)
async def reprint(hub: Switchboard, session: Session, body: h.Reprint, key: str) -> None:
    ticket = _ticket_here(hub, session, body.ticket)
    command = c.ReprintTicket(ticket=ticket.id, device=session.device)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.BeginIdentity, Role.KIOSK)
async def begin_identity(
    hub: Switchboard, session: Session, body: h.BeginIdentity, key: str
) -> None:
    reader = reader_of(hub.hall.state, session.device)
    agent = hub.agent_for(reader) if reader is not None else None
    if agent is None and not hub.cardless_ways(session.device):
        raise Refusal("identity.no_reader")
    hub.identity.wipe(session.device)
    hub.identity.arm(session.device)
    if agent is not None:
        agent.send(h.ArmReader(armed=True))


def reader_of(state: HallState, kiosk: DeviceId) -> DeviceId | None:
    """The kiosk's card reader, if it can read now."""
    for life in state.devices.values():
        if (
            life.parent == kiosk
            and life.kind is DeviceKind.ID_READER
            and life.state is DeviceState.READY
        ):
            return life.id
    return None


@handles(h.EndIdentity, Role.KIOSK)
async def end_identity(hub: Switchboard, session: Session, body: h.EndIdentity, key: str) -> None:
    hub.end_identity(session.device)


@handles(h.AskHelp, Role.KIOSK, changes=True)
async def ask_help(hub: Switchboard, session: Session, body: h.AskHelp, key: str) -> None:
    await hub.hall.submit(c.RequestHelp(device=session.device), key=key, actor=session.actor)
