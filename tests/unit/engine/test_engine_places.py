"""Where somebody stands who comes again: second chances, parking, transfer, handing back, the way back."""

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
    hall_with,
    refused,
    rules,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hallserver.engine.lines import ahead
from hallserver.engine.timers import parks_over
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config_parts import RulesPart
from qingting.contract.ids import ItemId, StaffId, TicketId
from qingting.contract.rules import Place, PriorityClass, Returning
from qingting.contract.states import TicketState


@pytest.fixture
def run() -> EngineRun:
    """Clerks at windows 1 (health) and 3 (police, health)."""
    run = hall_with()
    run.open(W1, LI), run.open(W3, WANG)
    return run


def missed(run: EngineRun) -> TicketId:
    ticket = run.issue()
    run.call()
    run.do(c.MarkNoShow(window=W1))
    return ticket


class TestSecondChance:
    def test_who_was_missed_stands_behind_the_next_so_many(self, run: EngineRun) -> None:
        back = missed(run)
        others = [run.issue() for _ in range(5)]
        run.do(c.ReturnTicket(ticket=back))
        assert run.calls(6) == [*others[:3], back, *others[3:]]

    def test_people_of_higher_classes_count_among_them(self, run: EngineRun) -> None:
        back = missed(run)
        first, soldier, last = run.issue(), run.issue(priority="soldier"), run.issue()
        run.issue()
        run.do(c.ReturnTicket(ticket=back))
        assert run.calls(4) == [soldier, first, last, back]

    def test_behind_all_when_fewer_wait(self, run: EngineRun) -> None:
        back = missed(run)
        other = run.issue()
        run.do(c.ReturnTicket(ticket=back))
        later = run.issue()
        assert run.calls(3) == [other, back, later]

    def test_behind_nobody_is_the_old_place(self) -> None:
        run = hall_with(rules=rules(returning=Returning(after_people=0)))
        run.open()
        back, other = missed(run), run.issue()
        run.do(c.ReturnTicket(ticket=back))
        assert run.calls(2) == [back, other]

    def test_never_a_better_place_than_before(self, run: EngineRun) -> None:
        run.issue(RENEW)
        back = missed(run)
        place = run.ticket(back).place_at
        run.do(c.ReturnTicket(ticket=back))
        assert run.ticket(back).place_at >= place

    def test_too_late_is_too_late_to_the_millisecond(self, run: EngineRun) -> None:
        back = missed(run)
        command = c.ReturnTicket(ticket=back)
        refusal = refused(run, command, "ticket.no_second_chance", after=60 * 60_000 + 1)
        assert refusal.params == {"number": "A001", "chances": 1, "minutes": 60}
        run.now -= 1 + 1000
        run.do(command)

    def test_one_chance_is_one_chance(self, run: EngineRun) -> None:
        back = missed(run)
        run.do(c.ReturnTicket(ticket=back))
        run.call()
        run.do(c.MarkNoShow(window=W1))
        refused(run, c.ReturnTicket(ticket=back), "ticket.no_second_chance")

    def test_staff_may_give_another(self, run: EngineRun) -> None:
        back = missed(run)
        run.wait(200)
        run.do(c.ReturnTicket(ticket=back, by_staff=True))
        assert run.call().ticket == back

    def test_no_chances_where_the_rules_give_none(self) -> None:
        run = hall_with(rules=rules(returning=Returning(second_chances=0)))
        run.open()
        refused(run, c.ReturnTicket(ticket=missed(run)), "ticket.no_second_chance")

    def test_the_window_that_missed_them_may_take_them_at_once(self, run: EngineRun) -> None:
        back = missed(run)
        run.issue()
        assert run.do(c.ResumeVisit(window=W1, ticket=back)) == [
            e.TicketCalled(ticket=back, window=W1, staff=LI, reason="resumed")
        ]

    def test_another_window_may_not(self, run: EngineRun) -> None:
        refused(run, c.ResumeVisit(window=W3, ticket=missed(run)), "ticket.not_away")

    def test_who_waits_is_not_away(self, run: EngineRun) -> None:
        refused(run, c.ReturnTicket(ticket=run.issue()), "ticket.not_away")


