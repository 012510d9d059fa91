"""An LED strip as lamps: what a programme looks like, dot by dot, for previews and for controllers that want
dots instead of letters. Reads font files and draws: use beside the event loop."""

from collections.abc import Iterator
from functools import cache, lru_cache
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from hallserver.boards.strip import StripLine, StripProgramme, frame_up
from hallserver.devices.raster import find_chinese_font
from qingting.contract.boards import Frame, Segment
from qingting.contract.ids import Millis
from qingting.contract.layouts import Colour, Lamps, Motion
from qingting.contract.printing import Align

Rgb = tuple[int, int, int]
LIT = 100
"""Grey from which a lamp counts as lit: thin strokes of a small letter must not break."""
RED, GREEN, YELLOW = (255, 72, 60), (74, 208, 106), (255, 206, 62)
COLOURS: dict[Lamps, dict[Colour, Rgb]] = {
    Lamps.SINGLE: dict.fromkeys(Colour, RED),
    Lamps.DOUBLE: {
        Colour.TEXT: RED,
        Colour.MUTED: RED,
        Colour.CALLED: YELLOW,
        Colour.DONE: GREEN,
        Colour.FAULT: RED,
    },
    Lamps.FULL: {
        Colour.TEXT: (244, 247, 251),
        Colour.MUTED: (169, 182, 198),
        Colour.CALLED: (255, 200, 87),
        Colour.DONE: (123, 224, 173),
        Colour.FAULT: (255, 138, 128),
    },
}
"""What the roles of colours are on each kind of panel."""
PICTURE_WIDTH = 512
"""Pixels of a picture, as nearly as whole lamps allow."""
DARK: Rgb = (30, 26, 26)
PANEL: Rgb = (10, 10, 10)
STEP_MS = 125
LONGEST_MS = 16_000
"""A preview shows at most this much of a programme before it begins again."""
BLINK_MS = 1_000
APPEAR_MS = 375


def lamps_at(programme: StripProgramme, now: Millis) -> Image.Image:
    """One pixel for each lamp of the panel at an instant; black is dark."""
    return _panel(programme, _poses(programme, now))


class _Pose(NamedTuple):
    """A line at an instant: its frame, and how much of the frame's motion is done, from 0 to 1."""

    frame: Frame | None
    done: float


def _poses(programme: StripProgramme, now: Millis) -> list[_Pose]:
    """Equal poses look alike, so that a film draws only what moves."""
    poses = []
    for line in programme.lines:
        found = frame_up(line, programme.since, now)
        poses.append(_Pose(None, 0) if found is None else _Pose(found[0], _done(*found)))
    return poses


def _done(frame: Frame, up_ms: int) -> float:
    match frame.motion:
        case Motion.BLINK:
            return 0.0 if up_ms % BLINK_MS >= BLINK_MS // 2 else 1.0
        case Motion.SCROLL_LEFT:
            return up_ms / 1000 / frame.seconds
        case Motion.APPEAR:
            return min(1.0, up_ms / APPEAR_MS)
        case Motion.STATIC | Motion.PAGE:
            return 1.0


def _panel(programme: StripProgramme, poses: list[_Pose]) -> Image.Image:
    matrix = programme.matrix
    panel = Image.new("RGB", (matrix.width, matrix.height))
    for line, pose in zip(programme.lines, poses, strict=True):
        if pose.frame is not None:
            drawn = _frame(pose.frame, pose.done, line, matrix.width, matrix.lamps)
            panel.paste(drawn, (0, line.top))
    return panel


def _frame(frame: Frame, done: float, line: StripLine, width: int, lamps: Lamps) -> Image.Image:
    blank = Image.new("RGB", (width, line.height))
    still = _line(frame.segments, width, line.height, lamps, frame.motion)
    if frame.motion is Motion.SCROLL_LEFT:
        blank.paste(still, (width - round((width + still.width) * done), 0))
    else:
        # What appears is uncovered from the left, as controllers do it.
        blank.paste(still.crop((0, 0, round(width * done), line.height)), (0, 0))
    return blank


def _line(
    segments: tuple[Segment, ...], width: int, height: int, lamps: Lamps, motion: Motion
) -> Image.Image:
    texts = [_text(one.text, height, COLOURS[lamps][one.colour]) for one in segments]
    if motion is Motion.SCROLL_LEFT:
        return _side_by_side(texts, height)
    line = Image.new("RGB", (width, height))
    left = 0
    for segment, room, text in zip(segments, _rooms(segments, texts, width), texts, strict=True):
        shift = {Align.LEFT: 0, Align.CENTRE: (room - text.width) // 2}.get(
            segment.align, room - text.width
        )
        line.paste(text.crop((0, 0, max(room, 0), height)), (left + max(shift, 0), 0))
        left += room
    return line


