"""Promises of the printer driver, kept over a null modem with a clock that the test moves."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hallserver.devices.api import PrintResult
from hallserver.devices.drivers.printer.driver import EscposPrinter
from hallserver.devices.profile_types import Confirm, PrinterProfile
from hallserver.devices.profiles import load_kind, shipped_profiles
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import PrintJob, TextLine
from qingting.contract.states import Condition, DeviceKind, DeviceState, PrintOutcome

GENERIC = load_kind(PrinterProfile, "generic.escpos80")
EPSON = load_kind(PrinterProfile, "epson.tm-t88")
PROFILES = [load_kind(PrinterProfile, one) for one in shipped_profiles().ids(DeviceKind.PRINTER)]
DEVICE = Device(id=DeviceId("k1-printer"), kind=DeviceKind.PRINTER, name="打印机", url="null://p")
JOB = PrintJob(
    ticket=TicketId("2026-11-24-A-1"),
    attempt=1,
    printer=DEVICE.id,
    issued_at=0,
    document=(TextLine(text="A001", scale=4),),
)
CUT = bytes.fromhex("1d 56 42 03")


def idle(profile: PrinterProfile, query: str) -> bytearray:
    """What a healthy printer answers."""
    found = profile.simulator.initial[query]
    return bytearray(found if isinstance(found, tuple) else (found,))


class ScriptedPrinter:
    """Answers as the profile says a healthy printer does; tests turn single bits."""

    def __init__(self, profile: PrinterProfile) -> None:
        self.profile = profile
        self.bits: dict[str, dict[int, int]] = {}
        """Bits turned, by query and byte."""
        self.confirms = True
        self.on_job: Callable[[], None] = lambda: None
        self.jobs: list[bytes] = []

    def __call__(self, data: bytes) -> list[bytes]:
        for query in self.profile.status.query:
            if data == query.send:
                answer = idle(self.profile, query.name)
                for place, mask in self.bits.get(query.name, {}).items():
                    answer[place] ^= mask
                return [bytes(answer)]
        if CUT not in data:
            return []
        self.jobs.append(data)
        self.on_job()
        if not self.confirms or any(self.bits.values()):
            return []
        return [self.proof(data)]

    def proof(self, data: bytes) -> bytes:
        if self.profile.capabilities.confirm is Confirm.PROCESS_ID:
            return b"\x37\x22" + data[-4:] + b"\x00"
        return b"\x00" if self.profile.capabilities.confirm is Confirm.GS_R else b""


def setup(bench: Any, profile: PrinterProfile = GENERIC) -> tuple[EscposPrinter, ScriptedPrinter]:
    device = ScriptedPrinter(profile)
    bench.answer = device
    return EscposPrinter(DEVICE, profile, clock=bench.clock, opener=bench.open_line), device


async def printed(bench: Any, driver: EscposPrinter, **options: float) -> PrintResult:
    task = asyncio.create_task(driver.print(JOB, **options))
    await bench.until(task.done, at_most=30)
    return await task


def ready(driver: EscposPrinter) -> Callable[[], bool]:
    return lambda: driver.status.state is DeviceState.READY


async def test_works_fails_logged_once_works_again(bench: Any, events: Any) -> None:
    driver, _ = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        assert [status.state for status in bench.statuses] == [
            DeviceState.CONNECTING,
            DeviceState.IDENTIFYING,
            DeviceState.READY,
        ]
        bench.unplug()
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 0.1
        assert driver.status.conditions == {Condition.OFFLINE}
        await bench.pass_time(10)
        bench.plug()
        assert await bench.until(ready(driver)) < 2
        assert driver.status.conditions == frozenset()
    assert events() == ["device.ready", "device.lost", "device.back"]
    states = [status.state for status in bench.statuses[3:]]
    assert states == [DeviceState.LOST, DeviceState.READY]


async def test_a_silent_printer_is_seen_within_two_seconds_and_so_is_its_return(bench: Any) -> None:
    driver, _ = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.silent = True
        assert await bench.until(lambda: driver.status.state is DeviceState.LOST) < 2
        assert driver.status.conditions == {Condition.COMM_ERROR}
        await bench.pass_time(10)
        bench.silent = False
        assert await bench.until(ready(driver)) < 2


async def test_a_printer_that_is_not_there_at_start_is_absent(bench: Any) -> None:
    driver, _ = setup(bench)
    bench.plugged = False
    async with bench.running(driver):
        await bench.pass_time(1)
        assert driver.status.state is DeviceState.ABSENT
        bench.plug()
        assert await bench.until(ready(driver)) < 2


async def test_one_lost_answer_is_no_fault(bench: Any) -> None:
    driver, device = setup(bench)
    lost = iter([True])
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.answer = lambda data: b"" if next(lost, False) else device(data)
        await bench.pass_time(3)
        assert bench.statuses[-1].state is DeviceState.READY
        assert bench.opened == 1


async def test_a_bad_address_stops_and_asks_for_a_person(bench: Any, events: Any) -> None:
    device = msgspec.structs.replace(DEVICE, url="serial://nowhere?spud=1")
    driver = EscposPrinter(device, GENERIC, clock=bench.clock)
    await driver.run()
    assert driver.status.state is DeviceState.ABSENT
    assert "spud" in driver.status.detail
    assert events() == ["device.misconfigured"]


@pytest.mark.parametrize(
    ("profile", "query", "row"),
    [
        pytest.param(profile, query, row, id=f"{profile.id}-{query.name}-{row.byte}-{row.mask:02x}")
        for profile in PROFILES
        for query in profile.status.query
        for row in query.bits
    ],
)
async def test_every_status_row_is_seen_and_cleared_within_two_seconds(
    bench: Any, profile: Any, query: Any, row: Any
) -> None:
    driver, device = setup(bench, profile)
    async with bench.running(driver):
        await bench.until(ready(driver))
        mask = idle(profile, query.name)[row.byte] & 0x04 if row.not_all else row.mask
        device.bits[query.name] = {row.byte: mask}
        assert await bench.until(lambda: row.means in driver.status.conditions) < 2
        device.bits.clear()
        assert await bench.until(lambda: not driver.status.conditions) < 2
        assert driver.status.state is DeviceState.READY


async def test_a_push_is_seen_at_once(bench: Any) -> None:
    driver, _ = setup(bench, EPSON)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.say(b"\x3c\x00\x00\x0f")
        await bench.pass_time(0.02)
        assert driver.status.conditions == {Condition.COVER_OPEN}
        assert driver.status.state is DeviceState.DEGRADED


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
async def test_a_confirmed_job_is_printed(bench: Any, profile: Any) -> None:
    driver, device = setup(bench, profile)
    async with bench.running(driver):
        await bench.until(ready(driver))
        assert await printed(bench, driver) == PrintResult(PrintOutcome.PRINTED)
        assert len(device.jobs) == 1
        drawn = profile.capabilities.text == "drawn"
        assert (b"\x1dv0\x00" if drawn else b"A001\n") in device.jobs[0]


async def test_a_printer_without_proof_is_believed_after_its_time_and_a_healthy_look(
    bench: Any,
) -> None:
    capabilities = msgspec.structs.replace(GENERIC.capabilities, confirm=Confirm.POLL)
    driver, device = setup(bench, msgspec.structs.replace(GENERIC, capabilities=capabilities))
    async with bench.running(driver):
        await bench.until(ready(driver))
        began = bench.clock.monotonic()
        assert await printed(bench, driver) == PrintResult(PrintOutcome.PRINTED)
        assert bench.clock.monotonic() - began > 1
        device.on_job = lambda: device.bits.update(paper={0: 0x60})
        assert await printed(bench, driver) == PrintResult(PrintOutcome.FAILED, Condition.PAPER_OUT)


async def test_nothing_is_sent_to_a_printer_with_a_fault(bench: Any) -> None:
    driver, device = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        device.bits["offline_cause"] = {0: 0x04}
        result = await printed(bench, driver)
        assert result == PrintResult(PrintOutcome.FAILED, Condition.COVER_OPEN)
        assert device.jobs == []


async def test_nothing_is_sent_to_a_printer_that_is_gone_or_silent(bench: Any) -> None:
    driver, device = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        bench.silent = True
        result = await printed(bench, driver)
        assert result == PrintResult(PrintOutcome.FAILED, Condition.COMM_ERROR)
        bench.unplug()
        await bench.pass_time(2)
        result = await printed(bench, driver)
        assert result == PrintResult(PrintOutcome.FAILED, Condition.OFFLINE)
        assert device.jobs == []


@pytest.mark.parametrize(
    ("query", "bits", "cause"),
    [
        ("paper", 0x60, Condition.PAPER_OUT),
        ("offline_cause", 0x04, Condition.COVER_OPEN),
        ("error_cause", 0x08, Condition.CUTTER_ERROR),
        ("error_cause", 0x20, Condition.UNRECOVERABLE),
    ],
)
async def test_a_fault_during_the_job_is_its_outcome(
    bench: Any, query: Any, bits: Any, cause: Any
) -> None:
    driver, device = setup(bench)
    device.on_job = lambda: device.bits.update({query: {0: bits}})
    async with bench.running(driver):
        await bench.until(ready(driver))
        assert await printed(bench, driver) == PrintResult(PrintOutcome.FAILED, cause)
        assert cause in driver.status.conditions


@pytest.mark.parametrize("bits", [{"error_cause": {0: 0x08}}, {"paper": {0: 0x60}}])
async def test_after_a_failed_job_the_printers_buffers_are_emptied_once(
    bench: Any, bits: Any
) -> None:
    driver, device = setup(bench)
    device.on_job = lambda: device.bits.update(bits)
    async with bench.running(driver):
        await bench.until(ready(driver))
        await printed(bench, driver)
        await bench.pass_time(3)
        assert bench.received.count(bytes.fromhex("10 05 02")) == 1


async def test_an_unconfirmed_job_is_unknown_and_never_sent_again(bench: Any) -> None:
    driver, device = setup(bench)
    device.confirms = False
    async with bench.running(driver):
        await bench.until(ready(driver))
        result = await printed(bench, driver, deadline_s=4)
        assert result == PrintResult(PrintOutcome.UNKNOWN)
        await bench.pass_time(5)
        assert len(device.jobs) == 1
        assert driver.status.state is DeviceState.READY


async def test_a_job_cut_off_by_an_unplug_is_unknown(bench: Any) -> None:
    driver, device = setup(bench)
    device.confirms = False
    device.on_job = bench.unplug
    async with bench.running(driver):
        await bench.until(ready(driver))
        result = await printed(bench, driver)
        assert result == PrintResult(PrintOutcome.UNKNOWN, Condition.OFFLINE)
        bench.plug()
        await bench.until(ready(driver))
        await bench.pass_time(3)
        assert len(device.jobs) == 1


async def test_a_printer_that_falls_silent_in_a_job_leaves_it_unknown(bench: Any) -> None:
    driver, device = setup(bench)
    device.on_job = lambda: setattr(bench, "silent", True)
    async with bench.running(driver):
        await bench.until(ready(driver))
        result = await printed(bench, driver)
        assert result == PrintResult(PrintOutcome.UNKNOWN, Condition.COMM_ERROR)


async def test_no_status_query_ever_stands_inside_a_job(bench: Any) -> None:
    driver, device = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        for _ in range(3):
            await printed(bench, driver)
            await bench.pass_time(0.35)
    assert len(device.jobs) == 3
    assert all(b"\x10\x04" not in job for job in device.jobs)
    assert all(job.endswith(bytes.fromhex("1d 72 01")) for job in device.jobs)


async def test_two_jobs_at_once_are_printed_one_after_the_other(bench: Any) -> None:
    driver, device = setup(bench)
    async with bench.running(driver):
        await bench.until(ready(driver))
        tasks = [asyncio.create_task(driver.print(JOB)) for _ in range(2)]
        await bench.until(lambda: all(task.done() for task in tasks), at_most=30)
        results = await asyncio.gather(*tasks)
    assert results == [PrintResult(PrintOutcome.PRINTED)] * 2
    assert len(device.jobs) == 2


async def test_the_proof_of_another_job_is_not_taken(bench: Any) -> None:
    driver, device = setup(bench, EPSON)
    device.proof = lambda data: b"\x37\x229999\x00"  # type: ignore[method-assign]
    async with bench.running(driver):
        await bench.until(ready(driver))
        result = await printed(bench, driver, deadline_s=3)
    assert result == PrintResult(PrintOutcome.UNKNOWN)


async def test_answers_in_single_bytes_behind_garbage_are_understood(bench: Any) -> None:
    driver, device = setup(bench, EPSON)

    def noisy(data: bytes) -> list[bytes]:
        clear = b"".join(device(data))
        return [b"\xa5\xff\xc3", *(bytes([byte]) for byte in clear)] if clear else []

    bench.answer = noisy
    async with bench.running(driver):
        await bench.until(ready(driver))
        assert await printed(bench, driver) == PrintResult(PrintOutcome.PRINTED)


@pytest.mark.parametrize(("stalled_s", "gap_s"), [(0.6, 0.02), (0.77, 0.1), (0.47, 0.1)])
async def test_a_late_answer_is_never_taken_for_the_next_one(
    bench: Any, stalling_line: Any, stalled_s: float, gap_s: float
) -> None:
    """0x16 says "healthy" to the first query and "cover open" to the second."""
    driver, device = setup(bench, EPSON)
    async with bench.running(driver):
        await bench.until(ready(driver))
        line = stalling_line(device)
        await line.stall(stalled_s)
        await line.run(4, gap_s)
        assert bench.statuses[-1].state is DeviceState.READY
        assert all(Condition.COVER_OPEN not in status.conditions for status in bench.statuses)
        assert bench.opened == 1
