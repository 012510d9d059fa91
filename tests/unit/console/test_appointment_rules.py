"""Rules of appointments: inheritance field by field, days, periods, seats, limits, punishments, re-offered places."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from console.core.days import day_of
from console.modules.appointments import places as p
from console.modules.appointments.api import Channel, Life
from console.modules.appointments.domain import (
    DAY_MS,
    Asker,
    Listed,
    Record,
    check_change,
    check_citizen,
    check_reason,
    may_follow,
    next_reminder,
    punishment,
)
from console.modules.appointments.rules import (
    DEFAULTS,
    FIELDS,
    GRID,
    CapacityBy,
    DayChoice,
    Effective,
    Level,
    Rule,
    Target,
    Where,
    applies,
    pool_of,
    resolve,
    rule_faults,
)
from console.modules.calendar.api import DayKind
from qingting.contract.calendar import Period
from qingting.contract.errors import Refusal

MONDAY = date(2026, 11, 23)
HERE = Where(
    divisions=("230600000000", "230602000000"),
    department="gaj",
    hall="saertu",
    item="id-renew",
    code="11230602",
)
TARGETS = (
    Target(),
    Target(division="230600000000"),
    Target(division="230602000000"),
    Target(department="gaj"),
    Target(hall="saertu"),
    Target(hall="saertu", department="gaj"),
    Target(item="11230602"),
    Target(hall="saertu", item="id-renew"),
)
"""From the least to the most specific."""
ELSEWHERE = (
    Target(division="230603000000"),
    Target(department="rsj"),
    Target(hall="longfeng"),
    Target(hall="saertu", department="rsj"),
    Target(item="id-renew"),
    Target(hall="saertu", item="11230602"),
    Target(hall="longfeng", item="id-renew"),
)
CITIZEN = Asker(citizen="c", level=Level.FACE, channel=Channel.WEB, by="c")
numbers = st.integers(0, 20)
said = st.lists(
    st.tuples(
        st.sampled_from((*TARGETS, *ELSEWHERE)),
        st.builds(
            Rule,
            capacity=st.none() | numbers,
            horizon_days=st.none() | numbers,
            per_day=st.none() | numbers,
        ),
    ),
    unique_by=lambda one: one[0].key,
)


class TestInheritance:
    @given(said)
    def test_each_field_comes_from_the_most_specific_target_that_says_it(
        self, rules: list[tuple[Target, Rule]]
    ) -> None:
        found = resolve(rules, HERE)
        for field in ("capacity", "horizon_days", "per_day"):
            mine = {one.key: getattr(one_rule, field) for one, one_rule in rules}
            expected, source = getattr(DEFAULTS, field), None
            for target in TARGETS:
                if mine.get(target.key) is not None:
                    expected, source = mine[target.key], target
            assert (getattr(found.rule, field), found.source(field)) == (expected, source)

    def test_targets_grow_in_rank_and_only_these_apply(self) -> None:
        assert sorted(TARGETS, key=lambda one: one.rank) == list(TARGETS)
        assert all(applies(one, HERE) for one in TARGETS)
        assert not any(applies(one, HERE) for one in ELSEWHERE)

    @pytest.mark.parametrize("target", [*TARGETS, *ELSEWHERE])
    def test_a_target_is_found_again_by_its_key(self, target: Target) -> None:
        assert target.sound()
        assert Target.of(target.key) == target

    @pytest.mark.parametrize("key", ["", "hall:", "hall:a/hall:b", "moon:1", "item:x/hall:y", "division:1/hall:x", "department:a/item:b"])  # fmt: skip
    def test_what_is_no_key_is_no_target(self, key: str) -> None:
        assert Target.of(key) is None

    def test_everything_that_can_be_said_has_a_value_without_being_said(self) -> None:
        assert set(Effective.__dataclass_fields__) == set(FIELDS) >= GRID

    @pytest.mark.parametrize(
        ("target", "pool"),
        [
            (TARGETS[0], "queue:ga"),
            (TARGETS[2], "queue:ga"),
            (TARGETS[4], "queue:ga"),
            (TARGETS[3], "queue:ga@gaj"),
            (TARGETS[5], "queue:ga@gaj"),
            (TARGETS[6], "item:id-renew"),
            (TARGETS[7], "item:id-renew"),
        ],
    )
    def test_who_says_how_many_places_there_are_has_places_of_its_own(
        self, target: Target, pool: str
    ) -> None:
        for rule_said, expected in ((Rule(capacity=3), pool), (Rule(horizon_days=3), "queue:ga")):
            found = resolve([(target, rule_said)], HERE)
            assert pool_of(found, queue="ga", department="gaj", item="id-renew") == expected

    @pytest.mark.parametrize(
        ("broken", "field"),
        [
            (Rule(periods=(Period(start="10:00", end="09:00"),)), "periods"),
            (Rule(periods=(Period(start="09:00", end="11:00"), Period(start="10:00", end="12:00"))), "periods"),
            (Rule(reoffer_from=60), "reoffer_to"),
            (Rule(closed_dates=(MONDAY,), open_dates=(MONDAY,)), "open_dates"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_named_by_its_field(self, broken: Rule, field: str) -> None:
        assert [one for one, _ in rule_faults(broken)] == [field]


class TestDays:
    @pytest.mark.parametrize(
        ("facts", "change", "why"),
        [
            ({}, {}, ""),
            ({"day": MONDAY - timedelta(days=1)}, {}, "past"),
            ({"day": MONDAY + timedelta(days=15)}, {}, "too_far"),
            ({"hours": ()}, {}, "hall_closed"),
            ({"hours": ()}, {"open_dates": (MONDAY,)}, "hall_closed"),
            ({"special": DayKind.REST}, {}, "rest_day"),
            ({"workday": False}, {}, "rest_day"),
            ({"workday": False}, {"days": DayChoice.OPEN_DAYS}, ""),
            ({"workday": False}, {"open_dates": (MONDAY,)}, ""),
            ({}, {"closed_dates": (MONDAY,)}, "closed_date"),
            ({"weekday": 3}, {"weekdays": (1, 2)}, "weekday"),
        ],
    )
    def test_a_day_without_places_says_why(
        self, facts: Mapping[str, object], change: Mapping[str, object], why: str
    ) -> None:
        day = replace(p.DayFacts(day=MONDAY, hours=None), **facts)
        assert p.closed_why(day, replace(DEFAULTS, **change), MONDAY) == why

    def test_periods_lie_within_the_halls_hours_and_leave_out_the_break(self) -> None:
        hours = (Period(start="08:30", end="11:45"), Period(start="13:30", end="14:10"))
        rule = replace(DEFAULTS, minutes=30, per_window=1.5, kept=1)
        slots = p.grid(rule, hours, windows=3)
        starts = [p.clock(one.start) for one in slots]
        assert starts == ["08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "13:30"]
        assert {(one.public, one.total) for one in slots} == {(3, 4)}
        own = replace(rule, periods=(Period(start="11:00", end="14:00"),))
        assert [p.clock(one.start) for one in p.grid(own, hours, 3)] == ["11:00", "13:30"]

    def test_a_fixed_number_does_not_look_at_windows(self) -> None:
        rule = replace(DEFAULTS, capacity_by=CapacityBy.NUMBER, capacity=7)
        assert p.places_in_all(rule, 0) == 7
        assert p.places_in_all(DEFAULTS, 0) == 0

    def test_what_staff_took_uses_up_the_places_kept_for_them_first(self) -> None:
        slot = p.Slot(540, 570, public=3, total=5)
        assert p.free_of(slot, p.Taken(2, by_staff=2)) == 3
        assert p.free_of(slot, p.Taken(3, by_staff=3)) == 2
        assert p.free_of(slot, p.Taken(3, by_staff=0)) == 0

    def test_an_instant_is_that_of_the_halls_clock(self) -> None:
        at = p.instant(MONDAY, 540, 480)
        assert (at, day_of(at, 480)) == (1_795_395_600_000, MONDAY)


class Seats(RuleBasedStateMachine):
    """Whatever is held, booked, given back or let lapse: never more people than places, never two on one."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.most, self.most_ever = 0, 4, 4
        self.seats: dict[int, int] = {}
        self.holders: dict[int, int] = {}
        self.next = 0

    def _take(self, until: int) -> None:
        seat = p.free_seat(self.seats, self.most, self.now)
        if seat is None:
            assert sum(one > self.now for one in self.seats.values()) >= self.most
            return
        assert self.seats.get(seat, 0) <= self.now, "nobody has it"
        self.seats[seat], self.holders[seat] = until, self.next
        self.next += 1
        assert sum(one > self.now for one in self.seats.values()) <= self.most

    @rule(minutes=st.integers(1, 30))
    def hold(self, minutes: int) -> None:
        self._take(self.now + minutes)

    @rule()
    def book(self) -> None:
        self._take(p.FOREVER)

    @rule(which=st.integers(1, 6), drawn=st.floats(0, 1))
    def give_back(self, which: int, drawn: float) -> None:
        if self.seats.get(which, 0) > self.now:
            again = p.reoffer_at(self.now, DEFAULTS, drawn)
            self.seats[which] = again
            assert p.free_seat(self.seats, self.most, again - 1) != which, "not before its delay"

    @rule(minutes=st.integers(1, 60))
    def wait(self, minutes: int) -> None:
        self.now += minutes * p.MINUTE_MS

    @rule(most=st.integers(0, 5))
    def other_rule(self, most: int) -> None:
        self.most, self.most_ever = most, max(self.most_ever, most)

    @invariant()
    def never_more_than_there_ever_were(self) -> None:
        assert sum(one > self.now for one in self.seats.values()) <= self.most_ever
        assert all(1 <= one <= self.most_ever for one in self.seats)


