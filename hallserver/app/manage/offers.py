"""Queues and items (队列和事项): hours, caps, the rule against repeats, skills and groups, many at once."""

import re
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.app.manage.editor import Editor, Form
from hallserver.app.manage.edits import (
    FormFault,
    Typed,
    convert,
    given,
    in_row,
    marked,
    needed,
    periods_of,
    periods_text,
    say,
    ticks,
)
from hallserver.app.manage.reading import initials, pinyin
from hallserver.app.manage.rows import Values
from qingting.contract.config import HallConfig, Item, Queue, RepeatRule
from qingting.contract.config_parts import OfferPart
from qingting.contract.ids import ItemId, QueueId

HOME = "/manage/offers"
WEEK = ("1", "2", "3", "4", "5", "6", "7")
BULK = ("queue", "daily_cap", "repeat", "skill", "group")
"""What can be set for many items at once."""


def load(config: HallConfig) -> Form:
    rows = {
        "queue": [_queue_values(one) for one in config.queues],
        "item": [_item_values(one) for one in config.items],
    }
    return Form(config.version, {}, rows)


def _queue_values(queue: Queue) -> Values:
    return {
        "id": queue.id,
        "prefix": queue.prefix,
        "name": queue.name,
        "name_en": queue.name_en,
        "hours": periods_text(queue.hours),
        "closed_reason": queue.closed_reason,
        "daily_cap": str(queue.daily_cap),
        "caps": " ".join(
            f"{one.period.start}-{one.period.end}={one.tickets}" for one in queue.caps
        ),
    }


def _item_values(item: Item) -> Values:
    return {
        "id": item.id,
        "name": item.name,
        "name_en": item.name_en,
        "department": item.department,
        "needs_identity": "on" if item.needs_identity else "",
        "face_check": "on" if item.face_check else "",
        "hot": "on" if item.hot else "",
        "queue": item.queue,
        "minutes": f"{item.minutes:g}",
        "daily_cap": str(item.daily_cap),
        "repeat": item.repeat.value,
        "party_max": str(item.party_max),
        "skill": item.skill,
        "group": item.group,
        "materials": "\n".join(item.materials),
        "materials_en": "\n".join(item.materials_en),
        "legal_basis": item.legal_basis,
        "legal_basis_en": item.legal_basis_en,
    } | ticks("days", item.weekdays)


def part(request: web.Request, form: Form, config: HallConfig) -> OfferPart:
    """Queues and items are those of the form; each keeps what its row does not show."""
    former = {one.id: one for one in config.queues}
    known = {one.id: one for one in config.items}
    queues: list[dict[str, object]] = []
    items: list[dict[str, object]] = []
    for number, row in enumerate(form.rows["queue"]):
        with in_row(say(request, "offers.f.queues"), "queue", number):
            queue = former.get(QueueId(row.get("id", "")))
            queues.append(_merged(queue, _queue(request, row)))
    for number, row in enumerate(form.rows["item"]):
        with in_row(say(request, "offers.f.items"), "item", number):
            item = known.get(ItemId(row.get("id", "")))
            items.append(_merged(item, _item(request, row) | _reading(item, row["name"])))
    raw = {"part": "offer", "queues": queues, "items": items}
    return convert(request, raw, OfferPart, "offers.f")


def _merged(former: Queue | Item | None, changes: dict[str, object]) -> dict[str, object]:
    raw: dict[str, object] = msgspec.to_builtins(former) if former is not None else {}
    return raw | changes


def _reading(former: Item | None, name: str) -> dict[str, object]:
    """The kiosk finds a new name by its sounds; other words people use for the item stay."""
    if former is not None and former.name == name:
        return {}
    words = former.pinyin.split()[1:] if former is not None else []
    letters = former.initials.split()[1:] if former is not None else []
    return {
        "pinyin": " ".join([pinyin(name), *words]),
        "initials": " ".join([initials(name), *letters]),
    }


