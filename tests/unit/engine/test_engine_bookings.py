"""Booked visitors (预约) and the configuration: what the city says, and what a hall makes of it."""

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
    changed,
    hall_with,
    refused,
    rules,
    small_hall,
)

from hallserver.engine.state import new_state
from hallserver.engine.tickets import facts_of
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract.bookings import Booking
from qingting.contract.calendar import HallCalendar, Period, WeeklyHours
from qingting.contract.config import Device, Queue
from qingting.contract.config_parts import CalendarPart, OfferPart, RosterPart, RulesPart
from qingting.contract.ids import BookingId, DeviceId, ItemId, QueueId
from qingting.contract.people import NOBODY
from qingting.contract.rules import CallCondition
from qingting.contract.states import BookingState, DeviceKind, Origin, TicketState

MINUTE = 60_000
TEN = MONDAY_9 + HOUR
B1 = BookingId("b-1")


def booking(**more: object) -> Booking:
    """Ten to half past ten on Monday for renewing."""
    base = Booking(
        id=B1,
        code="code-0001",
        day="2026-11-23",
        start=TEN,
        end=TEN + 30 * MINUTE,
        items=(RENEW,),
        person=PERSON,
    )
    return msgspec.structs.replace(base, **more)


class Booked(EngineRun):
    """A hall that the city has told of bookings."""

    def tell(self, directive: d.Directive | None) -> list[e.EventBody]:
        return self.do(c.ApplyDirective(no=self.state.directive_no + 1, directive=directive))

    def arrive(self, at: int, booked: BookingId = B1, **more: object) -> e.TicketIssued:
        self.now = at
        command = c.IssueTicket(item=CARE, token=f"b{self.commands}", booking=booked, **more)  # type: ignore[arg-type]
        issued = self.do(command, after=0)[0]
        assert isinstance(issued, e.TicketIssued)
        return issued


@pytest.fixture
def run() -> Booked:
    run = Booked(small_hall(rules=rules()))
    run.open(W1, LI), run.open(W3, WANG)
    run.tell(d.PutBooking(booking=booking()))
    return run


class TestForgetting:
    def test_nobody_knows_an_erased_citizen_any_more_on_tickets_and_past_bookings(
        self, run: Booked
    ) -> None:
        issued = run.arrive(TEN)
        no = run.state.directive_no + 1
        assert run.tell(d.ForgetPerson(person=PERSON)) == [
            e.PersonForgotten(index=PERSON.index),
            e.DirectiveApplied(no=no),
        ]
        assert run.ticket(issued.ticket).person is None
        assert run.state.bookings[B1].booking.person == NOBODY
        assert PERSON.index not in run.state.people

    def test_who_is_still_expected_is_found_by_the_card_until_then(self, run: Booked) -> None:
        run.tell(d.ForgetPerson(person=PERSON))
        assert run.arrive(TEN).person == PERSON

    def test_another_citizen_stays_known(self, run: Booked) -> None:
        issued = run.arrive(TEN)
        run.tell(d.ForgetPerson(person=msgspec.structs.replace(PERSON, index="f" * 64)))
        assert run.ticket(issued.ticket).person == PERSON

    def test_a_hall_that_cannot_read_whom_to_forget_says_so(self, run: Booked) -> None:
        no = run.state.directive_no + 1
        refused = e.DirectiveRefused(no=no, code="person.unreadable")
        assert run.tell(d.ForgetPerson(person=NOBODY)) == [refused]


