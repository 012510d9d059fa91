"""USB printers, HID devices and keyboard scanners: bytes as they pass a device node, and nodes found again.

A pseudo-terminal stands in for the node: it blocks, breaks and vanishes like one, byte for byte. What only the real
kernel can do, taking a keyboard away from the desktop, is watched as a call.
"""

import asyncio
import errno
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import HANG_S, until

from hallserver.devices.errors import DeviceConfigError
from hallserver.devices.protocols.hid_reports import HidCodec, HidReports
from hallserver.devices.protocols.keyboard import EVENT, KeyReader
from hallserver.devices.transports.opening import LineSettings, open_transport, parse_line_url
from hallserver.devices.transports.usb_ids import NodeSystem, UsbIds
from qingting.kernel.aio.pipe import BytePipe, PipeClosedError

HID = HidReports(report_bytes=64)
POS = HidReports(report_bytes=63, in_id=2, length_at=0, data_at=4, more_at=62)
SHIFT, ENTER = 42, 28
LETTERS = {"q": 16, "t": 20, "1": 2, ";": 39, "a": 30, "0": 11}


def keys(*codes: tuple[int, int]) -> bytes:
    """Records of the input layer: code and whether it goes down (1), up (0) or repeats (2)."""
    return b"".join(EVENT.pack(0, 0, 1, *one) + EVENT.pack(0, 0, 0, 0, 0) for one in codes)


def typed(text: str) -> bytes:
    """``text`` as a scanner types it; capitals and the colon with shift."""
    out = b""
    for char in text:
        if char == "\r":
            out += keys((ENTER, 1), (ENTER, 0))
        elif char.isupper() or char == ":":
            code = LETTERS[char.lower().replace(":", ";")]
            out += keys((SHIFT, 1), (code, 1), (code, 0), (SHIFT, 0))
        else:
            out += keys((LETTERS[char], 1), (LETTERS[char], 0))
    return out


# ---- codecs --------------------------------------------------------------------------------------


@given(st.integers(1, 48))
def test_a_typed_code_is_read_with_its_capitals_however_the_records_are_cut(size: int) -> None:
    data, reader = typed("QT1:a0\r"), KeyReader()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(map(reader.feed, pieces)) == b"QT1:a0\r"


def test_a_key_that_is_held_types_once_and_a_lost_record_does_not_hold_shift_for_ever() -> None:
    reader = KeyReader()
    assert reader.feed(keys((LETTERS["a"], 1), (LETTERS["a"], 2), (LETTERS["a"], 0))) == b"a"
    dropped = EVENT.pack(0, 0, 0, 3, 0)
    assert reader.feed(keys((SHIFT, 1)) + dropped + keys((LETTERS["a"], 1))) == b"a"


@given(st.binary(min_size=1, max_size=400))
def test_frames_pass_hid_reports_unchanged_but_for_zeros_at_their_end(frame: bytes) -> None:
    codec = HidCodec(HID)
    reports = codec.wrap(frame)
    assert all(len(report) == 65 and report[0] == 0 for report in reports)
    assert b"".join(codec.unwrap(one[1:]) for one in reports).startswith(frame)


@given(st.binary(min_size=1, max_size=300))
def test_reports_with_a_length_carry_exactly_their_data(data: bytes) -> None:
    layout = HidReports(report_bytes=64, length_at=0, data_at=1)
    codec = HidCodec(layout)
    assert b"".join(codec.unwrap(one[1:]) for one in codec.wrap(data)) == data


def test_a_code_in_several_reports_ends_with_the_last_of_them() -> None:
    def report(part: bytes, more: int) -> bytes:
        return bytes([2, len(part)]) + b"]Q0" + part.ljust(58, b"\0") + bytes([more])

    codec = HidCodec(POS)
    assert codec.unwrap(report(b"QT1:", 1)) + codec.unwrap(report(b"abc", 0)) == b"QT1:abc\r"
    assert codec.unwrap(b"\x05" + bytes(63)) == b"", "reports of another number carry no code"


# ---- nodes ---------------------------------------------------------------------------------------


