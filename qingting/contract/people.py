"""Citizens as the log may know them: masked for people, sealed for the law, indexed for look-up."""

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
