"""ESC/POS as a printer hears it: a byte stream cut into commands.

Sources: Epson's ESC/POS command reference and the manuals of Chinese 80 mm kiosk modules. The lengths
of all usual commands are known, so that a command that is not drawn never spills its arguments onto
the paper as text.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

DLE, ESC, FS, GS = 0x10, 0x1B, 0x1C, 0x1D
EOT, ENQ, DC4 = 0x04, 0x05, 0x14
MAX_FIELD = 4 * 1024 * 1024
"""No single command of a ticket is longer; a larger length field is noise."""


@dataclass(frozen=True, slots=True)
class Command:
    """``name`` as the manuals write it (``ESC a``, ``GS v 0``, ``text``); ``args`` are its bytes."""

    name: str
    args: bytes = b""


_FIXED: dict[int, dict[str, int]] = {
    DLE: {"\x04": 1, "\x05": 1, "\x14": 3},
    ESC: {
        **dict.fromkeys("@2LSim<", 0),
        **dict.fromkeys("aEGdJt!-3M RV{eK=rTU?", 1),
        **dict.fromkeys("$\\cB", 2),
        "p": 3,
        "W": 8,
    },
    FS: {"&": 0, ".": 0, "!": 1, "W": 1, "-": 1, "C": 1, "S": 2, "?": 2, "p": 2, "2": 74},
    GS: {
        ":": 0,
        **dict.fromkeys("!BarIhwHfb/T", 1),
        **dict.fromkeys("LWP$\\", 2),
        "^": 3,
        "\xe0": 1,
        "\xe1": 0,
    },
}
"""Argument bytes of every command of fixed length, by lead byte and command character."""

_NAMES = {DLE: "DLE", ESC: "ESC", FS: "FS", GS: "GS"}
_CONTROLS = {0x09: "HT", 0x0A: "LF", 0x0C: "FF", 0x0D: "CR", 0x18: "CAN"}
_CUT_WITH_FEED = frozenset(b"\x41\x42\x61\x62\x67\x68")


def _name(lead: int, second: int) -> str:
    known = {EOT: "EOT", ENQ: "ENQ", DC4: "DC4"} if lead == DLE else {}
    char = known.get(second) or (chr(second) if 0x20 < second < 0x7F else f"{second:02X}")
    return f"{_NAMES[lead]} {char}"


class CommandStream:
    """Keeps what was received and not yet taken; cuts one command after the other from its front."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def clear(self) -> None:
        """Forgets everything not yet taken, as DLE ENQ 2 demands."""
        self._buffer.clear()

    def drain(self) -> Iterator[Command]:
        """All complete commands; an incomplete one at the end stays for later."""
        while (command := self.take()) is not None:
            yield command

    def take(self) -> Command | None:
        """The next complete command, or None while its bytes are not all there."""
        if not self._buffer:
            return None
        first = self._buffer[0]
        if first in _NAMES:
            return self._take_escape(first)
        if first >= 0x20:
            end = next((at for at, byte in enumerate(self._buffer) if byte < 0x20), None)
            return Command("text", self._cut(len(self._buffer) if end is None else end))
        self._cut(1)
        return Command(
            _CONTROLS.get(first, "ignored"), b"" if first in _CONTROLS else bytes([first])
        )

    def _take_escape(self, lead: int) -> Command | None:
        if len(self._buffer) < 2:
            return None
        second = self._buffer[1]
        length = _FIXED[lead].get(chr(second))
        if length is None:
            length = self._variable(lead, second)
            if length is None:
                return None
        if len(self._buffer) < 2 + length:
            return None
        whole = self._cut(2 + length)
        return Command(_name(lead, second), whole[2:])

    def _variable(self, lead: int, second: int) -> int | None:
        """Argument bytes of a command that says its own length; None while that is not yet known.

        An unknown command counts as its two bytes: that is what printers skip.
        """
        body = self._buffer[2:]
        match (lead, chr(second)):
            case (0x1D, "V"):
                return None if not body else 2 if body[0] in _CUT_WITH_FEED else 1
            case (0x1D, "v"):
                if len(body) < 6:
                    return None
                return 6 + _bounded(_u16(body, 2) * _u16(body, 4))
            case (0x1B | 0x1C | 0x1D, "("):
                return None if len(body) < 3 else 3 + _u16(body, 1)
            case (0x1D, "8"):
                return None if len(body) < 5 else 5 + _bounded(_u32(body, 1))
            case (0x1D, "k" | "e" as char):
                return _barcode_length(body) if char == "k" else _ejector_length(body)
            case (0x1D, "*"):
                return None if len(body) < 2 else 2 + body[0] * body[1] * 8
            case (0x1B, "*"):
                return None if len(body) < 3 else 3 + _u16(body, 1) * (3 if body[0] >= 32 else 1)
            case (0x1B, "D"):
                end = body.find(0)
                return None if end < 0 and len(body) < 33 else (end + 1 if end >= 0 else 32)
            case _:
                return 0

    def _cut(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def _u16(data: bytes | bytearray, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _u32(data: bytes | bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _bounded(length: int) -> int:
    return length if length <= MAX_FIELD else 0


def _barcode_length(body: bytearray) -> int | None:
    if not body:
        return None
    if body[0] <= 6:
        end = body.find(0, 1)
        return None if end < 0 else end + 1
    return None if len(body) < 2 else 2 + body[1]


def _ejector_length(body: bytearray) -> int | None:
    """GS e: to present by steps (3), with a time (32), or something without a parameter."""
    return {3: 2, 32: 3}.get(body[0], 1) if body else None


class _Heard(Enum):
    NOTHING = auto()
    DLE = auto()
    EOT = auto()
    ENQ = auto()


@dataclass(slots=True)
class RealTimeEar:
    """Hears DLE EOT and DLE ENQ as they come in, whatever else the bytes belong to.

    Printers execute these two on receipt, even offline, with a full buffer and inside image data.
    """

    _heard: _Heard = field(default=_Heard.NOTHING)

    def listen(self, data: bytes) -> list[tuple[int, Command]]:
        """The real-time commands completed by ``data``, each with the offset behind its last byte."""
        found: list[tuple[int, Command]] = []
        for end, byte in enumerate(data, start=1):
            match self._heard:
                case _Heard.EOT:
                    found.append((end, Command("DLE EOT", bytes([byte]))))
                    self._heard = _Heard.NOTHING
                case _Heard.ENQ:
                    found.append((end, Command("DLE ENQ", bytes([byte]))))
                    self._heard = _Heard.NOTHING
                case _Heard.DLE if byte == EOT:
                    self._heard = _Heard.EOT
                case _Heard.DLE if byte == ENQ:
                    self._heard = _Heard.ENQ
                case _:
                    self._heard = _Heard.DLE if byte == DLE else _Heard.NOTHING
        return found
