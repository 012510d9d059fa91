"""What the calling rules promise whatever the rules are: order, the bound, the cap, and that all are reached."""

import pytest
from engine_builders import (
    CARE,
    HEALTH,
    LI,
    POLICE,
    RENEW,
    W1,
    W3,
    WANG,
    EngineRun,
    hall_with,
    rules,
    small_hall,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hallserver.engine.calling import may_call
from hallserver.engine.days import MINUTE_MS
from hallserver.engine.lines import place_key
from hallserver.engine.state import Ticket, queues_of
from qingting.contract import commands as c
from qingting.contract import rules as r
from qingting.contract.calendar import Period
from qingting.contract.config import WindowOrder
from qingting.contract.errors import Refusal
from qingting.contract.events import TicketCalled
from qingting.contract.ids import WindowId

NAMES = ("ordinary", "booked", "first", "second")
SOME_CLASSES = st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple)
SOME_QUEUES = st.lists(st.sampled_from([HEALTH, POLICE]), max_size=2, unique=True).map(tuple)
TESTS = st.one_of(
    st.builds(r.WaitingOver, minutes=st.integers(0, 40), classes=SOME_CLASSES, queues=SOME_QUEUES),
    st.builds(r.LineAtLeast, people=st.integers(1, 4), classes=SOME_CLASSES, queues=SOME_QUEUES),
    st.builds(r.CalledFewer, classes=SOME_CLASSES, than=st.integers(1, 3), of=st.integers(1, 12)),
    st.just(r.Between(period=Period(start="09:00", end="09:30"))),
)
CONDITIONS = st.builds(
    r.CallCondition,
    name=st.just("条件"),
    when=st.lists(TESTS, max_size=2).map(tuple),
    classes=SOME_CLASSES,
    queues=SOME_QUEUES,
)
RATIOS = (
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 9), st.integers(1, 9))
    .filter(lambda one: one[0] != one[1])
    .map(lambda one: r.Ratio(first=one[0], second=one[1], a=one[2], b=one[3]))
)


@st.composite
def rule_sets(draw: st.DrawFn) -> r.CallingRules:
    classes = tuple(
        r.PriorityClass(
            id=name,
            name=name,
            name_en=name,
            weight=draw(st.sampled_from([0, 5, 30, 10_000])),
            ageing=draw(st.sampled_from([0.01, 0.5, 1, 3, 100])),
        )
        for name in NAMES
    )
    drawn = r.CallingRules(
        classes=classes,
        max_delay_minutes=draw(st.sampled_from([0, 10, 30])),
        priority_in_a_row=draw(st.integers(0, 4)),
        ratios=tuple(draw(st.lists(RATIOS, max_size=2))),
        conditions=tuple(draw(st.lists(CONDITIONS, max_size=2))),
        returning=r.Returning(
            after_people=draw(st.integers(0, 3)),
            parked=draw(st.sampled_from(r.Place)),
            chained=draw(st.sampled_from(r.Place)),
        ),
    )
    assert r.rules_faults(drawn, {HEALTH, POLICE}) == []
    return drawn


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "call", "call", "call", "send", "park", "back"]),
        st.sampled_from([W1, W3]),
        st.sampled_from(["ordinary", "ordinary", "first", "second"]),
        st.integers(0, 9 * MINUTE_MS),
        st.sampled_from(r.Place),
    ),
    min_size=5,
    max_size=40,
)


def callable_now(run: EngineRun, window: WindowId) -> list[Ticket]:
    """Who waits in the queues of a window and could be called there."""
    life = run.state.windows[window]
    return [
        run.ticket(one)
        for queue in queues_of(run.state, window, run.now)
        for row in run.state.lines.get(queue, {}).values()
        for one in row
        if may_call(run.state, life, run.ticket(one))
    ]


