"""The hall forecasts, learns from its own log, scores itself and says so when it was wrong."""

import msgspec
import pytest
from engine_builders import (
    CARE,
    HEALTH,
    HOUR,
    KIOSK,
    LI,
    MONDAY_9,
    PERSON,
    POLICE,
    RENEW,
    W1,
    W2,
    W3,
    WANG,
    EngineRun,
    small_hall,
)
from msgspec.structs import replace

from hallserver.engine.evolve import evolve
from hallserver.engine.forecast.calibration import ENOUGH, Score
from hallserver.engine.forecast.durations import expected_minutes, pace
from hallserver.engine.rehearsing import plain
from hallserver.engine.situations import situation
from hallserver.engine.state import HallState, new_state
from hallserver.engine.tickets import wait_lines
from hallserver.engine.views import Ambient, entries
from hallserver.engine.waiting import Outlook
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract import events as e
from qingting.contract import rules as r
from qingting.contract import views as v
from qingting.contract.bookings import Booking
from qingting.contract.calendar import HallCalendar, Period, WeeklyHours
from qingting.contract.directives import PutBooking
from qingting.contract.ids import BookingId, TicketId, WindowId
from qingting.contract.states import Language, WaitBasis

MINUTE = 60_000
DAY = (Period(start="08:30", end="12:00"), Period(start="13:30", end="17:00"))


@pytest.fixture
def run() -> EngineRun:
    return EngineRun()


def open_hall(**more: object) -> cfg.HallConfig:
    """The small hall with opening hours and a lunch break."""
    week = WeeklyHours(weekdays=(1, 2, 3, 4, 5), periods=DAY)
    return small_hall(calendar=HallCalendar(weekly=(week,)), **more)


def visit(run: EngineRun, minutes: float, window: WindowId = W1) -> TicketId:
    """Calls the next, half a minute to the window, ``minutes`` of service, half a minute's gap."""
    run.do(c.CallNext(window=window), after=30_000)
    run.do(c.BeginService(window=window), after=30_000)
    ticket = run.state.windows[window].ticket
    assert ticket is not None
    run.do(c.FinishService(window=window), after=round(minutes * MINUTE))
    return ticket


def told(run: EngineRun, ticket: TicketId) -> e.Interval:
    wait = run.state.tickets[ticket].wait
    assert wait is not None
    return wait


def queue_view(run: EngineRun) -> v.QueueView:
    shown = entries(run.state, "queues", Ambient(now=run.now))[HEALTH]
    assert isinstance(shown, v.QueueView)
    return shown


# ---- what is told ---------------------------------------------------------------------------------


def test_a_ticket_carries_what_was_told_and_what_will_be_scored(run: EngineRun) -> None:
    run.open(W1)
    for _ in range(4):
        run.take()
    wait, made = told(run, run.take()), run.log[-2].b
    assert isinstance(made, e.TicketIssued)
    assert made.forecast is not None
    assert wait.basis is WaitBasis.SIMULATION
    assert wait.low <= made.forecast.p50 / 60 <= wait.low + 1
    assert wait.high - 1 <= made.forecast.p90 / 60 <= wait.high
    assert made.forecast.rule == 4 * 6 * 60


def test_nobody_can_say_while_no_window_is_open_or_planned(run: EngineRun) -> None:
    ticket = run.state.tickets[run.take()]
    assert ticket.wait is None
    assert ticket.forecast is None
    assert queue_view(run).wait is None


def test_an_idle_window_is_told_as_at_once(run: EngineRun) -> None:
    run.open(W1)
    assert told(run, run.take()) == e.Interval(low=0, high=2, basis=WaitBasis.SIMULATION)
    assert queue_view(run).wait != e.Interval(low=0, high=2, basis=WaitBasis.SIMULATION)


def test_what_a_newcomer_would_be_told_is_what_a_newcomer_is_told(run: EngineRun) -> None:
    run.open(W1)
    for _ in range(5):
        run.take()
    run.do(c.CallNext(window=W1))
    before = queue_view(run).wait
    ticket = run.do(c.IssueTicket(item=CARE, token="next"), after=0)
    assert before is not None
    assert isinstance(ticket[0], e.TicketIssued)
    assert ticket[0].wait is not None
    assert abs(ticket[0].wait.low - before.low) <= 2


