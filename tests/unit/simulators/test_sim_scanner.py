"""Simulated scanners send codes as real ones do, and the module only when it was told to look."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from qingting.kernel.aio.clock import ManualClock
from simulators.device import Fault
from simulators.profiles import load_profile
from simulators.scanner import Gm65Scanner, ScannerSimulator, ScanResult
from simulators.scanner_models import scanner_for

TRIGGER = bytes.fromhex("7E000801000201 02DA")
TRIGGER_UNCHECKED = bytes.fromhex("7E000801000201 ABCD")
STOP = bytes.fromhex("7E000801000202 32B9")
ACK = bytes.fromhex("02000001003331")


class Listener:
    def __init__(self) -> None:
        self.heard = b""

    def send(self, data: bytes) -> None:
        self.heard += data


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def line(clock: ManualClock, listener: Listener) -> AsyncIterator[ScannerSimulator]:
    async with scanner_for("s1", load_profile("generic.serial-line"), clock) as scanner:
        scanner.attach(listener)
        yield scanner


@pytest.fixture
async def gm65(clock: ManualClock, listener: Listener) -> AsyncIterator[ScannerSimulator]:
    async with scanner_for("s1", load_profile("newland.gm65"), clock) as scanner:
        scanner.attach(listener)
        yield scanner


async def test_a_line_scanner_sends_the_code_and_its_terminator(
    line: ScannerSimulator, listener: Listener
) -> None:
    assert line.scan("取号 A-1") is ScanResult.SENT
    await settle()
    assert listener.heard == "取号 A-1".encode() + b"\r\n"


async def test_a_line_scanner_may_forget_the_terminator(
    line: ScannerSimulator, listener: Listener
) -> None:
    line.set_fault(Fault.NO_TERMINATOR, on=True)
    line.scan("A")
    await settle()
    assert listener.heard == b"A"


async def test_noise_comes_before_the_code(line: ScannerSimulator, listener: Listener) -> None:
    line.set_fault(Fault.GARBAGE_PREFIX, on=True)
    line.scan("A")
    await settle()
    assert listener.heard == b"\xff\xfe\x80A\r\n"


@pytest.mark.parametrize("text", ["", "x" * 2954])
async def test_a_code_that_cannot_exist_is_refused(line: ScannerSimulator, text: str) -> None:
    with pytest.raises(ValueError, match="2953"):
        line.scan(text)


@pytest.mark.parametrize("trigger", [TRIGGER, TRIGGER_UNCHECKED])
async def test_the_module_acknowledges_before_it_sends_a_code(
    gm65: ScannerSimulator, listener: Listener, trigger: bytes
) -> None:
    gm65.receive(trigger)
    gm65.scan("ABC")
    await settle()
    assert listener.heard == ACK + b"ABC\r\n"


async def test_the_module_reads_one_code_a_trigger(
    gm65: ScannerSimulator, listener: Listener
) -> None:
    gm65.receive(TRIGGER)
    assert gm65.scan("one") is ScanResult.SENT
    assert gm65.scan("two") is ScanResult.HELD
    await settle()
    assert listener.heard == ACK + b"one\r\n"


async def test_a_code_held_long_enough_is_read_at_the_next_trigger(
    gm65: ScannerSimulator, listener: Listener, clock: ManualClock
) -> None:
    gm65.scan("held")
    await clock.advance(1)
    gm65.receive(TRIGGER)
    await settle()
    assert listener.heard == ACK + b"held\r\n"
    gm65.scan("gone")
    await clock.advance(10)
    gm65.receive(TRIGGER)
    await settle()
    assert listener.heard == ACK + b"held\r\n" + ACK


async def test_stop_and_time_end_the_look_for_codes(
    gm65: ScannerSimulator, clock: ManualClock
) -> None:
    gm65.receive(TRIGGER + STOP)
    assert not gm65.ready
    gm65.receive(TRIGGER)
    await clock.advance(4.9)
    assert gm65.ready
    await clock.advance(0.2)
    assert not gm65.ready


async def test_a_command_with_a_wrong_crc_is_not_answered(
    gm65: ScannerSimulator, listener: Listener
) -> None:
    gm65.receive(TRIGGER[:-1] + b"\x00")
    await settle()
    assert listener.heard == b""
    assert not gm65.ready


@pytest.mark.parametrize("at", range(1, len(TRIGGER)))
async def test_a_command_split_at_any_byte_is_understood(
    gm65: ScannerSimulator, listener: Listener, at: int
) -> None:
    gm65.receive(b"\x00\x7f" + TRIGGER[:at])
    gm65.receive(TRIGGER[at:])
    await settle()
    assert listener.heard == ACK


async def test_settings_can_be_read_back(gm65: ScannerSimulator, listener: Listener) -> None:
    assert isinstance(gm65, Gm65Scanner)
    gm65.receive(bytes.fromhex("7E000801 00D9 55 ABCD"))
    await settle()
    listener.heard = b""
    gm65.receive(bytes.fromhex("7E000701 00D9 01 ABCD"))
    await settle()
    assert listener.heard[:5] == bytes.fromhex("0200000155")
