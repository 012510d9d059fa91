"""What differs between models of devices is in profiles: no maker's name and no bit mask elsewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from hallserver.devices.profiles import shipped_profiles

ROOT = Path(__file__).resolve().parents[3]
CODE = ("hallserver", "console", "qingting")
LANGUAGES_OF_DEVICES = ROOT / "hallserver" / "devices" / "protocols"
"""A protocol may carry the name of who invented it; no other code knows whose device speaks it."""
NAMED_IN_PROFILES = ROOT / "hallserver" / "devices" / "profile_types.py"
"""Names drivers of scanners' languages, which profiles choose from."""
ENGLISH_WORDS = {"citizen", "custom", "better", "generic"}
"""Makers whose names are words; they would be found in every sentence."""


def makers() -> set[str]:
    library = shipped_profiles()
    names = {library.load(one).vendor.lower() for one in library.ids()}
    return {name for name in names if re.fullmatch(r"[a-z]+", name)} - ENGLISH_WORDS


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "node_modules" not in path.parts and "static" not in path.parts:
                yield path, ast.parse(path.read_text("utf-8"))


def words_in(tree: ast.Module) -> Iterator[str]:
    """Identifiers and texts, docstrings left out: they say where a rule comes from."""
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in said:
                yield text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                yield name


def test_no_code_knows_the_maker_of_a_device() -> None:
    names = makers()
    assert {"epson", "masung", "snbc", "newland", "zebra", "onbon"} <= names
    pattern = re.compile(rf"(?<![a-z])({'|'.join(sorted(names))})(?![a-z])", re.IGNORECASE)
    found = []
    for path, tree in sources(*CODE):
        if LANGUAGES_OF_DEVICES in path.parents or path == NAMED_IN_PROFILES:
            continue
        found += [
            f"{path.relative_to(ROOT)}: {word[:60]!r}"
            for word in words_in(tree)
            if pattern.search(word)
        ]
    assert found == []


def test_no_driver_knows_a_bit_of_a_devices_answer() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in sources(
            "hallserver/devices/drivers", "hallserver/agent", "hallserver/hub"
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.BitAnd)
        and any(
            isinstance(side, ast.Constant) and type(side.value) is int
            for side in (node.left, node.right)
        )
    ]
    assert found == []