class TestArrival:
    def test_item_people_and_identity_are_the_bookings(self, run: Booked) -> None:
        run.tell(d.PutBooking(booking=booking(party=3, items=(RENEW, CARE))))
        issued = run.arrive(TEN)
        assert (issued.item, issued.more, issued.party, issued.person, issued.origin) == (
            RENEW,
            (CARE,),
            3,
            PERSON,
            Origin.BOOKING,
        )
        assert run.state.bookings[B1].ticket == issued.ticket

    @pytest.mark.parametrize("at", [TEN - 30 * MINUTE, TEN, TEN + 45 * MINUTE])
    def test_on_time_they_get_the_booked_place(self, run: Booked, at: int) -> None:
        issued = run.arrive(at)
        assert issued.placing == e.Placing(line=POLICE, at=TEN, priority="booked")
        assert not issued.late

    def test_called_they_are_called_for_their_appointment(self, run: Booked) -> None:
        run.now = TEN - 10 * MINUTE
        walked_in = run.issue(RENEW)
        issued = run.arrive(TEN - 5 * MINUTE)
        called = run.call(W3)
        assert (called.ticket, called.reason, called.why) == (
            issued.ticket,
            "appointment",
            {"time": "10:00"},
        )
        assert run.ticket(walked_in).state is TicketState.WAITING

    def test_too_early_they_are_told_when(self, run: Booked) -> None:
        run.now = TEN - 30 * MINUTE - 1
        command = c.IssueTicket(item=CARE, token="t", booking=B1)
        refusal = refused(run, command, "booking.too_early", after=0)
        assert refusal.params == {"time": "10:00", "minutes": 30}

    def test_late_they_are_ordinary_visitors_and_told_so(self, run: Booked) -> None:
        issued = run.arrive(TEN + 45 * MINUTE + 1)
        assert issued.late
        assert issued.placing == e.Placing(line=POLICE, at=run.now)

    def test_a_booking_may_have_a_pick_up_window_of_its_own(self, run: Booked) -> None:
        own = booking(early_minutes=5, late_minutes=0)
        run.tell(d.PutBooking(booking=own))
        run.now = TEN - 5 * MINUTE - 1
        command = c.IssueTicket(item=CARE, token="t", booking=B1)
        assert refused(run, command, "booking.too_early", after=0).params["minutes"] == 5
        assert run.arrive(own.end + 1).late

    def test_who_is_late_for_one_that_is_good_in_time_only_gets_no_number(
        self, run: Booked
    ) -> None:
        run.tell(d.PutBooking(booking=booking(late_minutes=10, late_refused=True)))
        run.now = TEN + 40 * MINUTE + 1
        command = c.IssueTicket(item=CARE, token="t", booking=B1)
        assert refused(run, command, "booking.too_late", after=0).params == {"minutes": 10}
        assert not run.arrive(TEN + 40 * MINUTE).late

    def test_a_stronger_claim_is_kept(self, run: Booked) -> None:
        issued = run.arrive(TEN, priority="soldier")
        assert issued.placing == e.Placing(line=POLICE, at=TEN, priority="soldier")

    def test_twice_is_once(self, run: Booked) -> None:
        run.arrive(TEN)
        command = c.IssueTicket(item=CARE, token="t", booking=B1)
        assert refused(run, command, "booking.arrived").params["number"] == "B001"

    def test_on_another_day_they_are_told_which(self, run: Booked) -> None:
        run.tell(
            d.PutBooking(booking=booking(id="b-2", code="code-0002", day="2026-11-24"))  # type: ignore[arg-type]
        )
        command = c.IssueTicket(item=CARE, token="t", booking=BookingId("b-2"))
        assert refused(run, command, "booking.other_day").params == {"day": "2026-11-24"}

    def test_a_cancelled_or_unknown_one_is_none(self, run: Booked) -> None:
        run.tell(d.DropBooking(booking=B1))
        refused(run, c.IssueTicket(item=CARE, token="t", booking=B1), "booking.over")
        unknown = c.IssueTicket(item=CARE, token="t", booking=BookingId("x"))
        refused(run, unknown, "booking.unknown")

    def test_caps_and_repeats_do_not_touch_them(self) -> None:
        run = Booked(small_hall(**changed(small_hall(), "queues", POLICE, daily_cap=1)))
        run.issue(RENEW)
        run.tell(d.PutBooking(booking=booking()))
        run.arrive(TEN)

    def test_an_appointment_only_window_calls_who_is_on_time_and_not_who_is_late(self) -> None:
        run = Booked(
            small_hall(rules=rules(), **changed(small_hall(), "windows", W3, appointment_only=True))
        )
        run.open(W3)
        run.tell(d.PutBooking(booking=booking()))
        run.tell(d.PutBooking(booking=booking(id="b-2", code="code-0002")))  # type: ignore[arg-type]
        run.now = TEN
        run.issue(RENEW)
        issued = run.arrive(TEN)
        run.arrive(TEN + 46 * MINUTE, BookingId("b-2"))
        assert run.serve(W3) == issued.ticket
        refused(run, c.CallNext(window=W3), "call.nobody_waiting")

    def test_the_paper_names_an_appointment_only_window_to_those_alone_whom_it_calls(self) -> None:
        run = Booked(
            small_hall(rules=rules(), **changed(small_hall(), "windows", W3, appointment_only=True))
        )
        run.open(W2, LI), run.open(W3, WANG)
        run.tell(d.PutBooking(booking=booking()))
        run.tell(d.PutBooking(booking=booking(id="b-2", code="code-0002")))
        walk_in = run.take(RENEW)
        in_time = run.arrive(TEN).ticket
        late = run.arrive(TEN + 46 * MINUTE, BookingId("b-2")).ticket
        named = [
            facts_of(run.state, run.state.tickets[one])["windows"]
            for one in (walk_in, in_time, late)
        ]
        assert named == [["2"], ["2、3"], ["2"]]

    def test_a_booking_of_an_older_city_that_names_a_window_is_read(self) -> None:
        raw = msgspec.to_builtins(booking()) | {"window": W3}
        assert msgspec.convert(raw, Booking) == booking()

    def test_what_a_clerk_reads_as_waiting_is_what_they_waited_here(self) -> None:
        run = Booked(small_hall(rules=rules(max_delay_minutes=20)))
        run.open(W3)
        run.tell(d.PutBooking(booking=booking()))
        issued = run.arrive(TEN + 40 * MINUTE)
        called = run.call(W3)
        assert (called.ticket, called.why["minutes"]) == (issued.ticket, 0)


