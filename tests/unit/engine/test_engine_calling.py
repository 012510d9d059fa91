"""Who is next at a window and why: each step of the calling rules, alone and against the others."""

import pytest
from engine_builders import (
    CARE,
    HEALTH,
    LI,
    POLICE,
    RENEW,
    W1,
    W2,
    W3,
    WANG,
    EngineRun,
    changed,
    hall_with,
    refused,
    rules,
    small_hall,
)
from msgspec.structs import replace

from qingting.contract import commands as c
from qingting.contract import rules as r
from qingting.contract.calendar import Period
from qingting.contract.config import WindowOrder
from qingting.contract.config_parts import RulesPart
from qingting.contract.ids import WindowId


def opened(*windows: WindowId, **fields: object) -> EngineRun:
    """The small hall with clerks at these windows; at the first when none is named."""
    run = hall_with(**fields)
    for window, staff in zip(windows or (W1,), (LI, WANG), strict=False):
        run.open(window, staff)
    return run


class TestScore:
    def test_weight_counts_as_minutes_that_were_not_waited(self) -> None:
        run = opened()
        ordinary = run.issue()
        elderly = run.issue(priority="elderly", after=19 * 60_000)
        called = run.call()
        assert (called.ticket, called.reason) == (elderly, "priority")
        assert called.why == {"class": "老年人", "class_en": "Elderly", "minutes": 0}
        run.do(c.MarkNoShow(window=W1))
        assert run.call().ticket == ordinary

    def test_who_waited_longer_than_the_weight_is_worth_goes_first(self) -> None:
        run = opened()
        ordinary = run.issue()
        run.issue(priority="elderly", after=21 * 60_000)
        called = run.call()
        assert (called.ticket, called.reason, called.why) == (
            ordinary,
            "longest_waiting",
            {"minutes": 21},
        )

    def test_a_class_that_ages_faster_overtakes(self) -> None:
        classes = (
            r.PriorityClass(id="ordinary", name="普通", name_en="Ordinary", ageing=3),
            r.PriorityClass(id="booked", name="预约", name_en="Booked"),
            r.PriorityClass(id="slow", name="慢", name_en="Slow", weight=30, ageing=1),
        )
        run = opened(rules=rules(classes=classes))
        slow, fast = run.issue(priority="slow"), run.issue(after=0)
        run.wait(14)
        assert run.call().ticket == slow
        run.do(c.HandBack(window=W1))
        run.wait(2)
        assert run.call().ticket == fast

    def test_alone_is_said_as_alone(self) -> None:
        run = opened()
        run.issue()
        assert run.call().reason == "only_one"

    def test_within_a_class_the_order_of_arrival_holds_over_all_queues(self) -> None:
        run = opened(W3)
        tickets = [run.issue(item) for item in (RENEW, CARE, CARE, RENEW)]
        assert run.calls(4, W3) == tickets

    def test_a_class_that_the_rules_lost_counts_as_ordinary(self) -> None:
        run = opened(rules=rules(priority_in_a_row=1))
        first = run.issue(priority="soldier")
        second = run.issue(after=0)
        without = tuple(one for one in rules().classes if one.id != "soldier")
        run.do(c.EditConfig(base=1, part=RulesPart(rules=rules(classes=without))))
        called = run.call()
        assert (called.ticket, called.reason) == (first, "longest_waiting")
        assert run.state.windows[W1].recent == ["ordinary"]
        run.do(c.MarkNoShow(window=W1))
        assert run.call().ticket == second


class TestListedQueues:
    def test_a_preferred_queue_goes_first_whoever_waits_elsewhere(self) -> None:
        run = opened(W3, **changed(small_hall(), "windows", W3, order=WindowOrder.LISTED))
        health = run.issue(CARE, priority="soldier")
        police = run.issue(RENEW, after=60_000)
        called = run.call(W3)
        assert (called.ticket, called.reason) == (police, "preferred_queue")
        run.do(c.MarkNoShow(window=W3))
        assert run.call(W3).ticket == health

    def test_the_longest_wait_breaks_the_preference(self) -> None:
        run = opened(
            W3,
            rules=rules(max_delay_minutes=30),
            **changed(small_hall(), "windows", W3, order=WindowOrder.LISTED),
        )
        health = run.issue(CARE)
        run.wait(30)
        run.issue(RENEW)
        called = run.call(W3)
        assert (called.ticket, called.reason, called.why) == (health, "max_delay", {"minutes": 30})