TestSeats = Seats.TestCase


class TestReoffer:
    @given(st.floats(0, 1), st.integers(0, 120), st.integers(0, 120))
    def test_a_place_given_back_waits_within_the_range(
        self, drawn: float, first: int, last: int
    ) -> None:
        rule = replace(DEFAULTS, reoffer_from=first, reoffer_to=last)
        delay = p.reoffer_at(1000, rule, drawn) - 1000
        assert min(first, last) * p.MINUTE_MS <= delay <= max(first, last) * p.MINUTE_MS


class TestCitizens:
    @pytest.mark.parametrize(
        ("record", "code"),
        [
            (Record(same_item=1), "appointments.same_item"),
            (Record(on_day=2), "appointments.per_day"),
            (Record(open=5), "appointments.open_at_once"),
            (Record(cancelled_today=3), "appointments.cancelled_often"),
            (Record(banned_until=2 * DAY_MS), "appointments.banned"),
            (Record(listed=Listed(kind="black", reason="x", until=0)), "appointments.blacklisted"),
        ],
    )
    def test_what_stands_against_somebody_is_said(self, record: Record, code: str) -> None:
        with pytest.raises(Refusal) as refused:
            check_citizen(CITIZEN, record, DEFAULTS, Level.BASIC, now=1)
        assert refused.value.code == code
        white = replace(record, listed=record.listed or Listed(kind="white", reason="", until=0))
        if record.listed is None:
            check_citizen(CITIZEN, white, DEFAULTS, Level.BASIC, now=1)

    def test_limits_of_nought_are_none(self) -> None:
        free = replace(DEFAULTS, same_item=0, per_day=0, open_at_once=0, cancels_per_day=0)
        many = Record(open=99, on_day=99, same_item=99, cancelled_today=99)
        check_citizen(CITIZEN, many, free, Level.BASIC, now=1)

    def test_staff_are_not_bound_by_limits_but_by_punishments(self) -> None:
        staff = replace(CITIZEN, staff=True, level=Level.BASIC)
        check_citizen(staff, Record(open=9, on_day=9, same_item=9), DEFAULTS, Level.FACE, now=1)
        with pytest.raises(Refusal, match="banned"):
            check_citizen(staff, Record(banned_until=DAY_MS), DEFAULTS, Level.BASIC, now=1)

    @pytest.mark.parametrize("needed", list(Level))
    @pytest.mark.parametrize("level", list(Level))
    def test_who_is_not_known_surely_enough_is_told_what_to_show(
        self, level: Level, needed: Level
    ) -> None:
        who = replace(CITIZEN, level=level)
        if tuple(Level).index(level) >= tuple(Level).index(needed):
            check_citizen(who, Record(), DEFAULTS, needed, now=1)
        else:
            with pytest.raises(Refusal, match=f"needs_{needed}"):
                check_citizen(who, Record(), DEFAULTS, needed, now=1)

    def test_cancelling_ends_with_its_limit(self) -> None:
        start = 10 * DAY_MS
        check_change(Life.BOOKED, start, DEFAULTS, start - 60 * p.MINUTE_MS)
        with pytest.raises(Refusal, match="too_late"):
            check_change(Life.BOOKED, start, DEFAULTS, start - 60 * p.MINUTE_MS + 1)
        with pytest.raises(Refusal, match="over"):
            check_change(Life.ARRIVED, start, DEFAULTS, 0)

    @pytest.mark.parametrize(("reason", "words"), [("bored", ""), ("other", ""), ("no_time", "x" * 151)])  # fmt: skip
    def test_a_reason_is_one_of_those_given_and_other_says_which(self, reason: str, words: str) -> None:  # fmt: skip
        check_reason("other", "下雪")
        with pytest.raises(Refusal, match="reason"):
            check_reason(reason, words)