def test_who_waits_sees_the_wait_from_now_on(run: EngineRun) -> None:
    run.open(W1)
    last = [run.take() for _ in range(6)][-1]
    at_first = told(run, last)
    for _ in range(4):
        visit(run, 5.0)
    now = Outlook(run.state, run.now).ticket(run.state.tickets[last])
    assert now is not None
    assert now.high < at_first.low
    shown = entries(run.state, f"kiosk:{KIOSK}", Ambient(now=run.state.tickets[last].issued_at))
    view = shown[f"ticket:{last}"]
    assert isinstance(view, v.KioskTicket)
    assert view.wait != at_first


def test_windows_that_serve_another_queue_first_count_only_in_part(run: EngineRun) -> None:
    run.open(W3)
    ahead = run.take()
    for _ in range(6):
        run.take(RENEW)
    assert told(run, run.take()).low > told(run, ahead).high + 15
    run.open(W1, WANG)
    wait = Outlook(run.state, run.now).queue(HEALTH)
    assert wait is not None
    assert wait.low < 15


# ---- plans ------------------------------------------------------------------------------------------


def test_the_lunch_break_of_the_hall_is_waited_out() -> None:
    run = EngineRun(open_hall(), at=MONDAY_9 + 2 * HOUR + 50 * MINUTE)
    run.open(W1)
    run.take(), run.do(c.CallNext(window=W1)), run.do(c.BeginService(window=W1))
    for _ in range(3):
        run.take()
    assert told(run, run.take()).low > 80


def test_who_may_not_be_reached_before_closing_is_warned_before_and_on_the_ticket() -> None:
    run = EngineRun(open_hall(), at=MONDAY_9 + 7 * HOUR + 30 * MINUTE)
    run.open(W1)
    assert queue_view(run).wait is not None
    first = told(run, run.take())
    for _ in range(8):
        run.take()
    before = queue_view(run).wait
    assert before is not None
    assert before.beyond
    assert told(run, run.take()).beyond
    assert not first.beyond


def test_a_window_whose_shift_begins_later_is_counted_on() -> None:
    later = cfg.Shift(staff=WANG, window=W1, periods=(Period(start="09:20", end="12:00"),))
    run = EngineRun(small_hall(shifts=(later,)))
    wait = told(run, run.take())
    assert 15 <= wait.low <= 25


def test_a_window_that_goes_home_early_serves_nobody_after() -> None:
    early = cfg.Shift(staff=LI, window=W1, periods=(Period(start="08:30", end="09:15"),))
    all_day = cfg.Shift(staff=WANG, window=W3, periods=(Period(start="08:30", end="12:00"),))
    run = EngineRun(small_hall(shifts=(early, all_day)))
    other = EngineRun()
    for one in (run, other):
        one.open(W1)
        one.open(W3, WANG)
        for _ in range(9):
            one.take()
    assert told(run, run.take()).low > told(other, other.take()).low + 3


def test_a_paused_window_is_expected_back(run: EngineRun) -> None:
    run.open(W1)
    run.do(c.PauseWindow(window=W1, reason="短暂离开"))
    wait = told(run, run.take())
    assert 1 <= wait.low < wait.high < 60


# ---- people -----------------------------------------------------------------------------------------


def test_booked_visitors_who_are_due_are_counted_until_they_do_not_come() -> None:
    run = EngineRun()
    run.open(W1)
    for _ in range(2):
        run.take()
    alone = queue_view(run).wait
    for number in range(5):
        booking = Booking(
            id=BookingId(f"b{number}"),
            code=f"code-{number:04d}",
            day="2026-11-23",
            start=run.now + 6 * MINUTE,
            end=run.now + 20 * MINUTE,
            items=(CARE,),
            person=PERSON,
        )
        run.do(c.ApplyDirective(no=number + 1, directive=PutBooking(booking=booking)))
    expected = queue_view(run).wait
    assert alone is not None
    assert expected is not None
    assert expected.low > alone.low + 10
    run.now += HOUR
    gone = queue_view(run).wait
    assert gone is not None
    assert gone.low < expected.low


