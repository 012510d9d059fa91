"""The simulated card reader follows the protocol of the security module, byte for byte."""

import asyncio
from collections.abc import AsyncIterator
from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingting.kernel.aio.clock import ManualClock
from simulators.device import Fault
from simulators.id_cards import DEMO_CARDS, text_record
from simulators.id_reader import IdReaderSimulator
from simulators.profiles import load_profile

HEAD = bytes.fromhex("AAAAAA9669")
STATUS = HEAD + bytes.fromhex("0003 11FF ED")
SAM_ID = HEAD + bytes.fromhex("0003 12FF EE")
FIND = HEAD + bytes.fromhex("0003 2001 22")
SELECT = HEAD + bytes.fromhex("0003 2002 21")
READ = HEAD + bytes.fromhex("0003 3001 32")
READ_ALL = HEAD + bytes.fromhex("0003 3010 23")
READ_EXTRA = HEAD + bytes.fromhex("0003 3003 30")
FOUND = HEAD + bytes.fromhex("0008 00009F 00000000 97")
NO_CARD = HEAD + bytes.fromhex("0004 000080 84")
SELECTED = HEAD + bytes.fromhex("000C 000090 0000000000000000 9C")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Bench:
    """A reader, its clock and whoever listens to it."""

    def __init__(self, reader: IdReaderSimulator, clock: ManualClock) -> None:
        self.reader, self.clock, self.heard = reader, clock, b""

    def send(self, data: bytes) -> None:
        self.heard += data

    async def ask(self, request: bytes, seconds: float = 1.0) -> bytes:
        self.heard = b""
        self.reader.receive(request)
        await self.passing(seconds)
        return self.heard

    async def passing(self, seconds: float) -> None:
        """Time goes by in small steps, so that whatever starts to wait in between wakes in time."""
        for _ in range(round(seconds * 20)):
            await settle()
            await self.clock.advance(0.05)
        await settle()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock = ManualClock()
    async with IdReaderSimulator("r1", load_profile("generic.samv"), clock) as reader:
        one = Bench(reader, clock)
        reader.attach(one)
        yield one


def sw3(reply: bytes) -> int:
    assert reply.startswith(HEAD)
    assert int.from_bytes(reply[5:7], "big") == len(reply) - 7
    assert reduce(xor, reply[5:]) == 0
    return reply[9]


async def test_an_empty_reader_is_well_and_finds_no_card(bench: Bench) -> None:
    assert sw3(await bench.ask(STATUS)) == 0x90
    assert await bench.ask(FIND) == NO_CARD
    assert sw3(await bench.ask(SELECT)) == 0x81
    assert sw3(await bench.ask(READ)) == 0x41


async def test_a_card_is_found_selected_read_and_then_no_longer_found(bench: Bench) -> None:
    bench.reader.put(DEMO_CARDS["citizen"])
    assert await bench.ask(FIND) == FOUND
    assert await bench.ask(SELECT) == SELECTED
    reply = await bench.ask(READ)
    assert len(reply) == 1295
    assert sw3(reply) == 0x90
    assert reply[10:14] == bytes.fromhex("0100 0400")
    assert reply[14:270] == text_record(DEMO_CARDS["citizen"])
    assert await bench.ask(FIND) == NO_CARD
    bench.reader.take()
    bench.reader.put(DEMO_CARDS["citizen"])
    assert await bench.ask(FIND) == FOUND


async def test_the_long_read_carries_an_empty_fingerprint(bench: Bench) -> None:
    bench.reader.put(DEMO_CARDS["elder"])
    await bench.ask(FIND + SELECT)
    reply = await bench.ask(READ_ALL)
    assert len(reply) == 1297
    assert reply[10:16] == bytes.fromhex("0100 0400 0000")


async def test_an_appended_address_is_given_where_there_is_one(bench: Bench) -> None:
    bench.reader.put(DEMO_CARDS["woman"])
    await bench.ask(FIND + SELECT)
    assert len(await bench.ask(READ_EXTRA)) == 7 + 3 + 70 + 1
    bench.reader.put(DEMO_CARDS["citizen"])
    await bench.ask(FIND + SELECT)
    assert sw3(await bench.ask(READ_EXTRA)) == 0x91


