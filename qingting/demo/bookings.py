"""Sample bookings of a demonstration, for invented citizens whose cards lie at the simulated reader.

The city issues them as directives, each with its number, like any booking; what is made here is only what
the directives say.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from hallserver.engine.days import DAY_MS, MINUTE_MS, business_day, day_start
from hallserver.engine.state import BookingLife
from qingting.contract.bookings import Booking
from qingting.contract.config import HallConfig
from qingting.contract.ids import BookingId, Millis
from qingting.contract.states import BookingState, CertificateKind
from qingting.demo import sources
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.security.persons import seal_person
from qingting.kernel.security.seal import Sealer
from simulators.id_cards import DEMO_CARDS, Card, CardKind

SLOT_MS = 30 * MINUTE_MS
"""Length of a booked time."""
STEP_MS = 5 * MINUTE_MS
"""Booked times are multiples of this."""
KINDS = {
    CardKind.CITIZEN: CertificateKind.RESIDENT_ID,
    CardKind.RESIDENCE_PERMIT: CertificateKind.RESIDENCE_PERMIT,
}


class Standing(StrEnum):
    """What happens when the citizen comes now."""

    DUE = "due"
    EARLY = "early"
    LATE = "late"
    ARRIVED = "arrived"


class SampleBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking with the card of its holder. ``fresh``: the city has yet to tell the hall."""

    booking: Booking
    card: Card
    standing: Standing
    fresh: bool


def sample_bookings(
    config: HallConfig, sealer: Sealer, known: Mapping[BookingId, BookingLife], now: Millis
) -> tuple[SampleBooking, ...]:
    """Today's bookings of a hall that knows of ``known`` already.

    One that the hall has and that can still be kept stays as it is; one that was not kept gets another time
    under its own id. Nobody therefore books twice, however often the demonstration is started in a day.
    """
    return tuple(_samples(config, sealer, known, now))


def _samples(
    config: HallConfig, sealer: Sealer, known: Mapping[BookingId, BookingLife], now: Millis
) -> Iterator[SampleBooking]:
    offered = {item.id for item in config.items}
    for source in sources.bookings():
        if not offered.issuperset(source.items):
            continue
        card = DEMO_CARDS[source.card]
        name = BookingId(f"demo-{config.hall.id}-{business_day(now, config)}-{source.card}")
        kept = _kept(config, known.get(name), source.minutes, now)
        if kept is not None:
            booking, standing = kept
            yield SampleBooking(booking=booking, card=card, standing=standing, fresh=False)
            continue
        made = _made(config, sealer, source, name, now)
        if name in known:
            made = msgspec.structs.replace(made, code=known[name].booking.code)
        standing = standing_of(config, made, now)
        yield SampleBooking(booking=made, card=card, standing=standing, fresh=True)


def _kept(
    config: HallConfig, former: BookingLife | None, minutes: int, now: Millis
) -> tuple[Booking, Standing] | None:
    """A booking of an earlier start that stays as it is: its holder has come, or it still shows what it
    is there to show."""
    if former is None:
        return None
    if former.state is BookingState.ARRIVED:
        return former.booking, Standing.ARRIVED
    standing = standing_of(config, former.booking, now)
    wanted = Standing.LATE if minutes < 0 else _before(config, minutes)
    due = former.state is BookingState.DUE
    return (former.booking, standing) if due and standing is wanted else None


def _made(
    config: HallConfig, sealer: Sealer, source: sources.BookingSource, name: BookingId, now: Millis
) -> Booking:
    card, start = DEMO_CARDS[source.card], booked_at(config, now, source.minutes)
    return Booking(
        id=name,
        code=new_token(),
        day=business_day(now, config),
        start=start,
        end=min(start + SLOT_MS, day_start(now, config) + DAY_MS - 1),
        items=source.items,
        person=seal_person(sealer, KINDS[card.kind], card.name, card.number),
        party=source.party,
    )


def booked_at(config: HallConfig, now: Millis, minutes: int) -> Millis:
    """``minutes`` from now on the hall's present day, on the five minutes."""
    first = day_start(now, config)
    wanted = (now + minutes * MINUTE_MS) // STEP_MS * STEP_MS
    return min(max(wanted, first), first + DAY_MS - STEP_MS)


def standing_of(config: HallConfig, booking: Booking, now: Millis) -> Standing:
    """By the hall's rule of punctuality."""
    rule = config.rules.punctuality
    if now < booking.start - rule.early_minutes * MINUTE_MS:
        return Standing.EARLY
    return Standing.LATE if now > booking.end + rule.late_minutes * MINUTE_MS else Standing.DUE


def _before(config: HallConfig, minutes: int) -> Standing:
    early = minutes > config.rules.punctuality.early_minutes
    return Standing.EARLY if early else Standing.DUE