class TestPunishment:
    @given(st.lists(st.integers(0, 200), max_size=8), st.integers(0, 200))
    def test_it_comes_with_enough_breaches_within_the_days_and_never_twice_for_one(
        self, days: list[int], since: int
    ) -> None:
        now = 200 * DAY_MS
        counted = [one for one in days if one > since and one > 200 - DEFAULTS.breach_days]
        until = punishment([one * DAY_MS for one in days], since * DAY_MS, DEFAULTS, now)
        expected = now + DEFAULTS.ban_days * DAY_MS if len(counted) >= DEFAULTS.breaches else 0
        assert until == expected
        assert punishment([one * DAY_MS for one in days], now, DEFAULTS, now) == 0

    def test_without_a_number_nobody_is_punished(self) -> None:
        assert punishment([5, 6, 7], 0, replace(DEFAULTS, breaches=0), 8) == 0
        assert punishment([5, 6, 7], 0, replace(DEFAULTS, ban_days=0), 8) == 0


class TestLife:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (Life.BOOKED, Life.ARRIVED), (Life.ARRIVED, Life.SERVED), (Life.BOOKED, Life.MISSED), (Life.LEFT, Life.SERVED),
            (Life.CANCELLED, Life.ARRIVED),
        ],
    )  # fmt: skip
    def test_what_happens_in_a_hall_moves_it_on(self, before: Life, after: Life) -> None:
        assert may_follow(before, after)

    def test_nothing_comes_after_an_end_and_nobody_misses_what_was_cancelled(self) -> None:
        assert not any(may_follow(one, two) for one in (Life.SERVED, Life.MISSED) for two in Life)
        assert not may_follow(Life.CANCELLED, Life.MISSED)
        assert not may_follow(Life.ARRIVED, Life.CANCELLED)

    def test_the_next_reminder_is_the_earliest_still_to_come(self) -> None:
        start = 2 * DAY_MS
        assert next_reminder(start, (1440, 120), 0) == DAY_MS
        assert next_reminder(start, (1440, 120), DAY_MS) == start - 120 * p.MINUTE_MS
        assert next_reminder(start, (1440, 120), start - 1) is None
