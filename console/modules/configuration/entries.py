"""Entries of a part and the opening hours, read from forms into the document of a draft. Pure."""

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from console.modules.configuration.fields import FORMS, Field, periods, periods_text, shown, typed
from console.modules.configuration.packing import Document, configuration
from qingting.contract.config import HallConfig
from qingting.contract.errors import Refusal
from qingting.kernel.web.faulty import FormRefusal, inputs_at

WEEK = (1, 2, 3, 4, 5, 6, 7)
NEW = "new"
_PREFIX = {"departments": "d", "queues": "q", "items": "i", "windows": "w", "staff": "s"}
Given = Callable[[str], Sequence[str]]
"""All that was typed into the inputs of a name."""


def entry(document: Document, part: str, key: str) -> dict[str, Any]:
    """One entry: by its id, shifts by their place, ``new`` an empty one. Raises ``page.not_found``."""
    if part == "hall":
        found: dict[str, Any] = document["hall"]
        return found
    if key == NEW:
        return {"weekdays": [1, 2, 3, 4, 5] if part == "shifts" else list(WEEK)}
    for at, one in enumerate(document[part], 1):
        if key == (str(at) if part == "shifts" else one["id"]):
            return dict(one)
    raise Refusal("page.not_found")


def values(part: str, one: dict[str, Any]) -> dict[str, str | list[str]]:
    """An entry as its form shows it."""
    return {field.name: shown(field, one.get(field.name)) for field in FORMS[part]}


def put_entry(document: Document, version: int, part: str, key: str, given: Given) -> HallConfig:
    """The configuration with an entry as typed. Raises ``form.invalid`` naming the field, ``page.not_found``."""
    one = entry(document, part, key)
    before = dict(one)
    for field in FORMS[part]:
        one[field.name] = _value(field, given, before)
    if part == "hall":
        return _made({**document, "hall": one}, version)
    entries = list(document[part])
    if key == NEW:
        entries.append(_named(part, one))
    else:
        at = next(
            at
            for at, known in enumerate(entries)
            if key == (str(at + 1) if part == "shifts" else known["id"])
        )
        entries[at] = one
    return _made({**document, part: entries}, version)


def _value(field: Field, given: Given, before: dict[str, Any]) -> Any:
    value = typed(field, given(field.name), before.get(field.name))
    # A number left empty stays what it was, where the configuration has a default of its own.
    if field.sort == "number" and not "".join(given(field.name)).strip():
        return before.get(field.name, msgspec.UNSET)
    return value


def _named(part: str, one: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in one.items() if value is not msgspec.UNSET}
    fields = {field.name for field in FORMS[part]}
    known = {name: value for name, value in known.items() if name in fields}
    if part == "shifts":
        return known
    return {"id": f"{_PREFIX[part]}-{secrets.token_hex(4)}", **known}


def drop_entry(document: Document, version: int, part: str, key: str) -> HallConfig:
    """Without an entry; shifts of a window or clerk that goes, go with it. Raises ``page.not_found``."""
    _ = entry(document, part, key)
    left = [
        one
        for at, one in enumerate(document[part], 1)
        if key != (str(at) if part == "shifts" else one["id"])
    ]
    changed = {**document, part: left}
    field = {"windows": "window", "staff": "staff"}.get(part)
    if field is not None:
        changed["shifts"] = [one for one in document["shifts"] if one[field] != key]
    return _made(changed, version)


def _made(document: Document, version: int) -> HallConfig:
    try:
        return configuration(document, version)
    except msgspec.ValidationError as error:
        path = str(error).rpartition("`$")[2].strip("`").strip(".")
        missing = re.search(r"required field `(\w+)`", str(error))
        name = missing[1] if missing is not None else path.rpartition(".")[2].partition("[")[0]
        raise FormRefusal(name, inputs_at(name)) from error


# ---- opening hours -------------------------------------------------------------------------------


def hours_values(document: Document) -> dict[str, str | list[str]]:
    """The calendar as its form shows it: a line of hours for each weekday, special days one a line."""
    calendar = document["calendar"]
    found: dict[str, str | list[str]] = {f"day{day}": "" for day in WEEK}
    for weekly in calendar["weekly"]:
        for day in weekly["weekdays"]:
            found[f"day{day}"] = periods_text(weekly["periods"])
    found["closed"] = "\n".join(
        f"{one['date']} {_names(one)}".strip() for one in calendar["closed"]
    )
    found["open"] = "\n".join(_open_line(one) for one in calendar["open"])
    found["early_minutes"] = str(calendar["early_minutes"])
    found["last_minutes"] = str(calendar["last_minutes"])
    found["tickets_in_breaks"] = "on" if calendar["tickets_in_breaks"] else ""
    return found


def _names(one: dict[str, Any]) -> str:
    return f"{one['name']} / {one['name_en']}" if one["name_en"] else str(one["name"])


def _open_line(one: dict[str, Any]) -> str:
    like = f" like={one['like']}" if one["like"] else ""
    return f"{one['date']} {periods_text(one['periods'])}{like} {_names(one)}".strip()


def put_hours(document: Document, version: int, given: Given) -> HallConfig:
    """The configuration with the hours as typed. Raises ``form.invalid`` naming the field."""

    def one(name: str) -> str:
        return "".join(given(name)).strip()

    weekly: dict[str, list[int]] = {}
    for day in WEEK:
        text = periods_text(periods(f"day{day}", one(f"day{day}")))
        if text:
            weekly.setdefault(text, []).append(day)
    calendar = {
        "weekly": [
            {"weekdays": days, "periods": periods("weekly", text)} for text, days in weekly.items()
        ],
        "closed": [_closed_day(line) for line in one("closed").splitlines() if line.strip()],
        "open": [_open_day(line) for line in one("open").splitlines() if line.strip()],
        "tickets_in_breaks": bool(one("tickets_in_breaks")),
    }
    for name in ("early_minutes", "last_minutes"):
        if not (one(name) or "0").isdecimal():
            raise FormRefusal(name, frozenset({name}))
        calendar[name] = int(one(name) or "0")
    return _made({**document, "calendar": calendar}, version)


def _closed_day(line: str) -> dict[str, Any]:
    day, _, names = line.strip().partition(" ")
    return {"date": day, **_read_names("closed", day, names)}


def _open_day(line: str) -> dict[str, Any]:
    found = re.match(
        r"^(\S+)((?:\s+\d{1,2}[:：]\d{2}\s*[-–—~～至]\s*\d{1,2}[:：]\d{2})+)(?:\s+like=([1-7]))?(.*)$",
        line.strip(),
    )
    if found is None:
        raise FormRefusal("open", frozenset({"open"}))
    like = int(found[3]) if found[3] else None
    names = _read_names("open", found[1], found[4])
    return {"date": found[1], "periods": periods("open", found[2]), "like": like, **names}


def _read_names(field: str, day: str, names: str) -> dict[str, str]:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
        raise FormRefusal(field, frozenset({field}))
    name, _, name_en = names.partition(" / ")
    return {"name": name.strip(), "name_en": name_en.strip()}
