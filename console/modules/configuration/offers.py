"""How a hall's items differ from what the catalogue says is handled there, and the hall's items made alike. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pypinyin import Style, lazy_pinyin

from console.modules.catalogue.api import Item as Published
from qingting.contract.config import HallConfig, Item
from qingting.contract.config_parts import OfferPart
from qingting.contract.ids import DepartmentId, ItemId, QueueId


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One item that differs. ``kind``: ``added`` (the hall has it not), ``changed``, ``removed`` (not handled
    there any more), or ``unplaced``: it would be added, but the hall has no department of that name, and nobody
    but a person can say where it is handled. ``fields``: name, here, in the catalogue."""

    kind: str
    code: str
    name: str
    name_en: str
    fields: tuple[tuple[str, Any, Any], ...] = ()
    department: str = ""


def offer_lines(config: HallConfig, catalogue: Mapping[str, Published]) -> list[OfferLine]:
    """``catalogue``: every item in force by its code. Items of the hall that the catalogue does not know are the
    hall's own affair."""
    hall = config.hall.id
    mine = {one.code: one for one in config.items if one.code}
    lines = []
    for code, published in catalogue.items():
        body = published.body
        here = published.on_site and hall in body.halls
        item = mine.get(code)
        about = (code, body.name, body.name_en or body.name)
        if item is None:
            if here:
                known = _department(config, body.department) is not None
                kind = "added" if known and config.queues else "unplaced"
                lines.append(OfferLine(kind, *about, department=body.department))
        elif not here and body.halls:
            lines.append(OfferLine("removed", *about, department=body.department))
        elif fields := _differing(item, published):
            lines.append(OfferLine("changed", *about, tuple(fields), body.department))
    return sorted(lines, key=lambda one: (one.kind, one.name))


def taken_over(
    config: HallConfig, catalogue: Mapping[str, Published], chosen: Collection[str]
) -> OfferPart:
    """The hall's queues and items with the differences of the ``chosen`` codes taken over."""
    lines = {one.code: one for one in offer_lines(config, catalogue) if one.code in chosen}
    items = [
        _renewed(one, catalogue[one.code]) if one.code in lines else one
        for one in config.items
        if lines.get(one.code) is None or lines[one.code].kind != "removed"
    ]
    known = {one.id for one in config.items}
    for line in lines.values():
        if line.kind == "added":
            items.append(_fresh(config, catalogue[line.code], known))
            known.add(items[-1].id)
    return OfferPart(queues=config.queues, items=tuple(items))


def _said(published: Published) -> dict[str, Any]:
    """What the catalogue says in the words of a hall's item."""
    body, promised = published.body, published.body.promised
    return {
        "name": body.name[:80],
        "materials": body.materials,
        "legal_basis": body.basis,
        "promised_days": promised.amount if promised is not None else 0,
    } | ({"name_en": body.name_en[:80]} if body.name_en else {})


def _differing(item: Item, published: Published) -> list[tuple[str, Any, Any]]:
    return [
        (field, getattr(item, field), value)
        for field, value in _said(published).items()
        if getattr(item, field) != value
    ]


def _renewed(item: Item, published: Published) -> Item:
    """A translation that does not fit the new papers goes with the old ones."""
    said = _said(published)
    if len(said["materials"]) != len(item.materials_en):
        said["materials_en"] = ()
    reading = _reading(said["name"]) if said["name"] != item.name else {}
    return msgspec.structs.replace(item, **said, **reading)


def _fresh(config: HallConfig, published: Published, known: Collection[str]) -> Item:
    department = _department(config, published.body.department)
    assert department is not None
    queues = Counter(one.queue for one in config.items if one.department == department)
    queue = queues.most_common(1)[0][0] if queues else QueueId(config.queues[0].id)
    key = f"c-{published.code.lower()[-16:]}"
    while key in known:
        key += "x"
    said = _said(published)
    said.setdefault("name_en", said["name"])
    return Item(
        id=ItemId(key),
        department=department,
        queue=queue,
        code=published.code,
        **said,
        **_reading(said["name"]),
    )


def _department(config: HallConfig, name: str) -> DepartmentId | None:
    for one in config.departments:
        if name and name in (one.name, one.short_name):
            return one.id
    return None


def _reading(name: str) -> dict[str, Any]:
    """For the kiosk's search by pinyin."""
    return {
        "pinyin": "".join(lazy_pinyin(name, errors="ignore")),
        "initials": "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="ignore")),
    }