class TestLongestWait:
    def test_at_the_bound_nobody_with_a_later_place_is_called(self) -> None:
        run = opened(rules=rules(max_delay_minutes=40))
        ordinary = run.issue()
        run.issue(priority="soldier", after=25 * 60_000)
        run.wait(15)
        called = run.call(after=0)
        assert (called.ticket, called.reason, called.why) == (
            ordinary,
            "max_delay",
            {"minutes": 40},
        )

    def test_a_millisecond_earlier_the_score_decides(self) -> None:
        run = opened(rules=rules(max_delay_minutes=40))
        run.issue()
        soldier = run.issue(priority="soldier", after=25 * 60_000)
        called = run.call(after=15 * 60_000 - 1)
        assert (called.ticket, called.reason) == (soldier, "priority")

    def test_no_bound_means_no_bound(self) -> None:
        run = opened(rules=rules(max_delay_minutes=0))
        run.issue()
        run.wait(200)
        soldier = run.issue(priority="soldier")
        run.wait(1)
        classes = tuple(
            replace(one, weight=500) if one.id == "soldier" else one for one in rules().classes
        )
        run.do(c.EditConfig(base=1, part=RulesPart(rules=rules(classes=classes))))
        assert run.call().ticket == soldier

    def test_any_window_of_the_queue_helps_somebody_stuck_at_another_window(self) -> None:
        run = opened(W1, W3, rules=rules(max_delay_minutes=30))
        stuck = run.issue()
        run.call(W1)
        run.do(c.TransferVisit(window=W1, to_window=W3))
        run.do(c.PauseWindow(window=W3))
        run.issue()
        run.wait(31)
        called = run.call(W1)
        assert (called.ticket, called.reason) == (stuck, "max_delay")


class TestCapOnPriority:
    @pytest.mark.parametrize("cap", [1, 3])
    def test_after_so_many_in_a_row_an_ordinary_visitor_is_called(self, cap: int) -> None:
        run = opened(rules=rules(priority_in_a_row=cap))
        soldiers = [run.issue(priority="soldier") for _ in range(cap + 2)]
        ordinary = run.issue()
        assert run.calls(cap) == soldiers[:cap]
        called = run.call()
        assert (called.ticket, called.reason, called.why) == (
            ordinary,
            "priority_cap",
            {"calls": cap},
        )

    def test_without_ordinary_visitors_the_cap_keeps_nobody_waiting(self) -> None:
        run = opened(rules=rules(priority_in_a_row=1))
        soldiers = [run.issue(priority="soldier") for _ in range(3)]
        assert run.calls(3) == soldiers

    def test_the_next_item_of_the_same_visitor_is_no_further_call(self) -> None:
        run = opened(W3, rules=rules(priority_in_a_row=2))
        first = run.issue(priority="soldier", more=(RENEW,), waiver="证件遗失")
        second = run.issue(priority="soldier")
        run.issue()
        assert run.call(W3).ticket == first
        run.do(c.BeginService(window=W3))
        run.do(c.FinishService(window=W3, stay=True))
        run.do(c.FinishService(window=W3))
        assert run.call(W3).ticket == second


