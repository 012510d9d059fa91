"""The contract: every type has a valid example, survives JSON, and its generated files are current."""

import json
import re
import tomllib
from typing import Any

import msgspec
import pytest

from qingting.contract import commands, directives, events, generate, hub, link
from qingting.contract.conditions import condition_texts
from qingting.contract.config import config_faults
from qingting.contract.errors import Refusal, error_texts, sentence
from qingting.contract.examples import CONFIG, EXAMPLES
from qingting.contract.faults import Fault, FaultyConfig
from qingting.contract.generate import outputs, union_members
from qingting.contract.people import mask_name, mask_number
from qingting.contract.ratings import LEVEL_WORDS, check_rating, rating_tags
from qingting.contract.states import Condition, Language, RatingLevel

UNIONS: dict[str, Any] = {
    "command": commands.Command,
    "directive": directives.Directive,
    "event": events.EventBody,
    "request": hub.Request,
    "client": hub.ClientMessage,
    "server": hub.ServerMessage,
    "link": link.Frame,
}
MEMBERS = [(name, member) for name, union in UNIONS.items() for member in union_members(union)]


def example_of(union: str, member: type) -> Any:
    return EXAMPLES.get(f"{union}.{member.__name__}") or EXAMPLES[member.__name__]


@pytest.mark.parametrize(
    ("union", "member"), MEMBERS, ids=lambda one: getattr(one, "__name__", one)
)
def test_every_member_has_an_example_that_survives_its_decoder(union: str, member: type) -> None:
    example = example_of(union, member)
    assert type(example) is member
    assert msgspec.json.decode(msgspec.json.encode(example), type=UNIONS[union]) == example


@pytest.mark.parametrize(
    ("union", "member"), [one for one in MEMBERS if one[0] in ("command", "request", "client")]
)
def test_senders_may_not_add_unknown_fields(union: str, member: type) -> None:
    raw = msgspec.to_builtins(example_of(union, member)) | {"surprise": 1}
    with pytest.raises(msgspec.ValidationError, match="surprise"):
        msgspec.json.decode(json.dumps(raw), type=UNIONS[union])


def test_readers_accept_fields_of_a_newer_writer() -> None:
    raw = msgspec.to_builtins(EXAMPLES["Event"])
    raw["b"]["new_field"] = 1
    assert msgspec.convert(raw | {"other": 2}, events.Event) == EXAMPLES["Event"]


