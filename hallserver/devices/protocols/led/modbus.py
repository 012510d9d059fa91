"""Text in the holding registers of a display, by Modbus RTU or TCP.

Function 10h writes a line, function 03h of its first register proves presence. RTU ends with
CRC-16/Modbus, low byte first; TCP begins with transaction, protocol 0 and length, big endian.
Source: Modbus application protocol 1.1b3 and its serial and TCP guides.
"""

from hallserver.devices.protocols.led.line import LedAnswer, LedLine, crc16, encode_text
from hallserver.devices.protocols.led.options import ModbusOptions

READ, WRITE, FAILED = 0x03, 0x10, 0x80
MAX_FRAME = 260


class ModbusCodec:
    """Implements ``LedCodec``."""

    def __init__(self, options: ModbusOptions, charset: str, max_bytes: int) -> None:
        self._options = options
        self._charset = charset
        self._max_bytes = min(max_bytes, options.registers * 2)
        self._transaction = 0
        self._buffer = bytearray()
        self.broken = 0

    def probe(self) -> bytes | None:
        return self._request(READ, self._options.first.to_bytes(2, "big") + b"\0\x01")

    def show(self, line: LedLine, *, first: bool) -> bytes:
        """The whole line, filled up with spaces, so that nothing of a longer text stays."""
        count = self._options.registers
        start = (self._options.first + (line.number - 1) * count) & 0xFFFF
        text = encode_text(line.text, self._charset, self._max_bytes).ljust(count * 2)
        head = start.to_bytes(2, "big") + count.to_bytes(2, "big") + bytes([count * 2])
        return self._request(WRITE, head + text)

    def _request(self, function: int, data: bytes) -> bytes:
        body = bytes([self._options.unit, function]) + data
        if self._options.mode == "rtu":
            return body + crc16(body, 0xFFFF).to_bytes(2, "little")
        self._transaction = (self._transaction + 1) & 0xFFFF
        return self._transaction.to_bytes(2, "big") + b"\0\0" + len(body).to_bytes(2, "big") + body

    # ---- answers ---------------------------------------------------------------------------------

    def reset(self) -> None:
        self._buffer.clear()

    def feed(self, data: bytes) -> list[LedAnswer]:
        """Resynchronises byte by byte after anything that is no answer of this unit."""
        self._buffer += data
        answers: list[LedAnswer] = []
        while self._buffer:
            length = self._rtu_length() if self._options.mode == "rtu" else self._tcp_length()
            if length is None or (length and len(self._buffer) < length):
                break
            body = self._body(length) if length else None
            if body is None:
                del self._buffer[0]
                self.broken += 1
                continue
            del self._buffer[:length]
            answers.append(LedAnswer(body[2] if body[1] & FAILED else 0))
        return answers

    def _rtu_length(self) -> int | None:
        """Bytes of the answer that begins here; 0: none can, None: too early to say."""
        if self._buffer[0] != self._options.unit:
            return 0
        if len(self._buffer) < 3:
            return None
        function = self._buffer[1]
        if function in (READ | FAILED, WRITE | FAILED):
            return 5
        if function == WRITE:
            return 8
        # One register was asked for, so there are two bytes.
        return 7 if function == READ and self._buffer[2] == 2 else 0

    def _tcp_length(self) -> int | None:
        if len(self._buffer) < 8:
            return None
        length = int.from_bytes(self._buffer[4:6], "big")
        sound = self._buffer[2:4] == b"\0\0" and 3 <= length <= MAX_FRAME - 6
        sound = sound and self._buffer[6] == self._options.unit
        function = self._buffer[7] & ~FAILED
        return 6 + length if sound and function in (READ, WRITE) else 0

    def _body(self, length: int) -> bytes | None:
        """Unit, function and data of the answer, when its check is right."""
        answer = bytes(self._buffer[:length])
        if self._options.mode == "tcp":
            return answer[6:]
        right = crc16(answer[:-2], 0xFFFF) == int.from_bytes(answer[-2:], "little")
        return answer[:-2] if right else None