class TestRatio:
    @pytest.mark.parametrize(
        ("a", "b", "wanted"),
        [(1, 1, "OSOSOS"), (2, 1, "OOSOOS"), (1, 2, "OSSOSS"), (3, 2, "OOOSSOOO")],
    )
    def test_calls_alternate_as_the_ratio_says(self, a: int, b: int, wanted: str) -> None:
        ratio = r.Ratio(first="ordinary", second="soldier", a=a, b=b)
        run = opened(rules=rules(ratios=(ratio,)))
        for _ in wanted:
            run.issue(), run.issue(priority="soldier")
        called = "".join(
            "S" if run.ticket(one).priority == "soldier" else "O" for one in run.calls(len(wanted))
        )
        assert called == wanted

    def test_nine_to_nine_is_nine_to_nine_among_calls_of_others(self) -> None:
        ratio = r.Ratio(first="ordinary", second="soldier", a=9, b=9)
        first = r.CallCondition(
            name="老人隔一",
            when=(r.CalledFewer(classes=("elderly",), than=1, of=1),),
            classes=("elderly",),
        )
        run = opened(rules=rules(ratios=(ratio,), conditions=(first,)))
        for _ in range(18):
            run.issue(), run.issue(priority="soldier"), run.issue(priority="elderly")
        called = [run.ticket(one).priority for one in run.calls(36)]
        assert called[::2] == ["elderly"] * 18
        assert called[1::2] == ["ordinary"] * 9 + ["soldier"] * 9

    def test_a_ratio_rests_while_one_side_is_empty(self) -> None:
        ratio = r.Ratio(first="ordinary", second="soldier", a=1, b=1)
        run = opened(rules=rules(ratios=(ratio,)))
        tickets = [run.issue() for _ in range(3)]
        assert run.calls(3) == tickets

    def test_the_reason_names_the_ratio(self) -> None:
        ratio = r.Ratio(first="ordinary", second="soldier", a=2, b=1)
        run = opened(rules=rules(ratios=(ratio,)))
        run.issue(), run.issue(priority="soldier")
        called = run.call()
        assert (called.reason, called.why) == ("ratio", {"a": 2, "b": 1})


class TestConditions:
    def condition(self, *tests: r.RuleTest, **more: object) -> r.CallingRules:
        fields: dict[str, object] = {
            "name": "医保先",
            "name_en": "Health first",
            "queues": (HEALTH,),
        }
        one = r.CallCondition(when=tests, **{**fields, **more})  # type: ignore[arg-type]
        return rules(conditions=(one,))

    def test_all_its_tests_must_hold_and_its_name_is_the_reason(self) -> None:
        both = self.condition(
            r.LineAtLeast(people=2, queues=(HEALTH,)), r.WaitingOver(minutes=5, queues=(HEALTH,))
        )
        run = opened(W3, rules=both)
        police = run.issue(RENEW)
        health = run.issue(CARE)
        run.wait(6)
        assert run.call(W3).ticket == police
        run.do(c.HandBack(window=W3))
        run.issue(CARE)
        called = run.call(W3)
        assert (called.ticket, called.reason) == (health, "condition")
        assert called.why == {"name": "医保先", "name_en": "Health first"}

    @pytest.mark.parametrize(("minutes", "holds"), [(4, False), (5, True)])
    def test_waiting_over_holds_from_its_minute_on(self, minutes: int, holds: bool) -> None:
        run = opened(W3, rules=self.condition(r.WaitingOver(minutes=5, queues=(HEALTH,))))
        run.issue(RENEW)
        run.issue(CARE, after=0)
        assert (run.call(W3, after=minutes * 60_000).reason == "condition") is holds

    def test_a_named_queue_is_looked_at_even_if_the_window_does_not_serve_it(self) -> None:
        relief = self.condition(r.LineAtLeast(people=2, queues=(POLICE,)))
        run = opened(W1, rules=relief)
        run.issue(CARE)
        assert run.call().reason == "only_one"
        run.do(c.HandBack(window=W1))
        run.issue(RENEW), run.issue(RENEW)
        assert run.call().reason == "condition"

    def test_line_at_least_counts_the_classes_it_names(self) -> None:
        run = opened(rules=self.condition(r.LineAtLeast(people=2, classes=("elderly",))))
        run.issue(), run.issue(), run.issue(priority="elderly")
        assert run.call().reason != "condition"
        run.do(c.HandBack(window=W1))
        run.issue(priority="elderly")
        assert run.call().reason == "condition"

    def test_called_fewer_looks_back_over_the_calls_of_the_window(self) -> None:
        test = r.CalledFewer(classes=("elderly",), than=1, of=3)
        classes = tuple(replace(one, weight=0) for one in rules().classes)
        one_in_three = self.condition(test, queues=(), classes=("elderly",))
        run = opened(rules=replace(one_in_three, classes=classes))
        for _ in range(5):
            run.issue()
        for _ in range(3):
            run.issue(priority="elderly")
        called = "".join(run.ticket(one).priority[0] for one in run.calls(8))
        assert called == "eoooeooe"

    @pytest.mark.parametrize(
        ("start", "end", "holds"),
        [("09:00", "10:00", True), ("08:00", "09:00", False), ("09:01", "10:00", False)],
    )
    def test_between_is_the_clock_of_the_hall(self, start: str, end: str, holds: bool) -> None:
        run = opened(rules=self.condition(r.Between(period=Period(start=start, end=end))))
        run.issue()
        assert (run.call().reason == "condition") is holds

    def test_the_first_condition_that_holds_decides(self) -> None:
        first = r.CallCondition(name="一", when=(), queues=(HEALTH,))
        second = r.CallCondition(name="二", when=(), queues=(POLICE,))
        run = opened(W3, rules=rules(conditions=(first, second)))
        police, health = run.issue(RENEW), run.issue(CARE)
        assert run.call(W3).ticket == health
        run.do(c.MarkNoShow(window=W3))
        called = run.call(W3)
        assert (called.ticket, called.why["name"]) == (police, "二")