def test_people_with_priority_who_usually_come_are_waited_for(run: EngineRun) -> None:
    run.open(W1)
    for number in range(40):
        priority = "elderly" if number % 2 else "ordinary"
        run.do(
            c.IssueTicket(item=CARE, token=f"p{number}", priority=priority, person=PERSON),
            after=2 * MINUTE,
        )
        visit(run, 0.5)
    scene = situation(run.state, HEALTH, "ordinary", run.now)
    assert [one.line for one in scene.streams] == [f"{HEALTH}/elderly"]
    assert 5 < scene.streams[0].per_hour < 20
    assert situation(run.state, HEALTH, "elderly", run.now).streams == ()


def test_a_better_class_is_told_less(run: EngineRun) -> None:
    run.open(W1)
    for _ in range(6):
        run.take()
    events = run.do(c.IssueTicket(item=CARE, token="old", priority="elderly", person=PERSON))
    assert isinstance(events[0], e.TicketIssued)
    assert events[0].wait is not None
    assert events[0].wait.high < told(run, run.take()).low


def test_who_was_sent_to_a_window_goes_first_there(run: EngineRun) -> None:
    run.open(W1)
    run.open(W2, WANG)
    run.take(RENEW), run.take(RENEW)
    run.do(c.CallNext(window=W2)), run.do(c.BeginService(window=W2))
    run.take()
    sent = run.state.windows[W2].ticket
    assert sent is not None
    run.do(c.TransferVisit(window=W2, item=CARE, to_window=W1))
    now = Outlook(run.state, run.now)
    assert run.state.tickets[sent].line.startswith("@")
    first, second = now.ticket(run.state.tickets[sent]), now.queue(HEALTH)
    assert first is not None
    assert second is not None
    assert first.high < second.high


def test_a_lent_window_shortens_the_wait(run: EngineRun) -> None:
    run.open(W1)
    run.open(W2, WANG)
    for _ in range(8):
        run.take()
    alone = queue_view(run).wait
    run.do(c.LendWindow(window=W2, queues=(HEALTH,), minutes=60))
    lent = queue_view(run).wait
    assert alone is not None
    assert lent is not None
    assert lent.low < 0.7 * alone.low


# ---- rules ------------------------------------------------------------------------------------------


def test_plain_rules_need_no_rehearsal_and_others_get_one(run: EngineRun) -> None:
    desks = situation(run.state, POLICE, "ordinary", run.now).desks
    assert plain(run.state, desks)
    ratio = r.CallingRules(ratios=(r.Ratio(first="ordinary", second="booked", a=2, b=1),))
    run.do(c.ApplyConfig(config=small_hall(version=2, rules=ratio)))
    assert not plain(run.state, desks)


def test_a_window_that_prefers_another_queue_makes_people_wait_longer() -> None:
    def wait_at(order: cfg.WindowOrder) -> e.Interval:
        hall = small_hall()
        windows = (*hall.windows[:2], replace(hall.windows[2], order=order))
        run = EngineRun(replace(hall, windows=windows))
        run.open(W3)
        first = run.take()
        for _ in range(5):
            run.take(RENEW)
        now = Outlook(run.state, run.now).ticket(run.state.tickets[first])
        assert now is not None
        return now

    assert wait_at(cfg.WindowOrder.LISTED).low > wait_at(cfg.WindowOrder.SCORE).high + 10


# ---- learning ---------------------------------------------------------------------------------------


def test_the_hall_learns_how_long_items_clerks_and_gaps_take(run: EngineRun) -> None:
    run.open(W1)
    for _ in range(30):
        run.take()
        visit(run, 15.0)
    durations = run.state.learned.durations
    usual = expected_minutes(durations, CARE, 6.0) * pace(durations, LI)
    assert usual == pytest.approx(15, rel=0.15)
    assert durations.walk.value == pytest.approx(0.5, abs=0.1)
    assert run.state.learned.averages[HEALTH].value == pytest.approx(13, abs=1)


def test_absent_visitors_and_pauses_are_learned(run: EngineRun) -> None:
    run.open(W1)
    before = run.state.learned.durations.absent.value
    for _ in range(10):
        run.take()
        run.do(c.CallNext(window=W1))
        run.do(c.MarkNoShow(window=W1), after=90_000)
    run.do(c.PauseWindow(window=W1, reason="短暂离开"))
    run.do(c.OpenWindow(window=W1, staff=LI), after=20 * MINUTE)
    learned = run.state.learned.durations
    assert learned.absent.value > before + 0.3
    assert learned.missed.value < 2
    assert learned.pause.value > 11


