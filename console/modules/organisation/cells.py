"""Divisions, departments and staff as rows of a spreadsheet and back: both ways with the same words. Pure rules."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from console.core.codes import plain, plain_uscc, uscc_fits, uscc_shaped
from console.core.divisions import full
from console.core.permissions import Scope
from console.core.sheet_import import CellFault, Columns, SheetRow, differences, read_rows
from console.core.sheet_reading import Given
from console.core.sheet_zeros import Codes
from console.modules.organisation.api import Department, Division, Staff
from console.modules.organisation.domain import Chart, division, level_of, parent_of

T = TypeVar("T")

DIVISION_COLUMNS: Columns = {
    "code": ("区划代码", "code"), "name": ("名称", "name"), "name_en": ("英文名称", "English name"),
}  # fmt: skip
DEPARTMENT_COLUMNS: Columns = {
    "id": ("编号", "id"), "name": ("名称", "name"), "name_en": ("英文名称", "English name"),
    "division": ("区划代码", "division"), "parent": ("上级部门", "part of"),
    "code": ("大厅里的编号", "code in the halls"), "uscc": ("统一社会信用代码", "credit code"),
}  # fmt: skip
STAFF_COLUMNS: Columns = {
    "number": ("工号", "number"), "name": ("姓名", "name"), "post": ("岗位", "post"),
    "division": ("区划代码", "division"), "department": ("部门", "department"), "hall": ("大厅", "hall"),
    "left": ("已离岗", "left"),
}  # fmt: skip
LONGEST = 80
LONGEST_OF_STAFF = 40
"""Characters of a name and of a post."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_CODE = re.compile(r"[0-9]{6}([0-9]{3}([0-9]{3})?)?")
_NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}")
_YES, _NO = ("是", "yes", "true", "1", "y"), ("", "否", "no", "false", "0", "n")