class TestWhatTheCityMayChange:
    def test_a_booking_may_move_and_its_former_code_is_over(self, run: Booked) -> None:
        run.tell(d.PutBooking(booking=booking(code="code-0009", start=TEN + HOUR)))
        assert run.state.booking_codes == {"code-0009": B1}
        assert run.state.bookings[B1].booking.start == TEN + HOUR

    def test_a_code_that_went_to_another_booking_stays_there(self, run: Booked) -> None:
        other = BookingId("b-2")
        run.tell(d.PutBooking(booking=booking(id=other)))
        run.tell(d.PutBooking(booking=booking(code="code-0003")))
        assert run.state.booking_codes == {"code-0001": other, "code-0003": B1}

    def test_after_arrival_nothing_changes_it(self, run: Booked) -> None:
        run.arrive(TEN)
        for directive in (d.PutBooking(booking=booking()), d.DropBooking(booking=B1)):
            (refusal,) = run.tell(directive)
            assert (refusal.code, refusal.params) == ("booking.arrived", {"number": "B001"})  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("directive", "code"),
        [
            (d.DropBooking(booking=BookingId("x")), "booking.unknown"),
            (d.PutBooking(booking=booking(items=(ItemId("x"),))), "ticket.unknown_item"),
            (None, "directive.unknown"),
        ],
    )
    def test_what_cannot_be_done_is_answered_in_its_turn(
        self, run: Booked, directive: d.Directive | None, code: str
    ) -> None:
        no = run.state.directive_no + 1
        assert run.tell(directive) == [e.DirectiveRefused(no=no, code=code)]

    def test_a_dropped_booking_may_be_put_again(self, run: Booked) -> None:
        run.tell(d.DropBooking(booking=B1))
        run.tell(d.PutBooking(booking=booking()))
        assert run.state.bookings[B1].state is BookingState.DUE
        run.arrive(TEN)


