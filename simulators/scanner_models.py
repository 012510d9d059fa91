"""Simulated scanners with a language of their own: Newland unified, Honeywell SYN commands, Zebra SSI.

Sources: Newland FM530 manual p. 131 (``7E 01 0000 # command ; 03`` echoed as ``02 01 … 06 ; 03``), Honeywell N86 manual
p. 10-4 (``SYN T CR`` and ``SYN U CR``), Zebra DS2208 manual (SSI packets).
"""

from typing import ClassVar

from qingting.kernel.aio.clock import Clock
from simulators.device import LINE_FAULTS, Fault, Line
from simulators.profiles import Profile
from simulators.scanner import (
    HOLD_S,
    TRIGGER_S,
    Gm65Scanner,
    ScannerSimulator,
    SerialLineScanner,
)

_SSI_DATA = 251
_QR_KIND = b"\x1c"


class TriggeredScanner(ScannerSimulator):
    """Looks for one code after each trigger, for ``trigger_s`` seconds; a code held before it waits a while."""

    def __init__(
        self,
        device_id: str,
        profile: Profile,
        clock: Clock | None = None,
        trigger_s: float = TRIGGER_S,
    ) -> None:
        super().__init__(device_id, profile, clock)
        self.trigger_s = trigger_s
        self._buffer = bytearray()
        self._until = float("-inf")
        self._held: tuple[float, bytes] | None = None

    @property
    def ready(self) -> bool:
        return self.clock.monotonic() < self._until

    def switch(self, on: bool) -> None:
        """The trigger is pressed or let go."""
        before = self.ready
        self._until = self.clock.monotonic() + self.trigger_s if on else float("-inf")
        held, self._held = self._held, None
        if held is not None and self.ready:
            if self.clock.monotonic() < held[0]:
                self.send_code(held[1])
        else:
            self._held = held
        if self.ready != before:
            self.changed()

    def send_code(self, code: bytes) -> None:
        super().send_code(code)
        self._until = float("-inf")

    def hold_code(self, code: bytes) -> None:
        self._held = (self.clock.monotonic() + HOLD_S, code)


class UnifiedScanner(TriggeredScanner):
    """Newland: every command is echoed, with 06 behind a known one and 05 behind any other."""

    def receive(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b";\x03")) >= 0:
            command = bytes(self._buffer[:end])
            del self._buffer[: end + 2]
            start = command.rfind(b"~\x01")
            if start >= 0:
                self._obey(command[start + 2 :])
        del self._buffer[:-64]

    def _obey(self, command: bytes) -> None:
        known = command[5:] in (b"SCNTRG0", b"SCNTRG1")
        self.say(b"\x02\x01" + command + (b"\x06" if known else b"\x05") + b";\x03")
        if known:
            self.switch(command.endswith(b"1"))


class SynScanner(TriggeredScanner):
    """Honeywell in manual-trigger mode: it obeys and says nothing."""

    def receive(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r")) >= 0:
            command = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if command.endswith((b"\x16T", b"\x16U")):
                self.switch(command.endswith(b"T"))
        del self._buffer[:-16]


class SsiScannerSimulator(ScannerSimulator):
    """Zebra: codes come in packets, the next one after the acknowledgement of the last; asked for its revision it
    answers."""

    garbage: ClassVar[bytes] = b"\x00\x01"
    possible_faults: frozenset[Fault] = LINE_FAULTS | {
        Fault.WRONG_CHECKSUM,
        Fault.STUCK,
    }

    def __init__(self, device_id: str, profile: Profile, clock: Clock | None = None) -> None:
        super().__init__(device_id, profile, clock)
        self._buffer = bytearray()
        self._waiting: list[bytes] = []
        self.acknowledged = 0

    def attach(self, line: Line) -> None:
        """It gets its power from the cable: a code that nobody acknowledged is forgotten."""
        self._waiting.clear()
        super().attach(line)

    def receive(self, data: bytes) -> None:
        self._buffer += data
        while self._buffer:
            length = self._buffer[0]
            if length < 4:
                del self._buffer[0]
                continue
            if len(self._buffer) < length + 2:
                return
            frame = bytes(self._buffer[: length + 2])
            if sum(frame[:length]) + int.from_bytes(frame[length:], "big") != 0x10000:
                del self._buffer[0]
                continue
            del self._buffer[: length + 2]
            self._obey(frame[1])

    def _obey(self, opcode: int) -> None:
        if opcode == 0xA3:
            revision = str(self.profile.section("simulator").get("revision", self.profile.model))
            self._packet(0xA4, revision.encode("ascii", "replace"))
        elif opcode == 0xD0 and self._waiting:
            self.acknowledged += 1
            self._waiting.pop(0)
            if self._waiting:
                self.say(self._waiting[0], job=True)

    def _packet(self, opcode: int, data: bytes) -> None:
        self.say(self._frame(opcode, 0, data))

    def _frame(self, opcode: int, status: int, data: bytes) -> bytes:
        body = bytes([4 + len(data), opcode, 0, status]) + data
        check = (0x10000 - sum(body)) & 0xFFFF
        if Fault.WRONG_CHECKSUM in self.faults:
            check ^= 0x0101
        return body + check.to_bytes(2, "big")

    def send_code(self, code: bytes) -> None:
        size = _SSI_DATA - len(_QR_KIND)
        parts = [code[at : at + size] for at in range(0, len(code), size)]
        frames = [
            self._frame(0xF3, 0x02 if part is not parts[-1] else 0, _QR_KIND + part)
            for part in parts
        ]
        idle = not self._waiting
        self._waiting += frames
        if idle:
            self.say(self._waiting[0], job=True)

    def hold_code(self, code: bytes) -> None:
        """It always looks."""
        self.send_code(code)


MODELS: dict[str, type[ScannerSimulator]] = {
    "line": SerialLineScanner,
    "gm65": Gm65Scanner,
    "unified": UnifiedScanner,
    "syn": SynScanner,
    "ssi": SsiScannerSimulator,
}


def scanner_for(device_id: str, profile: Profile, clock: Clock | None = None) -> ScannerSimulator:
    """The simulator that talks as the profile's driver expects; ValueError when there is none."""
    driver = profile.raw.get("driver")
    if driver not in MODELS:
        raise ValueError(f"{profile.id}: no simulator for driver {driver!r}")
    return MODELS[driver](device_id, profile, clock)
