"""A row of the item system as what it says of an item, by names that are settings."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from console.core.sheet_import import CellFault
from console.modules.calendar.api import TimeLimit, Unit
from console.modules.catalogue.cells import READERS, CellError, limit_of
from console.modules.catalogue.domain import (
    Audience,
    Channel,
    code_faults,
    doubled_names,
    short_division,
)

_UNIT_CODES = {"1": Unit.WORKDAYS, "2": Unit.DAYS, "3": Unit.MONTHS, "4": Unit.YEARS}
_CHANNEL_CODES = {
    "1": Channel.WINDOW, "2": Channel.COMPUTER, "3": Channel.MOBILE, "4": Channel.POST, "5": Channel.KIOSK,
}  # fmt: skip
_AUDIENCE_CODES = {
    frozenset({"1"}): Audience.PERSON,
    frozenset({"2"}): Audience.FIRM,
    frozenset({"1", "2"}): Audience.BOTH,
}
_IN_FORCE, _WITHDRAWN = ("1", "在用", "in_force"), ("2", "取消", "withdrawn")
_COMMAS, _LINES = re.compile(r"[,，、;；\s]+"), re.compile(r"[；;\n]+")
LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a row says. ``fields`` are those of an item that it speaks of, ``withdrawn`` among them; ``faults`` not
    empty: it cannot be taken."""

    code: str
    revision: int
    fields: Mapping[str, Any]
    effective: date | None = None
    withdrawn_on: date | None = None
    faults: tuple[CellFault, ...] = ()

    @property
    def withdrawn(self) -> bool:
        return bool(self.fields.get("withdrawn"))

    @property
    def name(self) -> str:
        return str(self.fields.get("name", ""))


def read_row(row: object, names: Mapping[str, str], pattern: str) -> Said:
    """What ``row`` says. Never raises for what a row may be: what is wrong is in ``faults``."""
    if not isinstance(row, dict):
        return Said(code="", revision=0, fields={}, faults=(_bad("code", row),))
    given = {ours: row[name] for ours, name in names.items() if name and name in row}
    faults: list[CellFault] = []

    def read(key: str, reader: Callable[[Any], Any], default: Any = None) -> Any:
        if key not in given:
            return default
        try:
            return reader(given[key])
        except (CellError, ValueError, TypeError, LookupError, OverflowError):
            faults.append(_bad(key, given[key]))
            return default

    code: str = read("code", _text, default="")
    fields = {key: read(key, reader) for key, reader in _FIELDS.items() if key in given}
    for key in ("legal", "promised"):
        if key in given:
            fields[key] = read(key, partial(_limit, unit=given.get(f"{key}_unit")))
    fields["withdrawn"] = read("status", _status, default=False)
    found = Said(
        code=code,
        revision=read("revision", _whole, default=read("modified", _moment, default=0)),
        fields=fields,
        effective=read("effective", _date),
        withdrawn_on=read("withdrawn_on", _date),
    )
    level = fields.get("level") or 0
    if not fields["withdrawn"] or not code:
        faults += code_faults(code, pattern, level if isinstance(level, int) and level else 3)
        if "level" not in fields:
            faults = [one for one in faults if one.field != "level"]
    return _with(found, faults)


def _with(said: Said, faults: list[CellFault]) -> Said:
    return Said(
        code=said.code if len(said.code) <= 64 else "",
        revision=said.revision,
        fields=said.fields,
        effective=said.effective,
        withdrawn_on=said.withdrawn_on,
        faults=tuple(faults),
    )


def _bad(field: str, value: object) -> CellFault:
    return CellFault(field, "catalogue.bad.value", {"value": str(value)[:60]})


def _text(value: Any) -> str:
    """Numbers count as texts; lists and objects do not."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise CellError(str(type(value)))
    text = str(value).strip()
    if len(text) > LONGEST:
        raise CellError("long")
    return text


def _names(value: Any) -> tuple[str, ...]:
    """Names as a list of texts or of objects with ``name``, or one text parted by ；."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return doubled_names(_LINES.split(_text(value)))
    return doubled_names([_text(one["name"] if isinstance(one, dict) else one) for one in value])


def _codes(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_text(one) for one in value]
    return [one for one in _COMMAS.split(_text(value)) if one]


def _channels(value: Any) -> tuple[Channel, ...]:
    found: list[Channel] = []
    for one in _codes(value):
        found += [_CHANNEL_CODES[one]] if one in _CHANNEL_CODES else READERS["channels"](one)
    return tuple(dict.fromkeys(found))


def _audience(value: Any) -> Audience:
    codes = _codes(value)
    known = _AUDIENCE_CODES.get(frozenset(codes))
    read: Audience = READERS["audience"](_text(value)) if known is None else known
    return read


def _limit(value: Any, unit: Any) -> TimeLimit | None:
    text = _text(value)
    if not text:
        return None
    if not text.isdecimal() or unit is None or _text(unit) == "":
        return limit_of(text)
    code = _text(unit)
    if code in _UNIT_CODES:
        return TimeLimit(int(text[:5]), _UNIT_CODES[code])
    return limit_of(text + code)


def _status(value: Any) -> bool:
    text = _text(value).casefold()
    if text in _IN_FORCE + _WITHDRAWN:
        return text in _WITHDRAWN
    raise CellError(text)


def _date(value: Any) -> date | None:
    text = _text(value)
    return date.fromisoformat(text[:10]) if text else None


def _whole(value: Any) -> int:
    found = int(_text(value))
    if not 0 <= found < 2**62:
        raise CellError(str(found))
    return found


def _moment(value: Any) -> int:
    """Milliseconds since 1970."""
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise CellError("no time zone")
    return _whole(int(found.timestamp() * 1000))


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "name": _text, "name_en": _text, "department": _text, "basis": _text, "charge": _text,
    "division": lambda value: short_division(_text(value)),
    "kind": lambda value: READERS["kind"](_text(value)),
    "level": lambda value: READERS["level"](_text(value)),
    "handling": lambda value: READERS["handling"](_text(value)),
    "audience": _audience, "channels": _channels,
    "themes": _names, "materials": _names, "process": _names,
}  # fmt: skip
