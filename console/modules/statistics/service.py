"""Today's tickets; implements :class:`console.modules.statistics.api.StatisticsApi`."""

from collections.abc import Collection
from datetime import date

from console.core.days import day_of
from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.modules.statistics import repository
from console.modules.statistics.api import (
    BookingFigures,
    InLine,
    QueueFigures,
    TicketNow,
    WindowNow,
)
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import Clock


class StatisticsService:
    """See :class:`console.modules.statistics.api.StatisticsApi`."""

    def __init__(self, clock: Clock, utc_offset_minutes: int) -> None:
        self._clock = clock
        self._offset = utc_offset_minutes

    def today(self) -> date:
        return day_of(self._clock.now_ms(), self._offset)

    async def queues(
        self, uow: ReadUow, scope: Scope, day: date, hall: HallId | None = None
    ) -> list[QueueFigures]:
        return await repository.queues(uow, scope, day, hall)

    async def windows(
        self, uow: ReadUow, scope: Scope, hall: HallId | None = None
    ) -> list[WindowNow]:
        return await repository.windows(uow, scope, hall)

    async def tickets(
        self, uow: ReadUow, day: date, hall: HallId, *, limit: int
    ) -> tuple[int, list[TicketNow]]:
        return await repository.tickets(uow, day, hall, limit)

    async def bookings(self, uow: ReadUow, scope: Scope, day: date) -> list[BookingFigures]:
        return await repository.bookings(uow, scope, day)

    async def in_line(
        self, uow: ReadUow, day: date, hall: HallId, bookings: Collection[str]
    ) -> list[InLine]:
        return await repository.in_line(uow, day, hall, bookings)
