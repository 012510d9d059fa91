"""Every driver answers every quality rule, with a test that exists or a reason."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DRIVERS = sorted(
    path
    for path in (ROOT / "hallserver/devices/drivers").iterdir()
    if (path / "driver.py").exists()
)
RULES = {
    "identify-before-ready",
    "fault-map",
    "deadline",
    "log-once",
    "unavailable",
    "reconnect",
    "partial-frame",
    "unknown-outcome",
    "serialised",
    "config-error",
    "diagnostics-redacted",
    "profile",
    "simulator",
}


def has_test(name: str) -> bool:
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
        for node in tree.body
    )


def test_there_are_six_drivers() -> None:
    names = [path.name for path in DRIVERS]
    assert names == ["face", "id_reader", "led", "printer", "scanner", "speaker"]


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda path: path.name)
def test_every_rule_is_done_or_exempt_with_a_reason(driver: Path) -> None:
    checklist = tomllib.loads((driver / "checklist.toml").read_text("utf-8"))
    assert set(checklist) == RULES
    for rule, entry in checklist.items():
        if entry["status"] == "done":
            assert has_test(entry["test"]), f"{driver.name}/{rule}: no test {entry['test']}"
        else:
            assert entry["status"] == "exempt", f"{driver.name}/{rule}"
            assert len(entry["reason"]) > 20, f"{driver.name}/{rule}: why?"


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert not has_test("tests/unit/devices/test_driver_checklists.py::test_nothing")
