"""What each LED panel of a hall shows at an instant, as lines for its driver. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from hallserver.boards.facts import facts_of
from hallserver.boards.layouts import TEMPLATES
from hallserver.boards.render import rows_of, screen_of
from hallserver.boards.strip import StripLine, StripProgramme, programme_of, text_width, up_at
from hallserver.devices.protocols.led.line import LedLine, LedRun
from hallserver.engine.days import DAY_MS, next_midnight
from hallserver.engine.state import HallState
from qingting.contract.boards import Frame, Segment
from qingting.contract.config import Device
from qingting.contract.ids import Millis
from qingting.contract.layouts import BoardLayout, LayoutKind, Motion, ScopeWindows
from qingting.contract.printing import Align


class Lines(NamedTuple):
    """What is to be lit now, and until when that is known; None = a line is dark and may light up any time."""

    lines: tuple[LedLine, ...]
    until: Millis | None


def layout_of_led(state: HallState, device: Device) -> BoardLayout:
    """The strip layout that a panel is bound to, or the built-in one.

    A panel of a window shows that window's calls, whatever the layout's scope: one layout serves all
    windows. A layout without lamps cannot be shown; the built-in one stands in for it.
    """
    layout = _bound(state, device)
    if layout is None:
        kind = LayoutKind.WINDOW_STRIP if device.window is not None else LayoutKind.AREA_STRIP
        layout = next(one for one in TEMPLATES if one.kind is kind)
    if device.window is not None:
        scope = ScopeWindows(windows=(device.window,))
        layout = msgspec.structs.replace(layout, scope=scope)
    return layout


def _bound(state: HallState, device: Device) -> BoardLayout | None:
    config = state.config
    wanted = config.board_layouts.get(device.id) if config is not None else None
    layouts = config.layouts if config is not None else ()
    return next((one for one in layouts if one.id == wanted and one.matrix is not None), None)


def programme_for(state: HallState, device: Device, now: Millis) -> StripProgramme:
    """All that the panel shows in turn as things stand now."""
    layout = layout_of_led(state, device)
    facts = facts_of(state, layout.scope, next_midnight(now, state.config) - DAY_MS)
    return programme_of(screen_of(layout, facts, now), rows_of(layout, facts, now))


def lines_at(programme: StripProgramme, now: Millis) -> Lines:
    """What the panel shows at ``now``."""
    lines: list[LedLine] = []
    ends: list[Millis] = []
    for number, line in enumerate(programme.lines, 1):
        up = up_at(line, programme.since, now)
        frame = None if up is None else up.frame
        lines.append(_led_line(number, line, programme.matrix.width, frame))
        if up is not None:
            ends.append(up.until)
    # Frames of a call that are not due leave the line to the idle ones until they are.
    sure = len(ends) == len(programme.lines)
    return Lines(tuple(lines), min(ends) if sure else None)


def _led_line(number: int, line: StripLine, width: int, frame: Frame | None) -> LedLine:
    dark = LedLine(number=number, top=line.top, height=line.height, width=width)
    if frame is None:
        return dark
    alone = len(frame.segments) == 1
    placed = alone or frame.motion is Motion.SCROLL_LEFT
    texts = [one.text for one in frame.segments]
    if not placed:
        texts = list(_spaced(frame.segments, width, line.height))
    return LedLine(
        number=number,
        top=line.top,
        height=line.height,
        width=width,
        runs=tuple(
            LedRun(text, one.colour)
            for text, one in zip(texts, frame.segments, strict=True)
            if text
        ),
        motion=frame.motion,
        align=frame.segments[0].align if alone else Align.LEFT,
        seconds=frame.seconds,
    )


def _spaced(segments: tuple[Segment, ...], width: int, height: int) -> Iterator[str]:
    """Each text filled up with spaces to its share of the line: controllers know no columns."""
    left = width
    for number, segment in enumerate(segments):
        used = text_width(segment.text, height)
        last = number == len(segments) - 1
        room = width * segment.share // 100 if segment.share else left if last else used
        spaces = max(0, min(room, left) - used) // (height // 2)
        before = {Align.LEFT: 0, Align.CENTRE: spaces // 2}.get(segment.align, spaces)
        yield " " * before + segment.text + " " * (spaces - before)
        left -= max(room, used)
