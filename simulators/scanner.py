"""Simulated code scanners: one that sends lines by itself, and the GM65 module that waits for a trigger.

GM65 frames: ``7E 00 | type | len | address | data | CRC``, answered by ``02 00 | type | len | data |
CRC``; CRC-16/XMODEM over type to data, ``AB CD`` in its place switches the check off. Source: the
module's manual. Type 07 reads settings, 08 writes them; bit 0 of setting 0002 starts a scan.
"""

import binascii
from collections import deque
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import Clock
from simulators.device import LINE_FAULTS, Fault, SimulatedDevice
from simulators.profiles import Profile, hex_bytes

MAX_CODE_BYTES = 2953
"""The most a QR code holds."""
STUCK_S = 0.3
"""How often a stuck scanner says its last code."""
TRIGGER_S = 5.0
"""How long a triggered module looks for a code."""
HOLD_S = 4.0
"""How long a person holds a code before a scanner that does not look."""
KEPT_SCANS = 50
_SCAN_SETTING = 0x0002
_NO_CHECK = b"\xab\xcd"


class ScanResult(StrEnum):
    """What became of a code: read at once, or held before a scanner that is not looking."""

    SENT = "sent"
    HELD = "held"


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A code held before the scanner, and when."""

    at_ms: int
    text: str
    result: ScanResult


class ScannerSimulator(SimulatedDevice):
    """Ground of both scanners: a code is sent with the first terminator of the profile."""

    kind: ClassVar[DeviceKind] = DeviceKind.SCANNER
    garbage: ClassVar[bytes] = b"\xff\xfe\x80"
    possible_faults: frozenset[Fault] = LINE_FAULTS | {
        Fault.NO_TERMINATOR,
        Fault.STUCK,
    }

    def __init__(self, device_id: str, profile: Profile, clock: Clock | None = None) -> None:
        super().__init__(device_id, profile, clock)
        terminators = profile.section("scanner").get("terminators", ["0D 0A"])
        self.terminator = hex_bytes(terminators[0]) if terminators else b""
        self.scans: deque[Scan] = deque(maxlen=KEPT_SCANS)

    async def start(self) -> None:
        await super().start()
        _ = self.supervisor.keep("stuck", self._say_again)

    async def _say_again(self) -> None:
        """Stuck, it sees its last code again and again."""
        while True:
            await self.clock.sleep(STUCK_S)
            if Fault.STUCK in self.faults and self.scans:
                self.send_code(self.scans[-1].text.encode("utf-8"))

    def receive(self, data: bytes) -> None:
        """A plain scanner listens to nobody."""

    @property
    def ready(self) -> bool:
        """True while a code held before the scanner is read."""
        return True

    def scan(self, text: str) -> ScanResult:
        """Holds a code before the scanner; raises ValueError for one that no QR code can hold."""
        code = text.encode("utf-8")
        if not code or len(code) > MAX_CODE_BYTES:
            raise ValueError(f"a code has 1 to {MAX_CODE_BYTES} bytes")
        result = ScanResult.SENT if self.ready else ScanResult.HELD
        if result is ScanResult.SENT:
            self.send_code(code)
        else:
            self.hold_code(code)
        self.scans.append(Scan(at_ms=self.clock.now_ms(), text=text, result=result))
        self.changed()
        return result

    def send_code(self, code: bytes) -> None:
        """Sends a code as a line."""
        self.say(code if Fault.NO_TERMINATOR in self.faults else code + self.terminator, job=True)

    def hold_code(self, code: bytes) -> None:
        """A code is shown to a scanner that is not looking; only modules with a trigger get here."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "ready": self.ready,
            "scans": [msgspec.to_builtins(one) for one in reversed(self.scans)],
        }


class SerialLineScanner(ScannerSimulator):
    """Reads whatever it sees and sends it as a line."""


class Gm65Scanner(ScannerSimulator):
    """Reads only while triggered, for one code or ``trigger_s`` seconds; acknowledges every command.

    A code shown to a module that is not looking is held there for a while, as people do.
    """

    possible_faults: frozenset[Fault] = ScannerSimulator.possible_faults | {Fault.WRONG_CHECKSUM}

    def __init__(
        self,
        device_id: str,
        profile: Profile,
        clock: Clock | None = None,
        trigger_s: float = TRIGGER_S,
    ) -> None:
        super().__init__(device_id, profile, clock)
        self.trigger_s = trigger_s
        self.settings: dict[int, int] = {0x0000: 0xD5}
        self._buffer = bytearray()
        self._until = float("-inf")
        self._held: tuple[float, bytes] | None = None

    @property
    def ready(self) -> bool:
        return self.clock.monotonic() < self._until

    def receive(self, data: bytes) -> None:
        self._buffer += data
        while (frame := self._next_frame()) is not None:
            self._obey(frame)

    def _next_frame(self) -> bytes | None:
        """Type, length, address, data and CRC of one command."""
        start = self._buffer.find(b"\x7e\x00")
        if start < 0:
            del self._buffer[: len(self._buffer) - self._buffer.endswith(b"\x7e")]
            return None
        del self._buffer[:start]
        if len(self._buffer) < 4:
            return None
        # A read command says in its one data byte how many settings it wants.
        end = 2 + 1 + 1 + 2 + self._buffer[3] + 2
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[2:end])
        del self._buffer[:end]
        return frame

    def _obey(self, frame: bytes) -> None:
        content, check = frame[:-2], frame[-2:]
        if check not in (_NO_CHECK, _crc(content)):
            return
        address = int.from_bytes(content[2:4], "big")
        match content[0]:
            case 0x08:
                self._write(address, content[4:])
            case 0x07:
                count = content[4] or 256
                values = bytes(self.settings.get(address + at, 0) for at in range(count))
                self._answer(values)
            case 0x09:
                self._answer(b"\x00")
            case _:
                """The module stays silent for types it does not have."""

    def _write(self, address: int, values: bytes) -> None:
        for at, value in enumerate(values):
            self.settings[address + at] = value
        self._answer(b"\x00")
        if address <= _SCAN_SETTING < address + len(values):
            on, before = bool(self.settings[_SCAN_SETTING] & 1), self.ready
            self._until = self.clock.monotonic() + self.trigger_s if on else float("-inf")
            self._read_held()
            if self.ready != before:
                self.changed()

    def _answer(self, data: bytes) -> None:
        content = b"\x00" + bytes([len(data) & 0xFF]) + data
        check = bytearray(_crc(content))
        if Fault.WRONG_CHECKSUM in self.faults:
            check[1] ^= 0x5A
        self.say(b"\x02\x00" + content + check)

    def send_code(self, code: bytes) -> None:
        super().send_code(code)
        self._until = float("-inf")

    def hold_code(self, code: bytes) -> None:
        self._held = (self.clock.monotonic() + HOLD_S, code)

    def _read_held(self) -> None:
        held = self._held
        if held is None or not self.ready:
            return
        self._held = None
        if self.clock.monotonic() < held[0]:
            self.send_code(held[1])


def _crc(content: bytes) -> bytes:
    return binascii.crc_hqx(content, 0).to_bytes(2, "big")
