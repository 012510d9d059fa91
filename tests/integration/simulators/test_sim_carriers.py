"""A simulated device is reachable over a pseudo terminal or TCP, and can be unplugged like a real one."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import serialx
from patience import HANG_S, until

from qingting.contract.states import Condition, DeviceKind
from simulators.bench import DeviceSpec, SimulatorBench

STATUS = b"\x10\x04\x01"
JOB = b"\x1b@ticket\n\x1dVB\x00\x1dr\x01"
SPECS = [
    DeviceSpec(id="printer", kind=DeviceKind.PRINTER, profile="generic.escpos80", carrier="pty"),
    DeviceSpec(id="printer-tcp", kind=DeviceKind.PRINTER, profile="masung.ms-d347", carrier="tcp"),
    DeviceSpec(id="reader", kind=DeviceKind.ID_READER, profile="generic.samv", carrier="tcp"),
    DeviceSpec(id="scanner", kind=DeviceKind.SCANNER, profile="generic.serial-line"),
]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[SimulatorBench]:
    one = SimulatorBench(tmp_path / "dev", mm_per_s=0)
    await one.start(SPECS)
    yield one
    await one.close()


class Pipe:
    """A listener at a pseudo terminal or a TCP port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> "Pipe":
        if url.startswith("tcp://"):
            host, port = url.removeprefix("tcp://").split(":")
            return cls(*await asyncio.open_connection(host, int(port)))
        path = url.removeprefix("serial://").partition("?")[0]
        return cls(*await serialx.open_serial_connection(path, baudrate=115200))

    async def ask(self, request: bytes, count: int) -> bytes:
        self._writer.write(request)
        await self._writer.drain()
        return await asyncio.wait_for(self._reader.readexactly(count), HANG_S)

    async def lost(self) -> bool:
        """True when the line ends."""
        try:
            return await asyncio.wait_for(self._reader.read(1), HANG_S) == b""
        except OSError:
            return True

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError as error:
            assert error.errno in (errno.EIO, errno.ECONNRESET, None)


async def gone(url: str) -> bool:
    try:
        pipe = await Pipe.open(url)
    except OSError:
        return True
    await pipe.close()
    return False


@pytest.mark.parametrize("device", ["printer", "printer-tcp"])
async def test_the_same_device_answers_over_either_carrier(
    bench: SimulatorBench, device: str
) -> None:
    pipe = await Pipe.open(bench.seat(device).carrier.url)
    assert (await pipe.ask(STATUS, 1))[0] & 0x93 == 0x12
    assert await pipe.ask(JOB, 1) == b"\x00"
    assert bench.printer(device).printed[0].ticket.lines == ("ticket",)
    await pipe.close()


@pytest.mark.parametrize("device", ["printer", "printer-tcp"])
async def test_unplugging_ends_the_line_and_plugging_in_brings_it_back_at_the_same_place(
    bench: SimulatorBench, device: str
) -> None:
    seat = bench.seat(device)
    url = seat.carrier.url
    for _ in range(3):
        pipe = await Pipe.open(url)
        assert await pipe.ask(STATUS, 1)
        await seat.unplug()
        assert await pipe.lost()
        await pipe.close()
        assert await gone(url)
        assert not seat.device.connected
        await seat.replug()
        assert seat.carrier.url == url
    pipe = await Pipe.open(url)
    assert await pipe.ask(STATUS, 1)
    await pipe.close()


@pytest.mark.parametrize("device", ["printer", "printer-tcp"])
async def test_plugging_twice_changes_nothing(bench: SimulatorBench, device: str) -> None:
    seat = bench.seat(device)
    await seat.replug()
    assert seat.carrier.plugged
    await seat.unplug()
    await seat.unplug()
    assert not seat.carrier.plugged


@pytest.mark.parametrize("device", ["printer", "printer-tcp"])
async def test_a_device_knows_whether_somebody_listens(bench: SimulatorBench, device: str) -> None:
    simulator = bench.seat(device).device
    assert not simulator.connected
    for _ in range(2):
        pipe = await Pipe.open(bench.seat(device).carrier.url)
        await until(lambda: simulator.connected)
        await pipe.close()
        await until(lambda: not simulator.connected)


async def test_a_terminal_is_raw_for_every_listener(bench: SimulatorBench) -> None:
    """Bytes below 0x20 pass untouched and nothing is echoed, also after a listener has left."""
    path = bench.folder / "printer"
    for _ in range(2):
        handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        await until(lambda: bench.seat("printer").device.connected)
        # Two questions: an echo of the first would have come before the second answer.
        got = b""
        for answers in (1, 2):
            os.write(handle, b"\x10\x04\x04\r\n\x03\x11\x13")
            while len(got) < answers:
                await asyncio.sleep(0.005)
                with suppress(BlockingIOError):
                    got += os.read(handle, 100)
        assert got == b"\x12\x12"
        os.close(handle)
        await until(lambda: not bench.seat("printer").device.connected)


async def test_a_code_scanned_while_nobody_listens_is_lost(bench: SimulatorBench) -> None:
    scanner = bench.scanner("scanner")
    scanner.scan("early")
    pipe = await Pipe.open(bench.seat("scanner").carrier.url)
    await until(lambda: scanner.connected)
    scanner.scan("late")
    assert await pipe.ask(b"", 6) == b"late\r\n"
    await pipe.close()


async def test_a_second_connection_takes_the_plug_from_the_first(bench: SimulatorBench) -> None:
    url = bench.seat("reader").carrier.url
    first = await Pipe.open(url)
    await until(lambda: bench.seat("reader").device.connected)
    second = await Pipe.open(url)
    assert await first.lost()
    assert await second.ask(bytes.fromhex("AAAAAA96690003200122"), 11)
    await first.close()
    await second.close()


async def test_a_printer_may_lose_its_cable_in_the_middle_of_a_job(bench: SimulatorBench) -> None:
    seat, printer = bench.seat("printer-tcp"), bench.printer("printer-tcp")
    pipe = await Pipe.open(seat.carrier.url)
    assert await pipe.ask(STATUS, 1)
    printer.disconnect_mid_job()
    printer.receive(JOB)
    await until(lambda: not seat.carrier.plugged)
    assert await pipe.lost()
    await pipe.close()
    assert printer.printed[0].ticket.lines == ("ticket",)
    await seat.replug()
    again = await Pipe.open(seat.carrier.url)
    assert await again.ask(JOB, 1) == b"\x00"
    await again.close()


async def test_paper_out_reaches_a_listener_who_asks(bench: SimulatorBench) -> None:
    pipe = await Pipe.open(bench.seat("printer").carrier.url)
    bench.printer("printer").set_condition(Condition.PAPER_OUT, on=True)
    assert (await pipe.ask(b"\x10\x04\x04", 1))[0] & 0x60 == 0x60
    await pipe.close()


async def test_closing_the_bench_leaves_no_path_and_no_port(tmp_path: Path) -> None:
    one = SimulatorBench(tmp_path / "dev")
    urls = await one.start(SPECS)
    await one.close()
    assert await asyncio.to_thread(os.listdir, tmp_path / "dev") == []
    assert [await gone(url) for url in urls.values()] == [True] * len(urls)


async def test_a_device_stands_on_the_bench_once(bench: SimulatorBench) -> None:
    with pytest.raises(ValueError, match="twice"):
        await bench.start(SPECS[:1])
