"""A value of the configuration as the named inputs of a form, and back. Pure.

An input bears the path to its value: ``rules.classes.0.name``. ``rules.classes.#`` holds the keys of the rows that are
there, in their order, so that a row is added, moved or taken away without renaming any other.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from console.modules.configuration import fields as old
from console.modules.configuration.typed.shapes import (
    THIS,
    Group,
    Kinds,
    Leaf,
    Pairs,
    Rows,
    Shape,
    Sort,
)
from qingting.kernel.web.faulty import FormRefusal

Flat = dict[str, list[str]]
ROWS, KIND, KEY, VALUE = "#", "@", "key", "value"
MOST_ROWS = 200
_MISSING: Any = msgspec.UNSET


def under(name: str, *steps: str) -> str:
    return ".".join((name, *steps))


# ---- to inputs -----------------------------------------------------------------------------------


def fill(shape: Shape, name: str, value: Any) -> Flat:
    """All inputs of ``value`` (plain JSON values); MISSING gives those of an empty form."""
    match shape:
        case Leaf():
            return {name: _shown(shape, value)}
        case Group():
            return _fill_group(shape, name, value)
        case Kinds():
            return _fill_kind(shape, name, value)
        case Rows():
            found: Flat = {}
            entries = value if value is not _MISSING else ()
            for at, one in enumerate(entries):
                found |= fill(shape.of, under(name, str(at)), one)
            return {under(name, ROWS): [str(at) for at in range(len(entries))], **found}
        case Pairs():
            found, pairs = {}, value if value is not _MISSING else {}
            for at, (key, one) in enumerate(pairs.items()):
                found[under(name, str(at), KEY)] = [str(key)]
                found |= fill(shape.value, under(name, str(at), VALUE), one)
            return {under(name, ROWS): [str(at) for at in range(len(pairs))], **found}


def _fill_group(shape: Group, name: str, value: Any) -> Flat:
    found: Flat = {}
    known = _defaults(shape) if value is _MISSING else value
    for field, inner in shape.fields:
        found |= fill(inner, under(name, field), known.get(field, _MISSING))
    return found


def _fill_kind(shape: Kinds, name: str, value: Any) -> Flat:
    if value is None or (value is _MISSING and shape.empty):
        return {under(name, KIND): [""]}
    tag = THIS if not shape.tag_field else shape.kinds[0][0]
    if value is not _MISSING and shape.tag_field:
        tag = value[shape.tag_field]
    group = shape.group(tag)
    assert group is not None
    return {under(name, KIND): [tag], **_fill_group(group, name, value)}


def _defaults(shape: Group) -> dict[str, Any]:
    """What a new record has where nobody says otherwise."""
    found = {}
    for one in msgspec.structs.fields(shape.kind):
        if not one.required:
            value = one.default if one.default is not msgspec.NODEFAULT else one.default_factory()
            found[one.name] = msgspec.to_builtins(value)
    return found


def _shown(leaf: Leaf, value: Any) -> list[str]:
    if value is _MISSING or value is None:
        return []
    match leaf.sort:
        case Sort.REFS | Sort.WEEKDAYS:
            return [str(one) for one in value]
        case Sort.TICK:
            return ["on"] if value else []
        case Sort.NUMBER:
            return [f"{value:g}" if isinstance(value, float) else str(value)]
        case Sort.LINES:
            return ["\n".join(value)]
        case Sort.PERIOD:
            return [old.periods_text([value])]
        case Sort.PERIODS:
            return [old.periods_text(value)]
        case Sort.KEPT:
            return [msgspec.json.encode(value).decode()]
        case _:
            return [str(value)]


# ---- from inputs ---------------------------------------------------------------------------------


def read(shape: Shape, name: str, given: Mapping[str, Sequence[str]]) -> Any:
    """The value that was typed, or ``UNSET`` where nothing was and the type has a value of its own.

    Raises ``form.invalid`` naming the input."""
    match shape:
        case Leaf():
            return _typed(shape, name, given.get(name, ()))
        case Group():
            fields = {
                field: read(inner, under(name, field), given) for field, inner in shape.fields
            }
            return {field: one for field, one in fields.items() if one is not _MISSING}
        case Kinds():
            tag = first(given, under(name, KIND))
            group = shape.group(tag)
            if group is None:
                if shape.empty and not tag:
                    return None
                raise _wrong(under(name, KIND))
            found = read(group, name, given)
            return {shape.tag_field: tag, **found} if shape.tag_field else found
        case Rows():
            rows = [read(shape.of, under(name, key), given) for key in rows_of(given, name)]
            return [one for one in rows if one is not _MISSING]
        case Pairs():
            pairs = {}
            for key in rows_of(given, name):
                one = first(given, under(name, key, KEY))
                if not one or one in pairs:
                    raise _wrong(under(name, key, KEY))
                pairs[one] = read(shape.value, under(name, key, VALUE), given)
            return pairs


def first(given: Mapping[str, Sequence[str]], name: str) -> str:
    values = given.get(name, ())
    return values[0].strip() if values else ""


def rows_of(given: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """Keys of the rows of a list, each once."""
    keys = [one for one in given.get(under(name, ROWS), ()) if one.isdecimal()]
    return list(dict.fromkeys(keys))[:MOST_ROWS]


def _wrong(name: str) -> FormRefusal:
    return FormRefusal(name, frozenset({name}))


def _typed(leaf: Leaf, name: str, given: Sequence[str]) -> Any:
    text = given[0].strip() if given else ""
    if not text and leaf.needed and leaf.sort not in (Sort.REFS, Sort.WEEKDAYS, Sort.TICK):
        raise _wrong(name)
    return _READERS[leaf.sort](leaf, name, given, text)


def _number(leaf: Leaf, name: str, _: Sequence[str], text: str) -> Any:
    if not text:
        return None if leaf.empty else _MISSING
    try:
        number = float(text)
    except ValueError as error:
        raise _wrong(name) from error
    if leaf.whole:
        if not number.is_integer():
            raise _wrong(name)
        return int(number)
    return number


def _reference(leaf: Leaf, name: str, _: Sequence[str], text: str) -> Any:
    if text:
        return text
    return None if leaf.empty else _MISSING


def _period(leaf: Leaf, name: str, _: Sequence[str], text: str) -> Any:
    found = old.periods(name, text)
    if len(found) != 1:
        raise _wrong(name)
    return found[0]


def _id(leaf: Leaf, name: str, _: Sequence[str], text: str) -> str:
    return text or f"x-{secrets.token_hex(4)}"


def _kept(leaf: Leaf, name: str, _: Sequence[str], text: str) -> Any:
    if not text:
        return _MISSING
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise _wrong(name) from error


_Reader = Callable[[Leaf, str, Sequence[str], str], Any]
_READERS: dict[Sort, _Reader] = {
    Sort.TEXT: lambda leaf, name, given, text: text,
    Sort.LONG: lambda leaf, name, given, text: text,
    Sort.NUMBER: _number,
    Sort.TICK: lambda leaf, name, given, text: bool(text),
    Sort.CHOICE: _reference,
    Sort.REF: _reference,
    Sort.REFS: lambda leaf, name, given, text: [one for one in given if one],
    Sort.LINES: lambda leaf, name, given, text: [
        one.strip() for one in text.splitlines() if one.strip()
    ],
    Sort.PERIOD: _period,
    Sort.PERIODS: lambda leaf, name, given, text: old.periods(name, text),
    Sort.WEEKDAYS: lambda leaf, name, given, text: [int(one) for one in given if one.isdecimal()],
    Sort.ID: _id,
    Sort.KEPT: _kept,
}


# ---- rows ----------------------------------------------------------------------------------------


def pressed(shape: Shape, name: str, given: Flat, button: str) -> Flat:
    """The inputs after a button: ``add:<list>``, ``drop:<list>:<key>``, ``up:<list>:<key>``, or ``kind:<record>`` after
    another kind was chosen for it. Any other button changes nothing."""
    act, _, rest = button.partition(":")
    place, _, key = rest.partition(":")
    there = at(shape, name, place, given)
    if act == "kind" and isinstance(there, Kinds):
        group = there.group(first(given, under(place, KIND)))
        return {**_fill_group(group, place, _MISSING), **given} if group is not None else given
    if not isinstance(there, Rows | Pairs):
        return given
    keys, found = rows_of(given, place), dict(given)
    if act == "add" and len(keys) < MOST_ROWS:
        fresh = str(max((int(one) for one in keys), default=-1) + 1)
        found |= _empty_row(there, under(place, fresh))
        keys.append(fresh)
    elif key in keys:
        index = keys.index(key)
        keys.pop(index)
        if act == "up":
            keys.insert(max(0, index - 1), key)
    return {**found, under(place, ROWS): keys}


def _empty_row(shape: Rows | Pairs, name: str) -> Flat:
    if isinstance(shape, Rows):
        return fill(shape.of, name, _MISSING)
    return {under(name, KEY): [], **fill(shape.value, under(name, VALUE), _MISSING)}


def at(shape: Shape, name: str, place: str, given: Mapping[str, Sequence[str]]) -> Shape | None:
    """What stands at ``place`` of a form whose whole is ``shape`` at ``name``."""
    if place == name:
        return shape
    if not place.startswith(name + "."):
        return None
    step = place.removeprefix(name + ".").partition(".")[0]
    inner: Shape | None = None
    match shape:
        case Group():
            inner = dict(shape.fields).get(step)
        case Kinds():
            inner = shape.group(first(given, under(name, KIND)))
            return at(inner, name, place, given) if inner is not None else None
        case Rows():
            inner = shape.of
        case Pairs():
            value = under(name, step, VALUE)
            return at(shape.value, value, place, given)
        case Leaf():
            return None
    return at(inner, under(name, step), place, given) if inner is not None else None


def input_at(path: str, name: str, given: Mapping[str, Sequence[str]]) -> str:
    """The input of a place in a validation message: ``classes[2].weight`` is that of the third row's key."""
    for step, number in re.findall(r"\.?(\w+)|\[(\d+)\]", path):
        if step:
            name = under(name, step)
            continue
        keys = rows_of(given, name)
        name = under(name, keys[int(number)] if int(number) < len(keys) else number)
    return name
