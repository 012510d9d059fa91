"""Every refusal that the programs can utter is in the catalogue, with all that its sentences name."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from qingting.contract.config import HallConfig
from qingting.contract.errors import error_texts

ROOT = Path(__file__).parents[3]
PACKAGES = ("hallserver", "console", "qingting")
FRONT_ENDS = ("kiosk_ui/src", "tablet_app/src", "qingting/web/src", "hallserver/app/templates")
"""Their sources utter codes too; what is generated from the catalogue does not count."""
COMPOSED = {"citizen_code": "face", "face": "citizen_code", "staff": "login", "login": "staff"}
"""Families that utter one code of both by its last word, e.g. ``f"{family}.locked"``."""
CODE = re.compile(r"^[a-z_]+\.[a-z_]+$")


@cache
def sources() -> list[tuple[Path, ast.Module]]:
    return list(_parsed())


def _parsed() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "static" not in path.parts:
                yield path, ast.parse(path.read_text("utf-8"))


def constants(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


@cache
def refusals() -> list[tuple[str, str, set[str] | None]]:
    """Place, code and parameters of each ``Refusal("code", …)``; None where parameters are spread."""
    found = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if name != "Refusal":
                continue
            given = [one.arg for one in node.keywords]
            names = None if None in given else {one for one in given if one is not None}
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            found += [
                (where, one, names)
                for one in constants(node.args[0])
                if CODE.match(one) or one == "internal"
            ]
    return found


@cache
def uttered() -> set[str]:
    return {one for _, tree in sources() for one in constants(tree)}


@cache
def front_ends() -> str:
    """All that front ends say, in one text."""
    return "\n".join(
        path.read_text("utf-8")
        for folder in FRONT_ENDS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".ts", ".vue", ".html") and "generated" not in path.parts
    )


def is_uttered(code: str) -> bool:
    if code in uttered() or any(f"{mark}{code}{mark}" in front_ends() for mark in ("'", '"')):
        return True
    family, _, word = code.partition(".")
    return family in COMPOSED and (word in uttered() or f".{word}" in uttered())


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_code_that_is_raised_has_its_sentences() -> None:
    found = refusals()
    assert len(found) > 100, "the test no longer sees the refusals"
    assert [(where, code) for where, code, _ in found if code not in error_texts()] == []


def test_every_parameter_that_a_sentence_names_is_given() -> None:
    missing = []
    for where, code, given in refusals():
        if given is not None:
            text = error_texts()[code]
            lacking = (placeholders(text.zh) | placeholders(text.en)) - given
            missing += [(where, code, one) for one in sorted(lacking)]
    assert missing == []


def test_every_fault_of_a_configuration_has_its_sentences() -> None:
    named = {one for _, tree in sources() for one in constants(tree) if one.startswith("fault.")}
    assert named
    assert named <= set(error_texts())
    assert {f"fault_at.{one}" for one in HallConfig.__struct_fields__} - set(error_texts()) == {
        f"fault_at.{one}" for one in ("version", "announcements")
    }


def test_no_sentence_waits_for_a_refusal_that_nobody_utters() -> None:
    """``fault_at.<part>`` is composed from the parts of a configuration, ``status.<number>`` from what refusals answer with,
    which other tests name."""
    known = [code for code in error_texts() if not code.startswith(("fault_at.", "status."))]
    assert len(known) > 200, "the test no longer sees the catalogue"
    assert [code for code in known if not is_uttered(code)] == []


@pytest.mark.parametrize("code", sorted(error_texts()))
def test_both_languages_say_something_and_say_it_differently(code: str) -> None:
    text = error_texts()[code]
    assert text.zh.strip()
    assert text.en.strip()
    assert text.zh != text.en
    assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert not re.search(r"[\u4e00-\u9fff]", text.en)
