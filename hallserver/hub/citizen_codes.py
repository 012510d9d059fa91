"""Citizen codes (市民码, 身份码): what the hall asks of their platform, and how it stands with it.

The platform is outside. This file knows what it answers (:class:`CodeService`); the client that speaks HTTP is
:mod:`hallserver.app.code_platform`. A code lives in memory while it is asked about and is in no log line.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec
import structlog

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

    async def resolve(self, code: str) -> CodePerson:
        """Raises a refusal of the ``citizen_code`` family, or :class:`CodeServiceError`."""
        ...

    async def check(self) -> None:
        """Whether the platform answers and knows this hall; raises :class:`CodeServiceError`."""
        ...


def may_be_citizen_code(text: str) -> bool:
    """False for links of a hall (tickets, bookings, logins at call pads): these never leave it."""
    return _OURS.fullmatch(text.strip()) is None


class CodeDesk:
    """Asks the platform for kiosks, each within a rate, and knows whether it can be reached."""

    def __init__(
        self, service: CodeService | None, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._service = service
        self._clock = clock
        self._changed = changed
        self._available = False
        self._told_lost = False
        self._backoff = Backoff(first=1.0, cap=20.0)
        self._due = 0.0
        self._asked: dict[DeviceId, deque[float]] = {}
        self.busy: set[DeviceId] = set()
        """Kiosks whose code is being asked about."""
        self.asking = Supervisor("citizen codes")

    @property
    def available(self) -> bool | None:
        """Whether the platform can be asked; None when this hall has none."""
        return self._available if self._service is not None else None

    async def look_up(self, kiosk: DeviceId, text: str) -> CodePerson:
        """Whom the code stands for; raises a refusal of the ``citizen_code`` family."""
        if self._service is None:
            raise Refusal("citizen_code.not_offered")
        code = text.strip()
        if _CODE.fullmatch(code) is None:
            raise Refusal("citizen_code.unknown")
        if not self._available:
            raise Refusal("citizen_code.unavailable")
        self._count(kiosk)
        try:
            return await self._service.resolve(code)
        except CodeServiceError as error:
            self._lost(error.cause)
            raise Refusal("citizen_code.unavailable") from error

    def _count(self, kiosk: DeviceId) -> None:
        now = self._clock.monotonic()
        asked = self._asked.setdefault(kiosk, deque())
        while asked and asked[0] <= now - WINDOW_SECONDS:
            asked.popleft()
        if len(asked) >= MOST_A_MINUTE:
            seconds = max(1, round(asked[0] + WINDOW_SECONDS - now))
            raise Refusal("citizen_code.too_often", seconds=seconds)
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
            await service.check()
        except CodeServiceError as error:
            self._lost(error.cause)
        else:
            self._found()

    def _lost(self, cause: str) -> None:
        self._due = self._clock.monotonic() + self._backoff.next()
        if not self._told_lost:
            self._told_lost = True
            log.warning("citizen_code.service_lost", cause=cause)
        self._turn(available=False)

    def _found(self) -> None:
        self._due = self._clock.monotonic() + SOUND_SECONDS
        self._backoff.reset()
        if self._told_lost:
            self._told_lost = False
            log.info("citizen_code.service_back")
        self._turn(available=True)

    def _turn(self, *, available: bool) -> None:
        if available is not self._available:
            self._available = available
            self._changed()
