"""A ticket document drawn as it stands on paper: the preview of a template.

Lines break where the printer's would, because both use :func:`lines_of`; letters are drawn with the
machine's Chinese font where a printer has its own. Reads font files: use beside the event loop.
"""

import io

from PIL import Image

from hallserver.devices.protocols.escpos.document import LINE_DOTS, Bitmap, lines_of
from hallserver.devices.protocols.escpos.text import replace_unencodable
from hallserver.devices.raster import PillowRasteriser
from qingting.contract.printing import Align, FeedLines, PrintElement, QrCode

PAPER_DOTS = 576
"""Printable width of 80 mm paper at 203 dpi."""
COLUMNS = 48
MARGIN = 24


def draw(document: tuple[PrintElement, ...]) -> bytes:
    """A PNG of the document on white paper, one pixel a dot."""
    rasteriser = PillowRasteriser()
    pieces: list[tuple[int, Bitmap, Align]] = []
    height = MARGIN
    for element in document:
        if isinstance(element, FeedLines):
            height += element.lines * LINE_DOTS
        elif isinstance(element, QrCode):
            bitmap = rasteriser.qr(
                element.data, module_dots=element.module_dots, max_width=PAPER_DOTS
            )
            pieces.append((height, bitmap, Align.CENTRE))
            height += bitmap.height
        else:
            for line in lines_of(element, COLUMNS):
                drawn = rasteriser.line(line.text, scale=line.scale, bold=line.bold)
                drawn = drawn or rasteriser.line(
                    replace_unencodable(line.text), scale=line.scale, bold=line.bold
                )
                if drawn is not None:
                    pieces.append((height, drawn, line.align))
                height += LINE_DOTS + 24 * (line.scale - 1)
    return _png(pieces, height + MARGIN)


def _png(pieces: list[tuple[int, Bitmap, Align]], height: int) -> bytes:
    paper = Image.new("L", (PAPER_DOTS + 2 * MARGIN, height), 255)
    for top, bitmap, align in pieces:
        if not bitmap.width:
            continue
        ink = Image.frombytes("1", (bitmap.width, bitmap.height), bitmap.data)
        room = max(0, PAPER_DOTS - bitmap.width)
        left = MARGIN + {Align.LEFT: 0, Align.CENTRE: room // 2, Align.RIGHT: room}[align]
        paper.paste(0, (left, top), ink)
    out = io.BytesIO()
    paper.save(out, "PNG", optimize=True)
    return out.getvalue()
