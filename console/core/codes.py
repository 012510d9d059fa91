"""Codes as people type them: full-width letters and digits of a Chinese keyboard are the plain ones."""

import re
import unicodedata

USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Signs of a unified social credit code (GB 32100-2015): no I, O, S, V, Z."""
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """A code as it was meant: ``２３０６０２`` is ``230602``. For codes and numbers alone: in a name the signs are the
    owner's."""
    return unicodedata.normalize("NFKC", text).strip()


def plain_uscc(text: str) -> str:
    """A credit code as it was meant: capital letters, without the spaces that papers print in it."""
    return _SPACE.sub("", plain(text)).upper()


def uscc_shaped(code: str) -> bool:
    """True for 18 signs that a credit code may have."""
    return len(code) == 18 and all(one in USCC for one in code)


def uscc_fits(code: str) -> bool:
    """True when the check character fits, too. Registered codes exist whose does not."""
    if not uscc_shaped(code):
        return False
    total = sum(USCC.index(one) * weight for one, weight in zip(code, _WEIGHTS, strict=False))
    return USCC[(31 - total % 31) % 31] == code[17]
