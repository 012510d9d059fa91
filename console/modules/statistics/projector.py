"""Tickets, windows and bookings from the halls' events."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.projection import StoredEvent
from console.core.rows import load_rows, save_rows
from console.core.uow import Uow
from console.modules.statistics import models as m
from console.modules.statistics.domain import Rows, Touched, fold, touched
from qingting.contract.ids import HallId


class TicketProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "tickets"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        about = [(stored, touched(stored.event)) for stored in events]
        relevant = [(stored, one) for stored, one in about if any(one)]
        if not relevant:
            return
        rows = await _load(uow, hall, [one for _, one in relevant])
        for stored, _ in relevant:
            fold(rows, stored.event)
        for table, found in (
            (m.ticket, rows.tickets),
            (m.window, rows.windows),
            (m.booking, rows.bookings),
        ):
            await save_rows(uow, table, [{**row, "hall": hall} for row in found.values()])
        uow.changed("tickets")

    async def forget(self, uow: Uow, hall: HallId) -> None:
        for table in (m.ticket, m.window, m.booking):
            await uow.run(sa.delete(table).where(table.c.hall == hall))


async def _load(uow: Uow, hall: HallId, about: list[Touched]) -> Rows:
    tickets = {one.ticket for one in about if one.ticket}
    bookings = {one.booking for one in about if one.booking}
    rows = Rows(
        tickets=await load_rows(uow, m.ticket, hall, "id", tickets),
        bookings=await load_rows(uow, m.booking, hall, "id", bookings),
    )
    windows = {one.window for one in about if one.window}
    windows |= {row["win"] for row in rows.tickets.values() if row["win"]}
    rows.windows = await load_rows(uow, m.window, hall, "id", windows)
    return rows
