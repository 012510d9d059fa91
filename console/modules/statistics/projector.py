"""Tickets and windows from the halls' events."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.projection import StoredEvent
from console.core.rows import load_rows, save_rows
from console.core.uow import Uow
from console.modules.statistics import models as m
from console.modules.statistics.domain import Rows, fold, touched
from qingting.contract.ids import HallId


class TicketProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "tickets"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        about = [(stored, *touched(stored.event)) for stored in events]
        relevant = [
            (stored, ticket, window) for stored, ticket, window in about if ticket or window
        ]
        if not relevant:
            return
        rows = Rows(
            tickets=await load_rows(
                uow, m.ticket, hall, "id", {ticket for _, ticket, _ in relevant if ticket}
            )
        )
        windows = {window for _, _, window in relevant if window}
        windows |= {row["win"] for row in rows.tickets.values() if row["win"]}
        rows.windows = await load_rows(uow, m.window, hall, "id", windows)
        for stored, _, _ in relevant:
            fold(rows, stored.event)
        await save_rows(uow, m.ticket, [{**row, "hall": hall} for row in rows.tickets.values()])
        await save_rows(uow, m.window, [{**row, "hall": hall} for row in rows.windows.values()])
        uow.changed("tickets")

    async def forget(self, uow: Uow, hall: HallId) -> None:
        for table in (m.ticket, m.window):
            await uow.run(sa.delete(table).where(table.c.hall == hall))
