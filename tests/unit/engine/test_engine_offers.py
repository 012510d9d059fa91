"""What can be taken when and by whom: opening hours, caps, repeats, staff-made tickets, leased numbers."""

import msgspec
import pytest
from engine_builders import (
    CARE,
    HEALTH,
    HOUR,
    KIOSK,
    MONDAY_9,
    PERSON,
    POLICE,
    RENEW,
    W1,
    W3,
    WANG,
    WEEKDAYS,
    EngineRun,
    changed,
    hall_with,
    refused,
    small_hall,
)

from hallserver.engine.opening import closing_time, open_spans
from hallserver.engine.roster import planned_now
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.calendar import ClosedDay, HallCalendar, OpenDay, Period, WeeklyHours
from qingting.contract.config import PeriodCap, RepeatRule, Shift
from qingting.contract.ids import DeviceId, ItemId, QueueId
from qingting.contract.states import Origin, PrintState, TicketState

TAKE = c.IssueTicket(item=CARE, token="t")
MORNING = Period(start="09:00", end="11:30")
AFTERNOON = Period(start="13:30", end="17:00")
MINUTE = 60_000


def at(day: int, clock: str, calendar: HallCalendar, **more: object) -> EngineRun:
    """The hall on a day of November 2026 (23 is a Monday) at an exact minute."""
    hours, minutes = map(int, clock.split(":"))
    start = MONDAY_9 + (day - 23) * 24 * HOUR + (hours - 9) * HOUR + minutes * MINUTE
    config = small_hall(calendar=calendar, **more)
    return EngineRun(config, at=start - 1000)


def office(**more: object) -> HallCalendar:
    """Monday to Friday with a lunch break."""
    base = HallCalendar(
        weekly=(WeeklyHours(weekdays=(1, 2, 3, 4, 5), periods=(AFTERNOON, MORNING)),)
    )
    return msgspec.structs.replace(base, **more)


