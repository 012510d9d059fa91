"""How devices change with events: pure rules."""

from typing import Any

from qingting.contract import events as e
from qingting.contract.states import DeviceState

DeviceRow = dict[str, Any]


def fold(rows: dict[str, DeviceRow], event: e.Event) -> bool:
    """Applies one event to the rows of a hall's devices; True when one changed."""
    match event.b:
        case e.ConfigApplied(config=config):
            for one in config.devices:
                body = e.DeviceRegistered(
                    device=one.id,
                    kind=one.kind,
                    name=one.name,
                    name_en=one.name_en,
                    parent=one.parent,
                    window=one.window,
                )
                _register(rows, body, event.at)
            return bool(config.devices)
        case e.DeviceRegistered():
            _register(rows, event.b, event.at)
            return True
        case e.DeviceChanged():
            _change(rows, event.b, event.at)
            return True
        case _:
            return False


def _new(device: str, kind: str, at: int) -> DeviceRow:
    return {
        "id": device,
        "kind": kind,
        "name": device,
        "name_en": "",
        "parent": None,
        "win": None,
        "state": DeviceState.ABSENT.value,
        "conditions": {},
        "detail": "",
        "since": at,
        "changed_at": at,
        "known_since": at,
    }


def _register(rows: dict[str, DeviceRow], body: e.DeviceRegistered, at: int) -> None:
    row = rows.setdefault(body.device, _new(body.device, body.kind.value, at))
    row.update(
        kind=body.kind.value,
        name=body.name,
        name_en=body.name_en,
        parent=body.parent,
        win=body.window,
    )


def _change(rows: dict[str, DeviceRow], body: e.DeviceChanged, at: int) -> None:
    row = rows.setdefault(body.device, _new(body.device, body.kind.value, at))
    if row["state"] != body.state.value:
        row["state"], row["since"] = body.state.value, at
    before = row["conditions"]
    row["conditions"] = {one.value: before.get(one.value, at) for one in body.conditions}
    row["detail"], row["changed_at"] = body.detail, at
