"""Visits and ratings from the halls' events."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.projection import StoredEvent
from console.core.rows import load_rows, save_rows
from console.core.uow import Uow
from console.modules.evaluation import models as m
from console.modules.evaluation.domain import fold, touched
from qingting.contract.ids import HallId


class RatingProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "ratings"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        relevant = [(stored, one) for stored in events if (one := touched(stored.event))]
        if not relevant:
            return
        rows = await load_rows(uow, m.visit, hall, "ticket", {one for _, one in relevant})
        for stored, _ in relevant:
            fold(rows, stored.event)
        await save_rows(uow, m.visit, [{**row, "hall": hall} for row in rows.values()])
        uow.changed("ratings")

    async def forget(self, uow: Uow, hall: HallId) -> None:
        await uow.run(sa.delete(m.visit).where(m.visit.c.hall == hall))
