"""A simulated reader of resident ID cards with a SAM_V security module.

Frames: request ``AA AA AA 96 69 | len | CMD PARA data | chk``, reply ``… | len | SW1 SW2 SW3 data |
chk``; the length counts everything after it, the check is the XOR of all after the preamble. Source:
the SDTAPI serial protocol. After a successful read the reader finds no card until it is lifted.
"""

import asyncio
from functools import reduce
from operator import xor
from typing import Any, ClassVar

from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import Clock
from simulators.device import LINE_FAULTS, Fault, SimulatedDevice
from simulators.id_cards import Card, extra_address, photo, text_record
from simulators.profiles import Profile

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
MAX_REQUEST = 64
"""No request is longer; a larger length field is noise and is answered with SW3 11."""
READ_S = 0.4
"""A read takes 0.3 to 1.1 s on real readers."""

OK, FOUND, NO_CARD, SELECT_FAILED = 0x90, 0x9F, 0x80, 0x81
BAD_CHECK, BAD_LENGTH, BAD_COMMAND = 0x10, 0x11, 0x21
SAM_COMMANDS = frozenset(b"\x10\x11\x12\x20\x30")
"""Commands the security module itself carries out."""
READ_FAILED, SAM_BROKEN, SAM_UNAUTHORISED, NO_CONTENT = 0x41, 0x60, 0x66, 0x91


