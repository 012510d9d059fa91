"""Names of halls, devices, rules and receivers for whoever puts alarms into words."""

from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.halls.api import HallsApi
from console.modules.alarms import repository as repo
from console.modules.alarms.receiver_store import receivers
from console.modules.alarms.words import Names
from console.modules.devices.api import DevicesApi


class Naming:
    """Asks the modules that know."""

    def __init__(self, halls: HallsApi, devices: DevicesApi) -> None:
        self._halls = halls
        self._devices = devices

    async def names(self, uow: ReadUow, scope: Scope) -> Names:
        return Names(
            {one.id: one for one in await self._halls.halls(uow, scope)},
            {(one.hall, one.id): one for one in await self._devices.devices(uow, scope)},
            {one.rule.id: one for one in await repo.rules(uow)},
            {one.receiver.id: one.receiver for one in await receivers(uow)},
        )
