"""What saving a part of the configuration would change, for the manager to read before it is done."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from qingting.contract.config import HallConfig
from qingting.contract.config_parts import ConfigPart

WORDS = {
    "windows": "roster.f",
    "staff": "roster.s",
    "queues": "offers.f",
    "items": "offers.f",
}
"""Where the catalogue names the fields of each part."""


class Edit(NamedTuple):
    """A text of a thing before and after, lists of them in one line."""

    field: str
    before: str
    after: str


class Change(NamedTuple):
    """One thing that becomes another: ``kind`` is ``added``, ``removed``, ``changed`` or ``moved``; ``part``
    a field of the part, ``name`` what people call the thing, ``fields`` those that differ, ``texts`` how those
    of them read that are words for people."""

    kind: str
    part: str
    name: str = ""
    fields: tuple[str, ...] = ()
    texts: tuple[Edit, ...] = ()


def changes_of(config: HallConfig, part: ConfigPart) -> Iterator[Change]:
    """Every difference between what is in force and ``part``."""
    for name in part.__struct_fields__:
        before, after = getattr(config, name), getattr(part, name)
        if before == after:
            continue
        if isinstance(after, tuple) and all(hasattr(one, "id") for one in (*before, *after)):
            yield from _of_list(name, before, after)
        else:
            yield Change("changed", name)


def _of_list(part: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    for key, one in new.items():
        if key not in old:
            yield Change("added", part, one.name)
        elif fields := _differing(old[key], one):
            yield Change("changed", part, one.name, fields, tuple(_texts(old[key], one, fields)))
    yield from (Change("removed", part, one.name) for key, one in old.items() if key not in new)
    if [one for one in old if one in new] != [one for one in new if one in old]:
        yield Change("moved", part)


def _differing(old: Any, new: Any) -> tuple[str, ...]:
    return tuple(one for one in old.__struct_fields__ if getattr(old, one) != getattr(new, one))


TEXTS = (
    "name",
    "name_en",
    "place",
    "place_en",
    "closed_reason",
    "materials",
    "materials_en",
    "legal_basis",
    "legal_basis_en",
)
"""Fields that people read."""


def _texts(old: Any, new: Any, fields: Sequence[str]) -> Iterator[Edit]:
    """Of a list only what goes and what comes, all of it where only the order differs."""
    for field in TEXTS:
        if field not in fields:
            continue
        before, after = getattr(old, field), getattr(new, field)
        if not isinstance(before, str):
            gone = [one for one in before if one not in after]
            come = [one for one in after if one not in before]
            before, after = _in_line(gone, come, before), _in_line(come, gone, after)
        yield Edit(field, before, after)


def _in_line(some: Sequence[str], others: Sequence[str], whole: Sequence[str]) -> str:
    return " / ".join(some if some or others else whole)