def _rooms(segments: tuple[Segment, ...], texts: list[Image.Image], width: int) -> list[int]:
    """Dots for each segment: its share, or what it needs; the last one takes what is left."""
    rooms = [
        width * one.share // 100 if one.share else text.width
        for one, text in zip(segments, texts, strict=True)
    ]
    if rooms and not segments[-1].share:
        rooms[-1] = max(0, width - sum(rooms[:-1]))
    return rooms


def _side_by_side(texts: list[Image.Image], height: int) -> Image.Image:
    whole = Image.new("RGB", (max(1, sum(text.width for text in texts)), height))
    left = 0
    for text in texts:
        whole.paste(text, (left, 0))
        left += text.width
    return whole


@lru_cache(maxsize=256)
def _text(text: str, height: int, colour: Rgb) -> Image.Image:
    """Letters as lamps, each either lit or dark."""
    font = _font(height)
    width = max(1, round(font.getlength(text)))
    grey = Image.new("L", (width, height))
    # From the middle of a Chinese character, so that every text stands on the same line.
    top, bottom = _extent(height)
    ImageDraw.Draw(grey).text((0, (height - (bottom - top)) // 2 - top), text, font=font, fill=255)
    lit = grey.point(lambda value: 255 if value >= LIT else 0, mode="1")
    result = Image.new("RGB", (width, height))
    result.paste(colour, mask=lit)
    return result


@cache
def _extent(height: int) -> tuple[int, int]:
    _, top, _, bottom = _font(height).getbbox("国")
    return round(top), round(bottom)


@cache
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The machine's Chinese font so that a character with its descenders fills ``height`` dots."""
    found = find_chinese_font()
    if found is None:
        return ImageFont.load_default(height * 0.8)
    size = height
    font = ImageFont.truetype(found[0], size, index=found[1])
    while size > 6:
        _, top, _, bottom = font.getbbox("国")
        if bottom - top <= height:
            break
        size -= 1
        font = ImageFont.truetype(found[0], size, index=found[1])
    return font


# ---- pictures for people ------------------------------------------------------------------------


def still_png(programme: StripProgramme, now: Millis) -> bytes:
    """The panel at an instant, large enough to see every lamp."""
    out = BytesIO()
    _enlarged(lamps_at(programme, now)).save(out, "PNG")
    return out.getvalue()


def film_gif(programme: StripProgramme, since: Millis) -> bytes:
    """The panel from ``since`` on as a film that goes round."""
    pictures: list[Image.Image] = []
    durations: list[int] = []
    former: list[_Pose] = []
    for at in _instants(programme, since):
        poses = _poses(programme, at)
        if pictures and poses == former:
            durations[-1] += STEP_MS
            continue
        former = poses
        picture = _enlarged(_panel(programme, poses))
        pictures.append(picture.quantize(16, dither=Image.Dither.NONE))
        durations.append(STEP_MS)
    out = BytesIO()
    first, *rest = pictures
    first.save(out, "GIF", save_all=True, append_images=rest, duration=durations, loop=0)
    return out.getvalue()


def _instants(programme: StripProgramme, since: Millis) -> Iterator[int]:
    """Enough for every frame to be seen once, within :data:`LONGEST_MS`."""
    rounds = [
        sum(max(1, frame.repeats) * round(frame.seconds * 1000) for frame in line.calls)
        or sum(round(frame.seconds * 1000) for frame in line.idle)
        for line in programme.lines
    ]
    length = min(LONGEST_MS, max(rounds, default=0))
    yield from range(since, since + max(length, STEP_MS), STEP_MS)


@cache
def _mask(width: int, height: int, pitch: int) -> Image.Image:
    """Where lamps are: square dots with a dark seam."""
    dot = Image.new("1", (pitch, pitch))
    ImageDraw.Draw(dot).rectangle((0, 0, pitch - 2, pitch - 2), fill=1)
    row = Image.new("1", (width * pitch, pitch))
    for x in range(width):
        row.paste(dot, (x * pitch, 0))
    mask = Image.new("1", (width * pitch, height * pitch))
    for y in range(height):
        mask.paste(row, (0, y * pitch))
    return mask


def _enlarged(panel: Image.Image) -> Image.Image:
    pitch = max(2, PICTURE_WIDTH // panel.width)
    lit = panel.convert("L").point(lambda value: 255 if value else 0, mode="1")
    dark = Image.new("RGB", panel.size, DARK)
    dark.paste(panel, mask=lit)
    large = dark.resize((panel.width * pitch, panel.height * pitch), Image.Resampling.NEAREST)
    picture = Image.new("RGB", large.size, PANEL)
    picture.paste(large, mask=_mask(panel.width, panel.height, pitch))
    return picture
