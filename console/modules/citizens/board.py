"""The halls as citizens see them now: open or closed, how many wait, how old that is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from console.core.days import wall_time
from console.core.kept import Kept
from console.core.permissions import EVERYWHERE, stem
from console.core.uow import ReadUow
from console.halls.api import Directory, HallsApi, HallStatus, LinkState, Spot
from console.modules.calendar.api import CalendarApi, HallDay
from console.modules.citizens.domain import Opening, kilometres, opening
from console.modules.organisation.api import Division, OrganisationApi
from console.modules.statistics.api import StatisticsApi
from qingting.contract.ids import HallId
from qingting.contract.link import Live
from qingting.contract.views import QueueView
from qingting.kernel.aio.clock import Clock

K = TypeVar("K")
V = TypeVar("V")
KEPT_S = 3.0
"""All that ask within this get the same figures: thousands look at the same halls."""
RARELY_S = 10.0
"""The same for what changes a few times a day."""
CATCHING_UP_MS = 5_000
DAYS_AHEAD = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class HallNow:
    """A hall at a moment. ``waiting`` None: nobody knows, the hall was last heard at ``status.seen_at``."""

    status: HallStatus
    day: HallDay
    opening: Opening
    waiting: int | None

    def distance(self, spot: Spot) -> float | None:
        """Kilometres in a straight line; None where nobody has said where the hall is."""
        return None if self.status.spot is None else kilometres(spot, self.status.spot)


@dataclass(frozen=True, slots=True, kw_only=True)
class HallPage:
    """One hall with its next days. ``queues`` None: what waits there is not known now."""

    now: HallNow
    days: Sequence[HallDay]
    queues: Sequence[QueueView] | None
    at: int


class Board:
    """Reads through the other modules' interfaces; what all see is kept for some seconds."""

    def __init__(
        self,
        clock: Clock,
        offset_minutes: int,
        halls: HallsApi,
        calendar: CalendarApi,
        statistics: StatisticsApi,
        organisation: OrganisationApi,
    ) -> None:
        self._clock = clock
        self._offset = offset_minutes
        self._halls = halls
        self._calendar = calendar
        self._statistics = statistics
        self._organisation = organisation
        self._all = self.kept(self._read_all, KEPT_S)
        self._pages = self.kept(self._read_hall, KEPT_S)
        self._divisions = self.kept(self._read_divisions)

    def kept(
        self, read: Callable[[ReadUow, K], Awaitable[V]], seconds: float = RARELY_S
    ) -> Callable[[ReadUow, K], Awaitable[V]]:
        """``read`` for what is public and the same for all who ask within some seconds."""
        values: Kept[K, V] = Kept(self._clock, seconds)

        async def ask(uow: ReadUow, key: K) -> V:
            return await values.get(key, lambda: read(uow, key))

        return ask

    def moment(self) -> datetime:
        """The city's wall clock."""
        return wall_time(self._clock.now_ms(), self._offset)

    def today(self) -> date:
        return self.moment().date()

    async def halls(self, uow: ReadUow) -> Sequence[HallNow]:
        """All halls that have ever told what they are."""
        return await self._all(uow, "")

    async def _read_all(self, uow: ReadUow, _: str) -> Sequence[HallNow]:
        lives = await self._halls.live(uow)
        figures = await self._statistics.queues(uow, EVERYWHERE, self._statistics.today())
        waiting: dict[str, int] = {}
        for one in figures:
            waiting[one.hall] = waiting.get(one.hall, 0) + one.waiting
        today = self.today()
        return [
            self._now(
                status,
                await self._calendar.hall_day(uow, status.id, today),
                waiting.get(status.id, 0),
                lives.get(status.id),
            )
            for status in await self._halls.halls(uow, EVERYWHERE)
            if status.config_version
        ]

    def _now(self, status: HallStatus, day: HallDay, counted: int, live: Live | None) -> HallNow:
        return HallNow(
            status=status,
            day=day,
            opening=opening(day.periods, self.moment().strftime("%H:%M")),
            waiting=self._waiting(status, counted, live),
        )

    def _waiting(self, status: HallStatus, counted: int, live: Live | None) -> int | None:
        """By the hall's log, or by its own word while the log catches up."""
        if status.state is not LinkState.ONLINE:
            return None
        if status.lag_ms(self._clock.now_ms()) > CATCHING_UP_MS:
            return None if live is None else sum(one.waiting for one in live.queues)
        return counted

    async def hall(self, uow: ReadUow, hall: HallId) -> HallPage:
        """Raises ``hall.unknown``."""
        return await self._pages(uow, hall)

    async def _read_hall(self, uow: ReadUow, hall: HallId) -> HallPage:
        status = await self._halls.hall(uow, hall)
        live = (await self._halls.live(uow)).get(hall)
        today = self.today()
        figures = await self._statistics.queues(uow, EVERYWHERE, self._statistics.today(), hall)
        last = today + timedelta(days=DAYS_AHEAD - 1)
        days = await self._calendar.hall_days(uow, hall, today, last)
        counted = sum(one.waiting for one in figures)
        return HallPage(
            now=self._now(status, days[today], counted, live),
            days=list(days.values()),
            queues=live.queues if live is not None and status.state is LinkState.ONLINE else None,
            at=live.at if live is not None else status.seen_at,
        )

    async def directory(self, uow: ReadUow, hall: HallId) -> Directory:
        """What a hall has, with its names."""
        return await self._halls.directory(uow, EVERYWHERE, hall)

    async def divisions(self, uow: ReadUow) -> list[Division]:
        """Divisions in which there are halls, with those they are part of but for the city."""
        return await self._divisions(uow, "")

    async def _read_divisions(self, uow: ReadUow, _: str) -> list[Division]:
        halls = await self.halls(uow)
        places = {stem(one.status.division) for one in halls if one.status.division}
        return [
            one
            for one in await self._organisation.divisions(uow)
            if one.parent and any(place.startswith(stem(one.code)) for place in places)
        ]


def within(halls: Sequence[HallNow], division: str) -> list[HallNow]:
    """Those that stand in a division or below it; all without one."""
    own = stem(division) if division.isdecimal() else ""
    return [one for one in halls if not division or stem(one.status.division).startswith(own)]


def nearest(halls: Sequence[HallNow], spot: Spot) -> list[tuple[HallNow, float | None]]:
    """All halls, the nearest first; those whose place is unknown last."""
    found = [(one, one.distance(spot)) for one in halls]
    return sorted(found, key=lambda one: _order(one[1]))


def _order(distance: float | None) -> float:
    return float("inf") if distance is None else distance
