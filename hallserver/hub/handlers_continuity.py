"""Numbers that a kiosk gives while it is cut off: set aside, described to its agent, taken in again."""

import json

import structlog

from hallserver.engine.kiosks import offers, template_of
from hallserver.engine.state import HallState
from hallserver.engine.views import entries
from hallserver.hub.registry import handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import commands as c
from qingting.contract import continuity as k
from qingting.contract import hub as h
from qingting.contract import views as v
from qingting.contract.errors import Refusal
from qingting.contract.events import TicketIssued
from qingting.contract.ids import DeviceId, QueueId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind, Origin, Role
from qingting.kernel.security.lease_keys import (
    BoxError,
    is_lease_token,
    is_signed,
    lease_serial,
    open_box,
    public_half,
)
from qingting.kernel.security.persons import seal_person
from qingting.kernel.security.seal import Sealer

log = structlog.get_logger(__name__)

LEASE_SIZE = 30
"""Unused numbers that a kiosk holds of each queue: about an hour of a busy one."""


def lease_key(sealer: Sealer, kiosk: DeviceId, day: str) -> bytes:
    """The key that signs the numbers of one kiosk on one day."""
    return sealer.derived(f"lease {kiosk} {day}")


def box_secret(sealer: Sealer) -> bytes:
    return sealer.derived("offline people")


def _kiosk_of(session: Session) -> DeviceId:
    if session.parent is None:
        raise Refusal("device.unknown")
    return session.parent


@handles(k.PrepareOffline, Role.AGENT, changes=True)
async def prepare(hub: Switchboard, session: Session, body: k.PrepareOffline, key: str) -> None:
    """The answer is followed by the kit as a message of its own."""
    kiosk = _kiosk_of(session)
    for queue in _queues_of(hub.hall.state, kiosk):
        command = c.LeaseNumbers(device=kiosk, queue=queue, upto=LEASE_SIZE)
        await hub.hall.submit(command, key=f"{key}:{queue}", actor=session.actor)
    session.send(_kit(hub, kiosk))
    if body.port:
        hub.offer_offline(kiosk, k.OfflineOffer(port=body.port, secret=body.secret))


def _queues_of(state: HallState, kiosk: DeviceId) -> list[QueueId]:
    """The queues of the items that a kiosk offers."""
    template = template_of(state, kiosk)
    found = (one.queue for one in state.items.values() if offers(template, one))
    return list(dict.fromkeys(found))


def _kit(hub: Switchboard, kiosk: DeviceId) -> k.OfflineKit:
    state = hub.hall.state
    if state.config is None or state.day is None:
        raise Refusal("lease.none")
    hall = state.config.hall
    shown = entries(state, "catalogue", hub.ambient())["items"]
    assert isinstance(shown, v.ItemsView)
    template = template_of(state, kiosk)
    return k.OfflineKit(
        day=state.day,
        hall_name=hall.name,
        hall_name_en=hall.name_en,
        base_url=hub.base_url,
        utc_offset_minutes=hall.utc_offset_minutes,
        key=lease_key(hub.sealer, kiosk, state.day).hex(),
        seal_key=public_half(box_secret(hub.sealer)),
        blocks=tuple(
            k.LeasedBlock(
                queue=one.queue,
                prefix=state.queues[one.queue].prefix,
                first=one.first,
                last=one.last,
                used=tuple(one.used),
            )
            for one in state.leases
            if one.device == kiosk and one.queue in state.queues
        ),
        items=tuple(one for one in shown.items if offers(template, state.items[one.id])),
    )


@handles(k.MergeLeased, Role.AGENT, changes=True)
async def merge(hub: Switchboard, session: Session, body: k.MergeLeased, key: str) -> h.Answer:
    """Takes a number in, once however often it is told. A number that cannot be taken in calls a
    member of staff to the kiosk: somebody holds its paper."""
    kiosk = _kiosk_of(session)
    try:
        return await _merged(hub, session, kiosk, body)
    except Refusal as refusal:
        if not refusal.text.retry:
            log.warning("lease.refused", kiosk=kiosk, serial=body.ticket.serial, code=refusal.code)
            help_key = f"{key}:help"
            await hub.hall.submit(c.RequestHelp(device=kiosk), key=help_key, actor=session.actor)
        raise


async def _merged(
    hub: Switchboard, session: Session, kiosk: DeviceId, body: k.MergeLeased
) -> h.Answer:
    ticket = body.ticket
    signing = lease_key(hub.sealer, kiosk, ticket.day)
    sound = is_signed(signing, k.signed_bytes(ticket), body.signature)
    if not sound or not is_lease_token(signing, ticket.queue, ticket.token):
        raise Refusal("lease.bad_signature")
    if lease_serial(ticket.token) != ticket.serial:
        raise Refusal("lease.bad_signature")
    if ticket.day != hub.hall.state.day:
        raise Refusal("lease.other_day", day=ticket.day)
    command = c.IssueTicket(
        item=ticket.item,
        token=ticket.token,
        device=kiosk,
        person=_person(hub.sealer, ticket.person),
        language=ticket.language,
        elder=ticket.elder,
        more=ticket.more,
        party=ticket.party,
        priority=ticket.priority,
        origin=Origin.LEASED,
        serial=ticket.serial,
        taken_at=ticket.taken_at,
    )
    number_key = f"lease:{kiosk}:{ticket.day}:{ticket.queue}:{ticket.serial}"
    done = await hub.hall.submit(command, key=number_key, actor=session.actor)
    issued = next(event.b for event in done.events if isinstance(event.b, TicketIssued))
    return h.Answer(ticket=issued.ticket, number=issued.number)


def _person(sealer: Sealer, box: str) -> Person | None:
    if not box:
        return None
    try:
        clear = json.loads(open_box(box_secret(sealer), box, context=k.PERSON_CONTEXT))
    except BoxError as error:
        raise Refusal("lease.bad_signature") from error
    kind = CertificateKind(str(clear["kind"]))
    return seal_person(sealer, kind, str(clear["name"]), str(clear["number"]))


def unmerged_number(state: HallState, sealer: Sealer, token: str) -> str | None:
    """The number of a leased ticket whose code was scanned before its kiosk could hand it over."""
    serial = lease_serial(token)
    if serial is None or state.day is None:
        return None
    for lease in state.leases:
        if lease.first <= serial <= lease.last and serial not in lease.used:
            key = lease_key(sealer, lease.device, state.day)
            if is_lease_token(key, lease.queue, token):
                return f"{state.queues[lease.queue].prefix}{serial:03d}"
    return None
