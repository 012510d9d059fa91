"""A hall full of people, for a demo that lives and for hours of traffic in minutes.

They act through the hub like every kiosk and pad. A device can be in one place only, so give them
kiosks and pads of their own, not those somebody else is using.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import aiohttp
import structlog

from qingting.contract.base import Strict
from qingting.contract.ids import WindowId
from qingting.contract.ratings import rating_tags
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock, SystemClock
from qingting.kernel.aio.tasks import Supervisor
from simulators.citizen_roles import CardHand, Clerk, Counts, Habits, Rater, Stage, Visitors
from simulators.hub_client import (
    Credentials,
    HubSession,
    RefusedError,
    SessionEndedError,
    hub_session,
)

log = structlog.get_logger(__name__)

REFUSED_AGAIN_S = 5.0
"""A device that the hall does not want tries again this much later: it may be paired by then."""


class Kiosk(Strict, frozen=True, kw_only=True):
    """A kiosk to take numbers at. ``reader`` names its simulated card reader, if it has one."""

    credentials: Credentials
    reader: str = ""


class Crew(Strict, frozen=True, kw_only=True):
    """A window with its clerk and its pads."""

    window: WindowId
    call_pad: Credentials
    staff_number: str
    password: str
    rating_pad: Credentials | None = None

    def __repr__(self) -> str:
        return f"Crew({self.window})"


class Citizens:
    """Plays a hall until closed. Use as ``async with``, or ``start`` and ``close``.

    ``url`` is the hall's hub (``ws://…/hub``). ``rate_per_minute`` numbers are taken in a minute of
    played time, over all kiosks; ``speed`` is played time per real time. ``hands`` are the simulated
    readers that kiosks name; at a kiosk without one only items are taken that need no identity.
    """

    def __init__(
        self,
        url: str,
        kiosks: Sequence[Kiosk],
        crews: Sequence[Crew],
        *,
        rate_per_minute: float = 6.0,
        speed: float = 1.0,
        habits: Habits | None = None,
        hands: Mapping[str, CardHand] | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.url = url
        self._kiosks = kiosks
        self._crews = crews
        self._per_kiosk = rate_per_minute / max(len(kiosks), 1)
        self._hands = hands or {}
        self._stage = Stage(habits or Habits(), clock or SystemClock(), speed, seed)
        self._supervisor = Supervisor("citizens")
        self._http: aiohttp.ClientSession | None = None

    @property
    def counts(self) -> Counts:
        """What was done so far."""
        return self._stage.counts

    async def start(self) -> None:
        """Lets the first people in."""
        await asyncio.to_thread(rating_tags)
        self._http = aiohttp.ClientSession()
        for kiosk in self._kiosks:
            hand = self._hands.get(kiosk.reader)
            self._play(kiosk.credentials, Visitors(self._stage, self._per_kiosk, hand).run)
        for crew in self._crews:
            clerk = Clerk(self._stage, crew.window, crew.staff_number, crew.password)
            self._play(crew.call_pad, clerk.run)
            if crew.rating_pad is not None:
                self._play(crew.rating_pad, Rater(self._stage, crew.window).run)

    async def close(self) -> None:
        """Sends everybody home."""
        await self._supervisor.close()
        if self._http is not None:
            await self._http.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _play(self, device: Credentials, role: Callable[[HubSession], Awaitable[None]]) -> None:
        assert self._http is not None
        http = self._http
        _ = self._supervisor.keep(device.device, lambda: self._stay(http, device, role))

    async def _stay(
        self,
        http: aiohttp.ClientSession,
        device: Credentials,
        role: Callable[[HubSession], Awaitable[None]],
    ) -> None:
        """Comes back after every loss of the hall; the role goes on from what its screen shows."""
        backoff = Backoff(first=0.2, cap=5.0)
        while True:
            try:
                async with hub_session(http, self.url, device) as session:
                    backoff.reset()
                    await role(session)
            except SessionEndedError:
                self.counts.reconnects += 1
                await asyncio.sleep(backoff.next())
            except RefusedError as error:
                self.counts.refused[error.code] += 1
                log.warning("citizens.refused", device=device.device, code=error.code)
                await asyncio.sleep(REFUSED_AGAIN_S)
