"""The strip of paper under a thermal head: commands in, dots on paper out.

Everything is measured in dots of the head. Nothing is drawn that was not in the received bytes; what
the printer was told and does not do is kept by name, so that a ticket hides no misunderstanding.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

import segno

from simulators.escpos import Command
from simulators.style import Style

CHINESE_DOTS = 24
"""A Chinese character is 24 x 24 dots, an ASCII one of font A 12 x 24."""
FONTS = {0: (12, 24), 1: (9, 17)}
CUTTER_GAP_DOTS = 80
"""From head to knife, about 10 mm: what was printed last is not yet behind the knife."""
CUTS = frozenset({"GS V", "ESC i", "ESC m"})
FULL_CUTS = frozenset(b"\x00\x30\x41\x61")
PRINTS = frozenset({"text", "LF", "ESC d", "ESC J", "GS v", "ESC *", "GS ("})
MOVES = frozenset({"ESC @", "CAN", "ESC $", "ESC \\", "HT", "CR", "DLE EOT", "DLE ENQ"})
MISSING = "\u25a1"
"""Printed for a character the printer does not have."""

_CODE_PAGES = {0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 16: "cp1252"}
_CODE_PAGES |= {17: "cp866", 18: "cp852", 19: "cp858"}


class Edge(StrEnum):
    """How the lower end of a ticket came to be."""

    FULL_CUT = "full_cut"
    PARTIAL_CUT = "partial_cut"
    PAPER_END = "paper_end"


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character. ``x`` is its left side, ``sx`` and ``sy`` its magnification."""

    char: str
    x: int
    sx: int
    sy: int
    cell: tuple[int, int]
    bold: bool = False
    underline: bool = False
    inverse: bool = False

    @property
    def width(self) -> int:
        return self.cell[0] * self.sx

    @property
    def height(self) -> int:
        return self.cell[1] * self.sy


@dataclass(frozen=True, slots=True)
class TextRow:
    """A printed line; glyphs stand on its lower side."""

    y: int
    height: int
    glyphs: tuple[Glyph, ...]

    @property
    def text(self) -> str:
        return "".join(glyph.char for glyph in self.glyphs)


@dataclass(frozen=True, slots=True)
class Raster:
    """A bitmap, rows of ``stride`` bytes, most significant bit left, 1 = black; shown ``sx`` x ``sy``."""

    x: int
    y: int
    stride: int
    rows: int
    bits: bytes
    sx: int = 1
    sy: int = 1

    @property
    def height(self) -> int:
        return self.rows * self.sy

    @property
    def width(self) -> int:
        return self.stride * 8 * self.sx


@dataclass(frozen=True, slots=True)
class Qr:
    """A QR code drawn by the printer itself; ``modules`` without quiet zone, each ``dots`` wide."""

    x: int
    y: int
    dots: int
    modules: tuple[tuple[bool, ...], ...]
    data: bytes

    @property
    def height(self) -> int:
        return len(self.modules) * self.dots


Element = TextRow | Raster | Qr


