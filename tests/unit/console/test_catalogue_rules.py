"""Service items: codes, limits, differences, and rows of a spreadsheet."""

import re
from typing import Any

import msgspec
import pytest
from catalogue_builders import BODIES, CODE, GOOD, LIMITS
from hypothesis import given
from hypothesis import strategies as st
from pypinyin.contrib.tone_convert import to_normal
from pypinyin.pinyin_dict import pinyin_dict

from console.core.sheet_reading import Given, read_sheet
from console.core.sheet_zeros import Codes
from console.modules.calendar.api import TimeLimit
from console.modules.catalogue.cells import COLUMNS, cells_of, limit_of, limit_words, read_items
from console.modules.catalogue.domain import (
    DEFAULT_PATTERN,
    ItemBody,
    body_faults,
    code_faults,
    code_warnings,
    differences,
    pattern_works,
    uscc_fits,
)
from console.modules.catalogue.reading import (
    SYLLABLES,
    asked,
    closely,
    index_of,
    roughly,
    shortened,
    skipping,
    spelled,
)
from qingting.kernel.web.sheets import xlsx_of

HEAD: list[Given] = [heads[0] for heads in COLUMNS.values()]


def nobody(_: str) -> ItemBody | None:
    return None


class TestCodes:
    @pytest.mark.parametrize(
        "code",
        ["11440232MB2D06811W", "11370900MB28449441", "11370900004341048Y", "11500228MB19576560"],
    )
    def test_registered_credit_codes_fit_and_one_other_character_does_not(self, code: str) -> None:
        assert uscc_fits(code)
        for place in range(17):
            other = "1" if code[place] != "1" else "2"
            assert not uscc_fits(code[:place] + other + code[place + 1 :])

    @pytest.mark.parametrize(
        ("code", "good"),
        [
            (CODE, True),
            (CODE + "01", True),
            (CODE[:-1], False),
            (CODE + "1", False),
            ("I" + CODE[1:], False),
            ("", False),
        ],
    )
    def test_a_code_has_31_or_33_characters(self, code: str, good: bool) -> None:
        assert (code_faults(code, DEFAULT_PATTERN, 3) == []) is good

    def test_the_level_in_the_code_is_the_items_own(self) -> None:
        assert [one.field for one in code_faults(CODE, DEFAULT_PATTERN, 4)] == ["level"]
        assert code_faults("A-1", r"[A-Z]-\d", 4) == []

    def test_a_check_character_that_does_not_fit_is_a_warning_and_no_fault(self) -> None:
        wrong = CODE[:17] + "P" + CODE[18:]
        assert code_faults(wrong, DEFAULT_PATTERN, 3) == []
        assert len(code_warnings(wrong)) == 1
        assert code_warnings(CODE) == []

    def test_a_pattern_must_be_one(self) -> None:
        assert pattern_works(DEFAULT_PATTERN)
        assert not any(map(pattern_works, ("", "(", "a" * 201)))
        good = (
            "A[0-9]{6}",
            r"(GF|HN)-\d{4,8}",
            r"[A-Z]{2}\.\d+",
            "[?*+|]{1,5}x",
            "AB|CD|EF",
            "([0-9]{2})?.*",
        )
        assert all(map(pattern_works, good))

    @pytest.mark.parametrize(
        "pattern",
        [
            "(a+)+$",
            "(a+)+",
            "(a*)*b",
            "((a))",
            "(a|a)*",
            "(a{1,9}){9}",
            ".*.*.*.*.*x",
            r"(a)\1",
            "(?=a)a",
        ],
    )
    def test_a_pattern_that_could_keep_the_program_busy_for_years_is_none(
        self, pattern: str
    ) -> None:
        assert not pattern_works(pattern)

    @given(st.text("a[]0-9(){},?*+|.\\d", max_size=40))
    def test_whatever_pattern_works_is_soon_done_with_any_code(self, pattern: str) -> None:
        if pattern_works(pattern):
            code_faults("a" * 63 + "!", pattern, 3)


class TestBodies:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", " "),
            ("department", ""),
            ("division", "2306"),
            ("kind", "99"),
            ("level", 8),
            ("handling", 3),
            ("channels", ()),
            ("legal", TimeLimit(3001)),
            ("basis", "x" * 4001),
        ],
    )
    def test_each_fault_is_told_at_its_field(self, field: str, value: Any) -> None:
        assert body_faults(GOOD) == []
        faulty = msgspec.structs.replace(GOOD, **{field: value})
        assert [one.field for one in body_faults(faulty)] == [field]

    @given(LIMITS, LIMITS)
    def test_a_promise_is_never_longer_than_the_law_in_the_same_unit(
        self, legal: TimeLimit | None, promised: TimeLimit | None
    ) -> None:
        found = body_faults(msgspec.structs.replace(GOOD, legal=legal, promised=promised))
        longer = (
            legal and promised and legal.unit is promised.unit and promised.amount > legal.amount
        )
        assert bool(found) is bool(longer)

    @given(BODIES, BODIES)
    def test_the_differences_are_all_that_must_be_changed(
        self, one: ItemBody, other: ItemBody
    ) -> None:
        changes = {change.field: change.after for change in differences(one, other)}
        assert msgspec.structs.replace(one, **changes) == other
        assert differences(one, one) == []


