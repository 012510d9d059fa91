"""SQL over tickets and windows."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa

from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.modules.statistics import models as m
from console.modules.statistics.api import (
    BookingFigures,
    InLine,
    QueueFigures,
    TicketNow,
    WindowNow,
)
from qingting.contract.ids import HallId

_QUEUES = """
    SELECT hall, queue, count(*) AS issued,
           count(*) FILTER (WHERE state = 'waiting') AS waiting,
           count(*) FILTER (WHERE state IN ('called', 'serving')) AS serving,
           count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE state = 'no_show') AS no_show,
           count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE state = 'parked') AS parked,
           count(*) FILTER (WHERE booking IS NOT NULL) AS booked,
           count(*) FILTER (WHERE late) AS late,
           count(*) FILTER (WHERE priority NOT IN ('ordinary', 'booked')) AS priority,
           count(*) FILTER (WHERE state = 'waiting' AND print_state = 'failed') AS unprinted,
           round(avg(called_at - issued_at) / 1000)::bigint AS wait_average,
           round(percentile_cont(0.9) WITHIN GROUP (ORDER BY called_at - issued_at)
                 FILTER (WHERE called_at IS NOT NULL) / 1000)::bigint AS wait_p90,
           coalesce(min(issued_at) FILTER (WHERE state = 'waiting'), 0) AS oldest_waiting
    FROM stat_ticket
    WHERE day = :day AND (CAST(:within AS text[]) IS NULL OR hall = ANY(CAST(:within AS text[]))) {hall}
    GROUP BY hall, queue ORDER BY hall, queue"""


def _within(scope: Scope) -> list[str] | None:
    """Tickets tell no department: they belong to whoever has the whole hall."""
    return None if scope.halls is None else sorted(scope.halls)


async def queues(uow: ReadUow, scope: Scope, day: date, hall: HallId | None) -> list[QueueFigures]:
    statement = sa.text(_QUEUES.format(hall="AND hall = :hall" if hall is not None else ""))
    parameters: dict[str, object] = {"day": day, "within": _within(scope)}
    parameters |= {"hall": hall} if hall is not None else {}
    return [QueueFigures(**row) for row in await uow.all(statement, parameters)]


async def windows(uow: ReadUow, scope: Scope, hall: HallId | None) -> list[WindowNow]:
    statement = (
        sa.select(
            m.window.c.hall,
            m.window.c.id.label("window"),
            m.window.c.state,
            m.window.c.staff,
            sa.func.coalesce(m.ticket.c.number, "").label("ticket"),
            m.window.c.reason,
            m.window.c.since,
        )
        .outerjoin(
            m.ticket, (m.ticket.c.hall == m.window.c.hall) & (m.ticket.c.id == m.window.c.ticket)
        )
        .where(scope.where(m.window.c.hall))
        .order_by(m.window.c.hall, m.window.c.id)
    )
    if hall is not None:
        statement = statement.where(m.window.c.hall == hall)
    return [WindowNow(**row) for row in await uow.all(statement)]


_BOOKINGS = """
    SELECT hall, count(*) FILTER (WHERE state = 'due') AS due,
           count(*) FILTER (WHERE state = 'arrived') AS arrived,
           count(*) FILTER (WHERE state = 'missed') AS missed,
           count(*) FILTER (WHERE state = 'cancelled') AS cancelled
    FROM stat_booking
    WHERE day = :day AND (CAST(:within AS text[]) IS NULL OR hall = ANY(CAST(:within AS text[])))
    GROUP BY hall ORDER BY hall"""


async def bookings(uow: ReadUow, scope: Scope, day: date) -> list[BookingFigures]:
    given = {"day": day, "within": _within(scope)}
    return [BookingFigures(**row) for row in await uow.all(sa.text(_BOOKINGS), given)]


_IN_HALL = ("called", "serving", "waiting", "parked")


async def tickets(uow: ReadUow, day: date, hall: HallId, limit: int) -> tuple[int, list[TicketNow]]:
    column = m.ticket.c
    now = (column.hall == hall, column.day == day, column.state.in_(_IN_HALL))
    count = await uow.scalar(sa.select(sa.func.count()).select_from(m.ticket).where(*now))
    rank = sa.case({one: place for place, one in enumerate(_IN_HALL)}, value=column.state)
    statement = (
        sa.select(
            *(column[name] for name in TicketNow.__dataclass_fields__ if name != "booked"),
            column.booking.is_not(None).label("booked"),
        )
        .where(*now)
        .order_by(rank, column.issued_at, column.id)
        .limit(limit)
    )
    return int(count), [TicketNow(**row) for row in await uow.all(statement)]


_IN_LINE = """
    SELECT mine.booking, mine.number, mine.state,
           (SELECT count(*) FROM stat_ticket other
            WHERE other.hall = mine.hall AND other.day = mine.day AND other.queue = mine.queue
              AND other.state = 'waiting' AND other.id <> mine.id
              AND (other.issued_at < mine.issued_at
                   OR other.priority NOT IN ('ordinary', 'booked')
                      AND mine.priority IN ('ordinary', 'booked'))) AS ahead
    FROM stat_ticket mine
    WHERE mine.day = :day AND mine.hall = :hall AND mine.booking = ANY(CAST(:bookings AS text[]))
    ORDER BY mine.issued_at"""


async def in_line(uow: ReadUow, day: date, hall: HallId, bookings: Collection[str]) -> list[InLine]:
    given = {"day": day, "hall": hall, "bookings": sorted(bookings)}
    return [InLine(**row) for row in await uow.all(sa.text(_IN_LINE), given)]
