"""Chinese is read as people say it, also where a dictionary of common words is wrong."""

import pytest

from qingting.demo.reading import initials, name_syllables, pinyin, syllables


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("居民身份证", "juminshenfenzheng"),
        ("让胡路区", "ranghuluqu"),
        ("杜尔伯特蒙古族自治县", "duerbotemengguzuzizhixian"),
        ("八百垧街道", "babaishangjiedao"),
        ("薄荷台乡", "bohetaixiang"),
        ("单县", "shanxian"),
        ("绿色", "lvse"),
        ("ETC（办理）", "etcbanli"),
    ],
)
def test_places_and_words_are_read_right(text: str, reading: str) -> None:
    assert pinyin(text) == reading


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("单志强", ("shan", "zhi", "qiang")),
        ("解雨桐", ("xie", "yu", "tong")),
        ("曾静怡", ("zeng", "jing", "yi")),
        ("尉迟国栋", ("yu", "chi", "guo", "dong")),
        ("王晓雯", ("wang", "xiao", "wen")),
    ],
)
def test_surnames_are_read_as_surnames(name: str, reading: tuple[str, ...]) -> None:
    assert name_syllables(name) == reading


def test_a_surname_is_not_forced_on_common_words() -> None:
    assert syllables("解除单位") == ("jie", "chu", "dan", "wei")


def test_further_words_follow_after_a_space() -> None:
    assert pinyin("换领", "到期") == "huanling daoqi"
    assert initials("换领", "到期") == "hl dq"