class Node:
    """A pseudo-terminal; ``path`` is what the driver opens, ``master`` the device's end."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(slave)
        self._slave: int | None = slave

    def let_go(self) -> None:
        """From now on only the driver holds it open."""
        if self._slave is not None:
            os.close(self._slave)
            self._slave = None

    def vanish(self) -> None:
        self.let_go()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def nodes() -> Iterator[Callable[[], Node]]:
    made: list[Node] = []

    def make() -> Node:
        made.append(Node())
        return made[-1]

    yield make
    for one in made:
        one.vanish()


@pytest.fixture
def grabbed() -> list[int]:
    return []


@pytest.fixture
async def lines() -> AsyncIterator[list[BytePipe]]:
    opened: list[BytePipe] = []
    yield opened
    for one in opened:
        await one.close()


def settings(grabbed: list[int], root: Path = Path("/"), hid: HidReports = HID) -> LineSettings:
    system = NodeSystem(sysfs=root / "sys", dev=root / "dev", grab=grabbed.append)
    return LineSettings(hid=hid, system=system)


@pytest.mark.parametrize("scheme", ["usblp", "hidraw"])
async def test_bytes_pass_both_ways_and_a_vanished_node_is_told_once(
    scheme: str, nodes: Callable[[], Node], grabbed: list[int], lines: list[BytePipe]
) -> None:
    node = nodes()
    pipe = await open_transport(f"{scheme}://{node.path}", settings(grabbed))
    lines.append(pipe)
    node.let_go()
    got, closed = bytearray(), []
    pipe.on_close(closed.append)
    await pipe.write(b"question")
    wanted = b"question" if scheme == "usblp" else b"\0question" + bytes(56)
    assert os.read(node.master, 4096) == wanted
    os.write(node.master, b"answer".ljust(64, b"\0"))
    await asyncio.sleep(0.02)
    pipe.on_data(got.extend)  # what came before somebody listened is kept
    await until(lambda: got.startswith(b"answer"))
    node.vanish()
    await until(lambda: bool(closed))
    assert isinstance(closed[0], OSError)
    with pytest.raises(PipeClosedError):
        await pipe.write(b"x")
    await pipe.close()
    assert len(closed) == 1
    assert grabbed == []


async def test_a_printer_that_takes_nothing_holds_up_its_writer_and_nobody_else(
    nodes: Callable[[], Node], grabbed: list[int], lines: list[BytePipe]
) -> None:
    node, job = nodes(), os.urandom(100_000)
    pipe = await open_transport(f"usblp://{node.path}", settings(grabbed))
    lines.append(pipe)
    writing = asyncio.create_task(pipe.write(job))
    await asyncio.sleep(0.02)
    assert not writing.done()
    got = b""
    async with asyncio.timeout(HANG_S):
        while len(got) < len(job):
            try:
                got += os.read(node.master, 4096)
            except BlockingIOError:
                await asyncio.sleep(0)
    await writing
    assert got == job
    stuck = asyncio.create_task(pipe.write(job))
    await asyncio.sleep(0.02)
    await pipe.close()
    with pytest.raises(PipeClosedError):
        await stuck


async def test_a_keyboard_scanner_is_taken_away_and_its_code_read(
    nodes: Callable[[], Node], grabbed: list[int], lines: list[BytePipe]
) -> None:
    node, got = nodes(), bytearray()
    pipe = await open_transport(f"evdev://{node.path}", settings(grabbed))
    lines.append(pipe)
    assert len(grabbed) == 1, "taken away before the first key can land elsewhere"
    pipe.on_data(got.extend)
    records = typed("QT1:a0\r")
    for at in range(0, len(records), 7):
        os.write(node.master, records[at : at + 7])
        await asyncio.sleep(0)
    await until(lambda: bytes(got) == b"QT1:a0\r")


async def test_a_keyboard_that_somebody_else_holds_is_not_opened(nodes: Callable[[], Node]) -> None:
    def taken(_: int) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    system = NodeSystem(grab=taken)
    with pytest.raises(PipeClosedError, match="busy"):
        await open_transport(f"evdev://{nodes().path}", LineSettings(system=system))


async def test_hid_without_a_layout_asks_for_a_person() -> None:
    with pytest.raises(DeviceConfigError, match="HID reports"):
        await open_transport("hidraw:///dev/null", LineSettings())


# ---- found by what is plugged in -----------------------------------------------------------------


def plug(root: Path, usb: str, node: str, ids: tuple[str, str], serial: str, **more: str) -> None:
    """A USB device in sysfs with one node, as Linux lays it out."""
    kind, name = node.split("/")
    interface = root / "sys/devices" / usb / f"{usb}:1.0" / kind / name
    interface.mkdir(parents=True)
    device = root / "sys/devices" / usb
    for file, text in (("idVendor", ids[0]), ("idProduct", ids[1]), ("serial", serial)):
        (device / file).write_text(text + "\n")
    dev = {"usbmisc": "usb/", "input": "input/"}.get(kind, "") + name
    (interface / "uevent").write_text(f"MAJOR=180\nDEVNAME={dev}\n")
    (interface / "device").symlink_to(device / f"{usb}:1.0")
    for file, text in more.items():
        place = device / f"{usb}:1.0" / "capabilities" / file
        place.parent.mkdir(exist_ok=True)
        place.write_text(text + "\n")
    entry = root / "sys/class" / kind / name
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.symlink_to(interface)


def test_a_printer_is_found_under_whatever_number_it_came_back(tmp_path: Path) -> None:
    plug(tmp_path, "1-1", "usbmisc/lp0", ("04b8", "0202"), "OTHER")
    plug(tmp_path, "1-2", "usbmisc/lp3", ("0519", "2013"), "B2")
    plug(tmp_path, "1-3", "usbmisc/lp4", ("0519", "2013"), "B3")
    system = NodeSystem(tmp_path / "sys", tmp_path / "dev")
    assert system.find("usblp", UsbIds.parse("0519:2013")) == str(tmp_path / "dev/usb/lp3")
    assert system.find("usblp", UsbIds.parse("0519:2013", "B3")) == str(tmp_path / "dev/usb/lp4")
    with pytest.raises(FileNotFoundError, match="0519:2099"):
        system.find("usblp", UsbIds.parse("0519:2099"))


def test_of_a_scanners_nodes_the_one_with_letters_is_taken(tmp_path: Path) -> None:
    plug(tmp_path, "1-1", "input/event4", ("05e0", "1200"), "S", key="c000 0 0 0")
    plug(
        tmp_path,
        "1-2",
        "input/event5",
        ("05e0", "1200"),
        "S",
        key="e080ffdf01cfffff fffffffffffffffe",
    )
    system = NodeSystem(tmp_path / "sys", tmp_path / "dev")
    found = system.find("evdev", UsbIds.parse("05e0:1200"))
    assert found == str(tmp_path / "dev/input/event5")


async def test_a_replugged_printer_is_opened_under_its_new_number(
    tmp_path: Path, nodes: Callable[[], Node], grabbed: list[int], lines: list[BytePipe]
) -> None:
    here, url = settings(grabbed, tmp_path), "usblp://0519:2013"
    with pytest.raises(PipeClosedError, match="plugged in"):
        await open_transport(url, here)

    def plug_in(number: int, path: str) -> None:
        place = tmp_path / f"dev/usb/lp{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
        plug(tmp_path, f"1-{number}", f"usbmisc/lp{number}", ("0519", "2013"), "B2")

    for number in (0, 7):
        node = nodes()
        await asyncio.to_thread(plug_in, number, node.path)
        pipe = await open_transport(url, here)
        lines.append(pipe)
        await pipe.write(b"here")
        assert os.read(node.master, 16) == b"here"
        await pipe.close()
        await asyncio.to_thread((tmp_path / f"sys/class/usbmisc/lp{number}").unlink)


@pytest.mark.parametrize(
    "url",
    [
        "usblp://",
        "usblp:///",
        "usblp://0519",
        "usblp://519:2013",
        "hidraw://vend:prod",
        "evdev://x",
    ],
)
def test_a_usb_address_that_makes_no_sense_asks_for_a_person(url: str) -> None:
    with pytest.raises(DeviceConfigError, match="device address"):
        parse_line_url(url)
