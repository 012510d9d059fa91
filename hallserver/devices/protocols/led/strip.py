"""Strips that show whatever text stands between a beginning and an end, and never answer."""

from hallserver.devices.protocols.led.line import LedAnswer, LedLine, encode_text
from hallserver.devices.protocols.led.options import StripOptions


class StripCodec:
    """Implements ``LedCodec``."""

    def __init__(self, options: StripOptions, charset: str, max_bytes: int) -> None:
        self._options = options
        self._charset = charset
        self._max_bytes = max_bytes
        self.broken = 0

    def probe(self) -> bytes | None:
        return None

    def show(self, line: LedLine, *, first: bool) -> bytes:
        options = self._options
        address = b""
        if options.address is not None:
            address = bytes([(options.address + line.number - 1) & 0xFF])
        text = encode_text(line.text, self._charset, self._max_bytes) or b" "
        return bytes.fromhex(options.start) + address + text + bytes.fromhex(options.end)

    def reset(self) -> None:
        """Nothing is kept."""

    def feed(self, data: bytes) -> list[LedAnswer]:
        """Nothing that such a strip says has a meaning."""
        return []