class TestEndOfTheDay:
    def test_who_did_not_come_is_noted_and_gone(self, run: Booked) -> None:
        events = run.do(c.CloseDay(), after=24 * HOUR)
        assert e.BookingMissed(booking=B1) in events
        assert run.state.bookings == {}
        assert run.state.booking_codes == {}

    def test_who_came_or_cancelled_is_not_missed(self, run: Booked) -> None:
        run.tell(d.PutBooking(booking=booking(id="b-2", code="code-0002")))  # type: ignore[arg-type]
        run.tell(d.DropBooking(booking=BookingId("b-2")))
        run.arrive(TEN)
        events = run.do(c.CloseDay(), after=24 * HOUR)
        assert not any(isinstance(one, e.BookingMissed) for one in events)

    def test_bookings_of_later_days_are_kept_over_the_turn(self, run: Booked) -> None:
        tuesday = booking(id="b-2", code="code-0002", day="2026-11-24", start=TEN + 24 * HOUR)
        run.tell(d.PutBooking(booking=tuesday))
        run.do(c.CloseDay(), after=24 * HOUR)
        assert list(run.state.bookings) == ["b-2"]
        assert run.state.booking_codes == {"code-0002": "b-2"}

    def test_days_on_which_nothing_ran_have_their_missed_bookings_too(self, run: Booked) -> None:
        for number, day in ((2, "2026-11-24"), (3, "2026-11-25"), (4, "2026-11-27")):
            one = booking(id=f"b-{number}", code=f"code-000{number}", day=day)
            run.tell(d.PutBooking(booking=one))
        events = run.do(c.CloseDay(), after=3 * 24 * HOUR)  # Thursday
        missed = [one.booking for one in events if isinstance(one, e.BookingMissed)]
        assert missed == ["b-1", "b-2", "b-3"]
        assert list(run.state.bookings) == ["b-4"]


class TestEditingTheConfiguration:
    def test_one_part_is_replaced_and_the_version_grows(self) -> None:
        run = hall_with()
        part = CalendarPart(
            calendar=HallCalendar(
                weekly=(WeeklyHours(weekdays=(1,), periods=(Period(start="09:00", end="17:00"),)),)
            )
        )
        assert run.do(c.EditConfig(base=1, part=part)) == [e.ConfigEdited(version=2, part=part)]
        assert run.state.config is not None
        assert run.state.config.calendar == part.calendar
        assert run.state.config.windows == small_hall().windows

    def test_an_edit_on_an_older_version_is_refused(self) -> None:
        run = hall_with()
        run.do(c.EditConfig(base=1, part=RulesPart(rules=rules(max_calls=3))))
        late = c.EditConfig(base=1, part=RulesPart(rules=rules(max_calls=4)))
        assert refused(run, late, "config.moved_on").params == {"version": 2}

    def test_the_same_again_is_no_change(self) -> None:
        run = hall_with()
        assert run.do(c.EditConfig(base=1, part=RulesPart(rules=rules()))) == []

    def test_before_a_configuration_there_is_nothing_to_edit(self) -> None:
        run = EngineRun.__new__(EngineRun)
        run.state, run.log, run.now, run.commands = new_state(), [], MONDAY_9, 0
        refused(run, c.EditConfig(base=1, part=RulesPart(rules=rules())), "config.none")

    def test_a_broken_part_is_refused_with_its_faults(self) -> None:
        broken = rules(conditions=(CallCondition(name="x", when=(), queues=(QueueId("no"),)),))
        refusal = refused(
            hall_with(), c.EditConfig(base=1, part=RulesPart(rules=broken)), "config.invalid"
        )
        assert "no queue 'no'" in str(refusal.params["faults"])

    def test_it_leaves_devices_as_pairing_made_them(self) -> None:
        run = hall_with()
        run.do(c.RegisterDevice(device=KIOSK, kind=DeviceKind.KIOSK, name="改名的取号机"))
        run.do(c.EditConfig(base=1, part=RulesPart(rules=rules(max_calls=3))))
        assert run.state.devices[DeviceId(KIOSK)].name == "改名的取号机"