class TestRows:
    @given(LIMITS)
    def test_a_limit_is_read_as_it_is_written(self, limit: TimeLimit | None) -> None:
        assert limit_of(limit_words(limit)) == limit

    @given(BODIES)
    def test_an_item_comes_back_from_its_row_as_it_was(self, body: ItemBody) -> None:
        (row,) = read_items([HEAD, [*cells_of(CODE, body)]], DEFAULT_PATTERN, nobody)
        assert (row.faults, row.value) == ([], body)

    def test_excel_may_take_the_zero_from_a_kind_and_a_number_for_a_text(self) -> None:
        head = ["编码", "名称", "部门", "事项类型", "承诺时限", "区划代码"]
        rows = read_sheet(xlsx_of("x", head, [[CODE, "社保卡", "人社局", 1, 5, 230602]]))
        (row,) = read_items(rows, DEFAULT_PATTERN, nobody)
        assert row.value is not None
        assert (row.value.kind, row.value.promised, row.value.division) == (
            "01",
            TimeLimit(5),
            "230602",
        )

    def test_a_column_that_is_not_there_leaves_what_was(self) -> None:
        held = msgspec.structs.replace(GOOD, basis="某法", promised=TimeLimit(5))
        rows: list[list[Given]] = [
            ["编码", "名称", "部门", "设定依据"],
            [CODE, "新名", "人社局", ""],
        ]
        (row,) = read_items(rows, DEFAULT_PATTERN, {CODE: held}.get)
        assert row.value == msgspec.structs.replace(held, name="新名", basis="")

    def test_every_fault_of_every_row_is_told(self) -> None:
        rows: list[list[Given]] = [
            ["code", "name", "department", "kind", "promised limit"],
            ["x", "", "人社局", "许愿", "很快"],
            [],
            [CODE, "社保卡", "人社局", "", ""],
            [CODE, "社保卡", "人社局", "", ""],
        ]
        first, good, twice = read_items(rows, DEFAULT_PATTERN, nobody)
        assert [one.field for one in first.faults] == ["kind", "promised", "code", "name"]
        assert good.value is not None
        assert (twice.row, [one.why for one in twice.faults]) == (5, ["sheet.bad.twice"])

    @given(
        st.lists(
            st.lists(st.text(max_size=6) | st.integers() | st.floats(allow_nan=False), max_size=19),
            max_size=5,
        )
    )
    def test_any_row_is_read_without_a_crash(self, rows: list[list[Given]]) -> None:
        for row in read_items([HEAD, *rows], DEFAULT_PATTERN, nobody):
            assert (row.value is None) is bool(row.faults)

    def test_a_code_that_lost_its_zeros_is_no_new_item(self) -> None:
        held = ItemBody(name="甲", department="乙")
        rows: list[list[Given]] = [["编码", "名称", "部门"], [201, "甲", "乙"], [305, "丙", "乙"]]
        known = Codes(["0201"], own=True)
        lost, new = read_items(rows, r"\d{1,9}", {"0201": held}.get, known)
        assert [(one.field, one.why, one.params) for one in lost.faults] == [
            ("code", "sheet.bad.zeros_new", {"value": "0201"})
        ]
        assert (lost.value, list(new.faults)) == (None, [])
        assert [one.why for one in new.warnings] == ["sheet.warn.number"]


class TestSearch:
    def test_an_item_is_found_by_its_reading_and_its_first_letters(self) -> None:
        found = index_of(CODE, GOOD)
        assert (found.pinyin, found.initials) == ("shebaokabuban", "sbkbb")
        assert "人社局" in found.words
        assert CODE.casefold() in found.words
        assert asked("  SBK  补办 ") == ["sbk", "补办"]
        assert asked("ＳＢＫ　补办（领）") == ["sbk", "补办（领）"]
        assert shortened("社保卡") == ["%社%保%卡%"]
        assert shortened("医保") == ["%医_保%", "%医__保%"]
        assert [shortened(one) for one in ("证", "sbk", "社%", "a社保卡")] == [[]] * 4

    def test_first_letters_find_a_name_that_people_shorten(self) -> None:
        initials = index_of(CODE, msgspec.structs.replace(GOOD, name="社会保障卡申领")).initials
        assert re.search(skipping("sbk"), initials)
        assert re.search(skipping("sbksl"), initials)
        assert not re.search(skipping("hzl"), initials), "two in a row are left out"
        assert [skipping(one) for one in ("sb", "社保卡", "s.*k", "sbk1")] == [""] * 4

    def test_syllables_find_a_name_that_people_shorten_and_no_parts_of_syllables(self) -> None:
        found = index_of(CODE, msgspec.structs.replace(GOOD, name="社会保障卡申领"))
        syllables = found.syllables
        assert syllables == " she  hui  bao  zhang  ka  shen  ling "

        def finds(typed: str) -> bool:
            ways = spelled(typed)
            near = [one for one in ways if re.search(closely(one), syllables)]
            rough = [
                one for one in ways if re.search(roughly(one).replace("%", ".*"), found.initials)
            ]
            assert set(near) <= set(rough), "what is looked for fast loses none"
            return bool(near)

        assert [finds(one) for one in ("shebaoka", "shehuika", "baokashenling")] == [True] * 3
        assert not finds("sheshenling"), "four in a row are left out"
        assert not finds("kabaoshe")
        assert not finds("heuiba"), "these are in the letters, but are no syllables of it"
        assert finds("shebaokashen")
        short = ("ka", "baoka", "xian", "sbk", "shebk", "社保卡", "she.*ka", "s" * 90, "a" * 12)
        assert [spelled(one) for one in short] == [[]] * len(short)

    def test_what_can_be_split_in_several_ways_is_looked_for_in_few_of_them(self) -> None:
        assert spelled("fanganshi") == [("fang", "an", "shi"), ("fan", "gan", "shi")]
        assert len(spelled("xianxianxianxian")) == 4

    def test_every_syllable_that_a_character_can_have_is_known(self) -> None:
        read = {
            one
            for readings in pinyin_dict.values()
            for tone in readings.split(",")
            if (one := to_normal(tone, v_to_u=False)).isascii() and set(one) & set("aeiouv")
        }
        assert read - {"o"} == SYLLABLES
