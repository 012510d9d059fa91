"""Several items on one ticket, parties, recall, calling out of turn: what happens at a window."""

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
from qingting.contract import events as e
from qingting.contract.calendar import Period
from qingting.contract.config import Shift
from qingting.contract.ids import ItemId
from qingting.contract.rules import Place, Returning
from qingting.contract.states import (
    NotRatedReason,
    RatingLevel,
    StaffPermission,
    StaffRole,
    TicketState,
)

LOST = "证件遗失，已登记"


@pytest.fixture
def run() -> EngineRun:
    run = hall_with()
    run.open(W1, LI), run.open(W3, WANG)
    return run


class TestSeveralItems:
    def test_they_are_served_in_order_under_one_number(self, run: EngineRun) -> None:
        ticket = run.issue(CARE, more=(RENEW,), waiver=LOST)
        run.serve(W1)
        after = run.ticket(ticket)
        assert (after.number, after.state, after.item, after.line) == (
            "A001",
            TicketState.WAITING,
            RENEW,
            POLICE,
        )
        assert run.serve(W3) == ticket
        assert run.ticket(ticket).state is TicketState.DONE

    def test_each_served_item_is_a_case_of_its_own(self, run: EngineRun) -> None:
        ticket = run.issue(CARE, more=(RENEW,), waiver=LOST)
        run.serve(W1), run.serve(W3)
        assert [
            (case.number, case.item, case.window, case.staff) for case in run.ticket(ticket).cases
        ] == [
            ("test-20261123-yb-0001", CARE, W1, LI),
            ("test-20261123-yb-0001-2", RENEW, W3, WANG),
        ]

    def test_each_case_is_rated_once_and_for_itself(self, run: EngineRun) -> None:
        ticket = run.issue(CARE, more=(RENEW,), waiver=LOST)
        run.serve(W1), run.serve(W3)
        first, second = (case.number for case in run.ticket(ticket).cases)
        given = run.do(c.RateVisit(ticket=ticket, case=first, level=RatingLevel.SATISFIED))[0]
        assert isinstance(given, e.RatingGiven)
        assert (given.case, given.window, given.staff, given.item) == (first, W1, LI, CARE)
        run.do(c.LeaveUnrated(ticket=ticket, case=second, reason=NotRatedReason.DECLINED))
        again = c.RateVisit(ticket=ticket, case=first, level=RatingLevel.SATISFIED)
        refused(run, again, "rating.already")
        run.do(c.RateVisit(ticket=ticket, case=second, level=RatingLevel.VERY_SATISFIED))
        assert [run.state.windows[one].tally.ratings for one in (W1, W3)] == [1, 1]

    def test_a_case_that_is_none_is_not_rated(self, run: EngineRun) -> None:
        ticket = run.issue()
        run.serve(W1)
        command = c.RateVisit(ticket=ticket, case="x-9", level=RatingLevel.SATISFIED)
        refused(run, command, "rating.unknown_ticket")

    def test_the_next_item_may_go_on_at_the_same_window(self, run: EngineRun) -> None:
        ticket = run.issue(CARE, more=(RENEW,), waiver=LOST)
        announced = run.call(W3) and run.state.call_no
        run.do(c.BeginService(window=W3))
        run.do(c.FinishService(window=W3, stay=True))
        after = run.ticket(ticket)
        assert (after.state, after.item, run.state.windows[W3].ticket) == (
            TicketState.SERVING,
            RENEW,
            ticket,
        )
        assert run.state.call_no == announced, "somebody at the window was announced"

    def test_without_a_further_item_there_is_nothing_to_stay_for(self, run: EngineRun) -> None:
        run.issue(), run.call(), run.do(c.BeginService(window=W1))
        refused(run, c.FinishService(window=W1, stay=True), "ticket.no_next_item")

    def test_staying_needs_the_skill_of_the_next_item(self) -> None:
        run = hall_with(**changed(small_hall(), "items", RENEW, skill="passport"))
        run.open()
        run.issue(CARE, more=(RENEW,), waiver=LOST), run.call(), run.do(c.BeginService(window=W1))
        refused(run, c.FinishService(window=W1, stay=True), "call.skill_missing")

    @pytest.mark.parametrize(("place", "first"), [(Place.KEPT, True), (Place.LAST, False)])
    def test_the_rules_say_where_the_next_item_waits(self, place: Place, first: bool) -> None:
        run = hall_with(rules=rules(returning=Returning(chained=place)))
        run.open(W1, LI), run.open(W3, WANG)
        ticket = run.issue(CARE, more=(RENEW,), waiver=LOST)
        run.issue(RENEW)
        run.serve(W1)
        assert (run.call(W3).ticket == ticket) is first

    def test_a_clerk_adds_an_item_for_the_visitor_at_hand(self, run: EngineRun) -> None:
        ticket = run.issue()
        run.call()
        run.do(c.AddItem(window=W1, item=RENEW))
        assert run.ticket(ticket).todo == [RENEW]
        refused(run, c.AddItem(window=W1, item=RENEW), "ticket.item_twice")
        refused(run, c.AddItem(window=W1, item=CARE), "ticket.item_twice")
        refused(run, c.AddItem(window=W1, item=ItemId("x")), "ticket.unknown_item")
        refused(run, c.AddItem(window=W3, item=CARE), "window.idle")

    def test_a_ticket_has_at_most_five_items(self) -> None:
        hall = small_hall()
        more = tuple(ItemId(f"i{number}") for number in range(5))
        items = (*hall.items, *(replace(hall.items[0], id=one) for one in more))
        run = hall_with(items=items)
        run.open()
        run.issue(more=more[:4]), run.call()
        refused(run, c.AddItem(window=W1, item=more[4]), "ticket.chain_too_long")

    def test_no_item_twice_on_one_ticket(self, run: EngineRun) -> None:
        refused(run, c.IssueTicket(item=CARE, more=(CARE,), token="t"), "ticket.item_twice")

    def test_an_item_that_vanished_is_left_out(self, run: EngineRun) -> None:
        ticket = run.issue(CARE, more=(RENEW,), waiver=LOST)
        run.do(c.ApplyConfig(config=small_hall(version=2, items=small_hall().items[:1])))
        run.serve(W1)
        assert run.ticket(ticket).state is TicketState.DONE


