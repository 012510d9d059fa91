"""Days for tests of the replay: a hall that is simulated here, through the engine, with a log as the hall writes it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

import msgspec
from engine_builders import (
    CARE,
    HOUR,
    LI,
    MONDAY_9,
    PERSON,
    RENEW,
    W1,
    W2,
    W3,
    WANG,
    small_hall,
)

from hallserver.engine.decide import decide
from hallserver.engine.evolve import evolve
from hallserver.engine.state import HallState, new_state
from hallserver.engine.whatif import DayLog, lasting
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract.errors import Refusal
from qingting.contract.events import Event, EventBody
from qingting.contract.ids import (
    BusinessDay,
    CommandKey,
    HallId,
    ItemId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.states import TicketState

DAY = BusinessDay("2026-11-23")
CHEN = StaffId("chen")
STAFF = {W1: LI, W2: WANG, W3: CHEN}


def three_clerks(**more: object) -> cfg.HallConfig:
    """The small hall with somebody for each window."""
    config = small_hall(**more)
    third = cfg.Staff(id=CHEN, number="0103", name="陈静")
    return msgspec.structs.replace(config, staff=(*config.staff, third))


@dataclass
class SimulatedDay:
    """Clerks call ``pause`` ms after somebody can be called; 0 is at once."""

    seed: int
    people: int = 40
    hours: float = 3.0
    pause: int = 0
    lunch: bool = False
    config: cfg.HallConfig = field(default_factory=three_clerks)
    windows: dict[WindowId, StaffId] = field(default_factory=lambda: dict(STAFF))
    items: list[ItemId] = field(default_factory=lambda: [CARE, RENEW])
    state: HallState = field(default_factory=new_state)
    log: list[Event] = field(default_factory=list)
    now: int = MONDAY_9 - HOUR
    number: int = 0
    calls: list[tuple[int, TicketId, WindowId]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.do(c.ApplyConfig(config=self.config))

    def do(self, command: c.Command) -> list[EventBody]:
        self.number += 1
        key = CommandKey(f"day:{self.number:08d}")
        bodies = decide(self.state, c.Envelope(key=key, at=self.now, actor="test", command=command))
        for body in bodies:
            day = getattr(body, "day", None) or self.state.day or DAY
            event = Event(s=self.state.seq + 1, at=self.now, bd=day, by="test", cmd=key, b=body)
            evolve(self.state, event)
            self.log.append(event)
        return bodies

    def at(self, when: int, step: Callable[[], None]) -> None:
        self.number += 1
        heappush(self.heap, (when, self.number, step))

    def run(self) -> DayLog:
        end = MONDAY_9 + int(self.hours * HOUR)
        for window, staff in self.windows.items():
            self.at(MONDAY_9, lambda w=window, s=staff: self.open(w, s))  # type: ignore[misc]
            self.at(end, lambda w=window: self.closing.add(w))  # type: ignore[misc]
        if self.lunch:
            self.at(MONDAY_9 + HOUR, lambda: self.resting.add(W1))
            self.at(MONDAY_9 + 2 * HOUR, lambda: self.open(W1, LI))
        for _ in range(self.people):
            when = MONDAY_9 + round(self.chance.random() * self.hours * HOUR * 0.8)
            self.at(when, self.arrive)
        self.resting: set[WindowId] = set()
        self.closing: set[WindowId] = set()
        while self.heap:
            self.now, _, step = heappop(self.heap)
            step()
            self.look()
        return DayLog(lasting(DAY, HallId("test"), ()), tuple(self.log))

    def open(self, window: WindowId, staff: StaffId) -> None:
        self.do(c.OpenWindow(window=window, staff=staff))

    def arrive(self) -> None:
        item = self.chance.choice(self.items)
        priority = self.chance.choice(["ordinary"] * 4 + ["elderly", "soldier"])
        more = (RENEW,) if item == CARE and self.chance.random() < 0.15 else ()
        person = msgspec.structs.replace(PERSON, index=f"{self.number:04x}")
        issued = self.do(
            c.IssueTicket(
                item=item, more=more, token=f"t{self.number}", person=person, priority=priority
            )
        )
        ticket: TicketId = issued[-1].ticket  # type: ignore[union-attr]
        if self.chance.random() < 0.05:
            self.at(
                self.now + self.minutes(10, 40), lambda: self.maybe(c.LeaveQueue(ticket=ticket))
            )

    def minutes(self, low: float, high: float) -> int:
        return round(self.chance.uniform(low, high) * 60_000)

    def maybe(self, command: c.Command) -> None:
        try:
            self.do(command)
        except Refusal:
            return

    def look(self) -> None:
        """Clerks who are free call, or go to lunch, or go home."""
        for window in self.windows:
            life = self.state.windows[window]
            if life.staff is None or life.ticket is not None:
                continue
            if window in self.closing:
                self.closing.discard(window)
                self.do(c.CloseWindow(window=window))
            elif window in self.resting:
                self.resting.discard(window)
                self.do(c.PauseWindow(window=window, reason="午休"))
            elif self.pause == 0:
                self.call(window)
            elif window not in self.thinking:
                self.thinking.add(window)
                delay = self.chance.randint(1, self.pause)
                self.at(self.now + delay, lambda w=window: self.thought(w))  # type: ignore[misc]

    thinking: set[WindowId] = field(default_factory=set)

    def thought(self, window: WindowId) -> None:
        self.thinking.discard(window)
        if self.state.windows[window].ticket is None:
            self.call(window)

    def call(self, window: WindowId) -> None:
        try:
            self.do(c.CallNext(window=window))
        except Refusal:
            return
        ticket = self.state.windows[window].ticket
        assert ticket is not None
        self.calls.append((self.now, ticket, window))
        if self.chance.random() < 0.1:
            self.at(self.now + self.minutes(1, 3), lambda: self.missed(window, ticket))
            return
        self.at(self.now + self.minutes(0.2, 1.5), lambda: self.begin(window))

    def missed(self, window: WindowId, ticket: TicketId) -> None:
        self.do(c.MarkNoShow(window=window))
        if self.chance.random() < 0.5:
            self.at(
                self.now + self.minutes(3, 20), lambda: self.maybe(c.ReturnTicket(ticket=ticket))
            )

    def begin(self, window: WindowId) -> None:
        self.do(c.BeginService(window=window))
        self.at(self.now + self.minutes(2, 12), lambda: self.over(window))

    def over(self, window: WindowId) -> None:
        ticket = self.state.windows[window].ticket
        assert ticket is not None
        draw = self.chance.random()
        if draw < 0.06:
            self.do(c.ParkVisit(window=window, minutes=10, mine=draw < 0.03))
            self.at(self.now + 10 * 60_000, lambda: self.maybe(c.ReturnTicket(ticket=ticket)))
        elif draw < 0.12:
            goal = next(one for one in self.windows if one != window)
            self.maybe_transfer(window, goal, draw < 0.09)
        else:
            self.do(c.FinishService(window=window))

    def maybe_transfer(self, window: WindowId, goal: WindowId, back: bool) -> None:
        try:
            self.do(c.TransferVisit(window=window, to_window=goal, back=back))
        except Refusal:
            self.do(c.FinishService(window=window))


def waiting_longest(log: DayLog, state: HallState) -> list[TicketId]:
    """Who still waits at the end of a simulated day."""
    return [one.id for one in state.tickets.values() if one.state is TicketState.WAITING]
