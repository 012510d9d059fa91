"""Every act that code writes into the audit has a name for people, in Chinese and in English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from console.app.modules import PAGE_PACKAGES
from qingting.kernel.i18n import Catalogue

ROOT = Path(__file__).resolve().parents[3]
ACT = re.compile(r"[a-z_]+(\.[a-z_]+)+")


HELPERS = ("_note", "_note_all", "_done")
"""Methods by which services write with an act that they are given."""


def _texts(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if (
            isinstance(one, ast.Constant)
            and isinstance(one.value, str)
            and ACT.fullmatch(one.value)
        ):
            yield one.value


def _acts_of(tree: ast.Module) -> Iterator[str]:
    """What a call of ``….audit.write`` names, and what a name ``act`` stands for that one is given."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="write" | "write_all", value=owner), args=[_, _, act, *_]
            ):
                if ast.unparse(owner).endswith("audit"):
                    yield from _texts(act)
            case ast.Call(func=ast.Attribute(attr=name), args=[_, _, act, *_]) if name in HELPERS:
                yield from _texts(act)
            case ast.Assign(targets=[ast.Name(id="act")], value=value):
                yield from _texts(value)
            case _:
                pass


def written() -> set[str]:
    found: set[str] = set()
    for path in sorted((ROOT / "console").rglob("*.py")):
        text = path.read_text("utf-8")
        if "audit.write" in text:
            found |= set(_acts_of(ast.parse(text)))
    return found


def test_every_act_in_the_audit_has_words() -> None:
    known = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)
    acts = written()
    assert {"hall.enrol", "account.created", "calendar.day_put"} <= acts
    # The rest of a name that ends so is put in as the program runs.
    assert known.has("audited.hall.fork_accept")
    assert known.has("audited.appointment.listed_black")
    assert known.has("audited.appointment.listed_white")
    whole = [act for act in sorted(acts) if not act.endswith("_")]
    assert [act for act in whole if not known.has(f"audited.{act}")] == []
