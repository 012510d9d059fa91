"""A ticket as it would look on thermal paper: one standalone SVG, drawn only from what was printed.

One user unit is one dot of the head. Text is set glyph by glyph on the printer's own grid; the
viewer's system fonts supply the shapes, so the drawing carries no font.
"""

import base64
import io
from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape

from PIL import Image

from simulators.strip import CHINESE_DOTS, Edge, Element, Glyph, Qr, Raster, TextRow, Ticket

PAPER_MM = 80
INK = (52, 49, 46)
INK_HEX = "#34312E"
PAPER = "#FCFAF3"
PAPER_SHADE = "#F3EFE4"
AROUND = 26
"""Room around the paper for its shadow, in dots."""
FONT = "'Noto Sans Mono CJK SC','Sarasa Mono SC','Source Han Mono SC','Microsoft YaHei Mono','Noto Sans CJK SC','Microsoft YaHei','PingFang SC',monospace"


def render_svg(ticket: Ticket) -> str:
    """The ticket as SVG text."""
    paper = round(PAPER_MM / 25.4 * ticket.dpi)
    left = AROUND + max((paper - ticket.width_dots) // 2, 0)
    wide, tall = paper + 2 * AROUND, ticket.height + 2 * AROUND
    body = "".join(_element(one) for one in ticket.elements)
    label = escape(
        " · ".join(line.strip() for line in ticket.lines if line.strip()), {'"': "&quot;"}
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" '
        f'width="{wide}" height="{tall}" role="img" aria-label="{label}">'
        f"{_defs(ticket)}"
        f'<path d="{_outline(paper, ticket)}" fill="url(#paper)" filter="url(#lift)"/>'
        f'<g transform="translate({left} {AROUND})" fill="{INK_HEX}" fill-opacity=".93" '
        f'font-family="{FONT}" font-size="{CHINESE_DOTS}" text-anchor="middle" filter="url(#burn)">{body}</g></svg>'
    )


def _defs(ticket: Ticket) -> str:
    """Paper shade, the shadow under it, and the uneven black of a thermal head."""
    return (
        "<defs>"
        f'<linearGradient id="paper" x1="0" x2="1" y1="0" y2="0"><stop offset="0" stop-color="{PAPER_SHADE}"/>'
        f'<stop offset=".07" stop-color="{PAPER}"/><stop offset=".9" stop-color="{PAPER}"/>'
        f'<stop offset="1" stop-color="{PAPER_SHADE}"/></linearGradient>'
        '<filter id="lift" x="-10%" y="-5%" width="120%" height="112%">'
        '<feDropShadow dx="0" dy="5" stdDeviation="7" flood-color="#1B2430" flood-opacity=".22"/></filter>'
        f'<filter id="burn" filterUnits="userSpaceOnUse" x="0" y="0" width="{ticket.width_dots}" '
        f'height="{max(ticket.height, 1)}">'
        '<feTurbulence type="fractalNoise" baseFrequency=".55 .8" numOctaves="2" seed="7" result="grain"/>'
        '<feColorMatrix in="grain" type="matrix" values="0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  0 0 0 -.9 1.36" result="fade"/>'
        '<feComposite in="SourceGraphic" in2="fade" operator="in"/></filter>'
        "</defs>"
    )


def _outline(paper: int, ticket: Ticket) -> str:
    """The sheet: fine teeth of the knife, a nib where a partial cut leaves it, or a torn end."""
    top, bottom = AROUND, AROUND + ticket.height
    right = AROUND + paper
    step, depth = (24, 9) if ticket.edge is Edge.PAPER_END else (8, 2)
    lower = _teeth(right, AROUND, bottom, step, depth)
    if ticket.edge is Edge.PARTIAL_CUT:
        middle = AROUND + paper // 2
        lower = (
            _teeth(right, middle + 7, bottom, step, depth)
            + f"L{middle + 5} {bottom + 7}L{middle - 5} {bottom + 7}"
            + _teeth(middle - 7, AROUND, bottom, step, depth)
        )
    return f"M{AROUND} {top}" + _teeth(AROUND, right, top, 8, 2) + lower + "Z"


def _teeth(start: int, end: int, y: int, step: int, depth: int) -> str:
    way = step if end > start else -step
    points = [
        f"L{x} {y + (depth if index % 2 else -depth)}"
        for index, x in enumerate(range(start, end, way))
    ]
    return f"L{start} {y}" + "".join(points) + f"L{end} {y}"


def _element(element: Element) -> str:
    match element:
        case TextRow():
            return "".join(_runs(element))
        case Raster():
            return _raster(element)
        case Qr():
            return _qr(element)


def _runs(row: TextRow) -> Iterator[str]:
    base = row.y + row.height

    def style(glyph: Glyph) -> tuple[int, int, tuple[int, int], bool, bool, bool]:
        return (glyph.sx, glyph.sy, glyph.cell, glyph.bold, glyph.underline, glyph.inverse)

    for key, group in groupby(row.glyphs, key=style):
        glyphs = tuple(group)
        sx, sy, cell, bold, underline, inverse = key
        first, last = glyphs[0], glyphs[-1]
        span = last.x + last.width - first.x
        if inverse:
            yield f'<rect x="{first.x}" y="{base - first.height}" width="{span}" height="{first.height}"/>'
        if underline:
            yield f'<rect x="{first.x}" y="{base - 1}" width="{span}" height="2"/>'
        seen = [glyph for glyph in glyphs if glyph.char.strip()]
        if seen:
            colour = f' fill="{PAPER}"' if inverse else ""
            yield _text(seen, (sx, sy), cell, base, _weight(bold) + colour)


def _weight(bold: bool) -> str:
    return ' font-weight="700"' if bold else ' font-weight="500"'


def _text(
    glyphs: list[Glyph], scale: tuple[int, int], cell: tuple[int, int], base: int, look: str
) -> str:
    sx, sy = scale
    size = "" if cell[1] == CHINESE_DOTS else f' font-size="{cell[1]}"'
    # Each glyph stands in the middle of its cell, also where the viewer's font makes it narrower.
    places = " ".join(f"{glyph.x / sx + cell[0] / 2:g}" for glyph in glyphs)
    chars = escape("".join(glyph.char for glyph in glyphs))
    # The em box of the 24-dot font sits 0.12 em below its base line.
    rise = round(cell[1] * 0.12 * sy, 1)
    stretch = "" if (sx, sy) == (1, 1) else f" scale({sx} {sy})"
    return f'<text transform="translate(0 {base - rise:g}){stretch}" x="{places}"{size}{look}>{chars}</text>'


def raster_image(raster: Raster) -> Image.Image:
    """The bitmap as a picture with a transparent ground."""
    size = (raster.stride * 8, raster.rows)
    mask = Image.frombytes("1", size, raster.bits[: raster.stride * raster.rows])
    picture = Image.new("RGBA", size, (*INK, 0))
    picture.paste((*INK, 255), mask=mask)
    return picture


def _raster(raster: Raster) -> str:
    file = io.BytesIO()
    raster_image(raster).quantize(colors=2).save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<image x="{raster.x}" y="{raster.y}" width="{raster.width}" height="{raster.height}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{data}"/>'
    )


def _qr(qr: Qr) -> str:
    path: list[str] = []
    for row, modules in enumerate(qr.modules):
        at = 0
        for dark, run in groupby(modules):
            length = len(list(run))
            if dark:
                path.append(f"M{at} {row}h{length}v1h-{length}z")
            at += length
    return (
        f'<path transform="translate({qr.x} {qr.y}) scale({qr.dots})" '
        f'shape-rendering="crispEdges" d="{"".join(path)}"/>'
    )
