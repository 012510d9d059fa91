"""Sheets of divisions, departments and staff: what is written out comes back, and nobody reaches another's rows."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.permissions import EVERYWHERE, Area, Scope
from console.core.sheet_import import SheetPreview
from console.core.sheet_reading import Given, read_sheet
from console.modules.organisation.api import Department, Staff
from console.modules.organisation.cells import (
    DepartmentKind,
    DivisionKind,
    Kind,
    Places,
    StaffKind,
    changes_of,
    parents_first,
)
from console.modules.organisation.domain import Chart, division
from qingting.kernel.web.sheets import csv_of, xlsx_of

CITY, SAERTU, LONGFENG = "230600000000", "230602000000", "230603000000"
DIVISIONS = {
    code: division(code, name, "")
    for code, name in ((CITY, "大庆市"), (SAERTU, "萨尔图区"), (LONGFENG, "龙凤区"), ("230602013000", "萨尔图街道"))
}  # fmt: skip
HALLS = {"saertu": ("萨尔图区政务服务中心", "Saertu Hall"), "longfeng": ("龙凤", "龙凤")}
OWN = Scope((Area(halls=frozenset({"saertu"}), division="230602"),))
TEXT = st.text(
    st.characters(codec="gb18030", exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=6
)
NAMES = TEXT | st.sampled_from(["人社局", "a", "1", "2026-11-26"])
IDS = st.sampled_from(["a", "b", "c", "d"])


def department(key: str, name: str = "局", at: str = SAERTU, **more: str) -> Department:
    return replace(DepartmentKind().blank, id=key, name=name, division=at, **more)


def staff(number: str, **more: Any) -> Staff:
    values = {"name": "甲", "post": "", "division": SAERTU, "department": "", "hall": "", **more}
    return Staff(number=number, **values)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """Departments in a tree, with names that may be those or the ids of others."""
    found: dict[str, Department] = {}
    for key in draw(st.lists(IDS, unique=True)):
        parent = draw(st.sampled_from(["", *found]))
        at = draw(st.sampled_from(sorted(DIVISIONS)))
        name, name_en = draw(NAMES), draw(NAMES | st.just(""))
        found[key] = department(key, name, at, parent=parent, name_en=name_en)
    return Chart(DIVISIONS, found, dict.fromkeys(HALLS, ("", "")))


def places(chart: Chart, scope: Scope = EVERYWHERE) -> Places:
    return Places(chart=chart, scope=scope, halls={h: n for h, n in HALLS.items() if scope.has(h)})


def out_and_in(kind: Kind[Any], where: Places, as_csv: bool) -> list[Any]:
    rows = [kind.cells(one, where) for one in kind.own(where).values()]
    head = [heads[0] for heads in kind.columns.values()]
    data = csv_of(head, rows) if as_csv else xlsx_of("x", head, rows)
    return kind.read(read_sheet(data), where)


@given(charts(), st.sampled_from([EVERYWHERE, OWN]), st.data())
def test_an_exported_sheet_imported_again_changes_nothing(
    chart: Chart, scope: Scope, data: st.DataObject
) -> None:
    somebody = st.builds(
        staff,
        st.sampled_from(["001", "1", "7-A"]),
        name=NAMES,
        post=NAMES | st.just(""),
        division=st.sampled_from(sorted(DIVISIONS)),
        department=st.sampled_from(["", *chart.departments]),
        hall=st.sampled_from(["", "gone", *HALLS]),
        left=st.booleans(),
    )
    everybody = {one.number: one for one in data.draw(st.lists(somebody))}
    where = places(chart, scope)
    for kind in (DivisionKind(), DepartmentKind(), StaffKind(everybody=everybody)):
        held = kind.own(where)
        for row in out_and_in(kind, where, data.draw(st.booleans())):
            assert not row.faults, (kind.name, row)
            assert changes_of(kind, held[row.key], row.value) == []


def rows_of(kind: Kind[Any], *rows: Any) -> list[list[Given]]:
    return [[heads[1] for heads in kind.columns.values()], *[list(row) for row in rows]]


CHART = Chart(
    DIVISIONS,
    {"rs": department("rs", "人社局"), "lf": department("lf", "龙凤人社局", LONGFENG)},
    {"saertu": (SAERTU, ""), "longfeng": (LONGFENG, "")},
)


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        (("7001", "郑一", "窗口", "230602", "人社局", "Saertu Hall", "否"), []),
        (("7001", "郑一", "窗口", "230603", "", "", ""), ["division"]),
        (("7001", "郑一", "窗口", "230602", "龙凤人社局", "", ""), ["department"]),
        (("7001", "郑一", "窗口", "230602", "lf", "longfeng", ""), ["department", "hall"]),
        (("6001", "郑一", "窗口", "230602", "", "", ""), ["number"]),
        (("12 34", "", "", "2306020", "", "", "也许"), ["number", "name", "left"]),
    ],
)
def test_a_districts_keeper_reaches_no_row_place_or_name_of_another(
    row: tuple[str, ...], fields: list[str]
) -> None:
    kind = StaffKind(everybody={"6001": staff("6001", division=LONGFENG)})
    (found,) = kind.read(rows_of(kind, row), places(CHART, OWN))
    assert ([one.field for one in found.faults], found.value is None) == (fields, bool(fields))


def test_rows_may_lean_on_each_other_but_not_on_bad_ones() -> None:
    kind, where = DepartmentKind(), places(CHART, OWN)
    found = kind.read(
        rows_of(
            kind,
            ("part", "下属处", "", "230602", "新局", "", ""),
            ("new", "新局", "", "230602", "rs", "", ""),
            ("x", "转圈一", "", "230602", "y", "", ""),
            ("y", "转圈二", "", "230602", "x", "", ""),
            ("of-bad", "没有上级", "", "230602", "bad", "", ""),
            ("bad", "外区", "", "230603", "", "", ""),
        ),
        where,
    )
    good = {one.key: one.value for one in found if one.value is not None}
    assert [one.id for one in parents_first(good)] == ["new", "part"]
    assert {one.key for one in found if one.faults} == {"x", "y", "of-bad", "bad"}
    villages = DivisionKind()
    rows = rows_of(
        villages, ("230602013001", "一村", ""), ("230602019", "新街道", ""), ("230602019001", "二村", ""),
        ("230602099001", "无上级", ""), ("230603011001", "外区", ""), ("2306020", "七位", ""), ("230602013001", "又一次", ""),
    )  # fmt: skip
    read = villages.read(rows, where)
    assert [one.row for one in read if one.value is None] == [5, 6, 7, 8]


def test_a_preview_that_would_do_something_else_is_another_one() -> None:
    kind, where = StaffKind(), places(CHART)
    one, other = (
        kind.read(rows_of(kind, ("7001", name, "", "230602", "", "", "")), where)
        for name in ("郑一", "郑二")
    )
    blank = kind.blank

    def shown(rows: Any, before: Staff | None) -> str:
        changes = {row.key: changes_of(kind, before, row.value) for row in rows}
        return SheetPreview(upload="", rows=rows, changes=changes, new=()).digest

    assert len({shown(one, None), shown(other, None), shown(one, replace(blank, name="郑一"))}) == 3


def test_codes_typed_with_full_width_digits_are_the_codes_that_were_meant() -> None:
    where = places(Chart(DIVISIONS, {}, {}))
    rows: list[list[Given]] = [["区划代码", "名称"], ["230602013００１", "铁人村"], ["２３０６０２０１３００２", "示例村"]]  # fmt: skip
    found = DivisionKind().read(rows, where)
    assert [(one.key, one.faults) for one in found] == [("230602013001", []), ("230602013002", [])]
    rows = [["工号", "姓名", "区划代码"], ["９００１", "甲", "２３０６０２"]]
    (one,) = StaffKind().read(rows, where)
    assert (one.key, one.faults, one.value) == ("9001", [], staff("9001"))


def test_a_credit_code_that_is_none_is_a_bad_row_and_a_doubtful_one_is_told() -> None:
    where = places(Chart(DIVISIONS, {}, {}))
    head: list[Given] = ["编号", "名称", "区划代码", "统一社会信用代码"]
    codes = ("11230600mb0a00001n", "11230600MB0A00001X", "abc")
    rows = [[f"d{n}", f"局{n}", SAERTU, code] for n, code in enumerate(codes)]
    good, doubtful, bad = DepartmentKind().read([head, *rows], where)
    assert good.value is not None
    assert (good.value.uscc, good.warnings) == ("11230600MB0A00001N", [])
    assert [one.why for one in doubtful.warnings] == ["sheet.warn.uscc"]
    assert (doubtful.faults, [one.why for one in bad.faults]) == ([], ["sheet.bad.uscc"])


def told(found: Any) -> list[tuple[str, str, Any]]:
    return [
        (one.field, one.why, one.params.get("value")) for one in (*found.faults, *found.warnings)
    ]


def test_a_staff_number_that_lost_its_zeros_makes_no_new_person() -> None:
    kind, where = StaffKind(everybody={"0201": staff("0201", name="张三")}), places(CHART)
    for written in (201, "201", "２０１"):
        (row,) = kind.read(rows_of(kind, (written, "张三", "", "230602", "", "", "")), where)
        assert (row.value, told(row)) == (None, [("number", "sheet.bad.zeros_new", "0201")])
    (row,) = kind.read(rows_of(kind, ("0201", "张三", "", "230602", "", "", "")), where)
    assert (row.value is None, told(row)) == (False, [])


def test_a_number_out_of_a_cell_of_numbers_is_doubtful_where_numbers_may_begin_with_zeros() -> None:
    row = (305, "李四", "", "230602", "", "", "")
    for known, doubts in (
        ((), [("number", "sheet.warn.number", None)]),
        (("0201",), [("number", "sheet.warn.number", None)]),
        (("1201", "201"), []),
    ):
        kind = StaffKind(everybody={number: staff(number) for number in known})
        (read,) = kind.read(rows_of(kind, row), places(CHART))
        assert (read.value is not None, told(read)) == (True, doubts), known
        (read,) = kind.read(rows_of(kind, ("305", *row[1:])), places(CHART))
        assert told(read) == [], "a text is what somebody wrote"
    kind = StaffKind(everybody={"201": staff("201")})
    (read,) = kind.read(rows_of(kind, ("0201", *row[1:])), places(CHART))
    assert (read.value is not None, told(read)) == (True, [("number", "sheet.warn.zeros", "201")])


def test_codes_of_departments_and_halls_that_lost_their_zeros_are_told_as_such() -> None:
    held = {"01": department("01", "人社局", code="007"), "02": department("02", "公安局")}
    where = replace(places(Chart(DIVISIONS, held, {})), halls={"0101": ("大厅", "Hall")})
    kind = DepartmentKind()
    for cells, said in (
        ((1, "人社局", "", "230602", "", "007", ""), ("id", "sheet.bad.zeros_new", "01")),
        (("01", "人社局", "", "230602", "", 7, ""), ("code", "sheet.bad.zeros", "007")),
        (("03", "下属处", "", "230602", 1, "", ""), ("parent", "sheet.bad.zeros", "01")),
    ):
        (row,) = kind.read(rows_of(kind, cells), where)
        assert (row.value, told(row)[-1]) == (None, said)
    (row,) = kind.read(rows_of(kind, ("02", "公安局", "", "230602", "01", "", "")), where)
    assert (row.value is None, told(row)) == (False, [])
    people = StaffKind()
    (row,) = people.read(rows_of(people, ("9", "甲", "", "230602", 1, 101, "")), where)
    assert [one for one in told(row) if one[1] == "sheet.bad.zeros"] == [
        ("department", "sheet.bad.zeros", "01"),
        ("hall", "sheet.bad.zeros", "0101"),
    ]
