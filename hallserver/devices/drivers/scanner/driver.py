"""Code scanners on a serial line: those that send by themselves and those that must be triggered.

A triggered module is triggered again and again; its acknowledgement, if it gives one, proves that it is there.
Any other proves its presence only by the open line: it is silent because nobody scans.
"""

import asyncio
from collections.abc import Callable

import structlog

from hallserver.devices.api import Unsubscribe
from hallserver.devices.drivers.peripheral import Listeners, OpenLine, Peripheral, open_line
from hallserver.devices.drivers.scanner.repeats import Repeats
from hallserver.devices.profile_types import ScannerProfile
from hallserver.devices.protocols.gm65 import AckStripper
from hallserver.devices.protocols.scanline import ScanLineCodec, decode_code
from hallserver.devices.waiting import first_of, within
from qingting.contract.config import Device
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)


class LineScanner(Peripheral):
    """Implements ``api.Scanner`` for profiles whose codes come as text, triggered or not."""

    def __init__(
        self,
        device: Device,
        profile: ScannerProfile,
        *,
        clock: Clock,
        opener: OpenLine = open_line,
    ) -> None:
        super().__init__(device, profile.transport, clock=clock, opener=opener)
        self._profile = profile
        behaviour = profile.scanner
        self._codec = ScanLineCodec(behaviour.terminators, behaviour.max_bytes)
        ack = profile.commands.ack if profile.commands is not None else None
        self._acks = None if ack is None else AckStripper(ack)
        self._acked = asyncio.Event()
        self._fed = asyncio.Event()
        self._codes = Listeners()
        self._repeats = Repeats(behaviour.repeat_ms, clock)

    def on_code(self, listener: Callable[[str], None]) -> Unsubscribe:
        """See ``api.Scanner``."""
        return self._codes.add(listener)

    # ---- life ------------------------------------------------------------------------------------

    async def _identify(self) -> None:
        if self._profile.commands is not None:
            await self._keep_trying(self._trigger)

    async def _attend(self) -> None:
        await first_of(self._watch_silence(), self._watch_presence())

    async def _watch_presence(self) -> None:
        while True:
            await self._clock.sleep(self._transport.poll_ms / 1000)
            if self._profile.commands is not None:
                await self._keep_trying(self._trigger)

    async def _trigger(self) -> None:
        """Switches the light on for the next code; raises TimeoutError without the acknowledgement that the
        model gives."""
        assert self._profile.commands is not None
        self._acked.clear()
        await self._write(self._profile.commands.trigger)
        if self._acks is not None:
            await within(self._clock, self._timeout_s, self._acked.wait())

    async def _watch_silence(self) -> None:
        """Ends a code without terminator when nothing followed for the idle gap."""
        gap_s = self._profile.scanner.idle_gap_ms / 1000
        while True:
            await self._fed.wait()
            while self._fed.is_set():
                self._fed.clear()
                await self._clock.sleep(gap_s)
            if self._acks is not None:
                self._take(self._codec.feed(self._acks.idle()))
            self._take(self._codec.idle())

    # ---- codes -----------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        if self._acks is not None:
            acks, data = self._acks.feed(data)
            if acks:
                self._acked.set()
        self._take(self._codec.feed(data))
        self._fed.set()

    def _take(self, codes: list[bytes]) -> None:
        for code in codes:
            text = decode_code(code, self._profile.scanner.encodings)
            if text is None:
                log.info("scanner.not_a_code", device=self.device.id, length=len(code))
            elif not self._repeats.is_repeated(text):
                self._codes.tell(text)

    def _detached(self) -> None:
        self._codec.reset()
        if self._acks is not None:
            self._acks.reset()
