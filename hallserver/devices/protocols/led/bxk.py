"""Frames of Onbon BX-5K, 5MK and 6K cards (仰邦字库卡).

``A5`` eight times, then escaped ``header 14 | data | CRC-16/ARC``, then ``5A``. Numbers are little
endian. Source: the vendor's own open implementation (onbonlab/bx.k.java, onbonlab/BX-K).
"""

from hallserver.devices.protocols.led.line import (
    LedAnswer,
    LedLine,
    crc16,
    encode_text,
)
from hallserver.devices.protocols.led.options import BxkOptions
from qingting.contract.layouts import Motion
from qingting.contract.printing import Align

START, END = 0xA5, 0x5A
_ESCAPES = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_UNESCAPED = {pair: byte for byte, pair in _ESCAPES.items()}
HEADER = 14
DEVICE_TYPE = 10
"""Its place in the header."""
MAX_FRAME = 2048
"""Unescaped bytes of the longest answer that is taken."""
ANSWERS = 0xA0
"""Group of both answers."""
DONE, REFUSED = 0x00, 0x01
PING = bytes.fromhex("A2 00 01 00 00")
PIXELS = 0x8000
"""Bit of a place or size that is in dots."""
_ALIGN = {Align.LEFT: 0, Align.RIGHT: 1, Align.CENTRE: 2}


def frame(options: BxkOptions, data: bytes) -> bytes:
    """A whole frame around ``data``: group, command, whether an answer is wanted, payload."""
    header = (
        options.screen.to_bytes(2, "little")
        + (0x8000).to_bytes(2, "little")
        + bytes([0, 0, 0, 0, 0, 0, options.device_type, 2])
        + len(data).to_bytes(2, "little")
    )
    body = header + data
    body += crc16(body, 0).to_bytes(2, "little")
    escaped = b"".join(_ESCAPES.get(byte, bytes([byte])) for byte in body)
    return bytes([START]) * 8 + escaped + bytes([END])


class BxkCodec:
    """Implements ``LedCodec``."""

    def __init__(self, options: BxkOptions, charset: str, max_bytes: int) -> None:
        self._options = options
        self._charset = charset
        self._max_bytes = max_bytes
        self._body: bytearray | None = None
        self._escape = 0
        self.broken = 0

    def probe(self) -> bytes | None:
        return frame(self._options, PING)

    def show(self, line: LedLine, *, first: bool) -> bytes:
        """Replaces the dynamic area of this line; ``first`` clears what a former session left."""
        area = self._area(line)
        payload = bytes([0, 1]) + len(area).to_bytes(2, "little") + area
        return frame(self._options, bytes([0xA3, 0x06, 1, int(first), 0]) + payload)

    def _area(self, line: LedLine) -> bytes:
        options, still = self._options, line.motion is not Motion.SCROLL_LEFT
        text = self._text(line)
        stay = min(0xFF, max(1, round(line.seconds * 2))) if still else 0
        return b"".join(
            (
                b"\0",
                self._across(0) + line.top.to_bytes(2, "little"),
                self._across(line.width) + line.height.to_bytes(2, "little"),
                bytes([line.number - 1, 0, 0]) + (5).to_bytes(2, "little"),
                bytes([0, 0, _ALIGN[line.align], 1, 1]),
                bytes([options.effects[line.motion], 0, options.speed, stay]),
                len(text).to_bytes(4, "little"),
                text,
            )
        )

    def _across(self, dots: int) -> bytes:
        value = PIXELS | dots if self._options.pixels else dots // 8
        return value.to_bytes(2, "little")

    def _text(self, line: LedLine) -> bytes:
        """GBK with an escape before each change of colour; a dark line is a space."""
        out, colour = bytearray(), 0
        for run in line.runs:
            wanted = self._options.colours.get(run.colour, colour)
            escape = b"\\C%d" % wanted if wanted != colour else b""
            # A backslash would begin an escape of its own.
            letters = run.text.replace("\\", "＼")
            encoded = encode_text(letters, self._charset, self._max_bytes - len(out) - len(escape))
            if encoded:
                out += escape + encoded
                colour = wanted
        return bytes(out) or b" "

    # ---- answers ---------------------------------------------------------------------------------

    def reset(self) -> None:
        self._body, self._escape = None, 0

    def feed(self, data: bytes) -> list[LedAnswer]:
        return [answer for byte in data if (answer := self._take(byte)) is not None]

    def _take(self, byte: int) -> LedAnswer | None:
        """The header's length says where an answer ends: some cards leave 5A unescaped in the CRC."""
        if byte == START:
            if self._body:
                self.broken += 1
            self._body, self._escape = bytearray(), 0
            return None
        body = self._body
        if body is None:
            return None
        if self._escape:
            body += _unescape(self._escape, byte)
            self._escape = 0
        elif _complete(body) and byte == END:
            self._body = None
            return self._answer(bytes(body))
        elif byte in (0xA6, 0x5B):
            self._escape = byte
        else:
            body.append(byte)
        if len(body) > MAX_FRAME or _overrun(body):
            self.reset()
            self.broken += 1
        return None

    def _answer(self, body: bytes) -> LedAnswer | None:
        data = body[HEADER:-2]
        if crc16(body[:-2], 0) != int.from_bytes(body[-2:], "little") or len(data) < 3:
            self.broken += 1
            return None
        group, command, error = data[0], data[1], data[2]
        if body[DEVICE_TYPE] in self._options.other_models:
            return LedAnswer(error, foreign=f"device type {body[DEVICE_TYPE]:02X}")
        if group != ANSWERS:
            return LedAnswer(error)  # a report, such as the one to a ping on newer cards
        return LedAnswer(error if error or command == DONE else 0xFF)


def _unescape(first: int, second: int) -> bytes:
    pair = bytes([first, second])
    found = _UNESCAPED.get(pair)
    return pair if found is None else bytes([found])


def _length(body: bytearray) -> int | None:
    if len(body) < HEADER:
        return None
    return HEADER + int.from_bytes(body[HEADER - 2 : HEADER], "little") + 2


def _complete(body: bytearray) -> bool:
    return len(body) == _length(body)


def _overrun(body: bytearray) -> bool:
    length = _length(body)
    return length is not None and (len(body) > length or length > MAX_FRAME)
