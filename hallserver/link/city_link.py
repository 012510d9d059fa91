"""The hall's end of the link to the city: dial, speak, back off, dial again. The hall never waits for it."""

import base64
import random
from collections.abc import Callable

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from hallserver.engine.views import Ambient
from hallserver.hall import Hall
from hallserver.link.city_people import CityPeople
from hallserver.link.fetching import Fetcher
from hallserver.link.session import Session
from hallserver.link.uplink import LinkFaultError, LinkState, Uplink, event_time
from hallserver.store.store import HallStore
from qingting.contract.events import Event
from qingting.contract.ids import HallId, Millis
from qingting.contract.link import MAX_RAW_BYTES, File, FrameError
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer

log = structlog.get_logger(__name__)

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0
STEADY_SECONDS = 30.0
"""A session that lasted this long makes the next pause short again."""
DECISION_SECONDS = 30.0
"""Least pause between two knocks while a person at the city has to decide something."""


class CityLink:
    """Keeps the city's copy of this hall's log complete. Run :meth:`run` as a supervised service.

    ``ambient`` gives what the LIVE lane says beside the state (when devices were last heard of); whoever
    knows better sets it before :meth:`run`. ``sealer``: the hall's own, for the persons whom the city books.
    """

    def __init__(
        self,
        hall: Hall,
        store: HallStore,
        url: str,
        hall_id: HallId,
        key: str,
        clock: Clock,
        *,
        build: str = "",
        sealer: Sealer | None = None,
        ambient: Callable[[], Ambient] | None = None,
    ) -> None:
        self.state = LinkState.OFFLINE
        self.problem = ""
        """Why the link is not connected, as a code; empty while it is."""
        self._hall = hall
        self._store = store
        self._url = url
        self._hall_id = hall_id
        self._key = key
        self._clock = clock
        self._build = build
        self.fetcher: Fetcher | None = None
        """Keeps releases for this hall's screens; set before :meth:`run`."""
        self.ambient = ambient or (lambda: Ambient(clock.now_ms(), city_link=self.connected))
        self.backup_bad: Callable[[], Millis] = lambda: 0
        """Since when the hall has no fresh backup of itself, 0: it has; set before :meth:`run`."""
        self._people = CityPeople(sealer)
        self._uplink = Uplink(store.epoch)
        self._session: Session | None = None
        self._listeners: list[Callable[[], None]] = []

    # ---- what others may know -------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """True while the city takes this hall's events."""
        return self.state is LinkState.CONNECTED

    @property
    def acked(self) -> int:
        """The last event that the city has confirmed, 0 before it was first asked."""
        return self._uplink.acked.seq

    @property
    def lag(self) -> int:
        """Events that the city has not confirmed; all of the log before the first connection."""
        return max(0, self._hall.state.seq - self._uplink.acked.seq)

    @property
    def oldest_unacked_age(self) -> float:
        """Seconds since the oldest event happened that the city has not confirmed; 0 when there is none."""
        oldest = self._oldest_unacked()
        return max(0, self._clock.now_ms() - oldest) / 1000 if oldest else 0.0

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """``listener`` is called when ``state`` changes; returns a function that ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def bring(self, act: str, media: str, data: bytes) -> None:
        """Sends what an act of the city's brought back; dropped while there is no line, it can be fetched again."""
        if self._session is not None:
            self._session.bring(File(act=act, media=media, data=base64.b64encode(data).decode()))

    def present_changed(self) -> None:
        """What connected devices say is another: the city's picture of the present is renewed soon."""
        if self._session is not None:
            self._session.present_changed()

    def fetch(self) -> None:
        """There may be releases to fetch."""
        if self._session is not None:
            self._session.fetching.wake()

    # ---- service --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Never returns; ends only by cancellation."""
        unsubscribe = self._hall.subscribe(self._committed)
        backoff = Backoff(first=0.5, cap=30.0, jitter=0.0)
        try:
            while True:
                started = self._clock.monotonic()
                least = await self._attempt()
                if self._uplink.progress or self._clock.monotonic() - started > STEADY_SECONDS:
                    backoff.reset()
                # Full jitter: nine halls must not come back in the same instant.
                await self._clock.sleep(max(least, random.uniform(0, backoff.next())))  # noqa: S311
        finally:
            unsubscribe()
            self._become(LinkState.OFFLINE, "")

    async def _attempt(self) -> float:
        """One connection from dialling to its end; returns the least pause before the next."""
        self._uplink.progress = 0
        try:
            await self._connect()
        except LinkFaultError as fault:
            self._become(fault.state, fault.code)
            waits = fault.state in (LinkState.QUARANTINED, LinkState.REFUSED)
            return max(fault.retry_after, DECISION_SECONDS if waits else 0.0)
        except (OSError, WebSocketException, FrameError) as error:
            self._become(LinkState.OFFLINE, type(error).__name__)
        except Exception as error:
            # The link outlives any fault of the program; the hall does not depend on it.
            log.exception("link.failed")
            self._become(LinkState.OFFLINE, type(error).__name__)
        finally:
            self._session = None
            self._uplink.close()
        return 0.0

    async def _connect(self) -> None:
        async with connect(
            self._url,
            compression=None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=None,
            max_size=MAX_RAW_BYTES,
        ) as socket:
            session = Session(
                self._hall,
                self._uplink,
                socket,
                self._clock,
                ambient=self.ambient,
                oldest_unacked=self._oldest_unacked,
                fetcher=self.fetcher,
                people=self._people,
                backup_bad=self.backup_bad,
            )
            await session.greet(self._hall_id, self._key, self._build)
            await self._find_oldest()
            self._session = session
            self._become(LinkState.CONNECTED, "")
            await session.serve()

    # ---- bookkeeping ----------------------------------------------------------------------------

    def _committed(self, events: tuple[Event, ...]) -> None:
        if not self._uplink.waiting_since or events[0].s <= self._uplink.acked.seq + 1:
            self._uplink.first_waits(events[0].at)
        if self._session is not None:
            self._session.committed()

    async def _find_oldest(self) -> None:
        found = await self._store.events(self._uplink.acked.seq, 1)
        if found:
            self._uplink.first_waits(event_time(found[0]))

    def _oldest_unacked(self) -> Millis:
        return self._uplink.waiting_since if self.lag else 0

    def _become(self, state: LinkState, problem: str) -> None:
        if (state, problem) == (self.state, self.problem):
            return
        changed = state is not self.state
        self.state, self.problem = state, problem
        log.info("link.state", state=state.value, problem=problem, lag=self.lag)
        if changed:
            for listener in tuple(self._listeners):
                listener()
