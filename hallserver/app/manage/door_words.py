"""Who was turned away at the door, in a manager's words: who, when, what to do now."""

from dataclasses import dataclass

from hallserver.app.desk import Desk
from hallserver.engine.evolve import TURNED_AWAY_MS
from hallserver.engine.state import DeviceLife, Knocks
from qingting.contract.ids import DeviceId, Millis
from qingting.contract.supervision import OWN_CONNECTION


@dataclass(frozen=True, slots=True)
class KnockLine:
    """``why``, ``hint`` and ``origin`` are text keys; ``by`` and ``by_en`` whose key it was, empty when that is
    not known; ``can_revoke`` names the device whose key may be taken away here, empty when there is none."""

    name: str
    name_en: str
    kind: str
    window: str
    why: str
    hint: str
    by: str
    by_en: str
    origin: str
    count: int
    first: Millis
    last: Millis
    can_revoke: DeviceId | None


def knock_lines(desk: Desk) -> list[KnockLine]:
    """The latest first; what nobody repeated for a day is over."""
    since = desk.clock.now_ms() - TURNED_AWAY_MS
    recent = [one for one in desk.state.turned_away.values() if one.last > since]
    return [_line(desk, one) for one in sorted(recent, key=lambda one: -one.last)]


def _line(desk: Desk, knocks: Knocks) -> KnockLine:
    life = desk.state.devices.get(knocks.device)
    by = desk.state.devices.get(knocks.by) if knocks.by is not None else None
    window = desk.state.window_config.get(life.window) if life and life.window else None
    return KnockLine(
        name=life.name if life is not None else knocks.device,
        name_en=life.name_en if life is not None else "",
        kind=f"kind.{life.kind.value}" if life is not None else "",
        window=window.number if window is not None else "",
        why=f"away.{knocks.why.value}",
        hint=f"away.{knocks.why.value}.hint",
        by=by.name if by is not None else "",
        by_en=by.name_en if by is not None else "",
        origin=f"away.from.{knocks.origin.value}",
        count=knocks.count,
        first=knocks.first,
        last=knocks.last,
        can_revoke=_revocable(by or life),
    )


def _revocable(life: DeviceLife | None) -> DeviceId | None:
    return life.id if life is not None and life.kind in OWN_CONNECTION else None
