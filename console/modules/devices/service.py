"""Use cases around devices; implements :class:`console.modules.devices.api.DevicesApi`."""

from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from console.core.uow import ReadUow
from console.halls.api import HallsApi, HallStatus, LinkState
from console.modules.devices import models as m
from console.modules.devices.api import ConditionSince, DeviceInfo
from qingting.contract.ids import HallId
from qingting.contract.link import Live
from qingting.contract.states import Condition, DeviceKind, DeviceState


class DeviceService:
    """See :class:`console.modules.devices.api.DevicesApi`."""

    def __init__(self, halls: HallsApi) -> None:
        self._halls = halls

    async def devices(self, uow: ReadUow, hall: HallId | None = None) -> list[DeviceInfo]:
        statuses = {status.id: status for status in await self._halls.halls(uow)}
        helps = {
            (row["hall"], row["device"]): row["since"]
            for row in await uow.all(sa.select(m.help_call))
        }
        statement = sa.select(m.device).order_by(m.device.c.hall, m.device.c.id)
        if hall is not None:
            statement = statement.where(m.device.c.hall == hall)
        rows = [row for row in await uow.all(statement) if row["hall"] in statuses]
        names = {(row["hall"], row["id"]): row for row in rows}
        devices = [
            _device(
                row,
                statuses[row["hall"]],
                names.get((row["hall"], row["parent"])),
                helps.get((row["hall"], row["id"]), 0),
            )
            for row in rows
        ]
        return list(_with_present(devices, await self._halls.live(uow)))


def _device(
    row: sa.RowMapping, status: HallStatus, parent: sa.RowMapping | None, help_since: int
) -> DeviceInfo:
    return DeviceInfo(
        hall=HallId(row["hall"]),
        hall_name=status.name,
        hall_name_en=status.name_en,
        id=row["id"],
        kind=DeviceKind(row["kind"]),
        name=row["name"],
        name_en=row["name_en"],
        parent=row["parent"] or "",
        parent_name=parent["name"] if parent is not None else "",
        parent_name_en=(parent["name_en"] or parent["name"]) if parent is not None else "",
        window=row["win"] or "",
        state=DeviceState(row["state"]),
        conditions=tuple(
            ConditionSince(condition=Condition(one), since=since)
            for one, since in sorted(row["conditions"].items())
        ),
        detail=row["detail"],
        since=row["since"],
        seen=row["changed_at"],
        fresh=status.state is LinkState.ONLINE,
        help_since=help_since,
    )


def _with_present(devices: Iterable[DeviceInfo], lives: dict[HallId, Live]) -> Iterable[DeviceInfo]:
    """Puts what a connected hall says now over what its log had told so far."""
    for device in devices:
        live = lives.get(device.hall)
        view = next((one for one in live.devices if one.id == device.id), None) if live else None
        if live is None or view is None:
            yield device
        elif live.at < device.seen:
            # The log is ahead of the last LIVE frame: only "last seen" can be newer there.
            yield replace(device, seen=max(device.seen, view.seen))
        else:
            yield replace(
                device,
                state=view.state,
                conditions=tuple(
                    ConditionSince(condition=one.condition, since=one.since)
                    for one in view.conditions
                ),
                since=view.since,
                seen=max(view.seen, device.seen),
                detail=view.detail,
            )
