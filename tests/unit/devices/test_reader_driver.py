"""Promises of the card reader driver, kept over a null modem with a clock that the test moves."""

from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

import pytest
from structlog.testing import capture_logs

from hallserver.devices.api import CardOutcome, CardProblem
from hallserver.devices.drivers.id_reader.driver import SamvReader
from hallserver.devices.profile_types import IdReaderProfile
from hallserver.devices.profiles import load_kind
from hallserver.devices.protocols.samv import CardText
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState

PROFILE = load_kind(IdReaderProfile, "generic.samv")
DEVICE = Device(id=DeviceId("k1-reader"), kind=DeviceKind.ID_READER, name="读卡器", url="null://r")
SAM_ID = bytes.fromhex("05000100 01020304 05060708 090A0B0C")
STATUS, ID, FIND, SELECT, READ = 0x11, 0x12, 0x2001, 0x2002, 0x3001


def text_record(flag: str = "  ", name: str = "李秀英") -> bytes:
    text = bytearray(" ".encode("utf-16-le") * 128)
    for offset, value in (
        (0, name),
        (36, "19580214"),
        (122, "230604195802141223"),
        (188, "20160101"),
        (204, "长期"),
        (248, flag),
    ):
        coded = value.encode("utf-16-le")
        text[offset : offset + len(coded)] = coded
    return bytes(text)


def reply(sw3: int, data: bytes = b"") -> bytes:
    body = (len(data) + 4).to_bytes(2, "big") + bytes([0, 0, sw3]) + data
    return bytes.fromhex("AAAAAA9669") + body + bytes([reduce(xor, body)])


class ScriptedReader:
    """A SAM with a card that tests lay on; ``replies`` overrides single answers."""

    def __init__(self) -> None:
        self.card: bytes | None = None
        self.replies: dict[int, bytes] = {}
        self.asked: list[int] = []
        self.on_read: Callable[[], None] = lambda: None

    def __call__(self, data: bytes) -> bytes:
        command = int.from_bytes(data[7:9], "big")
        code = {0x11FF: STATUS, 0x12FF: ID}.get(command, command)
        self.asked.append(code)
        if code == READ:
            self.on_read()
        return self.replies.get(code) or self.healthy(code)

    def healthy(self, code: int) -> bytes:
        if code == STATUS:
            return reply(0x90)
        if code == ID:
            return reply(0x90, SAM_ID)
        if self.card is None:
            return reply(0x80)
        if code == FIND:
            return reply(0x9F, bytes(4))
        if code == SELECT:
            return reply(0x90, bytes(8))
        return reply(0x90, bytes.fromhex("01000400") + self.card + bytes(1024))


def setup(bench: Any) -> tuple[SamvReader, ScriptedReader, list[CardOutcome]]:
    device = ScriptedReader()
    bench.answer = device
    driver = SamvReader(DEVICE, PROFILE, clock=bench.clock, opener=bench.open_line)
    outcomes: list[CardOutcome] = []
    driver.on_card(outcomes.append)
    return driver, device, outcomes


def ready(driver: SamvReader) -> Callable[[], bool]:
    return lambda: driver.status.state is DeviceState.READY


async def test_works_fails_logged_once_works_again(bench: Any, events: Any) -> None:
    driver, _, _ = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.unplug()
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 0.1
        assert driver.status.conditions == {Condition.OFFLINE}
        await bench.pass_time(10)
        bench.plug()
        assert await bench.until(ready(driver)) < 2
    assert events() == ["device.ready", "device.lost", "device.back"]


@pytest.mark.parametrize("armed", [False, True])
async def test_a_silent_reader_is_seen_within_one_and_a_half_seconds(
    bench: Any, armed: Any
) -> None:
    driver, _, _ = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        if armed:
            driver.arm()
            await bench.pass_time(1)
        bench.silent = True
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 1.5
        assert driver.status.conditions == {Condition.COMM_ERROR}
        await bench.pass_time(10)
        bench.silent = False
        assert await bench.until(ready(driver)) < 2


async def test_identification_tells_the_modules_serial_number(bench: Any) -> None:
    driver, _, _ = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        assert driver.status.detail == "05.01-67305985-134678021-202050057"


async def test_a_card_is_told_once_until_it_is_lifted(bench: Any) -> None:
    driver, device, outcomes = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        device.card = text_record()
        assert await bench.until(lambda: bool(outcomes)) < 1
        await bench.pass_time(3)
        assert len(outcomes) == 1
        assert isinstance(outcomes[0], CardText)
        assert outcomes[0].name == "李秀英"
        device.card = None
        await bench.pass_time(1)
        device.card = text_record(name="王芳")
        await bench.pass_time(1)
        assert len(outcomes) == 2


async def test_a_reader_that_is_not_armed_reads_nothing(bench: Any) -> None:
    driver, device, outcomes = setup(bench)
    device.card = text_record()
    async with bench.running(driver):
        await bench.until(ready(driver))
        await bench.pass_time(3)
        driver.arm()
        driver.disarm()
        await bench.pass_time(3)
        assert outcomes == []
        assert READ not in device.asked


async def test_arming_again_reads_the_card_that_still_lies_there(bench: Any) -> None:
    driver, device, outcomes = setup(bench)
    device.card = text_record()
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        await bench.until(lambda: len(outcomes) == 1)
        driver.disarm()
        await bench.pass_time(1)
        driver.arm()
        await bench.until(lambda: len(outcomes) == 2)


