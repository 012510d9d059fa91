"""A form as its template draws it: labels, options and hints of each input. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.modules.configuration.packing import Document
from console.modules.configuration.typed.flat import KEY, KIND, VALUE, Flat, first, rows_of, under
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

Options = Sequence[tuple[str, str]]
Say = Callable[[str], str]
"""A text of the catalogue; the last part of its key where there is none."""
_NUMBERED = ("number", "prefix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``draws``: which input or frame the template draws; ``row`` the key of a row in its list."""

    draws: str
    name: str
    label: str
    values: Sequence[str] = ()
    options: Options = ()
    hint: str = ""
    leaf: Leaf | None = None
    fixed: bool = False
    row: str = ""
    full: bool = False
    inner: Sequence["Node"] = field(default_factory=tuple)

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


@dataclass(frozen=True, slots=True)
class Artist:
    """Draws forms over ``document``, whose things references lead to. ``part`` chooses texts of its own where the same
    field means another thing; ``kept``: ids that exist, which nobody renames."""

    document: Document
    part: str
    say: Say
    zh: bool
    kept: frozenset[tuple[str, str]] = frozenset()

    def draw(self, shape: Shape, name: str, given: Flat) -> Node:
        """The form of ``shape``; the frame of the whole has no label of its own."""
        return self._node(shape, name, given, "")

    def _node(self, shape: Shape, name: str, given: Flat, label: str) -> Node:
        match shape:
            case Leaf():
                return self._leaf(shape, name, given, label)
            case Group():
                return Node(
                    draws="group", name=name, label=label, inner=self._fields(shape, name, given)
                )
            case Kinds():
                return self._kinds(shape, name, given, label)
            case Rows():
                inner = [
                    self._row(
                        self._node(
                            shape.of,
                            under(name, key),
                            given,
                            label if isinstance(shape.of, Leaf) else "",
                        ),
                        key,
                        number,
                    )
                    for number, key in enumerate(rows_of(given, name), 1)
                ]
                full = shape.most is not None and len(inner) >= shape.most
                return Node(draws="rows", name=name, label=label, inner=inner, full=full)
            case Pairs():
                inner = [self._pair(shape, name, key, given) for key in rows_of(given, name)]
                return Node(draws="rows", name=name, label=label, inner=inner)

    def _row(self, node: Node, key: str, number: int) -> Node:
        return Node(draws="row", name=node.name, label=str(number), row=key, inner=(node,))

    def _pair(self, shape: Pairs, name: str, key: str, given: Flat) -> Node:
        place = under(name, key)
        parts = [
            self._leaf(shape.key, under(place, KEY), given, self._label("key")),
            self._node(shape.value, under(place, VALUE), given, self._label("value")),
        ]
        frame = Node(draws="group", name=place, label="", inner=parts)
        return Node(draws="row", name=place, label="", row=key, inner=(frame,))

    def _fields(self, shape: Group, name: str, given: Flat) -> list[Node]:
        return [
            self._node(inner, under(name, one), given, self._label(one))
            for one, inner in shape.fields
        ]

    def _label(self, one: str) -> str:
        own = self.say(f"conf.f.{self.part}.{one}")
        return own if own != one else self.say(f"conf.f.{one}")

    def _kinds(self, shape: Kinds, name: str, given: Flat, label: str) -> Node:
        tag = first(given, under(name, KIND))
        word = shape.tag_field or THIS
        options = [(one, self.say(f"conf.v.{word}.{one}")) for one, _ in shape.kinds]
        if shape.empty:
            options = [("", self.say("conf.none_of")), *options]
        group = shape.group(tag)
        inner = self._fields(group, name, given) if group is not None else ()
        return Node(
            draws="kinds", name=name, label=label, values=(tag,), options=options, inner=inner
        )

    def _leaf(self, leaf: Leaf, name: str, given: Flat, label: str) -> Node:
        values = given.get(name, ())
        return Node(
            draws=leaf.sort.value,
            name=name,
            label=label,
            values=values,
            options=self._options(leaf, name, values),
            hint=self._hint(leaf),
            leaf=leaf,
            fixed=leaf.sort is Sort.ID and (name, values[0] if values else "") in self.kept,
        )

    def _hint(self, leaf: Leaf) -> str:
        if leaf.sort is Sort.NUMBER and leaf.high is not None:
            return f"{leaf.low or 0:g}–{leaf.high:g}"
        if leaf.sort in (Sort.LINES, Sort.PERIOD, Sort.PERIODS, Sort.ID):
            return self.say(f"conf.hint.{leaf.sort}")
        if r"T([01]" in leaf.pattern:
            return self.say("conf.hint.moment")
        return self.say("conf.hint.clock") if "[0-5]" in leaf.pattern else ""

    # ---- what is chosen from --------------------------------------------------------------------

    def _options(self, leaf: Leaf, name: str, values: Sequence[str]) -> Options:
        if leaf.sort is Sort.WEEKDAYS:
            return [(str(day), self.say(f"conf.day.{day}")) for day in range(1, 8)]
        if leaf.sort is Sort.CHOICE:
            step = next(one for one in reversed(name.split(".")) if not one.isdecimal())
            options = [(one, self.say(f"conf.v.{step}.{one}")) for one in leaf.options]
            return [("", self.say("conf.none_of")), *options] if leaf.empty else options
        if leaf.sort not in (Sort.REF, Sort.REFS):
            return ()
        known = list(self._things(leaf.of))
        # Things that joined by pairing are named by no configuration: what refers to them must not get lost.
        known += [(one, one) for one in values if one and one not in dict(known)]
        if leaf.sort is Sort.REFS:
            return known
        return [("", self.say("conf.none_of" if leaf.empty else "conf.choose_thing")), *known]

    def _things(self, of: str) -> Options:
        document = self.document
        if of == "classes":
            return [(one["id"], self._called(one)) for one in document["rules"]["classes"]]
        if of == "areas":
            return _words(one["area"] for one in document["windows"])
        if of == "groups":
            return _words(one["group"] for one in document["items"])
        kinds = _DEVICES.get(of)
        things = document["devices"] if kinds is not None else document[of]
        return [
            (one["id"], self._called(one)) for one in things if not kinds or one["kind"] in kinds
        ]

    def _called(self, one: Mapping[str, Any]) -> str:
        name = one["name"] if self.zh else one.get("name_en") or one["name"]
        sign = next((one[mark] for mark in _NUMBERED if one.get(mark)), "")
        return f"{sign} {name}".strip()


_DEVICES = {
    "kiosks": ("kiosk",),
    "boards": ("board", "led"),
    "speakers": ("speaker",),
    "parents": ("kiosk", "agent"),
    "devices": (),
}
"""Devices that a reference leads to; empty: any."""


def _words(found: Any) -> Options:
    return [(one, one) for one in dict.fromkeys(found) if one]
