"""What a scanned code means. Today's tickets only; anything else is unknown."""

import re

from hallserver.engine.state import BookingLife, HallState, Ticket
from qingting.contract.errors import Refusal

_LINK = re.compile(r"(?:[a-z]+://[^/\s]+)?/?t/(?P<token>[A-Za-z0-9_-]{8,64})", re.IGNORECASE)
_BARE = re.compile(r"[A-Za-z0-9_-]{8,64}")


def token_of(text: str) -> str | None:
    """The token of a ticket's QR: ``<any host>/t/<token>`` or the token alone."""
    text = text.strip()
    if found := _LINK.fullmatch(text):
        return found["token"]
    return text if _BARE.fullmatch(text) else None


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