class TestParties:
    def test_a_party_is_one_ticket(self, run: EngineRun) -> None:
        assert run.ticket(run.issue(party=12)).party == 12
        assert run.ticket(run.issue()).ahead == 1

    def test_an_item_bounds_its_parties(self, run: EngineRun) -> None:
        refusal = refused(
            run, c.IssueTicket(item=CARE, token="t", party=21), "ticket.party_too_large"
        )
        assert refusal.params["most"] == 20


class TestRecall:
    def test_between_two_calls_there_is_a_pause(self) -> None:
        run = hall_with(rules=rules(recall_pause_seconds=5))
        run.open()
        run.issue(), run.call()
        refusal = refused(run, c.Recall(window=W1), "call.recall_too_soon", after=4999)
        assert refusal.params["seconds"] == 1
        (again,) = run.do(c.Recall(window=W1), after=1)
        assert isinstance(again, e.TicketRecalled)
        assert again.calls == 2
        refused(run, c.Recall(window=W1), "call.recall_too_soon", after=4999)

    def test_after_the_most_calls_the_visitor_is_missed_or_served(self) -> None:
        run = hall_with(rules=rules(max_calls=2))
        run.open()
        run.issue(), run.call(), run.do(c.Recall(window=W1))
        refusal = refused(run, c.Recall(window=W1), "call.max_calls")
        assert refusal.params == {"number": "A001", "calls": 2}
        run.do(c.MarkNoShow(window=W1))

    def test_no_bound_on_calls_where_the_rules_set_none(self) -> None:
        run = hall_with(rules=rules(max_calls=0))
        run.open()
        run.issue(), run.call()
        for _ in range(30):
            run.do(c.Recall(window=W1))

    def test_who_is_being_served_is_not_called(self, run: EngineRun) -> None:
        run.issue(), run.call(), run.do(c.BeginService(window=W1))
        refused(run, c.Recall(window=W1), "service.not_called")


class TestOutOfTurn:
    def picking(self, **staff: object) -> EngineRun:
        run = hall_with(**changed(small_hall(), "staff", LI, **staff))
        run.open(W1, LI)
        return run

    def test_without_the_permission_nobody_is_picked(self, run: EngineRun) -> None:
        command = c.CallTicket(window=W1, ticket=run.issue(), reason="轮椅")
        refused(run, command, "call.pick_forbidden")

    @pytest.mark.parametrize(
        "staff", [{"permissions": (StaffPermission.PICK,)}, {"role": StaffRole.MANAGER}]
    )
    def test_with_it_the_reason_is_kept(self, staff: dict[str, object]) -> None:
        run = self.picking(**staff)
        run.issue()
        ticket = run.issue()
        (called,) = run.do(c.CallTicket(window=W1, ticket=ticket, reason="轮椅"))
        assert isinstance(called, e.TicketCalled)
        assert (called.ticket, called.reason, called.why) == (ticket, "picked", {"text": "轮椅"})

    def test_only_somebody_who_waits_is_picked(self) -> None:
        run = self.picking(permissions=(StaffPermission.PICK,))
        ticket = run.issue()
        run.serve()
        command = c.CallTicket(window=W1, ticket=ticket, reason="轮椅")
        refused(run, command, "call.not_waiting")

    def test_not_without_the_skill(self) -> None:
        hall = small_hall(**changed(small_hall(), "items", CARE, skill="care"))
        run = hall_with(
            items=hall.items,
            **changed(small_hall(), "staff", LI, permissions=(StaffPermission.PICK,)),
        )
        run.open()
        command = c.CallTicket(window=W1, ticket=run.issue(), reason="轮椅")
        refused(run, command, "call.skill_missing")


