"""Differences of configurations: what is found is all there is, and two people's work comes together or is shown."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from console.modules.configuration.difference import (
    MISSING,
    Change,
    Kind,
    apply,
    conflicts,
    diff,
    merge,
    value_at,
)
from qingting.contract.examples import CONFIG

KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(2, 4), st.sampled_from(["x", "y"]))


def things(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of things with ids, each once, in any order."""
    fields = st.dictionaries(KEYS, inner, max_size=2)
    return st.dictionaries(st.sampled_from("klmn"), fields, max_size=4).flatmap(
        lambda known: st.permutations([{"id": key, **one} for key, one in known.items()])
    )


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(SCALARS, max_size=2), st.dictionaries(KEYS, inner, max_size=3), things(inner)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=3)


@settings(max_examples=60)
@given(DOCUMENTS, DOCUMENTS)
def test_what_differs_applied_to_the_one_gives_the_other(a: Any, b: Any) -> None:
    before = msgspec.json.encode(a)
    assert apply(diff(a, b), a) == b
    assert msgspec.json.encode(a) == before, "the document itself is not touched"


@settings(max_examples=30)
@given(DOCUMENTS)
def test_a_document_differs_from_itself_in_nothing(a: Any) -> None:
    assert diff(a, a) == []


@settings(max_examples=60)
@given(DOCUMENTS, DOCUMENTS)
def test_who_changed_alone_is_followed_whoever_it_was(base: Any, changed: Any) -> None:
    assert conflicts(base, changed, base) == conflicts(base, base, changed) == []
    assert merge(base, changed, base) == changed
    assert merge(base, base, changed) == changed
    assert merge(base, changed, changed) == changed


@settings(max_examples=60)
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_nothing_that_either_changed_is_lost_unless_it_is_shown_as_a_conflict(
    base: Any, mine: Any, theirs: Any
) -> None:
    contested = [one.path for one in conflicts(base, mine, theirs)]
    theirs_hold, mine_hold = (
        merge(base, mine, theirs),
        merge(base, mine, theirs, keep_mine=contested),
    )
    for merged, ours in ((theirs_hold, theirs), (mine_hold, mine)):
        for place in contested:
            assert plain(value_at(merged, place)) == plain(value_at(ours, place))
    for change in diff(base, theirs):
        if change.kind is not Kind.ORDER:
            assert plain(value_at(theirs_hold, change.path)) == plain(
                value_at(theirs, change.path)
            ) or touched(diff(base, mine), change)
    for change in diff(base, mine):
        if change.kind is not Kind.ORDER and not any(
            change.path[: len(place)] == place for place in contested
        ):
            assert plain(value_at(mine_hold, change.path)) == plain(value_at(mine, change.path))


def plain(value: Any) -> Any:
    """The order of things is another matter."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return sorted((plain(one) for one in value), key=repr)
    return value


def touched(changes: list[Change], change: Change) -> bool:
    """The other one changed something inside."""
    return any(one.path[: len(change.path)] == change.path for one in changes)


def document() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(CONFIG))
    return found


def test_a_window_that_moved_and_was_renamed_is_named_by_its_id() -> None:
    a, b = document(), document()
    b["windows"].reverse()
    b["windows"][0]["place"] = "二楼"
    key = b["windows"][0]["id"]
    kinds = {(one.kind, one.path) for one in diff(a, b)}
    assert (Kind.SET, ("windows", key, "place")) in kinds
    assert all(path[0] == "windows" for _, path in kinds)


def test_an_entry_that_one_removed_and_the_other_changed_is_a_conflict() -> None:
    base, mine, theirs = document(), document(), document()
    key = mine["windows"].pop()["id"]
    theirs["windows"][-1]["name"] = "改名"
    (one,) = conflicts(base, mine, theirs)
    assert (one.path, one.mine) == (("windows", key), MISSING)
    assert merge(base, mine, theirs) == theirs
    assert merge(base, mine, theirs, keep_mine=[one.path]) == mine
