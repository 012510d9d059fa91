"""A byte pipe over a pair of USB bulk endpoints, for readers that no driver of the kernel serves.

libusb has no reading that an event loop could wait for, so one thread a device waits in the kernel and hands over what
comes; writing is done beside the loop. The device is found by what it says of itself, at each opening.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import usb.core
import usb.util

from hallserver.devices.transports.usb_ids import UsbIds
from qingting.kernel.aio.pipe import ListeningEnd, PipeClosedError

READ_MS = 200
"""How long the thread waits in the kernel before it looks whether the pipe was closed."""
WRITE_MS = 2000


class UsbBulkPipe(ListeningEnd):
    """Implements ``kernel.aio.pipe.BytePipe``. Made by :func:`open_usb`."""

    def __init__(self, device: Any, out_end: Any, in_end: Any) -> None:
        super().__init__()
        self._device, self._out, self._in = device, out_end, in_end
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._thread = threading.Thread(target=self._read, name="usb-bulk", daemon=True)
        self._thread.start()

    # ---- the reading thread ----------------------------------------------------------------------

    def _read(self) -> None:
        while not self._lost.is_set():
            try:
                data = bytes(self._in.read(self._in.wMaxPacketSize, READ_MS))
            except usb.core.USBTimeoutError:
                continue
            except usb.core.USBError as error:
                self._tell(self._lose, error)
                return
            if data:
                self._tell(self._take, data)

    def _tell(self, call: Callable[[Any], None], news: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before the pipe was closed
            self._loop.call_soon_threadsafe(call, news)

    # ---- BytePipe --------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """See ``BytePipe``; raises :class:`PipeClosedError`."""
        async with self._turn:
            if self._lost.is_set():
                raise PipeClosedError("the line is down") from self._cause
            try:
                await asyncio.to_thread(self._out.write, data, WRITE_MS)
            except usb.core.USBError as error:
                # Part of it may be out: only a new line is clean again.
                self._lose(error)
                raise PipeClosedError(f"usb line: {error}") from error

    async def close(self) -> None:
        """Gives the device back; returns when its thread has ended."""
        self._lose(None)
        await asyncio.to_thread(self._give_back)

    def _give_back(self) -> None:
        self._thread.join()
        with contextlib.suppress(usb.core.USBError):  # it is gone already
            usb.util.dispose_resources(self._device)


async def open_usb(ids: UsbIds, backend: Any = None) -> UsbBulkPipe:
    """The first bulk endpoints of the device; raises OSError when it is not there or somebody else holds it."""
    opening = asyncio.ensure_future(asyncio.to_thread(_claim, ids, backend))
    try:
        device, out_end, in_end = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_give_up)
        raise
    return UsbBulkPipe(device, out_end, in_end)


def _claim(ids: UsbIds, backend: Any) -> tuple[Any, Any, Any]:
    try:
        device = usb.core.find(
            idVendor=ids.vendor,
            idProduct=ids.product,
            custom_match=lambda one: not ids.serial or one.serial_number == ids.serial,
            backend=backend,
        )
    except usb.core.NoBackendError as error:
        raise OSError("libusb is not installed on this machine") from error
    if device is None:
        raise FileNotFoundError(f"no usb device {ids} is plugged in")
    for interface in device.get_active_configuration():
        out_end, in_end = (
            _bulk(interface, usb.util.ENDPOINT_OUT),
            _bulk(interface, usb.util.ENDPOINT_IN),
        )
        if out_end is not None and in_end is not None:
            usb.util.claim_interface(device, interface)
            return device, out_end, in_end
    usb.util.dispose_resources(device)
    raise OSError(f"usb device {ids} has no pair of bulk endpoints")


def _bulk(interface: Any, direction: int) -> Any:
    def fits(end: Any) -> bool:
        kind = usb.util.endpoint_type(end.bmAttributes)
        way = usb.util.endpoint_direction(end.bEndpointAddress)
        return bool(kind == usb.util.ENDPOINT_TYPE_BULK and way == direction)

    return usb.util.find_descriptor(interface, custom_match=fits)


def _give_up(opening: "asyncio.Future[tuple[Any, Any, Any]]") -> None:
    """Nobody waits any more for a device that took long to open."""
    if not opening.cancelled() and opening.exception() is None:
        usb.util.dispose_resources(opening.result()[0])
