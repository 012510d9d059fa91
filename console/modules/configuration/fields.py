"""Fields of the forms: a value of the configuration as people type it, and back. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from qingting.contract.config import RepeatRule, WindowOrder
from qingting.contract.states import StaffPermission, StaffRole
from qingting.kernel.web.faulty import FormRefusal

_SPAN = re.compile(r"^(\d{1,2}:\d{2})[-–—~～至](\d{1,2}:\d{2})$")


class Sort(StrEnum):
    """How a field is typed. ``refs`` and ``weekdays`` are ticked; ``lines`` one a line; ``caps`` a period and a
    number a line."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    TICK = "tick"
    CHOICE = "choice"
    CHOICES = "choices"
    REF = "ref"
    REFS = "refs"
    LINES = "lines"
    WORDS = "words"
    PERIODS = "periods"
    WEEKDAYS = "weekdays"
    CAPS = "caps"


@dataclass(frozen=True, slots=True)
class Field:
    """``of``: the part that a reference leads to; ``options``: values of a choice; ``needed``: must be typed."""

    name: str
    sort: Sort = Sort.TEXT
    of: str = ""
    options: tuple[str, ...] = ()
    needed: bool = False

    @property
    def hint(self) -> str:
        """Key of the text that says how it is written; empty for what is plain."""
        wanted = (Sort.PERIODS, Sort.LINES, Sort.WORDS, Sort.CAPS)
        return f"conf.hint.{self.sort}" if self.sort in wanted else ""

    @property
    def many(self) -> bool:
        return self.sort in (Sort.REFS, Sort.WEEKDAYS, Sort.CHOICES)


def _t(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, needed=True) for name in names)


FORMS: dict[str, tuple[Field, ...]] = {
    "hall": (
        *_t("name", "name_en", "division"),
        Field("address"),
        Field("phone"),
        Field("seats", Sort.NUMBER),
    ),
    "departments": (
        *_t("name", "name_en", "short_name"),
        Field("uscc"),
        Field("order", Sort.NUMBER),
    ),
    "queues": (
        *_t("name", "name_en", "prefix"),
        Field("hours", Sort.PERIODS),
        Field("closed_reason"),
        Field("daily_cap", Sort.NUMBER),
        Field("caps", Sort.CAPS),
    ),
    "items": (
        *_t("name", "name_en"),
        Field("department", Sort.REF, of="departments", needed=True),
        Field("queue", Sort.REF, of="queues", needed=True),
        Field("code"),
        Field("minutes", Sort.NUMBER),
        Field("weekdays", Sort.WEEKDAYS),
        Field("materials", Sort.LINES),
        Field("materials_en", Sort.LINES),
        Field("legal_basis", Sort.LONG),
        Field("promised_days", Sort.NUMBER),
        Field("needs_identity", Sort.TICK),
        Field("hot", Sort.TICK),
        Field("pinyin"),
        Field("initials"),
        Field("skill"),
        Field("group"),
        Field("daily_cap", Sort.NUMBER),
        Field("repeat", Sort.CHOICE, options=tuple(RepeatRule)),
        Field("party_max", Sort.NUMBER),
        Field("face_check", Sort.TICK),
    ),
    "windows": (
        *_t("number", "name", "name_en"),
        Field("queues", Sort.REFS, of="queues"),
        Field("order", Sort.CHOICE, options=tuple(WindowOrder)),
        Field("place"),
        Field("place_en"),
        Field("area"),
        Field("department", Sort.REF, of="departments"),
        Field("appointment_only", Sort.TICK),
    ),
    "staff": (
        *_t("number", "name"),
        Field("role", Sort.CHOICE, options=tuple(StaffRole)),
        Field("department", Sort.REF, of="departments"),
        Field("skills", Sort.WORDS),
        Field("permissions", Sort.CHOICES, options=tuple(StaffPermission)),
    ),
    "shifts": (
        Field("staff", Sort.REF, of="staff", needed=True),
        Field("window", Sort.REF, of="windows", needed=True),
        Field("weekdays", Sort.WEEKDAYS),
        Field("periods", Sort.PERIODS, needed=True),
    ),
}
"""Parts with a form, and its fields; what a form does not have, an entry keeps."""


def shown(field: Field, value: Any) -> str | list[str]:
    """A value as the form shows it; a list for what is ticked."""
    if field.many:
        return [str(one) for one in value or ()]
    match field.sort:
        case Sort.PERIODS:
            return periods_text(value or ())
        case Sort.LINES:
            return "\n".join(value or ())
        case Sort.WORDS:
            return " ".join(value or ())
        case Sort.CAPS:
            return "\n".join(
                f"{periods_text([one['period']])} {one['tickets']}" for one in value or ()
            )
        case Sort.TICK:
            return "on" if value else ""
        case Sort.NUMBER:
            return f"{value:g}" if value is not None else ""
        case _:
            return str(value) if value is not None else ""


def typed(field: Field, given: Sequence[str], known: Any) -> Any:
    """What was typed as a value of the configuration. ``known`` is the value before: references that stay
    keep their order. Raises ``form.invalid``."""
    text = given[0].strip() if given else ""
    if field.needed and not text:
        raise FormRefusal(field.name, frozenset({field.name}))
    if field.sort is Sort.REFS:
        kept = [one for one in known or () if one in given]
        return [*kept, *(one for one in given if one not in kept)]
    if field.many:
        return [int(one) if one.isdecimal() else one for one in given]
    reader = _READERS.get(field.sort)
    return reader(field.name, text) if reader is not None else text


def periods_text(value: Sequence[dict[str, str]]) -> str:
    """``09:00-12:00 13:30-17:00``."""
    return " ".join(f"{one['start']}-{one['end']}" for one in value)


def periods(name: str, text: str) -> list[dict[str, str]]:
    """Inverse of :func:`periods_text`, forgiving about the signs between. Raises ``form.invalid``."""
    found = []
    plain = re.sub(r"\s*[-–—~～至]\s*", "-", text.replace("：", ":").strip())
    for part in re.split(r"[\s,，、;；]+", plain):
        if not part:
            continue
        span = _SPAN.match(part)
        if span is None:
            raise FormRefusal(name, frozenset({name}))
        found.append({"start": span[1].zfill(5), "end": span[2].zfill(5)})
    return found


def _cap(name: str, line: str) -> dict[str, Any]:
    span, _, count = line.strip().rpartition(" ")
    found = periods(name, span)
    if len(found) != 1 or not count.isdecimal():
        raise FormRefusal(name, frozenset({name}))
    return {"period": found[0], "tickets": int(count)}


def _number(name: str, text: str) -> int | float:
    try:
        number = float(text or 0)
    except ValueError as error:
        raise FormRefusal(name, frozenset({name})) from error
    return int(number) if number.is_integer() else number


_READERS: dict[Sort, Callable[[str, str], Any]] = {
    Sort.REF: lambda _, text: text or None,
    Sort.NUMBER: _number,
    Sort.TICK: lambda _, text: bool(text),
    Sort.LINES: lambda _, text: [one.strip() for one in text.splitlines() if one.strip()],
    Sort.WORDS: lambda _, text: list(dict.fromkeys(filter(None, re.split(r"[\s,，、]+", text)))),
    Sort.PERIODS: periods,
    Sort.CAPS: lambda name, text: [_cap(name, one) for one in text.splitlines() if one.strip()],
}
