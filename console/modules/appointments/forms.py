"""Forms of the staff's pages, and rules as text that people type."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec

from console.core.codes import plain, plain_number
from console.modules.appointments.api import Wanted
from console.modules.appointments.desk import Caller
from console.modules.appointments.rules import (
    FIELDS,
    CapacityBy,
    DayChoice,
    LateRule,
    Level,
    Rule,
    Target,
)
from qingting.contract.base import Strict
from qingting.contract.calendar import Period
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId, ItemId
from qingting.contract.states import CertificateKind
from qingting.kernel.web.faulty import FormRefusal, inputs_at

NOTHING = "-"
"""Typed for an empty list; an empty input means that the field is inherited."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "places": ("open", "periods", "minutes", "capacity_by", "capacity", "per_window", "kept"),
    "days": ("days", "weekdays", "closed_dates", "open_dates", "horizon_days", "lead_minutes"),
    "citizens": ("identity", "party_most", "per_day", "open_at_once", "same_item", "hold_minutes", "holds"),
    "changes": ("cancel_minutes", "cancels_per_day", "reoffer_from", "reoffer_to", "reminders"),
    "arrival": ("early_minutes", "late_minutes", "late"),
    "breaches": ("breaches", "breach_days", "ban_days"),
}  # fmt: skip
"""Fields of a rule as the page groups them."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "open": ("yes", "no"),
    "capacity_by": tuple(CapacityBy),
    "days": tuple(DayChoice),
    "identity": tuple(Level),
    "late": tuple(LateRule),
}


class RuleForm(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as typed: every field of :class:`Rule` as text, empty where it is inherited. ``look_hall`` and
    ``look_item`` name what next week is shown for, as ``hall/item``."""

    target: str
    seen: int = 0
    note: str = ""
    look: str = ""
    values: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def place(self) -> Target:
        """Raises ``appointments.target``."""
        found = Target.of(self.target)
        if found is None:
            raise Refusal("appointments.target")
        return found

    def rule(self) -> Rule:
        """Raises ``form.invalid`` naming the field."""
        said: dict[str, Any] = {}
        for field in FIELDS:
            text = self.values.get(field, "").strip()
            if text:
                said[field] = _read(field, text)
        try:
            return msgspec.convert(said, Rule, strict=False)
        except msgspec.ValidationError as error:
            field = str(error).partition("`$.")[2].partition("`")[0].partition("[")[0]
            raise FormRefusal(field, inputs_at(field)) from error


def _read(field: str, text: str) -> object:
    try:
        return _READERS.get(field, str)(text)
    except ValueError as error:
        raise FormRefusal(field, inputs_at(field)) from error


def _parts(text: str) -> list[str]:
    if text == NOTHING:
        return []
    for mark in "，、；;\n":
        text = text.replace(mark, ",")
    return [one.strip() for one in text.split(",") if one.strip()]


_BETWEEN = re.compile(r"\s*[~～–—至到]\s*")
_DAY = re.compile(r"([0-9]{4})[年/.-]([0-9]{1,2})[月/.-]([0-9]{1,2})日?")


def _periods(text: str) -> list[dict[str, str]]:
    found = []
    for one in _parts(_BETWEEN.sub("-", text)):
        start, mark, end = one.partition("-")
        if not mark:
            raise ValueError(one)
        found.append({"start": start.strip().rjust(5, "0"), "end": end.strip().rjust(5, "0")})
    return found


def _dates(text: str) -> list[str]:
    return [date.fromisoformat(_day(one)).isoformat() for one in _parts(text)]


def _day(text: str) -> str:
    """``2026/12/31`` and ``2026年12月31日`` as ``2026-12-31``."""
    found = _DAY.fullmatch(text)
    return f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}" if found else text


def _numbers(text: str) -> list[int]:
    return [int(one) for one in _parts(text)]


def _yes(text: str) -> bool:
    return {"yes": True, "no": False}[text] if text in ("yes", "no") else bool(int(text))


_READERS: Mapping[str, Callable[[str], object]] = {
    "open": _yes,
    "periods": _periods,
    "weekdays": _numbers,
    "closed_dates": _dates,
    "open_dates": _dates,
    "reminders": _numbers,
}


def typed(value: object) -> str:
    """A value as it is typed; empty for one that is inherited."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(typed(one) for one in value) or NOTHING
    if isinstance(value, Period):
        return f"{value.start}-{value.end}"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def form_of(target: Target, seen: int, rule: Rule) -> RuleForm:
    return RuleForm(
        target=target.key,
        seen=seen,
        values={field: typed(getattr(rule, field)) for field in FIELDS},
    )


def rule_form(data: Mapping[str, str]) -> RuleForm:
    """From what was sent; unknown inputs are left alone."""
    seen = data.get("seen", "0")
    return RuleForm(
        target=data.get("target", ""),
        seen=int(seen) if seen.isdecimal() and len(seen) < 7 else 0,
        note=data.get("note", "").strip(),
        look=data.get("look", ""),
        values={field: plain(data.get(field, "")) for field in FIELDS},
    )


class FindForm(Strict, frozen=True, kw_only=True):
    """Somebody by certificate (``by`` is its kind), by ``phone``, or by the code of a ``booking``."""

    by: str = CertificateKind.RESIDENT_ID
    number: str = ""


class CallerForm(Strict, frozen=True, kw_only=True):
    """Somebody by certificate."""

    certificate: CertificateKind = CertificateKind.RESIDENT_ID
    number: str = ""
    name: str = ""
    phone: str = ""

    @property
    def caller(self) -> Caller:
        return Caller(
            kind=self.certificate,
            number=plain_number(self.number),
            name=self.name.strip(),
            phone=plain(self.phone),
        )


class BookForm(CallerForm, frozen=True, kw_only=True):
    """A booking for somebody. ``place`` is ``hall/item``; ``key`` makes a form that is sent twice one booking."""

    place: str = ""
    day: date
    start: str = ""
    party: int = 1
    key: str = ""

    @property
    def wanted(self) -> Wanted:
        return wanted_of(self.place, self.day, self.start, self.party)


class MoveForm(Strict, frozen=True, kw_only=True):
    hall: str = ""
    day: date
    start: str = ""


class CancelForm(Strict, frozen=True, kw_only=True):
    reason: str = ""
    words: str = ""


class ReasonForm(Strict, frozen=True, kw_only=True):
    reason: str = ""


class ListForm(CallerForm, frozen=True, kw_only=True):
    kind: str = "black"
    reason: str = ""
    until: date | None = None


class ClosingForm(Strict, frozen=True, kw_only=True):
    """What to do with a day: ``do`` is ``move`` or ``cancel``."""

    hall: str = ""
    day: date
    to: str = ""
    to_day: date | None = None
    do: str = ""
    words: str = ""


def wanted_of(place: str, day: date, start: str, party: int) -> Wanted:
    """Raises ``appointments.no_item`` for what is no ``hall/item``."""
    hall, mark, item = place.partition("/")
    if not mark:
        raise Refusal("appointments.no_item")
    return Wanted(hall=HallId(hall), items=(ItemId(item),), day=day, start=start, party=party)