async def test_a_card_read_for_one_citizen_is_never_told_to_the_next(bench: Any) -> None:
    driver, device, outcomes = setup(bench)

    def next_citizen() -> None:
        driver.disarm()
        driver.arm()
        device.card = None

    device.card = text_record()
    device.on_read = next_citizen
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        await bench.pass_time(3)
        assert outcomes == []


@pytest.mark.parametrize(
    ("at", "answer", "code"),
    [
        (READ, reply(0x41), "identity.unreadable"),
        (SELECT, reply(0x81), "identity.unreadable"),
        (READ, reply(0x31), "identity.unreadable"),
        (SELECT, reply(0x33), "identity.unreadable"),
        (SELECT, reply(0x40), "identity.unknown_type"),
        (READ, reply(0x60), "identity.reader_fault"),
        (READ, reply(0x66), "identity.reader_fault"),
        (READ, reply(0x90, b"\x01\x00"), "identity.unreadable"),
        (
            READ,
            reply(0x90, bytes.fromhex("01000400") + text_record("Z ") + bytes(1024)),
            "identity.unknown_type",
        ),
        (
            READ,
            reply(0x90, bytes.fromhex("01000400") + text_record(name="   ") + bytes(1024)),
            "identity.unreadable",
        ),
    ],
)
async def test_each_fault_of_a_card_has_its_code_and_is_told_once(
    bench: Any, at: Any, answer: Any, code: Any
) -> None:
    driver, device, outcomes = setup(bench)
    device.replies[at] = answer
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        device.card = text_record()
        await bench.until(lambda: bool(outcomes))
        await bench.pass_time(2)
        assert outcomes == [CardProblem(code)]


async def test_a_card_pulled_while_it_is_read_was_removed(bench: Any) -> None:
    driver, device, outcomes = setup(bench)

    def pull() -> None:
        device.card = None
        device.replies[READ] = reply(0x41)

    device.on_read = pull
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        device.card = text_record()
        await bench.until(lambda: bool(outcomes))
        assert outcomes == [CardProblem("identity.removed")]
        device.replies.clear()
        device.on_read = lambda: None
        device.card = text_record()
        await bench.until(lambda: len(outcomes) == 2)
        assert isinstance(outcomes[1], CardText)


async def test_a_disturbed_read_is_tried_once_more(bench: Any) -> None:
    driver, device, outcomes = setup(bench)
    disturbed = iter([reply(0x41)])
    device.on_read = lambda: device.replies.update({READ: next(disturbed, b"")})
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        device.card = text_record()
        await bench.until(lambda: bool(outcomes))
        assert isinstance(outcomes[0], CardText)


@pytest.mark.parametrize("how", ["silent", "unplugged"])
async def test_a_reader_lost_while_it_reads_is_a_reader_fault(bench: Any, how: Any) -> None:
    driver, device, outcomes = setup(bench)
    device.on_read = bench.unplug if how == "unplugged" else lambda: setattr(bench, "silent", True)
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        device.card = text_record()
        await bench.until(lambda: bool(outcomes))
        assert outcomes == [CardProblem("identity.reader_fault")]
        assert driver.status.state is DeviceState.LOST or not bench.plugged


@pytest.mark.parametrize(
    ("sw3", "condition"), [(0x60, Condition.SAM_FAULT), (0x66, Condition.UNAUTHORISED)]
)
async def test_a_fault_of_the_module_is_seen_and_cleared_within_two_seconds(
    bench: Any, sw3: Any, condition: Any
) -> None:
    driver, device, _ = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        device.replies[STATUS] = reply(sw3)
        assert await bench.until(lambda: driver.status.conditions == {condition}) < 2
        assert driver.status.state is DeviceState.DEGRADED
        device.replies.clear()
        assert await bench.until(ready(driver)) < 2


async def test_replies_in_single_bytes_behind_garbage_are_understood(bench: Any) -> None:
    driver, device, outcomes = setup(bench)
    device.card = text_record()
    bench.answer = lambda data: [b"\xa5\xff", *(bytes([byte]) for byte in device(data))]
    async with bench.running(driver):
        await bench.until(ready(driver))
        driver.arm()
        await bench.until(lambda: bool(outcomes))
        assert isinstance(outcomes[0], CardText)


async def test_nothing_of_a_card_is_ever_logged(bench: Any, events: Any) -> None:
    driver, device, outcomes = setup(bench)

    def broken_listener(outcome: CardOutcome) -> None:
        raise LookupError(getattr(outcome, "name", ""))

    driver.on_card(broken_listener)
    with capture_logs() as entries:
        async with bench.running(driver):
            await bench.until(ready(driver))
            driver.arm()
            device.card = text_record()
            await bench.until(lambda: bool(outcomes))
    shown = repr(entries)
    assert "device.listener_failed" in shown
    assert "李秀英" not in shown
    assert "230604" not in shown


@pytest.mark.parametrize(("stalled_s", "gap_s"), [(0.6, 0.02), (0.77, 0.1), (0.47, 0.1)])
async def test_a_late_reply_is_never_taken_for_the_next_one(
    bench: Any, stalling_line: Any, stalled_s: float, gap_s: float
) -> None:
    """The line stalls when the card is selected; what it delivers later must not confuse the read."""
    driver, device, outcomes = setup(bench)
    device.card = text_record()
    async with bench.running(driver):
        await bench.until(ready(driver))
        line = stalling_line(device, lambda data: data[7:9] == b"\x20\x02")
        driver.arm()
        await line.stall(stalled_s)
        await line.run(4, gap_s)
        assert [type(outcome) for outcome in outcomes] == [CardText]
        assert bench.opened == 1
