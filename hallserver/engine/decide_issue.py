"""Rules of taking a number: walk-in, booked, made by staff, given by a kiosk that was cut off."""

from dataclasses import dataclass

from hallserver.engine.days import MINUTE_MS, day_start, hall_time
from hallserver.engine.face_checks import face_check_of
from hallserver.engine.kiosks import check_kiosk
from hallserver.engine.lines import ahead_of
from hallserver.engine.offers import check_offered, check_party, check_person, item_of
from hallserver.engine.state import BookingLife, HallState, Lease, children_of
from hallserver.engine.waiting import Newcomer, forecast
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.bookings import punctuality_of
from qingting.contract.config import Item, Queue
from qingting.contract.errors import Refusal
from qingting.contract.ids import BusinessDay, DeviceId, Millis, QueueId, TicketId
from qingting.contract.people import Person
from qingting.contract.rules import BOOKED, ORDINARY
from qingting.contract.states import BookingState, DeviceKind, Origin

LEASE_BASE = 9000
"""Serials above this are given by kiosks that are cut off, so ordinary numbers keep no gaps."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """What a visitor comes for, after the checks."""

    items: tuple[Item, ...]
    person: Person | None
    party: int
    placing: e.Placing
    late: bool = False
    taken_at: Millis | None = None


def printer_of(state: HallState, kiosk: DeviceId) -> DeviceId:
    """The printer that belongs to a kiosk; the kiosk itself when it has none."""
    for device in children_of(state, kiosk):
        if device.kind is DeviceKind.PRINTER:
            return device.id
    return kiosk


def _next_serial(state: HallState, queue: QueueId) -> int:
    """The next number of a queue that no kiosk has set aside."""
    serial = state.serials.get(queue, 0) + 1
    for lease in state.leases:
        if lease.queue == queue and lease.first <= serial <= lease.last:
            serial = lease.last + 1
    return serial


def number_of(queue: Queue, serial: int) -> str:
    """The number as printed, A001."""
    return f"{queue.prefix}{serial:03d}"


def issue(state: HallState, command: c.IssueTicket, now: int) -> list[e.EventBody]:
    if command.origin is Origin.LEASED:
        visit, queue, serial = _leased(state, command, now)
    else:
        booking = booking_of(state, command)
        visit = _booked(state, command, booking, now) if booking else _walk_in(state, command, now)
        queue = state.queues[visit.items[0].queue]
        serial = _next_serial(state, queue.id)
    issued = _issued(state, command, visit, queue, serial, now)
    if command.device is None or command.origin is Origin.LEASED:
        return [issued]
    printer = printer_of(state, command.device)
    return [issued, e.PrintRequested(ticket=issued.ticket, device=printer, attempt=1)]


def _issued(
    state: HallState, command: c.IssueTicket, visit: _Visit, queue: Queue, serial: int, now: int
) -> e.TicketIssued:
    day = state.day or BusinessDay(hall_time(now, state.config).strftime("%Y-%m-%d"))
    place = (visit.placing.at, len(state.tickets) + 1)
    ahead = ahead_of(state, queue.id, visit.placing.priority, place, now)
    who = Newcomer(
        visit.items[0], visit.placing, command.booking is not None and not visit.late, ahead
    )
    wait, made = forecast(state, who, now)
    return e.TicketIssued(
        ticket=TicketId(f"{day}-{queue.id}-{serial}"),
        number=number_of(queue, serial),
        serial=serial,
        day=day,
        queue=queue.id,
        item=visit.items[0].id,
        department=visit.items[0].department,
        token=command.token,
        ahead=ahead,
        wait=wait,
        person=visit.person,
        device=command.device,
        language=command.language,
        elder=command.elder,
        more=tuple(one.id for one in visit.items[1:]),
        party=visit.party,
        placing=visit.placing,
        booking=command.booking,
        late=visit.late,
        origin=Origin.BOOKING if command.booking is not None else command.origin,
        waiver=command.waiver,
        taken_at=visit.taken_at,
        forecast=made if command.origin is not Origin.LEASED else None,
        face_check=face_check_of(command, visit.items),
    )


def _chain(state: HallState, first: Item, command: c.IssueTicket) -> tuple[Item, ...]:
    items = (first, *(item_of(state, one) for one in command.more))
    if len({one.id for one in items}) < len(items):
        raise Refusal("ticket.item_twice")
    return items


def _check_class(state: HallState, priority: str) -> None:
    if priority not in state.classes or priority == BOOKED:
        raise Refusal("ticket.unknown_class")


def _walk_in(state: HallState, command: c.IssueTicket, now: int) -> _Visit:
    items = _chain(state, item_of(state, command.item), command)
    for item in items:
        check_offered(state, item, now)
    if command.origin is Origin.KIOSK:
        check_kiosk(state, command.device, items)
    check_party(items, command.party)
    check_person(state, items, command.person, command.waiver)
    _check_class(state, command.priority)
    placing = e.Placing(line=items[0].queue, at=now, priority=command.priority)
    return _Visit(items, command.person, command.party, placing)


# ---- booked -------------------------------------------------------------------------------------


def booking_of(state: HallState, command: c.IssueTicket) -> BookingLife | None:
    """The booking that a command names; raises ``booking.unknown``."""
    if command.booking is None:
        return None
    life = state.bookings.get(command.booking)
    if life is None:
        raise Refusal("booking.unknown")
    return life


def check_arrival(state: HallState, life: BookingLife, now: Millis) -> bool:
    """True when a booked visitor is in time, False when late. Raises the refusal of one who cannot
    take a number now."""
    if life.state is BookingState.ARRIVED:
        number = state.tickets[life.ticket].number if life.ticket in state.tickets else "—"
        raise Refusal("booking.arrived", number=number, ticket=life.ticket or "")
    if life.state is not BookingState.DUE:
        raise Refusal("booking.over")
    booking, rule = life.booking, punctuality_of(life.booking, state.rules.punctuality)
    if booking.day != state.day:
        raise Refusal("booking.other_day", day=booking.day)
    if now < booking.start - rule.early_minutes * MINUTE_MS:
        raise Refusal(
            "booking.too_early",
            time=hall_time(booking.start, state.config).strftime("%H:%M"),
            minutes=rule.early_minutes,
        )
    in_time = now <= booking.end + rule.late_minutes * MINUTE_MS
    if not in_time and booking.late_refused:
        raise Refusal("booking.too_late", minutes=rule.late_minutes)
    return in_time


def _booked(state: HallState, command: c.IssueTicket, life: BookingLife, now: int) -> _Visit:
    """On time: the booked place. Late: an ordinary visitor, who is told so. Caps do not touch bookings."""
    in_time = check_arrival(state, life, now)
    booking = life.booking
    items = tuple(item_of(state, one) for one in booking.items)
    _check_class(state, command.priority)
    priority, at = command.priority, now
    if in_time:
        at = booking.start
        if state.classes[BOOKED].weight >= state.classes[priority].weight:
            priority = BOOKED
    placing = e.Placing(line=items[0].queue, at=at, priority=priority)
    return _Visit(items, booking.person, booking.party, placing, late=not in_time)


# ---- cut off ------------------------------------------------------------------------------------


def _leased(state: HallState, command: c.IssueTicket, now: int) -> tuple[_Visit, Queue, int]:
    """A number that was promised while the line was cut: no hour and no cap can take it back."""
    item = item_of(state, command.item)
    lease = _lease_of(state, command)
    items = _chain(state, item, command)
    # A kiosk's clock may be wrong: nobody came before the day began or after now.
    at = min(max(command.taken_at or now, day_start(now, state.config)), now)
    known = command.priority in state.classes and command.priority != BOOKED
    placing = e.Placing(line=lease.queue, at=at, priority=command.priority if known else ORDINARY)
    assert command.serial is not None
    visit = _Visit(items, command.person, command.party, placing, taken_at=at)
    return visit, state.queues[lease.queue], command.serial


def _lease_of(state: HallState, command: c.IssueTicket) -> Lease:
    for lease in state.leases:
        if lease.device == command.device and command.serial is not None:
            if not lease.first <= command.serial <= lease.last:
                continue
            if lease.queue != state.items[command.item].queue:
                continue
            if command.serial in lease.used:
                raise Refusal("lease.used", serial=command.serial)
            return lease
    raise Refusal("lease.unknown")


def lease(state: HallState, command: c.LeaseNumbers, now: int) -> list[e.EventBody]:
    """Tops a kiosk's unused numbers of a queue up to ``upto``."""
    if command.device not in state.devices:
        raise Refusal("device.unknown")
    if command.queue not in state.queues:
        raise Refusal("queue.unknown")
    own = [
        one for one in state.leases if (one.device, one.queue) == (command.device, command.queue)
    ]
    free = sum(one.last - one.first + 1 - len(one.used) for one in own)
    if free >= command.upto:
        return []
    given = [one.last for one in state.leases if one.queue == command.queue]
    first = max(LEASE_BASE, state.serials.get(command.queue, 0), *given) + 1
    last = first + command.upto - free - 1
    return [e.NumbersLeased(device=command.device, queue=command.queue, first=first, last=last)]
