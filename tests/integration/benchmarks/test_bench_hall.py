"""``qingting bench hall`` measures a real server and says so in a form that others can read."""

import pytest

from benchmarks import hall as bench
from benchmarks.line import percentile
from tests.benches import figures_of

SHORT = """
from benchmarks import hall
from qingting.cli import main
hall.CLIENTS, hall.ROUNDS, hall.WARM_UP, hall.BOARD_CLIENTS = (2,), 1, 0.3, 2
main(["bench", "hall", "--json", "--seconds", "1"])
"""
"""The command with fewer clients and turns."""


def test_prints_one_flat_object_with_the_promised_figures_and_nothing_else() -> None:
    figures = figures_of(SHORT)
    for name in ("c2",):
        assert figures[f"{name}.lifecycles_per_s"] > 0
        assert figures[f"{name}.limit_lifecycles_per_s"] > 0
        assert figures[f"{name}.ratio_to_limit"] > 0
        for kind in ("issue", "call", "begin", "finish", "rate", "command"):
            assert 0 < figures[f"{name}.{kind}_p50_ms"] <= figures[f"{name}.{kind}_p99_ms"]
    assert figures["duplicates"] == 0
    assert figures["call_to_board_samples"] > 0
    assert 0 < figures["call_to_board_p95_ms"] < 10_000


def test_the_table_names_every_measured_number_of_clients() -> None:
    kinds = ("command", "issue", "print", "call", "begin", "finish", "rate")
    flat: bench.Flat = {"duplicates": 0, "call_to_board_samples": 400}
    for clients in bench.CLIENTS:
        for key in ("lifecycles_per_s", "limit_lifecycles_per_s", "ratio_to_limit"):
            flat[f"c{clients}.{key}"] = 1.5
        for kind in kinds:
            flat[f"c{clients}.{kind}_p50_ms"] = flat[f"c{clients}.{kind}_p99_ms"] = 2.5
    for share in (50, 95, 99):
        flat[f"call_to_board_p{share}_ms"] = 3.5
    table = bench._table(flat)
    assert [line.split()[0] for line in table.splitlines()[1:4]] == ["1", "16", "64"]
    assert "400 pads" in table


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [([], 0.95, 0.0), ([3.0], 0.99, 3.0), ([float(n) for n in range(100)], 0.95, 95.0)],
)
def test_percentiles_are_values_that_were_measured(
    values: list[float], share: float, wanted: float
) -> None:
    assert percentile(values, share) == wanted