def test_generated_files_are_current() -> None:
    stale = [
        str(path)
        for path, text in outputs().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    assert stale == [], "run: make generate"


def test_the_check_reports_drift(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = generate.ROOT / "qingting/web/src/generated/contract.ts"
    monkeypatch.setattr(generate, "outputs", lambda: {target: "changed"})
    assert generate.main(["--check"]) == 1
    assert "differs" in capsys.readouterr().out
    assert target.read_text("utf-8") != "changed"


def test_every_error_speaks_both_languages_and_uses_the_same_parameters() -> None:
    for code, text in error_texts().items():
        assert text.zh != text.en, code
        assert {one.split("}")[0] for one in text.zh.split("{")[1:]} == {
            one.split("}")[0] for one in text.en.split("{")[1:]
        }, code


def test_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        Refusal("no.such_code")


def test_a_sentence_without_its_parameter_is_still_a_sentence() -> None:
    assert (
        sentence("window.taken", {}, Language.EN)
        == "Window … is in use by …. Please choose another window."
    )


def test_every_condition_has_words_and_a_hint() -> None:
    assert set(condition_texts()) == set(Condition)


def test_levels_and_tags_are_complete() -> None:
    assert set(LEVEL_WORDS) == set(RatingLevel)
    assert {tag.level for tag in rating_tags().values()} == set(RatingLevel)
    national = [tag for tag in rating_tags().values() if not tag.local]
    assert len(national) == 40
    assert all(tag.code.startswith("L") == tag.local for tag in rating_tags().values())


def test_retired_tags_are_never_offered() -> None:
    with pytest.raises(Refusal, match=r"rating\.unknown_tag"):
        check_rating(RatingLevel.VERY_SATISFIED, ("501",))


def test_a_broken_configuration_names_every_fault() -> None:
    broken = msgspec.structs.replace(CONFIG, queues=(), departments=CONFIG.departments * 2)
    assert [one.line() for one in config_faults(broken)] == [
        "departments: id 'gaj' appears twice",
        "items.id-renew: no queue 'ga'",
        "windows.w3: no queue 'ga'",
    ]
    assert config_faults(CONFIG) == []


def test_two_windows_or_clerks_of_one_number_are_a_fault_of_each() -> None:
    first = CONFIG.windows[0]
    twin = msgspec.structs.replace(first, id="twin", name="另一窗口")
    broken = msgspec.structs.replace(CONFIG, windows=(*CONFIG.windows, twin))
    found = [one for one in config_faults(broken) if one.code == "fault.window_twice"]
    assert [(one.part, one.key) for one in found] == [("windows", first.id), ("windows", "twin")]


def test_english_papers_that_do_not_match_the_chinese_ones_are_a_fault_of_their_item() -> None:
    first = CONFIG.items[0]
    uneven = msgspec.structs.replace(first, materials=("甲", "乙"), materials_en=("A",))
    even = msgspec.structs.replace(first, id="even", materials=("甲",), materials_en=())
    broken = msgspec.structs.replace(CONFIG, items=(uneven, even))
    (found,) = config_faults(broken)
    assert (found.code, found.key, found.what) == ("fault.papers_uneven", first.id, "2 : 1")


def test_faults_are_said_in_the_reader_s_language_and_named_as_people_do() -> None:
    broken = msgspec.structs.replace(CONFIG, queues=())
    refusal = FaultyConfig(config_faults(broken))
    zh, en = refusal.sentence(Language.ZH), refusal.again().sentence(Language.EN)
    assert f"事项“{CONFIG.items[0].name}”：没有队列“ga”；" in zh
    assert not re.search("[A-Za-z]{3}", zh.replace("“ga”", ""))
    assert f"Item “{CONFIG.items[0].name_en}”: no queue 'ga'; " in en
    assert not re.search("[\u4e00-\u9fff]", en)
    assert [one.what for one in refusal.at("windows", "w3")] == ["ga"]
    assert refusal.at("windows", "w9") == ()


def test_a_fault_of_what_has_no_english_name_is_named_in_chinese() -> None:
    fault = Fault("fault.no_queue", "windows", "w3", "三号", "ga")
    assert "三号”: no queue 'ga'" in fault.text(Language.EN)


def test_what_a_fault_misses_is_named_in_the_reader_s_language_too() -> None:
    fault = Fault("fault.no_queue", "windows", "w3", "三号", "公安", "", "No. 3", "Police")
    assert "三号”：没有队列“公安”" in fault.text(Language.ZH)
    assert "No. 3”: no queue 'Police'" in fault.text(Language.EN)


@pytest.mark.parametrize(
    ("clear", "masked"),
    [
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("欧阳小三", "欧**三"),
        ("Ana Maria", "A** M****"),
        ("李", "李"),
        ("", ""),
    ],
)
def test_names_are_masked(clear: str, masked: str) -> None:
    assert mask_name(clear) == masked


@pytest.mark.parametrize(
    ("clear", "masked"),
    [
        ("230602199001011238", "230602********1238"),
        ("ABC123456789012", "ABC123*****9012"),
        ("12345", "*****"),
        ("", ""),
    ],
)
def test_numbers_are_masked(clear: str, masked: str) -> None:
    assert mask_number(clear) == masked


class TestFrames:
    def test_a_frame_survives_the_wire(self) -> None:
        frame = EXAMPLES["Events"]
        assert link.decode_frame(link.encode_frame(frame)) == frame

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x02abc",
            b"\x01not zlib",
            link.encode_frame(EXAMPLES["Ack"])[:-4],
            b"\x01" + b"\x78\x01",
        ],
    )
    def test_damaged_bytes_are_no_frame(self, data: bytes) -> None:
        with pytest.raises(link.FrameError):
            link.decode_frame(data)

    def test_a_bomb_is_not_expanded(self) -> None:
        import zlib

        with pytest.raises(link.FrameError, match="too large"):
            link.decode_frame(b"\x01" + zlib.compress(b" " * (link.MAX_RAW_BYTES + 1)))

    def test_the_chain_covers_order_and_content(self) -> None:
        first = link.chain_hash(link.GENESIS, b"a")
        assert link.chain_hash(first, b"b") != link.chain_hash(
            link.chain_hash(link.GENESIS, b"b"), b"a"
        )


def test_the_tables_are_plain_toml() -> None:
    for name in ("errors.toml", "conditions.toml", "rating_tags.toml"):
        assert tomllib.loads((generate.ROOT / "qingting/contract" / name).read_text("utf-8"))