class TestParking:
    def parked(self, run: EngineRun, minutes: int | None = 10, *, mine: bool = True) -> TicketId:
        ticket = run.issue()
        run.call()
        run.do(c.BeginService(window=W1))
        run.do(c.ParkVisit(window=W1, reason="复印", minutes=minutes, mine=mine))
        return ticket

    def test_the_window_is_free_and_the_visitor_away(self, run: EngineRun) -> None:
        ticket = self.parked(run)
        assert run.ticket(ticket).state is TicketState.PARKED
        assert run.state.windows[W1].ticket is None
        assert run.state.parked == [ticket]

    def test_they_return_by_the_clock_and_not_before(self, run: EngineRun) -> None:
        ticket = self.parked(run, 10)
        until = run.ticket(ticket).park_until
        assert until is not None
        assert parks_over(run.state, until - 1) == []
        (command,) = parks_over(run.state, until)
        run.now = until
        (returned,) = run.do(command, after=0)
        assert isinstance(returned, e.TicketReturned)
        assert (returned.cause, returned.placing.line) == ("park_over", "@w:w1")

    def test_without_a_time_the_clock_never_returns_them(self, run: EngineRun) -> None:
        self.parked(run, None)
        assert parks_over(run.state, run.now + 10**9) == []

    def test_mine_comes_back_to_this_window_before_anybody_else(self, run: EngineRun) -> None:
        ticket = self.parked(run)
        run.issue(priority="soldier")
        run.do(c.ReturnTicket(ticket=ticket))
        called = run.call(W1)
        assert (called.ticket, called.reason) == (ticket, "returned")

    def test_not_mine_comes_back_to_the_queue_at_the_old_place(self, run: EngineRun) -> None:
        ticket = self.parked(run, mine=False)
        run.issue()
        run.do(c.ReturnTicket(ticket=ticket))
        assert run.ticket(ticket).line == HEALTH
        assert run.call(W3).ticket == ticket

    def test_a_window_that_closed_meanwhile_gives_them_to_the_queue(self, run: EngineRun) -> None:
        ticket = self.parked(run)
        run.do(c.CloseWindow(window=W1))
        run.do(c.ReturnTicket(ticket=ticket))
        assert run.call(W3).ticket == ticket

    @pytest.mark.parametrize(("place", "ahead_then"), [(Place.KEPT, 0), (Place.LAST, 2)])
    def test_the_rules_say_where_they_enter(self, place: Place, ahead_then: int) -> None:
        run = hall_with(rules=rules(returning=Returning(parked=place)))
        run.open()
        ticket = self.parked(run, mine=False)
        run.issue(), run.issue()
        run.do(c.ReturnTicket(ticket=ticket))
        assert ahead(run.state, run.ticket(ticket), run.now) == ahead_then

    def test_resumed_at_once_nobody_is_announced(self, run: EngineRun) -> None:
        ticket = self.parked(run)
        before = run.state.call_no
        run.do(c.ResumeVisit(window=W1, ticket=ticket))
        assert run.state.call_no == before
        assert run.state.windows[W1].ticket == ticket

    def test_somebody_away_may_leave_for_good(self, run: EngineRun) -> None:
        ticket = self.parked(run)
        run.do(c.LeaveQueue(ticket=ticket))
        assert run.state.parked == []
        refused(run, c.ReturnTicket(ticket=ticket), "ticket.not_away")


