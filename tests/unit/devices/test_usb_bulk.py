"""ID readers on USB bulk endpoints, over a backend that stands in for libusb under pyusb's own code."""

import asyncio
import errno
import queue
from array import array
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import usb.backend
import usb.core
from patience import until

from hallserver.devices.transports.opening import LineSettings, open_transport
from qingting.kernel.aio.pipe import BytePipe, PipeClosedError

OUT, IN, BULK = 0x02, 0x81, 2


class FakeUsb(usb.backend.IBackend):  # type: ignore[misc]
    """One bus with some devices; the test is at the other end of their endpoints."""

    def __init__(self, *serials: str) -> None:
        super().__init__()
        self.serials = list(serials)
        self.written: list[bytes] = []
        self.coming: queue.Queue[bytes | Exception] = queue.Queue()
        self.claimed: list[int] = []
        self.opened: list[str] = []
        self.write_fault: Exception | None = None

    def enumerate_devices(self) -> Any:
        return list(self.serials)

    def get_device_descriptor(self, dev: str) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0, bDeviceSubClass=0,
            bDeviceProtocol=0, bMaxPacketSize0=64, idVendor=0x0400, idProduct=0xC35A, bcdDevice=1,
            iManufacturer=0, iProduct=0, iSerialNumber=3, bNumConfigurations=1, address=1, bus=1,
            port_number=1, port_numbers=(1,), speed=2,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: str, config: int) -> Any:
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1,
            iConfiguration=0, bmAttributes=0x80, bMaxPower=50, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: str, intf: int, alt: int, config: int) -> Any:
        if intf or alt:
            raise IndexError
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2,
            bInterfaceClass=0xFF, bInterfaceSubClass=0, bInterfaceProtocol=0, iInterface=0,
            extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: str, ep: int, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=(OUT, IN)[ep], bmAttributes=BULK,
            wMaxPacketSize=64, bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    def open_device(self, dev: str) -> str:
        self.opened.append(dev)
        return dev

    def close_device(self, dev_handle: str) -> None:
        self.opened.remove(dev_handle)

    def get_configuration(self, dev_handle: str) -> int:
        return 1

    def claim_interface(self, dev_handle: str, intf: int) -> None:
        self.claimed.append(intf)

    def release_interface(self, dev_handle: str, intf: int) -> None:
        self.claimed.remove(intf)

    def ctrl_transfer(
        self, dev: str, kind: int, request: int, value: int, index: int, data: Any, timeout: int
    ) -> int:
        text = b"\x04\x03\x09\x04"  # the languages of its texts: English
        if value & 0xFF:
            words = dev.encode("utf-16-le")
            text = bytes([len(words) + 2, 3]) + words
        data[: len(text)] = array("B", text)
        return len(text)

    def bulk_write(self, dev_handle: str, ep: int, intf: int, data: Any, timeout: int) -> int:
        assert ep == OUT
        if self.write_fault is not None:
            raise self.write_fault
        self.written.append(bytes(data))
        return len(data)

    def bulk_read(self, dev_handle: str, ep: int, intf: int, buff: Any, timeout: int) -> int:
        assert ep == IN
        try:
            news = self.coming.get(timeout=timeout / 1000)
        except queue.Empty:
            raise usb.core.USBTimeoutError("timed out", errno=errno.ETIMEDOUT) from None
        if isinstance(news, Exception):
            raise news
        buff[: len(news)] = array("B", news)
        return len(news)


@pytest.fixture
def bus() -> FakeUsb:
    return FakeUsb("A1", "B2")


@pytest.fixture
async def lines() -> AsyncIterator[list[BytePipe]]:
    opened: list[BytePipe] = []
    yield opened
    for one in opened:
        await one.close()


async def opened(bus: FakeUsb, lines: list[BytePipe], url: str = "usb://0400:c35a/B2") -> BytePipe:
    pipe = await open_transport(url, LineSettings(usb_backend=bus))
    lines.append(pipe)
    return pipe


async def test_bytes_pass_both_ways_and_the_device_is_given_back(
    bus: FakeUsb, lines: list[BytePipe]
) -> None:
    pipe = await opened(bus, lines)
    assert set(bus.opened) == {"B2"}
    assert bus.claimed == [0]
    await pipe.write(b"question")
    bus.coming.put(b"early")
    await asyncio.sleep(0.02)
    got = bytearray()
    pipe.on_data(got.extend)
    bus.coming.put(b" and late")
    await until(lambda: bytes(got) == b"early and late")
    assert bus.written == [b"question"]
    await pipe.close()
    await pipe.close()
    assert (bus.opened, bus.claimed) == ([], [])


async def test_a_pulled_device_is_told_once_and_writing_fails(
    bus: FakeUsb, lines: list[BytePipe]
) -> None:
    pipe = await opened(bus, lines)
    closed: list[Exception | None] = []
    pipe.on_close(closed.append)
    bus.coming.put(usb.core.USBError("no such device", errno=errno.ENODEV))
    await until(lambda: bool(closed))
    with pytest.raises(PipeClosedError):
        await pipe.write(b"x")
    await pipe.close()
    assert len(closed) == 1


async def test_a_device_that_takes_nothing_needs_a_new_line(
    bus: FakeUsb, lines: list[BytePipe]
) -> None:
    pipe = await opened(bus, lines)
    bus.write_fault = usb.core.USBTimeoutError("timed out", errno=errno.ETIMEDOUT)
    with pytest.raises(PipeClosedError, match="timed out"):
        await pipe.write(b"x")
    bus.write_fault = None
    with pytest.raises(PipeClosedError):
        await pipe.write(b"x")


async def test_what_is_not_plugged_in_is_a_closed_pipe(bus: FakeUsb, lines: list[BytePipe]) -> None:
    for url in ("usb://0400:c35a/C3", "usb://0400:0001"):
        with pytest.raises(PipeClosedError, match="plugged in"):
            await opened(bus, lines, url)
    bus.serials.append("C3")
    await opened(bus, lines, "usb://0400:c35a/C3")
