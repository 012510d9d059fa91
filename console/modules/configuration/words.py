"""Differences in the words of people: what of which thing was what and becomes what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.modules.configuration.difference import (
    MISSING,
    Change,
    Conflict,
    Kind,
    Path,
    value_at,
)
from console.modules.configuration.packing import Document
from qingting.contract.states import Language

_REFERENCES = {
    "department": "departments",
    "queue": "queues",
    "queues": "queues",
    "window": "windows",
    "staff": "staff",
    "parent": "devices",
    "items": "items",
    "departments": "departments",
    "windows": "windows",
    "kiosks": "devices",
    "hot": "items",
    "layout": "layouts",
}
"""Fields that name another thing by its id, and where that is."""
_SHORT = 60


@dataclass(frozen=True, slots=True)
class Line:
    """``part`` and ``field`` in words, ``thing`` as people call it; ``before`` and ``after`` empty: nothing there."""

    kind: str
    part: str
    thing: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A conflict to decide. ``key`` names its place in the form."""

    key: str
    line: Line
    mine: str
    theirs: str


class Wording:
    """Says changes from ``before`` to ``after``, which know the names of things. ``say`` gives a text of the
    catalogue, or the last part of its key where there is none."""

    def __init__(
        self, before: Document, after: Document, say: Callable[[str], str], language: Language
    ) -> None:
        self._documents = (after, before)
        self._say = say
        self._zh = language is Language.ZH

    def lines(self, changes: Sequence[Change]) -> list[Line]:
        """In the order of the parts."""
        return [self._line(one) for one in changes]

    def choices(self, found: Sequence[Conflict]) -> list[Choice]:
        return [self._choice(one) for one in found]

    def _choice(self, one: Conflict) -> Choice:
        kind = Kind.SET
        change = Change(kind, one.path, one.base, one.mine)
        return Choice(
            "/".join(one.path),
            self._line(change),
            self._whole(one.path, one.mine),
            self._whole(one.path, one.theirs),
        )

    def _whole(self, path: Path, value: Any) -> str:
        if value is MISSING:
            return self._say("conf.gone")
        return self.value(path[-1], value)

    def _line(self, change: Change) -> Line:
        part, rest = change.path[0], change.path[1:]
        thing, field = self._place(change.path)
        kind, before, after = change.kind.value, "", ""
        if change.kind is Kind.ORDER:
            kind, before, after = (
                "order",
                *(
                    self._between([self._called((*change.path, one)) for one in ids])
                    for ids in (change.before, change.after)
                ),
            )
        elif change.kind in (Kind.SET, Kind.UNSET):
            kind = "changed"
            name = rest[-1] if rest else part
            if part == "board_layouts" and rest:
                thing, field, name = self._called(("devices", name)), "", "layout"
            before, after = (
                "" if one is MISSING else self.value(name, one)
                for one in (change.before, change.after)
            )
        return Line(kind, self._say(f"conf.part.{part}"), thing, field, before, after)

    def _place(self, path: Path) -> tuple[str, str]:
        """The outermost thing by its name, and the words of the fields inside it."""
        thing, fields = "", []
        for at in range(1, len(path)):
            here = value_at(self._documents[0], path[:at])
            here = value_at(self._documents[1], path[:at]) if here is MISSING else here
            if isinstance(here, list):
                name = self._called(path[: at + 1])
                if thing:
                    fields.append(name)
                thing = thing or name
            else:
                fields.append(self._say(f"conf.f.{path[at]}"))
        return thing, " · ".join(fields)

    def _called(self, path: Path) -> str:
        """What people call a thing, whichever document still has it."""
        for document in self._documents:
            one = value_at(document, path)
            if isinstance(one, dict):
                name = str(one.get("name", ""))
                if not self._zh:
                    name = str(one.get("name_en") or name)
                number = one.get("number") or one.get("prefix")
                return f"{number} {name}".strip() if number else name or path[-1]
        return path[-1]

    def called(self, part: str, one: Mapping[str, Any]) -> str:
        """What people call an entry of a part."""
        return self._called((part, str(one["id"])))

    def value(self, field: str, value: Any) -> str:
        """A value in words; a long text is cut."""
        if value is None or value in ("", [], {}):
            return "—"
        if isinstance(value, bool):
            return self._say("conf.yes" if value else "conf.no")
        if isinstance(value, dict):
            return self._record(value)
        if isinstance(value, list):
            if field == "weekdays":
                return self._between([self._say(f"conf.day.{one}") for one in value])
            return self._between([self.value(field, one) for one in value])
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if field in _REFERENCES:
            return self._called((_REFERENCES[field], text))
        if field in ("classes", "first", "second"):
            return self._called(("rules", "classes", text))
        said = self._say(f"conf.v.{field}.{text}")
        if said != text.rpartition(".")[2]:
            return said
        return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"

    def _record(self, value: dict[str, Any]) -> str:
        if set(value) == {"start", "end"}:
            return f"{value['start']}–{value['end']}"
        colon = "：" if self._zh else ": "
        known = {key: one for key, one in value.items() if one not in (None, "", [], {})}
        inside = [
            f"{self._say(f'conf.f.{key}')}{colon}{self.value(key, one)}"
            for key, one in known.items()
        ]
        return ("；" if self._zh else "; ").join(inside)

    def _between(self, some: Sequence[str]) -> str:
        return ("、" if self._zh else ", ").join(some)
