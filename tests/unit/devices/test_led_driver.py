"""Promises of the LED driver, kept over a null modem with a clock that the test moves."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from hallserver.devices.drivers.led.driver import LedController
from hallserver.devices.profile_types import LedProfile
from hallserver.devices.profiles import load_kind
from hallserver.devices.protocols.led.line import LedLine, LedRun
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.layouts import Colour
from qingting.contract.states import Condition, DeviceKind, DeviceState

BXK = load_kind(LedProfile, "onbon.bx-5k")
MODBUS = load_kind(LedProfile, "generic.modbus-text")
STRIP = load_kind(LedProfile, "generic.ascii-strip")
QYLED = load_kind(LedProfile, "qyled.udp")
DEVICE = Device(id=DeviceId("led-1"), kind=DeviceKind.LED, name="条屏", url="null://led")

ACK = bytes.fromhex("A5A5A5A5A5A5A5A5 00800100000000000000FE020500 A000000000 0000 5A")
BUSY = bytes.fromhex("A5A5A5A5A5A5A5A5 00800100000000000000FE020500 A001030000 0000 5A")


def _with_check(frame: bytes) -> bytes:
    """CRC-16/ARC, computed bit by bit; neither answer needs an escape."""
    body = frame[8:-3]
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return frame[:8] + body + crc.to_bytes(2, "little") + b"\x5a"


ACK, BUSY = _with_check(ACK), _with_check(BUSY)


def modbus_answer(data: bytes) -> bytes:
    if data[7] == 3:
        return data[:4] + b"\0\x05" + data[6:8] + b"\x02\0\0"
    return data[:4] + b"\0\x06" + data[6:12]


ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    BXK.id: lambda _: ACK,
    MODBUS.id: modbus_answer,
    STRIP.id: lambda _: b"",
    QYLED.id: lambda _: b"",
}


def line(text: str, number: int = 1) -> LedLine:
    runs = (LedRun(text, Colour.CALLED),) if text else ()
    return LedLine(number=number, top=0, height=16, width=128, runs=runs)


def setup(bench: Any, profile: LedProfile = BXK) -> LedController:
    bench.answer = ANSWERS[profile.id]
    return LedController(DEVICE, profile, clock=bench.clock, opener=bench.open_line)


def ready(driver: LedController) -> Callable[[], bool]:
    return lambda: driver.status.state is DeviceState.READY


def lost(driver: LedController) -> Callable[[], bool]:
    return lambda: driver.status.state is DeviceState.LOST


@pytest.mark.parametrize("profile", [BXK, MODBUS, STRIP, QYLED], ids=lambda one: one.id)
async def test_works_fails_logged_once_works_again(bench: Any, events: Any, profile: Any) -> None:
    driver = setup(bench, profile)
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.show([line("A001")])
        await bench.until(lambda: b"A001" in bench.received, 0.2)
        bench.unplug()
        assert await bench.until(lost(driver)) < 0.1
        assert driver.status.conditions == {Condition.OFFLINE}
        driver.show([line("A002")])
        driver.show([line("A003")])
        await bench.pass_time(10)
        bench.received.clear()
        bench.plug()
        assert await bench.until(ready(driver)) < 5.6
        await bench.until(lambda: b"A003" in bench.received, 0.2)
        assert b"A002" not in bench.received
    assert events() == ["device.ready", "device.lost", "device.back"]


async def test_what_it_showed_is_sent_again_after_a_reconnection(bench: Any) -> None:
    driver = setup(bench)
    driver.show([line("A001")])
    async with bench.running(driver):
        await bench.until(lambda: b"A001" in bench.received)
        bench.unplug()
        await bench.until(lost(driver))
        bench.received.clear()
        bench.plug()
        await bench.until(lambda: b"A001" in bench.received)


async def test_a_newer_content_takes_the_place_of_one_that_is_not_sent(bench: Any) -> None:
    """One exchange at a time: while one is unanswered the wish may change as often as it likes."""
    driver = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        held: list[bytes] = []
        bench.answer = lambda data: held.append(data) or b""
        driver.show([line("A001")])
        await bench.until(lambda: len(held) == 1, 0.2)
        for text in ("A002", "A003", "A004"):
            driver.show([line(text)])
            await bench.pass_time(0.05)
        assert len(held) == 1
        bench.answer = ANSWERS[BXK.id]
        bench.say(ACK)
        await bench.until(lambda: b"A004" in bench.received, 0.2)
        assert b"A002" not in bench.received
        assert b"A003" not in bench.received


async def test_only_lines_that_differ_are_sent_and_lines_not_wanted_go_dark(bench: Any) -> None:
    driver = setup(bench, STRIP)
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.show([line("A001", 1), line("WIN3", 2)])
        await bench.until(lambda: bytes(bench.received) == b"@\x01A001\r@\x02WIN3\r", 0.2)
        bench.received.clear()
        driver.show([line("A002", 1), line("WIN3", 2)])
        await bench.until(lambda: bytes(bench.received) == b"@\x01A002\r", 0.2)
        bench.received.clear()
        driver.show([line("A002", 1)])
        await bench.until(lambda: bytes(bench.received) == b"@\x02 \r", 0.2)


@pytest.mark.parametrize("profile", [BXK, MODBUS], ids=lambda one: one.id)
async def test_one_that_falls_silent_is_seen_within_three_seconds(
    bench: Any, profile: LedProfile
) -> None:
    driver = setup(bench, profile)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.silent = True
        assert await bench.until(lost(driver)) < 3
        assert driver.status.conditions == {Condition.COMM_ERROR}
        bench.silent = False
        assert await bench.until(ready(driver)) < 4


async def test_answers_with_a_wrong_check_are_no_answers(bench: Any) -> None:
    driver = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.answer = lambda _: ACK[:-2] + bytes([ACK[-2] ^ 1]) + b"\x5a"
        await bench.until(lost(driver))
        assert driver.status.conditions == {Condition.COMM_ERROR}


async def test_answers_in_pieces_are_answers(bench: Any) -> None:
    driver = setup(bench)
    bench.answer = lambda _: [ACK[at : at + 1] for at in range(len(ACK))]
    driver.show([line("A001")])
    async with bench.running(driver):
        await bench.until(ready(driver))
        await bench.pass_time(5)
        assert driver.status.state is DeviceState.READY
        assert bench.received.count(b"A001") == 1


async def test_a_late_answer_is_not_taken_for_the_next(bench: Any, events: Any) -> None:
    """A text that was answered too late is sent once more, and the busy answer to it is seen."""
    driver = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.silent = True
        driver.show([line("A001")])
        await bench.until(lambda: b"A001" in bench.received, 0.2)
        await bench.pass_time(0.65)
        bench.silent = False
        bench.answer = lambda data: BUSY if b"A001" in data else ACK
        bench.say(ACK)
        await bench.until(lambda: driver.status.conditions == {Condition.BUSY})
    assert "device.lost" not in events()


async def test_every_error_code_of_the_profile_shows_its_condition_and_clears(bench: Any) -> None:
    driver = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.answer = lambda data: BUSY if b"A00" in data else ACK
        driver.show([line("A001")])
        await bench.until(lambda: driver.status.conditions == {Condition.BUSY})
        bench.answer = ANSWERS[BXK.id]
        await bench.until(lambda: not driver.status.conditions)
        assert bench.received.count(b"A001") >= 2
    for code, condition in BXK.led.errors.items():
        assert BXK.led.condition_of(int(code, 16)) is condition
    assert BXK.led.condition_of(0x99) is Condition.COMM_ERROR


async def test_one_that_never_answers_gets_its_content_again_and_says_so(bench: Any) -> None:
    driver = setup(bench, STRIP)
    driver.show([line("A001")])
    async with bench.running(driver):
        await bench.until(ready(driver))
        await bench.pass_time(40)
        assert bench.received.count(b"A001") in (2, 3)
        assert "never answers" in driver.status.detail


async def test_lines_that_the_model_lacks_are_logged_once(bench: Any, events: Any) -> None:
    driver = setup(bench, STRIP)
    async with bench.running(driver):
        await bench.until(ready(driver))
        for text in ("A001", "A002"):
            driver.show([line(text, number) for number in range(1, 7)])
            await bench.pass_time(0.1)
        assert b"@\x04A002\r" in bench.received
        assert b"@\x05" not in bench.received
    assert events().count("led.lines_left_out") == 1


async def test_what_is_shown_is_never_logged(bench: Any) -> None:
    driver = setup(bench)
    with capture_logs() as entries:
        async with bench.running(driver):
            await bench.until(ready(driver))
            bench.answer = lambda data: BUSY if b"\xd5\xc5" in data else ACK
            driver.show([line("张*请到3号")])
            await bench.until(lambda: driver.status.conditions == {Condition.BUSY})
            bench.unplug()
            await bench.until(lost(driver))
    assert "led.refused" in repr(entries)
    assert "张" not in repr(entries)
