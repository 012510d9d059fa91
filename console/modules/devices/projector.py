"""Devices and calls for help from the halls' events."""

from collections.abc import Sequence

import sqlalchemy as sa

from console.core.projection import StoredEvent
from console.core.rows import load_rows, save_rows
from console.core.uow import Uow
from console.modules.devices import models as m
from console.modules.devices.domain import fold, touched
from qingting.contract.events import HelpAnswered, HelpRequested
from qingting.contract.ids import HallId


class DeviceProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "devices"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        ids = set().union(*(touched(stored.event) for stored in events))
        if not ids:
            return
        rows = await load_rows(uow, m.device, hall, "id", ids)
        changed = [stored for stored in events if fold(rows, stored.event)]
        if changed:
            await save_rows(uow, m.device, [{**row, "hall": hall} for row in rows.values()])
        await self._help(uow, hall, events)
        uow.changed("devices")

    async def _help(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        for stored in events:
            match stored.event.b:
                case HelpRequested(device=device):
                    row = {"hall": hall, "device": device, "since": stored.event.at}
                    await save_rows(uow, m.help_call, [row])
                case HelpAnswered(device=device):
                    await uow.run(
                        sa.delete(m.help_call).where(
                            m.help_call.c.hall == hall, m.help_call.c.device == device
                        )
                    )
                case _:
                    pass

    async def forget(self, uow: Uow, hall: HallId) -> None:
        for table in (m.device, m.help_call):
            await uow.run(sa.delete(table).where(table.c.hall == hall))
