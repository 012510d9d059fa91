"""What putting a configuration in force does to people and devices that are there now. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from qingting.contract.config import HallConfig
from qingting.contract.link import Live


@dataclass(frozen=True, slots=True)
class Consequence:
    """``code`` has the text ``conf.then.<code>``; ``grave``: the hall will refuse it, or somebody stands before
    a closed door."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)
    grave: bool = False
    name_en: str = ""

    def said(self, *, zh: bool) -> dict[str, str | int]:
        """The parameters in a reader's language."""
        return self.params if zh or not self.name_en else {**self.params, "name": self.name_en}


def consequences(before: HallConfig, after: HallConfig, live: Live | None) -> list[Consequence]:
    """``live``: the hall's present, None while nobody knows it."""
    return [
        *_devices(before, after),
        *_queues(before, after, live),
        *_windows(before, after),
        *_staff(before, after),
        *_letters(before, after),
    ]


def _devices(before: HallConfig, after: HallConfig) -> Iterator[Consequence]:
    left = {one.id: one for one in after.devices}
    windows = {one.id: one for one in after.windows}
    numbers = {one.id: one.number for one in before.windows}
    for one in before.devices:
        now = left.get(one.id)
        if now is None:
            yield Consequence("device_gone", {"name": one.name}, name_en=one.name_en)
        elif one.window and (now.window is None or now.window not in windows):
            number = numbers.get(one.window, one.window)
            params: dict[str, str | int] = {"name": one.name, "window": number}
            yield Consequence("device_unplaced", params, grave=True, name_en=one.name_en)


def _queues(before: HallConfig, after: HallConfig, live: Live | None) -> Iterator[Consequence]:
    left = {one.id for one in after.queues}
    waiting = {one.id: one.waiting for one in live.queues} if live is not None else {}
    for one in before.queues:
        if one.id in left:
            continue
        if live is None:
            yield Consequence("queue_unknown", {"name": one.name}, name_en=one.name_en)
        elif waiting.get(one.id):
            params: dict[str, str | int] = {"name": one.name, "n": waiting[one.id]}
            yield Consequence("queue_waiting", params, grave=True, name_en=one.name_en)
    served = {queue for one in after.windows for queue in one.queues}
    earlier = {queue for one in before.windows for queue in one.queues}
    for one in after.queues:
        if one.id not in served and (
            one.id in earlier or one.id not in {b.id for b in before.queues}
        ):
            yield Consequence("queue_unserved", {"name": one.name}, grave=True, name_en=one.name_en)


def _windows(before: HallConfig, after: HallConfig) -> Iterator[Consequence]:
    left = {one.id for one in after.windows}
    for one in before.windows:
        if one.id not in left:
            yield Consequence("window_closes", {"name": one.number})


def _staff(before: HallConfig, after: HallConfig) -> Iterator[Consequence]:
    old, new = ({one.id: one.name for one in config.staff} for config in (before, after))
    for key, name in old.items():
        if key not in new:
            yield Consequence("staff_gone", {"name": name})
    for key, name in new.items():
        if key not in old:
            yield Consequence("staff_new", {"name": name})


def _letters(before: HallConfig, after: HallConfig) -> Iterator[Consequence]:
    old = {one.id: one.prefix for one in before.queues}
    for one in after.queues:
        if one.id in old and old[one.id] != one.prefix:
            params: dict[str, str | int] = {"before": old[one.id], "after": one.prefix}
            yield Consequence("letter", {"name": one.name, **params}, name_en=one.name_en)
