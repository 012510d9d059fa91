"""How simulated LED controllers hear and answer, from their published protocols.

Each talker takes bytes as they come, puts lines on the panel and gives back answers. None shares code with
those who drive the devices.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Protocol

from simulators.led_panel import LAMPS, Panel, PanelLine, Run
from simulators.profiles import Profile

GBK = "gbk"
ALIGNED = {0: "left", 1: "right", 2: "centre"}
"""Low bits of an area's alignment."""
MAX_HELD = 8192
"""Bytes after which a listener gives up on a frame that never ends."""


class Talker(Protocol):
    """A controller's ears and mouth."""

    refuses: int | None
    """Error code with which it refuses every content; None takes all."""

    def hear(self, data: bytes) -> list[bytes]:
        """Answers to what ``data`` completes."""
        ...


def crc(data: Iterable[int], start: int) -> bytes:
    """Reflected CRC-16 with polynomial 8005h, low byte first."""
    value = start
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def _words(raw: bytes) -> str:
    return raw.decode(GBK, "replace")


# ---- cards with escaped frames and dynamic areas --------------------------------------------------


class AreaTalker:
    """``A5`` × 8, escaped header, data and CRC, ``5A``. Answers with group A0: 00 done, 01 error."""

    def __init__(self, profile: Profile, panel: Panel) -> None:
        self._panel = panel
        self._pixels = bool(profile.section("protocol").get("pixels"))
        self._type = int(profile.section("simulator").get("device_type", 0))
        self._frame: bytearray | None = None
        self.refuses: int | None = None

    def hear(self, data: bytes) -> list[bytes]:
        answers = []
        for byte in data:
            if byte == 0xA5:
                self._frame = bytearray()
            elif self._frame is not None and byte == 0x5A:
                answers += self._understood(_plain(bytes(self._frame)))
                self._frame = None
            elif self._frame is not None and len(self._frame) < MAX_HELD:
                self._frame.append(byte)
        return answers

    def _understood(self, body: bytes) -> list[bytes]:
        if len(body) < 21:
            return []
        if crc(body[:-2], 0) != body[-2:]:
            return [self._answer(body, 5)]
        group, command, wanted = body[14:17]
        error = 0
        if (group, command) == (0xA3, 0x06):
            error = self.refuses or 0
            if not error:
                self._areas(body[17:-2])
        elif (group, command) == (0xA3, 0x10):
            self._panel.clear()
        elif (group, command) != (0xA2, 0x00):
            error = 2
        return [self._answer(body, error)] if wanted == 1 else []

    def _answer(self, asked: bytes, error: int) -> bytes:
        data = bytes([0xA0, 1 if error else 0, error, 0, 0])
        model = bytes([self._type or asked[10]])
        head = asked[2:4] + asked[0:2] + asked[4:10] + model + asked[11:12]
        body = head + len(data).to_bytes(2, "little") + data
        return b"\xa5" * 8 + _escaped(body + crc(body, 0)) + b"\x5a"

    def _areas(self, payload: bytes) -> None:
        """Process mode, reserve, areas to delete, areas to show."""
        if payload[0] == 1:
            self._panel.clear()
        at = 3 + payload[2]
        for number in payload[3:at]:
            self._panel.lines.pop(number + 1, None)
        count = payload[at]
        at += 1
        for _ in range(count):
            length = int.from_bytes(payload[at : at + 2], "little")
            self._area(payload[at + 2 : at + 2 + length])
            at += 2 + length

    def _area(self, area: bytes) -> None:
        left, top, width, height = (
            int.from_bytes(area[at : at + 2], "little") for at in (1, 3, 5, 7)
        )
        length = int.from_bytes(area[23:27], "little")
        self._panel.show(
            PanelLine(
                number=area[9] + 1,
                runs=tuple(_coloured(area[27 : 27 + length])),
                effect=area[19],
                align=ALIGNED.get(area[16] & 3, "left"),
                left=_dots(left),
                top=top,
                width=_dots(width),
                height=height,
            )
        )


def _dots(value: int) -> int:
    return value & 0x7FFF if value & 0x8000 else value * 8


def _plain(raw: bytes) -> bytes:
    pairs = {b"\xa6\x02": b"\xa5", b"\xa6\x01": b"\xa6", b"\x5b\x02": b"\x5a", b"\x5b\x01": b"\x5b"}
    return re.sub(rb"\xa6[\x01\x02]|\x5b[\x01\x02]", lambda found: pairs[found[0]], raw)


def _escaped(raw: bytes) -> bytes:
    pairs = {b"\xa5": b"\xa6\x02", b"\xa6": b"\xa6\x01", b"\x5a": b"\x5b\x02", b"\x5b": b"\x5b\x01"}
    return re.sub(rb"[\xa5\xa6\x5a\x5b]", lambda found: pairs[found[0]], raw)


def _coloured(raw: bytes) -> Iterator[Run]:
    """Text with colour escapes: a backslash that is no second half of a Chinese character."""
    colour, letters, at = 1, bytearray(), 0
    while at < len(raw):
        if raw[at : at + 2] == b"\\C" and at + 2 < len(raw):
            if letters:
                yield Run(text=_words(bytes(letters)), colour=LAMPS.get(colour, "red"))
            colour, letters, at = raw[at + 2] - 0x30, bytearray(), at + 3
        else:
            step = 2 if raw[at] >= 0x81 else 1
            letters += raw[at : at + step]
            at += step
    if letters:
        yield Run(text=_words(bytes(letters)), colour=LAMPS.get(colour, "red"))


# ---- cards that are only told ---------------------------------------------------------------------


