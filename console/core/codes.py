"""Codes and numbers as people type them: full-width letters and digits of a Chinese keyboard are the plain ones."""

import re
import unicodedata

USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Signs of a unified social credit code (GB 32100-2015): no I, O, S, V, Z."""
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_LIKE = re.compile(r"[0-9]{13,}X?")
_CERTIFICATE = re.compile(r"[0-9A-Z()-]{5,30}")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """A code as it was meant: ``２３０６０２`` is ``230602``. For codes and numbers alone: in a name the signs are the
    owner's."""
    return seen(unicodedata.normalize("NFKC", text)).strip()


def seen(text: str) -> str:
    """Without signs that nobody sees (zero width, of direction), which come along with what is copied from elsewhere."""
    return _UNSEEN.sub("", text)


def plain_number(text: str) -> str:
    """A certificate's number as it was meant: capital letters, in one piece however it is grouped on paper."""
    return _SPACE.sub("", plain(text)).upper()


def plain_uscc(text: str) -> str:
    """A credit code as it was meant: capital letters, without the spaces that papers print in it."""
    return plain_number(text)


def uscc_shaped(code: str) -> bool:
    """True for 18 signs that a credit code may have."""
    return len(code) == 18 and all(one in USCC for one in code)


def uscc_fits(code: str) -> bool:
    """True when the check character fits, too. Registered codes exist whose does not."""
    if not uscc_shaped(code):
        return False
    total = sum(USCC.index(one) * weight for one, weight in zip(code, _WEIGHTS, strict=False))
    return USCC[(31 - total % 31) % 31] == code[17]


def resident_number(number: str) -> bool:
    """True for 18 characters whose last one fits (GB 11643-1999, ISO 7064 MOD 11-2)."""
    if not _RESIDENT.fullmatch(number):
        return False
    total = sum(int(one) * weight for one, weight in zip(number, _RESIDENT_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17]


def may_be_certificate(number: str) -> bool:
    """False for what is the number of no certificate that we know: one of digits as long as a resident's has to be one,
    others have letters or are shorter."""
    if _RESIDENT_LIKE.fullmatch(number):
        return resident_number(number)
    return _CERTIFICATE.fullmatch(number) is not None