def check_call(run: EngineRun, window: WindowId) -> None:
    """Presses *next* and holds the choice against everything that is promised of it."""
    waiting = callable_now(run, window)
    recent = list(run.state.windows[window].recent)
    own = [one for line in (f"@w:{window}", f"@s:{run.state.windows[window].staff}")
           for row in run.state.lines.get(line, {}).values() for one in row]  # fmt: skip
    try:
        (called,) = run.do(c.CallNext(window=window), after=0)
    except Refusal as refusal:
        assert refusal.code == "call.nobody_waiting"
        assert not waiting
        assert not own
        return
    assert isinstance(called, TicketCalled)
    ticket = run.ticket(called.ticket)
    if called.reason in ("sent", "returned") and called.ticket in own:
        return
    assert not own, "somebody who was sent here goes first"
    mates = [one for one in waiting if (one.priority, one.line) == (ticket.priority, ticket.home)]
    assert all(place_key(ticket) <= place_key(one) for one in mates), "order within a class"
    bound = run.state.rules.max_delay_minutes * MINUTE_MS
    late = [one for one in waiting if bound and run.now - one.place_at >= bound]
    assert all(ticket.place_at <= one.place_at for one in late), "the bound"
    if late:
        assert called.reason == "max_delay"
    cap = run.state.rules.priority_in_a_row
    over = cap and len(recent) >= cap and "ordinary" not in recent[-cap:]
    if over and called.reason not in ("max_delay", "condition"):
        assert ticket.priority == "ordinary" or all(
            one.priority != "ordinary" for one in waiting
        ), "the cap"


def step(run: EngineRun, kind: str, window: WindowId, priority: str, place: r.Place) -> None:
    life = run.state.windows[window]
    if kind == "take":
        run.issue(CARE if priority != "second" else RENEW, priority=priority, after=0)
    elif kind == "call":
        if life.ticket is not None:
            run.do(c.BeginService(window=window), after=0)
            run.do(c.FinishService(window=window), after=0)
        check_call(run, window)
    elif kind == "back":
        for one in (*run.state.parked, *run.state.missed):
            run.do(c.ReturnTicket(ticket=one, by_staff=True), after=0)
    elif life.ticket is not None and kind == "send":
        run.do(
            c.TransferVisit(
                window=window, to_window=W3 if window == W1 else W1, place=place, back=True
            ),
            after=0,
        )
    elif life.ticket is not None and kind == "park":
        run.do(c.ParkVisit(window=window, mine=False), after=0)


@settings(max_examples=120, deadline=None)
@given(drawn=rule_sets(), steps=STEPS, listed=st.booleans())
def test_no_rules_break_order_bound_or_cap(
    drawn: r.CallingRules,
    steps: list[tuple[str, WindowId, str, int, r.Place]],
    listed: bool,
) -> None:
    order = WindowOrder.LISTED if listed else WindowOrder.SCORE
    windows = tuple(
        replace(one, order=order) if one.id == W3 else one for one in small_hall().windows
    )
    run = hall_with(rules=drawn, windows=windows)
    run.open(W1, LI), run.open(W3, WANG)
    for kind, window, priority, gap, place in steps:
        run.now += gap
        step(run, kind, window, priority, place)
    assert all(one.place_at >= 0 for one in run.state.tickets.values())


@settings(max_examples=25, deadline=None)
@given(weight=st.integers(0, 40), ageing=st.sampled_from([0.5, 1.0, 2.0]))
def test_with_ageing_every_class_is_reached_however_many_come_of_another(
    weight: int, ageing: float
) -> None:
    classes = (
        r.PriorityClass(id="ordinary", name="普通", name_en="Ordinary", ageing=ageing),
        r.PriorityClass(id="booked", name="预约", name_en="Booked"),
        r.PriorityClass(id="first", name="先", name_en="First", weight=weight, ageing=1),
    )
    run = hall_with(rules=rules(classes=classes))
    run.open()
    patient = run.issue(after=0)
    minutes = 0
    while run.state.windows[W1].ticket != patient:
        run.issue(priority="first", after=0)
        run.call(after=0)
        if run.state.windows[W1].ticket == patient:
            break
        run.do(c.MarkNoShow(window=W1), after=MINUTE_MS)
        minutes += 1
        assert minutes <= weight / ageing + 1


@pytest.mark.parametrize("bound", [5, 30])
def test_nobody_waits_beyond_the_bound_while_others_are_called_before_them(bound: int) -> None:
    """One window, three arrivals a minute of the strongest class: the ordinary visitor is next at the bound."""
    classes = tuple(
        replace(one, weight=10_000) if one.id == "soldier" else one for one in rules().classes
    )
    run = hall_with(rules=rules(classes=classes, max_delay_minutes=bound))
    run.open()
    patient = run.issue(after=0)
    waited = 0
    while run.state.windows[W1].ticket != patient:
        for _ in range(3):
            run.issue(priority="soldier", after=0)
        run.call(after=0)
        if run.state.windows[W1].ticket == patient:
            break
        run.do(c.MarkNoShow(window=W1), after=MINUTE_MS)
        waited += 1
        assert waited <= bound
    assert waited == bound
