"""The simulated printer takes its time, stops when it must and answers as real ones do."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from qingting.contract.states import Condition
from qingting.kernel.aio.clock import ManualClock
from simulators.device import Fault
from simulators.printer import PrinterSimulator
from simulators.profiles import load_profile
from simulators.strip import Edge

LINE = b"ticket\n"
CUT = b"\x1dVB\x00"
FENCE = b"\x1dr\x01"


class Listener:
    """The other end of the cable."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.chunks.append(data)

    @property
    def heard(self) -> bytes:
        return b"".join(self.chunks)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def listener() -> Listener:
    return Listener()


async def connected(
    clock: ManualClock, listener: Listener, profile: str = "generic.escpos80"
) -> AsyncIterator[PrinterSimulator]:
    async with PrinterSimulator("p1", load_profile(profile), clock) as printer:
        printer.attach(listener)
        yield printer


@pytest.fixture
async def printer(clock: ManualClock, listener: Listener) -> AsyncIterator[PrinterSimulator]:
    async for one in connected(clock, listener):
        yield one


@pytest.fixture
async def epson(clock: ManualClock, listener: Listener) -> AsyncIterator[PrinterSimulator]:
    async for one in connected(clock, listener, "epson.tm-t88"):
        yield one


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def passing(clock: ManualClock, seconds: float) -> None:
    """Time goes by in small steps, so that whatever starts to wait in between wakes in time too."""
    for _ in range(round(seconds * 50)):
        await settle()
        await clock.advance(0.02)
    await settle()


async def test_printing_takes_the_time_of_its_millimetres(
    printer: PrinterSimulator, clock: ManualClock
) -> None:
    printer.receive(LINE * 80 + CUT)
    await passing(clock, 2.5)
    assert not printer.printed
    await passing(clock, 1.0)
    assert len(printer.printed[0].ticket.lines) == 80


async def test_the_fence_is_answered_only_behind_the_print_data(
    printer: PrinterSimulator, clock: ManualClock, listener: Listener
) -> None:
    printer.receive(LINE * 20 + CUT + FENCE)
    await passing(clock, 0.3)
    assert listener.heard == b""
    await passing(clock, 5)
    assert listener.heard == b"\x00"


async def test_without_paper_the_fence_stays_silent_and_the_rest_prints_on_the_new_roll(
    printer: PrinterSimulator, clock: ManualClock, listener: Listener
) -> None:
    printer.receive(LINE * 20)
    await passing(clock, 0.4)
    printer.set_condition(Condition.PAPER_OUT, on=True)
    printer.receive(LINE * 5 + CUT + FENCE)
    await passing(clock, 60)
    assert listener.heard == b""
    printer.set_condition(Condition.PAPER_OUT, on=False)
    await passing(clock, 10)
    torn, rest = (one.ticket for one in printer.printed)
    assert torn.edge is Edge.PAPER_END
    assert len(torn.lines) + len(rest.lines) == 25
    assert listener.heard == b"\x00"


async def test_an_open_cover_stops_the_job_which_goes_on_when_closed(
    printer: PrinterSimulator, clock: ManualClock
) -> None:
    printer.set_condition(Condition.COVER_OPEN, on=True)
    printer.receive(LINE + CUT)
    await passing(clock, 30)
    assert not printer.printed
    printer.set_condition(Condition.COVER_OPEN, on=False)
    await passing(clock, 5)
    assert printer.printed[0].ticket.lines == ("ticket",)


async def test_dle_enq_2_empties_the_buffer_of_a_stopped_printer(
    printer: PrinterSimulator, clock: ManualClock
) -> None:
    printer.set_condition(Condition.CUTTER_ERROR, on=True)
    printer.receive(b"old job\n" + b"\x10\x05\x02")
    printer.set_condition(Condition.CUTTER_ERROR, on=False)
    printer.receive(b"new job\n" + CUT)
    await passing(clock, 5)
    assert printer.printed[0].ticket.lines == ("new job",)


