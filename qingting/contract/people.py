"""Citizens as the log may know them: masked for people, sealed for the law, indexed for look-up."""

import re

from qingting.contract.base import Record
from qingting.contract.states import CertificateKind


class Person(Record, frozen=True, kw_only=True):
    """A citizen on a ticket. No field holds a clear name or certificate number.

    ``masked_name`` 张*三 and ``masked_number`` 230602********1232 may be printed and shown.
    ``sealed`` is base64 of the SM4-GCM box of name and number (key outside the database).
    ``index`` is the keyed blind index (HMAC-SM3, hex) of the certificate number.
    """

    kind: CertificateKind
    masked_name: str
    masked_number: str
    sealed: str
    index: str


NOBODY = Person(
    kind=CertificateKind.RESIDENT_ID, masked_name="", masked_number="", sealed="", index=""
)
"""Stands where a person was who has been forgotten."""


def mask_name(name: str) -> str:
    """张三 → 张*, 张小三 → 张*三, 欧阳小三 → 欧**三; Latin names keep the first letter of each word."""
    name = name.strip()
    if not name:
        return ""
    if name.isascii():
        return " ".join(word[:1] + "*" * (len(word) - 1) for word in name.split())
    if len(name) == 1:
        return name
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_number(number: str) -> str:
    """230602199001011238 → 230602********1238; shorter numbers keep at most a third in clear."""
    number = number.strip()
    if len(number) >= 15:
        return number[:6] + "*" * (len(number) - 10) + number[-4:]
    keep = len(number) // 6
    tail = number[-keep:] if keep else ""
    return number[:keep] + "*" * (len(number) - 2 * keep) + tail


def mask_phone(phone: str) -> str:
    """13800001234 → 138****1234; what is shorter keeps its last two digits."""
    if len(phone) >= 11:
        return phone[:3] + "*" * (len(phone) - 7) + phone[-4:]
    return "*" * max(0, len(phone) - 2) + phone[-2:] if phone else ""


_APART = r"[ \-]?"
_PHONE = re.compile(rf"(?<![0-9A-Za-z])1[3-9]\d(?:{_APART}\d){{8}}(?![0-9A-Za-z])")
_RESIDENT = re.compile(
    rf"(?<![0-9A-Za-z])[1-9](?:{_APART}\d){{16}}{_APART}[\dXxＸｘ](?![0-9A-Za-z])"
)
_OLD_RESIDENT = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])"
)
_TRAVELLER = re.compile(r"(?<![0-9A-Za-z])[EGPSDHMegpsdhm][A-Za-z]?\d{7,10}(?![0-9A-Za-z])")
_MAIL = re.compile(r"(?<![\w.+-])([\w])[\w.+-]*(@[\w-]+(?:\.[\w-]+)+)")


def mask_words(words: str, *names: str) -> str:
    """Free words without what tells of whom they are: numbers of residents, travel documents and mobile phones, mail
    addresses, and the ``names`` of whom they are known to be about. Other names in them nobody can tell from words."""
    for name in sorted({one.strip() for one in names} - {""}, key=len, reverse=True):
        words = words.replace(name, mask_name(name))
    for pattern in (_RESIDENT, _OLD_RESIDENT, _TRAVELLER):
        words = pattern.sub(lambda found: mask_number(_joined(found[0])), words)
    words = _PHONE.sub(lambda found: mask_phone(_joined(found[0])), words)
    return _MAIL.sub(r"\1***\2", words)


def _joined(number: str) -> str:
    return re.sub(_APART, "", number)
