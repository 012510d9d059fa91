"""Citizens in the city's directives become the hall's own: its card readers then find them."""

import msgspec
import structlog

from qingting.contract.directives import Directive, ForgetPerson, PutBooking
from qingting.contract.people import NOBODY
from qingting.kernel.security.lease_keys import public_half
from qingting.kernel.security.persons import receive, taken_over
from qingting.kernel.security.seal import Sealer, SealError

log = structlog.get_logger(__name__)


class CityPeople:
    """The keys that the city sends with each connection, in memory only. ``own`` is the hall's sealer; without one
    persons stay as they came."""

    def __init__(self, own: Sealer | None) -> None:
        self._own = own
        self._secret = own.derived("people of the city") if own is not None else b""
        self._city: Sealer | None = None

    @property
    def box_key(self) -> str:
        """The public half of the box in which the keys come; empty without a sealer."""
        return public_half(self._secret) if self._secret else ""

    def welcome(self, keys: str) -> None:
        """What WELCOME brought. A box that does not open is worth a line in the log: without it bookings are found by
        their code, not by a card."""
        if not keys or self._own is None:
            return
        try:
            self._city = receive(self._secret, keys)
        except SealError:
            log.warning("link.people_keys_unreadable")

    def adopt(self, directive: Directive | None) -> Directive | None:
        """The directive with its person under the hall's keys and index. A booking whose person cannot be opened stays
        as it is; of whom the hall cannot read it cannot forget, and says so in its answer."""
        if isinstance(directive, ForgetPerson):
            return self._forget(directive)
        if not isinstance(directive, PutBooking) or self._city is None or self._own is None:
            return directive
        booking = directive.booking
        try:
            person = taken_over(self._city, self._own, booking.person)
        except SealError:
            log.warning("link.person_unreadable", booking=booking.id)
            return directive
        booking = msgspec.structs.replace(booking, person=person)
        return msgspec.structs.replace(directive, booking=booking)

    def _forget(self, directive: ForgetPerson) -> ForgetPerson:
        if directive.person.index and not directive.person.sealed:
            # Said once more, to a hall that was put back from an older copy: by the index that it answered with.
            return directive
        person = NOBODY
        if self._city is not None and self._own is not None:
            try:
                person = taken_over(self._city, self._own, directive.person)
            except SealError:
                log.warning("link.forget_unreadable")
        return ForgetPerson(person=person)
