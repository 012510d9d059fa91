"""Each line of the level-3 list says where it is enforced and which tests hold it, or what the deployment has to do."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
CLAUSES = {1: 4, 2: 3, 3: 2, 4: 2, 5: 2, 6: 3, 7: 2, 8: 2, 9: 2, 10: 4, 11: 5, 12: 3, 13: 4, 14: 2, 15: 3, 16: 5}  # fmt: skip
"""Items of GB/T 22239-2019 §8.1.4, and into how many lines each falls apart here."""
BEYOND = 15
"""Rules of our own, which no item asks for in so many words."""
ROW = re.compile(r"^\| ((?:R|C?\d+)\.\d+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.M)
NEVER = re.compile(r"mark\.(skip|xfail)")
NAMED = re.compile(r"`([\w./]+?)(?:::([^`]+))?`")


class Line(NamedTuple):
    """``where``: files; ``tests``: file and name; ``left``: what the deployment does."""

    rule: str
    where: list[str]
    tests: list[tuple[str, str]]
    left: str


@cache
def lines() -> dict[str, Line]:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    return {
        line: Line(rule, [one for one, _ in NAMED.findall(where)], NAMED.findall(tests), left)
        for line, rule, where, tests, left in ROW.findall(text)
    }


def test_every_line_of_the_list_is_there_once() -> None:
    wanted = [f"{item}.{no}" for item, n in CLAUSES.items() for no in range(1, n + 1)]
    beyond = [f"R.{no}" for no in range(1, BEYOND + 1)]
    assert [line for line in lines() if not line.startswith("C")] == wanted + beyond


def test_every_line_is_held_by_a_test_or_left_to_the_deployment_in_words() -> None:
    for line, what in lines().items():
        assert what.where, line
        assert what.tests or len(what.left) > 20, line


def test_every_place_and_every_test_that_is_named_exists_and_runs() -> None:
    missing: list[tuple[str, ...]] = []
    for line, what in lines().items():
        missing += [(line, one) for one in what.where if not (ROOT / one).exists()]
        missing += [(line, *one) for one in what.tests if not runs(*one)]
    assert missing == []


def runs(file: str, name: str) -> bool:
    """True for a test that is there and is neither skipped nor expected to fail."""
    path = ROOT / file
    text = path.read_text("utf-8") if path.is_file() else ""
    if path.suffix == ".ts":
        return f"  it('{name}', " in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return not any(NEVER.search(ast.unparse(one)) for one in node.decorator_list)
    return False


def test_a_test_that_is_gone_or_does_not_run_is_noticed(tmp_path: Path) -> None:
    here = "tests/unit/docs/test_level_three.py"
    assert runs(here, "test_every_line_of_the_list_is_there_once")
    assert not runs(here, "test_every_line_of_the_list")
    assert not runs("tests/unit/docs/test_gone.py", "test_every_line_of_the_list_is_there_once")
    assert not runs("kiosk_ui/tests/kiosk.spec.ts", "forgets when the moon is hidden")
    skipped = tmp_path / "test_skipped.py"
    skipped.write_text(
        "@pytest.mark.skipif(True, reason='')\nasync def test_it(): ...\ndef test_on(): ..."
    )
    assert not runs(str(skipped), "test_it")
    assert runs(str(skipped), "test_on")
