"""How an item is found by somebody who types: words, full pinyin, first letters."""

import re
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

from console.modules.catalogue.domain import ItemBody

_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F) if chr(wide - 0xFEE0).isalnum()}
_SHORT_NAME = re.compile(r"[\u3400-\u9fff]{3,8}")
_SHORT_LETTERS = re.compile(r"[a-z]{3,8}")


@dataclass(frozen=True, slots=True)
class Index:
    """What a search looks in; all of it lower case, parts separated by spaces."""

    words: str
    pinyin: str
    initials: str


def index_of(code: str, body: ItemBody) -> Index:
    """Of the name, the department, the themes and the materials the words; of the name how it is read."""
    words = (code, body.name, body.name_en, body.department, *body.themes, *body.materials)
    syllables = [
        re.sub(r"[^a-z0-9]", "", one.lower()) for one in lazy_pinyin(body.name, style=Style.NORMAL)
    ]
    known = [one for one in syllables if one]
    return Index(" ".join(words).casefold(), "".join(known), "".join(one[0] for one in known))


def asked(text: str) -> list[str]:
    """The parts of what somebody typed; each must be found. Full-width letters and digits are the plain ones."""
    return text.translate(_NARROW).casefold().split()[:8]


def shortened(part: str) -> str:
    """For a name as people shorten it (社保卡 for 社会保障卡): what a name is like that has its signs in their order; empty
    for what is too short to tell, or has other signs."""
    return f"%{'%'.join(part)}%" if _SHORT_NAME.fullmatch(part) else ""


def skipping(part: str) -> str:
    """The same for first letters (sbk for 社会保障卡): a pattern of letters of which every second may have been left out;
    more of them would find anything. Empty for what is too short to tell, or has other signs."""
    return ".?".join(part) if _SHORT_LETTERS.fullmatch(part) else ""
