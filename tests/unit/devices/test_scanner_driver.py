"""Promises of the scanner driver, kept over a null modem with a clock that the test moves."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from hallserver.devices.drivers.scanner.driver import LineScanner
from hallserver.devices.profile_types import ScannerProfile
from hallserver.devices.profiles import load_kind
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState

LINE = load_kind(ScannerProfile, "generic.serial-line")
GM65 = load_kind(ScannerProfile, "newland.gm65")
ACK = bytes.fromhex("02 00 00 01 00 33 31")
TRIGGER = bytes.fromhex("7E 00 08 01 00 02 01 02 DA")
DEVICE = Device(id=DeviceId("k1-scanner"), kind=DeviceKind.SCANNER, name="扫码器", url="null://s")


def setup(bench: Any, profile: ScannerProfile = LINE) -> tuple[LineScanner, list[str]]:
    if profile is GM65:
        bench.answer = lambda data: ACK if data == TRIGGER else b""
    driver = LineScanner(DEVICE, profile, clock=bench.clock, opener=bench.open_line)
    codes: list[str] = []
    driver.on_code(codes.append)
    return driver, codes


def ready(driver: LineScanner) -> Callable[[], bool]:
    return lambda: driver.status.state is DeviceState.READY


@pytest.mark.parametrize("profile", [LINE, GM65], ids=lambda profile: profile.id)
async def test_works_fails_logged_once_works_again(bench: Any, events: Any, profile: Any) -> None:
    driver, codes = setup(bench, profile)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.say(b"QT1:abc\r")
        await bench.pass_time(0.05)
        bench.unplug()
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 0.1
        assert driver.status.conditions == {Condition.OFFLINE}
        await bench.pass_time(10)
        bench.plug()
        assert await bench.until(ready(driver)) < 2
        bench.say(b"QT1:def\r\n")
        await bench.pass_time(0.05)
    assert codes == ["QT1:abc", "QT1:def"]
    assert events() == ["device.ready", "device.lost", "device.back"]


async def test_a_triggered_module_that_falls_silent_is_seen_within_two_seconds(bench: Any) -> None:
    driver, _ = setup(bench, GM65)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.silent = True
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 2
        assert driver.status.conditions == {Condition.COMM_ERROR}
        bench.silent = False
        assert await bench.until(ready(driver)) < 2


async def test_a_plain_scanner_that_nobody_uses_stays_ready(bench: Any) -> None:
    driver, _ = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        await bench.pass_time(20)
        assert bench.statuses[-1].state is DeviceState.READY
        assert bench.received == b""


async def test_a_code_in_pieces_is_one_code(bench: Any) -> None:
    driver, codes = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        for piece in (b"QT", b"1:a", b"bc", b"\r", b"\n"):
            bench.say(piece)
            await bench.pass_time(0.03)
        assert codes == ["QT1:abc"]


@pytest.mark.parametrize("profile", [LINE, GM65], ids=lambda profile: profile.id)
async def test_a_code_without_terminator_ends_with_silence(bench: Any, profile: Any) -> None:
    driver, codes = setup(bench, profile)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.say(b"QT1:abc")
        await bench.pass_time(0.03)
        assert codes == []
        await bench.pass_time(0.1)
        assert codes == ["QT1:abc"]


async def test_a_code_held_under_the_scanner_is_one_scan(bench: Any) -> None:
    driver, codes = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        for _ in range(8):
            bench.say(b"QT1:abc\r")
            await bench.pass_time(0.4)
        assert codes == ["QT1:abc"]
        bench.say(b"QT1:def\r")
        await bench.pass_time(1.5)
        bench.say(b"QT1:def\r")
        await bench.pass_time(0.1)
        assert codes == ["QT1:abc", "QT1:def", "QT1:def"]


async def test_noise_and_overlong_input_are_no_codes_and_harm_nothing(bench: Any) -> None:
    driver, codes = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.say(b"\xff\xfe\x00\r", b"x" * 5000, b"\r", b"QT1:abc\r")
        await bench.pass_time(0.2)
        assert codes == ["QT1:abc"]


async def test_acknowledgements_never_show_in_a_code(bench: Any) -> None:
    driver, codes = setup(bench, GM65)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.say(ACK[:3], ACK[3:] + b"QT1:abc\r" + ACK)
        await bench.pass_time(0.2)
        assert codes == ["QT1:abc"]


async def test_what_was_scanned_is_never_logged(bench: Any) -> None:
    driver, codes = setup(bench)
    with capture_logs() as entries:
        async with bench.running(driver):
            await bench.until(ready(driver))
            bench.say(b"QT1:secret\r", b"\xff230604195802141223\x00\r")
            await bench.pass_time(0.2)
    assert codes == ["QT1:secret"]
    shown = repr(entries)
    assert "scanner.not_a_code" in shown
    assert "secret" not in shown
    assert "2306" not in shown
