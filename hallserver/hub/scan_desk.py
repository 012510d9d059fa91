"""Login by scanning a code with a phone (扫码登录): challenges that stand for one pad's one session, once.

A challenge is 128 random bits in the memory of the hall server, kept by digest. It is bound to the
connection that asked for it: a pad that reconnects, is replaced or logs in otherwise has none.
"""

from dataclasses import dataclass

import segno

from hallserver.hub.session import Session
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, new_token

LIFE_SECONDS = 180.0
REMEMBERED_SECONDS = 3600.0
"""How long a spent challenge is told apart from one that never was."""
MOST = 2_000
"""Challenges remembered at once; the oldest go first."""
QUIET_MODULES = 2


@dataclass(slots=True)
class Challenge:
    """``opened``: a phone has it on its screen, so that a renewed code does not take it away."""

    session: Session
    until: float
    opened: bool = False
    used: bool = False
    void: bool = False


class ScanDesk:
    """The challenges of all pads. Nothing here waits, so two confirmations can never both pass."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Challenge] = {}

    def offer(self, session: Session) -> str:
        """A new challenge for this connection; a former one that no phone has opened ends."""
        self._forget()
        for one in self._known.values():
            if one.session.device == session.device and not (one.opened and one.session is session):
                one.void = True
        secret = new_token()
        until = self._clock.monotonic() + LIFE_SECONDS
        self._known[digest(secret)] = Challenge(session, until)
        return secret

    def void(self, session: Session) -> None:
        """Somebody logged in on this connection by another way, or it ended: its codes are good no more."""
        for one in self._known.values():
            if one.session is session:
                one.void = True

    def open(self, secret: str) -> Challenge:
        """What the code stands for. Raises ``scan.unknown``, ``scan.used`` or ``scan.expired``."""
        found = self._known.get(digest(secret))
        if found is None:
            raise Refusal("scan.unknown")
        if found.used:
            raise Refusal("scan.used")
        gone = found.session.outbox.ending is not None
        if found.void or gone or found.until <= self._clock.monotonic():
            raise Refusal("scan.expired")
        found.opened = True
        return found

    def device_of(self, secret: str) -> DeviceId | None:
        """The pad of a code, good or not; None for one that never was."""
        found = self._known.get(digest(secret))
        return found.session.device if found is not None else None

    def spend(self, secret: str) -> Challenge:
        """As :meth:`open`, and the code is good no more."""
        found = self.open(secret)
        found.used = True
        return found

    def _forget(self) -> None:
        old = self._clock.monotonic() - REMEMBERED_SECONDS
        for key in [key for key, one in self._known.items() if one.until < old]:
            del self._known[key]
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]


def picture(text: str) -> tuple[str, ...]:
    """The QR code of ``text`` as rows of 0 and 1, quiet zone included."""
    code = segno.make(text, error="m", micro=False)
    return tuple(
        "".join("1" if dot else "0" for dot in row)
        for row in code.matrix_iter(border=QUIET_MODULES)
    )