class Names:
    """Records by their id or by a name that only one of them has, as people write them."""

    def __init__(self, titles: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._ids: set[str] = set()
        named: dict[str, set[str]] = {}
        for key, names in titles:
            self._ids.add(key)
            for name in names:
                named.setdefault(name, set()).add(key)
        self._named = named
        self.all = frozenset({*self._ids, *named})
        """All that somebody may write."""

    def find(self, text: str) -> str | None:
        """The id; None for what is unknown, or is the name of several."""
        if text in self._ids:
            return text
        found = self._named.get(text, set())
        return next(iter(found)) if len(found) == 1 else None

    def label(self, key: str, name: str) -> str:
        """What to write for a record so that it is found again: its name where that is enough."""
        return name if name.strip() == name and name and self.find(name) == key else key


@dataclass(frozen=True, kw_only=True)
class Places:
    """What rows are read against: the organisation, the reader's reach, and the halls within it with
    their names. Of what is outside nothing is told, not even that it is there."""

    chart: Chart
    scope: Scope
    halls: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def hall_names(self) -> Names:
        return Names(self.halls.items())

    @cached_property
    def department_names(self) -> Names:
        return Names(
            (one.id, (one.name, one.name_en) if one.name_en else (one.name,))
            for one in self.chart.departments.values()
            if self.has(one)
        )

    def has(self, one: Department | None) -> bool:
        return one is not None and self.scope.has_department(one.id, one.division)

    def reaches(self, one: Staff) -> bool:
        return self.scope.has_department(one.department, one.division)


class Kind(Protocol, Generic[T]):
    """One sort of spreadsheet."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> Columns: ...

    @property
    def fields(self) -> tuple[str, ...]:
        """What of a record its row says, in order; the first is its key."""
        ...

    @property
    def blank(self) -> T: ...

    def own(self, places: Places) -> Mapping[str, T]:
        """Records within reach by their key, in the order in which they are written out."""
        ...

    def cells(self, one: T, places: Places) -> list[str]:
        """A row, in the order of the columns."""
        ...

    def read(self, rows: Sequence[Sequence[Given]], places: Places) -> list[SheetRow[T]]:
        """Raises ``sheet.column``."""
        ...


def changes_of(kind: Kind[T], before: T | None, after: T) -> list[Any]:
    """What a row changes."""
    return differences(before, after, kind.fields, kind.blank)


def _whole(code: str) -> str:
    """A division's code of twelve digits; one of an odd length stays what it is and is then none."""
    return full(code) if _CODE.fullmatch(code) else code


def _long(cells: Mapping[str, str], limits: Mapping[str, int]) -> list[CellFault]:
    return [
        CellFault(name, "sheet.bad.long", {"most": most})
        for name, most in limits.items()
        if len(cells.get(name, "")) > most
    ]


def plainly(cells: Mapping[str, str], *codes: str) -> dict[str, str]:
    """A row whose codes are as they were meant."""
    return {name: plain(text) if name in codes else text for name, text in cells.items()}


def _uscc_faults(code: str) -> list[CellFault]:
    return [CellFault("uscc", "sheet.bad.uscc")] if code and not uscc_shaped(code) else []


def _uscc_warnings(code: str) -> list[CellFault]:
    """Let through: registered codes exist whose check character does not fit."""
    doubtful = uscc_shaped(code) and not uscc_fits(code)
    return [CellFault("uscc", "sheet.warn.uscc")] if doubtful else []


def _row(number: int, key: str, value: T, faults: Sequence[CellFault]) -> SheetRow[T]:
    return SheetRow(row=number, key=key, value=None if faults else value, faults=faults)


@dataclass(frozen=True, slots=True)
class DivisionKind:
    """Divisions (区划), villages and communities most of all; a row's level and parent are in its code."""

    name: str = "divisions"
    columns: Columns = field(default_factory=lambda: DIVISION_COLUMNS)
    fields: tuple[str, ...] = ("code", "name", "name_en")
    blank: Division = field(default_factory=lambda: division("230600000000", "", ""))

    def own(self, places: Places) -> Mapping[str, Division]:
        known = places.chart.divisions
        return {code: known[code] for code in sorted(known) if places.scope.has_division(code)}

    def cells(self, one: Division, places: Places) -> list[str]:
        return [one.code, one.name, one.name_en]

    def read(self, rows: Sequence[Sequence[Given]], places: Places) -> list[SheetRow[Division]]:
        found = read_rows(
            rows, self.columns, key="code", required=("code", "name"),
            read=lambda number, cells: self._one(number, plainly(cells, "code"), places),
        )  # fmt: skip

        def fits(one: Division, good: Mapping[str, Division]) -> str:
            if one.code in places.chart.divisions or not one.parent:
                return ""
            return "" if one.parent in places.chart.divisions or one.parent in good else "parent"

        return _settled(found, "code", fits)

    def _one(self, number: int, cells: Mapping[str, str], places: Places) -> SheetRow[Division]:
        code = _whole(cells["code"])
        faults = _long(cells, {"name": LONGEST, "name_en": LONGEST})
        if not cells["name"]:
            faults.append(CellFault("name", "sheet.bad.needed"))
        if level_of(code) is None:
            faults.append(CellFault("code", "sheet.bad.division"))
            return SheetRow(row=number, key=cells["code"], value=None, faults=faults)
        held = places.chart.divisions.get(code)
        over = code if held is not None else parent_of(code)
        if not places.scope.has_division(over or code):
            faults.append(CellFault("code", "sheet.bad.reach"))
        name_en = cells.get("name_en", held.name_en if held else "")
        return _row(number, code, division(code, cells["name"], name_en), faults)


@dataclass(frozen=True, slots=True)
class DepartmentKind:
    """Departments (部门); one may stand in the same sheet as what it is part of, above or below it."""

    name: str = "departments"
    columns: Columns = field(default_factory=lambda: DEPARTMENT_COLUMNS)
    fields: tuple[str, ...] = ("id", "name", "name_en", "division", "parent", "code", "uscc")
    blank: Department = field(
        default_factory=lambda: Department(
            id="", parent="", division="", code="", name="", name_en="", uscc=""
        )
    )

    def own(self, places: Places) -> Mapping[str, Department]:
        known = places.chart.departments
        return {key: known[key] for key in sorted(known) if places.has(known[key])}

    def cells(self, one: Department, places: Places) -> list[str]:
        above = places.chart.departments.get(one.parent)
        parent = places.department_names.label(above.id, above.name) if above else one.parent
        return [one.id, one.name, one.name_en, one.division, parent, one.code, one.uscc]

    def read(self, rows: Sequence[Sequence[Given]], places: Places) -> list[SheetRow[Department]]:
        given: list[tuple[str, Sequence[str]]] = []

        def collect(number: int, cells: Mapping[str, str]) -> SheetRow[Department]:
            key = plain(cells["id"])
            given.append((key, (cells["name"],)))
            return SheetRow(row=number, key=key, value=None)

        required = ("id", "name", "division")
        _ = read_rows(rows, self.columns, key="id", required=required, read=collect)
        named = dict(given)
        own = self.own(places).values()
        kept = [one for one in own if one.id not in named]
        names = Names([*((one.id, (one.name,)) for one in kept), *named.items()])
        found = read_rows(
            rows, self.columns, key="id", required=required,
            read=lambda number, cells: self._one(number, cells, places, names), codes=self._codes(places, named),
        )  # fmt: skip

        def fits(one: Department, good: Mapping[str, Department]) -> str:
            return "" if _fits_under(one, {**places.chart.departments, **good}) else "parent"

        return _settled(found, "parent", fits)

    def _codes(self, places: Places, named: Mapping[str, object]) -> Mapping[str, Codes]:
        known = places.chart.departments
        return {
            "id": Codes(known, own=True),
            "code": Codes(one.code for one in known.values() if one.code),
            "parent": Codes({*places.department_names.all, *named}),
        }

    def _one(
        self, number: int, cells: Mapping[str, str], places: Places, names: Names
    ) -> SheetRow[Department]:
        cells = plainly(cells, "id", "division", "code")
        held = places.chart.departments.get(cells["id"])
        values = {name: getattr(held or self.blank, name) for name in self.fields} | dict(cells)
        values["division"] = _whole(cells["division"])
        values["uscc"] = plain_uscc(values["uscc"])
        limits = {"name": LONGEST, "name_en": LONGEST, "code": 40}
        faults = [*_long(cells, limits), *_uscc_faults(values["uscc"])]
        if not cells["name"]:
            faults.append(CellFault("name", "sheet.bad.needed"))
        if not _ID.fullmatch(cells["id"]):
            faults.append(CellFault("id", "sheet.bad.id"))
        if (text := cells.get("parent", "")) and text != (held or self.blank).parent:
            values["parent"] = names.find(text) or ""
            if not values["parent"]:
                faults.append(CellFault("parent", "sheet.bad.unknown", {"value": text[:60]}))
        if values["division"] not in places.chart.divisions:
            faults.append(CellFault("division", "sheet.bad.division"))
        elif not places.scope.has_division(values["division"]):
            faults.append(CellFault("division", "sheet.bad.reach"))
        if held is not None and not places.has(held):
            faults.append(CellFault("id", "sheet.bad.reach"))
        row = _row(number, cells["id"], Department(**values), faults)
        return replace(row, warnings=_uscc_warnings(values["uscc"]))


@dataclass(frozen=True, slots=True)
class StaffKind:
    """Staff (人员) by their numbers, with post and place."""

    name: str = "staff"
    columns: Columns = field(default_factory=lambda: STAFF_COLUMNS)
    fields: tuple[str, ...] = ("number", "name", "post", "division", "department", "hall", "left")
    blank: Staff = field(
        default_factory=lambda: Staff(
            number="", name="", post="", division="", department="", hall=""
        )
    )
    everybody: Mapping[str, Staff] = field(default_factory=dict)

    def own(self, places: Places) -> Mapping[str, Staff]:
        known = self.everybody
        return {number: known[number] for number in sorted(known) if places.reaches(known[number])}

    def cells(self, one: Staff, places: Places) -> list[str]:
        at = places.chart.departments.get(one.department)
        department = places.department_names.label(at.id, at.name) if at else one.department
        names = places.halls.get(one.hall, ("",))
        hall = places.hall_names.label(one.hall, names[0]) if one.hall else ""
        left = "是" if one.left else ""
        return [one.number, one.name, one.post, one.division, department, hall, left]

    def read(self, rows: Sequence[Sequence[Given]], places: Places) -> list[SheetRow[Staff]]:
        departments, halls = places.department_names, places.hall_names
        return read_rows(
            rows, self.columns, key="number", required=("number", "name", "division"),
            read=lambda number, cells: self._one(number, cells, places, departments, halls),
            codes={"number": Codes(self.everybody, own=True), "department": Codes(departments.all), "hall": Codes(halls.all)},
        )  # fmt: skip

    def _one(
        self,
        number: int,
        cells: Mapping[str, str],
        places: Places,
        departments: Names,
        halls: Names,
    ) -> SheetRow[Staff]:
        cells = plainly(cells, "number", "division")
        held = self.everybody.get(cells["number"])
        values = {name: getattr(held or self.blank, name) for name in self.fields} | dict(cells)
        values["division"] = _whole(cells["division"])
        faults = _long(cells, {"name": LONGEST_OF_STAFF, "post": LONGEST_OF_STAFF})
        if not _NUMBER.fullmatch(cells["number"]):
            faults.append(CellFault("number", "sheet.bad.number"))
        if not cells["name"]:
            faults.append(CellFault("name", "sheet.bad.needed"))
        for name, known in (("department", departments), ("hall", halls)):
            text = cells.get(name, "")
            if text and text != getattr(held or self.blank, name):
                values[name] = known.find(text)
                if values[name] is None:
                    faults.append(CellFault(name, "sheet.bad.unknown", {"value": text[:60]}))
        if (left := cells.get("left", "").casefold()) not in _YES + _NO:
            faults.append(CellFault("left", "sheet.bad.unknown", {"value": left[:60]}))
        values["left"] = left in _YES if "left" in cells else values["left"]
        if not faults:
            faults = list(self._out_of_reach(Staff(**values), held, places))
        value = self.blank if faults else Staff(**values)
        return _row(number, cells["number"], value, faults)

    def _out_of_reach(self, one: Staff, held: Staff | None, places: Places) -> Iterable[CellFault]:
        reach = "sheet.bad.reach"
        if held is not None and not places.reaches(held):
            yield CellFault("number", reach)
        if one.division not in places.chart.divisions:
            yield CellFault("division", "sheet.bad.division")
        elif not places.reaches(one):
            yield CellFault("division", reach)


def _settled(
    rows: Sequence[SheetRow[T]], at: str, fits: Callable[[T, Mapping[str, T]], str]
) -> list[SheetRow[T]]:
    """Rows that lean on bad rows are bad ones, too, until none is left. ``fits`` gives why one does not stand with
    the good ones."""
    found = list(rows)
    while True:
        good = {one.key: one.value for one in found if one.value is not None}
        falls = {key: why for key, value in good.items() if (why := fits(value, good))}
        if not falls:
            return found
        found = [
            one.refused(CellFault(at, f"sheet.bad.{falls[one.key]}"))
            if one.value is not None and one.key in falls
            else one
            for one in found
        ]


def _fits_under(one: Department, after: Mapping[str, Department]) -> bool:
    """True when the way up ends."""
    seen, above = {one.id}, one.parent
    while above:
        if above in seen or above not in after:
            return False
        seen.add(above)
        above = after[above].parent
    return True


def parents_first(departments: Mapping[str, Department]) -> list[Department]:
    """In an order in which each comes after what it is part of."""

    def depth(one: Department) -> int:
        return 1 + depth(departments[one.parent]) if one.parent in departments else 0

    return sorted(departments.values(), key=lambda one: (depth(one), one.id))
