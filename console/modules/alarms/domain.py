"""When alarms rise and end: pure rules over what holds, what has just ended, and what is known of alarms."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from console.modules.alarms.rules import HeldRule, RuleForm, applies
from console.modules.alarms.tree import Tree
from qingting.contract.states import DeviceKind

JUST_RAISED = -1


class AlarmState(StrEnum):
    """Life of an alarm: raised → acknowledged → cleared, and raised again."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class Place(NamedTuple):
    """Where something holds; ``device`` empty: the hall's line itself."""

    hall: str
    device: str


class Key(NamedTuple):
    """What makes two alarms the same one."""

    rule: str
    hall: str
    device: str
    what: str

    @property
    def place(self) -> Place:
        return Place(self.hall, self.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """``what`` holds at ``place`` since ``began``; ``ended`` is set when it is over. ``kind`` None: no device that
    the hall knows."""

    place: Place
    kind: DeviceKind | None
    what: str
    began: int
    ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The newest alarm of a key. ``by_hand``: a person cleared it."""

    no: int
    key: Key
    state: AlarmState
    began: int
    cleared_at: int = 0
    by_hand: bool = False

    @property
    def open(self) -> bool:
        return self.state is not AlarmState.CLEARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that decides about alarms at ``now``.

    ``causes`` hold now or have ended since the last look; ``begins`` tells for repeating rules when things
    began; ``silent`` are halls of which nobody knows anything now; ``handled`` are raisings that were made.
    """

    now: int
    rules: Sequence[HeldRule]
    causes: Sequence[Cause]
    begins: Mapping[tuple[str, str, str], tuple[int, ...]] = field(default_factory=dict)
    silent: Collection[str] = frozenset()
    standing: Mapping[Key, Standing] = field(default_factory=dict)
    handled: Collection[tuple[Key, int]] = frozenset()
    tree: Tree = field(default_factory=Tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """A new alarm (``no`` 0), or the standing one ``no`` once more; :data:`JUST_RAISED` is the key's alarm out of the
    same decision. ``at`` is when its condition was met."""

    key: Key
    kind: DeviceKind | None
    held: HeldRule
    began: int
    at: int
    no: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """The cause of the key's open alarm is over since ``at``."""

    key: Key
    at: int


Change = Raise | Clear


def decide(situation: Situation) -> list[Change]:
    """What must change now. Deciding twice about the same situation, or with everything handled that was
    decided, changes nothing more."""
    found: list[Change] = []
    pending = _Pending(situation)
    by_key = _by_key(situation)
    keys = dict.fromkeys([*by_key, *(one.key for one in situation.standing.values() if one.open)])
    for key in keys:
        found += _of_key(situation, pending, key, by_key.get(key))
    return found


class _Matched(NamedTuple):
    held: HeldRule
    causes: list[Cause]


def _by_key(situation: Situation) -> dict[Key, _Matched]:
    found: dict[Key, _Matched] = {}
    for cause in sorted(situation.causes, key=lambda one: one.began):
        for held in situation.rules:
            rule, place = held.rule, cause.place
            if not applies(rule, hall=place.hall, kind=cause.kind, what=cause.what):
                continue
            key = Key(rule.id, place.hall, place.device, cause.what)
            if rule.form is not RuleForm.REPEAT:
                found.setdefault(key, _Matched(held, [])).causes.append(cause)
    for (hall, device, what), begins in situation.begins.items():
        found.update(_repeats(situation, Place(hall, device), what, begins))
    return found


def _repeats(
    situation: Situation, place: Place, what: str, begins: tuple[int, ...]
) -> Iterator[tuple[Key, _Matched]]:
    """Rules that ``what`` has begun often enough for. The cause began when it last did."""
    kind = situation.tree.kind(place)
    for held in situation.rules:
        rule = held.rule
        if rule.form is not RuleForm.REPEAT or not applies(
            rule, hall=place.hall, kind=kind, what=what
        ):
            continue
        key = Key(rule.id, place.hall, place.device, what)
        standing = situation.standing.get(key)
        since = max(situation.now - rule.seconds * 1000, held.since - 1)
        if standing is not None and standing.by_hand and not standing.open:
            since = max(since, standing.cleared_at)
        counted = [at for at in begins if since < at <= situation.now]
        if len(counted) >= rule.times:
            cause = Cause(place=place, kind=kind, what=what, began=max(counted))
            yield key, _Matched(held, [cause])


def _due_at(held: HeldRule, cause: Cause) -> int:
    waits = held.rule.seconds * 1000 if held.rule.form is RuleForm.DURATION else 0
    return cause.began + waits


def _met(held: HeldRule, cause: Cause, now: int) -> bool:
    """True when the rule's condition is or was met by ``cause``. What ended before the rule was made is past."""
    if cause.ended is not None:
        return cause.began >= held.since and cause.ended >= _due_at(held, cause)
    return now >= _due_at(held, cause)


def _of_key(
    situation: Situation, pending: "_Pending", key: Key, matched: _Matched | None
) -> Iterator[Change]:
    last = situation.standing.get(key)
    silent = key.hall in situation.silent and bool(key.device)
    holds, last_end = False, 0
    for cause in matched.causes if matched else ():
        assert matched is not None
        holds = holds or (cause.ended is None and _met(matched.held, cause, situation.now))
        last_end = max(last_end, cause.ended or 0)
        if silent or not _is_news(situation, pending, key, matched, cause):
            continue
        if last is not None and last.open and _same(last, matched.held, cause):
            continue
        change = _raise(key, matched.held, cause, last)
        yield change
        last = Standing(
            no=change.no or JUST_RAISED, key=key, state=AlarmState.RAISED, began=cause.began
        )
        if cause.ended is not None:
            yield Clear(key=key, at=cause.ended)
            last = replace(last, state=AlarmState.CLEARED, cleared_at=cause.ended)
    if last is not None and last.open and not holds and not silent:
        yield Clear(key=key, at=last_end or situation.now)


def _same(standing: Standing, held: HeldRule, cause: Cause) -> bool:
    """True when the open alarm says it already: the same cause, or one whose beginning moves with time."""
    moves = held.rule.form is RuleForm.REPEAT or not cause.place.device
    return moves or cause.began == standing.began


def _is_news(
    situation: Situation, pending: "_Pending", key: Key, matched: _Matched, cause: Cause
) -> bool:
    return (
        _met(matched.held, cause, situation.now)
        and (key, cause.began) not in situation.handled
        and not pending.hides(cause)
    )


def _raise(key: Key, held: HeldRule, cause: Cause, last: Standing | None) -> Raise:
    at = _due_at(held, cause)
    again = last is not None and (
        last.open or (not last.by_hand and at - last.cleared_at <= held.rule.again_seconds * 1000)
    )
    no = last.no if last is not None and again else 0
    return Raise(key=key, kind=cause.kind, held=held, began=cause.began, at=at, no=no)


class _Pending:
    """Roots that are about to be alarms: what stands behind one waits for it, so that one alarm is told, not five."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._roots: dict[tuple[str, str], list[Cause]] = {}
        for one in situation.causes:
            if one.what in situation.tree.roots:
                self._roots.setdefault(one.place, []).append(one)

    def hides(self, cause: Cause) -> bool:
        """True while a root of ``cause`` has not been decided yet, or was over before it became an alarm."""
        for place in self._situation.tree.above(cause.place, cause.what):
            for root in self._roots.get(place, ()):
                if _overlap(root, cause) and self._undecided(root):
                    return True
        return False

    def _undecided(self, root: Cause) -> bool:
        rules = [
            held
            for held in self._situation.rules
            if held.rule.form is not RuleForm.REPEAT
            and applies(held.rule, hall=root.place.hall, kind=root.kind, what=root.what)
        ]
        return bool(rules) and not any(_met(held, root, self._situation.now) for held in rules)


def _overlap(one: Cause, other: Cause) -> bool:
    starts_before = one.ended is None or other.began <= one.ended
    return starts_before and (other.ended is None or one.began <= other.ended)
