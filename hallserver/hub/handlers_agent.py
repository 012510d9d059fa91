"""What an agent tells, and what everybody may ask."""

import structlog

from hallserver.engine.decide_issue import check_arrival
from hallserver.engine.state import BookingLife, Ticket
from hallserver.hub import codec
from hallserver.hub.authority import agent_speaks_for, check_topic, own_peripheral
from hallserver.hub.claims import admit, booking_brief
from hallserver.hub.code_lookup import begin_look_up, unasked
from hallserver.hub.codes import booking_of_code, ticket_of_code, token_of
from hallserver.hub.handlers_continuity import unmerged_number
from hallserver.hub.registry import EVERYBODY, handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import commands as c
from qingting.contract import hub as h
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState, Role

log = structlog.get_logger(__name__)


@handles(h.DeviceReport, Role.AGENT, Role.BOARD, Role.KIOSK, changes=True)
async def device_report(hub: Switchboard, session: Session, body: h.DeviceReport, key: str) -> None:
    own_peripheral(hub.hall.state, session, body.device, body.kind)
    if not _may_report(session, body):
        raise Refusal("hub.forbidden")
    hub.presence.heard(body.device)
    command = c.ReportDevice(
        device=body.device,
        kind=body.kind,
        state=body.state,
        conditions=body.conditions,
        detail=body.detail,
    )
    await hub.hall.submit(command, key=key, actor=session.actor)


def _may_report(session: Session, body: h.DeviceReport) -> bool:
    """An agent tells of everything that is its own, a kiosk's screen of its camera, a board of its sound."""
    if session.role is Role.KIOSK:
        return body.kind is DeviceKind.CAMERA
    if session.role is Role.BOARD:
        return _is_about_sound(session, body)
    return body.kind is not DeviceKind.CAMERA


def _is_about_sound(session: Session, body: h.DeviceReport) -> bool:
    """All that a board may tell: that it is there, and whether it can be heard."""
    return (
        body.device == session.device
        and body.state is DeviceState.READY
        and set(body.conditions) <= {Condition.MUTED}
        and not body.detail
    )


@handles(h.PrintReport, Role.AGENT, changes=True)
async def print_report(hub: Switchboard, session: Session, body: h.PrintReport, key: str) -> None:
    ticket = hub.hall.state.tickets.get(body.ticket)
    if ticket is None:
        raise Refusal("ticket.unknown")
    printer = ticket.print_device
    if printer is None or not agent_speaks_for(hub.hall.state, session.device, printer):
        raise Refusal("hub.forbidden")
    command = c.ReportPrint(
        ticket=body.ticket,
        attempt=body.attempt,
        outcome=body.outcome,
        cause=body.cause,
        mm=body.mm,
    )
    await hub.hall.submit(command, key=key, actor=session.actor)


def kiosk_of(hub: Switchboard, session: Session, device: DeviceId, kind: DeviceKind) -> DeviceId:
    """The kiosk that a reader, scanner or face terminal of this agent belongs to."""
    life = own_peripheral(hub.hall.state, session, device, kind)
    kiosk = life.parent if life.parent != session.device else session.parent
    if kiosk is None:
        raise Refusal("device.unknown")
    return kiosk


@handles(h.CardRead, Role.AGENT)
async def card_read(hub: Switchboard, session: Session, body: h.CardRead, key: str) -> None:
    kiosk = kiosk_of(hub, session, body.device, DeviceKind.ID_READER)
    if not hub.identity.armed(kiosk):
        log.info("identity.card_ignored", device=body.device)
        return
    try:
        admit(hub, kiosk, body)
    except Refusal as refusal:
        hub.refuse_identity(kiosk, refusal.code, refusal.params)


@handles(h.CardFault, Role.AGENT)
async def card_fault(hub: Switchboard, session: Session, body: h.CardFault, key: str) -> None:
    kiosk = kiosk_of(hub, session, body.device, DeviceKind.ID_READER)
    known = body.code.startswith("identity.") and body.code in error_texts()
    code = body.code if known else "identity.unreadable"
    if hub.identity.armed(kiosk):
        hub.refuse_identity(kiosk, code)


@handles(h.CodeScanned, Role.AGENT)
async def code_scanned(hub: Switchboard, session: Session, body: h.CodeScanned, key: str) -> None:
    kiosk = kiosk_of(hub, session, body.device, DeviceKind.SCANNER)
    try:
        if (booking := booking_of_code(hub.hall.state, body.text)) is not None:
            _booking_scanned(hub, kiosk, booking)
            return
        ticket = ticket_of_code(hub.hall.state, body.text)
    except Refusal as refusal:
        leased = _leased(hub, body.text)
        if leased is None and begin_look_up(hub, kiosk, body):
            return
        told = leased or (
            unasked(hub, kiosk, body.text) if refusal.code == "code.unknown" else refusal
        )
        hub.tell_kiosk(kiosk, h.CodeRefused(problem=codec.problem(told)))
        return
    _show(hub, kiosk, ticket)


def _booking_scanned(hub: Switchboard, kiosk: DeviceId, booking: BookingLife) -> None:
    """Its number can be taken, or was taken and is shown. Raises the refusal of any other booking."""
    state, now = hub.hall.state, hub.clock.now_ms()
    if booking.ticket in state.tickets:
        _show(hub, kiosk, state.tickets[booking.ticket])
        return
    check_arrival(state, booking, now)
    hub.identity.offer(kiosk, (booking.booking.id,))
    hub.tell_kiosk(kiosk, h.BookingFound(booking=booking_brief(state, booking, now)))


def _leased(hub: Switchboard, text: str) -> Refusal | None:
    """What to say of a number that a kiosk gave while cut off and has not handed over yet."""
    number = unmerged_number(hub.hall.state, hub.sealer, token_of(text) or "")
    return Refusal("lease.not_merged", number=number) if number is not None else None


def _show(hub: Switchboard, kiosk: DeviceId, ticket: Ticket) -> None:
    hub.topics.look_up(kiosk, ticket.id)
    hub.tell_kiosk(kiosk, h.CodeFound(ticket=ticket.id, number=ticket.number))


@handles(h.Subscribe, *EVERYBODY)
async def subscribe(hub: Switchboard, session: Session, body: h.Subscribe, key: str) -> None:
    for topic in body.topics:
        check_topic(hub.hall.state, session, topic)
    for topic in body.topics:
        hub.topics.subscribe(session, topic)


@handles(h.Ping, *EVERYBODY)
async def ping(hub: Switchboard, session: Session, body: h.Ping, key: str) -> None:
    """Being heard is all there is to it."""
