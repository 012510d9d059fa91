"""How Chinese is read aloud and typed: pinyin for the search of a screen without a Chinese keyboard.

The dictionary of pypinyin reads surnames and place names as common words (单 as dan, not shan), so
``data/readings.toml`` is asked first.
"""

import re
from functools import cache
from itertools import chain

from pypinyin import Style, lazy_pinyin

from qingting.demo.sources import readings


@cache
def _phrases() -> re.Pattern[str]:
    longest_first = sorted(readings().phrases, key=len, reverse=True)
    return re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")


def syllables(text: str) -> tuple[str, ...]:
    """The syllables of ``text`` in lower case without tones; signs and brackets are left out.

    ü is written v, as keyboards do.
    """
    known = readings().phrases
    parts = [
        known[part].split() if part in known else lazy_pinyin(part, style=Style.NORMAL)
        for part in _phrases().split(text)
        if part
    ]
    words = (re.sub(r"[^a-z0-9]", "", word.lower()) for word in chain.from_iterable(parts))
    return tuple(word for word in words if word)


def name_syllables(name: str) -> tuple[str, ...]:
    """The syllables of a person's name: the surname by the surname table, the rest as words."""
    table = readings().surnames
    for length in (2, 1):
        if name[:length] in table:
            return (*table[name[:length]].split(), *syllables(name[length:]))
    return syllables(name)


def pinyin(*texts: str) -> str:
    """The full reading of each text in one run, texts parted by a space: 身份证 → ``shenfenzheng``."""
    return " ".join("".join(syllables(text)) for text in texts)


def initials(*texts: str) -> str:
    """The first letters of each text, texts parted by a space: 身份证 → ``sfz``."""
    return " ".join("".join(word[0] for word in syllables(text)) for text in texts)
