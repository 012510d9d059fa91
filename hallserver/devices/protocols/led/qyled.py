"""Frames of QYLED cards: over UDP and RS-232 as they are, on RS-485 in a wrapping with two checks.

``FE 5C 4B 89 | length | command | message | content length | content | FF FF``, little endian; the
length counts the whole frame. The wrapping: ``FE 98 | length | 97 54 00 | address 8 | 01 | packets |
packet | frame | CRC-16/Modbus | exclusive or``; its length, big endian, counts itself and all after it.
Sources: vendor C header and public code that agree; the answer's content is not documented.
"""

from functools import reduce
from operator import xor

from hallserver.devices.protocols.led.line import LedAnswer, LedLine, crc16, encode_text
from hallserver.devices.protocols.led.options import QyledOptions

HEAD = bytes.fromhex("FE 5C 4B 89")
TAIL = bytes.fromhex("FF FF")
INNER_HEAD = 17
"""Bytes before the content."""
MAX_FRAME = 2048
SHOW_TEXT = 0x31
ALWAYS = b"010101991231"
"""In force from 2001 to 2099, as two-digit years, months and days."""
AFTER_TEXT = bytes.fromhex("FF 00 01 00 01 00 01 00 00 00")
FONT = 0x11


def inner(command: int, message: int, content: bytes) -> bytes:
    """A frame as it goes over UDP."""
    rest = bytes([command]) + message.to_bytes(4, "little")
    rest += len(content).to_bytes(4, "little") + content + TAIL
    return HEAD + (len(HEAD) + 4 + len(rest)).to_bytes(4, "little") + rest


def wrapped(frame: bytes, address: bytes) -> bytes:
    """A frame as it goes over RS-485."""
    after = bytes.fromhex("97 54 00") + address + bytes([1, 1, 1]) + frame
    checked = b"\x98" + (2 + len(after) + 3).to_bytes(2, "big") + after
    checked += crc16(checked, 0xFFFF).to_bytes(2, "little")
    return b"\xfe" + checked + bytes([reduce(xor, checked, 0)])


class QyledCodec:
    """Implements ``LedCodec``. Any sound frame from the card is a sign of life and nothing more."""

    def __init__(self, options: QyledOptions, charset: str, max_bytes: int) -> None:
        self._options = options
        self._charset = charset
        self._max_bytes = max_bytes
        self._message = 0
        self._buffer = bytearray()
        self.broken = 0

    def probe(self) -> bytes | None:
        return None

    def show(self, line: LedLine, *, first: bool) -> bytes:
        """The internal text (素材) of this line. The card knows one colour a line: the first run's."""
        options = self._options
        colour = options.colours[line.runs[0].colour] if line.runs else 1
        text = encode_text(line.text, self._charset, self._max_bytes) or b" "
        shown = text + AFTER_TEXT
        attributes = (
            bytes.fromhex("55 AA 00 00 37 32 32 31")
            + bytes([options.lamps, 0x31])
            + bytes.fromhex("00 00 08 00 10 00")
            + bytes([colour, FONT, 0])
        )
        content = (
            b"%09d" % line.number
            + b"\x2c"
            + bytes([options.effects[line.motion], options.speed, options.stay])
            + ALWAYS
            + len(attributes).to_bytes(4, "little")
            + attributes
            + len(shown).to_bytes(4, "little")
            + shown
        )
        self._message = (self._message + 1) & 0xFFFF_FFFF
        frame = inner(SHOW_TEXT, self._message, content)
        return wrapped(frame, bytes.fromhex(options.address)) if options.bus else frame

    def reset(self) -> None:
        self._buffer.clear()

    def feed(self, data: bytes) -> list[LedAnswer]:
        """Looks for the frame inside whatever wraps it."""
        self._buffer += data
        answers: list[LedAnswer] = []
        while (at := self._buffer.find(HEAD)) >= 0:
            del self._buffer[:at]
            if len(self._buffer) < 8:
                break
            length = int.from_bytes(self._buffer[4:8], "little")
            if not INNER_HEAD + len(TAIL) <= length <= MAX_FRAME:
                self._drop()
            elif len(self._buffer) < length:
                break
            elif self._buffer[length - 2 : length] != TAIL:
                self._drop()
            else:
                del self._buffer[:length]
                answers.append(LedAnswer())
        if not self._buffer.startswith(HEAD):
            del self._buffer[: -len(HEAD) + 1]
        return answers

    def _drop(self) -> None:
        """Not a frame: goes on looking behind its head."""
        del self._buffer[: len(HEAD)]
        self.broken += 1
