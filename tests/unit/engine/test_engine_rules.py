"""What the hall engine promises, command by command."""

import pytest
from engine_builders import (
    CARE,
    HEALTH,
    HOUR,
    KIOSK,
    LI,
    PRINTER,
    RENEW,
    W1,
    W2,
    W3,
    WANG,
    WEEKDAYS,
    EngineRun,
    small_hall,
)
from msgspec.structs import replace

from hallserver.engine.lines import count
from hallserver.engine.tickets import ticket_document
from hallserver.engine.timers import silent_ratings
from hallserver.engine.waiting import Outlook
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config import Period
from qingting.contract.directives import PutConfig, PutNotice
from qingting.contract.errors import Refusal, sentence
from qingting.contract.ids import ItemId, TicketId
from qingting.contract.printing import PairLine, QrCode, TextLine
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    Language,
    NotRatedReason,
    PrintOutcome,
    PrintState,
    RatingLevel,
    TicketState,
    WaitBasis,
    WindowState,
)


@pytest.fixture
def run() -> EngineRun:
    return EngineRun()


def refused(run: EngineRun, command: c.Command, code: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        run.do(command)
    assert caught.value.code == code
    return caught.value


class TestTakingANumber:
    def test_numbers_count_up_within_a_queue_and_start_with_its_letter(
        self, run: EngineRun
    ) -> None:
        tickets = [run.take(CARE), run.take(RENEW), run.take(CARE)]
        assert [run.state.tickets[one].number for one in tickets] == ["A001", "B001", "A002"]

    def test_the_ticket_knows_how_many_are_ahead(self, run: EngineRun) -> None:
        run.take()
        assert run.state.tickets[run.take()].ahead == 1

    def test_waiting_is_unknown_while_no_window_is_open(self, run: EngineRun) -> None:
        assert run.state.tickets[run.take()].wait is None

    def test_waiting_is_an_interval_that_grows_with_the_queue(self, run: EngineRun) -> None:
        run.open(W1)
        waits = [run.state.tickets[run.take()].wait for _ in range(6)]
        assert waits[0] == e.Interval(low=0, high=2, basis=WaitBasis.SIMULATION)
        lows = [wait.low for wait in waits if wait is not None]
        assert lows == sorted(lows)
        assert lows[-1] > lows[1]
        assert all(wait is not None and wait.low < wait.high for wait in waits)

    def test_an_item_that_needs_identity_is_not_given_without_it(self, run: EngineRun) -> None:
        refused(run, c.IssueTicket(item=RENEW, token="t", device=KIOSK), "ticket.identity_needed")

    def test_an_item_not_offered_today_says_on_which_days_it_is(self, run: EngineRun) -> None:
        refusal = refused(run, c.IssueTicket(item=WEEKDAYS, token="t"), "ticket.item_not_today")
        assert refusal.params["days"] == "周二、周三"

    def test_an_unknown_item_is_refused(self, run: EngineRun) -> None:
        refused(run, c.IssueTicket(item=ItemId("nothing"), token="t"), "ticket.unknown_item")

    def test_a_closed_queue_says_why(self) -> None:
        hall = small_hall()
        queues = (replace(hall.queues[0], closed_reason="系统升级"), hall.queues[1])
        run = EngineRun(replace(hall, queues=queues))
        refusal = refused(run, c.IssueTicket(item=CARE, token="t"), "ticket.queue_closed")
        assert "系统升级" in refusal.sentence()

    def test_outside_hours_the_hours_are_told(self) -> None:
        hall = small_hall()
        hours = (Period(start="13:30", end="17:00"),)
        run = EngineRun(
            replace(hall, queues=(replace(hall.queues[0], hours=hours), hall.queues[1]))
        )
        assert (
            refused(run, c.IssueTicket(item=CARE, token="t"), "ticket.outside_hours").params[
                "hours"
            ]
            == "13:30–17:00"
        )

    def test_a_new_business_day_starts_numbers_again_and_cancels_who_still_waits(
        self, run: EngineRun
    ) -> None:
        left = run.take()
        events = run.do(c.IssueTicket(item=CARE, token="tomorrow"), after=24 * HOUR)
        assert [type(one) for one in events] == [
            e.TicketCancelled,
            e.DayClosed,
            e.DayOpened,
            e.TicketIssued,
        ]
        assert isinstance(events[0], e.TicketCancelled)
        assert events[0].ticket == left
        issued = events[3]
        assert isinstance(issued, e.TicketIssued)
        assert (issued.number, issued.day, issued.ahead) == ("A001", "2026-11-24", 0)


class TestPaper:
    def test_the_ticket_carries_all_that_the_tender_asks(self, run: EngineRun) -> None:
        run.take(RENEW)
        ticket = run.take(RENEW)
        rows = ticket_document(run.state, ticket, "http://hall")
        texts = [row.text for row in rows if isinstance(row, TextLine)]
        pairs = {row.label: row.value for row in rows if isinstance(row, PairLine)}
        assert "测试大厅" in texts
        assert "B002" in texts
        assert pairs["办理部门"] == "部门"
        assert pairs["办理事项"] == "事项renew"
        assert pairs["前面等候"] == "1 人"
        assert pairs["预计等候"] == "暂时无法估计"
        assert pairs["姓　　名"] == "张*三"
        assert pairs["证件号码"] == "230602********1238"
        assert pairs["取号时间"].startswith("2026-11-23 09:")
        codes = [row.data for row in rows if isinstance(row, QrCode)]
        assert codes == [f"http://hall/t/{run.state.tickets[ticket].token}"]

    def test_a_print_fault_never_loses_the_place_in_the_queue(self, run: EngineRun) -> None:
        ticket = run.take()
        run.do(
            c.ReportPrint(
                ticket=ticket, attempt=1, outcome=PrintOutcome.FAILED, cause=Condition.PAPER_OUT
            )
        )
        after = run.state.tickets[ticket]
        assert (after.state, after.print_state, after.print_cause) == (
            TicketState.WAITING,
            PrintState.FAILED,
            Condition.PAPER_OUT,
        )

    def test_the_same_number_is_printed_again_only_when_a_person_asks(self, run: EngineRun) -> None:
        ticket = run.take()
        refused(run, c.ReprintTicket(ticket=ticket, device=KIOSK), "print.running")
        run.do(c.ReportPrint(ticket=ticket, attempt=1, outcome=PrintOutcome.UNKNOWN))
        assert run.do(c.ReprintTicket(ticket=ticket, device=KIOSK)) == [
            e.PrintRequested(ticket=ticket, device=PRINTER, attempt=2)
        ]

    def test_a_late_or_repeated_outcome_changes_nothing(self, run: EngineRun) -> None:
        ticket = run.take()
        run.do(c.ReportPrint(ticket=ticket, attempt=1, outcome=PrintOutcome.PRINTED))
        assert run.do(c.ReportPrint(ticket=ticket, attempt=1, outcome=PrintOutcome.FAILED)) == []
        refused(
            run,
            c.ReportPrint(ticket=ticket, attempt=5, outcome=PrintOutcome.PRINTED),
            "print.unknown_job",
        )

    def test_an_unknown_outcome_may_become_known_later(self, run: EngineRun) -> None:
        ticket = run.take()
        run.do(c.ReportPrint(ticket=ticket, attempt=1, outcome=PrintOutcome.UNKNOWN))
        run.do(c.ReportPrint(ticket=ticket, attempt=1, outcome=PrintOutcome.PRINTED))
        assert run.state.tickets[ticket].print_state is PrintState.PRINTED


class TestLeavingTheQueue:
    def test_who_waits_can_leave_and_nobody_calls_them_any_more(self, run: EngineRun) -> None:
        first, second = run.take(), run.take()
        assert run.do(c.LeaveQueue(ticket=first)) == [
            e.TicketCancelled(ticket=first, reason="left")
        ]
        assert run.state.tickets[first].state is TicketState.CANCELLED
        run.open()
        assert run.serve() == second
        refused(run, c.CallNext(window=W1), "call.nobody_waiting")

    def test_leaving_twice_is_leaving_once(self, run: EngineRun) -> None:
        ticket = run.take()
        run.do(c.LeaveQueue(ticket=ticket))
        assert run.do(c.LeaveQueue(ticket=ticket)) == []

    def test_the_number_of_who_left_is_not_given_again(self, run: EngineRun) -> None:
        run.do(c.LeaveQueue(ticket=run.take()))
        assert run.state.tickets[run.take()].number == "A002"

    @pytest.mark.parametrize("steps", [[c.CallNext], [c.CallNext, c.BeginService]])
    def test_who_is_called_or_served_tells_the_clerk_instead(
        self, run: EngineRun, steps: list[type]
    ) -> None:
        ticket = run.take()
        run.open()
        for step in steps:
            run.do(step(window=W1))
        refusal = refused(run, c.LeaveQueue(ticket=ticket), "ticket.leave_called")
        assert refusal.params == {"number": "A001", "window": "1"}

    @pytest.mark.parametrize(
        "steps", [[c.CallNext, c.MarkNoShow], [c.CallNext, c.BeginService, c.FinishService]]
    )
    def test_there_is_nothing_to_leave_after_the_end(
        self, run: EngineRun, steps: list[type]
    ) -> None:
        ticket = run.take()
        run.open()
        for step in steps:
            run.do(step(window=W1))
        refused(run, c.LeaveQueue(ticket=ticket), "ticket.leave_over")

    def test_the_end_of_the_day_is_no_leaving(self, run: EngineRun) -> None:
        ticket = run.take()
        run.do(c.CloseDay())
        assert run.state.tickets[ticket].cancelled == "day_end"
        refused(run, c.LeaveQueue(ticket=ticket), "ticket.leave_over")

    def test_an_unknown_ticket_cannot_leave(self, run: EngineRun) -> None:
        refused(run, c.LeaveQueue(ticket=TicketId("2026-11-23-yb-9")), "ticket.unknown")


class TestCalling:
    def test_who_came_first_is_called_first_over_all_queues_of_the_window(
        self, run: EngineRun
    ) -> None:
        first, second = run.take(RENEW), run.take(CARE)
        run.open(W3)
        assert [run.serve(W3), run.serve(W3)] == [first, second]

    def test_two_windows_never_get_the_same_person(self, run: EngineRun) -> None:
        run.take(), run.take()
        run.open(W1, LI), run.open(W3, WANG)
        run.do(c.CallNext(window=W1)), run.do(c.CallNext(window=W3))
        assert run.state.windows[W1].ticket != run.state.windows[W3].ticket

    def test_a_window_with_a_visitor_calls_nobody_else(self, run: EngineRun) -> None:
        run.take(), run.take()
        run.open()
        run.do(c.CallNext(window=W1))
        assert refused(run, c.CallNext(window=W1), "window.busy").params["number"] == "A001"

    def test_an_empty_queue_is_said_as_such(self, run: EngineRun) -> None:
        run.open()
        refused(run, c.CallNext(window=W1), "call.nobody_waiting")

    @pytest.mark.parametrize("command", [c.CallNext(window=W1), c.PauseWindow(window=W1)])
    def test_a_closed_window_does_nothing(self, run: EngineRun, command: c.Command) -> None:
        refused(run, command, "window.not_open")

    def test_recall_waits_until_the_announcement_can_be_over(self, run: EngineRun) -> None:
        run.take()
        run.open()
        run.do(c.CallNext(window=W1))
        assert refused(run, c.Recall(window=W1), "call.recall_too_soon").params["seconds"] == 4
        run.do(c.Recall(window=W1), after=6000)
        assert run.state.board[-1].call_no == 2

    def test_steps_of_a_visit_cannot_be_skipped(self, run: EngineRun) -> None:
        run.take()
        run.open()
        refused(run, c.BeginService(window=W1), "window.idle")
        run.do(c.CallNext(window=W1))
        refused(run, c.FinishService(window=W1), "service.not_begun")
        run.do(c.BeginService(window=W1))
        refused(run, c.MarkNoShow(window=W1), "window.busy")

    def test_no_show_frees_the_window(self, run: EngineRun) -> None:
        ticket = run.take()
        run.open()
        run.do(c.CallNext(window=W1))
        run.do(c.MarkNoShow(window=W1))
        assert run.state.tickets[ticket].state is TicketState.NO_SHOW
        assert run.state.windows[W1].ticket is None

    def test_a_paused_window_calls_nobody(self, run: EngineRun) -> None:
        run.take()
        run.open()
        run.do(c.PauseWindow(window=W1, reason="取材料"))
        refused(run, c.CallNext(window=W1), "window.not_open")
        run.open()
        run.do(c.CallNext(window=W1))

    def test_a_window_belongs_to_one_clerk_at_a_time(self, run: EngineRun) -> None:
        run.open(W1, LI)
        assert (
            refused(run, c.OpenWindow(window=W1, staff=WANG), "window.taken").params["staff"]
            == "李敏"
        )

    def test_a_clerk_who_moves_leaves_the_former_window(self, run: EngineRun) -> None:
        run.open(W1, LI)
        run.open(W2, LI)
        assert run.state.windows[W1].state is WindowState.CLOSED

    def test_nobody_leaves_a_window_with_a_visitor_at_it(self, run: EngineRun) -> None:
        run.take()
        run.open()
        run.do(c.CallNext(window=W1))
        for command in (
            c.CloseWindow(window=W1),
            c.OpenWindow(window=W2, staff=LI),
            c.PauseWindow(window=W1),
        ):
            refused(run, command, "window.busy")


class TestRating:
    @pytest.fixture
    def done(self, run: EngineRun) -> TicketId:
        run.take()
        run.open()
        return run.serve()

    @pytest.mark.parametrize("level", list(RatingLevel))
    def test_each_of_the_five_levels_can_be_given(
        self, run: EngineRun, done: TicketId, level: RatingLevel
    ) -> None:
        tags = {RatingLevel.DISSATISFIED: ("208",), RatingLevel.VERY_DISSATISFIED: ("108",)}.get(
            level, ()
        )
        given = run.do(c.RateVisit(ticket=done, level=level, tags=tags))
        assert isinstance(given[0], e.RatingGiven)
        assert (given[0].level, given[0].staff, given[0].window, given[0].item) == (
            level,
            LI,
            W1,
            CARE,
        )

    @pytest.mark.parametrize("level", [RatingLevel.DISSATISFIED, RatingLevel.VERY_DISSATISFIED])
    def test_a_bad_rating_needs_a_reason(
        self, run: EngineRun, done: TicketId, level: RatingLevel
    ) -> None:
        refused(run, c.RateVisit(ticket=done, level=level), "rating.reason_needed")

    def test_a_tag_of_another_level_is_refused(self, run: EngineRun, done: TicketId) -> None:
        refused(
            run,
            c.RateVisit(ticket=done, level=RatingLevel.SATISFIED, tags=("510",)),
            "rating.unknown_tag",
        )

    def test_each_visit_is_rated_once(self, run: EngineRun, done: TicketId) -> None:
        run.do(c.RateVisit(ticket=done, level=RatingLevel.SATISFIED))
        refused(run, c.RateVisit(ticket=done, level=RatingLevel.SATISFIED), "rating.already")

    def test_a_visit_is_not_rated_before_it_is_over(self, run: EngineRun) -> None:
        refused(
            run, c.RateVisit(ticket=run.take(), level=RatingLevel.SATISFIED), "rating.too_early"
        )

    def test_silence_is_not_rated_and_never_a_rating(self, run: EngineRun, done: TicketId) -> None:
        assert run.do(c.LeaveUnrated(ticket=done, reason=NotRatedReason.TIMEOUT), after=60_000) == [
            e.RatingNotGiven(
                ticket=done, case="test-20261123-yb-0001", reason=NotRatedReason.TIMEOUT
            )
        ]
        tally = run.state.windows[W1].tally
        assert (tally.ratings, tally.not_rated) == (0, 1)

    def test_the_hall_ends_the_silence_of_a_dead_pad(self, run: EngineRun, done: TicketId) -> None:
        finished = run.state.tickets[done].finished_at
        assert silent_ratings(run.state, finished + 74_999) == []
        (command,) = silent_ratings(run.state, finished + 75_000)
        run.do(command)
        assert silent_ratings(run.state, finished + 200_000) == []

    def test_the_next_finished_visit_closes_the_question_for_the_former(
        self, run: EngineRun, done: TicketId
    ) -> None:
        run.take()
        second = run.serve()
        assert run.state.tickets[done].cases[0].closed
        assert run.state.windows[W1].to_rate == second

    def test_a_late_rating_still_counts(self, run: EngineRun, done: TicketId) -> None:
        run.do(c.LeaveUnrated(ticket=done, reason=NotRatedReason.TIMEOUT))
        run.do(c.RateVisit(ticket=done, level=RatingLevel.SATISFIED))
        tally = run.state.windows[W1].tally
        assert (tally.ratings, tally.not_rated) == (1, 0)

    def test_no_event_but_a_citizens_rating_creates_a_rating(
        self, run: EngineRun, done: TicketId
    ) -> None:
        run.do(c.CloseDay(), after=8 * 24 * HOUR)
        assert not any(isinstance(event.b, e.RatingGiven) for event in run.log)


class TestDevicesAndConfiguration:
    def test_a_condition_keeps_the_instant_at_which_it_began(self, run: EngineRun) -> None:
        def report(*conditions: Condition) -> c.ReportDevice:
            return c.ReportDevice(
                device=PRINTER,
                kind=DeviceKind.PRINTER,
                state=DeviceState.DEGRADED,
                conditions=conditions,
            )

        run.do(report(Condition.PAPER_OUT))
        began = run.now
        run.do(report(Condition.PAPER_OUT, Condition.COVER_OPEN), after=5000)
        assert run.state.devices[PRINTER].conditions == {
            Condition.PAPER_OUT: began,
            Condition.COVER_OPEN: run.now,
        }
        assert run.do(report(Condition.COVER_OPEN, Condition.PAPER_OUT)) == []

    def test_an_unknown_device_cannot_report(self, run: EngineRun) -> None:
        refused(
            run,
            c.ReportDevice(device=W1, kind=DeviceKind.PRINTER, state=DeviceState.READY),  # type: ignore[arg-type]
            "device.unknown",
        )

    def test_a_broken_configuration_is_refused_with_its_faults(self, run: EngineRun) -> None:
        hall = small_hall()
        broken = replace(hall, version=2, queues=hall.queues[:1])
        assert "no queue 'ga'" in str(
            refused(run, c.ApplyConfig(config=broken), "config.invalid").params["faults"]
        )

    def test_an_older_configuration_is_refused(self, run: EngineRun) -> None:
        run.do(c.ApplyConfig(config=small_hall(version=5)))
        refused(run, c.ApplyConfig(config=small_hall(version=4)), "config.older")

    def test_tickets_survive_a_new_configuration(self, run: EngineRun) -> None:
        ticket = run.take()
        run.do(c.ApplyConfig(config=small_hall(version=2)))
        run.open()
        assert run.serve() == ticket

    def test_directives_apply_once_in_order_and_become_events(self, run: EngineRun) -> None:
        notice = PutNotice(text="停电")
        refused(run, c.ApplyDirective(no=2, directive=notice), "directive.gap")
        run.do(c.ApplyDirective(no=1, directive=notice))
        assert run.do(c.ApplyDirective(no=1, directive=notice)) == []
        other = small_hall(hall=replace(small_hall().hall, name="x", id="other"))
        (refusal,) = run.do(c.ApplyDirective(no=2, directive=PutConfig(config=other)))
        assert isinstance(refusal, e.DirectiveRefused)
        assert refusal.code == "config.invalid"
        assert "大厅" in sentence(refusal.code, refusal.params)
        assert "大厅" not in sentence(refusal.code, refusal.params, Language.EN)
        assert run.state.directive_no == 2

    def test_help_is_asked_once_until_somebody_answers(self, run: EngineRun) -> None:
        assert run.do(c.RequestHelp(device=KIOSK)) == [e.HelpRequested(device=KIOSK)]
        assert run.do(c.RequestHelp(device=KIOSK)) == []
        run.do(c.AnswerHelp(device=KIOSK))
        assert run.state.help == {}

    def test_waiting_places_move_up(self, run: EngineRun) -> None:
        run.take(), run.take()
        run.open()
        run.do(c.CallNext(window=W1))
        assert count(run.state, HEALTH) == 1


class TestWaiting:
    def test_people_of_another_queue_at_the_same_window_count_as_ahead(
        self, run: EngineRun
    ) -> None:
        run.open(W3)
        run.take(CARE), run.do(c.CallNext(window=W3)), run.do(c.BeginService(window=W3))
        alone = run.state.tickets[run.take(RENEW)].wait
        behind = run.state.tickets[run.take(CARE)].wait
        assert alone is not None
        assert behind is not None
        assert behind.low > alone.low

    def test_a_visit_that_lasts_shortens_the_wait_of_the_next(self, run: EngineRun) -> None:
        run.open(W1)
        run.take(), run.do(c.CallNext(window=W1)), run.do(c.BeginService(window=W1))
        early = Outlook(run.state, run.now).queue(HEALTH)
        late = Outlook(run.state, run.now + 5 * 60_000).queue(HEALTH)
        assert early is not None
        assert late is not None
        assert late.low < early.low
        assert early.high < 20
