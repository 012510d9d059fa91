"""Queues and items (队列和事项): hours, caps, the rule against repeats, skills and groups, many at once."""

import re
from typing import Any

import msgspec
from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.app.manage.editor import Editor, Form
from hallserver.app.manage.edits import (
    Typed,
    convert,
    given,
    marked,
    periods_of,
    periods_text,
    say,
    ticks,
)
from hallserver.app.manage.rows import Values
from qingting.contract.config import HallConfig, Item, Queue, RepeatRule
from qingting.contract.config_parts import OfferPart
from qingting.contract.errors import Refusal

HOME = "/manage/offers"
_QUEUE = ("name", "name_en", "daily_cap")
_ITEM = ("queue", "minutes", "daily_cap", "repeat", "party_max")
_WORDS = ("skill", "group")
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
        "queue": item.queue,
        "minutes": f"{item.minutes:g}",
        "daily_cap": str(item.daily_cap),
        "repeat": item.repeat.value,
        "party_max": str(item.party_max),
        "skill": item.skill,
        "group": item.group,
    } | ticks("days", item.weekdays)


def part(request: web.Request, form: Form, config: HallConfig) -> OfferPart:
    """What a row does not show stays as it is; nothing is added or removed here."""
    queues = {row.get("id", ""): row for row in form.rows["queue"]}
    items = {row.get("id", ""): row for row in form.rows["item"]}
    raw = {
        "part": "offer",
        "queues": [
            _merged(one, _queue(request, queues[one.id]) if one.id in queues else {})
            for one in config.queues
        ],
        "items": [
            _merged(one, _item(items[one.id]) if one.id in items else {}) for one in config.items
        ],
    }
    return convert(request, raw, OfferPart, "offers.f")


def _merged(record: Queue | Item, changes: dict[str, object]) -> dict[str, object]:
    raw: dict[str, object] = msgspec.to_builtins(record)
    return raw | changes


def _queue(request: web.Request, row: Values) -> dict[str, object]:
    return {
        **given(row, *_QUEUE),
        "hours": periods_of(row.get("hours", ""), say(request, "offers.f.hours")),
        "closed_reason": row.get("closed_reason", ""),
        "caps": _caps(row.get("caps", ""), say(request, "offers.f.caps")),
    }


def _caps(text: str, word: str) -> list[dict[str, object]]:
    """``09:00-12:00=50``, several parted by spaces. Raises ``form.invalid``."""
    found: list[dict[str, object]] = []
    for one in re.split(r"[\s,，、;；]+", text.strip()):
        span, sign, tickets = one.partition("=")
        if not one:
            continue
        if not sign or not tickets.isdecimal():
            raise Refusal("form.invalid", field=f"{word}：{one[:20]}")
        found += [{"period": period, "tickets": tickets} for period in periods_of(span, word)]
    return found


def _item(row: Values) -> dict[str, object]:
    words = {name: row.get(name, "") for name in _WORDS}
    return {**given(row, *_ITEM), **words, "weekdays": marked(row, "days")}


def press(form: Form, fields: Typed) -> None:
    """Sets one field of every ticked item; the form alone changes."""
    name, value = fields.one("bulk_field"), fields.one("bulk_value")
    if fields.one("do") != "bulk" or name not in BULK:
        return
    for row in form.rows["item"]:
        if row.pop("ticked", ""):
            row[name] = value


def more(request: web.Request, form: Form) -> dict[str, Any]:
    state = desk_of(request).state
    return {
        "queues": list(state.queues.values()),
        "items": state.items,
        "departments": state.departments,
        "repeats": list(RepeatRule),
        "bulk": BULK,
        "week": ("1", "2", "3", "4", "5", "6", "7"),
    }


EDITOR = Editor(
    home=HOME,
    template="offers.html",
    done="offers.saved",
    plain=(),
    fresh={"queue": {}, "item": {}},
    load=load,
    part=part,
    more=more,
    press=press,
)
ROUTES = EDITOR.routes()
