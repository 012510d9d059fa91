"""Properties that hold whatever anybody presses in whatever order."""

import sqlite3

import msgspec
from engine_builders import (
    CARE,
    HEALTH,
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
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import StaticPool, create_engine

from hallserver.engine.days import business_day
from hallserver.engine.evolve import evolve
from hallserver.engine.lines import place_key, sent_to
from hallserver.engine.state import HallState, new_state
from hallserver.engine.timers import parks_over
from hallserver.engine.views import Ambient, entries, every_topic, topics_touched
from hallserver.store import tables as t
from hallserver.store.projections import changes
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import rules as r
from qingting.contract.bookings import Booking
from qingting.contract.config_parts import RosterPart, RulesPart
from qingting.contract.errors import Refusal
from qingting.contract.events import Event, TicketIssued
from qingting.contract.hub import Snapshot
from qingting.contract.ids import BookingId, QueueId
from qingting.contract.rules import Place
from qingting.contract.states import (
    AT_WINDOW_STATES,
    NotRatedReason,
    Origin,
    PrintOutcome,
    RatingLevel,
    StaffPermission,
    TicketState,
    WindowState,
)

WINDOWS = st.sampled_from([W1, W2, W3])
STAFF = st.sampled_from([LI, WANG])
GAP = st.sampled_from([0, 1, 700, 6000, 90_000, 26 * 3_600_000])


class AnyPresses(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        config = small_hall()
        may_pick = tuple(
            msgspec.structs.replace(one, permissions=(StaffPermission.PICK,))
            for one in config.staff
        )
        self.run = EngineRun(msgspec.structs.replace(config, staff=may_pick))

    def press(self, command: c.Command, gap: int) -> None:
        before, known = len(self.run.log), every_topic(self.run.state)
        try:
            self.run.do(command, after=gap)
        except Refusal as refusal:
            assert refusal.sentence()
        # Screens are told after the whole commit: an event may be of a day that has ended within it.
        topics = known | every_topic(self.run.state)
        for event in self.run.log[before:]:
            assert topics_touched(event, self.run.state) <= topics | {
                "window:None",
                "rating:None",
                "desk:None",
            }

    @rule(item=st.sampled_from([CARE, RENEW]), gap=GAP)
    def take(self, item: object, gap: int) -> None:
        token = f"token-{self.run.commands}"
        self.press(c.IssueTicket(item=item, token=token, device=KIOSK, person=PERSON), gap)  # type: ignore[arg-type]

    @rule(data=st.data(), gap=GAP)
    def leave(self, data: st.DataObject, gap: int) -> None:
        if tickets := sorted(self.run.state.tickets):
            self.press(c.LeaveQueue(ticket=data.draw(st.sampled_from(tickets))), gap)

    @rule(window=WINDOWS, staff=STAFF, gap=GAP)
    def open_window(self, window: object, staff: object, gap: int) -> None:
        self.press(c.OpenWindow(window=window, staff=staff), gap)  # type: ignore[arg-type]

    @rule(
        kind=st.sampled_from(
            [
                c.CallNext,
                c.CallNext,
                c.BeginService,
                c.FinishService,
                c.MarkNoShow,
                c.Recall,
                c.PauseWindow,
                c.CloseWindow,
            ]
        ),
        window=WINDOWS,
        gap=GAP,
    )
    def at_window(self, kind: type, window: object, gap: int) -> None:
        self.press(kind(window=window), gap)

    @rule(
        window=WINDOWS,
        gap=GAP,
        minutes=st.sampled_from([None, 1, 30]),
        mine=st.booleans(),
    )
    def park(self, window: object, gap: int, minutes: int | None, mine: bool) -> None:
        self.press(c.ParkVisit(window=window, minutes=minutes, mine=mine), gap)  # type: ignore[arg-type]

    @rule(window=WINDOWS, gap=GAP, stay=st.booleans())
    def finish_or_hand_back(self, window: object, gap: int, stay: bool) -> None:
        self.press(c.AddItem(window=window, item=RENEW), gap)  # type: ignore[arg-type]
        self.press(c.FinishService(window=window, stay=stay), gap)  # type: ignore[arg-type]
        self.press(c.HandBack(window=window), gap)  # type: ignore[arg-type]

    @rule(
        window=WINDOWS,
        goal=st.sampled_from([W1, W2, W3, LI, WANG, HEALTH, POLICE]),
        place=st.sampled_from(Place),
        back=st.booleans(),
        gap=GAP,
    )
    def transfer(self, window: object, goal: str, place: Place, back: bool, gap: int) -> None:
        named = {
            "to_window": goal if goal in (W1, W2, W3) else None,
            "to_staff": goal if goal in (LI, WANG) else None,
            "to_queue": goal if goal in (HEALTH, POLICE) else None,
        }
        self.press(c.TransferVisit(window=window, place=place, back=back, **named), gap)  # type: ignore[arg-type]

    @rule(
        data=st.data(), window=WINDOWS, priority=st.sampled_from(["elderly", "ordinary"]), gap=GAP
    )
    def one_ticket(self, data: st.DataObject, window: object, priority: str, gap: int) -> None:
        if tickets := sorted(self.run.state.tickets):
            ticket = data.draw(st.sampled_from(tickets))
            command = data.draw(
                st.sampled_from(
                    [
                        c.ResumeVisit(window=window, ticket=ticket),  # type: ignore[arg-type]
                        c.CallTicket(window=window, ticket=ticket, reason="轮椅"),  # type: ignore[arg-type]
                        c.ReturnTicket(ticket=ticket, by_staff=gap > 1000),
                        c.SetPriority(ticket=ticket, priority=priority),
                    ]
                )
            )
            self.press(command, gap)

    @rule(window=WINDOWS, queues=st.sampled_from([(), (HEALTH,), (POLICE, HEALTH)]), gap=GAP)
    def lend(self, window: object, queues: tuple[QueueId, ...], gap: int) -> None:
        self.press(c.LendWindow(window=window, queues=queues, minutes=30), gap)  # type: ignore[arg-type]

    @rule(serial=st.integers(9001, 9006), ago=GAP, more=st.booleans())
    def cut_off(self, serial: int, ago: int, more: bool) -> None:
        """Numbers are set aside, given by the kiosk alone, and told later."""
        self.press(c.LeaseNumbers(device=KIOSK, queue=HEALTH, upto=3), 10)
        told = c.IssueTicket(
            item=CARE,
            token=f"leased-{self.run.commands}",
            device=KIOSK,
            origin=Origin.LEASED,
            serial=serial,
            taken_at=max(0, self.run.now - ago),
            more=(RENEW,) if more else (),
        )
        self.press(told, 10)

    @rule(number=st.integers(1, 3), days=st.sampled_from([0, 0, 1]), drop=st.booleans(), gap=GAP)
    def book(self, number: int, days: int, drop: bool, gap: int) -> None:
        start = self.run.now + days * 24 * 3_600_000
        booking = Booking(
            id=BookingId(f"b-{number}"),
            code=f"code-{number:04d}",
            day=business_day(start, self.run.state.config),
            start=start,
            end=start + 1_800_000,
            items=(RENEW, CARE),
            person=PERSON,
        )
        told = d.DropBooking(booking=booking.id) if drop else d.PutBooking(booking=booking)
        self.press(c.ApplyDirective(no=self.run.state.directive_no + 1, directive=told), gap)

    @rule(number=st.integers(1, 3), gap=GAP)
    def arrive(self, number: int, gap: int) -> None:
        booking = BookingId(f"b-{number}")
        token = f"booked-{self.run.commands}"
        self.press(c.IssueTicket(item=RENEW, token=token, booking=booking), gap)

    @rule(
        bound=st.sampled_from([0, 20]),
        place=st.sampled_from(Place),
        alone=st.booleans(),
        gone=st.sampled_from([None, W2, W3]),
        gap=GAP,
    )
    def edit(self, bound: int, place: Place, alone: bool, gone: object, gap: int) -> None:
        """Other rules, and windows that come, go, or are for booked visitors alone."""
        config = self.run.state.config
        assert config is not None
        other = r.CallingRules(max_delay_minutes=bound, returning=r.Returning(parked=place))
        self.press(c.EditConfig(base=config.version, part=RulesPart(rules=other)), gap)
        windows = tuple(
            msgspec.structs.replace(one, appointment_only=alone and one.id == W3)
            for one in small_hall().windows
            if one.id != gone
        )
        part = RosterPart(windows=windows, staff=config.staff, shifts=config.shifts)
        now = self.run.state.config
        assert now is not None
        self.press(c.EditConfig(base=now.version, part=part), 10)

    @rule(gap=GAP)
    def the_clock(self, gap: int) -> None:
        for command in parks_over(self.run.state, self.run.now):
            self.press(command, gap)

    @rule(data=st.data(), outcome=st.sampled_from(PrintOutcome), attempt=st.integers(1, 3))
    def paper(self, data: st.DataObject, outcome: PrintOutcome, attempt: int) -> None:
        if tickets := sorted(self.run.state.tickets):
            ticket = data.draw(st.sampled_from(tickets))
            self.press(c.ReportPrint(ticket=ticket, attempt=attempt, outcome=outcome), 10)
            self.press(c.ReprintTicket(ticket=ticket, device=KIOSK), 10)

    @rule(data=st.data(), level=st.sampled_from(RatingLevel), silent=st.booleans())
    def rating(self, data: st.DataObject, level: RatingLevel, silent: bool) -> None:
        if tickets := sorted(self.run.state.tickets):
            ticket = data.draw(st.sampled_from(tickets))
            if silent:
                self.press(c.LeaveUnrated(ticket=ticket, reason=NotRatedReason.TIMEOUT), 10)
            else:
                self.press(c.RateVisit(ticket=ticket, level=level), 10)

    @invariant()
    def each_ticket_is_in_exactly_one_place(self) -> None:
        state = self.run.state
        waiting = [one for line in state.lines.values() for row in line.values() for one in row]
        at_windows = [life.ticket for life in state.windows.values() if life.ticket is not None]
        assert len(waiting) == len(set(waiting))
        assert len(at_windows) == len(set(at_windows))
        for ticket in state.tickets.values():
            assert (ticket.id in waiting) == (ticket.state is TicketState.WAITING)
            assert bool(ticket.line) == (ticket.state is TicketState.WAITING)
            assert (ticket.id in at_windows) == (ticket.state in AT_WINDOW_STATES)
            assert (ticket.id in state.parked) == (ticket.state is TicketState.PARKED)
            assert (ticket.id in state.missed) == (ticket.state is TicketState.NO_SHOW)

    @invariant()
    def times_of_a_visit_never_overlap(self) -> None:
        for ticket in self.run.state.tickets.values():
            visits = [at for case in ticket.cases for at in (case.begun_at, case.finished_at)]
            assert [ticket.issued_at, *visits] == sorted([ticket.issued_at, *visits])
            if ticket.begun_at:
                assert ticket.called_at <= ticket.begun_at
            assert ticket.issued_at <= ticket.since <= self.run.now

    @invariant()
    def no_number_is_given_twice_on_one_day(self) -> None:
        given = [
            (one.b.day, one.b.number) for one in self.run.log if isinstance(one.b, TicketIssued)
        ]
        assert len(given) == len(set(given))

    @invariant()
    def within_a_class_the_order_of_place_is_kept(self) -> None:
        for line in self.run.state.lines.values():
            for row in line.values():
                places = [place_key(self.run.state.tickets[one]) for one in row]
                assert places == sorted(places)

    @invariant()
    def nobody_waits_where_nobody_can_call(self) -> None:
        """A line of one window or clerk exists only while that window is open, that clerk somewhere."""
        state = self.run.state
        served = {
            line
            for life in state.windows.values()
            if life.state is not WindowState.CLOSED
            for line in sent_to(state, life.id, life.staff)
        }
        assert {line for line in state.lines if line.startswith("@")} <= served

    @invariant()
    def every_view_can_be_sent(self) -> None:
        state = self.run.state
        for topic in every_topic(state):
            shown = dict(entries(state, topic, Ambient(now=self.run.now)))
            msgspec.json.encode(Snapshot(topic=topic, seq=1, entries=shown))

    def teardown(self) -> None:
        if hasattr(self, "run"):
            replayed_equals_live(self.run)
            phases_tell_the_same(self.run)


def replayed_equals_live(run: EngineRun) -> None:
    """The log alone, through JSON, gives the live state; so does a snapshot of it."""
    replay = new_state()
    for event in run.log:
        evolve(replay, msgspec.json.decode(msgspec.json.encode(event), type=Event))
    assert replay == run.state
    assert msgspec.json.decode(msgspec.json.encode(run.state), type=HallState) == run.state


def phases_tell_the_same(run: EngineRun) -> None:
    """The store's rows of states, whose constraints refuse two open visits: each ticket is in one state at
    any time, one follows the other, and the last is the present one."""
    store = sqlite3.connect(":memory:")
    try:
        engine = create_engine("sqlite://", creator=lambda: store, poolclass=StaticPool)
        t.metadata.create_all(engine)
        for event in run.log:
            for sql, row in changes(event):
                store.execute(sql, row)
        spans: dict[str, list[tuple[str, int]]] = {}
        for ticket, state, at in store.execute("SELECT ticket, state, at FROM phase ORDER BY seq"):
            spans.setdefault(ticket, []).append((state, at))
        for one in run.state.tickets.values():
            states = spans[one.id]
            assert states[0] == ("waiting", one.issued_at)
            assert states[-1][0] == one.state
            assert [at for _, at in states] == sorted(at for _, at in states)
        rows = store.execute("SELECT id, state, item, department, priority FROM ticket").fetchall()
        stored = {row[0]: row[1:] for row in rows}
        for one in run.state.tickets.values():
            assert stored[one.id] == (one.state, one.item, one.department, one.priority)
    finally:
        store.close()


TestAnyPresses = AnyPresses.TestCase
TestAnyPresses.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_log_starts_with_its_day() -> None:
    run = EngineRun()
    assert run.log[0].bd == "2026-11-23"
    assert run.now > MONDAY_9