class TestConfigurationInUse:
    """Nobody is left where nothing calls or serves them any more."""

    def offer(self, **more: object) -> c.EditConfig:
        hall = small_hall()
        fields: dict[str, object] = {"queues": hall.queues, "items": hall.items}
        return c.EditConfig(base=1, part=OfferPart(**{**fields, **more}))  # type: ignore[arg-type]

    def test_an_item_that_somebody_waits_for_or_booked_stays(self) -> None:
        run = Booked(small_hall(rules=rules()))
        items = small_hall().items
        run.tell(d.PutBooking(booking=booking(items=(RENEW,))))
        ticket = run.take(CARE)
        without_care = self.offer(items=items[1:])
        assert refused(run, without_care, "config.in_use").params["name"] == "事项care"
        without_renew = self.offer(items=(items[0], items[2]))
        assert refused(run, without_renew, "config.booked").params["count"] == 1
        run.do(c.LeaveQueue(ticket=ticket))
        run.do(without_care)
        assert CARE not in run.state.items

    def test_a_letter_on_today_s_tickets_names_no_other_queue(self) -> None:
        run = hall_with()
        run.do(c.LeaveQueue(ticket=run.take(CARE)))
        health, police = small_hall().queues
        swapped = (
            msgspec.structs.replace(health, prefix="B"),
            msgspec.structs.replace(police, prefix="A"),
        )
        late = refused(run, self.offer(queues=swapped), "config.letter_used")
        assert late.params == {"letter": "A", "name": "公安", "name_en": "Police"}
        free = (msgspec.structs.replace(health, prefix="C"), police)
        run.do(self.offer(queues=free))
        assert run.state.queues[HEALTH].prefix == "C"

    def test_the_pads_of_a_window_that_is_no_more_stay_at_none(self) -> None:
        pad = Device(id=DeviceId("pad"), kind=DeviceKind.CALL_PAD, name="呼叫器", window=W3)
        run = hall_with(devices=(*small_hall().devices, pad))
        run.do(
            c.RegisterDevice(device=DeviceId("new"), kind=DeviceKind.CALL_PAD, name="x", window=W3)
        )
        run.do(self.roster(windows=small_hall().windows[:2]))
        assert [run.state.devices[DeviceId(one)].window for one in ("pad", "new")] == [None, None]
        assert run.state.config is not None
        assert run.state.config.devices[-1].window is None

    def without_police(self) -> c.EditConfig:
        hall = small_hall()
        items = tuple(msgspec.structs.replace(one, queue=HEALTH) for one in hall.items)
        return c.EditConfig(base=1, part=OfferPart(queues=hall.queues[:1], items=items))

    def roster(self, **more: object) -> c.EditConfig:
        hall = small_hall()
        windows = tuple(
            msgspec.structs.replace(one, queues=(HEALTH, POLICE)) for one in hall.windows
        )
        fields: dict[str, object] = {"windows": windows, "staff": hall.staff, "shifts": ()}
        return c.EditConfig(base=1, part=RosterPart(**{**fields, **more}))  # type: ignore[arg-type]

    @pytest.fixture
    def run(self) -> EngineRun:
        run = hall_with(
            windows=tuple(
                msgspec.structs.replace(one, queues=(HEALTH,)) for one in small_hall().windows
            )
        )
        run.open(W1, LI)
        return run

    @pytest.mark.parametrize("state", ["waiting", "called", "parked"])
    def test_a_queue_with_people_stays(self, run: EngineRun, state: str) -> None:
        run.do(c.LendWindow(window=W1, queues=(POLICE,), minutes=600))
        ticket = run.issue(RENEW)
        if state != "waiting":
            run.call(W1)
        if state == "parked":
            run.do(c.ParkVisit(window=W1))
        assert refused(run, self.without_police(), "config.in_use").params["name"] == "公安"
        if state == "called":
            run.do(c.HandBack(window=W1))
        run.do(c.LeaveQueue(ticket=ticket))
        run.do(self.without_police())

    def test_so_does_one_somebody_will_return_to(self, run: EngineRun) -> None:
        run.do(c.LendWindow(window=W1, queues=(POLICE,), minutes=600))
        run.open(W2, WANG)
        run.issue(RENEW), run.call(W1)
        run.do(c.TransferVisit(window=W1, to_window=W2, item=CARE, back=True))
        refused(run, self.without_police(), "config.in_use")

    def test_an_empty_queue_goes(self, run: EngineRun) -> None:
        run.do(self.without_police())
        assert list(run.state.queues) == [HEALTH]

    def test_a_window_with_a_visitor_stays_and_so_does_its_clerk(self, run: EngineRun) -> None:
        run.issue(), run.call()
        hall = small_hall()
        gone = self.roster(windows=hall.windows[1:])
        assert refused(run, gone, "config.in_use").params["name"] == "一号"
        without_li = self.roster(staff=hall.staff[1:])
        assert refused(run, without_li, "config.in_use").params == {"name": "李敏"}

    def test_an_idle_window_closes_before_it_goes(self, run: EngineRun) -> None:
        run.open(W2, WANG)
        ticket = run.issue()
        run.call(W2), run.do(c.TransferVisit(window=W2, to_window=W1))
        events = run.do(self.roster(windows=self.roster().part.windows[1:]))  # type: ignore[union-attr]
        assert [type(one) for one in events] == [e.TicketReturned, e.WindowClosed, e.ConfigEdited]
        assert run.call(W2).ticket == ticket

    def test_a_clerk_who_goes_leaves_the_window_closed(self, run: EngineRun) -> None:
        events = run.do(self.roster(staff=small_hall().staff[1:]))
        assert [type(one) for one in events] == [e.WindowClosed, e.ConfigEdited]
        assert run.state.windows[W1].staff is None

    def test_the_city_is_told_that_its_configuration_must_wait(self, run: EngineRun) -> None:
        run.issue(RENEW)
        only: tuple[Queue, ...] = small_hall().queues[:1]
        items = tuple(msgspec.structs.replace(one, queue=HEALTH) for one in small_hall().items)
        windows = tuple(
            msgspec.structs.replace(one, queues=(HEALTH,)) for one in small_hall().windows
        )
        config = small_hall(version=2, queues=only, items=items, windows=windows)
        (refusal,) = run.do(c.ApplyDirective(no=1, directive=d.PutConfig(config=config)))
        said = {"name": "公安", "name_en": "Police"}
        assert refusal == e.DirectiveRefused(no=1, code="config.in_use", params=said)

    def test_what_the_city_wrote_on_an_older_version_undoes_nothing(self, run: EngineRun) -> None:
        """Without the base the city's version 2 would take the place of the manager's version 2."""
        run.do(self.roster(staff=small_hall().staff[1:]))
        late = d.PutConfig(config=small_hall(version=2), base=1)
        assert run.do(c.ApplyDirective(no=1, directive=late)) == [
            e.DirectiveRefused(no=1, code="config.moved_on", params={"version": 2})
        ]
        fresh = d.PutConfig(config=small_hall(version=3), base=2)
        applied = run.do(c.ApplyDirective(no=2, directive=fresh))
        assert [type(one) for one in applied] == [e.ConfigApplied, e.DirectiveApplied]

    def test_the_city_keeps_the_hall_s_promises_as_its_manager_does(self, run: EngineRun) -> None:
        run.issue(RENEW)
        items = tuple(one for one in small_hall().items if one.id != RENEW)
        config = small_hall(version=2, items=items)
        assert run.do(c.ApplyDirective(no=1, directive=d.PutConfig(config=config, base=1))) == [
            e.DirectiveRefused(
                no=1, code="config.in_use", params={"name": "事项renew", "name_en": "Item renew"}
            )
        ]