@dataclass(frozen=True, slots=True)
class Ticket:
    """A piece of paper that left the printer. ``ignored`` names commands that were not carried out."""

    height: int
    width_dots: int
    dpi: int
    edge: Edge
    elements: tuple[Element, ...]
    ignored: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The printed text, line by line."""
        return tuple(one.text.rstrip() for one in self.elements if isinstance(one, TextRow))


@dataclass(slots=True)
class Strip:
    """Draws commands. ``execute`` gives the ticket when the knife went through."""

    width_dots: int = 576
    dpi: int = 203
    style: Style = field(default_factory=Style)
    height: int = CUTTER_GAP_DOTS
    elements: list[Element] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    _line: list[Glyph] = field(default_factory=list)
    _x: int = 0
    _lead: int | None = None
    _qr_data: bytes = b""
    _graphic: Raster | None = None
    _band: Raster | None = None
    """Bit image (ESC *) that is printed with the line."""
    _band_above: bool = False

    # ---- commands --------------------------------------------------------------------------------

    def execute(self, command: Command) -> Ticket | None:
        """Carries out one command."""
        if command.name != "text":
            self._end_of_text()
        if command.name in CUTS:
            return self._cut(command)
        if command.name in PRINTS:
            self._print(command.name, command.args)
        elif command.name in MOVES:
            self._move(command.name, command.args)
        elif not self.style.apply(command.name, command.args):
            self.ignored.append(command.name)
        return None

    def _print(self, name: str, args: bytes) -> None:
        match name:
            case "text":
                self._text(args)
            case "LF":
                self._new_line()
            case "ESC d":
                self._new_line(max(args[0], 1))
            case "ESC J":
                self._flush()
                self.height += args[0]
            case "GS v":
                self._raster(args)
            case "ESC *":
                self._bit_image(args)
            case "GS (":
                self._function(args)
            case _:
                raise AssertionError(name)

    def _move(self, name: str, args: bytes) -> None:
        match name:
            case "ESC @":
                self.discard_line()
                self.style = Style()
            case "CAN":
                self.discard_line()
            case "ESC $":
                self._x = args[0] | args[1] << 8
            case "ESC \\":
                self._x = max(self._x + int.from_bytes(args, "little", signed=True), 0)
            case "HT":
                tab = FONTS[self.style.font][0] * 8
                self._x = (self._x // tab + 1) * tab
            case _:
                """CR and the real-time commands, which were carried out on receipt."""

    def discard_line(self) -> None:
        """Forgets what was received for the current line and not yet printed."""
        self._line.clear()
        self._x = 0
        self._lead = None

    @property
    def marked(self) -> bool:
        """True when there is something on the paper under the knife."""
        return bool(self.elements)

    def tear(self, edge: Edge) -> Ticket:
        """Parts the paper at the knife; what lies between head and knife stays for the next ticket."""
        self._flush()
        at = self.height if edge is Edge.PAPER_END else max(self.height - CUTTER_GAP_DOTS, 0)
        gone = tuple(one for one in self.elements if one.y + one.height <= at)
        stay = [replace(one, y=one.y - at) for one in self.elements if one.y + one.height > at]
        ticket = Ticket(at, self.width_dots, self.dpi, edge, gone, tuple(self.ignored))
        self.elements, self.ignored = stay, []
        self.height = CUTTER_GAP_DOTS
        return ticket

    def _cut(self, command: Command) -> Ticket:
        mode, *feed = command.args or b"\x01"
        self._flush()
        if feed:
            self.height += CUTTER_GAP_DOTS + feed[0]
        return self.tear(Edge.FULL_CUT if mode in FULL_CUTS else Edge.PARTIAL_CUT)

    # ---- text ------------------------------------------------------------------------------------

    def _text(self, data: bytes) -> None:
        for byte in data:
            if self._lead is not None:
                self._trail(self._lead, byte)
            elif self.style.chinese and 0x81 <= byte <= 0xFE:
                self._lead = byte
            elif byte < 0x80:
                self._ascii(chr(byte) if byte != 0x7F else " ")
            else:
                self._ascii(self._code_page_char(byte))

    def _trail(self, lead: int, byte: int) -> None:
        self._lead = None
        if not (0x40 <= byte <= 0xFE and byte != 0x7F):
            # Two-byte zones only: half of a four-byte character prints a blank, then goes on.
            self._ascii(" ")
            self._text(bytes([byte]))
            return
        char = bytes([lead, byte]).decode("gb18030", errors="replace")
        self._add(
            MISSING if "\ufffd" in char else char,
            (CHINESE_DOTS, CHINESE_DOTS),
            (self.style.chinese_sx, self.style.chinese_sy),
            underline=self.style.chinese_underline,
        )

    def _end_of_text(self) -> None:
        if self._lead is not None:
            self._lead = None
            self._ascii(" ")

    def _code_page_char(self, byte: int) -> str:
        if self.style.chinese:
            return " "
        page = _CODE_PAGES.get(self.style.code_page)
        return MISSING if page is None else bytes([byte]).decode(page, errors="replace")

    def _ascii(self, char: str) -> None:
        style = self.style
        self._add(char, FONTS[style.font], (style.sx, style.sy), underline=style.underline)

    def _add(
        self, char: str, cell: tuple[int, int], scale: tuple[int, int], *, underline: bool
    ) -> None:
        if self._x + cell[0] * scale[0] > self._area and self._line:
            self._new_line()
        style = self.style
        glyph = Glyph(
            char, self._x, *scale, cell, bold=style.bold, underline=underline, inverse=style.inverse
        )
        self._line.append(glyph)
        self._x += glyph.width

    @property
    def _area(self) -> int:
        wanted = self.width_dots if self.style.area is None else self.style.area
        return min(wanted, self.width_dots - self.style.margin)

    def _offset(self, width: int) -> int:
        spare = max(self._area - width, 0)
        return self.style.margin + (0, spare // 2, spare, 0)[self.style.align]

    def _flush(self) -> None:
        """Prints the line buffer, if anything is in it."""
        if self._line:
            self._new_line()

    def _new_line(self, lines: int = 1) -> None:
        advance = self.style.line_dots * lines
        if self._band is not None:
            self._print_band(self._band)
        self._band_above, self._band = self._band is not None, None
        if self._line:
            offset = self._offset(max(glyph.x + glyph.width for glyph in self._line))
            tallest = max(glyph.height for glyph in self._line)
            glyphs = tuple(replace(glyph, x=glyph.x + offset) for glyph in self._line)
            self.elements.append(TextRow(self.height, tallest, glyphs))
            advance = max(advance, tallest)
        self.height += advance
        self.discard_line()

    # ---- pictures --------------------------------------------------------------------------------

    def _raster(self, args: bytes) -> None:
        mode, stride = args[1], args[2] | args[3] << 8
        rows = args[4] | args[5] << 8
        self._flush()
        if stride and rows and len(args) >= 6 + stride * rows:
            sx, sy = 2 if mode & 1 else 1, 2 if mode & 2 else 1
            self._put(Raster(0, 0, stride, rows, args[6:], sx, sy))

    def _bit_image(self, args: bytes) -> None:
        """24-dot columns, the upper dot first, wait for the end of the line as glyphs do."""
        mode, width = args[0], args[1] | args[2] << 8
        if mode != 33 or not width:
            self.ignored.append(f"ESC * {mode}")
            return
        stride = (width + 7) // 8
        bits = bytearray(24 * stride)
        for x in range(width):
            for part, byte in enumerate(args[3 + 3 * x : 6 + 3 * x]):
                for bit in range(8):
                    if byte & 0x80 >> bit:
                        bits[(8 * part + bit) * stride + x // 8] |= 0x80 >> x % 8
        self._band = Raster(0, 0, stride, 24, bytes(bits))

    def _print_band(self, band: Raster) -> None:
        """Bands that touch each other are one picture."""
        band = replace(band, x=self._offset(band.width), y=self.height)
        above = self.elements[-1] if self.elements and self._band_above else None
        if (
            isinstance(above, Raster)
            and above.y + above.height == band.y
            and (above.x, above.stride) == (band.x, band.stride)
        ):
            self.elements[-1] = replace(
                above, rows=above.rows + band.rows, bits=above.bits + band.bits
            )
        else:
            self.elements.append(band)

    def _put(self, raster: Raster) -> None:
        x = self._offset(raster.width)
        self.elements.append(replace(raster, x=x, y=self.height))
        self.height += raster.height

    def _function(self, args: bytes) -> None:
        family, head, rest = chr(args[0]), args[3:4], args[5:]
        if family == "k" and head == b"\x31" and len(args) > 4:
            self._qr(args[4], rest)
        elif family == "L" and head == b"\x30" and len(args) > 4:
            self._graphics(args[4], rest)
        else:
            self.ignored.append(f"GS ( {family}")

    def _qr(self, function: int, data: bytes) -> None:
        match function:
            case 67 if data:
                self.style.qr_dots = min(max(data[0], 1), 16)
            case 69 if data:
                self.style.qr_level = data[0]
            case 80:
                self._qr_data = data[1:]
            case 81 if self._qr_data:
                self._print_qr()
            case 65 | 82:
                pass
            case _:
                self.ignored.append(f"GS ( k {function}")

    def _print_qr(self) -> None:
        level = "lmqh"[min(max(self.style.qr_level - 0x30, 0), 3)]
        code = segno.make(self._qr_data, error=level, mode="byte", micro=False, boost_error=False)
        modules = tuple(tuple(bool(module) for module in row) for row in code.matrix)
        self._flush()
        width = len(modules) * self.style.qr_dots
        if width > self._area:
            self.ignored.append("GS ( k 81")
            return
        qr = Qr(self._offset(width), self.height, self.style.qr_dots, modules, self._qr_data)
        self.elements.append(qr)
        self.height += qr.height

    def _graphics(self, function: int, data: bytes) -> None:
        if function in (2, 50) and self._graphic is not None:
            self._flush()
            self._put(self._graphic)
            self._graphic = None
        elif function == 112 and len(data) >= 8:
            wide, rows = data[4] | data[5] << 8, data[6] | data[7] << 8
            stride = (wide + 7) // 8
            self._graphic = Raster(0, 0, stride, rows, data[8:], max(data[1], 1), max(data[2], 1))
        else:
            self.ignored.append(f"GS ( L {function}")
