"""What a call sounds like: a number and a window, never anything about the person.

The words follow what the free synthesiser eSpeak NG reads well. Its Mandarin voice reads letters by
their names only when they stand apart, and a ticket's digits must come one by one.
"""

import re

from qingting.contract.states import Language

_DIGITS = "零一二三四五六七八九"
_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PARTS = re.compile(r"[A-Z]|[0-9]+|[\u4e00-\u9fff]+")
"""All that is ever handed to a synthesiser; signs could be taken for its markup."""
LARGEST_READ_AS_ONE = 999
"""A window 12 is 十二; what is longer than a window's number can be is read digit by digit."""


def call_sentence(number: str, window: str, language: Language) -> str:
    """The announcement of ticket ``number`` at window number ``window``, ready for a voice."""
    if language is Language.EN:
        return _english(number, window)
    return f"请 {_chinese_ticket(number)}号，到 {_chinese_window(window)}号窗口"


def chinese_number(value: int) -> str:
    """0 to :data:`LARGEST_READ_AS_ONE` as it is said: 12 → 十二, 105 → 一百零五, 110 → 一百一十."""
    if value < 10:
        return _DIGITS[value]
    tens, ones = divmod(value % 100, 10)
    tail = _DIGITS[ones] if ones else ""
    if value < 20:
        return f"十{tail}"
    if value < 100:
        return f"{_DIGITS[tens]}十{tail}"
    head = f"{_DIGITS[value // 100]}百"
    if tens:
        return f"{head}{_DIGITS[tens]}十{tail}"
    return f"{head}零{tail}" if ones else head


def _parts(text: str) -> list[str]:
    return _PARTS.findall(text.upper())


def _digits(part: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in part)


def _chinese_ticket(number: str) -> str:
    return " ".join(_digits(part) if part.isdecimal() else part for part in _parts(number))


def _chinese_window(window: str) -> str:
    return " ".join(_chinese_count(part) if part.isdecimal() else part for part in _parts(window))


def _chinese_count(part: str) -> str:
    if part.startswith("0") or int(part) > LARGEST_READ_AS_ONE:
        return _digits(part)
    return chinese_number(int(part))


def _english(number: str, window: str) -> str:
    said = ", ".join(
        " ".join(_ENGLISH[int(digit)] for digit in part) if part.isdecimal() else part
        for part in _parts(number)
    )
    # An English voice can not read Chinese characters; the board beside it shows them.
    place = ", ".join(part for part in _parts(window) if part.isascii())
    return f"Number {said}. Please go to {f'window {place}' if place else 'the window shown'}."
