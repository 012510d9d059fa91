"""What a proved identity gives a citizen at a kiosk: a class by age, the bookings of today."""

import msgspec

from hallserver.engine.days import business_day
from hallserver.engine.decide_issue import check_arrival
from hallserver.engine.state import BookingLife, HallState
from hallserver.hub import codec
from hallserver.hub.identity import today_of
from hallserver.hub.switchboard import Switchboard
from qingting.contract import hub as h
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, Millis
from qingting.contract.people import Person
from qingting.contract.rules import ORDINARY

MOST_SHOWN = 5
"""Bookings of one person that a kiosk lists."""


def booking_brief(state: HallState, life: BookingLife, now: Millis) -> h.BookingBrief:
    """The booking with what stands against taking its number now."""
    booking = life.booking
    problem, late = None, False
    try:
        late = not check_arrival(state, life, now)
    except Refusal as refusal:
        problem = codec.problem(refusal)
    return h.BookingBrief(
        id=booking.id,
        start=booking.start,
        end=booking.end,
        items=booking.items,
        masked_name=booking.person.masked_name,
        masked_number=booking.person.masked_number,
        party=booking.party,
        problem=problem,
        late=late,
    )


def bookings_of(state: HallState, person: Person) -> list[BookingLife]:
    """The person's bookings of today and later, whatever became of them, earliest first."""
    found = [life for life in state.bookings.values() if life.booking.person.index == person.index]
    return sorted(found, key=lambda one: one.booking.start)[:MOST_SHOWN]


def class_by_age(state: HallState, age: int | None) -> str:
    """The class of most weight that the age gives; the ordinary one when it gives none."""
    fitting = [
        one for one in state.rules.classes if one.min_age and age is not None and age >= one.min_age
    ]
    return max(fitting, key=lambda one: one.weight).id if fitting else ORDINARY


def _age(hub: Switchboard, token: str) -> int | None:
    today = today_of(business_day(hub.clock.now_ms(), hub.hall.state.config))
    return hub.identity.age(token, today)


def with_claims(hub: Switchboard, kiosk: DeviceId, read: h.IdentityRead) -> h.IdentityRead:
    """``read`` with the holder's class and bookings; the bookings may then be taken at this kiosk."""
    state = hub.hall.state
    person = hub.identity.person(read.token)
    found = bookings_of(state, person) if person is not None else []
    now = hub.clock.now_ms()
    bookings = tuple(booking_brief(state, one, now) for one in found)
    for life in found:
        if life.ticket in state.tickets:
            hub.topics.look_up(kiosk, state.tickets[life.ticket].id)
    hub.identity.offer(kiosk, (one.id for one in bookings if one.problem is None))
    return msgspec.structs.replace(
        read,
        bookings=bookings,
        priority=class_by_age(state, _age(hub, read.token)),
    )


def admit(hub: Switchboard, kiosk: DeviceId, card: h.CardRead) -> None:
    """Whoever showed this at the kiosk that waits for somebody: told to the kiosk, the light goes out.

    Raises a refusal of the ``identity`` family; the kiosk then goes on waiting.
    """
    today = today_of(business_day(hub.clock.now_ms(), hub.hall.state.config))
    read = hub.identity.accept(kiosk, card, today)
    hub.disarm(kiosk)
    hub.tell_kiosk(kiosk, with_claims(hub, kiosk, read))


def class_claimed(hub: Switchboard, token: str | None, claimed: str) -> str:
    """The weightier of what the citizen says and what the card says.

    Raises ``ticket.unknown_class`` for a class that nobody may claim at a kiosk.
    """
    classes = hub.hall.state.classes
    by_age = class_by_age(hub.hall.state, _age(hub, token)) if token is not None else ORDINARY
    if claimed not in (ORDINARY, by_age):
        group = classes.get(claimed)
        if group is None or not group.declared:
            raise Refusal("ticket.unknown_class")
    return max((claimed, by_age), key=lambda one: classes[one].weight)
