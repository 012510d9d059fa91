"""Example tickets for previews: the hall's own items and windows, an invented person, nothing stored."""

import msgspec

from hallserver.engine.state import BookingLife, HallState, Ticket
from qingting.contract.bookings import Booking
from qingting.contract.errors import Refusal
from qingting.contract.events import Interval
from qingting.contract.ids import BookingId, TicketId
from qingting.contract.people import Person
from qingting.contract.rules import BOOKED, ORDINARY
from qingting.contract.states import CertificateKind, Language, TicketState

EXAMPLES = ("walk_in", "booked", "late", "several", "english")
"""Kinds of visitors whose ticket can be looked at."""
_PERSON = Person(
    kind=CertificateKind.RESIDENT_ID,
    masked_name="王*例",
    masked_number="230602********0000",
    sealed="",
    index="",
)
_BOOKING = BookingId("example")


def example_ticket(state: HallState, kind: str, groups: list[str]) -> tuple[HallState, Ticket]:
    """A ticket of ``kind`` for an item of ``groups`` (any when empty), with the state to draw it in.

    Raises ``ticket.unknown_item`` when the hall offers nothing.
    """
    items = [one for one in state.items.values() if not groups or one.group in groups]
    items = items or list(state.items.values())
    if not items:
        raise Refusal("ticket.unknown_item")
    item, more = items[0], [one.id for one in items[1:3]]
    booked = kind in ("booked", "late")
    queue = state.queues[item.queue]
    ticket = Ticket(
        id=TicketId("example"),
        number=f"{queue.prefix}023",
        serial=23,
        queue=item.queue,
        item=item.id,
        department=item.department,
        token="example-0000000000000000",  # noqa: S106 - a code that opens nothing
        state=TicketState.WAITING,
        issued_at=state.at,
        since=state.at,
        ahead=3,
        wait=Interval(low=12, high=20),
        person=_PERSON,
        device=None,
        language=Language.EN if kind == "english" else Language.ZH,
        todo=more if kind == "several" else [],
        party=2 if kind == "several" else 1,
        booking=_BOOKING if booked else None,
        late=kind == "late",
        priority=BOOKED if kind == "booked" else ORDINARY,
    )
    return _with_booking(state, ticket) if booked else state, ticket


def _with_booking(state: HallState, ticket: Ticket) -> HallState:
    booking = Booking(
        id=_BOOKING,
        code="example-code",
        day=state.day or "2000-01-01",
        start=ticket.issued_at,
        end=ticket.issued_at,
        items=(ticket.item,),
        person=_PERSON,
    )
    lives = {**state.bookings, _BOOKING: BookingLife(booking=booking)}
    return msgspec.structs.replace(state, bookings=lives)
