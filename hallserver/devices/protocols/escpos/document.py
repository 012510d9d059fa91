"""A ticket document as the bytes of one ESC/POS job.

Sizes are given both by GS ! (Latin) and FS ! (Chinese), alignment by ESC a for text. Pictures carry
their own left margin, because not every printer aligns them.
"""

from dataclasses import dataclass
from typing import Protocol

from hallserver.devices.profile_types import PrinterProfile
from hallserver.devices.protocols.escpos.text import (
    columns_of,
    encode_text,
    is_encodable,
    pair_lines,
    printable,
    replace_unencodable,
    wrap,
)
from qingting.contract.printing import (
    Align,
    FeedLines,
    PairLine,
    PrintElement,
    PrintJob,
    QrCode,
    RuleLine,
    TextLine,
)

CELL_WIDTH = 12
"""Dots of a half-width column of font A."""
LINE_DOTS = 34
"""Height of a plain line with its default spacing of 1/6 inch, at 203 dpi."""
MAX_SLICE_ROWS = 255
BAND_DOTS = 24
_ALIGN = {Align.LEFT: 0, Align.CENTRE: 1, Align.RIGHT: 2}


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A black and white picture: rows of ``(width + 7) // 8`` bytes, high bit left, 1 = black."""

    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line as it stands on paper, no wider than the paper."""

    text: str
    align: Align = Align.LEFT
    scale: int = 1
    bold: bool = False


def lines_of(element: TextLine | PairLine | RuleLine, columns: int) -> list[PaperLine]:
    """The lines of an element on paper of ``columns`` half-width columns."""
    match element:
        case TextLine(text=text, align=align, scale=scale, bold=bold):
            parts = wrap(printable(text), columns // scale)
            return [PaperLine(part, align, scale, bold) for part in parts]
        case PairLine(label=label, value=value, bold=bold):
            parts = pair_lines(printable(label), printable(value), columns)
            return [PaperLine(part, bold=bold) for part in parts]
        case RuleLine():
            return [PaperLine("─" * (columns // 2))]


class Rasteriser(Protocol):
    """Draws what a printer cannot write."""

    def line(self, text: str, *, scale: int, bold: bool) -> Bitmap | None:
        """``text`` on a grid of half-width columns; None when a character cannot be drawn."""
        ...

    def qr(self, data: str, *, module_dots: int, max_width: int) -> Bitmap:
        """A QR code with its quiet zone, made smaller when it would be wider than ``max_width``."""
        ...


@dataclass(frozen=True, slots=True)
class EncodedJob:
    """Bytes of a job with their length on paper. ``undrawable`` counts lines with a 〓."""

    data: bytes
    height_dots: int
    undrawable: int


class JobEncoder:
    """Encodes documents for one printer model."""

    def __init__(self, profile: PrinterProfile, rasteriser: Rasteriser) -> None:
        self._profile = profile
        self._capabilities = profile.capabilities
        self._rasteriser = rasteriser

    def encode(self, job: PrintJob, fence_id: int) -> EncodedJob:
        """Everything from the first reset to the fence that proves the end."""
        writer = _Writer(self._profile, self._rasteriser)
        commands, status = self._profile.commands, self._profile.status
        writer.raw(commands.init)
        if status.push is not None:
            writer.raw(status.push.enable)  # the reset has switched it off
        for element in job.document:
            writer.element(element)
        writer.raw(commands.cut.fill(feed=commands.cut_feed))
        if self._capabilities.confirm != "poll":
            writer.raw(commands.fence.fill(id=fence_id))
        return EncodedJob(bytes(writer.data), writer.height, writer.undrawable)


class _Writer:
    """One job under way."""

    def __init__(self, profile: PrinterProfile, rasteriser: Rasteriser) -> None:
        self._capabilities = profile.capabilities
        self._commands = profile.commands
        self._rasteriser = rasteriser
        self.data = bytearray()
        self.height = 0
        self.undrawable = 0

    def raw(self, data: bytes) -> None:
        self.data += data

    def element(self, element: PrintElement) -> None:
        if isinstance(element, FeedLines):
            self.raw(bytes([0x1B, 0x64, element.lines]))
            self.height += element.lines * LINE_DOTS
        elif isinstance(element, QrCode):
            self._qr(element)
        else:
            for line in lines_of(element, self._capabilities.columns):
                self._line(line.text, line.align, line.scale, line.bold)

    # ---- text ------------------------------------------------------------------------------------

    def _line(self, text: str, align: Align, scale: int, bold: bool) -> None:
        if self._must_draw(text, scale):
            bitmap = self._drawn(text, scale, bold)
            if bitmap is not None:
                self._picture(bitmap, align)
                return
            text = replace_unencodable(text)
        self._size(align, scale, bold)
        self.raw(encode_text(text) + b"\n")
        self.height += LINE_DOTS + 24 * (scale - 1)

    def _drawn(self, text: str, scale: int, bold: bool) -> Bitmap | None:
        """A line as a picture. Where all are, one with a character that no font has is drawn with 〓 for it."""
        bitmap = self._rasteriser.line(text, scale=scale, bold=bold)
        if bitmap is not None:
            return bitmap
        self.undrawable += 1
        if self._capabilities.text == "written":
            return None
        return self._rasteriser.line(replace_unencodable(text), scale=scale, bold=bold)

    def _must_draw(self, text: str, scale: int) -> bool:
        if self._capabilities.text == "drawn":
            return bool(text.strip())
        chinese = columns_of(text) > len(text)
        return not is_encodable(text) or (chinese and scale > self._capabilities.chinese_scale_max)

    def _size(self, align: Align, scale: int, bold: bool) -> None:
        chinese = 0x0C if scale > 1 else 0x00  # FS !: bit 2 double width, bit 3 double height
        self.raw(bytes([0x1B, 0x61, _ALIGN[align]]))
        self.raw(bytes([0x1C, 0x21, chinese]))
        self.raw(bytes([0x1D, 0x21, (scale - 1) << 4 | (scale - 1)]))
        self.raw(bytes([0x1B, 0x45, int(bold)]))

    # ---- pictures --------------------------------------------------------------------------------

    def _qr(self, code: QrCode) -> None:
        if self._capabilities.qr == "gs_k":
            self._native_qr(code)
            return
        width = self._capabilities.width_dots
        bitmap = self._rasteriser.qr(code.data, module_dots=code.module_dots, max_width=width)
        self._picture(bitmap, Align.CENTRE)

    def _native_qr(self, code: QrCode) -> None:
        """GS ( k: model 2, module size, level M, store, print, between two quiet zones (ESC J)."""
        data = code.data.encode("utf-8")
        quiet = bytes([0x1B, 0x4A, 4 * code.module_dots])
        self._size(Align.CENTRE, 1, False)
        self.raw(quiet)
        self.raw(bytes.fromhex("1D286B040031413200"))
        self.raw(bytes.fromhex("1D286B03003143") + bytes([code.module_dots]))
        self.raw(bytes.fromhex("1D286B0300314531"))
        self.raw(b"\x1d\x28\x6b" + (len(data) + 3).to_bytes(2, "little") + b"\x31\x50\x30" + data)
        self.raw(bytes.fromhex("1D286B0300315130") + quiet)
        self.height += 45 * code.module_dots

    def _picture(self, bitmap: Bitmap, align: Align) -> None:
        """At the left edge with its own margin."""
        room = max(0, self._capabilities.width_dots - bitmap.width)
        margin = {Align.LEFT: 0, Align.CENTRE: room // 16, Align.RIGHT: room // 8}[align]
        self.raw(b"\x1b\x61\x00")
        if self._capabilities.pictures == "bands":
            self._bands(bitmap, margin * 8)
        else:
            self._slices(bitmap, margin)

    def _bands(self, bitmap: Bitmap, margin: int) -> None:
        """ESC * 33: columns of three bytes, the upper dot in the high bit, one line of 24 dots after the other."""
        commands, row = self._commands, (bitmap.width + 7) // 8
        columns = (margin + bitmap.width).to_bytes(2, "little")
        self.raw(commands.band_spacing)
        for top in range(0, bitmap.height, BAND_DOTS):
            rows = [
                bitmap.data[at * row : (at + 1) * row] if at < bitmap.height else bytes(row)
                for at in range(top, top + BAND_DOTS)
            ]
            self.raw(b"\x1b\x2a\x21" + columns + bytes(3 * margin) + _columns(rows, bitmap.width))
            self.raw(b"\n")
            self.height += BAND_DOTS
        self.raw(commands.band_end)

    def _slices(self, bitmap: Bitmap, margin: int) -> None:
        """GS v 0 in slices of at most 255 rows."""
        row = (bitmap.width + 7) // 8
        for top in range(0, bitmap.height, MAX_SLICE_ROWS):
            rows = min(MAX_SLICE_ROWS, bitmap.height - top)
            width = (margin + row).to_bytes(2, "little")
            self.raw(b"\x1d\x76\x30\x00" + width + rows.to_bytes(2, "little"))
            for at in range(top * row, (top + rows) * row, row):
                self.raw(bytes(margin) + bitmap.data[at : at + row])
        self.height += bitmap.height


def _columns(rows: list[bytes], width: int) -> bytes:
    """24 rows turned into columns of three bytes each."""
    out = bytearray()
    for x in range(width):
        byte, shift = x >> 3, 7 - (x & 7)
        bits = 0
        for row in rows:
            bits = bits << 1 | (row[byte] >> shift & 1)
        out += bits.to_bytes(3, "big")
    return bytes(out)
