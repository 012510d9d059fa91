"""The waves (批次) of a rollout: who is first, and how many follow."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from qingting.contract.errors import Refusal

DEFAULT_WAVES = "1, 1厅, 25%, 100%"
MOST_WAVES = 8
_PART = re.compile(r"(\d{1,4})\s*(台|devices?|厅|halls?|%|％)?", re.IGNORECASE)


class Measure(StrEnum):
    """What a wave's number counts."""

    DEVICES = "devices"
    HALLS = "halls"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Wave:
    """So many devices more; all that is left in so many halls; or so many percent of all, earlier waves included."""

    measure: Measure
    amount: int


class Place(NamedTuple):
    """A device of a hall."""

    hall: str
    device: str


def read_waves(text: str) -> tuple[Wave, ...]:
    """Waves as a person writes them, such as ``1, 1厅, 25%, 100%`` or ``2, 1 hall, 100%``; what is left goes last.

    Raises ``rollout.waves_bad``.
    """
    parts = [one.strip() for one in re.split(r"[,，、;；]", text) if one.strip()]
    found = [_wave(one) for one in parts]
    if not 0 < len(found) <= MOST_WAVES:
        raise Refusal("rollout.waves_bad")
    if found[-1] != Wave(Measure.PERCENT, 100):
        found.append(Wave(Measure.PERCENT, 100))
    return tuple(found)


def _wave(part: str) -> Wave:
    match = _PART.fullmatch(part)
    amount = int(match.group(1)) if match is not None else 0
    if match is None or amount < 1:
        raise Refusal("rollout.waves_bad")
    unit = (match.group(2) or "").lower()
    if unit in ("%", "％"):
        if amount > 100:
            raise Refusal("rollout.waves_bad")
        return Wave(Measure.PERCENT, amount)
    halls = unit == "厅" or unit.startswith("hall")
    return Wave(Measure.HALLS if halls else Measure.DEVICES, amount)


def share_out(places: Sequence[Place], waves: Sequence[Wave]) -> dict[Place, int]:
    """The wave of each device, from 0 on without a gap; each device has one, the last wave takes what is left.

    Earlier places go first. A wave of halls begins with those where something has been changed already.
    """
    rest, found, number = list(dict.fromkeys(places)), dict[Place, int](), 0
    total = len(rest)
    for wave in waves:
        chosen = _chosen(wave, rest, found, total)
        if not chosen:
            continue
        found |= dict.fromkeys(chosen, number)
        rest = [one for one in rest if one not in found]
        number += 1
    return found | dict.fromkeys(rest, number)


def _chosen(
    wave: Wave, rest: Sequence[Place], found: dict[Place, int], total: int
) -> Sequence[Place]:
    match wave.measure:
        case Measure.DEVICES:
            return rest[: wave.amount]
        case Measure.HALLS:
            touched = {one.hall for one in found}
            order = dict.fromkeys(
                one.hall for one in sorted(rest, key=lambda x: x.hall not in touched)
            )
            halls = set(list(order)[: wave.amount])
            return [one for one in rest if one.hall in halls]
        case Measure.PERCENT:
            return rest[: max(0, math.ceil(total * wave.amount / 100) - len(found))]
