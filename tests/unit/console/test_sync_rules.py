"""The sync's rules: both sides' changes are brought together, none is lost, and rows are read whatever they are."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from catalogue_builders import BODIES, CODE, GOOD
from hypothesis import given
from hypothesis import strategies as st

from console.modules.calendar.api import TimeLimit, Unit
from console.modules.catalogue.domain import DEFAULT_PATTERN, FIELDS, Audience, Channel, ItemBody
from console.modules.catalogue.sync.mapping import read_row
from console.modules.catalogue.sync.rules import (
    DEFAULT_NAMES,
    GROUPS,
    TRUSTABLE,
    Kind,
    SyncRules,
    decided,
    due,
    holds_from,
    merge,
    silent,
    suspicious,
    trusted,
)
from console.modules.catalogue.sync.wire import SourceError, read_page

SAID = st.builds(
    lambda body, names: {name: getattr(body, name) for name in names},
    BODIES,
    st.lists(st.sampled_from(FIELDS), unique=True).map(lambda names: [*{*names, "name"}]),
)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
CHINA = timedelta(hours=8)
ROW = {
    "taskCode": CODE, "taskVersion": 3, "taskState": "1", "effectDate": "20261201", "taskName": "社保卡补办",
    "taskType": 1, "useLevel": "3", "areaCode": "230600000000", "deptName": "人社局", "serveType": "1,2",
    "projectType": "承诺件", "handleForm": ["1", "移动端"], "themes": "社会保障；医疗卫生",
    "materials": [{"name": "身份证"}, "申请表", "身份证"], "lawLimit": 20, "lawLimitUnit": "1",
    "promiseLimit": "10个工作日", "fee": None, "other": {"a": 1},
}  # fmt: skip


class TestMerging:
    @given(BODIES, BODIES, SAID)
    def test_nothing_that_a_person_changed_is_overwritten_and_nothing_of_the_source_is_lost(
        self, before: ItemBody, ours: ItemBody, theirs: dict[str, Any]
    ) -> None:
        base = {name: getattr(before, name) for name in theirs}
        merged = merge(base, ours, theirs)
        clashes = {one.field for one in merged.clashes}
        for field in FIELDS:
            mine, was = getattr(ours, field), getattr(before, field)
            said, now = theirs.get(field, was), getattr(merged.body, field)
            changed_here, changed_there = mine != was, field in theirs and said != was
            assert (field in clashes) is (changed_here and changed_there and said != mine)
            assert now == (said if changed_there and not changed_here else mine), field

    @given(BODIES, SAID)
    def test_what_was_taken_once_changes_nothing_the_second_time(
        self, ours: ItemBody, theirs: dict[str, Any]
    ) -> None:
        first = merge(None, None, theirs).body
        assert merge(theirs, first, theirs) == merge(None, first, theirs)
        assert merge(theirs, ours, theirs).body == ours

    @given(BODIES, BODIES, SAID, st.booleans())
    def test_a_decision_takes_a_side_in_each_field_and_an_undecided_one_is_none(
        self, before: ItemBody, ours: ItemBody, theirs: dict[str, Any], all_theirs: bool
    ) -> None:
        merged = merge({name: getattr(before, name) for name in theirs}, ours, theirs)
        side = "theirs" if all_theirs else "ours"
        body = decided(merged, {one.field: side for one in merged.clashes})
        assert body is not None
        for one in merged.clashes:
            assert getattr(body, one.field) == (one.theirs if all_theirs else one.ours)
        if merged.clashes:
            assert decided(merged, {}) is None

    def test_items_that_never_met_clash_only_where_both_say_something(self) -> None:
        merged = merge(None, GOOD, {"name": "社保卡补领", "basis": "某法", "charge": ""})
        assert [one.field for one in merged.clashes] == ["name"]
        assert merged.body.basis == "某法"
        asked = merge({"withdrawn": False}, GOOD, {"withdrawn": True}, ask=("withdrawn",))
        assert [one.field for one in asked.clashes] == ["withdrawn"]


class TestTrust:
    def test_every_field_is_in_one_group(self) -> None:
        assert sorted(one for fields in GROUPS.values() for one in fields) == sorted(FIELDS)

    @given(BODIES, BODIES, st.sets(st.sampled_from(TRUSTABLE)))
    def test_what_is_published_unseen_changes_trusted_fields_alone(
        self, before: ItemBody, after: ItemBody, groups: set[str]
    ) -> None:
        rules = SyncRules(trusted=tuple(groups))
        allowed = {one for group in groups for one in GROUPS.get(group, ())}
        changed = {one for one in FIELDS if getattr(before, one) != getattr(after, one)}
        assert trusted(rules, before, after) is (changed <= allowed)
        assert trusted(rules, None, after) is ("new" in groups)

    @given(st.none() | DAYS, st.none() | DAYS, DAYS)
    def test_a_version_holds_from_the_said_day_and_never_before_the_one_it_replaces(
        self, said: date | None, newest: date | None, today: date
    ) -> None:
        day = holds_from(said, newest, today)
        assert newest is None or day >= newest
        assert day in (said or today, newest)

    @given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 100))
    def test_few_withdrawals_are_never_suspicious_and_more_are_never_less_so(
        self, withdrawn: int, known: int, most: int
    ) -> None:
        found = suspicious(withdrawn, known, most)
        assert not (found and withdrawn <= 3)
        assert not found or suspicious(withdrawn + 1, known, most)
        assert suspicious(4, 100, 3) is True
        assert suspicious(4, 100, 4) is False


class TestSchedule:
    @given(st.integers(0, 23), st.integers(1, 1440), st.integers(0, 3 * 1440))
    def test_one_full_run_a_day_and_increments_in_between(
        self, hour: int, every: int, minutes: int
    ) -> None:
        rules = SyncRules(full_hour=hour, every_minutes=every)
        now = int(datetime(2026, 11, 26, 4, tzinfo=UTC).timestamp() * 1000) + minutes * 60_000
        assert due(rules, None, None, now, CHINA) is Kind.FULL
        assert due(rules, now - 86_400_001, now - 300_000, now, CHINA) is Kind.FULL
        assert due(rules, None, now, now, CHINA) is None, "not at once after one that failed"
        assert due(rules, now, now, now, CHINA) is None
        later = now + every * 60_000
        assert due(rules, later, now, later, CHINA) is Kind.INCREMENT
        off = msgspec.structs.replace(rules, scheduled=False)
        assert due(off, None, None, now, CHINA) is None

    def test_a_source_is_silent_after_its_hours_and_not_before_it_was_asked(self) -> None:
        rules, hour = SyncRules(silent_hours=6), 3_600_000
        assert not silent(rules, 0, 0, 100 * hour)
        assert not silent(rules, hour, 1, 7 * hour)
        assert silent(rules, hour, 1, 7 * hour + 1)


class TestRows:
    def test_a_row_is_read_with_codes_words_lists_and_objects(self) -> None:
        said = read_row(ROW, DEFAULT_NAMES, DEFAULT_PATTERN)
        assert said.faults == ()
        assert (said.code, said.revision, said.effective) == (CODE, 3, date(2026, 12, 1))
        assert dict(said.fields) == {
            "name": "社保卡补办", "kind": "01", "level": 3, "division": "230600", "department": "人社局",
            "audience": Audience.BOTH, "handling": 2, "channels": (Channel.WINDOW, Channel.MOBILE),
            "themes": ("社会保障", "医疗卫生"), "materials": ("身份证", "申请表"), "legal": TimeLimit(20),
            "promised": TimeLimit(10, Unit.WORKDAYS), "charge": "", "withdrawn": False,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "fields"),
        [
            ({"taskCode": "12"}, ["code"]), ({"taskCode": None}, ["code"]), ({"taskType": "99"}, ["kind"]),
            ({"handleForm": [{}]}, ["channels"]), ({"lawLimit": "很快"}, ["legal"]), ({"taskState": "9"}, ["status"]),
            ({"effectDate": "明天"}, ["effective"]), ({"taskVersion": -1}, ["revision"]), ({"useLevel": "4"}, ["level"]),
            ({"materials": [{"title": "x"}]}, ["materials"]),
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_told_at_its_field(
        self, change: dict[str, Any], fields: list[str]
    ) -> None:
        found = read_row(ROW | change, DEFAULT_NAMES, DEFAULT_PATTERN)
        assert [one.field for one in found.faults] == fields

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from([*DEFAULT_NAMES.values(), "name"]), inner, max_size=9
                )
            ),
            max_leaves=20,
        )
    )
    def test_any_json_is_read_without_a_crash(self, row: Any) -> None:
        said = read_row(row, DEFAULT_NAMES, DEFAULT_PATTERN)
        assert said.faults or said.code
        _ = merge(None, None, said.fields)

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"[]", b"{}", b'{"items": {}}', b'{"items": [], "more": true}', b'{"items": ["\\u0000"]}', b"\xff",
            b'{"items": [], "next": "' + b"x" * 600 + b'"}',
        ],
    )  # fmt: skip
    def test_an_answer_that_is_no_page_is_none(self, body: bytes) -> None:
        with pytest.raises(SourceError, match="malformed"):
            read_page(body)
