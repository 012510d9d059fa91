"""Who somebody is by what the sign-on (统一身份认证) says, and what may be kept of an address. Pure rules.

The claims are those of docs/integrators/single-sign-on.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.core.codes import plain, plain_number, resident_number, seen
from console.modules.citizens.api import Level
from qingting.contract.errors import Refusal
from qingting.contract.states import CertificateKind

FIRM_CERTIFICATE = "uscc"
LONGEST_NAME = 60
LONGEST_FIRM = 100
MOST_FIRMS = 50
_NUMBER = re.compile(r"[0-9A-Za-z()（）-]{5,30}")
_FORMS = {
    CertificateKind.HK_MACAO_PERMIT: re.compile(r"[HM]\d{8}(\d{2})?"),
    CertificateKind.TAIWAN_PERMIT: re.compile(r"\d{8}|\d{10}[0-9A-Z]{0,2}"),
    CertificateKind.PASSPORT: re.compile(r"[A-Z0-9]{5,17}"),
}
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_HAN = "[\u3400-\u9fff\U00020000-\U0003ffff]"
_DOTS = re.compile(rf"(?<={_HAN})\s*[•‧∙⋅・･．·]\s*(?={_HAN})")
_APART = re.compile(r"[\s()\u2010-\u2015-]")
_COUNTRY = re.compile(r"(\+|00)?86(?=1[3-9][0-9]{9}$)")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LONGEST_MAIL = 120


@dataclass(frozen=True, slots=True)
class ToldFirm:
    """A firm that somebody may act for; ``legal``: as its legal representative."""

    name: str
    code: str
    legal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the sign-on said of somebody. ``certificate`` None: a firm, whose credit code ``number`` is."""

    certificate: CertificateKind | None
    name: str
    number: str
    phone: str
    level: Level
    firms: tuple[ToldFirm, ...] = ()

    def __repr__(self) -> str:
        return "Told(…)"

    @property
    def kind(self) -> str:
        """As the table of citizens has it."""
        return FIRM_CERTIFICATE if self.certificate is None else self.certificate.value


def told(claims: Mapping[str, Any]) -> Told:
    """Reads claims. Raises ``citizen.claims`` for what does not say who somebody is; a phone number that is none and an
    unknown level count as not told."""
    kind = _text(claims, "person_kind") or "natural"
    if kind not in ("natural", "legal", "agent"):
        raise Refusal("citizen.claims", claim="person_kind")
    phone = plain_phone(_text(claims, "phone_number"))
    phone = phone if _PHONE.fullmatch(phone) else ""
    said = _text(claims, "assurance_level")
    level = Level(said) if said in set(Level) else Level.BASIC
    if kind == "legal":
        firm = _firm(claims)
        if firm is None:
            raise Refusal("citizen.claims", claim="uscc")
        return Told(certificate=None, name=firm.name, number=firm.code, phone=phone, level=level)
    certificate, number = _text(claims, "certificate_kind"), _text(claims, "certificate_number")
    if certificate not in set(CertificateKind):
        raise Refusal("citizen.claims", claim="certificate_kind")
    name, number = checked_person(
        CertificateKind(certificate), _text(claims, "name"), number, "claims"
    )
    return Told(
        certificate=CertificateKind(certificate),
        name=name,
        number=number,
        phone=phone,
        level=level,
        firms=_firms(claims.get("acts_for")) if kind == "agent" else (),
    )


def checked_person(
    certificate: CertificateKind, name: str, number: str, said_by: str = "hand"
) -> tuple[str, str]:
    """Name and number as they are kept. Raises ``citizen.name`` and ``citizen.number``, or ``citizen.claims`` where the
    sign-on said them (its own check of numbers is trusted)."""
    by_hand = said_by == "hand"
    name, number = " ".join(name.split()), number.strip().upper()
    if by_hand:
        name, number = written_name(name), plain_number(number)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refusal("citizen.name") if by_hand else Refusal("citizen.claims", claim="name")
    wrong = by_hand and not _fits(certificate, number)
    if not _NUMBER.fullmatch(number) or wrong:
        raise (
            Refusal("citizen.number")
            if by_hand
            else Refusal("citizen.claims", claim="certificate_number")
        )
    return name, number


def written_name(name: str) -> str:
    """A name as certificates write it: the dot between the parts of a name (阿依古丽·买买提) is U+00B7, whichever of its
    likes a keyboard gave."""
    return _DOTS.sub("·", " ".join(seen(name).split()))


def same_name(one: str, other: str) -> bool:
    """Whether two people wrote the same name: the sign-on, a certificate and a keyboard differ in dots and capitals."""
    return written_name(one).casefold() == written_name(other).casefold()


def _fits(certificate: CertificateKind, number: str) -> bool:
    """What can be told of a typed number: a resident's by its check digit, a travel permit's and a passport's by its form."""
    if certificate is CertificateKind.RESIDENT_ID:
        return resident_number(number)
    form = _FORMS.get(certificate)
    return form is None or form.fullmatch(number) is not None


def checked_phone(text: str) -> str:
    """A mobile number. Raises ``citizen.phone``."""
    digits = plain_phone(text)
    if not _PHONE.fullmatch(digits):
        raise Refusal("citizen.phone")
    return digits


def plain_phone(text: str) -> str:
    """A phone number as it is kept: without what parts its digits, and without the country before a mobile phone's."""
    return _COUNTRY.sub("", _APART.sub("", plain(text)))


def checked_mail(text: str) -> str:
    """Raises ``citizen.mail``."""
    mail = plain(text)
    if len(mail) > _LONGEST_MAIL or not _MAIL.fullmatch(mail):
        raise Refusal("citizen.mail")
    return mail


def mask_mail(mail: str) -> str:
    """zhang@example.com → z***@example.com; empty stays empty."""
    name, _, host = mail.partition("@")
    return f"{name[:1]}***@{host}" if mail else ""


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip()[:200] if isinstance(value, str) else ""


def _firm(claims: Mapping[str, Any]) -> ToldFirm | None:
    name, code = _text(claims, "name"), _text(claims, "uscc").upper()
    fits = 0 < len(name) <= LONGEST_FIRM and name.isprintable() and _USCC.fullmatch(code)
    return ToldFirm(name, code, legal=claims.get("legal") is True) if fits else None


def _firms(value: object) -> tuple[ToldFirm, ...]:
    """Those that can be read, each once; others are left out: nobody acts for a firm that is not named."""
    if not isinstance(value, list):
        return ()
    found = [_firm(one) for one in value[:MOST_FIRMS] if isinstance(one, dict)]
    return tuple({one.code: one for one in found if one is not None}.values())
