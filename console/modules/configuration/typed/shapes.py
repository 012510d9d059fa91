"""What a form for a type of the configuration consists of, found from the type itself. Pure.

A part of the configuration gets its form from the types that validate it (:mod:`qingting.contract.config`): a field that
is added there is in the form with the next start.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from qingting.contract.calendar import Period


class Sort(StrEnum):
    """How a single value is typed. ``refs``, ``weekdays``: ticked; ``lines``: one a line; ``kept``: not shown at all."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    TICK = "tick"
    CHOICE = "choice"
    REF = "ref"
    REFS = "refs"
    LINES = "lines"
    PERIOD = "period"
    PERIODS = "periods"
    WEEKDAYS = "weekdays"
    ID = "id"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """``of``: what a reference leads to, a list of the configuration or ``classes``, ``areas``, ``groups``.
    ``empty``: it may be left out. ``needed``: it has no value unless one is typed."""

    sort: Sort
    of: str = ""
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    whole: bool = False
    length: int | None = None
    pattern: str = ""
    empty: bool = False
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of a record, in its order."""

    kind: type[msgspec.Struct]
    fields: tuple[tuple[str, "Shape"], ...]


@dataclass(frozen=True, slots=True)
class Kinds:
    """One of several records, told apart by ``tag_field``; an optional record is one of none and itself."""

    tag_field: str
    kinds: tuple[tuple[str, Group], ...]
    empty: bool = False

    def group(self, tag: str) -> Group | None:
        return dict(self.kinds).get(tag)


@dataclass(frozen=True, slots=True)
class Rows:
    """A list whose order counts; ``most`` None: of any length."""

    of: "Shape"
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Pairs:
    """A value for each of some things."""

    key: Leaf
    value: "Shape"


Shape = Leaf | Group | Kinds | Rows | Pairs
THIS = "set"
"""Tag of an optional record that is there."""
_REFERENCES = {
    "DepartmentId": "departments",
    "QueueId": "queues",
    "ItemId": "items",
    "WindowId": "windows",
    "StaffId": "staff",
    "DeviceId": "devices",
}
_BY_NAME = {
    "classes": "classes",
    "first": "classes",
    "second": "classes",
    "areas": "areas",
    "groups": "groups",
    "board_layouts": "layouts",
}
"""Plain texts that name a thing."""
_OF_DEVICES = {
    "board_layouts": "boards",
    "speakers": "speakers",
    "parent": "parents",
    "kiosks": "kiosks",
}
"""Kinds of devices that fields lead to, by their name."""
_KEPT = ("version", "sample", "photo", "utc_offset_minutes")
LONG = 150


@cache
def shape_of(kind: Any, name: str = "") -> Shape:
    """The form of ``kind`` under a field of that name. Raises ``TypeError`` for a type that no form can show."""
    plain, meta = _unwrapped(kind)
    if name in _KEPT:
        return Leaf(sort=Sort.KEPT)
    if name == "id":
        return Leaf(sort=Sort.ID, pattern=meta.get("pattern") or "")
    origin = get_origin(plain)
    if origin in (Union, UnionType):
        return _union(get_args(plain), name)
    if origin is tuple:
        return _several(get_args(plain)[0], name, meta)
    if origin is dict:
        key, value = get_args(plain)
        of = _reference(key, name)
        return Pairs(Leaf(sort=Sort.REF, of=of), shape_of(value, name))
    if plain is Period:
        return Leaf(sort=Sort.PERIOD)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return _group(plain)
    return _leaf(plain, name, meta)


def _unwrapped(kind: Any) -> tuple[Any, dict[str, Any]]:
    meta: dict[str, Any] = {}
    while get_origin(kind) is Annotated:
        kind, *notes = get_args(kind)
        for note in notes:
            if isinstance(note, msgspec.Meta):
                found = {
                    one: getattr(note, one) for one in ("ge", "gt", "le", "pattern", "max_length")
                }
                meta = {**{key: one for key, one in found.items() if one is not None}, **meta}
    return kind, meta


def _reference(kind: Any, name: str) -> str:
    if kind is str:
        return _BY_NAME.get(name, "")
    of = _REFERENCES.get(getattr(kind, "__name__", ""), "")
    return _OF_DEVICES.get(name, of) if of == "devices" else of


def _leaf(kind: Any, name: str, meta: dict[str, Any]) -> Leaf:
    if of := _reference(kind, name):
        return Leaf(sort=Sort.REF, of=of)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Leaf(sort=Sort.CHOICE, options=tuple(one.value for one in kind))
    if kind is bool:
        return Leaf(sort=Sort.TICK)
    if kind in (int, float):
        low = meta.get("ge", meta.get("gt"))
        return Leaf(sort=Sort.NUMBER, low=low, high=meta.get("le"), whole=kind is int)
    if kind is str:
        length = meta.get("max_length")
        sort = Sort.LONG if length and length >= LONG else Sort.TEXT
        return Leaf(sort=sort, length=length, pattern=meta.get("pattern") or "")
    raise TypeError(f"{name}: no form shows {kind}")


def _union(kinds: tuple[Any, ...], name: str) -> Shape:
    rest = [one for one in kinds if one is not NoneType]
    empty = len(rest) < len(kinds)
    if len(rest) == 1:
        inner = shape_of(rest[0], name)
        if isinstance(inner, Leaf):
            return _optional(inner)
        if isinstance(inner, Group):
            return Kinds("", ((THIS, inner),), empty=True)
        raise TypeError(f"{name}: no form shows an optional list")
    groups = tuple((str(one.__struct_config__.tag), _group(one)) for one in rest)
    return Kinds(rest[0].__struct_config__.tag_field, groups, empty)


def _optional(leaf: Leaf) -> Leaf:
    fields = {one: getattr(leaf, one) for one in leaf.__slots__}
    return Leaf(**{**fields, "empty": True})


def _several(kind: Any, name: str, meta: dict[str, Any]) -> Shape:
    plain, _ = _unwrapped(kind)
    if plain is Period:
        return Leaf(sort=Sort.PERIODS)
    if name == "weekdays":
        return Leaf(sort=Sort.WEEKDAYS)
    if of := _reference(plain, name):
        return Leaf(sort=Sort.REFS, of=of)
    inner = shape_of(kind, name)
    if isinstance(inner, Leaf) and inner.sort is Sort.TEXT:
        return Leaf(sort=Sort.LINES)
    return Rows(inner, meta.get("max_length"))


def _group(kind: type[msgspec.Struct]) -> Group:
    fields = []
    for one in msgspec.structs.fields(kind):
        inner = shape_of(one.type, one.name)
        if isinstance(inner, Leaf) and one.required and inner.sort not in (Sort.KEPT, Sort.ID):
            known = {name: getattr(inner, name) for name in inner.__slots__}
            inner = Leaf(**{**known, "needed": True})
        fields.append((one.name, inner))
    return Group(kind, tuple(fields))