async def test_a_read_takes_its_time(bench: Bench) -> None:
    bench.reader.put(DEMO_CARDS["citizen"])
    await bench.ask(FIND + SELECT)
    assert await bench.ask(READ, seconds=0.3) == b""
    await bench.passing(0.2)
    assert sw3(bench.heard) == 0x90


async def test_a_card_pulled_in_the_middle_of_its_read_fails_once(bench: Bench) -> None:
    bench.reader.put(DEMO_CARDS["citizen"])
    bench.reader.pull_mid_read()
    await bench.ask(FIND + SELECT)
    assert sw3(await bench.ask(READ)) == 0x41
    assert bench.reader.card is None
    bench.reader.put(DEMO_CARDS["citizen"])
    await bench.ask(FIND + SELECT)
    assert sw3(await bench.ask(READ)) == 0x90


async def test_a_card_swapped_during_its_read_is_not_read(bench: Bench) -> None:
    bench.reader.put(DEMO_CARDS["citizen"])
    await bench.ask(FIND + SELECT)
    await bench.ask(READ, seconds=0.1)
    bench.reader.put(DEMO_CARDS["elder"])
    await bench.passing(1)
    assert sw3(bench.heard) == 0x41


async def test_a_broken_chip_is_found_but_cannot_be_read(bench: Bench) -> None:
    bench.reader.put(DEMO_CARDS["unreadable"])
    assert await bench.ask(FIND) == FOUND
    assert await bench.ask(SELECT) == SELECTED
    assert sw3(await bench.ask(READ)) == 0x41


@pytest.mark.parametrize(("fault", "code"), [(Fault.SAM_FAULT, 0x60), (Fault.UNAUTHORISED, 0x66)])
async def test_a_broken_security_module_says_so(bench: Bench, fault: Fault, code: int) -> None:
    bench.reader.set_fault(fault, on=True)
    bench.reader.put(DEMO_CARDS["citizen"])
    for request in (STATUS, SAM_ID, FIND, SELECT, READ):
        assert sw3(await bench.ask(request)) == code
    bench.reader.set_fault(fault, on=False)
    assert sw3(await bench.ask(STATUS)) == 0x90


async def test_bad_requests_are_told_apart(bench: Bench) -> None:
    assert sw3(await bench.ask(STATUS[:-1] + b"\x00")) == 0x10
    assert sw3(await bench.ask(HEAD + b"\xff\xff")) == 0x11
    assert sw3(await bench.ask(HEAD + bytes.fromhex("0003 7701 75"))) == 0x21


async def test_the_sam_id_has_sixteen_bytes(bench: Bench) -> None:
    reply = await bench.ask(SAM_ID)
    assert len(reply) == 7 + 3 + 16 + 1
    assert (reply[10], reply[12]) == (5, 1)


@pytest.mark.parametrize("at", range(1, len(FIND)))
async def test_a_request_split_at_any_byte_is_understood(bench: Bench, at: int) -> None:
    bench.reader.receive(FIND[:at])
    assert await bench.ask(FIND[at:]) == NO_CARD


async def test_noise_before_a_request_does_no_harm(bench: Bench) -> None:
    assert await bench.ask(b"\x00\xff\xaa\xaa" + FIND) == NO_CARD


async def test_a_wrong_checksum_is_wrong_only_there(bench: Bench) -> None:
    bench.reader.set_fault(Fault.WRONG_CHECKSUM, on=True)
    reply = await bench.ask(FIND)
    assert reply[:-1] == NO_CARD[:-1]
    assert reply[-1] != NO_CARD[-1]


async def test_a_silent_reader_says_nothing_and_comes_back(bench: Bench) -> None:
    bench.reader.set_fault(Fault.MUTE, on=True)
    assert await bench.ask(FIND) == b""
    bench.reader.set_fault(Fault.MUTE, on=False)
    assert await bench.ask(FIND) == NO_CARD


@given(st.lists(st.binary(max_size=30), max_size=10))
async def test_no_noise_keeps_the_reader_from_the_next_request(noise: list[bytes]) -> None:
    clock = ManualClock()
    async with IdReaderSimulator("r1", load_profile("generic.samv"), clock) as reader:
        one = Bench(reader, clock)
        reader.attach(one)
        for chunk in noise:
            reader.receive(chunk)
        # Noise may look like the head of a frame; a few requests later it is used up.
        await one.ask(FIND * 8)
        assert await one.ask(FIND) == NO_CARD
