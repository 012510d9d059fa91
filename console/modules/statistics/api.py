"""What other modules may know of today's tickets."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Scope
from console.core.uow import ReadUow
from qingting.contract.ids import HallId


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """One queue of one hall on one business day. Waiting times in seconds, None without a called ticket.

    ``parked`` visitors are away with leave, ``late`` ones missed their booked time, ``priority`` ones belong
    to a class above the ordinary. ``oldest_waiting`` is the instant at which the first of those who wait now took a ticket, or 0.
    """

    hall: HallId
    queue: str
    issued: int
    waiting: int
    serving: int
    done: int
    no_show: int
    cancelled: int
    parked: int
    booked: int
    late: int
    priority: int
    unprinted: int
    wait_average: int | None
    wait_p90: int | None
    oldest_waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowNow:
    """A window as it is now. ``ticket`` is the number it serves or calls."""

    hall: HallId
    window: str
    state: str
    staff: str
    ticket: str
    reason: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketNow:
    """Somebody who is in the hall now. ``items`` are all of the ticket, ``cases`` those that are done;
    ``until`` is when a parked visitor is expected back."""

    number: str
    state: str
    item: str
    priority: str
    booked: bool
    late: bool
    party: int
    items: int
    cases: int
    win: str | None
    issued_at: int
    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InLine:
    """The ticket that somebody came with a booking for. ``ahead``: who waits in the same queue and took a ticket
    before, or belongs to a class above the ordinary; the hall's rules may call in another order. It says
    something while ``state`` is ``waiting``."""

    booking: str
    number: str
    state: str
    ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFigures:
    """Bookings of one hall for one business day. ``missed``: the day ended and nobody came (爽约)."""

    hall: HallId
    due: int
    arrived: int
    missed: int
    cancelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over queues."""

    issued: int = 0
    waiting: int = 0
    serving: int = 0
    done: int = 0
    no_show: int = 0
    parked: int = 0


def totals(figures: list[QueueFigures]) -> Totals:
    return Totals(
        issued=sum(one.issued for one in figures),
        waiting=sum(one.waiting for one in figures),
        serving=sum(one.serving for one in figures),
        done=sum(one.done for one in figures),
        no_show=sum(one.no_show for one in figures),
        parked=sum(one.parked for one in figures),
    )


class StatisticsApi(Protocol):
    """Tickets by business day."""

    def today(self) -> date:
        """The business day that it is in the city now."""
        ...

    async def queues(
        self, uow: ReadUow, scope: Scope, day: date, hall: HallId | None = None
    ) -> list[QueueFigures]: ...

    async def windows(
        self, uow: ReadUow, scope: Scope, hall: HallId | None = None
    ) -> list[WindowNow]: ...

    async def tickets(
        self, uow: ReadUow, day: date, hall: HallId, *, limit: int
    ) -> tuple[int, list[TicketNow]]:
        """How many are in the hall, and the first of them: at windows, waiting, away. For a hall that the caller
        knows to be within."""
        ...

    async def bookings(self, uow: ReadUow, scope: Scope, day: date) -> list[BookingFigures]: ...

    async def in_line(
        self, uow: ReadUow, day: date, hall: HallId, bookings: Collection[str]
    ) -> list[InLine]:
        """Where those who came with ``bookings`` stand now; who has not come is missing."""
        ...


STATISTICS = ApiKey[StatisticsApi]("STATISTICS")
