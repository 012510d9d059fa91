"""Rules of the care for personal data."""

from dataclasses import fields
from typing import Any, cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from console.app.modules import PAGE_PACKAGES
from console.app.openapi import declared
from console.core.audit import Audit
from console.core.models import metadata
from console.core.permissions import SYSTEM
from console.core.personal import DataClass, PersonalField
from console.core.retention import RetentionSettings
from console.modules.privacy.domain import ExportState, export_state, unusual
from console.modules.privacy.models import policy as policy_table
from console.modules.privacy.policy import NUMBERS, PrivacyPolicy
from console.modules.privacy.unmasking import sensitive
from qingting.contract.people import mask_phone, mask_words
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.i18n import Catalogue

COUNTS = st.lists(st.integers(1, 60), min_size=1, max_size=30)


@given(former=COUNTS, today=st.integers(0, 200))
def test_nobody_who_does_as_always_is_unusual_and_more_never_becomes_usual(
    former: list[int], today: int
) -> None:
    assert not unusual(max(former), [max(former)])
    if unusual(today, former):
        assert today >= 10
        assert unusual(today + 1, former)


def test_without_a_past_twenty_are_unusual() -> None:
    assert not unusual(19, [])
    assert unusual(20, [])


@given(former=COUNTS, today=st.integers(0, 200), factor=st.integers(2, 10))
def test_a_larger_factor_finds_nobody_unusual_whom_a_smaller_one_does_not(
    former: list[int], today: int, factor: int
) -> None:
    assert unusual(today, former, 20, factor) or not unusual(today, former, 20, factor + 1)


def test_every_limit_of_the_policy_has_bounds_a_column_and_words() -> None:
    known = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)
    assert {one.name for one in policy_table.c} == {"version", "at", "by", *NUMBERS}
    for one in msgspec.structs.fields(PrivacyPolicy):
        if one.name in NUMBERS:
            (bounds,) = one.type.__metadata__
            assert bounds.ge <= one.default <= bounds.le
            assert known.has(f"privacy.rule.{one.name}")


@given(
    approved=st.sampled_from([None, True, False]),
    fetched=st.sampled_from([None, 5]),
    expires=st.integers(0, 20),
    now=st.integers(0, 20),
)
def test_an_export_can_be_fetched_only_after_consent_once_and_in_time(
    approved: bool | None, fetched: int | None, expires: int, now: int
) -> None:
    state = export_state(approved, fetched, expires, now)
    may = approved is True and fetched is None and now < expires
    assert (state is ExportState.APPROVED) is may
    assert (state is ExportState.ASKED) is (approved is None and fetched is None and now < expires)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_masked_phone_shows_seven_of_eleven_digits(phone: str) -> None:
    masked = mask_phone(phone)
    assert masked == f"{phone[:3]}****{phone[-4:]}"


def test_what_is_no_mobile_number_shows_at_most_two_digits() -> None:
    assert mask_phone("4600123") == "*****23"
    assert mask_phone("") == ""


PERSONAL = st.one_of(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True),
    st.from_regex(r"[HM][0-9]{8}", fullmatch=True),
    st.from_regex(r"E[0-9]{8}", fullmatch=True),
)
AROUND = st.text("电话给本人，补材料 (.", max_size=6)


@given(before=AROUND, number=PERSONAL, after=AROUND)
def test_no_number_of_a_person_is_left_in_words(before: str, number: str, after: str) -> None:
    masked = mask_words(f"{before}{number}{after}")
    assert number not in masked
    assert masked.startswith(before)
    assert masked.endswith(after)
    assert mask_words(masked) == masked


def test_numbers_in_groups_mail_addresses_and_known_names_are_masked_too() -> None:
    words = (
        "张小三 138 0000-1234，230602 19900101 123X，zhang.san@example.com，旧证 230602900101123"
    )
    masked = mask_words(words, "张小三", "")
    for clear in ("小", "0000", "19900101", "hang.san", "900101"):
        assert clear not in masked
    assert masked.startswith("张*三 138****1234，230602********123X，z***@example.com")


def test_what_is_no_number_of_a_person_stays_as_it_is() -> None:
    for detail in (
        "service: 电话通知补材料",
        "version=2 day_limit=1 least_words=6",
        "2026-11-24 09:30 → 2026-11-25 10:00 saertu",
        "11440232MB2D06811W4000117051000 3",
        "a" * 20 + "13800001234" + "b" * 33,
        "qingting-city-20261126T093000Z.tar 1732612345678",
        "127.0.0.0/8 40 rows",
    ):
        assert mask_words(detail) == detail


class Written:
    """A transaction that keeps what is written into it."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    async def scalar(self, *_: Any) -> None:
        return None

    async def first(self, *_: Any) -> None:
        return None

    async def run(self, _: Any, rows: list[dict[str, Any]]) -> None:
        self.rows += rows


async def test_whatever_is_written_into_the_audit_names_nobody_by_number() -> None:
    uow, number = Written(), "230602199001011238"
    await Audit(ManualClock()).write(
        cast("Any", uow), SYSTEM, "alarm.cleared", detail=f"{number} 已打 13800001234"
    )
    (row,) = uow.rows
    for name in ("no", "at", "actor", "act", "result", "previous", "hash"):
        assert row[name], "who did what when, with which result"
    assert {"object", "address"} <= set(row)
    assert row["detail"] == "230602********1238 已打 138****1234"
    assert number not in repr(row)


def test_every_box_in_the_database_changes_its_key_and_every_holder_has_words() -> None:
    context = declared()
    columns = {
        f"{column.table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.endswith(("_box", "totp_pending")) or column.name == "box"
    }
    assert "priv_request.number_box" in columns
    assert columns <= {one.name for one in context.boxes}
    known = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)
    for one in context.personal:
        assert known.has(f"personal.holder.{one.holder}")
        assert all(known.has(f"personal.field.{field.name}") for field in one.fields)


class Shelf:
    fields = (
        PersonalField("name", DataClass.SENSITIVE),
        PersonalField("number", DataClass.SENSITIVE),
        PersonalField("hall", DataClass.INTERNAL),
        PersonalField("item", DataClass.PUBLIC),
    )


def test_the_class_of_a_field_says_whether_it_needs_a_reason() -> None:
    values = {"item": "i", "hall": "h", "number": "1", "name": "n", "never_declared": "x"}
    assert sensitive(cast("Any", Shelf), values) == {"name": "n", "number": "1"}


def test_every_setting_of_retention_is_shown() -> None:
    context = declared()
    assert {one.setting for one in context.kept if one.setting} == {
        one.name for one in fields(RetentionSettings)
    }
    known = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)
    for one in context.kept:
        assert known.has(f"kept.{one.name}")
        assert known.has(f"kept.why.{one.name}"), "each class has its law or its need"
        assert not one.setting or known.has(f"keeping.setting.{one.setting}")
