"""Scanners with a language of their own, each against its simulator over a null modem."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.devices.drivers.scanner.driver import LineScanner
from hallserver.devices.drivers.scanner.ssi import SsiScanner
from hallserver.devices.profile_types import ScannerProfile
from hallserver.devices.profiles import load_kind, shipped_profiles
from hallserver.devices.protocols.ssi import Packet, SsiCodec, checksum, packet
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from simulators.device import Fault
from simulators.profiles import load_profile
from simulators.scanner import ScannerSimulator
from simulators.scanner_models import scanner_for

PROFILES = [load_kind(ScannerProfile, one) for one in shipped_profiles().ids(DeviceKind.SCANNER)]
SSI = load_kind(ScannerProfile, "zebra.ds2208")
DEVICE = Device(id=DeviceId("k1-scanner"), kind=DeviceKind.SCANNER, name="扫码器", url="null://s")
LONG = "https://hall.example/t/" + "字" * 300


class Cable:
    """The simulator's end of the bench's null modem."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench

    def send(self, data: bytes) -> None:
        if self.bench.plugged and not self.bench.silent:
            self.bench.say(data)


@asynccontextmanager
async def at_work(
    bench: Any, profile: ScannerProfile
) -> AsyncIterator[tuple[ScannerSimulator, LineScanner | SsiScanner, list[str]]]:
    """A simulated scanner, its driver, and the codes that the driver told."""
    made = SsiScanner if profile.driver == "ssi" else LineScanner
    driver = made(DEVICE, profile, clock=bench.clock, opener=bench.open_line)
    codes: list[str] = []
    driver.on_code(codes.append)
    simulated = await asyncio.to_thread(load_profile, profile.id)
    async with scanner_for("s", simulated, bench.clock) as simulator:
        simulator.attach(Cable(bench))

        def hear(data: bytes) -> bytes:
            simulator.receive(data)
            return b""

        bench.answer = hear
        async with bench.running(driver):
            await bench.until(lambda: driver.status.state is DeviceState.READY)
            yield simulator, driver, codes


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.id)
async def test_every_model_reads_short_and_long_codes(bench: Any, profile: ScannerProfile) -> None:
    async with at_work(bench, profile) as (simulator, _, codes):
        for text in ("QT1:abc", LONG, "QT1:def"):
            simulator.scan(text)
            await bench.until(lambda text=text: codes[-1:] == [text])
            await bench.pass_time(0.1)
        assert codes == ["QT1:abc", LONG, "QT1:def"]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.id)
async def test_every_model_reads_in_single_bytes(bench: Any, profile: ScannerProfile) -> None:
    async with at_work(bench, profile) as (simulator, _, codes):
        simulator.set_fault(Fault.SPLIT_BYTES, True)
        await bench.pass_time(1)
        simulator.scan("QT1:abc")
        await bench.until(lambda: codes == ["QT1:abc"])


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.id)
async def test_every_model_works_fails_logged_once_and_works_again(
    bench: Any, events: Any, profile: ScannerProfile
) -> None:
    async with at_work(bench, profile) as (simulator, driver, codes):
        bench.unplug()
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 0.1
        await bench.pass_time(5)
        bench.plug()
        assert await bench.until(lambda: driver.status.state is DeviceState.READY) < 2
        await bench.pass_time(1)
        simulator.scan("QT1:abc")
        await bench.until(lambda: codes == ["QT1:abc"])
    assert events() == ["device.ready", "device.lost", "device.back"]


PROVABLE = [one for one in PROFILES if one.ssi or (one.commands and one.commands.ack)]


@pytest.mark.parametrize("profile", PROVABLE, ids=lambda one: one.id)
async def test_a_model_that_answers_is_missed_within_two_seconds_of_silence(
    bench: Any, profile: ScannerProfile
) -> None:
    async with at_work(bench, profile) as (_, driver, _):
        bench.silent = True
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 2
        assert driver.status.conditions == {Condition.COMM_ERROR}
        bench.silent = False
        assert await bench.until(lambda: driver.status.state is DeviceState.READY) < 2


async def test_ssi_packets_with_a_wrong_checksum_are_no_codes(bench: Any) -> None:
    async with at_work(bench, SSI) as (simulator, driver, codes):
        simulator.set_fault(Fault.WRONG_CHECKSUM, True)
        simulator.scan("QT1:abc")
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 3
        assert codes == []


async def test_an_endless_ssi_code_is_dropped_and_the_next_is_read(bench: Any) -> None:
    async with at_work(bench, SSI) as (_, _, codes):
        for _ in range(30):
            bench.say(packet(0xF3, b"\x1c" + b"x" * 200, source=0, status=2))
        bench.say(packet(0xF3, b"\x1cx", source=0))
        bench.say(packet(0xF3, b"\x1cQT1:abc", source=0))
        await bench.pass_time(0.2)
        assert codes == ["QT1:abc"]


async def test_the_beginning_of_an_ssi_code_whose_end_was_lost_is_no_part_of_the_next(
    bench: Any,
) -> None:
    async with at_work(bench, SSI) as (_, _, codes):
        bench.say(packet(0xF3, b"\x1cQT1:lost", source=0, status=2))
        await bench.pass_time(1)
        bench.say(packet(0xF3, b"\x1cQT1:abc", source=0))
        await bench.pass_time(0.2)
        assert codes == ["QT1:abc"]


# ---- the SSI codec --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opcode", "golden"), [(0xE4, "04 E4 04 00 FF 14"), (0xE5, "04 E5 04 00 FF 13")]
)
def test_commands_are_those_of_the_manual(opcode: int, golden: str) -> None:
    assert packet(opcode) == bytes.fromhex(golden)
    assert packet(0xD0) == bytes.fromhex("04 D0 04 00 FF 28")
    assert packet(0xA3) == bytes.fromhex("04 A3 04 00 FF 55")


@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.sampled_from((0, 2)), st.binary(max_size=251)), max_size=5
    ),
    st.integers(1, 40),
)
def test_packets_in_any_pieces_are_the_same(
    packets: list[tuple[int, int, bytes]], step: int
) -> None:
    stream = b"".join(packet(a, data, source=0, status=b) for a, b, data in packets)
    codec = SsiCodec()
    found = [
        one for at in range(0, len(stream), step) for one in codec.feed(stream[at : at + step])
    ]
    assert found == [Packet(*one) for one in packets]


@given(st.binary(max_size=2000))
def test_any_bytes_are_taken_and_at_most_a_packet_is_kept(noise: bytes) -> None:
    codec = SsiCodec()
    codec.feed(noise)
    assert len(codec._buffer) <= 257
    codec.reset()
    assert codec.feed(packet(0xF3, b"\x1cok")) == [Packet(0xF3, 0, b"\x1cok")]


def test_what_is_too_long_for_a_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="251"):
        packet(0xF3, b"x" * 252)
    assert checksum(bytes([4, 0xE4, 4, 0])) == b"\xff\x14"
