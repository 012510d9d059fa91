"""Each item of the level-3 list names the tests that hold it, or says what is left to the deployment."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.M)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> dict[int, tuple[str, str]]:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    return {int(no): (tests, left.strip()) for no, _, tests, left in ROW.findall(text)}


def test_all_sixteen_items_are_held_or_left_to_somebody() -> None:
    assert sorted(rows()) == list(range(1, 17))
    for no, (tests, left) in rows().items():
        assert TEST.search(tests) or left != "–", no


def test_every_test_that_is_named_exists() -> None:
    named = [one for tests, _ in rows().values() for one in TEST.findall(tests)]
    assert len(named) > 30
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).exists()
        or not re.search(rf"def {name}\(", (ROOT / file).read_text("utf-8"))
    ]
    assert missing == []
