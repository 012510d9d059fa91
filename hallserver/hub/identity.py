"""A citizen's identity between the card and the ticket: in memory, for minutes, for one kiosk.

The clear name and number live only inside :meth:`IdentityDesk.accept`; what is kept is a sealed
:class:`Person` under a random token.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from hallserver.hub.cards import birth_date, check_card
from qingting.contract.hub import CardRead, IdentityRead
from qingting.contract.ids import BookingId, DeviceId
from qingting.contract.people import Person
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.security.persons import seal_person
from qingting.kernel.security.seal import Sealer

TOKEN_SECONDS = 120.0
ARMED_SECONDS = 75.0
"""The reader's light goes out by itself a little after the kiosk gave up waiting."""


@dataclass(slots=True)
class _Held:
    kiosk: DeviceId
    person: Person
    until: float
    born: date | None = None
    used_by: str | None = None


class IdentityDesk:
    """Tokens and armed readers. Times are of the clock's monotonic seconds."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._armed: dict[DeviceId, float] = {}
        self._armings: dict[DeviceId, int] = {}
        self._faces: dict[DeviceId, int] = {}
        self._offers: dict[DeviceId, tuple[float, frozenset[BookingId]]] = {}

    def arm(self, kiosk: DeviceId) -> None:
        self._armed[kiosk] = self._clock.monotonic() + ARMED_SECONDS
        self._armings[kiosk] = self._armings.get(kiosk, 0) + 1

    def arming(self, kiosk: DeviceId) -> int | None:
        """Which wait for somebody this is at the kiosk; None when it waits for nobody. An answer that was asked
        for in one wait must not reach whoever stands there in the next."""
        return self._armings[kiosk] if self.armed(kiosk) else None

    def armed(self, kiosk: DeviceId) -> bool:
        return self._armed.get(kiosk, 0.0) > self._clock.monotonic()

    def look_for_face(self, kiosk: DeviceId) -> None:
        """The citizen of this wait chose the face."""
        self._faces[kiosk] = self._armings[kiosk]

    def looks_for_face(self, kiosk: DeviceId) -> bool:
        """True while the kiosk waits for somebody, and for their face as well."""
        wait = self.arming(kiosk)
        return wait is not None and self._faces.get(kiosk) == wait

    def rest_face(self, kiosk: DeviceId) -> bool:
        """True when the terminal was told to look and may still do so."""
        return self._faces.pop(kiosk, None) is not None

    def disarm(self, kiosk: DeviceId) -> bool:
        """True when the reader was lit."""
        return self._armed.pop(kiosk, None) is not None

    def overdue(self) -> list[DeviceId]:
        """Kiosks whose reader was lit for too long; also wipes tokens whose time is over."""
        now = self._clock.monotonic()
        self._held = {key: held for key, held in self._held.items() if held.until > now}
        return [kiosk for kiosk, until in self._armed.items() if until <= now]

    def accept(self, kiosk: DeviceId, card: CardRead, today: date) -> IdentityRead:
        """Checks the card and gives the kiosk its token; raises a refusal of the ``identity`` family."""
        check_card(card, today)
        person = self._seal(card)
        self.wipe(kiosk)
        token = new_token()
        until = self._clock.monotonic() + TOKEN_SECONDS
        self._held[token] = _Held(kiosk, person, until, birth_date(card))
        return IdentityRead(
            token=token,
            masked_name=person.masked_name,
            masked_number=person.masked_number,
            kind=person.kind,
            photo=card.photo,
        )

    def _seal(self, card: CardRead) -> Person:
        name = card.name.strip() or card.name_en.strip()
        return seal_person(self._sealer, card.kind, name, card.number.strip().upper())

    def take(self, kiosk: DeviceId, token: str, key: str) -> Person | None:
        """The person of ``token`` for the press ``key``; a repeat of that press gets it again.

        None when the token is over, was used by another press, or belongs to another kiosk.
        """
        held = self._held.get(token)
        if held is None or held.kiosk != kiosk or held.until <= self._clock.monotonic():
            return None
        if held.used_by not in (None, key):
            return None
        held.used_by = key
        return held.person

    def person(self, token: str) -> Person | None:
        """Who a token stands for, without using it."""
        held = self._held.get(token)
        return held.person if held is not None else None

    def age(self, token: str, today: date) -> int | None:
        """Full years of the person of a token; None when the card does not tell."""
        held = self._held.get(token)
        if held is None or held.born is None:
            return None
        return (
            today.year
            - held.born.year
            - ((today.month, today.day) < (held.born.month, held.born.day))
        )

    def offer(self, kiosk: DeviceId, bookings: Iterable[BookingId]) -> None:
        """These bookings were proved at the kiosk: by their code, or by their holder's card."""
        until = self._clock.monotonic() + TOKEN_SECONDS
        self._offers[kiosk] = (until, frozenset(bookings))

    def offered(self, kiosk: DeviceId, booking: BookingId) -> bool:
        until, bookings = self._offers.get(kiosk, (0.0, frozenset()))
        return booking in bookings and until > self._clock.monotonic()

    def release(self, token: str, key: str) -> None:
        """The press was refused: the citizen may use the token for another item."""
        held = self._held.get(token)
        if held is not None and held.used_by == key:
            held.used_by = None

    def wipe(self, kiosk: DeviceId) -> None:
        """Forgets whoever stood at the kiosk."""
        self._held = {key: held for key, held in self._held.items() if held.kiosk != kiosk}
        self._offers.pop(kiosk, None)


def today_of(day: str) -> date:
    """A business day as a date."""
    return date.fromisoformat(day)
