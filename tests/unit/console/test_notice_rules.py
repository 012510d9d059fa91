"""Telling citizens: lengths and segments, wordings with fields, quiet hours, ways and their order."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.days import day_of
from console.core.senders.opening import SenderSettings, sender_faults
from console.modules.notifications.masks import is_mail
from console.modules.notifications.rules import (
    DAY_MS,
    MINUTE_MS,
    NoticeRules,
    allowed_at,
    due_and_until,
    next_way,
    ways,
)
from console.modules.notifications.segments import length, segments, signed
from console.modules.notifications.topics import (
    HIDDEN,
    Channel,
    DeclaredTopic,
    FieldKind,
    Topic,
    TopicField,
    TopicSettings,
    Wording,
    kept_params,
)
from console.modules.notifications.views import WHYS, why_of
from console.modules.notifications.wording import check, fill, mistakes, named, said
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue

CHINA = 480
NIGHT = NoticeRules()
MOMENTS = st.integers(1_700_000_000_000, 1_900_000_000_000)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
TOPIC = DeclaredTopic(
    topic=Topic(
        id="visit.booked",
        fields=(
            TopicField(id="hall", example="萨尔图区政务服务中心"),
            TopicField(id="time", kind=FieldKind.MOMENT, example=1_795_395_600_000),
            TopicField(id="code", kind=FieldKind.CODE, example="8F3K2M"),
            TopicField(id="who", kind=FieldKind.NAME, example="张*三"),
        ),
    ),
    names={Language.ZH: "预约成功", Language.EN: "Booked"},
    field_names={
        (one, language): name
        for one, zh, en in (
            ("hall", "大厅", "Hall"),
            ("time", "时间", "Time"),
            ("code", "取号码", "Code"),
            ("who", "姓名", "Name"),
        )
        for language, name in ((Language.ZH, zh), (Language.EN, en))
    },
    titles={Language.ZH: "预约成功", Language.EN: "Booked"},
    texts={Language.ZH: "{time} {hall}", Language.EN: "{hall}, {time}"},
    short={Language.ZH: "{time} {hall}", Language.EN: "{hall}, {time}"},
)
PARAMS: dict[str, str | int] = {
    "hall": "萨尔图",
    "time": 1_795_395_600_000,
    "code": "8F3K2M",
    "who": "张*三",
}


def china(text: str) -> int:
    """UTC milliseconds of a wall time in China."""
    return int(datetime.fromisoformat(f"{text}+08:00").astimezone(UTC).timestamp() * 1000)


# ---- SMS ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "billed"), [(0, 0), (1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)]
)
def test_seventy_characters_are_one_message_and_longer_ones_are_billed_by_sixty_seven(
    units: int, billed: int
) -> None:
    assert segments("字" * units) == billed


@given(st.text(max_size=600))
def test_segments_hold_the_text_and_no_more_of_them_than_needed(text: str) -> None:
    count, units = segments(text), length(text)
    assert units <= (70 if count == 1 else 67 * count)
    assert count < 2 or units > max(70, 67 * (count - 1))


def test_the_signature_counts_and_rare_characters_count_twice() -> None:
    assert signed("大庆政务", "您好") == "【大庆政务】您好"
    assert segments(signed("大庆政务", "字" * 64)) == 1
    assert segments(signed("大庆政务", "字" * 65)) == 2
    assert length("𠮷") == 2


# ---- wordings ----------------------------------------------------------------------------------------


def test_fields_go_by_id_and_by_name_and_are_written_as_people_read_them() -> None:
    words = "{姓名}：{time}到{大厅}，{{号}}{code}"
    assert (
        fill(TOPIC, words, PARAMS, Language.ZH, CHINA) == "张*三：11月23日 9:00到萨尔图，{号}8F3K2M"
    )
    assert fill(TOPIC, "{Time}", PARAMS, Language.EN, CHINA) == "23 Nov 9:00"


def test_staff_never_read_a_code() -> None:
    text = fill(TOPIC, "{code}", PARAMS, Language.ZH, CHINA, hide_codes=True)
    assert text == HIDDEN


def test_an_unknown_field_is_refused_with_its_place() -> None:
    wording = Wording(title="预约", text="您好，\n请于{时刻}到{hall}")
    with pytest.raises(Refusal) as refused:
        check(TOPIC, Channel.SMS, wording)
    assert refused.value.code == "notice.field"
    assert refused.value.params == {"word": "时刻", "line": 2, "column": 3}
    with pytest.raises(Refusal, match=r"notice\.field"):
        check(TOPIC, Channel.MAIL, Wording(title="{", text="x"))
    with pytest.raises(Refusal, match=r"notice\.empty"):
        check(TOPIC, Channel.MAIL, Wording(title=" ", text="x"))
    with pytest.raises(Refusal, match=r"notice\.long"):
        check(TOPIC, Channel.SMS, Wording(title="", text="字" * 501))


def test_a_wording_that_leaves_out_the_code_it_is_there_for_is_refused() -> None:
    texts = {Language.ZH: "取号码{code}", Language.EN: "Code {code}"}
    topic = replace(TOPIC, texts=texts)
    with pytest.raises(Refusal, match=r"notice\.no_code") as refused:
        check(topic, Channel.MAIL, Wording(title="取号码{code}", text="您好"))
    assert "取号码" in refused.value.sentence(Language.ZH)
    assert "“Code”" in refused.value.sentence(Language.EN)
    check(topic, Channel.MAIL, Wording(title="您好", text="{取号码}"))
    check(topic, Channel.SMS, Wording(title="", text="以站内信为准"))


def test_a_wording_is_shown_with_its_fields_by_name_and_stays_the_same_wording() -> None:
    text = "{who}：{time} 到{{一楼}}{hall}"
    shown = named(TOPIC, text, Language.ZH)
    assert shown == "{姓名}：{时间} 到{{一楼}}{大厅}"
    for language in Language:
        again = fill(TOPIC, named(TOPIC, text, language), PARAMS, language, CHINA)
        assert again == fill(TOPIC, text, PARAMS, language, CHINA)
    assert named(TOPIC, "{hall}到{几点}", Language.ZH) == "{hall}到{几点}", "not to be guessed"


def test_a_reason_is_said_in_words_and_a_providers_own_word_stays() -> None:
    words = {one: Catalogue.load("console.modules.notifications") for one in Language}
    text = {one: partial(words[one].text, one) for one in Language}
    for reason in WHYS:
        assert why_of(reason, text[Language.ZH]) != reason
    assert why_of("TimeoutError", text[Language.ZH]) == "对方没有正常回答 (TimeoutError)"
    assert why_of("MK:0045", text[Language.ZH]) == "MK:0045"


@pytest.mark.parametrize("address", ["nonsense", "a@b", "a b@c.cn", "@c.cn", "a@@c.cn"])
def test_what_is_no_mail_address_is_told_from_one(address: str) -> None:
    assert not is_mail(address)
    assert is_mail("zhang.san+1@mail.daqing.gov.cn")


@given(st.text(max_size=80))
def test_every_text_is_refused_with_a_place_in_it_or_can_be_filled(text: str) -> None:
    found = mistakes(TOPIC, text)
    for one in found:
        line = text.split("\n")[one.line - 1]
        assert line[one.column - 1] in "{}"
    if not found:
        filled = fill(TOPIC, text, PARAMS, Language.ZH, CHINA)
        assert filled.count("…") == text.count("…"), "nothing is left as a gap"


@given(st.text(max_size=40))
def test_a_text_with_doubled_braces_is_sent_as_it_was_meant(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert mistakes(TOPIC, doubled) == []
    assert fill(TOPIC, doubled, PARAMS, Language.ZH, CHINA) == text


def test_a_value_with_braces_in_it_is_no_field() -> None:
    given_ = PARAMS | {"hall": "{code}"}
    assert (
        said(TOPIC, Wording(title="x", text="{hall}"), given_, Language.ZH, CHINA).text == "{code}"
    )


def test_a_field_that_came_after_the_message_is_a_gap_and_no_fault() -> None:
    assert fill(TOPIC, "{hall} {code}", {"hall": "萨尔图"}, Language.ZH, CHINA) == "萨尔图 …"


def test_names_are_kept_masked_and_numbers_of_people_are_refused() -> None:
    assert kept_params(TOPIC, PARAMS | {"who": "张小三"})["who"] == "张*三"
    for personal in ("13912345678", "号码 230602199001011238 的人"):
        with pytest.raises(ValueError, match="number of a person"):
            kept_params(TOPIC, PARAMS | {"hall": personal})
    with pytest.raises(ValueError, match="fields"):
        kept_params(TOPIC, {"hall": "x"})


# ---- quiet hours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("2026-11-23 20:59", "2026-11-23 20:59"),
        ("2026-11-23 21:00", "2026-11-24 08:00"),
        ("2026-11-23 23:59", "2026-11-24 08:00"),
        ("2026-11-24 00:00", "2026-11-24 08:00"),
        ("2026-11-24 07:59", "2026-11-24 08:00"),
        ("2026-11-24 08:00", "2026-11-24 08:00"),
    ],
)
def test_nobody_is_woken_at_night(asked: str, told: str) -> None:
    assert allowed_at(china(asked), NIGHT, CHINA) == china(told)


@given(MOMENTS, CLOCKS, CLOCKS)
def test_whenever_it_is_allowed_it_is_not_quiet_and_nothing_earlier_was(
    now: int, start: str, end: str
) -> None:
    rules = NoticeRules(quiet_from=start, quiet_until=end)
    allowed = allowed_at(now, rules, CHINA)
    assert now <= allowed < now + DAY_MS
    assert allowed_at(allowed, rules, CHINA) == allowed
    if allowed > now:
        assert allowed_at(allowed - MINUTE_MS, rules, CHINA) == allowed


# ---- when and by which ways ------------------------------------------------------------------------------

SETTINGS = TopicSettings(chain=(Channel.PUSH, Channel.SMS, Channel.MAIL))
NOON = china("2026-11-23 12:00")


def plan(
    settings: TopicSettings = SETTINGS,
    *,
    unwanted: frozenset[Channel] = frozenset(),
    told_today: int = 0,
    now: int = NOON,
    until: int = NOON + DAY_MS,
) -> dict[Channel, str]:
    found = ways(
        settings,
        NIGHT,
        ready=(Channel.SMS, Channel.MAIL),
        unwanted=unwanted,
        told_today=told_today,
        now=now,
        until=until,
        offset_minutes=CHINA,
    )
    return {one.channel: f"{one.state}:{one.reason}" for one in found}


def test_the_first_way_that_there_is_goes_first_and_the_others_wait() -> None:
    assert plan() == {Channel.SMS: "queued:", Channel.MAIL: "waiting:"}


def test_a_way_that_the_citizen_does_not_want_is_left_out() -> None:
    assert plan(unwanted=frozenset({Channel.SMS})) == {
        Channel.MAIL: "queued:",
        Channel.SMS: "dropped:unwanted",
    }


def test_at_night_it_is_held_unless_urgent_and_left_out_when_useless_in_the_morning() -> None:
    night = china("2026-11-23 22:00")
    assert plan(now=night, until=night + DAY_MS)[Channel.SMS] == "held:"
    urgent = TopicSettings(chain=(Channel.SMS,), urgent=True)
    assert plan(urgent, now=night, until=night + DAY_MS) == {Channel.SMS: "queued:"}
    assert plan(now=night, until=china("2026-11-24 07:30"))[Channel.SMS] == "dropped:quiet"


def test_after_so_many_a_day_only_what_is_urgent_goes_out() -> None:
    assert plan(told_today=NIGHT.per_day - 1)[Channel.SMS] == "queued:"
    assert plan(told_today=NIGHT.per_day)[Channel.SMS] == "dropped:limit"
    urgent = TopicSettings(chain=(Channel.SMS,), urgent=True)
    assert plan(urgent, told_today=99) == {Channel.SMS: "queued:"}


def test_what_is_told_before_something_is_told_so_long_before_and_useless_at_it() -> None:
    reminder = TopicSettings(chain=(), before_minutes=60)
    visit = NOON + 5 * 3_600_000
    assert due_and_until(reminder, NOON, visit, None) == (visit - 3_600_000, visit)
    assert due_and_until(reminder, visit - MINUTE_MS, visit, None) == (visit - MINUTE_MS, visit)
    assert due_and_until(SETTINGS, NOON, None, None) == (NOON, NOON + DAY_MS)
    assert due_and_until(SETTINGS, NOON, visit, visit + 1) == (visit, visit + 1)


CHAIN_STATES = st.lists(
    st.sampled_from(
        ["waiting", "queued", "held", "sending", "sent", "delivered", "failed", "dropped"]
    ),
    max_size=4,
)


@given(CHAIN_STATES)
def test_the_next_way_is_taken_only_when_none_carries_the_message(states: list[str]) -> None:
    chain = [(channel, state) for channel, state in zip(Channel, states, strict=False)]
    found = next_way(chain)
    busy = {"queued", "held", "sending", "sent", "delivered"} & set(states)
    assert (found is None) == (bool(busy) or "waiting" not in states)


def test_the_city_day_turns_at_its_own_midnight() -> None:
    assert day_of(china("2026-11-23 23:59"), CHINA).isoformat() == "2026-11-23"
    assert day_of(china("2026-11-24 00:00"), CHINA).isoformat() == "2026-11-24"


# ---- settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ({}, 0),
        ({"sms_url": "https://sms.example/api", "sms_account": "a", "sms_secret": "s" * 16, "sms_sign": "大庆政务"}, 0),
        ({"sms_url": "http://sms.example/api", "sms_account": "a", "sms_secret": "s" * 16, "sms_sign": "大庆政务"}, 1),
        ({"sms_url": "https://sms.example/api"}, 3),
        ({"push_url": "http://127.0.0.1:1/api", "push_account": "a", "push_secret": "short"}, 1),
        ({"citizen_mail": True}, 1),
    ],
)  # fmt: skip
def test_ways_to_citizens_are_checked_before_the_console_starts(
    settings: dict[str, Any], faults: int
) -> None:
    assert len(sender_faults(SenderSettings(**settings))) == faults
