"""How a rollout goes on, halts and goes back: pure rules over what is known of its devices.

A device is asked once and its outcome awaited; what is away waits. Deciding twice about the same situation changes nothing
more. Nothing here knows of SQL, acts or clocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from console.modules.rollouts.waves import Place
from qingting.contract.errors import Refusal
from qingting.contract.states import ActOutcome

RETRY_MS = 60_000
"""Pause before a device that was away or busy is asked again."""
LATE_MS = 120_000
"""An unknown outcome may still become known for so long: a screen tells it when it is back."""
SETTLED_MS = 20_000
"""What a device says that it runs may be this much older than its outcome."""
AWAY = frozenset(
    {
        *("act.device_away", "act.expired", "directive.expired", "act.hall_restarted"),
        *("act.busy", "act.in_use", "act.running", "act.no_release", "act.superseded"),
    }
)
"""Ends of an act that say nothing about the release: the device is asked again."""


class What(StrEnum):
    """What is rolled out (下发内容)."""

    PAD = "pad"
    KIOSK = "kiosk"
    MODELS = "models"


class Phase(StrEnum):
    """Life of a rollout. ``halting``: waves with a failure go back; ``halted``: they have, a person decides."""

    RUNNING = "running"
    PAUSED = "paused"
    HALTING = "halting"
    HALTED = "halted"
    GOING_BACK = "going_back"
    BACK = "back"
    DONE = "done"


class At(StrEnum):
    """How far a device is."""

    WAITING = "waiting"
    ASKED = "asked"
    RUNS = "runs"
    FAILED = "failed"
    BACK_WAITING = "back_waiting"
    BACK_ASKED = "back_asked"
    BACK = "back"
    BACK_FAILED = "back_failed"


CHANGED = frozenset({At.ASKED, At.RUNS, At.FAILED})
"""Where the new release is or may be."""
RETURNING = frozenset({At.BACK_WAITING, At.BACK_ASKED})
OPEN = frozenset({Phase.RUNNING, Phase.PAUSED, Phase.HALTING, Phase.HALTED, Phase.GOING_BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One device. ``former`` is what it goes back to, ``act`` what it was asked last, ``since`` when it came to ``at``.
    ``passed``: a person went on without it; ``code`` says why it failed or waits."""

    place: Place
    wave: int
    at: At = At.WAITING
    former: str = ""
    act: str = ""
    since: int = 0
    retry_at: int = 0
    code: str = ""
    passed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of a device now. ``here``: it can be asked; ``ready``: its hall holds the release, ``unready`` says
    why it never will; ``runs`` None: it does not say; ``failed`` is a release that did not start there.

    ``outcome`` with ``code`` and ``ended_at`` are those of the target's act; ``worse`` says what is wrong with the device
    since it runs the release, empty for nothing.
    """

    here: bool = False
    ready: bool = True
    unready: str = ""
    runs: str | None = None
    failed: str = ""
    in_force: str = ""
    outcome: ActOutcome | None = None
    code: str = ""
    ended_at: int = 0
    worse: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """``wave`` is the latest that has begun, ``soak_ms`` how long a wave must be well before the next one begins."""

    what: What
    release: str
    phase: Phase
    wave: int
    soak_ms: int
    targets: Mapping[Place, Target] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return max((one.wave for one in self.targets.values()), default=0)

    @property
    def open(self) -> bool:
        return self.phase in OPEN


@dataclass(frozen=True, slots=True)
class Ask:
    """``place`` is to run ``release``."""

    place: Place
    release: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the rollout's own history: a text key below ``rollout.step.``, and a device."""

    step: str
    place: Place | None = None
    code: str = ""
    wave: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next."""

    rollout: Rollout
    asks: tuple[Ask, ...] = ()
    notes: tuple[Note, ...] = ()


def decide(rollout: Rollout, sights: Mapping[Place, Sight], now: int) -> Step:
    """The next step of ``rollout``: what became of those who were asked, whether it goes on, and who is asked now."""
    seen = {
        place: _observed(rollout, target, sights.get(place, Sight()), now)
        for place, target in rollout.targets.items()
    }
    notes = [
        Note(_NOTED[target.at], place, target.code)
        for place, target in seen.items()
        if target.at is not rollout.targets[place].at and target.at in _NOTED
    ]
    after, more = _phase(replace(rollout, targets=seen), now)
    targets, asks = dict(after.targets), list[Ask]()
    for place, target in after.targets.items():
        release = _to_ask(after, target, sights.get(place, Sight()), now)
        if release is not None:
            targets[place] = _as_asked(target, sights[place], now)
            asks.append(Ask(place, release))
    return Step(replace(after, targets=targets), tuple(asks), (*notes, *more))


_NOTED = {
    At.RUNS: "runs",
    At.FAILED: "failed",
    At.BACK: "back",
    At.BACK_FAILED: "back_failed",
}


def _observed(rollout: Rollout, target: Target, sight: Sight, now: int) -> Target:
    match target.at:
        case At.WAITING:
            return _waiting(rollout, target, sight, now)
        case At.ASKED:
            return _asked(rollout, target, sight, now)
        case At.RUNS:
            fault = _fault(rollout, sight) if now < target.since + rollout.soak_ms else ""
            return _to(target, At.FAILED, now, fault) if fault else target
        case At.BACK_WAITING:
            return _back_waiting(rollout, target, sight, now)
        case At.BACK_ASKED:
            return _back_asked(target, sight, now)
        case At.FAILED | At.BACK | At.BACK_FAILED:
            return target


def _to_ask(rollout: Rollout, target: Target, sight: Sight, now: int) -> str | None:
    """The release to ask a device for now."""
    if not sight.here or now < target.retry_at:
        return None
    if target.at is At.BACK_WAITING:
        # Not in the same look: a screen that has gone back by itself is not asked to.
        return target.former if now > target.since else None
    due = rollout.phase is Phase.RUNNING and target.wave <= rollout.wave
    return rollout.release if target.at is At.WAITING and due and sight.ready else None


def _as_asked(target: Target, sight: Sight, now: int) -> Target:
    if target.at is At.BACK_WAITING:
        return _to(target, At.BACK_ASKED, now, target.code)
    former = target.former if target.act else sight.in_force
    return _to(replace(target, former=former), At.ASKED, now)


def _to(target: Target, at: At, now: int, code: str = "") -> Target:
    return replace(target, at=at, since=now, code=code)


def _fault(rollout: Rollout, sight: Sight) -> str:
    """Why a device that ran the release does not count as well any more."""
    if rollout.release and sight.failed == rollout.release:
        return "act.not_started"
    return sight.worse


def _waiting(rollout: Rollout, target: Target, sight: Sight, now: int) -> Target:
    if rollout.phase is not Phase.RUNNING or target.wave > rollout.wave:
        return target
    if sight.unready:
        return _to(target, At.FAILED, now, sight.unready)
    if not target.act and sight.runs == rollout.release == sight.in_force:
        return _to(replace(target, former=sight.in_force), At.RUNS, now)
    return target


def _ended(target: Target, sight: Sight, now: int) -> ActOutcome | None:
    """The outcome that counts: one that is unknown may still become known."""
    if sight.outcome is ActOutcome.UNKNOWN and now < sight.ended_at + LATE_MS:
        return None
    return sight.outcome


def _again(target: Target, at: At, sight: Sight, now: int) -> Target:
    return replace(_to(target, at, now, sight.code), retry_at=now + RETRY_MS)


def _asked(rollout: Rollout, target: Target, sight: Sight, now: int) -> Target:
    if rollout.release and sight.failed == rollout.release:
        return _to(target, At.FAILED, now, "act.not_started")
    match _ended(target, sight, now):
        case None:
            return target
        case ActOutcome.DONE:
            return _to(target, At.RUNS, now)
        case ActOutcome.REFUSED | ActOutcome.EXPIRED if sight.code in AWAY:
            return _again(target, At.WAITING, sight, now)
        case ActOutcome.UNKNOWN if sight.runs == rollout.release:
            return _to(target, At.RUNS, now)
        case ActOutcome.UNKNOWN if sight.code in AWAY:
            return _again(target, At.WAITING, sight, now)
        case _:
            return _to(target, At.FAILED, now, sight.code or "act.failed")


def _back_waiting(rollout: Rollout, target: Target, sight: Sight, now: int) -> Target:
    """A screen that went back by itself, or that runs something newer, is left alone."""
    settled = not target.act or sight.outcome is not None
    elsewhere = sight.runs is not None and sight.runs != rollout.release
    told = bool(rollout.release) and sight.failed == rollout.release
    if settled and elsewhere and (told or now >= target.since + SETTLED_MS):
        return _to(target, At.BACK, now, target.code)
    return target


def _back_asked(target: Target, sight: Sight, now: int) -> Target:
    match _ended(target, sight, now):
        case None:
            return target
        case ActOutcome.DONE:
            return _to(target, At.BACK, now, target.code)
        case ActOutcome.UNKNOWN if sight.runs == target.former:
            return _to(target, At.BACK, now, target.code)
        case _ if sight.code in AWAY:
            return _again(target, At.BACK_WAITING, sight, now)
        case _:
            return _to(target, At.BACK_FAILED, now, sight.code or "act.failed")


def _phase(rollout: Rollout, now: int) -> tuple[Rollout, list[Note]]:
    targets = rollout.targets.values()
    match rollout.phase:
        case Phase.RUNNING | Phase.PAUSED:
            bad = {one.wave for one in targets if one.at is At.FAILED}
            if bad:
                first = next(one for one in targets if one.at is At.FAILED)
                halted = _send_back(rollout, Phase.HALTING, now, bad)
                return halted, [Note("halted", first.place, first.code)]
            return _next_wave(rollout, now) if rollout.phase is Phase.RUNNING else (rollout, [])
        case Phase.HALTING if not any(one.at in RETURNING for one in targets):
            return replace(rollout, phase=Phase.HALTED), [Note("wave_back")]
        case Phase.GOING_BACK if not any(one.at in RETURNING for one in targets):
            return replace(rollout, phase=Phase.BACK), [Note("all_back")]
        case _:
            return rollout, []


def _next_wave(rollout: Rollout, now: int) -> tuple[Rollout, list[Note]]:
    begun = [one for one in rollout.targets.values() if one.wave <= rollout.wave]
    is_last = rollout.wave >= rollout.last
    held = [one for one in begun if one.at is not At.RUNS and (is_last or not one.passed)]
    soaking = [one for one in begun if one.at is At.RUNS and now < one.since + rollout.soak_ms]
    if held or soaking:
        return rollout, []
    if is_last:
        return replace(rollout, phase=Phase.DONE), [Note("done")]
    wave = rollout.wave + 1
    return replace(rollout, wave=wave), [Note("wave", wave=wave)]


def _send_back(rollout: Rollout, phase: Phase, now: int, waves: set[int] | None = None) -> Rollout:
    """``waves`` None: all of them. What was never asked is left alone."""

    def moved(one: Target) -> Target:
        mine = (waves is None or one.wave in waves) and one.former != rollout.release
        retried = phase is Phase.GOING_BACK and one.at is At.BACK_FAILED
        if mine and one.at is At.FAILED and not one.act:
            return _to(one, At.BACK, now, one.code)
        if not (mine and (one.at in CHANGED or retried)):
            return one
        return replace(_to(one, At.BACK_WAITING, now, one.code), retry_at=0)

    targets = {place: moved(one) for place, one in rollout.targets.items()}
    return replace(rollout, phase=phase, targets=targets)


# -- what a person may do -------------------------------------------------------------------------


def pause(rollout: Rollout) -> Rollout:
    """Nobody else is asked. Raises ``rollout.not_now``."""
    if rollout.phase is not Phase.RUNNING:
        raise Refusal("rollout.not_now")
    return replace(rollout, phase=Phase.PAUSED)


def go_on(rollout: Rollout, sights: Mapping[Place, Sight], now: int) -> Rollout:
    """After a pause; after a halt once more for those that went back; while running without those that are away.

    Raises ``rollout.not_now`` when nothing waits for a person.
    """
    match rollout.phase:
        case Phase.PAUSED:
            return replace(rollout, phase=Phase.RUNNING)
        case Phase.HALTED:
            again = (At.BACK, At.FAILED, At.BACK_FAILED)
            targets = {
                place: replace(_to(one, At.WAITING, now), retry_at=0, act="")
                if one.at in again
                else one
                for place, one in rollout.targets.items()
            }
            return replace(rollout, phase=Phase.RUNNING, targets=targets)
        case Phase.RUNNING:
            away = {
                place
                for place, one in rollout.targets.items()
                if one.wave <= rollout.wave
                and one.at is At.WAITING
                and not one.passed
                and not sights.get(place, Sight()).here
            }
            if not away or rollout.wave >= rollout.last:
                raise Refusal("rollout.not_now")
            targets = {
                place: replace(one, passed=True) if place in away else one
                for place, one in rollout.targets.items()
            }
            return replace(rollout, targets=targets)
        case _:
            raise Refusal("rollout.not_now")


def go_back(rollout: Rollout, now: int) -> Rollout:
    """Every device that was changed goes back to what it ran before. Raises ``rollout.not_now``."""
    if rollout.phase in (Phase.GOING_BACK, Phase.HALTING):
        raise Refusal("rollout.not_now")
    if rollout.phase is Phase.BACK and not any(
        one.at is At.BACK_FAILED for one in rollout.targets.values()
    ):
        raise Refusal("rollout.not_now")
    return _send_back(rollout, Phase.GOING_BACK, now)
