"""Citizen codes (市民码, 身份码) and faces: what the hall asks of their platform, and how it stands with it.

The platform is outside. This file knows what it answers (:class:`CodeService`); the client that speaks HTTP is
:mod:`hallserver.app.code_platform`. A code lives in memory while it is asked about and is in no log line; of a
face the hall sees only the credential that a terminal handed out.
"""

import re
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec
import structlog

from hallserver.hub.codes import has_our_shape
from hallserver.hub.spent import Spent
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor

log = structlog.get_logger(__name__)

CODE_CHARACTERS = 512
"""A longer text is no code of any platform and is not sent out."""
MOST_A_MINUTE = 10
"""Codes that one kiosk asks about; nobody shall try codes there."""
WINDOW_SECONDS = 60.0
SOUND_SECONDS = 30.0
"""How often a platform that answers is asked whether it still does."""
TICK_SECONDS = 1.0

_CODE = re.compile(r"[\x21-\x7e]{8,512}")
_OURS = re.compile(r"(?:[a-z]+://[^/\s]+/|/)?(?:t|b|scan)/\S*", re.IGNORECASE)


class CodeKind(StrEnum):
    """What the platform is asked about."""

    CODE = "code"
    """A citizen code that somebody showed to the scanner."""
    FACE = "face"
    """A credential of a face terminal, good once."""

    def refusal(self, why: str, **params: str | int) -> Refusal:
        """The refusal ``why`` (``unknown``, ``used``…) in the words of this kind."""
        family = "face" if self is CodeKind.FACE else "citizen_code"
        return Refusal(f"{family}.{why}", **params)


class CodePerson(Strict, frozen=True, kw_only=True):
    """Whom a code stands for. ``valid_to`` is the end of the certificate: ``YYYYMMDD`` or ``长期``."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    kind: CertificateKind
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=18)]
    valid_to: Annotated[str, msgspec.Meta(pattern="^(?:[0-9]{8}|长期)$")]


class CodeServiceError(Exception):
    """The platform cannot be asked now. ``cause`` is a short word for the log: it holds nothing of a citizen."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class CodeService(Protocol):
    """A platform of citizen codes. Each call ends within its own deadline."""

    async def resolve(self, code: str, kind: CodeKind) -> CodePerson:
        """Raises a refusal of the kind's family, or :class:`CodeServiceError`."""
        ...

    async def check(self) -> frozenset[CodeKind]:
        """What the platform resolves for this hall; raises :class:`CodeServiceError` when it cannot be asked."""
        ...


def may_be_citizen_code(text: str) -> bool:
    """False for links of a hall (tickets, bookings, logins at call pads) and for what has the shape of a hall's
    own token: these never leave it."""
    text = text.strip()
    return _OURS.fullmatch(text) is None and not has_our_shape(text)


def is_sendable(text: str) -> bool:
    """True for 8 to 512 visible ASCII characters: nothing else is a code of any platform."""
    return _CODE.fullmatch(text.strip()) is not None


class CodeDesk:
    """Asks the platform for kiosks, each within a rate, and knows whether it can be reached."""

    def __init__(
        self, service: CodeService | None, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._service = service
        self._clock = clock
        self._changed = changed
        self._reachable = False
        self._kinds = frozenset({CodeKind.CODE})
        self._spent = Spent(clock)
        self._told_lost = False
        self._backoff = Backoff(first=1.0, cap=20.0)
        self._due = 0.0
        self._asked: dict[DeviceId, deque[float]] = {}
        self.busy: set[DeviceId] = set()
        """Kiosks whose code is being asked about."""
        self.asking = Supervisor("citizen codes")

    def offers(self, kind: CodeKind) -> bool | None:
        """Whether the platform can be asked about this kind; None when this hall has none that takes it."""
        if self._service is None or kind not in self._kinds:
            return None
        return self._reachable

    async def look_up(
        self, kiosk: DeviceId, text: str, kind: CodeKind = CodeKind.CODE
    ) -> CodePerson:
        """Whom the code or credential stands for; raises a refusal of the kind's family."""
        if self._service is None:
            raise kind.refusal("not_offered")
        if not is_sendable(text):
            raise kind.refusal("unknown")
        if not self._reachable:
            raise kind.refusal("unavailable")
        if kind not in self._kinds:
            raise kind.refusal("not_offered")
        self._count(kiosk, kind)
        if kind is CodeKind.FACE and not self._spent.spend(text.strip()):
            raise kind.refusal("used")
        try:
            return await self._service.resolve(text.strip(), kind)
        except CodeServiceError as error:
            self._lost(error.cause)
            raise kind.refusal("unavailable") from error

    def _count(self, kiosk: DeviceId, kind: CodeKind) -> None:
        now = self._clock.monotonic()
        asked = self._asked.setdefault(kiosk, deque())
        while asked and asked[0] <= now - WINDOW_SECONDS:
            asked.popleft()
        if len(asked) >= MOST_A_MINUTE:
            seconds = max(1, round(asked[0] + WINDOW_SECONDS - now))
            raise kind.refusal("too_often", seconds=seconds)
        asked.append(now)

    # ---- whether it can be reached ------------------------------------------------------------------

    async def watch(self) -> None:
        """Asks a platform that is lost again and again, a sound one now and then; ends when there is none."""
        while self._service is not None:
            if self._clock.monotonic() >= self._due:
                await self._check(self._service)
            await self._clock.sleep(TICK_SECONDS)

    async def _check(self, service: CodeService) -> None:
        try:
            kinds = await service.check()
        except CodeServiceError as error:
            self._lost(error.cause)
        else:
            self._found(kinds)

    def _lost(self, cause: str) -> None:
        self._due = self._clock.monotonic() + self._backoff.next()
        if not self._told_lost:
            self._told_lost = True
            log.warning("citizen_code.service_lost", cause=cause)
        self._turn(reachable=False, kinds=self._kinds)

    def _found(self, kinds: frozenset[CodeKind]) -> None:
        self._due = self._clock.monotonic() + SOUND_SECONDS
        self._backoff.reset()
        if self._told_lost:
            self._told_lost = False
            log.info("citizen_code.service_back")
        self._turn(reachable=True, kinds=kinds)

    def _turn(self, *, reachable: bool, kinds: frozenset[CodeKind]) -> None:
        if (reachable, kinds) != (self._reachable, self._kinds):
            self._reachable, self._kinds = reachable, kinds
            self._changed()
