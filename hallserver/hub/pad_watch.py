"""What pads say about themselves, and when it becomes something that a person should know.

Fine values stay here, in memory. A condition reaches the log only when it begins and when it ends, with
room between the two, so that a level that sways about a bound says nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hallserver.engine.state import DeviceLife, HallState
from qingting.contract.ids import DeviceId
from qingting.contract.pads import PadFacts
from qingting.contract.states import Condition, WindowState
from qingting.kernel.aio.clock import Clock

LOOK_SECONDS = 15.0
"""How often a pad that says nothing new is looked at while something is about to begin or to end."""

Sign = Callable[[PadFacts], bool]


@dataclass(frozen=True, slots=True)
class _Rule:
    """``bad`` for ``begins`` seconds raises the condition, ``good`` for ``ends`` seconds ends it; what is
    neither leaves things as they are."""

    bad: Sign
    good: Sign
    begins: float
    ends: float


def _low(facts: PadFacts) -> bool:
    level = facts.battery
    return level is not None and (level < 10 or (level < 20 and facts.charging is False))


def _full_enough(facts: PadFacts) -> bool:
    level = facts.battery
    return level is None or level >= 30 or (facts.charging is True and level >= 15)


RULES: dict[Condition, _Rule] = {
    Condition.BATTERY_LOW: _Rule(_low, _full_enough, begins=0, ends=60),
    Condition.ON_BATTERY: _Rule(
        lambda facts: facts.charging is False,
        lambda facts: facts.charging is not False,
        begins=10 * 60,
        ends=60,
    ),
    Condition.IN_BACKGROUND: _Rule(
        lambda facts: not facts.visible, lambda facts: facts.visible, begins=2 * 60, ends=5
    ),
    Condition.SLOW_NETWORK: _Rule(
        lambda facts: facts.rtt is not None and facts.rtt >= 1_000,
        lambda facts: facts.rtt is None or facts.rtt < 500,
        begins=3 * 60,
        ends=60,
    ),
}
OUTDATED_SECONDS = 60 * 60
"""A pad takes a new program by itself as soon as nobody is served; after this time it cannot."""


_KNOWN = frozenset({*RULES, Condition.APP_OUTDATED})


def _rules(build: str) -> dict[Condition, _Rule]:
    """``build`` is the program that the pad should run; empty: whatever it runs is right."""
    outdated = _Rule(
        lambda facts: build != "" and facts.build not in ("", build),
        lambda facts: build == "" or facts.build in ("", build),
        begins=OUTDATED_SECONDS,
        ends=0,
    )
    return {**RULES, Condition.APP_OUTDATED: outdated}


@dataclass(slots=True)
class _Pad:
    """``turning`` is since when (monotonic) a condition has been about to begin or to end."""

    facts: PadFacts
    raised: set[Condition]
    turning: dict[Condition, float] = field(default_factory=dict)
    look_at: float = 0.0


class PadWatch:
    """Pure but for the clock. ``build_for`` says which program a pad should run; empty where nobody knows."""

    def __init__(self, clock: Clock, build_for: Callable[[DeviceId], str]) -> None:
        self._clock = clock
        self._build_for = build_for
        self._pads: dict[DeviceId, _Pad] = {}
        self._facts: dict[DeviceId, PadFacts] = {}

    @property
    def facts(self) -> Mapping[DeviceId, PadFacts]:
        """What each connected pad said last."""
        return self._facts

    def heard(self, life: DeviceLife, facts: PadFacts) -> None:
        pad = self._pads.get(life.id)
        if pad is None:
            pad = self._pads[life.id] = _Pad(facts, set(life.conditions) & _KNOWN)
        pad.facts, pad.look_at = facts, 0.0
        self._facts[life.id] = facts

    def gone(self, device: DeviceId) -> None:
        """Its connection ended: what it said last is not the present any more."""
        self._pads.pop(device, None)
        self._facts.pop(device, None)

    def conditions(self, state: HallState, life: DeviceLife) -> frozenset[Condition]:
        """What is to be said of a connected pad. One that has not spoken yet keeps what the log says."""
        pad = self._pads.get(life.id)
        if pad is None:
            return frozenset(life.conditions)
        now = self._clock.monotonic()
        if now >= pad.look_at:
            at_work = _at_work(state, life)
            for condition, rule in _rules(self._build_for(life.id)).items():
                asked = at_work or condition is not Condition.IN_BACKGROUND
                _turn(pad, condition, rule, now, asked=asked)
            pad.look_at = now + LOOK_SECONDS
            if pad.turning:
                pad.look_at = now + 1.0
        return frozenset(pad.raised)


def _turn(pad: _Pad, condition: Condition, rule: _Rule, now: float, *, asked: bool) -> None:
    is_raised = condition in pad.raised
    wants = (rule.good(pad.facts) or not asked) if is_raised else (rule.bad(pad.facts) and asked)
    if not wants:
        pad.turning.pop(condition, None)
        return
    since = pad.turning.setdefault(condition, now)
    if now - since >= (rule.ends if is_raised else rule.begins):
        del pad.turning[condition]
        pad.raised ^= {condition}


def _at_work(state: HallState, life: DeviceLife) -> bool:
    """A pad at a window that is not open may be dark."""
    window = state.windows.get(life.window) if life.window is not None else None
    return window is not None and window.state is not WindowState.CLOSED
