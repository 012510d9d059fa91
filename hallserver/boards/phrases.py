"""What a call sounds like, word by word: a number, a place, and a masked name only where the hall wants it.

A sentence is a list of words from a closed vocabulary (the clip bank's) and of pauses. Only the name of a
window or a visitor can hold a word that no bank has; such a word is spoken by the synthesiser.
"""

import re
from typing import NamedTuple

from qingting.contract.states import Language

CHINESE_DIGITS = "零一二三四五六七八九"
_ENGLISH = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_PARTS = re.compile(r"[A-Z]|[0-9]+|[\u4e00-\u9fff]+")
"""All that is ever handed to a voice; signs could be taken for its markup."""
LARGEST_READ_AS_ONE = 999
"""A window 12 is 十二; what is longer than a window's number can be is read digit by digit."""
BREATH = 0.16
"""Seconds between the two halves of a sentence."""
SLOW_GAP = 0.12
"""Seconds that the slow version puts between words."""


class Word(NamedTuple):
    """``key`` names a clip of the bank; empty = spoken by the synthesiser. ``text`` is what is said."""

    key: str
    text: str


Phrase = list[Word | float]
"""Words and pauses in seconds."""

PLEASE = Word("zh/please", "请")
NUMBER = Word("zh/number", "号")
TO = Word("zh/to", "到")
WINDOW_NUMBER = Word("zh/window-number", "号窗口")
WINDOW = Word("zh/window", "窗口")
SERVE = Word("zh/serve", "办理")
TITLES = {"ms": Word("zh/ms", "女士"), "mr": Word("zh/mr", "先生")}
TICKET_EN = Word("en/number", "Number")
GO_TO_EN = Word("en/go-to-window", "please go to window")
GO_SHOWN_EN = Word("en/go-to-window-shown", "please go to the window shown")


def vocabulary() -> tuple[Word, ...]:
    """Every word that a bank holds; what a human announcer reads."""
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    chinese = [_digit(number) for number in range(10)]
    chinese += [_TEN, _HUNDRED, PLEASE, NUMBER, TO, WINDOW_NUMBER, WINDOW, SERVE, *TITLES.values()]
    chinese += [_letter(one, "zh") for one in letters]
    english = [_english(number) for number in (*range(20), *range(20, 100, 10), 100)]
    english += [TICKET_EN, GO_TO_EN, GO_SHOWN_EN, *(_letter(one, "en") for one in letters)]
    return (*chinese, *english)


def call_phrase(
    number: str, window: str, language: Language, named: tuple[str, str] = ("", "")
) -> Phrase:
    """The announcement of ticket ``number`` at window number ``window``.

    ``named`` is surname and title (``ms``, ``mr``) of the visitor, see :func:`spoken_name`.
    """
    if language is Language.EN:
        return _english_call(number, window)
    return _chinese_call(number, window, named)


def text_of(phrase: Phrase) -> str:
    """The phrase in writing, for a caption and for a synthesiser that reads it in one go.

    Letters and digits stand apart where that helps a voice to read them by their names.
    """
    words = [one if isinstance(one, Word) else None for one in phrase]
    text = ""
    for former, word in zip([None, *words], words, strict=False):
        if word is None:
            text = text.rstrip() + ("，" if text and ord(text[-1]) > 0x2E80 else ", ")
            continue
        apart = former is not None and (word.text.isascii() or former.text.isascii())
        text += (" " if apart and not text.endswith(" ") else "") + word.text
    return text.strip()


def spoken_name(masked: str, masked_number: str) -> tuple[str, str]:
    """Surname and title out of what a ticket may show: 张*三, 230602********1228 → 张, ms.

    The last digit but one of a resident's number is odd for a man and even for a woman (GB 11643). Empty
    when the surname is not certain: four characters may begin with a double surname (欧阳), and names in
    Latin letters are not read aloud.
    """
    if not 2 <= len(masked) <= 3 or not "\u4e00" <= masked[0] <= "\u9fff":
        return "", ""
    if len(masked_number) != 18 or not masked_number[-2].isdecimal():
        return "", ""
    return masked[0], "mr" if int(masked_number[-2]) % 2 else "ms"


