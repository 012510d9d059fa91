"""The programme of an LED strip: what its controller has to show, line by line, free of any protocol.

A driver of an LED family sends ``frames`` of each line; where its controller cannot count turns itself, it
follows :mod:`hallserver.boards.play`. While a call is up, ``frames`` holds calls, else what the strip shows
in between.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from hallserver.boards.play import showings
from qingting.contract.base import Strict
from qingting.contract.boards import BoardRow, BoardScreen, Frame, Segment, Track
from qingting.contract.ids import Millis
from qingting.contract.layouts import Matrix, Motion, Zone

MOMENT_MS = 1000
"""After this time one looks again whether a call's frame has become due."""


class StripLine(Strict, frozen=True, kw_only=True):
    """One line of letters. ``top`` and ``height`` in dots; turns are counted from ``since``.

    ``calls`` is played first; when it has come to its end, or is empty, ``idle``.
    """

    top: int
    height: int
    since: Millis
    calls: tuple[Frame, ...]
    idle: tuple[Frame, ...]


class StripProgramme(Strict, frozen=True, kw_only=True):
    """All lines of a strip. ``since`` is where the turns of ``idle`` are counted from."""

    matrix: Matrix
    since: Millis
    lines: tuple[StripLine, ...]


def programme_of(screen: BoardScreen, rows: Sequence[BoardRow]) -> StripProgramme:
    """The strip of a screen whose layout has a matrix. Raises ``ValueError`` for a page."""
    matrix = screen.matrix
    if matrix is None:
        raise ValueError("a page has no strip")
    height = matrix.height // screen.rows
    # Turns begin again with the newest call, so that it is seen at once.
    since = max((row.called_at for row in rows), default=screen.since)
    lines = tuple(
        StripLine(
            top=number * height,
            height=height,
            since=since,
            calls=tuple(_paged(_calls(rows, number + 1), matrix.width, height)),
            idle=tuple(_paged(_idle(screen.tracks, number + 1), matrix.width, height)),
        )
        for number in range(screen.rows)
    )
    return StripProgramme(matrix=matrix, since=screen.since, lines=lines)


def _calls(rows: Sequence[BoardRow], line: int) -> Iterator[Frame]:
    for row in rows:
        yield from _of_line(row.tracks, Zone.CALLS, line)


def _idle(tracks: Sequence[Track], line: int) -> Iterator[Frame]:
    yield from _of_line(tracks, Zone.FOOT, line)


def _of_line(tracks: Sequence[Track], zone: Zone, line: int) -> Iterator[Frame]:
    for track in tracks:
        if track.zone is zone and track.line == line:
            yield from track.frames


class Up(NamedTuple):
    """A frame that is up: for ``up_ms`` milliseconds so far, until before ``until``."""

    frame: Frame
    up_ms: int
    until: Millis


def up_at(line: StripLine, idle_since: Millis, now: Millis) -> Up | None:
    """What a line shows at ``now``; None = dark."""
    for frames, since in ((line.calls, line.since), (line.idle, idle_since)):
        if not frames:
            continue
        latest = None
        for showing in showings(frames, since, now + 1):
            latest = showing
        if latest is not None and latest.frame is not None:
            # In place of a call's frame that is not due yet another one is up only for the moment.
            stays = frames is line.calls or not line.calls
            until = latest.end if stays else min(latest.end, now + MOMENT_MS)
            return Up(frames[latest.frame], now - latest.start, until)
    return None


def frame_up(line: StripLine, idle_since: Millis, now: Millis) -> tuple[Frame, int] | None:
    """The frame of a line at ``now`` and for how many milliseconds it has been up; None = dark."""
    found = up_at(line, idle_since, now)
    return None if found is None else (found.frame, found.up_ms)


# ---- texts that are longer than the line --------------------------------------------------------


def _paged(frames: Iterator[Frame], width: int, height: int) -> Iterator[Frame]:
    """A frame with motion ``page`` becomes one static frame for each piece that fits."""
    for frame in frames:
        if frame.motion is not Motion.PAGE:
            yield frame
            continue
        for segments in split_pages(frame.segments, width, height):
            yield msgspec.structs.replace(frame, segments=segments, motion=Motion.STATIC)


def split_pages(
    segments: tuple[Segment, ...], width: int, height: int
) -> Iterator[tuple[Segment, ...]]:
    """Pieces of a line none of which is wider than ``width`` dots; nothing is lost, nothing doubled."""
    page: list[Segment] = []
    used = 0
    for segment in segments:
        text = ""
        for char in segment.text:
            wide = char_width(char, height)
            if used + wide > width and used > 0:
                yield (*page, msgspec.structs.replace(segment, text=text)) if text else tuple(page)
                page, text, used = [], "", 0
            text += char
            used += wide
        if text:
            page.append(msgspec.structs.replace(segment, text=text))
    if page:
        yield tuple(page)


def char_width(char: str, height: int) -> int:
    """Dots of one character: a Chinese one is square, others are half as wide."""
    return height if ord(char) >= 0x2E80 else height // 2


def text_width(text: str, height: int) -> int:
    return sum(char_width(char, height) for char in text)
