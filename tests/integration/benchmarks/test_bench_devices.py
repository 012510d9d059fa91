"""``qingting bench devices`` runs real servers and a page, and says how soon a fault is seen."""

import pytest

from benchmarks.devices import delays
from benchmarks.fleet import city_sizes
from benchmarks.fleet_load import Change
from benchmarks.processes import BenchmarkFailedError
from tests.benches import figures_of

SHORT = """
from benchmarks import devices
from benchmarks.fleet import Size
from qingting.cli import main
devices.SIZES = [Size(windows=2, kiosks=3)]
devices.IDLE_SECONDS, devices.SETTLE_SECONDS, devices.FAULT_SECONDS = 0.5, 1.0, 8.0
main(["bench", "devices", "--json", "--seconds", "1"])
"""


def test_prints_one_flat_object_with_the_promised_keys() -> None:
    figures = figures_of(SHORT)
    assert (figures["pads"], figures["kiosks"], figures["status_changes"]) == (4, 3, 4)
    assert figures["agent_rss_mb"] > 20
    assert figures["hall_rss_mb"] > 20
    assert 0 < figures["status_to_console_p50_s"] <= figures["status_to_console_p99_s"] < 10


def test_the_fleet_is_that_of_the_city() -> None:
    sizes = city_sizes()
    assert len(sizes) == 12
    assert sum(size.windows for size in sizes) == 1379
    assert sum(size.kiosks for size in sizes) == 60
    assert 2 * sizes[0].windows == 400


def test_a_change_counts_until_the_first_answer_that_has_it() -> None:
    changes = [
        Change(printer="p1", faulty=True, at=1.0),
        Change(printer="p1", faulty=False, at=4.0),
    ]
    none, one = frozenset[str](), frozenset({"p1"})
    shown = [(0.9, none), (1.1, none), (1.5, one), (3.9, one), (4.25, none)]
    figures = delays(changes, shown)
    assert figures["status_to_console_p99_s"] == 0.5
    assert figures["status_to_console_p50_s"] == 0.5
    assert figures["status_changes"] == 2


def test_a_change_that_was_never_shown_gives_no_figures() -> None:
    with pytest.raises(BenchmarkFailedError, match="p1 was not shown"):
        delays([Change(printer="p1", faulty=True, at=1.0)], [(1.5, frozenset())])
