"""Scanners that pretend to be keyboards: records of the Linux input layer become the text that was typed.

One record is ``struct input_event``: two words of time, type and code of 16 bits, value of 32 bits
(``linux/input.h``). Key codes are those of ``linux/input-event-codes.h`` with a US layout, which is what scanners
imitate unless they are told otherwise.

What no key has, Chinese above all, they type as Windows has it: Alt is held, the decimal number of the character's
bytes is typed on the number pad, Alt is let go (Alt 码). A number up to 255 is one byte, of UTF-8 or of half a
character; a larger one the two bytes of a GBK character, the higher first. Leading zeros change nothing.
"""

import struct

EVENT = struct.Struct("@llHHi")
EV_SYN, EV_KEY = 0x00, 0x01
SYN_DROPPED = 0x03
UP, DOWN, REPEATED = 0, 1, 2
ENTERS = frozenset({28, 96})
SHIFTS = frozenset({42, 54})
ALTS = frozenset({56, 100})
END = b"\r"
MAX_ALT = 0xFFFF

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
_PLAIN = {first + at: char for first, plain, _ in _ROWS for at, char in enumerate(plain)}
_SHIFTED = {first + at: char for first, _, shifted in _ROWS for at, char in enumerate(shifted)}
_PAD = dict(zip((71, 72, 73, 75, 76, 77, 79, 80, 81, 82), "7894561230", strict=True))
_DIGITS = {code: int(digit) for code, digit in _PAD.items()}
_PAD |= {15: "\t", 55: "*", 74: "-", 78: "+", 83: ".", 98: "/"}


class KeyReader:
    """Text of the keys that go down. Enter becomes a carriage return; keys without a letter are left out."""

    def __init__(self) -> None:
        self._buffer = b""
        self._held: set[int] = set()
        self._alt: set[int] = set()
        self._number: int | None = None

    def feed(self, data: bytes) -> bytes:
        """What was typed by the records that ``data`` completes: ASCII, and the bytes of Alt codes."""
        self._buffer += data
        whole = len(self._buffer) - len(self._buffer) % EVENT.size
        typed = [
            self._take(kind, code, value)
            for _, _, kind, code, value in EVENT.iter_unpack(self._buffer[:whole])
        ]
        self._buffer = self._buffer[whole:]
        return b"".join(typed)

    def _take(self, kind: int, code: int, value: int) -> bytes:
        if kind == EV_SYN and code == SYN_DROPPED:
            # What happened to the keys meanwhile is not known.
            self._held.clear()
            self._alt.clear()
            self._number = None
            return b""
        if kind != EV_KEY or value not in (UP, DOWN):
            return b""
        if code in SHIFTS:
            (self._held.add if value == DOWN else self._held.discard)(code)
            return b""
        if code in ALTS:
            return self._alt_moved(code, value)
        if value == UP:
            return b""
        return self._dialled(code) if self._alt else self._letter(code)

    def _letter(self, code: int) -> bytes:
        if code in ENTERS:
            return END
        keys = _SHIFTED if self._held else _PLAIN
        return (keys.get(code) or _PAD.get(code, "")).encode("ascii")

    def _alt_moved(self, code: int, value: int) -> bytes:
        """The bytes of the number, once no Alt key is held any more; a number of nothing is none."""
        if value == DOWN:
            if not self._alt:
                self._number = None
            self._alt.add(code)
            return b""
        self._alt.discard(code)
        number, self._number = self._number, None if not self._alt else self._number
        if self._alt or not number or number > MAX_ALT:
            return b""
        return number.to_bytes(1 if number <= 0xFF else 2, "big")

    def _dialled(self, code: int) -> bytes:
        """A digit of the pad while Alt is held. Enter ends a code even then, for an Alt that was never let go."""
        if code in ENTERS:
            self._alt.clear()
            self._number = None
            return END
        if code in _DIGITS:
            self._number = min((self._number or 0) * 10 + _DIGITS[code], MAX_ALT + 1)
        return b""
