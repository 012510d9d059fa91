"""Parts of a configuration whose forms come from their types: one record or one list of records each. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from console.modules.configuration.packing import Document, configuration
from console.modules.configuration.typed import flat
from console.modules.configuration.typed.flat import Flat
from console.modules.configuration.typed.shapes import Rows, Shape, shape_of
from qingting.contract.config import HallConfig
from qingting.contract.errors import Refusal
from qingting.kernel.web.faulty import FormRefusal

WHOLE = {"rules": "rules", "announcements": "announcements", "screens": "board_layouts"}
"""Parts that are one form, and the field of the configuration."""
LISTS = {
    "devices": "devices",
    "boards": "layouts",
    "tickets": "ticket_templates",
    "kiosks": "kiosk_templates",
}
"""Parts that are a list with a form for each entry."""
NEW = "new"
ONE = "one"
"""The input's name of an entry of a list."""
_TYPES = {one.name: one.type for one in msgspec.structs.fields(HallConfig)}


def shape(part: str) -> Shape:
    """Of the part, or of an entry of it. Raises ``page.not_found``."""
    if part in WHOLE:
        return shape_of(_TYPES[WHOLE[part]], WHOLE[part])
    if part not in LISTS:
        raise Refusal("page.not_found")
    found = shape_of(_TYPES[LISTS[part]], LISTS[part])
    assert isinstance(found, Rows)
    return found.of


def root(part: str) -> str:
    """Name of the whole in the inputs' names."""
    return WHOLE.get(part, ONE)


def standing(document: Document, part: str, key: str) -> Flat:
    """The inputs as the draft has them. Raises ``page.not_found``."""
    return flat.fill(shape(part), root(part), _value(document, part, key))


def _value(document: Document, part: str, key: str) -> Any:
    if part in WHOLE:
        return document[WHOLE[part]]
    if part in LISTS and key == NEW:
        return msgspec.UNSET
    found = [one for one in document.get(LISTS.get(part, ""), ()) if one["id"] == key]
    if not found:
        raise Refusal("page.not_found")
    return found[0]


def put(
    document: Document, version: int, part: str, key: str, given: Mapping[str, Sequence[str]]
) -> HallConfig:
    """The configuration with a part or an entry as typed. Raises ``form.invalid`` naming the input, ``page.not_found``."""
    before = _value(document, part, key)
    value = flat.read(shape(part), root(part), given)
    if part in WHOLE:
        if part == "rules" and value != before:
            value["version"] = before["version"] + 1
        return _made({**document, WHOLE[part]: value}, version, "", given)
    field = LISTS[part]
    entries = list(document[field])
    ids = [one["id"] for one in entries]
    if key == NEW:
        if value["id"] in ids:
            raise FormRefusal("id", frozenset({flat.under(ONE, "id")}))
        at, changed = len(entries), [*entries, value]
    else:
        at = ids.index(key)
        changed = [*entries[:at], {**value, "id": key}, *entries[at + 1 :]]
    return _made({**document, field: changed}, version, f"{field}[{at}]", given)


def drop(document: Document, version: int, part: str, key: str) -> HallConfig:
    """Without an entry, and without what only said something of it. Raises ``page.not_found``."""
    _value(document, part, key)
    field = LISTS[part]
    changed = {**document, field: [one for one in document[field] if one["id"] != key]}
    screens: dict[str, str] = document["board_layouts"]
    if part == "boards":
        changed["board_layouts"] = {one: shown for one, shown in screens.items() if shown != key}
    if part == "devices":
        changed[field] = [
            {**one, "parent": None} if one["parent"] == key else one for one in changed[field]
        ]
        changed["board_layouts"] = {one: shown for one, shown in screens.items() if one != key}
        said = document["announcements"]
        speakers = {one: scope for one, scope in said["speakers"].items() if one != key}
        changed["announcements"] = {**said, "speakers": speakers}
    return configuration(changed, version)


def _made(
    changed: Document, version: int, entry: str, given: Mapping[str, Sequence[str]]
) -> HallConfig:
    try:
        return configuration(changed, version)
    except msgspec.ValidationError as error:
        path = str(error).rpartition("`$")[2].strip("`").removeprefix(".")
        name, _, rest = path.partition(".") if not entry else (ONE, "", path.removeprefix(entry))
        place = flat.input_at(rest.lstrip("."), name, given)
        if "missing required field" in str(error):
            place = flat.under(place, str(error).split("`")[1])
        raise FormRefusal(place, frozenset({place})) from error
