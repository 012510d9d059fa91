"""Scanners that pretend to be keyboards: records of the Linux input layer become the text that was typed.

One record is ``struct input_event``: two words of time, type and code of 16 bits, value of 32 bits
(``linux/input.h``). Key codes are those of ``linux/input-event-codes.h`` with a US layout, which is what scanners
imitate unless they are told otherwise.
"""

import struct

EVENT = struct.Struct("@llHHi")
EV_SYN, EV_KEY = 0x00, 0x01
SYN_DROPPED = 0x03
UP, DOWN, REPEATED = 0, 1, 2
ENTERS = frozenset({28, 96})
SHIFTS = frozenset({42, 54})
END = "\r"

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
_PAD |= {15: "\t", 55: "*", 74: "-", 78: "+", 83: ".", 98: "/"}


class KeyReader:
    """Text of the keys that go down. Enter becomes a carriage return; keys without a letter are left out."""

    def __init__(self) -> None:
        self._buffer = b""
        self._held: set[int] = set()

    def feed(self, data: bytes) -> bytes:
        """What was typed by the records that ``data`` completes, in ASCII."""
        self._buffer += data
        whole = len(self._buffer) - len(self._buffer) % EVENT.size
        typed = [
            self._take(kind, code, value)
            for _, _, kind, code, value in EVENT.iter_unpack(self._buffer[:whole])
        ]
        self._buffer = self._buffer[whole:]
        return "".join(typed).encode("ascii")

    def _take(self, kind: int, code: int, value: int) -> str:
        if kind == EV_SYN and code == SYN_DROPPED:
            self._held.clear()  # what happened to the keys meanwhile is not known
            return ""
        if kind != EV_KEY or value not in (UP, DOWN):
            return ""
        if code in SHIFTS:
            (self._held.add if value == DOWN else self._held.discard)(code)
            return ""
        return self._letter(code) if value == DOWN else ""

    def _letter(self, code: int) -> str:
        if code in ENTERS:
            return END
        keys = _SHIFTED if self._held else _PLAIN
        return keys.get(code) or _PAD.get(code, "")