class TestTransfer:
    def sent(self, run: EngineRun, *, priority: str = "ordinary", **goal: object) -> TicketId:
        ticket = run.issue(priority=priority)
        run.call()
        run.do(c.TransferVisit(window=W1, **goal))  # type: ignore[arg-type]
        return ticket

    def test_the_number_stays(self, run: EngineRun) -> None:
        ticket = self.sent(run, to_queue=POLICE, note="先照相")
        assert (run.ticket(ticket).number, run.ticket(ticket).queue) == ("A001", POLICE)
        assert run.ticket(ticket).note == "先照相"

    def test_kept_stands_by_the_time_waited(self, run: EngineRun) -> None:
        ticket = run.issue()
        later = run.issue(RENEW)
        run.call()
        run.do(c.TransferVisit(window=W1, to_queue=POLICE))
        assert run.calls(2, W3) == [ticket, later]

    def test_last_stands_behind_all(self, run: EngineRun) -> None:
        ticket = run.issue()
        later = run.issue(RENEW)
        run.call()
        run.do(c.TransferVisit(window=W1, to_queue=POLICE, place=Place.LAST))
        assert run.calls(2, W3) == [later, ticket]

    def test_first_stands_before_all_of_every_class(self, run: EngineRun) -> None:
        run.issue(RENEW, priority="soldier"), run.issue(RENEW)
        ticket = run.issue()
        run.call()
        run.do(c.TransferVisit(window=W1, to_queue=POLICE, place=Place.FIRST))
        assert ahead(run.state, run.ticket(ticket), run.now) == 0
        assert run.call(W3).ticket == ticket

    def test_first_is_first_against_a_class_that_hardly_ages(self) -> None:
        classes = (
            PriorityClass(id="ordinary", name="普通", name_en="Ordinary", ageing=0.01),
            PriorityClass(id="booked", name="预约", name_en="Booked"),
            PriorityClass(id="top", name="首", name_en="Top", weight=10_000, ageing=100),
        )
        run = hall_with(rules=rules(classes=classes))
        run.open(W1, LI), run.open(W3, WANG)
        ticket = run.issue()
        run.call()
        run.issue(RENEW, priority="top")
        run.wait(600)
        run.do(c.TransferVisit(window=W1, to_queue=POLICE, place=Place.FIRST))
        assert run.ticket(ticket).place_at >= 0
        called = run.call(W3, after=0)
        assert called.ticket == ticket
        assert called.why["minutes"] == 600  # what they really waited, not what the place is worth

    def test_to_a_window_nobody_else_calls_them(self, run: EngineRun) -> None:
        ticket = self.sent(run, to_window=W3)
        refused(run, c.CallNext(window=W1), "call.nobody_waiting")
        called = run.call(W3)
        assert (called.ticket, called.reason) == (ticket, "sent")

    def test_to_a_clerk_they_follow_the_clerk(self, run: EngineRun) -> None:
        ticket = self.sent(run, to_staff=WANG)
        run.do(c.OpenWindow(window=W2, staff=WANG))
        assert run.call(W2).ticket == ticket

    def test_for_another_item_the_queue_is_that_items(self, run: EngineRun) -> None:
        ticket = self.sent(run, item=RENEW)
        assert (run.ticket(ticket).item, run.ticket(ticket).line) == (RENEW, POLICE)

    @pytest.mark.parametrize(
        ("goal", "code"),
        [
            ({}, "transfer.one_target"),
            ({"to_queue": POLICE, "to_window": W3}, "transfer.one_target"),
            ({"to_queue": HEALTH}, "transfer.same_queue"),
            ({"to_queue": ItemId("nowhere")}, "queue.unknown"),
            ({"to_queue": HEALTH, "item": RENEW}, "transfer.item_elsewhere"),
            ({"to_window": W1}, "transfer.same_window"),
            ({"to_window": W2}, "transfer.window_closed"),
            ({"to_window": ItemId("w9")}, "window.unknown"),
            ({"to_staff": LI}, "transfer.same_window"),
            ({"to_staff": StaffId("nobody")}, "staff.unknown"),
            ({"item": ItemId("nothing")}, "ticket.unknown_item"),
        ],
    )
    def test_a_goal_that_is_none_is_refused(
        self, run: EngineRun, goal: dict[str, object], code: str
    ) -> None:
        run.issue(), run.call()
        refused(run, c.TransferVisit(window=W1, **goal), code)  # type: ignore[arg-type]

    def test_a_clerk_who_is_away_gets_nobody(self, run: EngineRun) -> None:
        run.do(c.CloseWindow(window=W3))
        run.issue(), run.call()
        refused(run, c.TransferVisit(window=W1, to_staff=WANG), "transfer.staff_away")

    def test_when_the_window_closes_they_wait_in_the_queue_at_their_place(
        self, run: EngineRun
    ) -> None:
        ticket = self.sent(run, to_window=W3)
        run.issue()
        events = run.do(c.CloseWindow(window=W3))
        assert isinstance(events[0], e.TicketReturned)
        assert (events[0].cause, events[0].placing.line) == ("window_closed", HEALTH)
        assert run.call(W1).ticket == ticket


