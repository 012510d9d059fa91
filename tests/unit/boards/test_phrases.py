"""What a call sounds like: true to the ticket, made of known words, without anything else in it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.boards.phrases import (
    Phrase,
    Word,
    call_phrase,
    chinese_number,
    spoken_name,
    text_of,
    vocabulary,
)
from qingting.contract.people import mask_name, mask_number
from qingting.contract.states import Language

DIGITS = "零一二三四五六七八九"
VOCABULARY = {word.key: word.text for word in vocabulary()}
prefixes = st.from_regex(r"[A-Z]{1,2}", fullmatch=True)
serials = st.integers(min_value=0, max_value=9999)
windows = st.integers(min_value=0, max_value=999)


def words(phrase: Phrase) -> list[Word]:
    return [one for one in phrase if isinstance(one, Word)]


def number_heard(text: str) -> int:
    """The reading of a Chinese number up to 999, as a listener takes it."""
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    value = 100 * DIGITS.index(hundreds) if hundreds else 0
    if ten:
        value += 10 * (DIGITS.index(tens) if tens else 1)
    return value + (DIGITS.index(ones.lstrip("零")) if ones.lstrip("零") else 0)


def english_heard(spoken: list[str]) -> int:
    """The reading of an English number up to 999."""
    known = {word.text: word.key.removeprefix("en/") for word in vocabulary()}
    value = 0
    for word in spoken:
        value = value * 100 if word == "hundred" else value + int(known[word])
    return value


@pytest.mark.parametrize(
    ("number", "window", "chinese", "english"),
    [
        (
            "A001",
            "3",
            "请 A 零零一号，到三号窗口办理",
            "Number A zero zero one, please go to window three",
        ),
        (
            "GB120",
            "12",
            "请 G B 一二零号，到十二号窗口办理",
            "Number G B one two zero, please go to window twelve",
        ),
        (
            "C007",
            "B05",
            "请 C 零零七号，到 B 零五号窗口办理",
            "Number C zero zero seven, please go to window B zero five",
        ),
        (
            "A010",
            "综合1",
            "请 A 零一零号，到综合一号窗口办理",
            "Number A zero one zero, please go to window one",
        ),
        (
            "A010",
            "综合",
            "请 A 零一零号，到综合窗口办理",
            "Number A zero one zero, please go to the window shown",
        ),
    ],
)
def test_a_call_is_said_as_a_person_would_say_it(
    number: str, window: str, chinese: str, english: str
) -> None:
    assert text_of(call_phrase(number, window, Language.ZH)) == chinese
    assert text_of(call_phrase(number, window, Language.EN)) == english


@given(prefixes, serials, windows)
def test_number_and_window_are_heard_exactly(prefix: str, serial: int, window: int) -> None:
    number = f"{prefix}{serial:03d}"
    said = "".join(word.text for word in words(call_phrase(number, str(window), Language.ZH)))
    found = re.fullmatch(r"请(.+)号到(.+)号窗口办理", said)
    assert found is not None
    heard = "".join(str(DIGITS.index(one)) if one in DIGITS else one for one in found[1])
    assert heard == number
    assert number_heard(found[2]) == window


@given(prefixes, serials, windows)
def test_the_english_window_is_heard_exactly(prefix: str, serial: int, window: int) -> None:
    said = [one.text for one in words(call_phrase(f"{prefix}{serial}", str(window), Language.EN))]
    assert english_heard(said[said.index("please go to window") + 1 :]) == window


@given(windows)
def test_a_window_has_one_reading_of_its_own(window: int) -> None:
    text = "".join(word.text for word in chinese_number(str(window)))
    assert number_heard(text) == window
    assert not text.startswith("一十")


@given(prefixes, serials, windows, st.sampled_from(Language))
def test_ordinary_calls_need_no_word_that_is_not_in_the_bank(
    prefix: str, serial: int, window: int, language: Language
) -> None:
    for word in words(call_phrase(f"{prefix}{serial}", str(window), language)):
        assert VOCABULARY[word.key] == word.text


@given(st.text(), st.text(), st.sampled_from(Language))
def test_no_sign_of_a_markup_or_a_command_reaches_a_voice(
    number: str, window: str, language: Language
) -> None:
    said = text_of(call_phrase(number, window, language))
    assert re.fullmatch(r"[A-Za-z ,，\u4e00-\u9fff]+", said) is not None


def test_a_visitor_is_named_by_surname_and_title_only_on_request() -> None:
    plain = text_of(call_phrase("A001", "3", Language.ZH))
    named = text_of(call_phrase("A001", "3", Language.ZH, ("张", "ms")))
    assert "女士" not in plain
    assert named == "请 A 零零一号张女士，到三号窗口办理"
    assert text_of(call_phrase("A001", "3", Language.EN, ("张", "ms"))).isascii()


@pytest.mark.parametrize(
    ("name", "number", "spoken"),
    [
        ("张小三", "230602199001011238", ("张", "mr")),
        ("李四", "230602199001011228", ("李", "ms")),
        ("欧阳小三", "230602199001011238", ("", "")),
        ("Anna Lee", "230602199001011238", ("", "")),
        ("张小三", "FRA123456789", ("", "")),
        ("", "", ("", "")),
    ],
)
def test_only_a_certain_surname_is_said(name: str, number: str, spoken: tuple[str, str]) -> None:
    assert spoken_name(mask_name(name), mask_number(number)) == spoken
