"""What a proved identity gives a citizen at a kiosk: a class by age, the bookings of today."""

import msgspec

from hallserver.engine.days import business_day
from hallserver.engine.state import BookingLife, HallState
from hallserver.hub.identity import today_of
from hallserver.hub.switchboard import Switchboard
from qingting.contract import hub as h
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.people import Person
from qingting.contract.rules import ORDINARY
from qingting.contract.states import BookingState


def booking_brief(life: BookingLife) -> h.BookingBrief:
    booking = life.booking
    return h.BookingBrief(
        id=booking.id,
        start=booking.start,
        end=booking.end,
        items=booking.items,
        masked_name=booking.person.masked_name,
        masked_number=booking.person.masked_number,
        party=booking.party,
    )


def bookings_of(state: HallState, person: Person) -> list[BookingLife]:
    """The person's bookings of today whose number was not taken yet, earliest first."""
    found = [
        life
        for life in state.bookings.values()
        if life.state is BookingState.DUE
        and life.booking.day == state.day
        and life.booking.person.index == person.index
    ]
    return sorted(found, key=lambda one: one.booking.start)


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
    bookings = bookings_of(state, person) if person is not None else []
    hub.identity.offer(kiosk, (one.booking.id for one in bookings))
    return msgspec.structs.replace(
        read,
        bookings=tuple(booking_brief(one) for one in bookings),
        priority=class_by_age(state, _age(hub, read.token)),
    )


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
