"""The editor of a board layout as a plain form: slots with parts, kept as typed until they are right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from multidict import MultiMapping

from qingting.contract.errors import Refusal
from qingting.contract.layouts import STRIP_KINDS, BoardLayout, LayoutFault

Values = dict[str, str]
"""Fields as typed."""
MAX_SLOTS, MAX_PARTS = 40, 6
_OF_LAYOUT = (
    "name",
    "name_en",
    "kind",
    "of",
    "rows",
    "earlier",
    "aloud",
    "height",
    "width",
    "lamps",
)
_OF_SLOT = ("zone", "line", "motion", "seconds", "repeats", "every_seconds", "starts", "ends")
_OF_PART = ("what", "text", "text_en", "size", "colour", "align", "share", "under", "lang")
_LISTS = ("areas", "windows", "departments", "languages", "boards")
FRESH_SLOT: Values = {
    "zone": "foot",
    "line": "1",
    "motion": "static",
    "seconds": "8",
    "repeats": "0",
    "every_seconds": "0",
}
FRESH_PART: Values = {
    "what": "text",
    "size": "normal",
    "colour": "text",
    "align": "left",
    "share": "0",
}


@dataclass(slots=True)
class SlotForm:
    """One slot: its own fields, and those of each part."""

    values: Values
    parts: list[Values] = field(default_factory=list)


@dataclass(slots=True)
class BoardForm:
    """All fields as typed. ``base`` is the version of the configuration that was edited, ``lists`` what was
    ticked, ``sample`` what the preview shows (``calls`` or ``quiet``)."""

    id: str
    base: int
    values: Values
    lists: dict[str, list[str]]
    slots: list[SlotForm]
    sample: str = "calls"

    @property
    def is_strip(self) -> bool:
        return self.values.get("kind") in {kind.value for kind in STRIP_KINDS}

    def layout(self) -> tuple[BoardLayout | None, list[LayoutFault]]:
        """The layout, or what cannot be read, with the number of the slot."""
        try:
            return msgspec.convert(self._raw(), BoardLayout, strict=False), []
        except msgspec.ValidationError as error:
            return None, [_unreadable(str(error))]

    def _raw(self) -> dict[str, Any]:
        values = self.values
        raw: dict[str, Any] = {
            "id": self.id,
            "name": values.get("name", ""),
            "name_en": values.get("name_en", ""),
            "kind": values.get("kind", ""),
            "scope": self._scope(),
            "rows": values.get("rows", ""),
            "earlier": values.get("earlier", "") or "0",
            "aloud": values.get("aloud") == "on",
            "languages": self.lists["languages"] or ["zh-CN"],
            "slots": [_slot(one) for one in self.slots],
        }
        if self.is_strip:
            raw["matrix"] = {name: values.get(name, "") for name in ("height", "width", "lamps")}
        return raw

    def _scope(self) -> dict[str, Any]:
        of = self.values.get("of", "hall")
        if of in ("areas", "windows", "departments"):
            return {"of": of, of: self.lists[of]}
        return {"of": of}


def _slot(slot: SlotForm) -> dict[str, Any]:
    own = {name: value for name, value in slot.values.items() if value != ""}
    return own | {"parts": [_part(one) for one in slot.parts]}


def _part(values: Values) -> dict[str, Any]:
    raw: dict[str, Any] = {name: value for name, value in values.items() if value != ""}
    raw["under"] = values.get("under") == "on"
    if raw.get("what") not in ("text", "notice"):
        # Typed for another content before; not shown, so not asked about.
        raw.pop("text", None)
        raw.pop("text_en", None)
    return raw


_TITLES = {"name": "title"}
"""Fields whose name is also that of a content."""


def _unreadable(message: str) -> LayoutFault:
    """``Expected `int` … - at `$.slots[2].seconds` `` → slot 3, field ``seconds``."""
    path = message.rpartition("`$.")[2].rstrip("`") if "`$." in message else ""
    slot = 0
    if path.startswith("slots["):
        slot = int(path.removeprefix("slots[").partition("]")[0]) + 1
    name = path.rpartition(".")[2].partition("[")[0]
    return LayoutFault("unreadable", _TITLES.get(name, name) or "title", slot)


# ---- in and out ---------------------------------------------------------------------------------


def form_of(layout: BoardLayout, base: int, boards: list[str]) -> BoardForm:
    """The form that edits ``layout``, which ``boards`` show."""
    raw: dict[str, Any] = msgspec.to_builtins(layout)
    scope, matrix = raw["scope"], raw["matrix"] or {"height": 16, "width": 128, "lamps": "single"}
    values = {name: str(raw[name]) for name in ("name", "name_en", "kind", "rows", "earlier")}
    values |= {name: str(value) for name, value in matrix.items()} | {"of": scope["of"]}
    if layout.aloud:
        values["aloud"] = "on"
    lists: dict[str, list[str]] = {name: list(scope.get(name, ())) for name in _LISTS}
    lists |= {"languages": [one.value for one in layout.languages], "boards": boards}
    slots = [
        SlotForm(_values(slot, _OF_SLOT), [_values(part, _OF_PART) for part in slot["parts"]])
        for slot in raw["slots"]
    ]
    return BoardForm(layout.id, base, values, lists, slots)


def _values(raw: Mapping[str, Any], names: tuple[str, ...]) -> Values:
    values = {}
    for name in names:
        value = raw[name]
        if isinstance(value, bool):
            values[name] = "on" if value else ""
        elif isinstance(value, float) and value.is_integer():
            values[name] = str(int(value))
        else:
            values[name] = "" if value is None else str(value)
    return values


def read(layout: str, data: MultiMapping[Any]) -> BoardForm:
    """The form as it was sent. Raises ``form.invalid`` for names that it never had."""

    def many(name: str) -> list[str]:
        return [one for one in data.getall(name, ()) if isinstance(one, str) and one]

    def one(name: str) -> str:
        return (many(name) or [""])[-1].strip()

    base = one("base")
    return BoardForm(
        id=layout,
        base=int(base) if base.isdecimal() else 0,
        values={name: one(name) for name in _OF_LAYOUT},
        lists={name: many(name) for name in _LISTS},
        slots=_read_slots(data),
        sample=one("sample") or "calls",
    )


def _read_slots(data: MultiMapping[Any]) -> list[SlotForm]:
    slots: dict[int, SlotForm] = {}
    parts: dict[tuple[int, int], Values] = {}
    for key, value in data.items():
        kind, _, rest = key.partition("-")
        if kind not in ("slot", "part") or not isinstance(value, str):
            continue
        slot, part, name = _place(kind, rest)
        if kind == "slot":
            slots.setdefault(slot, SlotForm({})).values[name] = value.strip()
        else:
            parts.setdefault((slot, part), {})[name] = value.strip()
    for (slot, _), values in sorted(parts.items(), key=lambda one: one[0]):
        slots.setdefault(slot, SlotForm({})).parts.append(values)
    return [slots[number] for number in sorted(slots)]


def _place(kind: str, rest: str) -> tuple[int, int, str]:
    """``3-seconds`` or ``3-0-text``: slot, part and field."""
    pieces = rest.split("-")
    numbers, name = pieces[:-1], pieces[-1]
    wanted, names = (1, _OF_SLOT) if kind == "slot" else (2, _OF_PART)
    if len(numbers) != wanted or name not in names or not all(map(str.isdecimal, numbers)):
        raise Refusal("form.invalid", field=f"{kind}-{rest}"[:40])
    slot, part = int(numbers[0]), int(numbers[-1])
    if slot >= MAX_SLOTS or (kind == "part" and part >= MAX_PARTS):
        raise Refusal("form.invalid", field=f"{kind}-{rest}"[:40])
    return slot, part if kind == "part" else 0, name


# ---- buttons of the lists -----------------------------------------------------------------------


def press(form: BoardForm, button: str) -> None:
    """``slot-add:foot``, ``slot-up:3``, ``slot-drop:3``, ``part-add:3``, ``part-up:3:1``, ``part-drop:3:1``.

    A button that does not fit the form changes nothing.
    """
    what, _, where = button.partition(":")
    kind, _, verb = what.partition("-")
    if what == "slot-add" and len(form.slots) < MAX_SLOTS:
        form.slots.append(SlotForm(FRESH_SLOT | {"zone": where or "foot"}, [dict(FRESH_PART)]))
        return
    numbers = [int(one) for one in where.split(":") if one.isdecimal()]
    if not numbers or numbers[0] >= len(form.slots):
        return
    if kind == "slot":
        _move(form.slots, numbers[0], verb)
        return
    parts = form.slots[numbers[0]].parts
    if what == "part-add" and len(parts) < MAX_PARTS:
        parts.append(dict(FRESH_PART))
    elif len(numbers) == 2 and (verb != "drop" or len(parts) > 1):
        _move(parts, numbers[1], verb)


def _move(things: list[Any], at: int, verb: str) -> None:
    if at >= len(things):
        return
    if verb == "drop":
        del things[at]
    other = {"up": at - 1, "down": at + 1}.get(verb, -1)
    if 0 <= other < len(things):
        things[at], things[other] = things[other], things[at]