class TestOpeningHours:
    @pytest.mark.parametrize("clock", ["09:00", "11:29", "12:00", "13:30", "16:59"])
    def test_within_the_hours_tickets_are_given(self, clock: str) -> None:
        at(23, clock, office()).do(TAKE, after=0)

    def test_before_the_hours_it_says_when(self) -> None:
        refusal = refused(at(23, "08:59", office()), TAKE, "ticket.hall_not_yet", after=0)
        assert refusal.params == {"hours": "09:00–11:30、13:30–17:00", "start": "09:00"}

    @pytest.mark.parametrize(("clock", "open_"), [("08:29", False), ("08:30", True)])
    def test_early_minutes_open_the_kiosks_before_the_windows(
        self, clock: str, open_: bool
    ) -> None:
        run = at(23, clock, office(early_minutes=30))
        if open_:
            run.do(TAKE, after=0)
        else:
            refused(run, TAKE, "ticket.hall_not_yet", after=0)

    @pytest.mark.parametrize(
        ("clock", "code"),
        [("16:44", ""), ("16:45", "ticket.hall_last"), ("17:00", "ticket.hall_over")],
    )
    def test_the_last_minutes_give_none_any_more(self, clock: str, code: str) -> None:
        run = at(23, clock, office(last_minutes=15))
        if code:
            refused(run, TAKE, code, after=0)
        else:
            run.do(TAKE, after=0)

    def test_after_the_hours_it_says_the_next_opening(self) -> None:
        refusal = refused(at(27, "17:00", office()), TAKE, "ticket.hall_over", after=0)
        assert refusal.params["next"] == "2026-11-30 09:00"  # Friday: next is Monday

    @pytest.mark.parametrize(
        ("clock", "code"), [("11:29", ""), ("11:30", "ticket.hall_break"), ("13:30", "")]
    )
    def test_the_lunch_break_may_give_none(self, clock: str, code: str) -> None:
        run = at(23, clock, office(tickets_in_breaks=False))
        if code:
            assert refused(run, TAKE, code, after=0).params == {"until": "13:30"}
        else:
            run.do(TAKE, after=0)

    def test_a_holiday_is_closed_and_named(self) -> None:
        calendar = office(closed=(ClosedDay(date="2026-11-23", name="冬休"),))
        refusal = refused(at(23, "10:00", calendar), TAKE, "ticket.hall_closed", after=0)
        assert (refusal.params["reason"], refusal.params["next"]) == ("冬休", "2026-11-24 09:00")

    def test_a_weekday_without_hours_is_closed(self) -> None:
        refusal = refused(at(28, "10:00", office()), TAKE, "ticket.hall_closed_weekday", after=0)
        assert refusal.params["next"] == "2026-11-30 09:00"

    def test_a_local_open_saturday_has_hours_of_its_own_in_any_order(self) -> None:
        saturday = OpenDay(
            date="2026-11-28",
            name="周六延时",
            periods=(Period(start="14:00", end="16:00"), Period(start="10:00", end="12:00")),
        )
        calendar = office(open=(saturday,))
        at(28, "10:00", calendar).do(TAKE, after=0)
        refused(at(28, "09:59", calendar), TAKE, "ticket.hall_not_yet", after=0)
        refusal = refused(at(28, "16:00", calendar), TAKE, "ticket.hall_over", after=0)
        assert refusal.params["hours"] == "10:00–12:00、14:00–16:00"
        friday = refused(at(27, "17:00", calendar), TAKE, "ticket.hall_over", after=0)
        assert friday.params["next"] == "2026-11-28 10:00"

    def test_a_made_up_saturday_has_the_items_and_shifts_of_the_day_that_it_stands_in_for(
        self,
    ) -> None:
        midweek = c.IssueTicket(item=WEEKDAYS, token="t")
        shift = Shift(staff=WANG, window=W1, weekdays=(2,), periods=(MORNING,))
        for like in (None, 2):
            day = OpenDay(date="2026-11-28", name="调休", periods=(MORNING,), like=like)
            run = at(28, "10:00", office(open=(day,)), shifts=(shift,))
            run.do(TAKE, after=0)
            assert planned_now(run.state, run.now) == ({W1: WANG} if like else {})
            assert list(run.state.plan.roster) == ([W1] if like else [])
            if like:
                run.do(midweek, after=0)
            else:
                refused(run, midweek, "ticket.item_not_today", after=0)

    def test_nothing_is_promised_beyond_a_month(self) -> None:
        far = HallCalendar(open=(OpenDay(date="2027-03-01", name="x", periods=(MORNING,)),))
        calendar = msgspec.structs.replace(far, weekly=(WeeklyHours(weekdays=(1,), periods=()),))
        assert (
            refused(at(23, "10:00", calendar), TAKE, "ticket.hall_closed_weekday", after=0).params[
                "next"
            ]
            == "—"
        )

    def test_without_hours_the_hall_is_open(self) -> None:
        run = at(28, "23:00", HallCalendar())
        run.do(TAKE, after=0)
        assert closing_time(run.state, run.now) is None

    def test_the_spans_of_today_are_instants_with_the_break_between(self) -> None:
        run = at(23, "10:00", office())
        spans = open_spans(run.state, run.now)
        assert spans == (
            (MONDAY_9, MONDAY_9 + 150 * MINUTE),
            (MONDAY_9 + 270 * MINUTE, MONDAY_9 + 8 * HOUR),
        )
        assert closing_time(run.state, run.now) == MONDAY_9 + 8 * HOUR


