"""Checks of a card before anybody may take a number with it. Pure rules."""

import re
from datetime import date

from qingting.contract.errors import Refusal
from qingting.contract.hub import CardRead
from qingting.contract.states import CertificateKind

LONG_TERM = "长期"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_FOREIGN_2017 = re.compile(r"[A-Z]{3}[0-9]{12}")


def check_digit(body: str) -> str:
    """The 18th character of GB 11643-1999 for the first 17 digits (ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return _CHECK[total % 11]


def number_is_sound(number: str, today: date) -> bool:
    """18 characters, a birth date that exists and is not to come, and the right check digit."""
    if not _RESIDENT.fullmatch(number):
        return False
    born = _date(number[6:14])
    return born is not None and born <= today and check_digit(number[:17]) == number[17]


def _foreign_is_sound(number: str, today: date) -> bool:
    """The 15 characters of the 2017 card, or the 18 of the 2023 card, built like a resident's."""
    return bool(_FOREIGN_2017.fullmatch(number)) or number_is_sound(number, today)


def _date(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def birth_date(card: CardRead) -> date | None:
    """Date of birth as the card tells it, else as the number does (GB 11643: characters 7 to 14)."""
    return _date(card.birth.strip()) or _date(card.number.strip()[6:14])


def check_card(card: CardRead, today: date) -> None:
    """Raises a refusal of the ``identity`` family; ``today`` is the hall's business date.

    A card is good on its last day. A record without a name or an end of validity was not read well.
    """
    number = card.number.strip().upper()
    foreign = card.kind is CertificateKind.FOREIGN_PERMANENT_RESIDENT
    if not (card.name.strip() or card.name_en.strip()):
        raise Refusal("identity.unreadable")
    if not (_foreign_is_sound if foreign else number_is_sound)(number, today):
        raise Refusal("identity.bad_number")
    _check_validity(card.valid_from.strip(), card.valid_to.strip(), today)


def _check_validity(valid_from: str, valid_to: str, today: date) -> None:
    if valid_from:
        begins = _date(valid_from)
        if begins is None:
            raise Refusal("identity.unreadable")
        if begins > today:
            raise Refusal("identity.not_yet_valid", date=begins.isoformat())
    if valid_to == LONG_TERM:
        return
    ends = _date(valid_to)
    if ends is None:
        raise Refusal("identity.unreadable")
    if ends < today:
        raise Refusal("identity.expired", date=ends.isoformat())
