"""Bookings (预约) as a hall knows them: who comes for what, when."""

from typing import Annotated

import msgspec

from qingting.contract.base import Record
from qingting.contract.calendar import DateText
from qingting.contract.ids import BookingId, ItemId, Millis
from qingting.contract.people import Person
from qingting.contract.rules import Punctuality


class Booking(Record, frozen=True, kw_only=True):
    """One booked visit. ``code`` is the opaque text of the booking's QR. ``start`` and ``end`` are UTC
    milliseconds of the booked time, on the hall's business date ``day``. ``items`` are served in a
    chain. No window is booked: who is in time is called by any window that serves the item, those for
    booked visitors alone (预约专窗) among them.

    ``early_minutes`` before the start and ``late_minutes`` after the end it is in time (取号时限); None: by the
    hall's own rule of punctuality. Who comes later waits like everybody; with ``late_refused`` the booking is
    good for nothing then.
    """

    id: BookingId
    code: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    day: DateText
    start: Millis
    end: Millis
    items: Annotated[tuple[ItemId, ...], msgspec.Meta(min_length=1, max_length=5)]
    person: Person
    party: Annotated[int, msgspec.Meta(ge=1, le=200)] = 1
    early_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] | None = None
    late_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] | None = None
    late_refused: bool = False


def punctuality_of(booking: Booking, rule: Punctuality) -> Punctuality:
    """When a booked visitor is in time: as the booking says, else by the hall's own ``rule``."""
    early, late = booking.early_minutes, booking.late_minutes
    return Punctuality(
        early_minutes=rule.early_minutes if early is None else early,
        late_minutes=rule.late_minutes if late is None else late,
    )
