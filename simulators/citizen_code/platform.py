"""What the platform knows: invented citizens, the code that each shows now, whom terminals recognised, its faults.

Written from ``docs/integrators/citizen-code.md`` alone; shares nothing with the hall's client.
"""

import asyncio
import hashlib
import hmac
import secrets
from enum import StrEnum
from typing import Any

import msgspec

from qingting.kernel.aio.clock import Clock, SystemClock
from simulators.id_cards import DEMO_CARDS

CODE_SECONDS = 60.0
"""How long a shown code is good."""
CREDENTIAL_SECONDS = 30.0
"""How long a terminal's credential is good."""
CLOCK_MS = 5 * 60_000
"""A question signed longer ago or ahead than this is refused."""
SLOW_SECONDS = 30.0


class Fault(StrEnum):
    """How the platform misbehaves."""

    SLOW = "slow"
    DOWN = "down"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


class Citizen(msgspec.Struct, frozen=True, kw_only=True):
    """An invented person with a certificate (``valid_to``: ``YYYYMMDD`` or ``长期``)."""

    id: str
    name: str
    title_en: str
    kind: str
    number: str
    valid_to: str


def _of_card(card_id: str, kind: str = "resident_id") -> Citizen:
    card = DEMO_CARDS[card_id]
    return Citizen(
        id=card.id,
        name=card.name,
        title_en=card.title_en.split(" · ")[-1],
        kind=kind,
        number=card.number,
        valid_to=card.valid_to,
    )


CITIZENS: dict[str, Citizen] = {
    one.id: one
    for one in (
        _of_card("citizen"),
        _of_card("woman"),
        _of_card("elder"),
        _of_card("rare_name"),
        _of_card("residence_permit", "residence_permit"),
        msgspec.structs.replace(
            _of_card("citizen"),
            id="lapsed",
            name="赵过期",
            title_en="Zhao Guoqi (certificate lapsed)",
            valid_to="20200101",
        ),
    )
}
"""The same people as on the bench's cards, and one whose certificate has lapsed."""


class LiveCode(msgspec.Struct, kw_only=True):
    """A code on somebody's phone, or a credential of a face terminal; ``until`` in UTC ms."""

    text: str
    citizen: str
    until: int
    used: bool = False
    kind: str = "code"


class NotAllowedError(Exception):
    """The question is not signed by somebody whom the platform knows."""


class CitizenCodePlatform:
    """``key`` and ``secret`` are what it gave to the hall."""

    def __init__(self, key: str, secret: str, clock: Clock | None = None) -> None:
        self.key = key
        self.secret = secret
        self.clock = clock or SystemClock()
        self.fault: Fault | None = None
        self.asked = 0
        """Questions about codes and credentials since the start."""
        self.kinds: tuple[str, ...] = ("code", "face")
        """What it resolves."""
        self.hold = asyncio.Event()
        """While it is cleared, a question about a code waits before its answer leaves."""
        self.hold.set()
        self._lifted = asyncio.Event()
        self._codes: dict[str, LiveCode] = {}
        self._shown: dict[str, LiveCode] = {}
        self._nonces: set[str] = set()

    # ---- on people's phones ----------------------------------------------------------------------

    def show(self, citizen: str) -> LiveCode:
        """Somebody opens their code: a new one. Raises KeyError for nobody."""
        code = LiveCode(
            text="QTSMM" + secrets.token_urlsafe(24),
            citizen=CITIZENS[citizen].id,
            until=self.clock.now_ms() + int(CODE_SECONDS * 1000),
        )
        self._codes[code.text] = self._shown[citizen] = code
        return code

    def shown(self, citizen: str) -> LiveCode:
        """The code on the phone now, refreshed like an app does when it is used or over."""
        code = self._shown.get(citizen)
        if code is None or code.used or code.until <= self.clock.now_ms():
            return self.show(citizen)
        return code

    # ---- at certified face terminals -------------------------------------------------------------

    def recognise(self, citizen: str) -> str:
        """A terminal recognised somebody: a new credential, good once. Raises KeyError for nobody."""
        credential = LiveCode(
            text="QTRL." + secrets.token_urlsafe(24),
            citizen=CITIZENS[citizen].id,
            until=self.clock.now_ms() + int(CREDENTIAL_SECONDS * 1000),
            kind="face",
        )
        self._codes[credential.text] = credential
        return credential.text

    # ---- for halls -------------------------------------------------------------------------------

    def admit(self, headers: dict[str, str], body: bytes) -> None:
        """Raises :class:`NotAllowedError` unless the question is signed, fresh and new."""
        key, time, nonce, signature = (
            headers.get(f"X-Qingting-{one}", "") for one in ("Key", "Time", "Nonce", "Signature")
        )
        signed = "\n".join((key, time, nonce, "")).encode() + body
        wanted = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        fresh = time.isdecimal() and abs(int(time) - self.clock.now_ms()) <= CLOCK_MS
        known = hmac.compare_digest(key.encode(), self.key.encode())
        if not (known and fresh and hmac.compare_digest(signature.encode(), wanted.encode())):
            raise NotAllowedError
        if not nonce or nonce in self._nonces:
            raise NotAllowedError
        self._nonces.add(nonce)

    def resolve(self, request: str, text: str, kind: str = "code") -> dict[str, Any]:
        """The answer about one code or credential; one is never taken for the other."""
        self.asked += 1
        code = self._codes.get(text)
        if self.fault is Fault.UNKNOWN or code is None or code.kind != kind:
            return {"result": "unknown", "request": request}
        if self.fault is Fault.EXPIRED or code.until <= self.clock.now_ms():
            return {"result": "expired", "request": request}
        if code.used:
            return {"result": "used", "request": request}
        code.used = True
        citizen = CITIZENS[code.citizen]
        person = {
            "name": citizen.name,
            "kind": citizen.kind,
            "number": citizen.number,
            "valid_to": citizen.valid_to,
        }
        return {"result": "ok", "request": request, "person": person}

    # ---- faults ----------------------------------------------------------------------------------

    def set_fault(self, fault: Fault | None) -> None:
        """From now on, until another is set."""
        self.fault = fault
        self._lifted.set()
        self._lifted = asyncio.Event()

    async def dawdle(self) -> None:
        """Ends when the platform is not slow any more, or after a long while."""
        lifted = self._lifted
        if self.fault is Fault.SLOW:
            try:
                async with asyncio.timeout(SLOW_SECONDS):
                    await lifted.wait()
            except TimeoutError:
                return
