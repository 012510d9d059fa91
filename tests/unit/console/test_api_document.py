"""What the open API promises before anything runs: one document, the same as committed, and scopes as written down."""

import re
from pathlib import Path

import msgspec
import pytest

from console.app.modules import MODULES
from console.app.openapi import COPY, declared, served
from console.core.api import BASE
from console.core.permissions import Permission
from qingting.contract.errors import error_texts

MATRIX = (Path(__file__).resolve().parents[3] / "docs" / "permissions.md").read_text("utf-8")
LINE = re.compile(rf"^\| `([A-Z]+) {BASE}(\S+)` \| `(\S+)` \|$", re.M)
CONTEXT = declared()
DOCUMENT = msgspec.json.decode(served())


def test_the_committed_document_is_what_the_program_serves() -> None:
    assert COPY.read_bytes() == served(), "python -m console.app.openapi"


def test_every_call_needs_the_scope_that_is_written_down() -> None:
    calls = {(one.method, one.path, one.scope.name) for one in CONTEXT.calls}
    assert set(LINE.findall(MATRIX)) == calls


def test_the_gateway_stands_last_and_so_misses_no_declaration() -> None:
    assert MODULES[-1].name == "gateway"


def test_every_scope_stands_for_a_function_and_one_name_for_one_scope() -> None:
    scopes = [one.scope for one in (*CONTEXT.calls, *CONTEXT.events.types.values())]
    assert {one.permission for one in scopes} <= set(Permission)
    assert len({one.name for one in scopes}) == len(set(scopes))


@pytest.mark.parametrize("call", CONTEXT.calls, ids=lambda one: one.name)
def test_a_call_is_described_in_both_languages_with_every_error_it_may_answer(call) -> None:  # type: ignore[no-untyped-def]
    described = DOCUMENT["paths"][call.path][call.method.lower()]
    for text in (call.summary, call.purpose):
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
        assert text.en.isascii()
    codes = {code for one in described["responses"].values() for code in one.get("x-codes", ())}
    assert set(call.errors) <= codes
    for code in codes:
        assert str(error_texts()[code].status) in described["responses"]
    for one in msgspec.structs.fields(call.params):
        limits = next(p for p in described["parameters"] if p["name"] == one.name)["schema"]
        assert "x-zh" in limits or "$ref" in limits or "anyOf" in limits, one.name


@pytest.mark.parametrize("call", CONTEXT.calls, ids=lambda one: one.name)
def test_every_parameter_has_a_limit(call) -> None:  # type: ignore[no-untyped-def]
    """Nothing without bounds gets as far as the database."""
    for one in msgspec.structs.fields(call.params):
        described = DOCUMENT["paths"][call.path][call.method.lower()]["parameters"]
        schema = next(p for p in described if p["name"] == one.name)["schema"]
        for branch in schema.get("anyOf", [schema]):
            if branch.get("type") == "string" and "enum" not in branch and "format" not in branch:
                assert "pattern" in branch or "maxLength" in branch, one.name
            if branch.get("type") == "integer":
                assert {"minimum", "maximum"} <= set(branch), one.name


def test_every_shape_is_referred_to_by_a_name_that_exists() -> None:
    text = served().decode()
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert name in DOCUMENT["components"]["schemas"]