# ---- Chinese ------------------------------------------------------------------------------------


def _chinese_call(number: str, window: str, named: tuple[str, str]) -> Phrase:
    surname, title = named
    who: Phrase = [Word("", surname), TITLES[title]] if surname and title in TITLES else []
    return [PLEASE, *_spelt(number), NUMBER, *who, BREATH, TO, *_chinese_window(window), SERVE]


def _spelt(number: str) -> list[Word]:
    """A ticket's number sign by sign."""
    spelt: list[Word] = []
    for part in _parts(number):
        if part.isdecimal():
            spelt += [_digit(int(digit)) for digit in part]
        else:
            spelt.append(_letter(part, "zh") if part.isascii() else Word("", part))
    return spelt


def _chinese_window(window: str) -> list[Word]:
    words: list[Word] = []
    parts = _parts(window)
    for part in parts:
        if part.isdecimal():
            words += chinese_number(part)
        else:
            words.append(_letter(part, "zh") if part.isascii() else Word("", part))
    ends_in_number = bool(parts) and (parts[-1].isdecimal() or parts[-1].isascii())
    return [*words, WINDOW_NUMBER if ends_in_number else WINDOW]


def chinese_number(digits: str) -> list[Word]:
    """As it is said: 12 → 十二, 105 → 一百零五; with a leading zero or beyond 999 digit by digit."""
    value = int(digits)
    if (digits.startswith("0") and len(digits) > 1) or value > LARGEST_READ_AS_ONE:
        return [_digit(int(digit)) for digit in digits]
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    words: list[Word] = [_digit(hundreds), _HUNDRED] if hundreds else []
    if tens:
        words += [_TEN] if tens == 1 and not hundreds else [_digit(tens), _TEN]
    elif hundreds and ones:
        words.append(_digit(0))
    return [*words, _digit(ones)] if ones or not words else words


_TEN = Word("zh/ten", "十")
_HUNDRED = Word("zh/hundred", "百")


def _digit(value: int) -> Word:
    return Word(f"zh/{value}", CHINESE_DIGITS[value])


def _letter(letter: str, language: str) -> Word:
    return Word(f"{language}/{letter.lower()}", letter)


def _parts(text: str) -> list[str]:
    return _PARTS.findall(text.upper())


# ---- English ------------------------------------------------------------------------------------


def _english_call(number: str, window: str) -> Phrase:
    said: list[Word] = []
    for part in _parts(number):
        if part.isdecimal():
            said += [_english(int(digit)) for digit in part]
        elif part.isascii():
            said.append(_letter(part, "en"))
    place: list[Word] = []
    for part in _parts(window):
        if part.isdecimal():
            place += _english_number(part)
        elif part.isascii():
            place.append(_letter(part, "en"))
    # An English voice can not read Chinese characters; the board beside it shows them.
    return [TICKET_EN, *said, BREATH, *([GO_TO_EN, *place] if place else [GO_SHOWN_EN])]


def _english_number(digits: str) -> list[Word]:
    value = int(digits)
    if (digits.startswith("0") and len(digits) > 1) or value > LARGEST_READ_AS_ONE:
        return [_english(int(digit)) for digit in digits]
    hundreds, rest = divmod(value, 100)
    words = [_english(hundreds), _english(100)] if hundreds else []
    if rest >= 20:
        words += [_english(rest - rest % 10)] + ([_english(rest % 10)] if rest % 10 else [])
    elif rest or not hundreds:
        words.append(_english(rest))
    return words


def _english(value: int) -> Word:
    if value == 100:
        return Word("en/100", "hundred")
    return Word(f"en/{value}", _ENGLISH[value] if value < 20 else _TENS[value // 10])
