"""What a clerk may do with visitors beyond calling the next one; the engine decides whether it goes."""

from hallserver.hub.authority import clerk_of, require, window_of
from hallserver.hub.registry import handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import commands as c
from qingting.contract import hub as h
from qingting.contract import hub_desk as desk
from qingting.contract.errors import Refusal
from qingting.contract.events import TicketIssued
from qingting.contract.states import DeviceKind, Origin, Role, StaffPermission
from qingting.kernel.security.device_keys import new_token


@handles(desk.Pick, Role.CALL_PAD, changes=True)
async def pick(hub: Switchboard, session: Session, body: desk.Pick, key: str) -> None:
    window = window_of(hub.hall.state, session)
    command = c.CallTicket(window=window, ticket=body.ticket, reason=body.reason)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.Resume, Role.CALL_PAD, changes=True)
async def resume(hub: Switchboard, session: Session, body: desk.Resume, key: str) -> None:
    command = c.ResumeVisit(window=window_of(hub.hall.state, session), ticket=body.ticket)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.Park, Role.CALL_PAD, changes=True)
async def park(hub: Switchboard, session: Session, body: desk.Park, key: str) -> None:
    command = c.ParkVisit(
        window=window_of(hub.hall.state, session),
        reason=body.reason,
        minutes=body.minutes,
        mine=body.mine,
    )
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.Transfer, Role.CALL_PAD, changes=True)
async def transfer(hub: Switchboard, session: Session, body: desk.Transfer, key: str) -> None:
    command = c.TransferVisit(
        window=window_of(hub.hall.state, session),
        to_queue=body.to_queue,
        to_window=body.to_window,
        to_staff=body.to_staff,
        item=body.item,
        place=body.place,
        back=body.back,
        note=body.note,
    )
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.PutBack, Role.CALL_PAD, changes=True)
async def put_back(hub: Switchboard, session: Session, body: desk.PutBack, key: str) -> None:
    command = c.HandBack(window=window_of(hub.hall.state, session))
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.OneMore, Role.CALL_PAD, changes=True)
async def one_more(hub: Switchboard, session: Session, body: desk.OneMore, key: str) -> None:
    command = c.AddItem(window=window_of(hub.hall.state, session), item=body.item)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.Reclass, Role.CALL_PAD, changes=True)
async def reclass(hub: Switchboard, session: Session, body: desk.Reclass, key: str) -> None:
    clerk_of(session)
    command = c.SetPriority(ticket=body.ticket, priority=body.priority, reason=body.reason)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.ComeBack, Role.CALL_PAD, Role.KIOSK, changes=True)
async def come_back(hub: Switchboard, session: Session, body: h.ComeBack, key: str) -> None:
    """At a kiosk the ticket itself is the proof: its code was scanned there, or it was taken there."""
    if session.role is Role.KIOSK:
        ticket = hub.hall.state.tickets.get(body.ticket)
        own = ticket is not None and ticket.device == session.device
        if not own and not hub.topics.shows(session.device, body.ticket):
            raise Refusal("hub.forbidden")
    else:
        clerk_of(session)
    command = c.ReturnTicket(ticket=body.ticket, by_staff=session.role is Role.CALL_PAD)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.MakeTicket, Role.CALL_PAD, changes=True)
async def make_ticket(
    hub: Switchboard, session: Session, body: desk.MakeTicket, key: str
) -> h.Answer:
    require(hub.hall.state, session, StaffPermission.MAKE_TICKETS)
    kiosk = hub.hall.state.devices.get(body.print_at) if body.print_at is not None else None
    if body.print_at is not None and (kiosk is None or kiosk.kind is not DeviceKind.KIOSK):
        raise Refusal("device.unknown")
    command = c.IssueTicket(
        item=body.item,
        more=body.more,
        token=new_token(),
        device=body.print_at,
        party=body.party,
        priority=body.priority,
        waiver=body.waiver,
        origin=Origin.STAFF,
    )
    done = await hub.hall.submit(command, key=key, actor=session.actor)
    issued = next(event.b for event in done.events if isinstance(event.b, TicketIssued))
    return h.Answer(ticket=issued.ticket, number=issued.number)


@handles(desk.Lend, Role.CALL_PAD, changes=True)
async def lend(hub: Switchboard, session: Session, body: desk.Lend, key: str) -> None:
    require(hub.hall.state, session, StaffPermission.LEND_WINDOWS)
    window = window_of(hub.hall.state, session)
    command = c.LendWindow(window=window, queues=body.queues, minutes=body.minutes)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(desk.ChangePassword, Role.CALL_PAD)
async def change_password(
    hub: Switchboard, session: Session, body: desk.ChangePassword, key: str
) -> None:
    """Without a key: the former password is needed, so a repeat changes nothing."""
    staff = hub.hall.state.staff.get(clerk_of(session))
    if staff is None:
        raise Refusal("staff.unknown")
    await hub.accounts.staff.change(staff, body.present, body.new, body.new)
