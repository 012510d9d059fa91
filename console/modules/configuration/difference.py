"""Differences between two documents, applying them, and bringing together what two people changed. Pure.

A document is what JSON can say. Lists whose entries all have an ``id`` are compared entry by entry, whatever their
order; every other list is one value.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Path = tuple[str, ...]
"""Keys and, inside a list of things with ids, their ids."""


class Kind(StrEnum):
    """``set``: a value became another, or came; ``unset``: a key went; ``added`` and ``removed``: a thing of a
    list; ``order``: a list has its things in another order."""

    SET = "set"
    UNSET = "unset"
    ADDED = "added"
    REMOVED = "removed"
    ORDER = "order"


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""Stands for what is not there."""


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` and ``after``: values, :data:`MISSING`, or for an order all ids in it."""

    kind: Kind
    path: Path
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """What two people made of the same place; :data:`MISSING` where one took it away."""

    path: Path
    base: Any
    mine: Any
    theirs: Any


def diff(before: Any, after: Any) -> list[Change]:
    """Every difference; applied to ``before`` they give ``after`` (:func:`apply`)."""
    return list(_diff(before, after, ()))


def apply(changes: Iterable[Change], document: Any) -> Any:
    """A copy of ``document`` with ``changes``. Raises ``LookupError`` where their place is not there."""
    root = {"": copy.deepcopy(document)}
    for change in changes:
        _apply(root, change)
    return root[""]


def value_at(document: Any, path: Path) -> Any:
    """What is at ``path``, or :data:`MISSING`."""
    found = document
    for step in path:
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and (entry := _entry(found, step)) is not None:
            found = entry
        else:
            return MISSING
    return found


def conflicts(base: Any, mine: Any, theirs: Any) -> list[Conflict]:
    """Places that both changed, each otherwise; the outermost place of what belongs together."""
    ours, others = diff(base, mine), diff(base, theirs)
    places = {min(a.path, b.path, key=len) for a in ours for b in others if a != b and _clash(a, b)}
    outer = [one for one in places if not any(_within(one, other) for other in places - {one})]
    return [
        Conflict(one, value_at(base, one), value_at(mine, one), value_at(theirs, one))
        for one in sorted(outer)
    ]


def merge(base: Any, mine: Any, theirs: Any, *, keep_mine: Iterable[Path] = ()) -> Any:
    """``theirs`` with what ``mine`` changed. In a conflict theirs holds, except at the places ``keep_mine``."""
    contested = [one.path for one in conflicts(base, mine, theirs)]
    known = diff(base, theirs)
    merged = apply(
        (
            one
            for one in diff(base, mine)
            if one not in known and not any(_within(one.path, place) for place in contested)
        ),
        theirs,
    )
    for place in set(keep_mine) & set(contested):
        merged = _put(merged, place, value_at(mine, place))
    return merged


# ---- finding -------------------------------------------------------------------------------------


def _diff(before: Any, after: Any, path: Path) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_fields(before, after, path)
    elif _things(before) and _things(after) and (before or after):
        yield from _of_things(before, after, path)
    elif before != after:
        yield Change(Kind.SET, path, before, after)


def _of_fields(before: dict[str, Any], after: dict[str, Any], path: Path) -> Iterator[Change]:
    for key, value in before.items():
        if key not in after:
            yield Change(Kind.UNSET, (*path, key), value, MISSING)
        else:
            yield from _diff(value, after[key], (*path, key))
    for key, value in after.items():
        if key not in before:
            yield Change(Kind.SET, (*path, key), MISSING, value)


def _of_things(before: list[Any], after: list[Any], path: Path) -> Iterator[Change]:
    old, new = {one["id"]: one for one in before}, {one["id"]: one for one in after}
    for key, one in old.items():
        if key not in new:
            yield Change(Kind.REMOVED, (*path, key), one, MISSING)
        else:
            yield from _diff(one, new[key], (*path, key))
    for key, one in new.items():
        if key not in old:
            yield Change(Kind.ADDED, (*path, key), MISSING, one)
    left = [one for one in old if one in new] + [one for one in new if one not in old]
    if left != list(new):
        yield Change(Kind.ORDER, path, tuple(left), tuple(new))


def _things(value: Any) -> bool:
    """A list whose entries say who they are, each another."""
    if not isinstance(value, list):
        return False
    ids = [one.get("id") if isinstance(one, dict) else None for one in value]
    return all(isinstance(one, str) and one for one in ids) and len(set(ids)) == len(ids)


def _clash(a: Change, b: Change) -> bool:
    if Kind.ORDER in (a.kind, b.kind):
        return a.kind is b.kind and a.path == b.path
    return _within(a.path, b.path) or _within(b.path, a.path)


def _within(path: Path, place: Path) -> bool:
    return path[: len(place)] == place


# ---- changing ------------------------------------------------------------------------------------


def _apply(root: dict[str, Any], change: Change) -> None:
    if change.kind is Kind.ORDER:
        things = value_at(root, ("", *change.path))
        if not isinstance(things, list):
            raise LookupError(change.path)
        places = {key: at for at, key in enumerate(change.after)}
        things.sort(key=lambda one: places.get(one["id"], len(places)))
        return
    gone = change.kind in (Kind.UNSET, Kind.REMOVED)
    _set(root, ("", *change.path), MISSING if gone else change.after)


def _put(document: Any, path: Path, value: Any) -> Any:
    root = {"": copy.deepcopy(document)}
    _set(root, ("", *path), value)
    return root[""]


def _set(root: dict[str, Any], path: Path, value: Any) -> None:
    holder, step = value_at(root, path[:-1]), path[-1]
    known = _entry(holder, step) if isinstance(holder, list) else None
    if isinstance(holder, dict):
        if value is MISSING:
            del holder[step]
        else:
            holder[step] = copy.deepcopy(value)
    elif value is MISSING and known is not None:
        holder.remove(known)
    elif value is not MISSING and isinstance(holder, list):
        at = len(holder) if known is None else holder.index(known)
        holder[at : at + 1] = [copy.deepcopy(value)]
    else:
        raise LookupError(path)


def _entry(things: Sequence[Any], key: str) -> Mapping[str, Any] | None:
    return next((one for one in things if isinstance(one, dict) and one.get("id") == key), None)
