"""The city at a glance, put together from halls, devices, tickets and ratings."""

from dataclasses import dataclass

from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow
from console.halls.api import Directory, HallsApi, HallStatus, LinkState, ParkedEvent
from console.modules.alarms.api import AlarmsApi, OpenAlarms
from console.modules.devicepage.api import ModelsApi
from console.modules.devices.api import DevicesApi, FleetQuery, HallCount
from console.modules.evaluation.api import EvaluationApi, RatingFigures, RatingFilter
from console.modules.overview.domain import Attention, attention, longest_wait, waiting_now
from console.modules.overview.standing import Standing, counted, stand
from console.modules.statistics.api import (
    BookingFigures,
    QueueFigures,
    StatisticsApi,
    TicketNow,
    Totals,
    totals,
)
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock
from qingting.kernel.order import natural

TICKETS_SHOWN = 40
"""Visitors that a hall's page lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HallLine:
    """One hall among the others."""

    status: HallStatus
    waiting: int
    totals: Totals
    devices: int
    out_of_order: int
    longest_wait: int | None = None
    """Whole minutes that the first of those who wait now has waited; None when nobody does."""

    @property
    def fresh(self) -> bool:
        return self.status.state is LinkState.ONLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The whole city. ``waiting`` counts connected halls only: of the others nobody knows."""

    lines: tuple[HallLine, ...]
    attention: tuple[Attention, ...]
    ratings: RatingFigures
    alarms: OpenAlarms

    def needs(self, hall: HallId) -> int:
        """How much in a hall waits for a person."""
        return sum(one.hall.id == hall for one in self.attention)

    @property
    def online(self) -> int:
        return sum(line.fresh for line in self.lines)

    @property
    def silent(self) -> int:
        return len(self.lines) - self.online

    @property
    def waiting(self) -> int:
        return sum(line.waiting for line in self.lines if line.fresh)

    @property
    def longest_wait(self) -> int | None:
        """Of connected halls; None when nobody waits there."""
        return max(
            (one.longest_wait for one in self.lines if one.fresh and one.longest_wait is not None),
            default=None,
        )

    @property
    def served(self) -> int:
        return sum(line.totals.done for line in self.lines)

    @property
    def issued(self) -> int:
        return sum(line.totals.issued for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class HallPicture:
    """One hall with all that is in it."""

    line: HallLine
    queues: tuple[QueueFigures, ...]
    standing: Standing
    models: dict[str, str]
    """Maker and model by device."""
    builds: tuple[tuple[str, int], ...]
    """Programs that pads say they run, and on how many."""
    present: int
    """How many are in the hall; ``tickets`` are the first of them."""
    tickets: tuple[TicketNow, ...]
    bookings: BookingFigures | None
    parked: tuple[ParkedEvent, ...]
    names: Directory


class OverviewService:
    """Reads only, through the other modules' interfaces."""

    def __init__(
        self,
        clock: Clock,
        halls: HallsApi,
        devices: DevicesApi,
        statistics: StatisticsApi,
        evaluation: EvaluationApi,
        models: ModelsApi,
        alarms: AlarmsApi,
    ) -> None:
        self._clock = clock
        self._halls = halls
        self._devices = devices
        self._statistics = statistics
        self._evaluation = evaluation
        self._models = models
        self._alarms = alarms

    async def picture(self, uow: ReadUow, subject: Subject, under: Permission) -> Picture:
        """The figures of the wall screen are those of the overview; each is looked at ``under`` its own function."""
        scope = subject.scope(under)
        needing = await self._devices.search(uow, scope, FleetQuery(problems=True, fresh=True))
        lines = await self._lines(uow, scope)
        today = self._statistics.today()
        return Picture(
            lines=tuple(lines),
            attention=tuple(
                attention([line.status for line in lines], needing.devices, self._clock.now_ms())
            ),
            ratings=await self._evaluation.figures(
                uow, scope, RatingFilter(first=today, last=today)
            ),
            alarms=await self._alarms.open(uow, scope),
        )

    async def hall(self, uow: ReadUow, subject: Subject, hall: HallId) -> HallPicture:
        """Raises ``hall.unknown``."""
        subject.require(Permission.LOOK, hall=hall)
        await self._halls.hall(uow, hall)
        scope = subject.scope(Permission.LOOK)
        devices = await self._devices.devices(uow, scope, hall)
        lines = await self._lines(uow, scope)
        names = await self._halls.directory(uow, scope, hall)
        today = self._statistics.today()
        present, tickets = await self._statistics.tickets(uow, today, hall, limit=TICKETS_SHOWN)
        booked = await self._statistics.bookings(uow, scope, today)
        bookings = [one for one in booked if one.hall == hall]
        return HallPicture(
            line=next(line for line in lines if line.status.id == hall),
            queues=tuple(await self._statistics.queues(uow, scope, today, hall)),
            present=present,
            tickets=tuple(tickets),
            bookings=bookings[0] if bookings else None,
            standing=stand(
                devices,
                sorted(names.of(hall, "window"), key=lambda one: natural(one.label)),
                await self._statistics.windows(uow, scope, hall),
            ),
            models=await self._models.models(uow, hall),
            builds=tuple(await self._builds(uow, hall)),
            parked=tuple(await self._halls.parked(uow, hall)),
            names=names,
        )

    async def _builds(self, uow: ReadUow, hall: HallId) -> list[tuple[str, int]]:
        live = (await self._halls.live(uow)).get(hall)
        if live is None:
            return []
        return counted([one.pad.build for one in live.devices if one.pad and one.pad.build])

    async def _lines(self, uow: ReadUow, scope: Scope) -> list[HallLine]:
        now = self._clock.now_ms()
        lives = await self._halls.live(uow)
        counts = await self._devices.counts(uow, scope)
        figures = await self._statistics.queues(uow, scope, self._statistics.today())
        lines = []
        for status in await self._halls.halls(uow, scope):
            if not scope.has(status.id):
                continue
            sums = totals([one for one in figures if one.hall == status.id])
            count = counts.get(status.id, HallCount(0, 0))
            lines.append(
                HallLine(
                    status=status,
                    waiting=waiting_now(status, sums.waiting, lives.get(status.id), now),
                    totals=sums,
                    devices=count.devices,
                    out_of_order=count.needs,
                    longest_wait=longest_wait(
                        [one for one in figures if one.hall == status.id], now
                    ),
                )
            )
        return lines