def _queue(request: web.Request, row: Values) -> dict[str, object]:
    row["prefix"] = row.get("prefix", "").upper()
    return {
        **needed(request, row, "offers.f", "id", "prefix", "name", "name_en"),
        **given(row, "daily_cap"),
        "hours": periods_of(row.get("hours", ""), say(request, "offers.f.hours"), "hours"),
        "closed_reason": row.get("closed_reason", ""),
        "caps": _caps(row.get("caps", ""), say(request, "offers.f.caps")),
    }


def _caps(text: str, word: str) -> list[dict[str, object]]:
    """``09:00-12:00=50``, several parted by spaces. Raises :class:`FormFault`."""
    found: list[dict[str, object]] = []
    for one in re.split(r"[\s,，、;；]+", text.strip()):
        span, sign, tickets = one.partition("=")
        if not one:
            continue
        if not sign or not tickets.isdecimal():
            raise FormFault(f"{word}：{one[:20]}", "caps")
        found += [
            {"period": period, "tickets": tickets} for period in periods_of(span, word, "caps")
        ]
    return found


def _item(request: web.Request, row: Values) -> dict[str, object]:
    return {
        **needed(request, row, "offers.f", "id", "name", "name_en", "department", "queue"),
        **given(row, "minutes", "daily_cap", "repeat", "party_max"),
        "skill": row.get("skill", ""),
        "group": row.get("group", ""),
        "materials": _lines(row.get("materials", "")),
        "materials_en": _lines(row.get("materials_en", "")),
        "legal_basis": row.get("legal_basis", ""),
        "legal_basis_en": row.get("legal_basis_en", ""),
        "needs_identity": row.get("needs_identity") == "on",
        "face_check": row.get("face_check") == "on",
        "hot": row.get("hot") == "on",
        "weekdays": marked(row, "days"),
    }


def _lines(text: str) -> list[str]:
    """One paper a line; empty lines are nobody's paper."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def press(form: Form, fields: Typed) -> None:
    """Sets one field of every ticked item; the form alone changes."""
    name, value = fields.one("bulk_field"), fields.one("bulk_value")
    if fields.one("do") != "bulk" or name not in BULK:
        return
    for row in form.rows["item"]:
        if row.pop("ticked", ""):
            row[name] = value


def shown(rows: list[Values], sought: str, queue: str, department: str) -> set[int]:
    """Numbers of the item rows to show: those whose names, sounds or initials hold ``sought``, of the queue and the
    department; an empty one asks for nothing. New and ticked rows always show: nobody changes what they do not see."""
    word = "".join(sought.casefold().split())
    return {
        number
        for number, row in enumerate(rows)
        if row.get("fresh")
        or row.get("ticked")
        or (
            queue in ("", row.get("queue"))
            and department in ("", row.get("department"))
            and word in _sounds(row)
        )
    }


def _sounds(row: Values) -> str:
    name, english = row.get("name", ""), row.get("name_en", "")
    texts = (name, english, pinyin(name), initials(name))
    return "\n".join("".join(text.casefold().split()) for text in texts)


def more(request: web.Request, form: Form) -> dict[str, Any]:
    asked = {name: request.query.get(name, "")[:80] for name in ("q", "queue", "department")}
    return {
        "asked": asked,
        "view": "?" + urlencode(asked) if any(asked.values()) else "",
        "shown": shown(form.rows["item"], asked["q"], asked["queue"], asked["department"]),
        "queues": form.rows["queue"],
        "departments": list(desk_of(request).state.departments.values()),
        "repeats": list(RepeatRule),
        "bulk": BULK,
        "week": WEEK,
    }


EDITOR = Editor(
    home=HOME,
    template="offers.html",
    done="offers.saved",
    plain=(),
    fresh={
        "queue": {"hours": "00:00-24:00", "daily_cap": "0"},
        "item": {"minutes": "10", "daily_cap": "0", "repeat": "free", "party_max": "20"}
        | {"needs_identity": "on", "fresh": "on"}
        | ticks("days", WEEK),
    },
    load=load,
    part=part,
    more=more,
    press=press,
    ids={"queue": "q", "item": "i"},
    lists={"queue": "queues", "item": "items"},
)
ROUTES = EDITOR.routes()