class TestCaps:
    def test_an_item_has_so_many_tickets_a_day(self) -> None:
        run = hall_with(**changed(small_hall(), "items", CARE, daily_cap=2))
        run.issue(), run.issue()
        assert refused(run, TAKE, "ticket.item_full").params["cap"] == 2
        run.do(c.CloseDay(), after=24 * HOUR)
        run.issue()

    def test_a_queue_has_so_many_tickets_a_day_over_all_items(self) -> None:
        run = hall_with(**changed(small_hall(), "queues", HEALTH, daily_cap=1))
        run.issue()
        assert refused(run, TAKE, "ticket.queue_full").params["cap"] == 1
        run.issue(RENEW)

    def test_who_left_does_not_give_the_number_back(self) -> None:
        run = hall_with(**changed(small_hall(), "queues", HEALTH, daily_cap=1))
        run.do(c.LeaveQueue(ticket=run.issue()))
        refused(run, TAKE, "ticket.queue_full")

    def test_a_part_of_the_day_ends_with_its_last_minute(self) -> None:
        caps = (
            PeriodCap(period=Period(start="09:00", end="10:00"), tickets=1),
            PeriodCap(period=Period(start="10:00", end="11:00"), tickets=1),
        )
        run = hall_with(**changed(small_hall(), "queues", HEALTH, caps=caps))
        run.issue()
        run.now = MONDAY_9 + HOUR - 1
        refusal = refused(run, TAKE, "ticket.period_full", after=0)
        assert refusal.params == {
            "queue": "医保",
            "queue_en": "Health",
            "start": "09:00",
            "end": "10:00",
            "cap": 1,
            "next": "10:00",
        }
        run.now += 1
        run.issue(after=0)
        refused(run, TAKE, "ticket.period_full_last", after=0)
        run.now = MONDAY_9 + 2 * HOUR
        run.issue(after=0), run.issue(after=0)  # this part of the day has no cap

    def test_a_period_without_tickets_gives_none(self) -> None:
        caps = (PeriodCap(period=Period(start="09:00", end="10:00"), tickets=0),)
        refused(
            hall_with(**changed(small_hall(), "queues", HEALTH, caps=caps)),
            TAKE,
            "ticket.period_full_last",
        )

    def test_every_item_of_a_chain_is_looked_at(self) -> None:
        run = hall_with(**changed(small_hall(), "items", RENEW, daily_cap=1))
        run.issue(RENEW)
        command = c.IssueTicket(item=CARE, more=(RENEW,), token="t", waiver="证件遗失")
        refused(run, command, "ticket.item_full")

    def test_a_further_item_takes_a_place_in_its_queue_too(self) -> None:
        run = hall_with(**changed(small_hall(), "queues", HEALTH, daily_cap=1))
        run.do(
            c.IssueTicket(
                item=RENEW, more=(CARE,), token="t", waiver="证件遗失", origin=Origin.STAFF
            )
        )
        refused(run, TAKE, "ticket.queue_full")


class TestRepeats:
    def run_with(self, rule: RepeatRule) -> EngineRun:
        run = hall_with(**changed(small_hall(), "items", RENEW, repeat=rule))
        run.open(W3, WANG)
        return run

    def again(self) -> c.IssueTicket:
        return c.IssueTicket(item=RENEW, token="again", person=PERSON)

    def test_not_while_an_earlier_one_is_open(self) -> None:
        run = self.run_with(RepeatRule.OPEN)
        run.issue(RENEW)
        assert refused(run, self.again(), "ticket.repeat_open").params["number"] == "B001"
        run.serve(W3)
        run.do(self.again())

    def test_once_a_day_is_once_a_day(self) -> None:
        run = self.run_with(RepeatRule.ONCE)
        run.issue(RENEW)
        refused(run, self.again(), "ticket.repeat_open")
        run.serve(W3)
        refused(run, self.again(), "ticket.repeat_once")
        run.do(c.CloseDay(), after=24 * HOUR)
        run.do(self.again())

    @pytest.mark.parametrize("way", ["left", "missed"])
    def test_who_left_or_was_missed_may_take_another(self, way: str) -> None:
        run = self.run_with(RepeatRule.ONCE)
        ticket = run.issue(RENEW)
        if way == "left":
            run.do(c.LeaveQueue(ticket=ticket))
        else:
            run.call(W3), run.do(c.MarkNoShow(window=W3))
        run.do(self.again())

    def test_a_served_item_counts_although_its_ticket_was_missed_later(self) -> None:
        run = self.run_with(RepeatRule.ONCE)
        run.issue(RENEW, more=(CARE,))
        run.serve(W3), run.call(W3), run.do(c.MarkNoShow(window=W3))
        refused(run, self.again(), "ticket.repeat_once")

    def test_an_item_to_come_counts_and_so_does_one_left_for_later(self) -> None:
        run = self.run_with(RepeatRule.OPEN)
        run.issue(CARE, more=(RENEW,), person=PERSON)
        refused(run, self.again(), "ticket.repeat_open")
        run.serve(W3), run.call(W3)
        run.open(W1)
        run.do(c.TransferVisit(window=W3, to_window=W1, item=CARE, back=True))
        refused(run, self.again(), "ticket.repeat_open")

    def test_another_person_is_another_person(self) -> None:
        run = self.run_with(RepeatRule.ONCE)
        run.issue(RENEW)
        other = msgspec.structs.replace(PERSON, index="01")
        run.do(c.IssueTicket(item=RENEW, token="other", person=other))