class IdReaderSimulator(SimulatedDevice):
    """One reader with at most one card on it."""

    kind: ClassVar[DeviceKind] = DeviceKind.ID_READER
    garbage: ClassVar[bytes] = b"\x00\xff\xaa\xaa\x96"
    possible_faults: frozenset[Fault] = LINE_FAULTS | {
        Fault.STUCK,
        Fault.WRONG_CHECKSUM,
        Fault.SAM_FAULT,
        Fault.UNAUTHORISED,
    }

    def __init__(
        self,
        device_id: str,
        profile: Profile,
        clock: Clock | None = None,
        read_s: float = READ_S,
    ) -> None:
        super().__init__(device_id, profile, clock)
        self.read_s = read_s
        self.card: Card | None = None
        self.reads = 0
        self._buffer = bytearray()
        self._requests: asyncio.Queue[bytes] = asyncio.Queue()
        self._selected = False
        self._done = False
        self._pull_next = False
        self._said: dict[bytes, bytes] = {}
        self._asked = b""

    async def start(self) -> None:
        await super().start()
        _ = self.supervisor.keep("serve", self._serve)

    # ---- what people do --------------------------------------------------------------------------

    def put(self, card: Card) -> None:
        """Lays a card on the reader; one that lay there is taken away first."""
        self.card = card
        self._selected = self._done = False
        self.changed()

    def take(self) -> None:
        """Lifts the card."""
        self.card = None
        self._selected = self._done = False
        self.changed()

    def pull_mid_read(self) -> None:
        """The card will be lifted in the middle of its next read."""
        self._pull_next = True
        self.changed()

    # ---- bytes -----------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next_request()) is not None:
            self._requests.put_nowait(request)

    def _next_request(self) -> bytes | None:
        """Everything between preamble and the end of one frame, length and check included."""
        start = self._buffer.find(PREAMBLE)
        if start < 0:
            del self._buffer[: max(len(self._buffer) - len(PREAMBLE) + 1, 0)]
            return None
        del self._buffer[:start]
        body = self._buffer[len(PREAMBLE) :]
        if len(body) < 2:
            return None
        length = int.from_bytes(body[:2], "big")
        end = 2 + length if 3 <= length <= MAX_REQUEST else 2
        if len(body) < end:
            return None
        del self._buffer[: len(PREAMBLE) + end]
        return bytes(body[:end])

    async def _serve(self) -> None:
        while True:
            request = self._asked = await self._requests.get()
            if Fault.STUCK in self.faults and request in self._said:
                self.say(self._said[request])
                continue
            if len(request) < 5:
                self._reply(BAD_LENGTH)
            elif reduce(xor, request):
                self._reply(BAD_CHECK)
            else:
                await self._obey(request[2:4], request[4:-1])

    async def _obey(self, command: bytes, data: bytes) -> None:
        if command[0] in SAM_COMMANDS and (trouble := self._sam_trouble()):
            self._reply(trouble)
            return
        match command:
            case b"\x11\xff" | b"\x10\xff":
                self._reply(OK)
            case b"\x12\xff":
                self._reply(OK, self._sam_id())
            case b"\x20\x01":
                self._find()
            case b"\x20\x02":
                self._select()
            case b"\x30\x01" | b"\x30\x10":
                await self._read(with_finger=command == b"\x30\x10")
            case b"\x30\x03" | b"\x30\x05":
                self._read_small(command)
            case _ if command[0] == 0x60 and command[1] <= 4:
                self._reply(OK)
            case b"\x61\xff" if data == b"\x50":
                self._reply(OK)
            case _:
                self._reply(BAD_COMMAND)

    def _sam_trouble(self) -> int:
        if Fault.SAM_FAULT in self.faults:
            return SAM_BROKEN
        return SAM_UNAUTHORISED if Fault.UNAUTHORISED in self.faults else 0

    def _find(self) -> None:
        self._selected = False
        if self.card is None or self._done:
            self._reply(NO_CARD)
        else:
            self._reply(FOUND, bytes(4))

    def _select(self) -> None:
        if self.card is None or self._done:
            self._reply(SELECT_FAILED)
        else:
            self._selected = True
            self._reply(OK, bytes(8))

    async def _read(self, *, with_finger: bool) -> None:
        """Text and portrait; the fingerprint part is always empty on these cards."""
        card = self.card if self._selected else None
        await self.clock.sleep(self.read_s / 2)
        if self._pull_next and self.card is not None:
            self._pull_next = False
            self.take()
        await self.clock.sleep(self.read_s / 2)
        if card is None or self.card is not card or not card.readable:
            self._reply(READ_FAILED)
            return
        text, picture = text_record(card), photo(card)
        lengths = [len(text), len(picture), *([0] if with_finger else [])]
        head = b"".join(length.to_bytes(2, "big") for length in lengths)
        self._done = True
        self.reads += 1
        self._reply(OK, head + text + picture, job=True)
        self.changed()

    def _read_small(self, command: bytes) -> None:
        card = self.card
        if card is None or not (self._selected or self._done):
            self._reply(READ_FAILED)
        elif command == b"\x30\x05":
            self._reply(OK, b"SIMULATED-CARD-".ljust(28, b"0"))
        elif extra := extra_address(card):
            self._reply(OK, extra)
        else:
            self._reply(NO_CONTENT)

    def _sam_id(self) -> bytes:
        """Shown by tools as ``05.01-20240101-1-1``; the profile's simulator may say another family."""
        numbers = (20240101, 1, 1)
        family = int(self.profile.section("simulator").get("sam_family", 5))
        return bytes([family, 0, 1, 0]) + b"".join(one.to_bytes(4, "little") for one in numbers)

    def _reply(self, sw3: int, data: bytes = b"", *, job: bool = False) -> None:
        content = bytes([0, 0, sw3]) + data
        body = (len(content) + 1).to_bytes(2, "big") + content
        check = reduce(xor, body)
        if Fault.WRONG_CHECKSUM in self.faults:
            check ^= 0x5A
        frame = PREAMBLE + body + bytes([check])
        if not job:  # a card is never read twice from memory
            self._said[self._asked] = frame
        self.say(frame, job=job)

    def state(self) -> dict[str, Any]:
        card = self.card
        return super().state() | {
            "card": None if card is None else card.id,
            "read_done": self._done,
            "reads": self.reads,
            "pull_mid_read": self._pull_next,
        }
