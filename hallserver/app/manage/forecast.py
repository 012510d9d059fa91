"""How good waiting times have been, by queue and item, and which are told otherwise because they were not."""

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
    context = {"groups": forecast_lines(desk.state), "enough": ENOUGH}
    return desk.pages.render(request, "forecast.html", context, block="live")


ROUTES = (web.get("/manage/forecast", forecast),)
