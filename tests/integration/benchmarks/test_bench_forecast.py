"""``qingting bench forecast``: the forecaster against the usual rule on days that it knows nothing about."""

import ast
import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import forecast as bench
from benchmarks.forecast_days import SHAPES, Shape
from benchmarks.forecast_truth import Seen, days
from qingting.cli import main
from qingting.contract.states import WaitBasis

NAMES = {shape.name: shape for shape in SHAPES}
TRUTH = ("forecast_truth.py", "forecast_days.py")


@cache
def scored(name: str, count: int = 2) -> bench.Scored:
    return bench.score(NAMES[name], count, (3,))


def mean_error(one: bench.Scored) -> tuple[float, float]:
    """Of the forecast and of the rule, minutes."""
    own = [abs(made.made.told.p50 - wait) for made, wait in one.waits]
    rule = [abs(made.rule - wait) for made, wait in one.waits]
    return sum(own) / len(own), sum(rule) / len(rule)


def test_what_really_happens_is_made_without_any_code_of_the_forecaster() -> None:
    folder = Path(bench.__file__).parent
    for name in TRUTH:
        tree = ast.parse((folder / name).read_text("utf-8"))
        imported = [
            node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        ]
        imported += [
            one.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for one in node.names
        ]
        assert not [one for one in imported if one.startswith(("hallserver", "qingting"))]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_generated_day_is_always_the_same_and_serves_everybody_once(shape: Shape) -> None:
    log = next(days(shape, 1, 7))
    assert log == next(days(shape, 1, 7))
    assert log != next(days(shape, 1, 8))
    came, called, ended = (kinds(log, *names) for names in ENDS)
    assert len(came) == len(set(came))
    assert sorted(came) == sorted(called + kinds(log, "left"))
    assert sorted(called) == sorted(ended)
    busy: set[str] = set()
    for line in log:
        if line.kind == "called":
            assert line.window not in busy
            busy.add(line.window)
        elif line.kind in ("done", "absent"):
            busy.remove(line.window)


ENDS = (("came",), ("called",), ("done", "absent"))


def kinds(log: list[Seen], *names: str) -> list[int]:
    return [line.visitor for line in log if line.kind in names]


@pytest.mark.parametrize("name", ["windows close at noon", "short and long items mixed"])
def test_the_forecast_is_off_by_little_more_than_half_of_what_the_usual_rule_is(name: str) -> None:
    own, rule = mean_error(scored(name))
    assert own < 0.6 * rule


def test_even_on_a_quiet_day_the_forecast_is_nearer_than_the_usual_rule() -> None:
    own, rule = mean_error(scored("quiet"))
    assert own < rule


@pytest.mark.parametrize("name", ["windows close at noon", "quiet", "appointments and walk-ins"])
def test_nine_waits_in_ten_are_within_the_p90(name: str) -> None:
    waits = scored(name).waits
    inside = sum(wait <= made.made.told.p90 for made, wait in waits)
    assert 0.82 < inside / len(waits) < 0.97


def test_those_who_are_sent_home_were_warned_when_they_took_their_ticket() -> None:
    one = scored("windows close at noon")
    missed = [made.beyond >= bench.WARNED_FROM for made in one.missed]
    called = [made.beyond >= bench.WARNED_FROM for made, _ in one.waits]
    assert len(missed) > 20
    assert sum(missed) > 0.8 * len(missed)
    assert sum(called) < 0.2 * len(called)


def test_each_forecast_keeps_what_it_rests_on_and_its_interval_in_order() -> None:
    for made, _ in scored("quiet").waits:
        told = made.made.told
        assert 0 <= told.p50 <= told.p90
        assert told.basis in (WaitBasis.SIMULATION, WaitBasis.WIDE, WaitBasis.AVERAGE)


def test_the_command_prints_one_flat_object_with_the_promised_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench, "SHAPES", (NAMES["many who do not come"],))
    monkeypatch.setattr(bench, "DAYS", 1)
    done = CliRunner().invoke(main, ["bench", "forecast", "--json"], catch_exceptions=False)
    flat = json.loads(done.stdout)
    assert 0 < flat["mae_ratio_to_average_rule"] < 1.2
    assert 0 < flat["p90_coverage"] <= 1
    assert flat["many_who_do_not_come.forecasts"] == flat["forecasts"] > 50
    assert all(isinstance(one, int | float | str) for one in flat.values())


def test_the_table_has_a_line_for_every_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SHAPES", (NAMES["many who do not come"],))
    monkeypatch.setattr(bench, "DAYS", 1)
    done = CliRunner().invoke(main, ["bench", "forecast"], catch_exceptions=False)
    lines = done.stdout.splitlines()
    assert lines[1].startswith("many who do not come")
    assert lines[2].startswith("all")
