"""Every fault of every family of simulators, against the product's drivers: seen for what it is, survived, and gone
within two seconds of its end.

The line is a null modem in this process and the clock is the test's, so a fault costs no real seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
import pytest
from fault_rig import Rig

from hallserver.devices.api import FaceCredential
from hallserver.devices.drivers.face.driver import FaceTerminal
from hallserver.devices.drivers.id_reader.driver import SamvReader
from hallserver.devices.drivers.led.driver import LedController
from hallserver.devices.drivers.printer.driver import EscposPrinter
from hallserver.devices.drivers.scanner.driver import LineScanner
from hallserver.devices.drivers.scanner.ssi import SsiScanner
from hallserver.devices.profile_types import (
    FaceProfile,
    Identity,
    IdReaderProfile,
    LedProfile,
    PrinterProfile,
    ScannerProfile,
)
from hallserver.devices.profiles import shipped_profiles
from hallserver.devices.protocols.led.line import LedLine, LedRun
from hallserver.devices.protocols.samv import CardText
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.layouts import Colour
from qingting.contract.printing import PrintJob, TextLine
from qingting.contract.states import Condition, DeviceState, PrintOutcome
from simulators.device import Fault, SimulatedDevice
from simulators.face_terminal import FaceTerminalSimulator
from simulators.id_cards import DEMO_CARDS
from simulators.id_reader import IdReaderSimulator
from simulators.led import LedSimulator
from simulators.printer import PrinterSimulator
from simulators.profiles import load_profile
from simulators.scanner import ScannerSimulator
from simulators.scanner_models import MODELS, scanner_for

CARD = next(card for card in DEMO_CARDS.values() if card.readable)
WORKS_S = 12.0
"""The longest that a job may take: a ticket at its mechanism's speed, a card at its reader's."""


# ---- what each family is good for ----------------------------------------------------------------


def ticket(number: int) -> PrintJob:
    return PrintJob(
        ticket=TicketId(f"2026-11-24-A-{number}"),
        attempt=1,
        printer=DeviceId("d"),
        issued_at=0,
        document=(TextLine(text=f"A{number:03}", scale=2),),
    )


async def print_one(rig: Rig) -> bool:
    """One ticket; true when it came out. That the driver says so exactly then is the promise."""
    rig.jobs += 1
    before = rig.device.printed.copy()
    task = asyncio.create_task(rig.driver.print(ticket(rig.jobs), deadline_s=WORKS_S - 1))
    await rig.bench.until(task.done, at_most=WORKS_S)
    result = await task
    await rig.bench.pass_time(0.5)
    fresh = [one for one in rig.device.printed if one not in before]
    if result.outcome is PrintOutcome.PRINTED:
        assert [one.ticket.lines for one in fresh] == [(f"A{rig.jobs:03}",)]
    assert result.outcome is not PrintOutcome.FAILED or result.cause is not None
    return bool(result.outcome is PrintOutcome.PRINTED)


async def read_one(rig: Rig) -> bool:
    rig.heard.clear()
    rig.driver.arm()
    rig.device.put(CARD)
    try:
        await rig.bench.until(lambda: bool(rig.heard), at_most=3.5)
    except AssertionError:
        return False
    finally:
        rig.driver.disarm()
        rig.device.take()
    (outcome,) = rig.heard
    assert not isinstance(outcome, CardText) or outcome.number == CARD.number
    return isinstance(outcome, CardText)


async def scan_one(rig: Rig) -> bool:
    rig.heard.clear()
    rig.jobs += 1
    text = f"QT1:code-{rig.jobs}"
    rig.device.scan(text)
    try:
        await rig.bench.until(lambda: bool(rig.heard), at_most=3)
        await rig.bench.pass_time(0.5)
    except AssertionError:
        return False
    assert rig.heard == [text], "once, and not a letter more"
    return True


async def recognise_one(rig: Rig) -> bool:
    rig.heard.clear()
    rig.jobs += 1
    rig.driver.arm()
    rig.device.stand(f"person-{rig.jobs}")
    try:
        await rig.bench.until(lambda: bool(rig.heard), at_most=3.5)
        await rig.bench.pass_time(0.5)
    except AssertionError:
        return False
    finally:
        rig.driver.disarm()
        rig.device.walk_away()
    (outcome,) = rig.heard
    return isinstance(outcome, FaceCredential)


async def show_one(rig: Rig) -> bool:
    rig.jobs += 1
    text = f"请A{rig.jobs:03}号到3号窗口"
    run = LedRun(text, Colour.CALLED)
    rig.driver.show([LedLine(number=1, top=0, height=16, width=128, runs=(run,))])
    try:
        await rig.bench.until(lambda: text in rig.device.panel.text(1), at_most=2)
    except AssertionError:
        return False
    return True


class Family(NamedTuple):
    profile: str
    work: Callable[[Rig], Awaitable[bool]]
    other: str = ""
    """A profile of another model that calls itself otherwise."""
    expect: str = ""
    """What the profile shall insist on in this test, where the shipped one does not."""


FAMILIES = [
    Family("epson.tm-t88", print_one, other="epson.tm-l90"),
    Family("generic.escpos80", print_one),
    Family("custom.kpm300", print_one),
    Family("generic.samv", read_one, expect=r"^05\."),
    Family("generic.serial-line", scan_one),
    Family("newland.gm65", scan_one),
    Family("newland.fm530", scan_one),
    Family("zebra.ds2208", scan_one, other="generic.m5-ssi", expect="DS2208"),
    Family("generic.face-line", recognise_one),
    Family("onbon.bx-5k", show_one, other="onbon.bx-6k"),
    Family("generic.modbus-text", show_one),
]
BY_ID = {one.profile: one for one in FAMILIES}
NAMES = {*BY_ID, *(one.other for one in FAMILIES if one.other)}
PROFILES = {one: shipped_profiles().load(one) for one in NAMES}
SIMULATED = {one: load_profile(one) for one in NAMES}


def simulator(profile_id: str, clock: Any) -> SimulatedDevice:
    profile = SIMULATED[profile_id]
    match profile.kind:
        case "printer":
            return PrinterSimulator("d", profile, clock)
        case "id_reader":
            return IdReaderSimulator("d", profile, clock)
        case "scanner":
            return scanner_for("d", profile, clock)
        case "face":
            return FaceTerminalSimulator("d", profile, clock)
        case _:
            return LedSimulator("d", profile, clock)


def driver(rig: Rig) -> Any:
    device = Device(id=DeviceId("d"), kind=rig.profile.kind, name="d", url="null://d")
    line = {"clock": rig.bench.clock, "opener": rig.cable.open_line}
    match rig.profile:
        case PrinterProfile() as profile:
            return EscposPrinter(device, profile, **line)
        case IdReaderProfile() as profile:
            reader = SamvReader(device, profile, **line)
            reader.on_card(rig.heard.append)
            return reader
        case ScannerProfile() as profile:
            made: Any = SsiScanner if profile.driver == "ssi" else LineScanner
            scanner = made(device, profile, **line)
            scanner.on_code(rig.heard.append)
            return scanner
        case FaceProfile() as profile:
            terminal = FaceTerminal(device, profile, **line)
            terminal.on_face(rig.heard.append)
            return terminal
        case LedProfile() as profile:
            return LedController(device, profile, **line)


@asynccontextmanager
async def rigged(bench: Any, family: Family) -> AsyncIterator[Rig]:
    profile = PROFILES[family.profile]
    if family.expect:
        profile = msgspec.structs.replace(profile, identify=Identity(expect=family.expect))
    async with simulator(family.profile, bench.clock) as device:
        rig = Rig(bench, profile, device)
        rig.driver = driver(rig)
        async with bench.running(rig.driver):
            await rig.well()
            yield rig


def of(*profiles: str) -> list[Any]:
    return [pytest.param(BY_ID[one], id=one) for one in profiles]


EVERY = of(*BY_ID)
NOISE_JOINS_THE_CODE = ("generic.serial-line", "newland.gm65", "newland.fm530")
"""Scanners that send bare text: what stands before it belongs to it."""
ANSWERING = of(*(one for one in BY_ID if one != "generic.serial-line"))


# ---- faults that a good driver does not even show ------------------------------------------------


@pytest.mark.parametrize("family", EVERY)
@pytest.mark.parametrize(
    "fault", [Fault.SPLIT_BYTES, Fault.GARBAGE_PREFIX, Fault.DUPLICATE_ANSWER, Fault.SLOW]
)
async def test_a_disturbed_line_is_no_fault_of_the_device(
    bench: Any, family: Family, fault: Fault
) -> None:
    async with rigged(bench, family) as rig:
        rig.device.set_fault(fault, on=True)
        await bench.pass_time(1.5)
        await rig.well()
        if fault is Fault.GARBAGE_PREFIX and family.profile in NOISE_JOINS_THE_CODE:
            assert not await family.work(rig)
            assert rig.heard == [], "half noise is no code"
        else:
            assert await family.work(rig)
        rig.device.set_fault(fault, on=False)
        await rig.well()


async def test_codes_without_terminator_are_read_all_the_same(bench: Any) -> None:
    family = BY_ID["generic.serial-line"]
    async with rigged(bench, family) as rig:
        rig.device.set_fault(Fault.NO_TERMINATOR, on=True)
        assert await family.work(rig)


# ---- faults that show ----------------------------------------------------------------------------


@pytest.mark.parametrize("family", ANSWERING)
async def test_silence_is_seen_within_two_seconds_and_so_is_its_end(
    bench: Any, family: Family
) -> None:
    async with rigged(bench, family) as rig:
        rig.device.set_fault(Fault.MUTE, on=True)
        await rig.until(lambda: rig.conditions == {Condition.COMM_ERROR})
        assert rig.state is DeviceState.LOST
        if family.work is print_one:
            assert not await family.work(rig)
        rig.device.set_fault(Fault.MUTE, on=False)
        await rig.well()
        assert await family.work(rig)


@pytest.mark.parametrize(
    "family", of("generic.samv", "newland.gm65", "zebra.ds2208", "onbon.bx-5k")
)
async def test_answers_with_a_wrong_check_are_no_answers(bench: Any, family: Family) -> None:
    async with rigged(bench, family) as rig:
        rig.device.set_fault(Fault.WRONG_CHECKSUM, on=True)
        await rig.until(lambda: rig.conditions == {Condition.COMM_ERROR})
        assert rig.heard == []
        rig.device.set_fault(Fault.WRONG_CHECKSUM, on=False)
        await rig.well()
        assert await family.work(rig)


@pytest.mark.parametrize(
    ("profile", "fault", "shown"),
    [
        ("generic.samv", Fault.SAM_FAULT, Condition.SAM_FAULT),
        ("generic.samv", Fault.UNAUTHORISED, Condition.UNAUTHORISED),
        ("generic.face-line", Fault.CAMERA_FAULT, Condition.CAMERA_FAULT),
        ("generic.face-line", Fault.PLATFORM_LOST, Condition.PLATFORM_LOST),
        ("onbon.bx-5k", Fault.BUSY, Condition.BUSY),
        ("generic.modbus-text", Fault.BUSY, Condition.BUSY),
    ],
)
async def test_what_a_device_says_of_itself_is_its_condition(
    bench: Any, profile: str, fault: Fault, shown: Condition
) -> None:
    family = BY_ID[profile]
    async with rigged(bench, family) as rig:
        rig.device.set_fault(fault, on=True)
        if fault is Fault.BUSY:
            assert not await family.work(rig)
        await rig.until(lambda: rig.conditions == {shown})
        rig.device.set_fault(fault, on=False)
        await rig.well()
        assert await family.work(rig)


# ---- stuck: it says what it said before ----------------------------------------------------------


@pytest.mark.parametrize("family", of("epson.tm-t88", "generic.escpos80"))
async def test_a_printer_whose_status_is_stuck_never_makes_a_ticket_count_as_printed(
    bench: Any, family: Family
) -> None:
    async with rigged(bench, family) as rig:
        rig.device.set_fault(Fault.STUCK, on=True)
        rig.device.set_condition(Condition.PAPER_OUT, on=True)
        assert not await family.work(rig)
        rig.device.set_fault(Fault.STUCK, on=False)
        await rig.until(lambda: Condition.PAPER_OUT in rig.conditions)
        rig.device.power_cycle()
        rig.device.set_condition(Condition.PAPER_OUT, on=False)
        await rig.well()
        assert await family.work(rig)


@pytest.mark.parametrize("family", of("epson.tm-t88", "generic.escpos80", "custom.kpm300"))
async def test_a_fault_that_is_stuck_goes_when_the_status_moves_again(
    bench: Any, family: Family
) -> None:
    async with rigged(bench, family) as rig:
        rig.device.set_condition(Condition.COVER_OPEN, on=True)
        await rig.until(lambda: Condition.COVER_OPEN in rig.conditions)
        rig.device.set_fault(Fault.STUCK, on=True)
        rig.device.set_condition(Condition.COVER_OPEN, on=False)
        await bench.pass_time(1)
        assert Condition.COVER_OPEN in rig.conditions
        assert not await family.work(rig)
        rig.device.set_fault(Fault.STUCK, on=False)
        await rig.well()
        assert await family.work(rig)


async def test_a_reader_that_is_stuck_at_no_card_reads_the_card_when_it_moves_again(
    bench: Any,
) -> None:
    family = BY_ID["generic.samv"]
    async with rigged(bench, family) as rig:
        rig.driver.arm()
        await bench.pass_time(1)  # it has said that there is no card
        rig.device.set_fault(Fault.STUCK, on=True)
        assert not await family.work(rig)
        assert rig.state is DeviceState.READY
        rig.device.set_fault(Fault.STUCK, on=False)
        assert await family.work(rig)


@pytest.mark.parametrize("family", of("generic.serial-line", "newland.gm65", "zebra.ds2208"))
async def test_a_code_that_stays_before_a_scanner_is_one_scan(bench: Any, family: Family) -> None:
    async with rigged(bench, family) as rig:
        rig.device.set_fault(Fault.STUCK, on=True)
        assert await family.work(rig)
        await bench.pass_time(2)
        assert len(rig.heard) == 1
        rig.device.set_fault(Fault.STUCK, on=False)
        await bench.pass_time(1.5)
        await rig.well()
        assert await family.work(rig)


@pytest.mark.parametrize("family", of("onbon.bx-5k", "generic.modbus-text"))
async def test_a_frozen_panel_shows_the_present_after_its_next_refresh(
    bench: Any, family: Family
) -> None:
    async with rigged(bench, family) as rig:
        rig.device.set_fault(Fault.STUCK, on=True)
        assert not await family.work(rig)
        assert not rig.conditions, "it acknowledges: nobody can know"
        rig.device.set_fault(Fault.STUCK, on=False)
        assert isinstance(rig.profile, LedProfile)
        refresh_s = rig.profile.led.refresh_s
        await bench.clock.advance(refresh_s - 1)
        wanted = f"A{rig.jobs:03}"
        await rig.until(lambda: wanted in rig.device.panel.text(1), at_most=5)


# ---- the cable -----------------------------------------------------------------------------------


@pytest.mark.parametrize("family", EVERY)
async def test_a_cable_that_goes_in_the_middle_of_a_job_costs_that_job_and_no_more(
    bench: Any, family: Family
) -> None:
    async with rigged(bench, family) as rig:
        rig.device.disconnect_mid_job()
        pulled = rig.device.pull_cable
        hand = asyncio.create_task(_pull_when_asked(rig, pulled))
        worked = await family.work(rig)
        await hand
        assert not worked or family.work is show_one, "a panel may have heard all of it"
        await rig.until(lambda: rig.state is DeviceState.LOST)
        assert rig.conditions == {Condition.OFFLINE}
        if isinstance(rig.device, PrinterSimulator):
            rig.device.power_cycle()
        rig.cable.insert()
        await rig.well()
        assert await family.work(rig)


async def _pull_when_asked(rig: Rig, pulled: asyncio.Event) -> None:
    await pulled.wait()
    rig.cable.pull()


# ---- another model in its place ------------------------------------------------------------------


def other_than(family: Family) -> SimulatedDevice:
    """A device that calls itself otherwise: another profile, or a module of another family."""
    if family.other:
        return simulator(family.other, None)
    ours = SIMULATED[family.profile]
    raw = {**ours.raw, "simulator": {**ours.section("simulator"), "sam_family": 8}}
    return IdReaderSimulator("d", msgspec.structs.replace(ours, raw=raw))


@pytest.mark.parametrize(
    "family", of("epson.tm-t88", "generic.samv", "zebra.ds2208", "onbon.bx-5k")
)
async def test_another_model_in_its_place_is_told_by_name(
    bench: Any, family: Family, events: Any
) -> None:
    async with rigged(bench, family) as rig:
        right, wrong = rig.device, other_than(family)
        wrong.clock = bench.clock
        async with wrong:
            rig.cable.pull()
            rig.cable.insert(wrong)
            await rig.until(lambda: rig.conditions == {Condition.WRONG_MODEL})
            assert rig.state is DeviceState.LOST
            assert rig.driver.status.detail.startswith("it says that it is ")
            rig.device = wrong
            if family.work is print_one:
                assert not await family.work(rig)
                assert not wrong.printed  # type: ignore[attr-defined]
            await bench.pass_time(2)
            assert rig.conditions == {Condition.WRONG_MODEL}
            rig.cable.pull()
        rig.device = right
        rig.cable.insert(right)
        await rig.well()
        assert await family.work(rig)
    assert events().count("device.lost") == 1
    assert events().count("device.back") == 1


async def test_a_printer_that_says_its_name_late_is_found_out_when_it_does(bench: Any) -> None:
    family = BY_ID["epson.tm-t88"]
    async with rigged(bench, family) as rig:
        wrong = simulator("epson.tm-l90", bench.clock)
        assert isinstance(wrong, PrinterSimulator)
        async with wrong:
            wrong.set_condition(Condition.PAPER_OUT, on=True)  # nothing in order is answered
            rig.cable.pull()
            rig.cable.insert(wrong)
            await rig.until(lambda: Condition.PAPER_OUT in rig.conditions)
            wrong.set_condition(Condition.PAPER_OUT, on=False)
            await rig.until(lambda: rig.conditions == {Condition.WRONG_MODEL})
            rig.cable.pull()


def test_every_family_of_simulators_is_here() -> None:
    kinds = {profile.kind for profile in SIMULATED.values()}
    assert kinds == {"printer", "id_reader", "scanner", "face", "led"}
    talking = {str(one.raw["driver"]) for one in SIMULATED.values() if one.kind == "scanner"}
    assert talking == set(MODELS) - {"syn"}, "syn only differs from a line scanner by its trigger"
    assert all(isinstance(one, Fault) for one in ScannerSimulator.possible_faults)
