"""Bookings (预约) as a hall knows them: who comes for what, when."""

from typing import Annotated

import msgspec

from qingting.contract.base import Record
from qingting.contract.calendar import DateText
from qingting.contract.ids import BookingId, ItemId, Millis
from qingting.contract.people import Person


class Booking(Record, frozen=True, kw_only=True):
    """One booked visit. ``code`` is the opaque text of the booking's QR. ``start`` and ``end`` are UTC
    milliseconds of the booked time, on the hall's business date ``day``. ``items`` are served in a
    chain. No window is booked: who is in time is called by any window that serves the item, those for
    booked visitors alone (预约专窗) among them.
    """

    id: BookingId
    code: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    day: DateText
    start: Millis
    end: Millis
    items: Annotated[tuple[ItemId, ...], msgspec.Meta(min_length=1, max_length=5)]
    person: Person
    party: Annotated[int, msgspec.Meta(ge=1, le=200)] = 1
