"""Device nodes by what is plugged in: vendor, product and serial number instead of a number that changes.

``/dev/usb/lp0`` is whatever printer came first; after a replug the same printer may be ``lp1``. The system's own
description of its devices (sysfs) says which node belongs to which.
"""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

CLASSES = {"usblp": ("usbmisc", "lp"), "hidraw": ("hidraw", "hidraw"), "evdev": ("input", "event")}
"""Class of the nodes in sysfs and how their names begin, by the scheme of an address."""
KEY_ENTER, KEY_A = 28, 30
GRAB = 0x40044590
"""EVIOCGRAB of ``linux/input.h``: _IOW('E', 0x90, int)."""


class UsbIds(NamedTuple):
    """What a USB device says of itself; ``serial`` empty = any."""

    vendor: int
    product: int
    serial: str = ""

    @classmethod
    def parse(cls, ids: str, serial: str = "") -> "UsbIds":
        """``0519:2013``; raises ValueError for anything else."""
        vendor, colon, product = ids.partition(":")
        if not colon or len(vendor) != 4 or len(product) != 4:
            raise ValueError("USB ids are four hexadecimal digits, a colon and four more")
        return cls(int(vendor, 16), int(product, 16), serial)

    def __str__(self) -> str:
        return f"{self.vendor:04x}:{self.product:04x}" + (f"/{self.serial}" if self.serial else "")


def grab(descriptor: int) -> None:
    """From now on nobody else gets this keyboard's keys; raises OSError."""
    fcntl.ioctl(descriptor, GRAB, struct.pack("@i", 1))


@dataclass(frozen=True, slots=True)
class NodeSystem:
    """Where the machine tells of its devices, and how a keyboard is taken away from everybody else."""

    sysfs: Path = Path("/sys")
    dev: Path = Path("/dev")
    grab: Callable[[int], None] = grab

    def find(self, scheme: str, wanted: UsbIds) -> str:
        """Path of the node of the plugged-in device; raises FileNotFoundError when there is none.

        Reads files: use beside the event loop.
        """
        folder, prefix = CLASSES[scheme]
        for entry in sorted((self.sysfs / "class" / folder).glob(f"{prefix}*")):
            if not _fits(entry, wanted) or (scheme == "evdev" and not _is_keyboard(entry)):
                continue
            name = next(_values(entry / "uevent", "DEVNAME"), entry.name)
            return str(self.dev / name)
        raise FileNotFoundError(f"no {scheme} device {wanted} is plugged in")

    def open(self, scheme: str, path: str) -> int:
        """A non-blocking descriptor, grabbed where keys would else fall into the browser; raises OSError."""
        mode = os.O_RDONLY if scheme == "evdev" else os.O_RDWR
        descriptor = os.open(path, mode | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            if scheme == "evdev":
                self.grab(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


def _fits(entry: Path, wanted: UsbIds) -> bool:
    """True when the USB device above this node is the wanted one."""
    device = (entry / "device").resolve()
    for place in (device, *device.parents):
        if not (place / "idVendor").is_file():
            continue
        ids = UsbIds(int(_text(place / "idVendor"), 16), int(_text(place / "idProduct"), 16))
        serial = _text(place / "serial") if (place / "serial").is_file() else ""
        return ids == (wanted.vendor, wanted.product, "") and wanted.serial in ("", serial)
    return False


def _is_keyboard(entry: Path) -> bool:
    """A scanner has other nodes beside its keys: volume buttons, a mouse."""
    capabilities = entry / "device" / "capabilities" / "key"
    if not capabilities.is_file():
        return False
    low = int(_text(capabilities).split()[-1], 16)
    return bool(low >> KEY_ENTER & 1 and low >> KEY_A & 1)


def _text(path: Path) -> str:
    return path.read_text("ascii", "replace").strip()


def _values(path: Path, key: str) -> Iterator[str]:
    if path.is_file():
        for line in _text(path).splitlines():
            name, _, value = line.partition("=")
            if name == key:
                yield value
