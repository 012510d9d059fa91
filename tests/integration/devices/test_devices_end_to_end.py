"""Drivers against byte-level simulators over pseudo terminals and TCP, in real time.

A fault of a device is known within two seconds, and so is its end.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from patience import until, within

from hallserver.devices.api import (
    CardOutcome,
    CardProblem,
    DeviceStatus,
    FaceCredential,
    FaceOutcome,
    PrintResult,
)
from hallserver.devices.protocols.samv import CardText
from hallserver.devices.supervisor import DeviceSupervisor, device_faults
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import Align, FeedLines, PairLine, PrintJob, QrCode, TextLine
from qingting.contract.states import (
    CertificateKind,
    Condition,
    DeviceKind,
    DeviceState,
    PrintOutcome,
)
from qingting.kernel.aio.clock import SystemClock
from simulators.bench import DeviceSpec, SimulatorBench
from simulators.device import Fault
from simulators.id_cards import Card, CardKind
from simulators.qr_reader import read_ticket
from simulators.strip import Edge

Carrier = Literal["pty", "tcp"]
SEEN_S = 2.0
PRINTERS = ["generic.escpos80", "masung.ms-d347", "epson.tm-t88"]
SCANNERS = ["generic.serial-line", "newland.gm65"]
CITIZEN = Card(
    id="c",
    title="",
    title_en="",
    name="测试甲",
    birth="19650307",
    number="230602196503070018",
)


class Place:
    """Simulators on one side, drivers on the other."""

    def __init__(self, bench: SimulatorBench, devices: DeviceSupervisor) -> None:
        self.bench = bench
        self.devices = devices
        self.history: list[DeviceStatus] = []
        devices.subscribe(self.history.append)

    def status(self, device: str) -> DeviceStatus:
        return next(one for one in self.devices.statuses() if one.device == device)

    async def ready(self, device: str) -> None:
        await until(lambda: self.status(device).state is DeviceState.READY)

    async def print(self, number: str, *, attempt: int = 1) -> PrintResult:
        return await self.devices.printers[DeviceId("p")].print(job(number, attempt))

    @property
    def tickets(self) -> list[str]:
        """Everything that came out of the printer, one text a ticket."""
        return ["\n".join(one.ticket.lines) for one in self.bench.printer("p").printed]

    @property
    def cuts(self) -> int:
        """Tickets that were printed to their end."""
        return sum(one.ticket.edge is not Edge.PAPER_END for one in self.bench.printer("p").printed)


@asynccontextmanager
async def place(
    folder: Path, specs: Sequence[DeviceSpec], mm_per_s: float | None = 0, scheme: str = ""
) -> AsyncIterator[Place]:
    """``scheme`` opens pseudo-terminals as nodes of another kind."""
    bench = SimulatorBench(folder, mm_per_s=mm_per_s)
    urls = await bench.start(specs)
    if scheme:
        urls = {
            one: url.replace("serial:", f"{scheme}:").partition("?")[0] for one, url in urls.items()
        }
    wanted = [
        Device(
            id=DeviceId(spec.id), kind=spec.kind, name="x", profile=spec.profile, url=urls[spec.id]
        )
        for spec in specs
    ]
    try:
        devices = await asyncio.to_thread(DeviceSupervisor, wanted, clock=SystemClock())
        async with devices:
            yield Place(bench, devices)
    finally:
        await bench.close()


def printer(profile: str, carrier: Carrier) -> list[DeviceSpec]:
    return [DeviceSpec(id="p", kind=DeviceKind.PRINTER, profile=profile, carrier=carrier)]


def reader(carrier: Carrier) -> list[DeviceSpec]:
    return [DeviceSpec(id="r", kind=DeviceKind.ID_READER, profile="generic.samv", carrier=carrier)]


def scanner(profile: str, carrier: Carrier) -> list[DeviceSpec]:
    return [DeviceSpec(id="s", kind=DeviceKind.SCANNER, profile=profile, carrier=carrier)]


def job(number: str, attempt: int = 1) -> PrintJob:
    return PrintJob(
        ticket=TicketId(f"2026-11-24-{number}"),
        attempt=attempt,
        printer=DeviceId("p"),
        issued_at=0,
        document=(
            TextLine(text="大庆市政务服务中心", align=Align.CENTRE, scale=2),
            TextLine(text=number, align=Align.CENTRE, scale=6, bold=True),
            PairLine(label="前面等候", value="3 人"),
            PairLine(label="姓名", value="张*𬭎"),
            QrCode(data="QT1:abcdefghijkl"),
            FeedLines(lines=2),
        ),
    )


carriers = pytest.mark.parametrize("carrier", ["pty", "tcp"])
printers = pytest.mark.parametrize("profile", PRINTERS)
PLACES: list[tuple[str, Carrier]] = [
    ("generic.escpos80", "pty"),
    ("generic.escpos80", "tcp"),
    ("masung.ms-d347", "pty"),
    ("epson.tm-t88", "tcp"),
]
"""Every profile and every carrier, without all their products."""
places = pytest.mark.parametrize(("profile", "carrier"), PLACES)


@places
async def test_a_ticket_comes_out_as_it_was_meant(
    tmp_path: Path, profile: str, carrier: Carrier
) -> None:
    async with place(tmp_path, printer(profile, carrier)) as here:
        await here.ready("p")
        assert await here.print("A001") == PrintResult(PrintOutcome.PRINTED)
        assert len(here.tickets) == 1
        lines = here.tickets[0]
        assert "大庆市政务服务中心" in lines
        assert "A001" in lines
        assert here.bench.printer("p").printed[0].ticket.ignored == ()


@places
@pytest.mark.parametrize(
    "condition",
    [Condition.PAPER_OUT, Condition.COVER_OPEN, Condition.CUTTER_ERROR, Condition.PAPER_LOW],
)
async def test_printer_faults_are_seen_and_cleared_within_two_seconds(
    tmp_path: Path, profile: str, carrier: Carrier, condition: Condition
) -> None:
    async with place(tmp_path, printer(profile, carrier)) as here:
        await here.ready("p")
        here.bench.printer("p").set_condition(condition, True)
        await within(SEEN_S, lambda: here.status("p").conditions == {condition})
        here.bench.printer("p").set_condition(condition, False)
        await within(SEEN_S, lambda: not here.status("p").conditions)
        assert here.status("p").state is DeviceState.READY


async def test_the_exit_of_a_kiosk_printer_is_watched(tmp_path: Path) -> None:
    async with place(tmp_path, printer("masung.ms-d347", "pty")) as here:
        await here.ready("p")
        here.bench.printer("p").set_condition(Condition.TICKET_NOT_TAKEN, True)
        await within(SEEN_S, lambda: Condition.TICKET_NOT_TAKEN in here.status("p").conditions)
        assert here.status("p").state is DeviceState.READY
        assert await here.print("A001") == PrintResult(PrintOutcome.PRINTED)


@printers
@pytest.mark.parametrize(
    "condition", [Condition.PAPER_OUT, Condition.COVER_OPEN, Condition.CUTTER_ERROR]
)
async def test_a_fault_in_the_middle_of_a_ticket_is_its_outcome_and_nothing_comes_out_later(
    tmp_path: Path, profile: str, condition: Condition
) -> None:
    async with place(tmp_path, printer(profile, "pty"), mm_per_s=60) as here:
        await here.ready("p")
        printing = asyncio.create_task(here.print("A001"))
        await until(lambda: here.bench.printer("p").half_printed)
        here.bench.printer("p").set_condition(condition, True)
        assert await printing == PrintResult(PrintOutcome.FAILED, condition)
        here.bench.printer("p").set_condition(condition, False)
        await here.ready("p")
        assert await here.print("A001", attempt=2) == PrintResult(PrintOutcome.PRINTED)
        assert here.cuts == 1


@carriers
async def test_a_cable_pulled_in_a_job_leaves_it_unknown_and_it_is_not_printed_again(
    tmp_path: Path, carrier: Carrier
) -> None:
    async with place(tmp_path, printer("epson.tm-t88", carrier), mm_per_s=60) as here:
        await here.ready("p")
        here.bench.printer("p").disconnect_mid_job()
        result = await here.print("A001")
        assert result == PrintResult(PrintOutcome.UNKNOWN, Condition.OFFLINE)
        await until(lambda: here.status("p").state is DeviceState.LOST)
        await here.bench.seat("p").replug()
        await here.ready("p")
        await until(lambda: here.bench.printer("p").idle)  # it has finished what it had
        assert sum("A001" in text for text in here.tickets) <= 1


@places
@pytest.mark.parametrize("fault", [Fault.SPLIT_BYTES, Fault.GARBAGE_PREFIX, Fault.SLOW])
async def test_a_bad_line_changes_nothing(
    tmp_path: Path, profile: str, carrier: Carrier, fault: Fault
) -> None:
    async with place(tmp_path, printer(profile, carrier)) as here:
        here.bench.printer("p").set_fault(fault, True)
        await here.ready("p")
        assert await here.print("A001") == PrintResult(PrintOutcome.PRINTED)
        assert [text.count("A001") for text in here.tickets] == [1]


@carriers
async def test_a_mute_printer_is_seen_and_cleared_within_two_seconds(
    tmp_path: Path, carrier: Carrier
) -> None:
    async with place(tmp_path, printer("generic.escpos80", carrier)) as here:
        await here.ready("p")
        here.bench.printer("p").set_fault(Fault.MUTE, True)
        await within(SEEN_S, lambda: here.status("p").conditions == {Condition.COMM_ERROR})
        here.bench.printer("p").set_fault(Fault.MUTE, False)
        await within(SEEN_S, lambda: here.status("p").state is DeviceState.READY)


@carriers
async def test_a_card_is_read(tmp_path: Path, carrier: Carrier) -> None:
    async with place(tmp_path, reader(carrier)) as here:
        await here.ready("r")
        cards: list[CardOutcome] = []
        driver = here.devices.readers[DeviceId("r")]
        driver.on_card(cards.append)
        driver.arm()
        here.bench.reader("r").put(CITIZEN)
        await until(lambda: bool(cards))
        card = cards[0]
        assert isinstance(card, CardText)
        assert (card.kind, card.name) == (CertificateKind.RESIDENT_ID, CITIZEN.name)
        assert (card.number, card.birth) == (CITIZEN.number, CITIZEN.birth)
        assert (card.valid_from, card.valid_to) == (CITIZEN.valid_from, CITIZEN.valid_to)


@pytest.mark.parametrize(
    ("kind", "number", "means"),
    [
        (CardKind.RESIDENCE_PERMIT, "810000199001010018", CertificateKind.RESIDENCE_PERMIT),
        (CardKind.FOREIGNER_2017, "USA230065030712", CertificateKind.FOREIGN_PERMANENT_RESIDENT),
        (CardKind.FOREIGNER_2023, "911840196503070025", CertificateKind.FOREIGN_PERMANENT_RESIDENT),
    ],
)
async def test_cards_of_every_kind_are_read(
    tmp_path: Path, kind: CardKind, number: str, means: CertificateKind
) -> None:
    async with place(tmp_path, reader("pty")) as here:
        await here.ready("r")
        cards: list[CardOutcome] = []
        driver = here.devices.readers[DeviceId("r")]
        driver.on_card(cards.append)
        driver.arm()
        here.bench.reader("r").put(
            Card(
                id="x",
                title="",
                title_en="",
                kind=kind,
                name="测试乙",
                name_en="TEST, EDWARD",
                nation="USA" if kind is not CardKind.RESIDENCE_PERMIT else "",
                birth="19650307",
                number=number,
            )
        )
        await until(lambda: bool(cards))
        card = cards[0]
        assert isinstance(card, CardText)
        assert (card.kind, card.name, card.number) == (means, "测试乙", number)
        if kind is not CardKind.RESIDENCE_PERMIT:
            assert card.name_en == "TEST, EDWARD"


async def test_a_card_pulled_mid_read_was_removed_and_an_unreadable_one_is_told(
    tmp_path: Path,
) -> None:
    async with place(tmp_path, reader("pty")) as here:
        await here.ready("r")
        cards: list[CardOutcome] = []
        driver = here.devices.readers[DeviceId("r")]
        driver.on_card(cards.append)
        driver.arm()
        simulator = here.bench.reader("r")
        simulator.pull_mid_read()
        simulator.put(CITIZEN)
        await until(lambda: cards == [CardProblem("identity.removed")])
        unreadable = Card(
            id="u",
            title="",
            title_en="",
            name="测试丙",
            birth="19650307",
            number="230602196503070018",
            readable=False,
        )
        simulator.put(unreadable)
        await until(lambda: cards[1:] == [CardProblem("identity.unreadable")])


@carriers
@pytest.mark.parametrize("armed", [False, True])
async def test_a_silent_reader_is_seen_and_cleared_within_two_seconds(
    tmp_path: Path, carrier: Carrier, armed: bool
) -> None:
    async with place(tmp_path, reader(carrier)) as here:
        await here.ready("r")
        if armed:
            here.devices.readers[DeviceId("r")].arm()
        here.bench.reader("r").set_fault(Fault.MUTE, True)
        await within(SEEN_S, lambda: here.status("r").conditions == {Condition.COMM_ERROR})
        here.bench.reader("r").set_fault(Fault.MUTE, False)
        await within(SEEN_S, lambda: here.status("r").state is DeviceState.READY)


@pytest.mark.parametrize(
    ("fault", "condition"),
    [
        (Fault.SAM_FAULT, Condition.SAM_FAULT),
        (Fault.UNAUTHORISED, Condition.UNAUTHORISED),
        (Fault.WRONG_CHECKSUM, Condition.COMM_ERROR),
    ],
)
async def test_reader_faults_are_seen_and_cleared_within_two_seconds(
    tmp_path: Path, fault: Fault, condition: Condition
) -> None:
    async with place(tmp_path, reader("pty")) as here:
        await here.ready("r")
        here.bench.reader("r").set_fault(fault, True)
        await within(SEEN_S, lambda: here.status("r").conditions == {condition})
        here.bench.reader("r").set_fault(fault, False)
        await within(SEEN_S, lambda: here.status("r").state is DeviceState.READY)


@carriers
@pytest.mark.parametrize("profile", SCANNERS)
async def test_a_code_is_scanned(tmp_path: Path, profile: str, carrier: Carrier) -> None:
    async with place(tmp_path, scanner(profile, carrier)) as here:
        await here.ready("s")
        codes: list[str] = []
        here.devices.scanners[DeviceId("s")].on_code(codes.append)
        for at, text in enumerate(["QT1:abc", "https://大庆/t/1"], 1):
            here.bench.scanner("s").scan(text)
            await until(lambda count=at: len(codes) == count)  # type: ignore[misc]
        here.bench.scanner("s").set_fault(Fault.NO_TERMINATOR, True)
        here.bench.scanner("s").set_fault(Fault.SPLIT_BYTES, True)
        here.bench.scanner("s").scan("QT1:def")
        await until(lambda: len(codes) == 3)
        assert codes == ["QT1:abc", "https://大庆/t/1", "QT1:def"]


@carriers
@pytest.mark.parametrize("profile", SCANNERS)
async def test_an_unplugged_scanner_is_seen_and_cleared_within_two_seconds(
    tmp_path: Path, profile: str, carrier: Carrier
) -> None:
    async with place(tmp_path, scanner(profile, carrier)) as here:
        await here.ready("s")
        await here.bench.seat("s").unplug()
        await within(SEEN_S, lambda: here.status("s").conditions == {Condition.OFFLINE})
        await asyncio.sleep(2)
        await here.bench.seat("s").replug()
        await within(SEEN_S, lambda: here.status("s").state is DeviceState.READY)
        states = [one.state for one in here.history if one.device == "s"]
        assert states[-2:] == [DeviceState.LOST, DeviceState.READY]


def test_a_wrong_device_in_the_configuration_is_explained() -> None:
    device = Device(
        id=DeviceId("p"), kind=DeviceKind.PRINTER, name="x", profile="generic.samv", url="usb://"
    )
    faults = device_faults(device)
    assert len(faults) == 2
    assert "is a id_reader" in faults[0]
    assert "device address" in faults[1]


async def test_a_printer_on_a_usb_node_prints_is_lost_and_comes_back(tmp_path: Path) -> None:
    async with place(tmp_path, printer("epson.tm-t88", "pty"), scheme="usblp") as here:
        await here.ready("p")
        assert (await here.print("A001")).outcome is PrintOutcome.PRINTED
        await here.bench.seat("p").unplug()
        await within(SEEN_S, lambda: here.status("p").state is DeviceState.LOST)
        assert (await here.print("A002")).outcome is PrintOutcome.FAILED
        await here.bench.seat("p").replug()
        await within(SEEN_S, lambda: here.status("p").state is DeviceState.READY)
        assert (await here.print("A003")).outcome is PrintOutcome.PRINTED
        assert here.cuts == 2


# ---- face terminals ------------------------------------------------------------------------------


@carriers
async def test_a_face_terminal_hands_out_one_credential_for_each_look(
    tmp_path: Path, carrier: Carrier
) -> None:
    spec = DeviceSpec(id="f", kind=DeviceKind.FACE, profile="generic.face-line", carrier=carrier)
    async with place(tmp_path, [spec]) as here:
        await here.ready("f")
        terminal, simulated = here.devices.faces[DeviceId("f")], here.bench.face("f")
        told: list[FaceOutcome] = []
        terminal.on_face(told.append)
        simulated.stand("citizen")
        for looks in (1, 2):
            terminal.arm()
            await until(lambda looks=looks: len(told) == looks)
        assert [type(one) for one in told] == [FaceCredential, FaceCredential]
        assert told[0] != told[1]
        await until(lambda: not simulated.looking)
        await here.bench.seat("f").unplug()
        await within(SEEN_S, lambda: here.status("f").conditions == {Condition.OFFLINE})


async def test_a_drawn_ticket_comes_out_whole_with_a_code_that_can_be_read(tmp_path: Path) -> None:
    async with place(tmp_path, printer("generic.escpos80-drawn", "tcp")) as here:
        await here.ready("p")
        assert (await here.print("A001")).outcome is PrintOutcome.PRINTED
        ticket = here.bench.printer("p").printed[-1].ticket
        assert ticket.lines == (), "no character was left to the printer's font"
        (code,) = [one for one in job("A001").document if isinstance(one, QrCode)]
        assert read_ticket(ticket) == code.data
