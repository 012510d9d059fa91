"""Visits, cases and ratings from the halls' events."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.projection import StoredEvent
from console.core.rows import load_rows, save_rows
from console.core.uow import Uow
from console.modules.evaluation import models as m
from console.modules.evaluation.domain import Rows, fold, touched
from qingting.contract.ids import HallId


class RatingProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "ratings"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        about = [(stored, *touched(stored.event)) for stored in events]
        relevant = [(stored, ticket, case) for stored, ticket, case in about if ticket]
        if not relevant:
            return
        tickets = {ticket for _, ticket, _ in relevant if ticket}
        cases = {case for _, _, case in relevant if case}
        rows = Rows(
            visits=await load_rows(uow, m.visit, hall, "ticket", tickets),
            cases=await load_rows(uow, m.case, hall, "case_no", cases),
        )
        for stored, _, _ in relevant:
            fold(rows, stored.event)
        await save_rows(
            uow, m.visit, [{**_BLANK, **row, "hall": hall} for row in rows.visits.values()]
        )
        await save_rows(uow, m.case, [{**row, "hall": hall} for row in rows.cases.values()])
        uow.changed("ratings")

    async def forget(self, uow: Uow, hall: HallId) -> None:
        for table in (m.visit, m.case):
            await uow.run(sa.delete(table).where(table.c.hall == hall))


_BLANK = dict.fromkeys(column.name for column in m.visit.c if column.nullable)
"""Columns of visits that cases have taken over."""