async def test_status_questions_are_answered_while_stopped_with_a_full_buffer(
    printer: PrinterSimulator, listener: Listener
) -> None:
    printer.set_condition(Condition.PAPER_OUT, on=True)
    printer.receive(LINE * 50 + b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04")
    await settle()
    assert listener.heard == b"\x1a\x32\x12\x72"


async def test_an_error_shows_as_error_in_the_offline_cause(
    printer: PrinterSimulator, listener: Listener
) -> None:
    printer.set_condition(Condition.CUTTER_ERROR, on=True)
    printer.receive(b"\x10\x04\x02\x10\x04\x03")
    await settle()
    assert listener.heard == b"\x52\x1a"


async def test_automatic_status_comes_at_once_and_on_every_change(
    epson: PrinterSimulator, listener: Listener
) -> None:
    epson.receive(b"\x1da\xff")
    await settle()
    epson.set_condition(Condition.COVER_OPEN, on=True)
    epson.set_condition(Condition.PAPER_LOW, on=True)
    epson.set_condition(Condition.COVER_OPEN, on=False)
    await settle()
    assert listener.chunks == [
        b"\x14\x00\x00\x0f",
        b"\x3c\x00\x00\x0f",
        b"\x3c\x00\x03\x0f",
        b"\x14\x00\x03\x0f",
    ]


async def test_without_gs_a_nothing_comes_unasked(
    epson: PrinterSimulator, listener: Listener
) -> None:
    epson.set_condition(Condition.COVER_OPEN, on=True)
    await settle()
    assert listener.heard == b""


async def test_the_process_id_comes_back_when_the_job_is_on_paper(
    epson: PrinterSimulator, clock: ManualClock, listener: Listener
) -> None:
    epson.receive(LINE + CUT + b"\x1d(H\x06\x0000" + b"0042")
    await settle()
    assert listener.heard == b""
    await passing(clock, 3)
    assert listener.heard == b"\x37\x220042\x00"
    assert epson.printed[0].ticket.ignored == ()


async def test_it_says_who_it_is(epson: PrinterSimulator, listener: Listener) -> None:
    epson.receive(b"\x1dI\x42\x1dI\x43")
    await settle()
    assert listener.heard == b"_Epson\x00_TM-T88\x00"


async def test_a_mute_printer_prints_but_never_answers(
    printer: PrinterSimulator, clock: ManualClock, listener: Listener
) -> None:
    printer.set_fault(Fault.MUTE, on=True)
    printer.receive(b"\x10\x04\x01" + LINE + CUT + FENCE)
    await passing(clock, 5)
    assert len(printer.printed) == 1
    assert listener.heard == b""


async def test_a_disturbed_line_splits_prefixes_and_delays_answers(
    epson: PrinterSimulator, clock: ManualClock, listener: Listener
) -> None:
    for fault in (Fault.SPLIT_BYTES, Fault.GARBAGE_PREFIX, Fault.SLOW):
        epson.set_fault(fault, on=True)
    epson.receive(b"\x10\x04\x01")
    await settle()
    assert listener.heard == b""
    await passing(clock, 0.35)
    assert listener.chunks == [b"\xa5", b"\xff", b"\xc3", b"\x16"]


async def test_a_printer_has_no_faults_of_a_card_reader(printer: PrinterSimulator) -> None:
    with pytest.raises(ValueError, match="never"):
        printer.set_fault(Fault.SAM_FAULT, on=True)
    with pytest.raises(ValueError, match="never"):
        printer.set_condition(Condition.SAM_FAULT, on=True)


async def test_power_off_forgets_buffer_and_settings_but_not_paper(
    printer: PrinterSimulator, clock: ManualClock
) -> None:
    printer.receive(b"\x1ba\x01printed\n")
    await passing(clock, 1)
    printer.set_condition(Condition.COVER_OPEN, on=True)
    printer.receive(b"lost\n")
    printer.power_cycle()
    printer.set_condition(Condition.COVER_OPEN, on=False)
    printer.receive(b"left\n" + CUT)
    await passing(clock, 5)
    ticket = printer.printed[0].ticket
    assert ticket.lines == ("printed", "left")
    assert ticket.elements[1].glyphs[0].x == 0


async def test_answers_for_a_listener_who_left_are_lost(
    printer: PrinterSimulator, listener: Listener
) -> None:
    printer.receive(b"\x10\x04\x01")
    printer.detach(listener)
    later = Listener()
    printer.attach(later)
    await settle()
    assert (listener.heard, later.heard) == (b"", b"")