class MaterialTalker:
    """``FE 5C 4B 89`` frames, on RS-485 in a wrapping whose two checks are looked at. Says nothing."""

    def __init__(self, profile: Profile, panel: Panel) -> None:
        self._panel = panel
        self._bus = bool(profile.section("protocol").get("bus"))
        self._held = b""
        self.refuses: int | None = None

    def hear(self, data: bytes) -> list[bytes]:
        self._held = (self._held + data)[-MAX_HELD:]
        while (frame := self._cut()) is not None:
            self._show(frame)
        return []

    def _cut(self) -> bytes | None:
        """The next whole frame without its wrapping."""
        mark = b"\xfe\x98" if self._bus else b"\xfe\x5c\x4b\x89"
        while (at := self._held.find(mark)) >= 0:
            held = self._held = self._held[at:]
            if len(held) < 8:
                return None
            length = (
                int.from_bytes(held[2:4], "big") + 2
                if self._bus
                else int.from_bytes(held[4:8], "little")
            )
            if len(held) < length <= MAX_HELD:
                return None
            self._held = held[2:]
            if length <= MAX_HELD and (frame := self._sound(held[:length])) is not None:
                self._held = held[length:]
                return frame
        return None

    def _sound(self, whole: bytes) -> bytes | None:
        if not self._bus:
            return whole if whole.endswith(b"\xff\xff") else None
        both = whole[1:-3]
        right = crc(both, 0xFFFF) == whole[-3:-1]
        return whole[18:-3] if right and reduce(lambda a, b: a ^ b, whole[1:], 0) == 0 else None

    def _show(self, frame: bytes) -> None:
        content = frame[17:-2]
        if frame[8] != 0x31 or len(content) < 52:
            return
        number, effect, colour = content[:9], content[10], content[45]
        shown = content[52 : 52 + int.from_bytes(content[48:52], "little") - 10]
        self._panel.show(
            PanelLine(
                number=int(number),
                runs=(Run(text=_words(shown), colour=LAMPS.get(colour, "red")),),
                effect=effect,
            )
        )


class StripTalker:
    """Text between a beginning and an end, with the line's address before it. Says nothing."""

    def __init__(self, profile: Profile, panel: Panel) -> None:
        options = profile.section("protocol")
        self._panel = panel
        self._start = bytes.fromhex(str(options["start"]))
        self._end = bytes.fromhex(str(options["end"]))
        self._address: int | None = options.get("address")
        self._held = b""
        self.refuses: int | None = None

    def hear(self, data: bytes) -> list[bytes]:
        *whole, held = (self._held + data).split(self._end)
        self._held = held[-MAX_HELD:]
        for piece in whole:
            _, mark, told = piece.partition(self._start)
            if mark != self._start or (self._address is not None and not told):
                continue
            number = 1 if self._address is None else told[0] - self._address + 1
            text = told if self._address is None else told[1:]
            self._panel.show(PanelLine(number=number, runs=(Run(text=_words(text)),)))
        return []


# ---- registers ------------------------------------------------------------------------------------


class RegisterTalker:
    """Modbus RTU or TCP: text in holding registers, functions 03h and 10h."""

    def __init__(self, profile: Profile, panel: Panel) -> None:
        options: Mapping[str, Any] = profile.section("protocol")
        self._panel = panel
        self._tcp = options["mode"] == "tcp"
        self._unit, self._first = int(options["unit"]), int(options["first"])
        self._size = int(options["registers"])
        self._held = b""
        self.refuses: int | None = None

    def hear(self, data: bytes) -> list[bytes]:
        self._held = (self._held + data)[-MAX_HELD:]
        answers = []
        while len(self._held) >= 8:
            lead = 6 if self._tcp else 0
            length = self._length(lead)
            if len(self._held) < length:
                break
            whole, self._held = self._held[:length], self._held[length:]
            answers += self._asked(whole, lead)
        return answers

    def _length(self, lead: int) -> int:
        if self._tcp:
            return lead + int.from_bytes(self._held[4:6], "big")
        return 9 + self._held[6] if self._held[1] == 0x10 else 8

    def _asked(self, whole: bytes, lead: int) -> list[bytes]:
        body = whole[lead:] if self._tcp else whole[:-2]
        if body[0] != self._unit or (not self._tcp and crc(body, 0xFFFF) != whole[-2:]):
            return []
        said = self._carried_out(body)
        if not self._tcp:
            return [said + crc(said, 0xFFFF)]
        return [whole[:4] + len(said).to_bytes(2, "big") + said]

    def _carried_out(self, body: bytes) -> bytes:
        start = int.from_bytes(body[2:4], "big") - self._first
        if body[1] == 0x03:
            return body[:2] + b"\x02" + b"\x20\x20"
        if body[1] != 0x10 or start % self._size:
            return bytes([body[0], body[1] | 0x80, 2])
        if self.refuses:
            return bytes([body[0], 0x90, self.refuses])
        text = _words(body[7:])
        self._panel.show(PanelLine(number=start // self._size + 1, runs=(Run(text=text),)))
        return body[:6]


def talker_for(profile: Profile, panel: Panel) -> Talker:
    """The talker of a profile's framing; raises ValueError for an unknown one."""
    match profile.section("protocol").get("framing"):
        case "onbon_bxk":
            return AreaTalker(profile, panel)
        case "qyled":
            return MaterialTalker(profile, panel)
        case "ascii_strip":
            return StripTalker(profile, panel)
        case "modbus_text":
            return RegisterTalker(profile, panel)
        case framing:
            raise ValueError(f"{profile.id}: no simulator for framing {framing!r}")
