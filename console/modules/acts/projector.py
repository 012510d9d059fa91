"""What became of acts, from the halls' events."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.modules.acts import models as m
from qingting.contract import events as e
from qingting.contract.ids import HallId
from qingting.contract.states import ActOutcome


class ActProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "acts"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        changed = False
        for stored in events:
            match stored.event.b:
                case e.DeviceActAsked() as body:
                    await self._asked(uow, hall, stored.event, body)
                case e.DeviceActEnded() as body:
                    await self._ended(uow, hall, stored.event.at, body)
                case e.DirectiveRefused() as body:
                    await self._refused(uow, hall, stored.event.at, body)
                case _:
                    continue
            changed = True
        if changed:
            uow.changed("acts")

    async def _asked(self, uow: Uow, hall: HallId, event: e.Event, body: e.DeviceActAsked) -> None:
        """The city's own is known already; one of the hall's manager is new."""
        statement = insert(m.act).values(
            hall=hall,
            id=body.act,
            device=body.device,
            action=msgspec.json.encode(body.action),
            asked_at=event.at,
            asked_by=body.asked_by,
            by_city=event.by == "city",
            directive=None,
            reached=True,
            outcome=None,
            code="",
            figures={},
            note="",
            ended_at=0,
        )
        await uow.run(
            statement.on_conflict_do_update(index_elements=["hall", "id"], set_={"reached": True})
        )

    async def _ended(self, uow: Uow, hall: HallId, at: int, body: e.DeviceActEnded) -> None:
        await uow.run(
            sa.update(m.act)
            .where(m.act.c.hall == hall, m.act.c.id == body.act)
            .values(
                outcome=body.outcome.value,
                code=body.code,
                figures=body.figures,
                note=body.note,
                ended_at=at,
            )
        )

    async def _refused(self, uow: Uow, hall: HallId, at: int, body: e.DirectiveRefused) -> None:
        """The hall did not even ask the device: too late, or not allowed there."""
        late = body.code in ("directive.expired", "act.expired")
        outcome = ActOutcome.EXPIRED if late else ActOutcome.REFUSED
        await uow.run(
            sa.update(m.act)
            .where(m.act.c.hall == hall, m.act.c.directive == body.no, ~m.act.c.reached)
            .values(outcome=outcome.value, code=body.code, figures=body.params, ended_at=at)
        )

    async def forget(self, uow: Uow, hall: HallId) -> None:
        """What was asked here stays asked; what became of it is read again."""
        await uow.run(sa.delete(m.act).where(m.act.c.hall == hall, m.act.c.directive.is_(None)))
        await uow.run(
            sa.update(m.act)
            .where(m.act.c.hall == hall)
            .values(reached=False, outcome=None, code="", figures={}, note="", ended_at=0)
        )
