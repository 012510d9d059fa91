"""Pure rules of the organisation: what a division's code says, what a reach means."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from console.core.codes import plain
from console.core.divisions import full
from console.core.permissions import CITY, NOWHERE, Area, Reach, ReachKind, Scope, stem
from console.halls.api import Spot
from console.modules.organisation.api import Department, Division, Level
from qingting.contract.errors import Refusal

_CODE = re.compile(r"[0-9]{12}")
_LEVELS = {4: Level.CITY, 6: Level.DISTRICT, 9: Level.TOWN, 12: Level.VILLAGE}


_SPOT = re.compile(r"\s*(-?\d{1,2}(?:\.\d{1,9})?)\s*[,，\s]\s*(-?\d{1,3}(?:\.\d{1,9})?)\s*")


def read_spot(text: str) -> Spot | None:
    """Latitude and longitude in degrees as somebody typed or pasted them, parted by a comma or a space; None for an
    empty text. Raises ``hall.spot``."""
    text = plain(text)
    if not text:
        return None
    found = _SPOT.fullmatch(text)
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise Refusal("hall.spot")
    return Spot(float(found[1]), float(found[2]))


def level_of(code: str) -> Level | None:
    """What a code of twelve digits stands for; None for one that stands for no division of a city."""
    return _LEVELS.get(len(stem(code))) if _CODE.fullmatch(code) else None


def parent_of(code: str) -> str:
    """The code that a division belongs under; empty for a city's."""
    own = stem(code)
    shorter = max((length for length in _LEVELS if length < len(own)), default=0)
    return full(own[:shorter]) if shorter else ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What reaches are drawn on: divisions and departments by their keys, halls by where they stand (division,
    department), each empty where it does not matter."""

    divisions: Mapping[str, Division]
    departments: Mapping[str, Department]
    halls: Mapping[str, tuple[str, str]]

    def knows(self, reach: Reach) -> bool:
        match reach.kind:
            case ReachKind.REGION:
                return reach.target in self.divisions
            case ReachKind.DEPARTMENT:
                return reach.target in self.departments
            case ReachKind.HALL:
                return reach.target in self.halls
            case ReachKind.OWN:
                return not reach.target

    def scope(self, reach: Reach, own: Scope = NOWHERE) -> Scope:
        """Nothing, for a target that is gone; ``own`` is what an own reach means for whoever has it."""
        if not self.knows(reach):
            return NOWHERE
        match reach.kind:
            case ReachKind.REGION:
                return Scope((self._region(self.divisions[reach.target]),))
            case ReachKind.DEPARTMENT:
                return Scope(tuple(self._department(reach.target)))
            case ReachKind.HALL:
                return Scope((Area(halls=frozenset({reach.target})),))
            case ReachKind.OWN:
                return own

    def covers(self, scope: Scope, reach: Reach) -> bool:
        """True when all that ``reach`` means is within ``scope``. Compared as they are drawn, not by the halls of
        today: an empty division may get a hall tomorrow."""
        match reach.kind:
            case ReachKind.REGION:
                known = self.divisions.get(reach.target)
                if known is not None and not known.parent:
                    return scope.everywhere
                return known is not None and scope.has_division(reach.target)
            case ReachKind.DEPARTMENT:
                found = self.departments.get(reach.target)
                return found is not None and scope.has_department(found.id, found.division)
            case ReachKind.HALL:
                return reach.target in self.halls and scope.has(reach.target)
            case ReachKind.OWN:
                return True

    def _region(self, division: Division) -> Area:
        if not division.parent:
            return CITY
        return Area(halls=self._halls_in(division.code), division=stem(division.code))

    def _halls_in(self, code: str) -> frozenset[str] | None:
        known = self.divisions.get(code)
        if known is not None and not known.parent:
            return None
        within = stem(code)
        return frozenset(
            hall
            for hall, (division, _) in self.halls.items()
            if division and stem(division).startswith(within)
        )

    def _department(self, department: str) -> Iterator[Area]:
        """The halls that it runs, and what it does in the other halls of its division; with all below it."""
        tree = below(department, self.departments.values())
        run = frozenset(hall for hall, (_, by) in self.halls.items() if by in tree)
        yield Area(halls=run, departments=tree)
        if codes := frozenset(self.departments[one].code for one in tree) - {""}:
            halls = self._halls_in(self.departments[department].division)
            yield Area(halls=halls, codes=codes)


def below(department: str, departments: Iterable[Department]) -> frozenset[str]:
    """A department with all that belong to it, however deep."""
    children: dict[str, list[str]] = {}
    for one in departments:
        children.setdefault(one.parent, []).append(one.id)
    found, waiting = {department}, [department]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return frozenset(found)


def read_divisions() -> Sequence[Division]:
    """The divisions that come with the program, parents first. Reads a file: call it off the loop."""
    text = files("console.modules.organisation").joinpath("divisions.toml").read_text("utf-8")
    data = tomllib.loads(text)
    rows = [(data["city"]["code"], data["city"]["name"], data["city"]["name_en"])]
    for area in data["area"]:
        rows.append((area["code"], area["name"], area["name_en"]))
        rows += [(area["code"] + part, name, "") for part, name in area["parts"].items()]
    return [division(full(code), name, name_en) for code, name, name_en in rows]


def division(code: str, name: str, name_en: str) -> Division:
    """A division by its code of twelve digits, which must stand for one."""
    level = level_of(code)
    assert level is not None, code
    return Division(code=code, parent=parent_of(code), name=name, name_en=name_en, level=level)