class TestWayBack:
    def sent(self, run: EngineRun, **more: object) -> TicketId:
        ticket = run.issue(**more)  # type: ignore[arg-type]
        run.call(W1)
        run.do(c.BeginService(window=W1))
        run.do(c.TransferVisit(window=W1, to_window=W3, item=RENEW, back=True))
        return ticket

    def serve_elsewhere(self, run: EngineRun) -> e.ServiceFinished:
        run.call(W3)
        run.do(c.BeginService(window=W3))
        finished = run.do(c.FinishService(window=W3))[-1]
        assert isinstance(finished, e.ServiceFinished)
        return finished

    def test_they_come_back_to_the_window_for_the_same_item_before_all(
        self, run: EngineRun
    ) -> None:
        ticket = self.sent(run)
        run.issue(priority="soldier")
        back = self.serve_elsewhere(run).back
        assert back is not None
        assert (back.item, back.queue, back.placing.line) == (CARE, HEALTH, "@w:w1")
        assert run.call(W1).ticket == ticket
        assert run.ticket(ticket).item == CARE

    def test_before_any_item_that_is_still_to_come(self, run: EngineRun) -> None:
        third = ItemId("weekdays")
        run.wait(24 * 60)  # Tuesday: the third item is offered
        run.do(c.CloseDay())
        ticket = self.sent(run, more=(third,))
        assert self.serve_elsewhere(run).onward is None
        assert run.call(W1).ticket == ticket
        run.do(c.BeginService(window=W1))
        (finished,) = (
            one for one in run.do(c.FinishService(window=W1)) if isinstance(one, e.ServiceFinished)
        )
        assert finished.onward is not None
        assert finished.onward.item == third

    def test_a_window_that_closed_meanwhile_gives_them_to_the_queue(self, run: EngineRun) -> None:
        ticket = self.sent(run)
        run.do(c.CloseWindow(window=W1))
        back = self.serve_elsewhere(run).back
        assert back is not None
        assert back.placing.line == HEALTH
        assert run.call(W3).ticket == ticket

    def test_back_of_back_unwinds_innermost_first(self, run: EngineRun) -> None:
        ticket = self.sent(run)
        run.call(W3)
        run.do(c.TransferVisit(window=W3, to_window=W1, item=CARE, back=True))
        run.call(W1)
        run.do(c.BeginService(window=W1))
        run.do(c.FinishService(window=W1))
        assert run.ticket(ticket).line == "@w:w3"
        self.serve_elsewhere(run)
        assert run.ticket(ticket).line == "@w:w1"
        assert [case.item for case in run.ticket(ticket).cases] == [CARE, RENEW]


