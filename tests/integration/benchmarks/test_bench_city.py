"""``qingting bench city`` runs real workers and citizens, and says what they took."""

from tests.benches import figures_of

SHORT = """
from benchmarks import city
from qingting.cli import main
city.HALLS_TOLD, city.CROWDS, city.OPERATORS, city.CONNECTED = 1, 1, 12, 30
city.THINK_SECONDS, city.WARM_SECONDS = 0.5, 0.5
main(["bench", "city", "--json", "--seconds", "2"])
"""
PROMISED = (
    "errors", "connected", "query_avg_ms", "booking_avg_ms", "worst_ms", "rss_per_connection_kb",
    "ratio_to_limit",
)  # fmt: skip


def test_prints_one_flat_object_with_the_promised_keys() -> None:
    figures = figures_of(SHORT)
    assert set(PROMISED) <= figures.keys()
    assert figures["connected"] == 30
    assert 0 < figures["burst_query_avg_ms"] <= figures["burst_worst_ms"]
    assert 0 < figures["ratio_to_limit"] < 1
