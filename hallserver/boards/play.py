"""Which frame of a line is up when. Pure; ``kiosk_ui/src/features/board/play.ts`` is its twin for pages.

Frames take turns from the instant ``since``. A frame is due when it is in force, has been shown fewer than
``repeats`` times, and ``every_seconds`` have passed since its last showing began. When none is due the line
is dark until one is; when none can ever be due again it stays dark.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qingting.contract.boards import Frame
from qingting.contract.ids import Millis


class Showing(NamedTuple):
    """``frame`` (its index, None = dark) from ``start`` to before ``end``, UTC milliseconds."""

    start: int
    end: int
    frame: int | None


def showings(frames: Sequence[Frame], since: Millis, until: Millis) -> Iterator[Showing]:
    """The showings of a line without gaps until one reaches ``until``: from ``since``, or from a later
    beginning of a round where all rounds are alike."""
    since = _fold(frames, since, until)
    counts = [0] * len(frames)
    last: list[int | None] = [None] * len(frames)
    at, turn = since, 0
    while at < until:
        found = _next_due(frames, counts, last, at, turn)
        if found is None:
            wake = _next_change(frames, counts, last, at)
            end = until if wake is None else min(wake, until)
            yield Showing(at, end, None)
            at = end
            continue
        frame = frames[found]
        end = at + round(frame.seconds * 1000)
        if frame.ends_at is not None:
            end = min(end, frame.ends_at)
        yield Showing(at, end, found)
        counts[found] += 1
        last[found] = at
        at, turn = end, (found + 1) % len(frames)


def _fold(frames: Sequence[Frame], since: Millis, until: Millis) -> Millis:
    """``since`` moved on by whole rounds where every round is like the first, so that the turns of a whole
    day need not be counted one by one."""
    around = sum(round(one.seconds * 1000) for one in frames)
    plain = all(
        one.repeats == 0
        and one.starts_at is None
        and one.ends_at is None
        and one.every_seconds * 1000 <= around
        for one in frames
    )
    return since + max(0, until - 1 - since) // around * around if plain and around else since


def _next_due(
    frames: Sequence[Frame], counts: list[int], last: list[int | None], at: int, turn: int
) -> int | None:
    for step in range(len(frames)):
        number = (turn + step) % len(frames)
        frame, before = frames[number], last[number]
        if (
            (frame.repeats == 0 or counts[number] < frame.repeats)
            and (frame.starts_at is None or frame.starts_at <= at)
            and (frame.ends_at is None or at < frame.ends_at)
            and (before is None or before + frame.every_seconds * 1000 <= at)
        ):
            return number
    return None


def _next_change(
    frames: Sequence[Frame], counts: list[int], last: list[int | None], at: int
) -> int | None:
    """The next instant at which a frame can be due; None = never."""
    times = []
    for number, frame in enumerate(frames):
        if frame.repeats and counts[number] >= frame.repeats:
            continue
        if frame.ends_at is not None and frame.ends_at <= at:
            continue
        before = last[number]
        ready = at if before is None else before + frame.every_seconds * 1000
        ready = max(ready, frame.starts_at or 0)
        if ready > at and (frame.ends_at is None or ready < frame.ends_at):
            times.append(ready)
    return min(times, default=None)


def frame_at(frames: Sequence[Frame], since: Millis, now: Millis) -> int | None:
    """The index of the frame that is up at ``now``."""
    found: int | None = None
    for showing in showings(frames, since, now + 1):
        found = showing.frame
    return found
