"""``qingting bench forecast``: how wrong waiting times are, beside the rule that calling systems usually have.

Days of several shapes are generated with fixed seeds (:mod:`benchmarks.forecast_truth`). A hall watches each
day go by (:mod:`benchmarks.forecast_watch`), forecasts every ticket when it is taken and learns from what follows,
beginning with nothing but its configuration. The usual rule forecasts the same tickets: average serving time so far
times people ahead in the queue over open windows of the queue. A stronger rule takes the average of the queue instead of
the hall's. Tickets that are not called before the day ends have no waiting time and are scored as
warnings only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from time import perf_counter

import click
import msgspec

from benchmarks.forecast_days import SHAPES, Shape
from benchmarks.forecast_truth import days
from benchmarks.forecast_watch import Forecast, Watcher
from benchmarks.line import percentile
from qingting.contract.states import WaitBasis

DAYS = 5
SEEDS = (1,)
WARNED_FROM = 0.1
"""A ticket is warned of when the probability not to be called before the end is at least this."""
Flat = dict[str, float | int | str]


@dataclass
class Scored:
    """One shape's forecasts. ``waits`` are pairs of forecast and wait in minutes; ``missed`` were never called."""

    waits: list[tuple[Forecast, float]] = field(default_factory=list)
    missed: list[Forecast] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def run_benchmark(*, as_json: bool) -> None:
    """Runs and prints; with ``as_json`` one flat object is all that stdout gets."""
    scored = {shape.name: score(shape, DAYS, SEEDS) for shape in SHAPES}
    flat = figures(scored)
    click.echo(msgspec.json.encode(flat).decode() if as_json else table(scored, flat))


def score(shape: Shape, count: int, seeds: Sequence[int]) -> Scored:
    """Forecasts of ``count`` days for each seed, every seed a new hall that has learned nothing."""
    scored = Scored()
    for seed in seeds:
        watcher = Watcher(shape.layout)
        for number, log in enumerate(days(shape, count, seed)):
            if number:
                watcher.begin_day(number)
            for line in log:
                if line.kind == "came":
                    begun = perf_counter()
                    watcher.forecasts[line.visitor] = watcher.forecast(line)
                    scored.seconds.append(perf_counter() - begun)
                elif line.kind == "called":
                    made = watcher.forecasts[line.visitor]
                    scored.waits.append((made, line.at - made.seen.at))
                elif line.kind == "left":
                    scored.missed.append(watcher.forecasts[line.visitor])
                watcher.read(line)
    return scored


def figures(scored: dict[str, Scored]) -> Flat:
    """The promised figures over all shapes, then each shape's own."""
    everything = Scored(
        [pair for one in scored.values() for pair in one.waits],
        [one for shape in scored.values() for one in shape.missed],
        [one for shape in scored.values() for one in shape.seconds],
    )
    flat = _figures(everything)
    flat |= _warnings(everything)
    milliseconds = [1000 * one for one in everything.seconds]
    flat["forecast_p50_ms"] = round(percentile(milliseconds, 0.5), 2)
    flat["forecast_p99_ms"] = round(percentile(milliseconds, 0.99), 2)
    for name, one in scored.items():
        prefix = name.replace(" ", "_").replace("-", "_")
        flat |= {f"{prefix}.{key}": value for key, value in _figures(one).items()}
    return flat


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def _figures(scored: Scored) -> Flat:
    waits = scored.waits
    own = _mean(abs(one.made.told.p50 - wait) for one, wait in waits)
    rule = _mean(abs(one.rule - wait) for one, wait in waits)
    queue_rule = _mean(abs(one.queue_rule - wait) for one, wait in waits)
    return {
        "mae_ratio_to_average_rule": round(own / rule, 3),
        "p90_coverage": round(_mean(wait <= one.made.told.p90 for one, wait in waits), 3),
        "forecasts": len(waits),
        "mean_wait_minutes": round(_mean(wait for _, wait in waits), 2),
        "mae_minutes": round(own, 2),
        "bias_minutes": round(_mean(one.made.told.p50 - wait for one, wait in waits), 2),
        "average_rule_mae_minutes": round(rule, 2),
        "queue_average_rule_mae_minutes": round(queue_rule, 2),
        "mae_ratio_to_queue_average_rule": round(own / queue_rule, 3),
        "p50_coverage": round(_mean(wait <= one.made.told.p50 for one, wait in waits), 3),
        "p90_coverage_in_whole_minutes": round(
            _mean(wait <= ceil(one.made.told.p90) for one, wait in waits), 3
        ),
        "width_minutes": round(_mean(one.made.told.p90 - one.made.told.p50 for one, _ in waits), 2),
        "fallback_share": round(
            _mean(one.made.told.basis is not WaitBasis.SIMULATION for one, _ in waits), 4
        ),
    }


def _warnings(scored: Scored) -> Flat:
    """How good "may not be reached before closing" is."""
    warned_missed = sum(one.beyond >= WARNED_FROM for one in scored.missed)
    warned = warned_missed + sum(one.beyond >= WARNED_FROM for one, _ in scored.waits)
    return {
        "not_reached": len(scored.missed),
        "not_reached_warned_share": round(warned_missed / max(1, len(scored.missed)), 3),
        "warned": warned,
        "warned_not_reached_share": round(warned_missed / max(1, warned), 3),
    }


COLUMNS = (
    ("forecasts", "tickets", 9),
    ("mean_wait_minutes", "wait", 7),
    ("mae_minutes", "error", 7),
    ("average_rule_mae_minutes", "rule", 7),
    ("mae_ratio_to_average_rule", "ratio", 7),
    ("mae_ratio_to_queue_average_rule", "ratio*", 8),
    ("p90_coverage", "P90", 7),
    ("width_minutes", "width", 7),
)


def table(scored: dict[str, Scored], flat: Flat) -> str:
    """For people: a line for each shape, then all of them together."""
    lines = [f"{'minutes':<30}" + "".join(f"{head:>{width}}" for _, head, width in COLUMNS)]
    for name, one in scored.items():
        own = _figures(one)
        cells = "".join(f"{own[key]:>{width}}" for key, _, width in COLUMNS)
        lines.append(f"{name:<30}{cells}")
    lines.append(f"{'all':<30}" + "".join(f"{flat[key]:>{width}}" for key, _, width in COLUMNS))
    return "\n".join((*lines, "", *_notes(flat)))


def _notes(flat: Flat) -> list[str]:
    missed, warned = flat["not_reached"], flat["warned"]
    caught, right = flat["not_reached_warned_share"], flat["warned_not_reached_share"]
    return [
        "error, rule: mean absolute error of the forecast (P50) and of average x people ahead / windows",
        "ratio: error / rule; ratio*: against the same rule with the average of the ticket's own queue",
        "P90: share of waits within the P90; width: mean distance from P50 to P90",
        f"not called before the end: {missed}, of them warned {caught}; warned: {warned}, of them not called {right}",
        f"one forecast: p50 {flat['forecast_p50_ms']} ms, p99 {flat['forecast_p99_ms']} ms",
    ]
