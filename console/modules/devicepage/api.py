"""What other modules may do with the page of a device: put their own part into it."""

from console.core.module import SlotKey
from console.modules.devices.api import DeviceInfo

DEVICE_PAGE = SlotKey[DeviceInfo]("device.page")
"""Between what is wrong now and the timeline; drawn again whenever the page refreshes by itself, so put no
form with fields in it."""
DEVICE_ACTS = SlotKey[DeviceInfo]("device.acts")
"""Below what is wrong now, for buttons and forms: drawn once, never under somebody's hands."""


def device_path(hall: str, device: str) -> str:
    """Address of a device's page."""
    return f"/devices/{hall}/{device}"
