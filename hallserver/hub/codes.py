"""What a scanned code means. Today's tickets only; anything else is unknown."""

import re

from hallserver.engine.state import BookingLife, HallState, Ticket
from qingting.contract.errors import Refusal
from qingting.kernel.security.device_keys import has_token_shape
from qingting.kernel.security.lease_keys import lease_serial

_LINK = re.compile(r"(?:[a-z]+://[^/\s]+)?/?t/(?P<token>[A-Za-z0-9_-]{8,64})", re.IGNORECASE)
_BARE = re.compile(r"[A-Za-z0-9_-]{8,64}")


def token_of(text: str) -> str | None:
    """The token of a ticket's QR: ``<any host>/t/<token>`` or the token alone."""
    text = text.strip()
    if found := _LINK.fullmatch(text):
        return found["token"]
    return text if _BARE.fullmatch(text) else None


def has_our_shape(text: str) -> bool:
    """True for a bare token such as a hall makes for tickets and bookings, of whatever day or hall: it may be
    yesterday's ticket, so nobody outside is asked about it."""
    return has_token_shape(text) or lease_serial(text) is not None


_BOOKING = re.compile(r"(?:[a-z]+://[^/\s]+)?/?b/(?P<code>[A-Za-z0-9_-]{8,64})", re.IGNORECASE)


def booking_of_code(state: HallState, text: str) -> BookingLife | None:
    """The booking whose QR this is: ``<any host>/b/<code>`` or the code alone; None for anything else."""
    text = text.strip()
    found = _BOOKING.fullmatch(text)
    booking = state.booking_codes.get(found["code"] if found else text)
    return state.bookings.get(booking) if booking is not None else None


def ticket_of_code(state: HallState, text: str) -> Ticket:
    """Raises ``code.unknown``."""
    token = token_of(text)
    ticket = state.tokens.get(token) if token is not None else None
    if ticket is None or ticket not in state.tickets:
        raise Refusal("code.unknown")
    return state.tickets[ticket]
