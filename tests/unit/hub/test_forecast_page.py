"""The page of forecasts never calls good what was outside its own limits."""

import pytest

from hallserver.app.manage.forecast import verdict_of
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