class TestMadeByStaff:
    def test_a_registered_reason_stands_in_for_identity(self) -> None:
        run = hall_with()
        command = c.IssueTicket(item=RENEW, token="t", origin=Origin.STAFF)
        refused(run, command, "ticket.identity_needed")
        ticket = run.issue(RENEW, person=None, origin=Origin.STAFF, waiver="证件在办，已核对户口本")
        assert (run.ticket(ticket).origin, run.ticket(ticket).waiver) == (
            Origin.STAFF,
            "证件在办，已核对户口本",
        )

    def test_without_a_kiosk_nothing_is_printed(self) -> None:
        (issued,) = hall_with().do(c.IssueTicket(item=CARE, token="t", origin=Origin.STAFF))
        assert isinstance(issued, e.TicketIssued)


class TestLeasedNumbers:
    LEASED = c.IssueTicket(
        item=CARE, token="cut-off", device=KIOSK, origin=Origin.LEASED, serial=9001
    )

    def leased(self, upto: int = 3) -> EngineRun:
        run = hall_with()
        run.do(c.LeaseNumbers(device=KIOSK, queue=HEALTH, upto=upto))
        return run

    def test_a_kiosk_holds_so_many_unused_numbers(self) -> None:
        run = self.leased()
        again = c.LeaseNumbers(device=KIOSK, queue=HEALTH, upto=3)
        assert run.do(again) == []
        run.do(self.LEASED)
        assert run.do(again) == [e.NumbersLeased(device=KIOSK, queue=HEALTH, first=9004, last=9004)]

    def test_no_two_leases_share_a_number(self) -> None:
        run = self.leased()
        run.do(c.LeaseNumbers(device=DeviceId("k1-agent"), queue=HEALTH, upto=2))
        run.do(c.LeaseNumbers(device=KIOSK, queue=POLICE, upto=2))
        spans = [(one.queue, one.first, one.last) for one in run.state.leases]
        assert spans == [(HEALTH, 9001, 9003), (HEALTH, 9004, 9005), (POLICE, 9001, 9002)]

    def test_ordinary_numbers_step_over_them_and_leases_over_ordinary_ones(self) -> None:
        run = self.leased()
        run.state.serials[HEALTH] = 9000
        assert run.ticket(run.issue()).number == "A9004"
        run.do(c.LeaseNumbers(device=KIOSK, queue=HEALTH, upto=4))
        assert (run.state.leases[-1].first, run.state.leases[-1].last) == (9005, 9005)
        assert run.ticket(run.issue()).number == "A9006"

    def test_a_number_given_while_cut_off_keeps_its_moment_and_is_not_printed_again(self) -> None:
        run = self.leased()
        run.issue()
        given = run.now - 60_000
        (issued,) = run.do(msgspec.structs.replace(self.LEASED, taken_at=given))
        assert isinstance(issued, e.TicketIssued)
        ticket = run.ticket(issued.ticket)
        assert (ticket.number, ticket.issued_at, ticket.place_at, ticket.print_state) == (
            "A9001",
            given,
            given,
            PrintState.PRINTED,
        )
        run.open()
        assert run.call().ticket == issued.ticket

    @pytest.mark.parametrize("taken_at", [0, 4_000_000_000_000])
    def test_a_kiosk_with_a_wrong_clock_takes_nobodys_place_beyond_the_day(
        self, taken_at: int
    ) -> None:
        run = self.leased()
        (issued,) = run.do(msgspec.structs.replace(self.LEASED, taken_at=taken_at))
        assert isinstance(issued, e.TicketIssued)
        midnight = MONDAY_9 - 9 * HOUR
        assert midnight <= run.ticket(issued.ticket).issued_at <= run.now
        assert issued.taken_at == run.ticket(issued.ticket).issued_at

    def test_hours_and_caps_do_not_take_back_what_was_promised(self) -> None:
        run = hall_with(
            calendar=office(),
            queues=changed(small_hall(), "queues", HEALTH, daily_cap=1)["queues"],
        )
        run.do(c.LeaseNumbers(device=KIOSK, queue=HEALTH, upto=3))
        run.issue()
        run.wait(9 * 60)
        run.do(self.LEASED)

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"serial": 8999}, "lease.unknown"),
            ({"serial": None}, "lease.unknown"),
            ({"serial": 9004}, "lease.unknown"),
            ({"device": DeviceId("k2")}, "lease.unknown"),
            ({"item": RENEW}, "lease.unknown"),
            ({"item": ItemId("x")}, "ticket.unknown_item"),
        ],
    )
    def test_only_numbers_of_the_kiosks_own_lease_count(
        self, more: dict[str, object], code: str
    ) -> None:
        refused(self.leased(), msgspec.structs.replace(self.LEASED, **more), code)

    def test_a_number_is_given_once(self) -> None:
        run = self.leased()
        run.do(self.LEASED)
        twice = msgspec.structs.replace(self.LEASED, token="other")
        assert refused(run, twice, "lease.used").params == {"serial": 9001}

    def test_leases_end_with_the_day(self) -> None:
        run = self.leased()
        refused(run, self.LEASED, "lease.unknown", after=24 * HOUR)

    @pytest.mark.parametrize("priority", ["booked", "gone"])
    def test_a_class_that_nobody_may_claim_is_ordinary(self, priority: str) -> None:
        run = self.leased()
        run.do(msgspec.structs.replace(self.LEASED, priority=priority))
        assert next(iter(run.state.tickets.values())).priority == "ordinary"

    def test_unknown_kiosks_and_queues_lease_nothing(self) -> None:
        run = hall_with()
        refused(run, c.LeaseNumbers(device=DeviceId("x"), queue=HEALTH, upto=1), "device.unknown")
        refused(run, c.LeaseNumbers(device=KIOSK, queue=QueueId("x"), upto=1), "queue.unknown")


def test_a_claimed_class_must_be_one_of_the_rules() -> None:
    run = hall_with()
    for priority in ("nobility", "booked"):
        command = c.IssueTicket(item=CARE, token="t", priority=priority)
        refused(run, command, "ticket.unknown_class")


def test_at_the_end_of_the_day_nobody_is_left_waiting() -> None:
    run = hall_with()
    run.open()
    waiting, called, parked = run.issue(), run.issue(), run.issue()
    run.do(c.LeaveQueue(ticket=waiting))
    assert run.call().ticket == called
    run.do(c.ParkVisit(window=W1))
    assert run.call().ticket == parked
    run.do(c.CloseDay())
    assert {run.ticket(one).state for one in (called, parked)} == {TicketState.CANCELLED}
    assert (run.state.lines, run.state.parked, run.state.windows[W1].ticket) == ({}, [], None)
