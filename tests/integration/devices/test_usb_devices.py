"""Drivers on USB nodes: a card through HID reports, a code through a keyboard, both unplugged and back.

Pseudo-terminals stand in for the nodes, in real time.
"""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from patience import until, within

from hallserver.devices.drivers.id_reader.driver import SamvReader
from hallserver.devices.drivers.scanner.driver import LineScanner
from hallserver.devices.profile_types import IdReaderProfile, ScannerProfile
from hallserver.devices.profiles import load_kind
from hallserver.devices.protocols.keyboard import EVENT
from hallserver.devices.protocols.samv import CardText
from hallserver.devices.transports.opening import LineSettings, open_transport
from hallserver.devices.transports.usb_ids import NodeSystem
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import DeviceKind, DeviceState
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.aio.pipe import BytePipe
from simulators.id_cards import DEMO_CARDS
from simulators.id_reader import IdReaderSimulator
from simulators.profiles import load_profile

SEEN_S = 2.0
REPORT = 64
HID = load_kind(IdReaderProfile, "generic.samv-hid")
KEYBOARD = load_kind(ScannerProfile, "generic.keyboard")
SIMULATED = load_profile("generic.samv-hid")
CARD = next(iter(DEMO_CARDS.values()))
KEYS = {"q": 16, "t": 20, "1": 2, "2": 3, "\r": 28}


class Port:
    """Where the device is plugged in: a link that leads to another pseudo-terminal after each replug."""

    def __init__(self, path: Path, heard: Callable[[bytes], None]) -> None:
        self.path = path
        self._heard = heard
        self._ends: tuple[int, int] | None = None

    async def plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = master, slave
        await asyncio.to_thread(self.path.symlink_to, os.ttyname(slave))
        asyncio.get_running_loop().add_reader(master, self._readable)

    async def unplug(self) -> None:
        if self._ends is None:
            return
        ends, self._ends = self._ends, None
        asyncio.get_running_loop().remove_reader(ends[0])
        for end in reversed(ends):
            os.close(end)
        await asyncio.to_thread(self.path.unlink)

    def _readable(self) -> None:
        assert self._ends is not None
        self._heard(os.read(self._ends[0], 4096))

    def send(self, data: bytes) -> None:
        if self._ends is not None:
            os.write(self._ends[0], data)


class HidEnd:
    """A reader's USB side: its bytes in reports, as its firmware would put them there."""

    def __init__(self, reader: IdReaderSimulator, path: Path) -> None:
        self.reader = reader
        self.port = Port(path, self._heard)
        self._buffer = b""

    def _heard(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) > REPORT:
            self.reader.receive(
                self._buffer[1 : REPORT + 1]
            )  # the first byte is the report's number
            self._buffer = self._buffer[REPORT + 1 :]

    def send(self, data: bytes) -> None:
        for at in range(0, len(data), REPORT):
            self.port.send(data[at : at + REPORT].ljust(REPORT, b"\0"))


@asynccontextmanager
async def running(driver: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(driver.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def opener(grabbed: list[int]) -> Callable[[str, LineSettings], Any]:
    async def open_line(url: str, settings: LineSettings) -> BytePipe:
        system = NodeSystem(grab=grabbed.append)
        return await open_transport(url, LineSettings(hid=settings.hid, system=system))

    return open_line


async def test_a_card_is_read_through_hid_reports_and_again_after_a_replug(tmp_path: Path) -> None:
    path = tmp_path / "hidraw0"
    device = Device(id=DeviceId("r"), kind=DeviceKind.ID_READER, name="r", url=f"hidraw://{path}")
    driver = SamvReader(device, HID, clock=SystemClock(), opener=opener([]))
    cards: list[Any] = []
    driver.on_card(cards.append)
    async with IdReaderSimulator("r", SIMULATED, read_s=0.05) as reader:
        end = HidEnd(reader, path)
        await end.port.plug()
        reader.attach(end)
        try:
            async with running(driver):
                for turn in (1, 2):
                    await until(lambda: driver.status.state is DeviceState.READY)
                    driver.arm()
                    reader.put(CARD)
                    await until(lambda turn=turn: len(cards) == turn)
                    assert isinstance(cards[-1], CardText)
                    assert (cards[-1].name, cards[-1].number) == (CARD.name, CARD.number)
                    driver.disarm()
                    reader.take()
                    await end.port.unplug()
                    await within(SEEN_S, lambda: driver.status.state is DeviceState.LOST)
                    await end.port.plug()
        finally:
            await end.port.unplug()


async def test_a_keyboard_scanner_tells_its_code_and_comes_back(tmp_path: Path) -> None:
    path, grabbed, codes = tmp_path / "event3", list[int](), list[str]()
    device = Device(id=DeviceId("s"), kind=DeviceKind.SCANNER, name="s", url=f"evdev://{path}")
    driver = LineScanner(device, KEYBOARD, clock=SystemClock(), opener=opener(grabbed))
    driver.on_code(codes.append)
    port = Port(path, lambda _: None)

    def scan(text: str) -> None:
        for char in text:
            for value in (1, 0):
                port.send(EVENT.pack(0, 0, 1, KEYS[char], value))

    try:
        async with running(driver):
            for number, code in enumerate(("qt1", "qt2"), 1):
                await port.plug()
                await until(lambda: driver.status.state is DeviceState.READY)
                assert len(grabbed) == number, "taken away at each opening"
                scan(code + "\r")
                await until(lambda number=number: len(codes) == number)
                await port.unplug()
                await within(SEEN_S, lambda: driver.status.state is DeviceState.LOST)
        assert codes == ["qt1", "qt2"]
    finally:
        await port.unplug()
