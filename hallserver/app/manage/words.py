"""Devices as a manager reads them: what is wrong, since when, what to do."""

from dataclasses import dataclass

from hallserver.app.desk import Desk
from hallserver.engine.state import DeviceLife
from qingting.contract.conditions import ConditionText, Severity, condition_texts
from qingting.contract.ids import DeviceId, Millis
from qingting.contract.pads import PadFacts, PadWord, pad_words
from qingting.contract.programs import program_words
from qingting.contract.states import Condition, DeviceState, WindowState
from qingting.contract.supervision import PADS, is_gone, trouble
from qingting.kernel.order import natural

_TONES = {Severity.CRITICAL: "fault", Severity.WARNING: "caution", Severity.INFO: "info"}
_ORDER = {"fault": 0, "caution": 1, "info": 2, "done": 3, "off": 4}
_STARTING = (DeviceState.CONNECTING, DeviceState.IDENTIFYING)


@dataclass(frozen=True, slots=True)
class Fault:
    """One condition in words; ``tone`` is its colour, icon and weight."""

    tone: str
    text: ConditionText
    since: Millis


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """``state`` is a text key of the device's life; ``needs_somebody`` when a person has to go there."""

    id: DeviceId
    kind: str
    name: str
    name_en: str
    place: str
    place_en: str
    window: str
    tone: str
    state: str
    faults: tuple[Fault, ...]
    since: Millis
    seen: Millis
    detail: str
    pad: PadFacts | None = None
    program: tuple[PadWord, ...] = ()

    @property
    def pad_words(self) -> tuple[PadWord, ...]:
        return pad_words(self.pad) if self.pad is not None else ()

    @property
    def needs_somebody(self) -> bool:
        return self.tone in ("fault", "caution")


def device_lines(desk: Desk) -> list[DeviceLine]:
    """All devices of the hall, those that need somebody first, a kiosk's peripherals below it."""
    lines = [_line(desk, life) for life in desk.state.devices.values()]
    return sorted(
        lines, key=lambda one: (_ORDER[one.tone] > 1, natural(one.place), one.kind, one.id)
    )


def _line(desk: Desk, life: DeviceLife) -> DeviceLine:
    state = desk.state
    parent = state.devices.get(life.parent) if life.parent is not None else None
    window = state.window_config.get(life.window) if life.window is not None else None
    at_work = _at_work(desk, life)
    runs = desk.hub.board.programs.runs.get(life.id)
    gone = is_gone(life.kind, life.state, life.conditions, at_work=at_work)
    faults = tuple(sorted(_faults(life, gone=gone), key=lambda one: (_ORDER[one.tone], one.since)))
    return DeviceLine(
        id=life.id,
        kind=f"kind.{life.kind.value}",
        name=life.name,
        name_en=life.name_en,
        place=parent.name if parent is not None else life.name,
        place_en=parent.name_en if parent is not None else life.name_en,
        window=window.number if window is not None else "",
        tone=_tone(life, at_work=at_work),
        state=f"device.{life.state.value}",
        faults=faults,
        since=life.since,
        seen=desk.hub.board.presence.seen.get(life.id, life.since),
        detail=life.detail,
        pad=desk.hub.board.pads.facts.get(life.id),
        program=program_words(life.kind, runs, state.hands.get(life.id))
        if runs is not None
        else (),
    )


def _faults(life: DeviceLife, *, gone: bool) -> list[Fault]:
    texts = condition_texts()
    found = [
        Fault(_TONES[texts[one].severity], texts[one], at) for one, at in life.conditions.items()
    ]
    if gone and not found:
        found = [Fault("fault", texts[Condition.OFFLINE], life.since)]
    return found


def _at_work(desk: Desk, life: DeviceLife) -> bool:
    """False for a pad of a window that is not open: switched off it is where it should be."""
    if life.kind not in PADS or life.window is None:
        return True
    window = desk.state.windows.get(life.window)
    return window is not None and window.state is not WindowState.CLOSED


def _tone(life: DeviceLife, *, at_work: bool) -> str:
    found = trouble(life.kind, life.state, life.conditions, at_work=at_work)
    if found in (Severity.CRITICAL, Severity.WARNING):
        return _TONES[found]
    if life.state in (DeviceState.ABSENT, DeviceState.LOST):
        return "off"
    return "info" if life.state in _STARTING else "done"