def test_what_was_learned_goes_on_to_the_next_day_and_tickets_do_not(run: EngineRun) -> None:
    run.open(W1)
    for _ in range(30):
        run.take()
        visit(run, 15.0)
    before = run.state.learned.durations
    run.do(c.IssueTicket(item=CARE, token="tomorrow"), after=24 * HOUR)
    after = run.state.learned.durations
    assert len(run.state.tickets) == 1
    assert expected_minutes(after, CARE, 6.0) == pytest.approx(
        expected_minutes(before, CARE, 6.0), rel=0.1
    )
    assert run.state.learned.calibration.items[CARE].count == 30


def test_a_replayed_log_has_learned_the_same_and_a_snapshot_keeps_it(run: EngineRun) -> None:
    run.open(W1)
    for _ in range(12):
        run.take()
        visit(run, 9.0)
    run.do(c.IssueTicket(item=CARE, token="tomorrow"), after=24 * HOUR)
    again = new_state()
    for event in run.log:
        evolve(again, event)
    assert again.learned == run.state.learned
    assert msgspec.json.decode(msgspec.json.encode(run.state), type=HallState) == run.state


# ---- scores and the fallback --------------------------------------------------------------------------


def scored(run: EngineRun) -> Score:
    return run.state.learned.calibration.items[CARE]


def test_a_forecast_is_scored_once_when_its_ticket_is_called(run: EngineRun) -> None:
    run.open(W1)
    ticket = run.take()
    assert CARE not in run.state.learned.calibration.items
    run.do(c.CallNext(window=W1), after=3 * MINUTE)
    assert scored(run).count == 1
    assert scored(run).wait == pytest.approx(3.0)
    assert run.state.tickets[ticket].forecast is None
    run.do(c.MarkNoShow(window=W1))
    run.do(c.ReturnTicket(ticket=ticket))
    run.do(c.CallNext(window=W1))
    assert scored(run).count == 1


def test_a_ticket_whose_class_was_changed_is_not_scored(run: EngineRun) -> None:
    run.open(W1)
    ticket = run.take()
    run.do(c.SetPriority(ticket=ticket, priority="elderly", reason="老年人"))
    run.do(c.CallNext(window=W1))
    assert CARE not in run.state.learned.calibration.items


def go_wrong(run: EngineRun) -> None:
    """Clerks who do not call for an hour, whatever the simulation thinks: the P90 never holds."""
    run.open(W1)
    for _ in range(ENOUGH):
        run.take()
        run.do(c.CallNext(window=W1), after=HOUR // 4)
        run.do(c.BeginService(window=W1))
        run.do(c.FinishService(window=W1), after=5 * MINUTE)


def test_when_it_was_wrong_too_often_the_hall_says_so_on_ticket_kiosk_and_page(
    run: EngineRun,
) -> None:
    go_wrong(run)
    assert scored(run).bad
    wait = told(run, run.take())
    assert wait.basis is not WaitBasis.SIMULATION
    assert wait.high - wait.low >= 10
    shown = queue_view(run)
    assert shown.wait is not None
    assert shown.wait.basis is not WaitBasis.SIMULATION
    assert shown.items[CARE].basis is not WaitBasis.SIMULATION


def test_an_item_without_a_bad_verdict_keeps_the_simulation(run: EngineRun) -> None:
    go_wrong(run)
    run.open(W2, WANG)
    assert told(run, run.take(RENEW)).basis is WaitBasis.SIMULATION


# ---- paper ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (Language.ZH, ["约 12-20 分钟", "按平均办理时间估计", "下班前可能排不到"]),
        (Language.EN, ["12-20 min", "by average serving time", "may be after closing"]),
    ],
)
def test_the_paper_says_what_a_waiting_time_rests_on_and_that_it_may_be_late(
    language: Language, lines: list[str]
) -> None:
    rough = e.Interval(low=12, high=20, basis=WaitBasis.AVERAGE, beyond=True)
    assert wait_lines(rough, language) == lines
    good = e.Interval(low=12, high=20, basis=WaitBasis.SIMULATION)
    assert wait_lines(good, language) == lines[:1]
