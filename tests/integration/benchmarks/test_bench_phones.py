"""``qingting bench phones`` opens real streams at a real server and says how fresh they are."""

from tests.benches import figures_of

SHORT = """
from benchmarks import phones
from qingting.cli import main
phones.PHONES, phones.SETTLE_SECONDS = (0, 12), 0.1
main(["bench", "phones", "--json", "--seconds", "2"])
"""


def test_prints_one_flat_object_with_cost_and_freshness() -> None:
    figures = figures_of(SHORT)
    assert figures["p12.calls"] == 4
    assert figures["p12.megabytes"] > 10
    assert 0 < figures["p12.busy_cpu_share"] < 2
    for name in ("call_to_phone", "call_to_places_behind"):
        assert figures[f"p12.{name}_p50_ms"] <= figures[f"p12.{name}_p99_ms"] < 10_000
    assert "p0.calls" not in figures
