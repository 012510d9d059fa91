"""What a call sounds like: true to the ticket, readable by the voice, without anything else in it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.boards.sentence import call_sentence, chinese_number
from qingting.contract.states import Language

DIGITS = "零一二三四五六七八九"
prefixes = st.from_regex(r"[A-Z]{1,2}", fullmatch=True)
serials = st.integers(min_value=0, max_value=9999)


def number_heard(text: str) -> int:
    """The reading of a Chinese number up to 999, as a listener takes it."""
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    value = 100 * DIGITS.index(hundreds) if hundreds else 0
    if ten:
        value += 10 * (DIGITS.index(tens) if tens else 1)
    return value + (DIGITS.index(ones.lstrip("零")) if ones.lstrip("零") else 0)


@pytest.mark.parametrize(
    ("number", "window", "chinese", "english"),
    [
        (
            "A001",
            "3",
            "请 A 零零一号，到 三号窗口",
            "Number A, zero zero one. Please go to window 3.",
        ),
        (
            "GB120",
            "12",
            "请 G B 一二零号，到 十二号窗口",
            "Number G, B, one two zero. Please go to window 12.",
        ),
        (
            "C007",
            "B05",
            "请 C 零零七号，到 B 零五号窗口",
            "Number C, zero zero seven. Please go to window B, 05.",
        ),
        (
            "A010",
            "综合1",
            "请 A 零一零号，到 综合 一号窗口",
            "Number A, zero one zero. Please go to window 1.",
        ),
        (
            "A010",
            "综合",
            "请 A 零一零号，到 综合号窗口",
            "Number A, zero one zero. Please go to the window shown.",
        ),
    ],
)
def test_a_call_is_said_as_a_person_would_say_it(
    number: str, window: str, chinese: str, english: str
) -> None:
    assert call_sentence(number, window, Language.ZH) == chinese
    assert call_sentence(number, window, Language.EN) == english


@given(prefixes, serials, st.integers(min_value=0, max_value=999))
def test_number_and_window_are_heard_exactly(prefix: str, serial: int, window: int) -> None:
    number = f"{prefix}{serial:03d}"
    said = call_sentence(number, str(window), Language.ZH)
    found = re.fullmatch(r"请 (.+)号，到 (.+)号窗口", said)
    assert found is not None
    heard = "".join(str(DIGITS.index(one)) if one in DIGITS else one for one in found[1])
    assert heard.replace(" ", "") == number
    assert number_heard(found[2]) == window


@given(prefixes, serials)
def test_letters_stand_apart_so_that_the_voice_reads_their_names(prefix: str, serial: int) -> None:
    said = call_sentence(f"{prefix}{serial:03d}", "1", Language.ZH)
    assert re.search(r"[A-Z][^ ]", said) is None


@given(st.integers(min_value=0, max_value=999))
def test_a_window_has_one_reading_of_its_own(window: int) -> None:
    assert number_heard(chinese_number(window)) == window
    assert not chinese_number(window).startswith("一十")


@given(st.text(), st.text(), st.sampled_from(Language))
def test_no_sign_of_a_markup_or_a_command_reaches_the_voice(
    number: str, window: str, language: Language
) -> None:
    said = call_sentence(number, window, language)
    assert re.fullmatch(r"[A-Za-z0-9 ,.，\u4e00-\u9fff]+", said) is not None
