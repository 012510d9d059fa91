"""How good waiting times have been, by queue and item, and which are told otherwise because they were not."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.engine.forecast.calibration import ENOUGH, Score, together
from hallserver.engine.forecast.durations import expected_minutes
from hallserver.engine.state import HallState


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a queue, or an item under it. ``minutes`` are the configured and the learned serving time of an
    item; ``verdict`` is few, good, wide or average, and poor for a queue that is outside the limits while none of
    its items has been checked often enough to be told otherwise."""

    name: str
    name_en: str
    score: Score
    verdict: str
    minutes: tuple[float, float] | None = None


ORDER = ("average", "wide", "poor", "good", "few")
"""Verdicts as the chart lists them: what is off first, what says little yet last."""
SCALES = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
"""Ends of the axis of errors, minutes."""
LEAST_COVERED = 50
"""Where the axis of shares begins, percent; what is less stands at its edge beside its figure."""
BAND = (85, 95)
"""Shares within the P90 that are as they should be, percent."""
ROWS = 12
"""Items that the chart lists before one asks for all."""
SHOWN = ("worst", "all", "queues")
"""What the chart can list; by queue while no item has been checked often enough."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows with the end of their axis of errors; ``left_out`` items are in the table alone."""

    rows: tuple[Line, ...]
    scale: int
    left_out: int


def chart_of(groups: list[tuple[Line, list[Line]]], shown: str) -> Chart:
    """What is furthest off comes first; ``shown`` is one of :data:`SHOWN`."""
    lines = [queue for queue, _ in groups] if shown == "queues" else _items(groups)
    lines.sort(key=lambda one: (ORDER.index(one.verdict), -one.score.error))
    rows = tuple(lines[:ROWS] if shown == "worst" else lines)
    most = max((error for one in rows for error in _errors(one)), default=0.0)
    scale = next((one for one in SCALES if one >= most), SCALES[-1])
    return Chart(rows, scale, len(lines) - len(rows))


def _items(groups: Iterable[tuple[Line, list[Line]]]) -> list[Line]:
    return [item for _, items in groups for item in items]


def _errors(line: Line) -> tuple[float, float]:
    return line.score.error, line.score.rule_error


def verdict_of(score: Score) -> str:
    """What the scores say, and so what people are told."""
    if score.bad:
        return "wide" if score.error <= score.rule_error else "average"
    if score.count < ENOUGH:
        return "few"
    return "poor" if score.fails() else "good"


def forecast_lines(state: HallState) -> list[tuple[Line, list[Line]]]:
    """Every queue that has been scored with those of its items that have."""
    scores, durations = state.learned.calibration.items, state.learned.durations
    found: list[tuple[Line, list[Line]]] = []
    for queue in state.queues.values():
        items = [
            Line(
                name=item.name,
                name_en=item.name_en,
                score=scores[item.id],
                verdict=verdict_of(scores[item.id]),
                minutes=(item.minutes, expected_minutes(durations, item.id, item.minutes)),
            )
            for item in state.items.values()
            if item.queue == queue.id and item.id in scores
        ]
        if items:
            whole = together(one.score for one in items)
            found.append((Line(queue.name, queue.name_en, whole, verdict_of(whole)), items))
    return found


async def forecast(request: web.Request) -> web.Response:
    desk = desk_of(request)
    groups = forecast_lines(desk.state)
    items = _items(groups)
    few = sum(one.verdict == "few" for one in items)
    asked = request.query.get("show", "")
    shown = asked if asked in SHOWN else "worst" if few < len(items) else "queues"
    context = {
        "groups": groups,
        "enough": ENOUGH,
        "shown": shown,
        "chart": chart_of(groups, shown),
        "whole": together(one.score for one in items),
        "good": sum(one.verdict == "good" for one in items),
        "off": sum(one.verdict in ORDER[:3] for one in items),
        "few": few,
        "band": BAND,
        "least": LEAST_COVERED,
    }
    return desk.pages.render(request, "forecast.html", context, block="live")


ROUTES = (web.get("/manage/forecast", forecast),)
