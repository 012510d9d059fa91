"""Draws text and QR codes as dots, with whatever Chinese font the machine has."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import segno
import structlog
from PIL import Image, ImageDraw, ImageFont

from hallserver.devices.protocols.escpos.document import CELL_WIDTH, Bitmap
from hallserver.devices.protocols.escpos.text import columns_of

log = structlog.get_logger(__name__)

FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
FONT_NAMES = (
    ("NotoSansCJK-Regular.ttc", 2),  # the collection's third face is Simplified Chinese
    ("NotoSansCJKsc-Regular.otf", 0),
    ("NotoSansSC-Regular.otf", 0),
    ("SourceHanSansSC-Regular.otf", 0),
    ("SourceHanSansCN-Regular.otf", 0),
    ("NotoSansCJK-Bold.ttc", 2),
    ("wqy-microhei.ttc", 0),
    ("wqy-zenhei.ttc", 0),
    ("simsun.ttc", 0),
    ("uming.ttc", 0),
)
"""File names with face index, best first."""
LINE_PITCH = 30
"""Dots from line to line of the smallest text, so that drawn lines stand among written ones."""
QUIET_MODULES = 4
"""White border that a QR code needs (ISO/IEC 18004)."""


@cache
def find_chinese_font(folders: tuple[str, ...] = FONT_FOLDERS) -> tuple[str, int] | None:
    """Path and face of the best Chinese font, or None when the machine has none."""
    present: dict[str, Path] = {}
    for folder in folders:
        place = Path(folder).expanduser()
        if place.is_dir():
            present.update((file.name, file) for file in sorted(place.rglob("*.[to]t[cf]")))
    for name, face in FONT_NAMES:
        if name in present:
            return str(present[name]), face
    log.warning("printer.no_chinese_font", looked_in=", ".join(folders))
    return None


class PillowRasteriser:
    """Implements ``protocols.escpos.document.Rasteriser``. Reads font files: use beside the loop."""

    def __init__(self, folders: tuple[str, ...] = FONT_FOLDERS) -> None:
        self._folders = folders
        self._fonts: dict[int, ImageFont.FreeTypeFont] = {}

    def line(self, text: str, *, scale: int, bold: bool) -> Bitmap | None:
        """See ``Rasteriser``."""
        height = 24 * scale
        font = self._font(height)
        if font is None or not all(_has_glyph(font, char) for char in text):
            return None
        cell = CELL_WIDTH * scale
        image = Image.new("1", (columns_of(text) * cell, max(LINE_PITCH, height)), 1)
        draw = ImageDraw.Draw(image)
        column = 0
        for char in text:
            width = columns_of(char)
            place = ((column + width / 2) * cell, height / 2)
            draw.text(place, char, font=font, fill=0, anchor="mm")
            if bold:
                draw.text((place[0] + 1, place[1]), char, font=font, fill=0, anchor="mm")
            column += width
        return _bitmap(image)

    def qr(self, data: str, *, module_dots: int, max_width: int) -> Bitmap:
        """See ``Rasteriser``; error correction M."""
        code = segno.make(data, error="m", micro=False)
        modules = [[bool(dot) for dot in row] for row in code.matrix_iter(border=QUIET_MODULES)]
        dots = max(1, min(module_dots, max_width // len(modules)))
        return _bitmap_of(modules, dots)

    def _font(self, size: int) -> ImageFont.FreeTypeFont | None:
        if size not in self._fonts:
            found = find_chinese_font(self._folders)
            if found is None:
                return None
            self._fonts[size] = ImageFont.truetype(found[0], size - size // 24, index=found[1])
        return self._fonts[size]


def _has_glyph(font: ImageFont.FreeTypeFont, char: str) -> bool:
    if char == " ":
        return True
    return bytes(font.getmask(char)) != bytes(font.getmask("\U0010ffff"))


def _bitmap(image: Image.Image) -> Bitmap:
    black = image.point(lambda dot: 0 if dot else 255, mode="1")
    return Bitmap(image.width, image.height, black.tobytes())


def _bitmap_of(modules: Iterable[list[bool]], dots: int) -> Bitmap:
    rows: list[bytes] = []
    width = 0
    for row in modules:
        bits = "".join(("1" if dark else "0") * dots for dark in row)
        width = len(bits)
        padded = bits + "0" * (-width % 8)
        rows += [int(padded, 2).to_bytes(len(padded) // 8, "big")] * dots
    return Bitmap(width, len(rows), b"".join(rows))
