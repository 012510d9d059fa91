"""What an LED line shows, and what every controller's codec does with it. Free of any protocol."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from qingting.contract.layouts import Colour, Motion
from qingting.contract.printing import Align

NOT_IN_CHARSET = "？"


@dataclass(frozen=True, slots=True)
class LedRun:
    """Letters of one colour."""

    text: str
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class LedLine:
    """One line of a panel as it is to be now. ``number`` counts from 1; places in dots.

    No ``runs``: the line is dark. ``seconds`` is how long one showing of a moving text lasts.
    """

    number: int
    top: int
    height: int
    width: int
    runs: tuple[LedRun, ...] = ()
    motion: Motion = Motion.STATIC
    align: Align = Align.LEFT
    seconds: float = 5.0

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class LedAnswer:
    """A sound answer. ``error`` is the controller's own code, 0 = done; ``foreign`` how a controller calls itself
    that the profile knows to be another model."""

    error: int = 0
    foreign: str = ""


class LedCodec(Protocol):
    """A pure codec: frames out, answers in. Partial input is kept within a fixed bound."""

    broken: int
    """Answers dropped so far for their length or checksum."""

    def probe(self) -> bytes | None:
        """A harmless question that every present controller answers; None where there is none."""
        ...

    def show(self, line: LedLine, *, first: bool) -> bytes:
        """The frame that puts ``line`` up. ``first``: nothing was sent since the line was opened."""
        ...

    def feed(self, data: bytes) -> list[LedAnswer]:
        """The answers that ``data`` completes."""
        ...

    def reset(self) -> None:
        """Forgets partial input."""
        ...


def encode_text(text: str, charset: str, limit: int) -> bytes:
    """At most ``limit`` bytes, never half a character; what the charset lacks becomes ``？``."""
    out = bytearray()
    for char in text:
        encoded = _encode(char, charset)
        if len(out) + len(encoded) > limit:
            break
        out += encoded
    return bytes(out)


def _encode(char: str, charset: str) -> bytes:
    if not char.isprintable():
        return b" "
    try:
        return char.encode(charset)
    except UnicodeEncodeError:
        return NOT_IN_CHARSET.encode(charset)


def crc16(data: Iterable[int], start: int) -> int:
    """CRC-16 with the reflected polynomial A001h: ARC with ``start`` 0, Modbus with FFFFh."""
    crc = start
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def _crc_row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_CRC = tuple(_crc_row(byte) for byte in range(256))