class TestWindowsAndQueues:
    def test_a_clerk_without_the_skill_passes_over_who_needs_it(self) -> None:
        hall = small_hall()
        items = changed(hall, "items", CARE, skill="care")
        run = hall_with(**items, **changed(hall, "staff", LI, skills=("care",)))
        run.open(W3, WANG)
        skilled = run.issue(CARE)
        plain = run.issue(RENEW)
        assert run.serve(W3) == plain
        refused(run, c.CallNext(window=W3), "call.nobody_waiting")
        run.open(W1, LI)
        assert run.call(W1).ticket == skilled

    def test_whoever_is_sent_to_a_clerk_is_called_there_skill_or_not(self) -> None:
        hall = small_hall()
        run = hall_with(
            **changed(hall, "items", CARE, skill="care"),
            **changed(hall, "staff", LI, skills=("care",)),
        )
        run.open(W1, LI), run.open(W3, WANG)
        ticket = run.issue(CARE)
        run.call(W1), run.do(c.TransferVisit(window=W1, to_staff=WANG))
        assert run.call(W3).ticket == ticket

    def test_an_appointment_only_window_calls_nobody_who_walked_in(self) -> None:
        run = hall_with(**changed(small_hall(), "windows", W1, appointment_only=True))
        run.open()
        run.issue()
        refused(run, c.CallNext(window=W1), "call.nobody_waiting")

    def test_a_lent_window_calls_from_the_other_queue_until_the_minute_is_over(self) -> None:
        run = hall_with()
        run.open(W1)
        ticket = run.issue(RENEW)
        refused(run, c.CallNext(window=W1), "call.nobody_waiting")
        run.do(c.LendWindow(window=W1, queues=(POLICE,), minutes=10))
        lent = run.now
        assert run.call(W1).ticket == ticket
        run.do(c.HandBack(window=W1))
        run.now = lent + 10 * 60_000
        refused(run, c.CallNext(window=W1), "call.nobody_waiting", after=0)
        run.now -= 1
        assert run.call(W1, after=0).ticket == ticket

    def test_a_loan_ends_when_somebody_says_so(self, run: EngineRun) -> None:
        run.do(c.LendWindow(window=W1, queues=(POLICE,), minutes=10))
        run.do(c.LendWindow(window=W1, queues=()))
        assert run.do(c.LendWindow(window=W1, queues=())) == []
        run.issue(RENEW)
        refused(run, c.CallNext(window=W1), "call.nobody_waiting")

    def test_a_window_is_not_lent_to_what_it_serves(self, run: EngineRun) -> None:
        refused(run, c.LendWindow(window=W1, queues=(HEALTH,)), "window.serves_already")
        refused(run, c.LendWindow(window=W1, queues=(ItemId("x"),)), "queue.unknown")  # type: ignore[arg-type]

    def test_who_moves_leaves_the_window_but_not_those_sent_to_them(self, run: EngineRun) -> None:
        ticket = run.issue()
        run.call(W1), run.do(c.TransferVisit(window=W1, to_staff=WANG))
        run.do(c.OpenWindow(window=W2, staff=WANG))
        assert run.ticket(ticket).line == "@s:wang"
        assert run.call(W2).ticket == ticket

    def test_unknown_staff_opens_nothing(self, run: EngineRun) -> None:
        refused(run, c.OpenWindow(window=W2, staff="ghost"), "staff.unknown")  # type: ignore[arg-type]


class TestShifts:
    def shifted(self, start: str, end: str, weekdays: tuple[int, ...] = (1,)) -> EngineRun:
        shift = Shift(
            staff=WANG, window=W1, weekdays=weekdays, periods=(Period(start=start, end=end),)
        )
        run = hall_with(shifts=(shift,))
        run.open(W1, LI), run.open(W3, WANG)
        return run

    def test_the_next_shift_takes_an_idle_window(self) -> None:
        run = self.shifted("09:00", "10:00")
        sent = run.issue()
        run.call(W3), run.do(c.TransferVisit(window=W3, to_staff=LI))
        kept = run.issue()
        run.call(W3), run.do(c.TransferVisit(window=W3, to_window=W1))
        run.do(c.OpenWindow(window=W1, staff=WANG))
        assert run.state.windows[W1].staff == WANG
        assert run.ticket(sent).line == HEALTH, "the clerk they were sent to has gone"
        assert run.ticket(kept).line == "@w:w1"

    def test_not_from_somebody_who_has_a_visitor(self) -> None:
        run = self.shifted("09:00", "10:00")
        run.issue(), run.call(W1)
        refused(run, c.OpenWindow(window=W1, staff=WANG), "window.busy")

    @pytest.mark.parametrize(
        ("start", "end", "weekdays"),
        [("08:00", "09:00", (1,)), ("09:10", "10:00", (1,)), ("09:00", "10:00", (2, 3))],
    )
    def test_not_outside_the_shift(self, start: str, end: str, weekdays: tuple[int, ...]) -> None:
        run = self.shifted(start, end, weekdays)
        refusal = refused(run, c.OpenWindow(window=W1, staff=WANG), "window.taken")
        assert refusal.params == {"window": "1", "staff": "李敏"}
