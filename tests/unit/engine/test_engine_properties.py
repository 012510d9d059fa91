"""Properties that hold whatever anybody presses in whatever order."""

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
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hallserver.engine.evolve import evolve
from hallserver.engine.state import HallState, new_state
from hallserver.engine.views import Ambient, entries, every_topic
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.events import Event, TicketIssued
from qingting.contract.hub import Snapshot
from qingting.contract.states import NotRatedReason, PrintOutcome, RatingLevel, TicketState

WINDOWS = st.sampled_from([W1, W2, W3])
STAFF = st.sampled_from([LI, WANG])
GAP = st.sampled_from([0, 1, 700, 6000, 90_000, 26 * 3_600_000])


class AnyPresses(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.run = EngineRun()

    def press(self, command: c.Command, gap: int) -> None:
        try:
            self.run.do(command, after=gap)
        except Refusal as refusal:
            assert refusal.sentence()

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
        waiting = [ticket for line in state.waiting.values() for ticket in line]
        at_windows = [life.ticket for life in state.windows.values() if life.ticket is not None]
        assert len(waiting) == len(set(waiting))
        assert len(at_windows) == len(set(at_windows))
        for ticket in state.tickets.values():
            assert (ticket.id in waiting) == (ticket.state is TicketState.WAITING)
            assert (ticket.id in at_windows) == (
                ticket.state in (TicketState.CALLED, TicketState.SERVING)
            )

    @invariant()
    def times_of_a_visit_never_overlap(self) -> None:
        for ticket in self.run.state.tickets.values():
            known = [
                at
                for at in (ticket.issued_at, ticket.called_at, ticket.begun_at, ticket.finished_at)
                if at
            ]
            assert known == sorted(known)

    @invariant()
    def no_number_is_given_twice_on_one_day(self) -> None:
        given = [
            (one.b.day, one.b.number) for one in self.run.log if isinstance(one.b, TicketIssued)
        ]
        assert len(given) == len(set(given))

    @invariant()
    def arrival_order_is_kept_within_a_queue(self) -> None:
        for queue in (HEALTH, POLICE):
            serials = [
                self.run.state.tickets[one].serial for one in self.run.state.waiting.get(queue, {})
            ]
            assert serials == sorted(serials)

    @invariant()
    def every_view_can_be_sent(self) -> None:
        state = self.run.state
        for topic in every_topic(state):
            shown = dict(entries(state, topic, Ambient(now=self.run.now)))
            msgspec.json.encode(Snapshot(topic=topic, seq=1, entries=shown))

    def teardown(self) -> None:
        if hasattr(self, "run"):
            replayed_equals_live(self.run)


def replayed_equals_live(run: EngineRun) -> None:
    """The log alone, through JSON, gives the live state; so does a snapshot of it."""
    replay = new_state()
    for event in run.log:
        evolve(replay, msgspec.json.decode(msgspec.json.encode(event), type=Event))
    assert replay == run.state
    assert msgspec.json.decode(msgspec.json.encode(run.state), type=HallState) == run.state


TestAnyPresses = AnyPresses.TestCase
TestAnyPresses.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_log_starts_with_its_day() -> None:
    run = EngineRun()
    assert run.log[0].bd == "2026-11-23"
    assert run.now > MONDAY_9
