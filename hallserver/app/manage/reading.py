"""How the name of an item is typed on a kiosk without a Chinese keyboard."""

import re
from itertools import chain

from pypinyin import Style, lazy_pinyin


def _syllables(text: str) -> list[str]:
    """Lower case without tones, ü written v; signs and brackets are left out."""
    known = (lazy_pinyin(part, style=Style.NORMAL) for part in re.split(r"[\s（）()、，]+", text))
    words = (re.sub(r"[^a-z0-9]", "", word.lower()) for word in chain.from_iterable(known))
    return [word for word in words if word]


def pinyin(name: str) -> str:
    """身份证 → ``shenfenzheng``."""
    return "".join(_syllables(name))


def initials(name: str) -> str:
    """身份证 → ``sfz``."""
    return "".join(word[0] for word in _syllables(name))