class TestOrderOfSteps:
    def test_who_was_sent_here_goes_before_who_waits_beyond_the_bound(self) -> None:
        run = opened(W1, W3, rules=rules(max_delay_minutes=10))
        late = run.issue()
        run.wait(11)
        run.issue(RENEW)
        assert run.call(W3).ticket == late  # beyond the bound
        run.do(c.TransferVisit(window=W3, to_window=W1))
        other = run.issue()
        run.wait(12)
        called = run.call(W1)
        assert (called.ticket, called.reason) == (late, "sent")
        assert run.ticket(other).state == "waiting"

    def test_the_bound_goes_before_conditions_cap_and_ratio(self) -> None:
        everything = rules(
            max_delay_minutes=10,
            priority_in_a_row=1,
            ratios=(r.Ratio(first="soldier", second="ordinary", a=1, b=1),),
            conditions=(r.CallCondition(name="军人", when=(), classes=("soldier",)),),
        )
        run = opened(rules=everything)
        late = run.issue(priority="elderly")
        run.wait(11)
        run.issue(priority="soldier"), run.issue()
        assert run.call().ticket == late

    def test_a_condition_goes_before_the_cap(self) -> None:
        run = opened(
            rules=rules(
                priority_in_a_row=1,
                conditions=(r.CallCondition(name="军人", when=(), classes=("soldier",)),),
            )
        )
        first, second = (run.issue(priority="soldier") for _ in range(2))
        run.issue()
        assert run.calls(2) == [first, second]

    def test_the_cap_goes_before_the_ratio(self) -> None:
        run = opened(
            rules=rules(
                priority_in_a_row=1,
                ratios=(r.Ratio(first="soldier", second="elderly", a=3, b=1),),
            )
        )
        run.issue(priority="soldier"), run.issue(priority="soldier")
        run.issue(priority="elderly")
        ordinary = run.issue()
        assert run.call().reason == "ratio"
        run.do(c.MarkNoShow(window=W1))
        called = run.call()
        assert (called.ticket, called.reason) == (ordinary, "priority_cap")


def test_two_windows_that_press_at_once_get_two_people() -> None:
    run = opened(W1, W3)
    run.issue(), run.issue()
    assert run.call(W1, after=0).ticket != run.call(W3, after=0).ticket


def test_a_window_calls_nobody_of_a_queue_that_it_does_not_serve() -> None:
    run = opened(W2)
    run.issue(CARE)
    refused(run, c.CallNext(window=W2), "call.nobody_waiting")
