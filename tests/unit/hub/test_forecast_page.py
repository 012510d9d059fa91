"""The page of forecasts never calls good what was outside its own limits."""

import pytest

from hallserver.app.manage.forecast import ROWS, SCALES, Line, chart_of, verdict_of
from hallserver.engine.forecast.calibration import ENOUGH, Score


def score(**more: float) -> Score:
    usual = {"covered": 0.9, "error": 2.0, "rule_error": 5.0} | more
    return Score(count=int(usual.pop("count", ENOUGH)), bad=bool(usual.pop("bad", 0)), **usual)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, "good"),
        ({"count": ENOUGH - 1}, "few"),
        ({"covered": 0.52}, "poor"),
        ({"error": 9.0}, "poor"),
        ({"bad": 1, "error": 4.0}, "wide"),
        ({"bad": 1, "error": 9.0}, "average"),
    ],
)
def test_the_verdict_is_what_the_figures_say(given: dict[str, float], verdict: str) -> None:
    assert verdict_of(score(**given)) == verdict


def line(name: str, **more: float) -> Line:
    made = score(**more)
    return Line(name, name, made, verdict_of(made))


def test_the_chart_lists_what_is_furthest_off_first_and_says_how_many_it_leaves_out() -> None:
    items = [line(f"good {n}", error=float(n)) for n in range(ROWS)]
    items += [line("thin", count=ENOUGH - 1, error=99.0), line("off", bad=1, error=4.0)]
    groups = [(line("queue", error=3.0), items)]
    worst = chart_of(groups, "worst")
    assert [one.name for one in worst.rows][:2] == ["off", f"good {ROWS - 1}"]
    assert "thin" not in {one.name for one in worst.rows}
    assert (len(worst.rows), worst.left_out) == (ROWS, 2)
    assert {one.name for one in chart_of(groups, "all").rows} == {one.name for one in items}
    assert [one.name for one in chart_of(groups, "queues").rows] == ["queue"]


@pytest.mark.parametrize("error", [0.0, 4.9, 5.0, 5.1, 239.0, 500.0])
def test_every_bar_of_the_chart_fits_its_axis(error: float) -> None:
    scale = chart_of([(line("queue"), [line("item", error=error, rule_error=1.0)])], "all").scale
    assert scale in SCALES
    assert scale >= min(error, SCALES[-1])