class TestHandBack:
    def test_the_place_is_as_before_and_nobody_missed_anything(self, run: EngineRun) -> None:
        first, second = run.issue(), run.issue()
        run.call()
        run.do(c.HandBack(window=W1))
        assert run.ticket(first).misses == 0
        assert run.calls(2) == [first, second]

    def test_who_was_sent_here_still_is(self, run: EngineRun) -> None:
        ticket = run.issue()
        run.call(W1), run.do(c.TransferVisit(window=W1, to_window=W3)), run.call(W3)
        run.do(c.HandBack(window=W3))
        assert run.ticket(ticket).line == "@w:w3"

    def test_who_is_being_served_is_not_handed_back(self, run: EngineRun) -> None:
        run.issue(), run.call(), run.do(c.BeginService(window=W1))
        refused(run, c.HandBack(window=W1), "service.not_called")


class TestPriorityChange:
    def test_the_new_class_counts_from_the_old_place(self, run: EngineRun) -> None:
        run.issue()
        ticket = run.issue()
        run.do(c.SetPriority(ticket=ticket, priority="disabled", reason="残疾人证"))
        assert run.call().ticket == ticket

    def test_the_same_class_changes_nothing(self, run: EngineRun) -> None:
        assert run.do(c.SetPriority(ticket=run.issue(), priority="ordinary")) == []

    def test_who_is_called_keeps_the_class(self, run: EngineRun) -> None:
        ticket = run.issue()
        run.call()
        refused(run, c.SetPriority(ticket=ticket, priority="elderly"), "call.not_waiting")

    @pytest.mark.parametrize("priority", ["nobility", "booked"])
    def test_only_classes_of_the_rules_and_booked_only_with_a_booking(
        self, run: EngineRun, priority: str
    ) -> None:
        refused(run, c.SetPriority(ticket=run.issue(), priority=priority), "ticket.unknown_class")


CLASSES = st.sampled_from(["ordinary", "elderly", "soldier", "disabled"])


@settings(max_examples=40, deadline=None)
@given(arrivals=st.lists(st.tuples(CLASSES, st.integers(0, 15 * 60_000)), min_size=1, max_size=14))
def test_people_ahead_is_how_many_are_called_before_when_nobody_else_comes(
    arrivals: list[tuple[str, int]],
) -> None:
    run = hall_with()
    run.open()
    tickets = [run.issue(priority=name, after=gap) for name, gap in arrivals]
    expected = {one: ahead(run.state, run.ticket(one), run.now) for one in tickets}
    order = []
    for _ in tickets:
        order.append(run.call(after=0).ticket)
        run.do(c.MarkNoShow(window=W1), after=0)
    assert {one: order.index(one) for one in tickets} == expected


@settings(max_examples=40, deadline=None)
@given(
    arrivals=st.lists(st.tuples(CLASSES, st.integers(0, 15 * 60_000)), max_size=10),
    people=st.integers(0, 6),
    priority=CLASSES,
)
def test_a_second_chance_is_behind_exactly_so_many(
    arrivals: list[tuple[str, int]], people: int, priority: str
) -> None:
    run = hall_with(rules=rules(returning=Returning(after_people=people, within_minutes=1440)))
    run.open()
    back = run.issue(priority=priority)
    run.call(), run.do(c.MarkNoShow(window=W1))
    for name, gap in arrivals:
        run.issue(priority=name, after=gap + 10)  # clerks cannot tell milliseconds apart
    run.do(c.ReturnTicket(ticket=back))
    place = ahead(run.state, run.ticket(back), run.now)
    assert place == min(people, len(arrivals)) or (
        place > people and run.ticket(back).place_at == run.ticket(back).issued_at
    )


def test_rules_that_change_while_people_wait_lose_nobody() -> None:
    run = hall_with()
    run.open()
    tickets = [run.issue(priority=one) for one in ("ordinary", "soldier", "elderly")]
    only = tuple(one for one in rules().classes if one.id in ("ordinary", "booked"))
    run.do(c.EditConfig(base=1, part=RulesPart(rules=rules(classes=only))))
    assert run.calls(3) == tickets
