"""Scanners that speak SSI: each code comes as a packet and is acknowledged; a harmless question proves presence."""

import asyncio
from collections.abc import Callable

import structlog

from hallserver.devices.api import Unsubscribe
from hallserver.devices.drivers.peripheral import Listeners, OpenLine, Peripheral, open_line
from hallserver.devices.drivers.scanner.repeats import Repeats
from hallserver.devices.errors import WrongModelError
from hallserver.devices.profile_types import ScannerProfile
from hallserver.devices.protocols.scanline import decode_code
from hallserver.devices.protocols.ssi import Packet, SsiCodec, packet
from hallserver.devices.waiting import first_of, within
from qingting.contract.config import Device
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

IDLE_S = 0.2
"""A packet or a code in pieces is given up after this silence."""


class SsiScanner(Peripheral):
    """Implements ``api.Scanner`` for profiles with ``driver = "ssi"``."""

    def __init__(
        self,
        device: Device,
        profile: ScannerProfile,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
    ) -> None:
        super().__init__(device, profile.transport, clock=clock, opener=opener)
        assert profile.ssi is not None
        self._profile = profile
        self._words = profile.ssi
        self._codec = SsiCodec()
        self._heard = asyncio.Event()
        self._fed = asyncio.Event()
        self._owed = asyncio.Semaphore(0)
        self._revision = ""
        self._code = bytearray()
        self._codes = Listeners()
        self._repeats = Repeats(profile.scanner.repeat_ms, clock)

    def on_code(self, listener: Callable[[str], None]) -> Unsubscribe:
        """See ``api.Scanner``."""
        return self._codes.add(listener)

    # ---- life ------------------------------------------------------------------------------------

    async def _identify(self) -> None:
        await self._keep_trying(self._ask)

    async def _attend(self) -> None:
        await first_of(self._watch_presence(), self._acknowledge(), self._watch_silence())

    async def _watch_presence(self) -> None:
        while True:
            await self._clock.sleep(self._transport.poll_ms / 1000)
            await self._keep_trying(self._ask)

    async def _ask(self) -> None:
        """Any packet is an answer: who speaks is there. Raises TimeoutError for silence, and
        :class:`WrongModelError` for a revision that is not the model's."""
        self._heard.clear()
        await self._write(packet(self._words.ask))
        await within(self._clock, self._timeout_s, self._heard.wait())
        identify = self._profile.identify
        if identify is not None and self._revision and not identify.fits(self._revision):
            raise WrongModelError(self._revision)

    async def _acknowledge(self) -> None:
        """A scanner sends a code again until it is acknowledged."""
        while True:
            await self._owed.acquire()
            await self._write(packet(self._words.ack))

    async def _watch_silence(self) -> None:
        while True:
            await self._fed.wait()
            while self._fed.is_set():
                self._fed.clear()
                await self._clock.sleep(IDLE_S)
            self._codec.reset()
            self._code.clear()

    # ---- packets ---------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        self._fed.set()
        for one in self._codec.feed(data):
            self._heard.set()
            if one.opcode == self._words.decode:
                self._owed.release()
                self._take(one)
            elif one.data:
                self._revision = one.data.decode("ascii", "replace").strip()

    def _take(self, one: Packet) -> None:
        # The first byte of each packet names the kind of code.
        most = self._profile.scanner.max_bytes
        self._code += one.data[1:]
        del self._code[most + 1 :]
        if one.continues:
            return
        code, self._code = bytes(self._code), bytearray()
        text = decode_code(code, self._profile.scanner.encodings) if len(code) <= most else None
        if text is None:
            log.info("scanner.not_a_code", device=self.device.id, length=len(code))
        elif not self._repeats.is_repeated(text):
            self._codes.tell(text)

    def _detached(self) -> None:
        self._codec.reset()
        self._code.clear()
        self._revision = ""
        self._owed = asyncio.Semaphore(0)
