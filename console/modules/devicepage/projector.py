"""Timelines and models of devices from the halls' events."""

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from console.core.projection import StoredEvent
from console.core.rows import load_rows, save_rows
from console.core.uow import Uow
from console.modules.devicepage import models as m
from console.modules.devicepage.domain import Standing, happened
from console.modules.devices.api import devices_of
from qingting.contract.ids import HallId


class TimelineProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "device_page"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        ids = set().union(*(devices_of(stored.event) for stored in events))
        if not ids:
            return
        rows = await load_rows(uow, m.device, hall, "id", ids)
        known = {
            key: Standing(row["profile"], row["state"], tuple(row["conditions"]))
            for key, row in rows.items()
        }
        lines = [
            {"hall": hall, "epoch": stored.epoch, "seq": stored.seq, **asdict(line)}
            for stored in events
            for line in happened(known, stored.event)
        ]
        await save_rows(
            uow, m.device, [{"hall": hall, "id": key, **asdict(one)} for key, one in known.items()]
        )
        if lines:
            await save_rows(uow, m.happening, lines)

    async def forget(self, uow: Uow, hall: HallId) -> None:
        for table in (m.device, m.happening):
            await uow.run(sa.delete(table).where(table.c.hall == hall))
