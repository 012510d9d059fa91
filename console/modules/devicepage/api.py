"""What other modules may do with the page of a device: put their own part into it."""

from typing import Protocol

from console.core.module import ApiKey, SlotKey
from console.core.uow import ReadUow
from console.modules.devices.api import DeviceInfo
from qingting.contract.ids import HallId

DEVICE_PAGE = SlotKey[DeviceInfo]("device.page")
"""Between what is wrong now and the timeline; drawn again whenever the page refreshes by itself, so put no
form with fields in it."""
DEVICE_ACTS = SlotKey[DeviceInfo]("device.acts")
"""Below what is wrong now, for buttons and forms: drawn once, never under somebody's hands."""


def device_path(hall: str, device: str) -> str:
    """Address of a device's page."""
    return f"/devices/{hall}/{device}"


class ModelsApi(Protocol):
    """What is known of the models of devices."""

    async def models(self, uow: ReadUow, hall: HallId) -> dict[str, str]:
        """Maker and model by device; its profile's id when the city does not know that; devices without a
        registered model are left out."""
        ...


MODELS = ApiKey[ModelsApi]("MODELS")
