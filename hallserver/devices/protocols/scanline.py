"""Codes that arrive as text with a terminator, or with nothing but silence after them."""

from collections.abc import Sequence


class ScanLineCodec:
    """Cuts bytes into codes. The caller says with :meth:`idle` that the line fell silent.

    A code longer than ``max_bytes`` is dropped up to its end: it cannot be a QR code.
    """

    def __init__(self, terminators: Sequence[bytes], max_bytes: int) -> None:
        self._terminators = sorted(terminators, key=len, reverse=True)
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._overlong = False
        self.dropped = 0
        """Overlong codes so far."""

    @property
    def pending(self) -> bool:
        """True while a code has begun and not ended."""
        return bool(self._buffer) or self._overlong

    def reset(self) -> None:
        """Forgets partial input."""
        self._buffer.clear()
        self._overlong = False

    def feed(self, data: bytes) -> list[bytes]:
        """The codes that ``data`` completes, without terminators, never empty."""
        self._buffer += data
        codes: list[bytes] = []
        while (end := self._first_end()) is not None:
            at, length = end
            codes += self._take(bytes(self._buffer[:at]))
            del self._buffer[: at + length]
        if len(self._buffer) > self._max_bytes:
            self._overlong = True
            self._buffer.clear()
        return codes

    def idle(self) -> list[bytes]:
        """The code that the silence completes, if one has begun."""
        code = bytes(self._buffer)
        self._buffer.clear()
        return self._take(code)

    def _take(self, code: bytes) -> list[bytes]:
        if self._overlong or len(code) > self._max_bytes:
            self._overlong = False
            self.dropped += 1
            return []
        return [code] if code else []

    def _first_end(self) -> tuple[int, int] | None:
        found = [
            (at, -len(end)) for end in self._terminators if (at := self._buffer.find(end)) >= 0
        ]
        if not found:
            return None
        at, length = min(found)
        return at, -length


def decode_code(code: bytes, encodings: Sequence[str]) -> str | None:
    """The code's text in the first encoding that fits, None when none does.

    Control characters mean line noise: no code of ours holds any.
    """
    for encoding in encodings:
        try:
            text = code.decode(encoding)
        except UnicodeDecodeError:
            continue
        text = text.strip()
        return text if text and text.isprintable() else None
    return None
