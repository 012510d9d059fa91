"""When alarms rise and end: never early, never twice, never lost, however seldom anybody looks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.modules.alarms.domain import (
    JUST_RAISED,
    AlarmState,
    Cause,
    Clear,
    Key,
    Place,
    Raise,
    Situation,
    Standing,
    decide,
)
from console.modules.alarms.looking import rounds
from console.modules.alarms.rules import (
    BUILT_IN,
    WHATS,
    AlarmRule,
    HeldRule,
    RuleForm,
    applies,
    rule_fault,
)
from console.modules.alarms.tree import Node, Tree
from console.modules.devices.api import GONE
from qingting.contract.conditions import Severity
from qingting.contract.states import DeviceKind

MINUTE = 60_000
TREE = Tree.of(
    {
        ("h", "k1"): Node(DeviceKind.KIOSK),
        ("h", "k1-agent"): Node(DeviceKind.AGENT, "k1"),
        ("h", "k1-printer"): Node(DeviceKind.PRINTER, "k1"),
        ("h", "pad"): Node(DeviceKind.CALL_PAD),
    }
)


def rule(form: RuleForm = RuleForm.SIMPLE, **given: object) -> HeldRule:
    fields: dict[str, object] = {
        "id": "r",
        "name": "r",
        "form": form,
        "whats": ("cover_open",),
        "severity": Severity.CRITICAL,
        "again_seconds": 0,
        **given,
    }
    return HeldRule(rule=AlarmRule(**fields), since=0)  # type: ignore[arg-type]


def cause(
    began: int, ended: int | None = None, what: str = "cover_open", device: str = "k1-printer"
) -> Cause:
    place = Place("h", device)
    return Cause(place=place, kind=TREE.kind(place), what=what, began=began, ended=ended)


@dataclass
class Alarms:
    """What the database would keep."""

    rules: Sequence[HeldRule]
    standing: dict[Key, Standing] = field(default_factory=dict)
    handled: set[tuple[Key, int]] = field(default_factory=set)
    made: list[Raise] = field(default_factory=list)
    ends: list[Clear] = field(default_factory=list)
    numbers: int = 0

    def look(
        self,
        now: int,
        *causes: Cause,
        silent: frozenset[str] = frozenset(),
        begins: dict[tuple[str, str, str], tuple[int, ...]] | None = None,
    ) -> list[str]:
        """Looks and gives what is open afterwards, as ``device:what``."""
        situation = Situation(
            now=now,
            rules=self.rules,
            causes=causes,
            begins=begins or {},
            silent=silent,
            standing=dict(self.standing),
            handled=set(self.handled),
            tree=TREE,
        )
        for change in decide(situation):
            self._apply(change)
        return sorted(f"{k.device}:{k.what}" for k, one in self.standing.items() if one.open)

    def _apply(self, change: Raise | Clear) -> None:
        if isinstance(change, Clear):
            old = self.standing[change.key]
            self.ends.append(change)
            self.standing[change.key] = Standing(
                no=old.no,
                key=change.key,
                state=AlarmState.CLEARED,
                began=old.began,
                cleared_at=change.at,
            )
            return
        assert (change.key, change.began) not in self.handled, "raised twice"
        self.handled.add((change.key, change.began))
        self.made.append(change)
        self.numbers += change.no == 0
        no = change.no if change.no > 0 else self.numbers
        if change.no == JUST_RAISED:
            no = self.standing[change.key].no
        self.standing[change.key] = Standing(
            no=no, key=change.key, state=AlarmState.RAISED, began=change.began
        )

    def clear_by_hand(self, now: int) -> None:
        for key, old in list(self.standing.items()):
            if old.open:
                self.standing[key] = Standing(
                    no=old.no,
                    key=key,
                    state=AlarmState.CLEARED,
                    began=old.began,
                    cleared_at=now,
                    by_hand=True,
                )


HISTORIES = st.lists(
    st.tuples(st.integers(1, 30 * MINUTE), st.integers(1, 30 * MINUTE)), min_size=1, max_size=8
)
"""Pauses and lengths of what happens at one device."""


def spans_of(history: list[tuple[int, int]]) -> list[tuple[int, int]]:
    spans, at = [], 0
    for pause, length in history:
        spans.append((at + pause, at + pause + length))
        at = spans[-1][1]
    return spans


def lived(rules: Sequence[HeldRule], spans: list[tuple[int, int]], looks: list[int]) -> Alarms:
    """Looks at the given instants and once at the end, each time told what has ended since."""
    alarms, told = Alarms(rules), 0
    for now in sorted({*looks, spans[-1][1] + 1}):
        over = [one for one in spans[told:] if one[1] <= now]
        told += len(over)
        causes = [cause(*one) for one in over]
        causes += [cause(began) for began, ended in spans if began <= now < ended]
        _ = alarms.look(now, *causes)
    return alarms


@given(
    HISTORIES,
    st.lists(st.integers(0, 500 * MINUTE), max_size=30),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_however_seldom_somebody_looks_the_same_alarms_are_raised(
    history: list[tuple[int, int]], looks: list[int], minutes: int, again: int
) -> None:
    form = RuleForm.DURATION if minutes else RuleForm.SIMPLE
    rules = [rule(form, seconds=minutes * 60, again_seconds=again * 60)]
    spans = spans_of(history)
    alarms = lived(rules, spans, looks)
    long_enough = [began for began, ended in spans if ended - began >= minutes * MINUTE]
    assert [one.began for one in alarms.made] == long_enough
    assert all(one.at == one.began + minutes * MINUTE for one in alarms.made)
    assert not any(one.open for one in alarms.standing.values()), "all is over at the end"


@given(HISTORIES, st.integers(0, 500 * MINUTE), st.integers(1, 20))
def test_a_second_look_at_the_same_moment_changes_nothing(
    history: list[tuple[int, int]], now: int, minutes: int
) -> None:
    spans = [one for one in spans_of(history) if one[0] <= now]
    alarms = Alarms([rule(RuleForm.DURATION, seconds=minutes * 60)])
    causes = [cause(began, ended if ended <= now else None) for began, ended in spans]
    first = alarms.look(now, *causes)
    count = len(alarms.made)
    assert alarms.look(now, *causes) == first
    assert len(alarms.made) == count


def test_a_duration_is_kept_to_the_millisecond() -> None:
    alarms = Alarms([rule(RuleForm.DURATION, whats=("paper_low",), seconds=1800)])
    low = cause(1_000, what="paper_low")
    assert alarms.look(1_000 + 1_800_000 - 1, low) == []
    assert alarms.look(1_000 + 1_800_000, low) == ["k1-printer:paper_low"]
    assert alarms.look(1_000 + 1_900_000) == []


def test_what_is_back_soon_is_the_same_alarm_raised_again() -> None:
    alarms = Alarms([rule(again_seconds=600)])
    _ = alarms.look(10, cause(10))
    _ = alarms.look(20)
    _ = alarms.look(30, cause(30))
    assert [one.no for one in alarms.made] == [0, 1]
    _ = alarms.look(40)
    _ = alarms.look(40 + 700_000, cause(40 + 700_000))
    assert [one.no for one in alarms.made] == [0, 1, 0]


def test_cleared_by_hand_it_stays_so_until_the_cause_begins_anew() -> None:
    alarms = Alarms([rule(again_seconds=600)])
    _ = alarms.look(10, cause(10))
    alarms.clear_by_hand(20)
    assert alarms.look(30, cause(10)) == []
    assert alarms.look(40, cause(35)) == ["k1-printer:cover_open"]
    assert [one.no for one in alarms.made] == [0, 0]


def test_repeats_are_counted_within_their_time_and_end_with_it() -> None:
    alarms = Alarms([rule(RuleForm.REPEAT, times=3, seconds=600)])

    def look(now: int, *begins: int) -> list[str]:
        return alarms.look(now, begins={("h", "k1-printer", "cover_open"): begins})

    assert look(200_000, 100_000, 200_000) == []
    assert look(300_000, 100_000, 200_000, 300_000) == ["k1-printer:cover_open"]
    assert look(400_000, 100_000, 200_000, 300_000, 400_000) == ["k1-printer:cover_open"]
    assert len(alarms.made) == 1
    alarms.clear_by_hand(450_000)
    assert look(500_000, 100_000, 200_000, 300_000, 400_000) == []
    assert look(990_000, 600_000, 800_000, 990_000) == ["k1-printer:cover_open"]
    assert look(2_000_000) == []


def test_of_a_silent_hall_nothing_is_raised_and_nothing_ends() -> None:
    alarms = Alarms([rule()])
    _ = alarms.look(10, cause(10))
    assert alarms.look(20, silent=frozenset({"h"})) == ["k1-printer:cover_open"]
    fresh = Alarms([rule()])
    assert fresh.look(10, cause(5), silent=frozenset({"h"})) == []
    assert fresh.look(20, cause(5)) == ["k1-printer:cover_open"]


def test_what_stands_behind_a_kiosk_waits_for_the_kiosks_own_alarm() -> None:
    kiosk = HeldRule(
        rule=AlarmRule(
            id="kiosk",
            name="k",
            form=RuleForm.DURATION,
            whats=(GONE,),
            kinds=(DeviceKind.KIOSK,),
            seconds=60,
            severity=Severity.CRITICAL,
        )
    )
    rest = rule(whats=(GONE,), kinds=(DeviceKind.AGENT, DeviceKind.PRINTER))
    alarms = Alarms([kiosk, rest])
    lost = [
        cause(0, None, GONE, "k1-agent"),
        cause(0, None, GONE, "k1-printer"),
        cause(2_000, None, GONE, "k1"),
    ]
    assert alarms.look(30_000, *lost) == []
    assert alarms.look(62_000, *lost) == ["k1-agent:gone", "k1-printer:gone", "k1:gone"]


def test_a_rule_made_today_says_nothing_of_what_was_over_before() -> None:
    late = HeldRule(rule=rule().rule, since=1_000)
    alarms = Alarms([late])
    assert alarms.look(2_000, cause(100, 200), cause(500)) == ["k1-printer:cover_open"]
    assert [one.began for one in alarms.made] == [500]


def test_a_rule_that_is_switched_off_ends_its_alarms() -> None:
    alarms = Alarms([rule()])
    _ = alarms.look(10, cause(10))
    alarms.rules = [rule(enabled=False)]
    assert alarms.look(20, cause(10)) == []


# -- the built-in set -------------------------------------------------------------------------


@pytest.mark.parametrize("one", BUILT_IN, ids=lambda one: one.id)
def test_the_built_in_rules_are_sound(one: AlarmRule) -> None:
    assert rule_fault(one) == ""
    assert one.name_en


def test_everything_grave_has_a_rule_at_every_device() -> None:
    for what in WHATS:
        kinds = [None] if what.startswith("hall_") else list(DeviceKind)
        for kind in kinds:
            found = [one for one in BUILT_IN if applies(one, hall="h", kind=kind, what=what)]
            assert found or what in ("busy", "ticket_not_taken"), (what, kind)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"whats": ()}, "whats"),
        ({"whats": ("nonsense",)}, "whats"),
        ({"form": RuleForm.DURATION}, "seconds"),
        ({"form": RuleForm.REPEAT, "seconds": 60, "times": 1}, "times"),
        ({"form": RuleForm.REPEAT, "seconds": 60, "times": 3, "whats": ("hall_offline",)}, "whats"),
    ],
)
def test_a_rule_that_could_never_work_is_refused(change: dict[str, object], field: str) -> None:
    assert rule_fault(rule(**change).rule) == field  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_changes_written_together_keep_their_order_for_each_alarm(
    told: list[tuple[str, bool]],
) -> None:
    keys = {name: Key("r", "h", name, "cover_open") for name in "abc"}
    changes = [
        Clear(key=keys[name], at=n)
        if ends
        else Raise(key=keys[name], kind=None, held=rule(), began=n, at=n)
        for n, (name, ends) in enumerate(told)
    ]
    together = rounds(changes)
    assert all(len({one.key for one in each}) == len(each) for each in together)
    for key in keys.values():
        mine = [one for one in changes if one.key == key]
        assert [one for each in together for one in each if one.key == key] == mine
