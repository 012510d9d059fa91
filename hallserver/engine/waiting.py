"""How long people wait: each forecast is a forward simulation of the live hall (:mod:`.forecast`).

The interval from P50 to P90 is told in whole minutes with what it rests on, and with a warning when the P90 lies after
closing. Nobody can say (None) when no window serves the queue or is planned to.
"""

from dataclasses import dataclass, field
from math import ceil, floor

from hallserver.engine import learning
from hallserver.engine import situations as scenes
from hallserver.engine.days import MINUTE_MS
from hallserver.engine.forecast import calibration as calibrating
from hallserver.engine.forecast.calibration import Score, Told, together
from hallserver.engine.forecast.durations import expected_minutes
from hallserver.engine.forecast.scene import REACTION_CV
from hallserver.engine.forecast.simulate import Foreseen, foresee, foresee_everybody
from hallserver.engine.forecast.situation import Situation, Visitor
from hallserver.engine.forecast.tables import quick
from hallserver.engine.lines import Key, ahead_of, count
from hallserver.engine.rehearsing import rule
from hallserver.engine.state import HallState, Ticket, WindowLife, queues_of
from qingting.contract import events as e
from qingting.contract.config import Item
from qingting.contract.ids import ItemId, Millis, QueueId, TicketId
from qingting.contract.rules import ORDINARY
from qingting.contract.states import WaitBasis, WindowState

BEYOND_FROM = 0.1
"""People are warned when the probability not to be called before closing is at least this: the P90 then
lies beyond it."""
FOLLOWED = 300
"""People waiting at windows connected with each other up to whom each is followed into the future. So many are
more than a hall seats; beyond, a forecast would cost the hall server more than the ticket itself."""
CROWD_P90 = 1.35
"""P90 to P50 behind a crowd: single visits even out, what is left is how well their mean is known."""
AT_ONCE = 2.0
"""A P90 of so few minutes is told as at once."""


def open_windows(state: HallState, queue: QueueId, now: Millis) -> list[WindowLife]:
    """Windows that call from ``queue`` now."""
    return [
        life
        for life in state.windows.values()
        if life.state is WindowState.OPEN
        and life.id in state.window_config
        and queue in queues_of(state, life.id, now)
    ]


def mean_minutes(state: HallState, item: ItemId) -> float:
    """Expected serving time of an item in minutes, as learned: today, at an average clerk."""
    typical = learning.typical_minutes(state, item)
    return expected_minutes(state.learned.durations, item, typical)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is about to take a ticket. ``place`` is the instant that orders them in their class."""

    item: Item
    placing: e.Placing
    booked: bool
    ahead: int


def forecast(
    state: HallState, who: Newcomer, now: Millis
) -> tuple[e.Interval | None, e.Forecast | None]:
    """What to tell somebody who takes a ticket, and what to score later."""
    average = usual_rule(state, who.item.queue, who.ahead, now)
    found = at_once(state, who, now)
    crowd = found is None and _crowded(state, who.item.queue, now)
    if found is None:
        found = _in_a_crowd(state, average, now) if crowd else _simulated_for(state, who, now)
    if found is None:
        return None, None
    calibration = state.learned.calibration
    p50, p90 = calibrating.corrected(calibration, who.item.queue, found.p50, found.p90)
    if crowd:
        told = Told(p50, p90, WaitBasis.AVERAGE)
    else:
        told = calibrating.tell(calibration.items.get(who.item.id), p50, p90, average)
    made = e.Forecast(p50=round(p50 * 60), p90=round(p90 * 60), rule=round(average * 60))
    return interval(told, found.beyond), made


def at_once(state: HallState, who: Newcomer, now: Millis) -> Foreseen | None:
    """The plainest case without a simulation: more windows of the queue are idle than people wait at windows
    connected with it. None in any other case, and where a plan or a skill may matter."""
    plan, queue = state.plan, who.item.queue
    if plan.hours or plan.roster or who.item.skill:
        return None
    waiting = sum(count(state, one) for one in plan.linked.get(queue, ()))
    idle = 0
    for window in plan.joined.get(queue, ()):
        life = state.windows[window]
        if life.ticket is None and life.state is WindowState.OPEN:
            config = state.window_config[window]
            idle += queue in config.queues and not config.appointment_only
    if idle <= waiting or any(line.startswith("@") for line in state.lines):
        return None
    p50, p90 = quick(state.learned.durations.reaction.value, REACTION_CV)
    return Foreseen(p50, p90, 0.0)


def _crowded(state: HallState, queue: QueueId, now: Millis) -> bool:
    """True where more than :data:`FOLLOWED` people wait and windows are open."""
    waiting = sum(count(state, one) for one in state.plan.linked.get(queue, ()))
    return waiting > FOLLOWED and bool(open_windows(state, queue, now))


def _in_a_crowd(state: HallState, average: float, now: Millis) -> Foreseen:
    """What the average rule's minutes say of somebody in a crowd."""
    p90 = average * CROWD_P90
    hours = state.plan.hours
    late = bool(hours and now + p90 * MINUTE_MS > hours[-1][1])
    return Foreseen(average, p90, 1.0 if late else 0.0)


def _simulated_for(state: HallState, who: Newcomer, now: Millis) -> Foreseen | None:
    priority = who.placing.priority
    situation = scenes.situation(state, who.item.queue, priority, now)
    asked = Visitor(
        queue=who.item.queue,
        items=(who.item.id,),
        line=f"{who.item.queue}/{priority}",
        since=scenes.place_of(state, priority, who.placing.at),
        came=now,
        skill=who.item.skill,
        booked=who.booked,
    )
    known = scenes.facts(state, scenes.items_of(situation) | {who.item.id}, now)
    return foresee(situation, known, [asked], rule(state, situation.desks))[0]


def usual_rule(state: HallState, queue: QueueId, ahead: int, now: Millis) -> float:
    """Average visit of the queue × people ahead ÷ open windows, in minutes."""
    windows = sum(
        state.windows[one].state is WindowState.OPEN and queue in queues_of(state, one, now)
        for one in scenes.windows_of(state, queue, now)
    )
    return learning.average_of(state, queue).value * ahead / max(1, windows)


def interval(told: Told, beyond: float) -> e.Interval:
    """In whole minutes, wider rather than narrower."""
    late = beyond >= BEYOND_FROM
    if told.p90 <= AT_ONCE and told.basis is WaitBasis.SIMULATION:
        return e.Interval(low=0, high=ceil(AT_ONCE), basis=told.basis, beyond=late)
    low = max(1, floor(told.p50))
    return e.Interval(low=low, high=max(low + 1, ceil(told.p90)), basis=told.basis, beyond=late)


# ---- for screens ----------------------------------------------------------------------------------


class Outlook:
    """Waits of the whole hall at one instant: one simulation for all queues that share windows, made when the first
    of them is asked for. It is of the state as it is then: make a new one when that has changed."""

    def __init__(self, state: HallState, now: Millis) -> None:
        self._state = state
        self.now = now
        self.seq = state.seq
        self._groups: dict[tuple[str, ...], _Group] = {}

    def queue(self, queue: QueueId) -> e.Interval | None:
        """For an ordinary visitor who joins the queue now."""
        scores = self._state.learned.calibration.items
        own = [one for item in self._items(queue) if (one := scores.get(item)) is not None]
        score = together(own) if any(one.bad for one in own) else None
        return self._told(queue, score, self._group(queue))

    def _items(self, queue: QueueId) -> list[ItemId]:
        return self._state.plan.items.get(queue, [])

    def withdrawn(self, queue: QueueId) -> dict[ItemId, e.Interval]:
        """The same for items of the queue whose own forecasts have been bad of late: told otherwise than the
        queue's."""
        scores = self._state.learned.calibration.items
        found: dict[ItemId, e.Interval] = {}
        for item in self._items(queue):
            score = scores.get(item)
            if score is not None and score.bad:
                told = self._told(queue, score, self._group(queue))
                if told is not None:
                    found[item] = told
        return found

    def ticket(self, ticket: Ticket) -> e.Interval | None:
        """For somebody who waits, from now on."""
        found = self._group(ticket.queue).tickets.get(ticket.id)
        if found is None:
            return None
        if self._group(ticket.queue).crowd:
            return _interval_in_a_crowd(found)
        score = self._state.learned.calibration.items.get(ticket.item)
        place = (ticket.place_at, ticket.order)
        return self._interval(ticket.queue, score, found, ticket.priority, place)

    def _told(self, queue: QueueId, score: Score | None, group: "_Group") -> e.Interval | None:
        found = group.queues.get(queue)
        if found is None:
            return None
        if group.crowd:
            return _interval_in_a_crowd(found)
        place = (self.now, len(self._state.tickets) + 1)
        return self._interval(queue, score, found, ORDINARY, place)

    def _interval(
        self, queue: QueueId, score: Score | None, found: Foreseen, priority: str, place: Key
    ) -> e.Interval:
        calibration = self._state.learned.calibration
        p50, p90 = calibrating.corrected(calibration, queue, found.p50, found.p90)
        average = 0.0
        if score is not None and score.bad:
            before = ahead_of(self._state, queue, priority, place, self.now)
            average = usual_rule(self._state, queue, before, self.now)
        return interval(calibrating.tell(score, p50, p90, average), found.beyond)

    def _group(self, queue: QueueId) -> "_Group":
        joined = self._state.plan.joined
        key = tuple(joined.get(queue, ()))
        if not key:
            return _NOBODY
        if key not in self._groups:
            same = [one for one, windows in joined.items() if tuple(windows) == key]
            crowd = _crowded(self._state, queue, self.now)
            foreseen = _by_average if crowd else _simulated
            self._groups[key] = foreseen(self._state, same, self.now)
        return self._groups[key]


@dataclass(frozen=True, slots=True)
class _Group:
    """What was foreseen for queues that share windows, and for those who wait there."""

    queues: dict[QueueId, Foreseen] = field(default_factory=dict)
    tickets: dict[TicketId, Foreseen] = field(default_factory=dict)
    crowd: bool = False


_NOBODY = _Group()


def _simulated(state: HallState, queues: list[QueueId], now: Millis) -> _Group:
    situation: Situation = scenes.situation(state, queues[0], ORDINARY, now)
    asked = [
        Visitor(
            queue=queue,
            items=(),
            line=f"{queue}/{ORDINARY}",
            since=scenes.place_of(state, ORDINARY, now),
            came=now,
        )
        for queue in queues
    ]
    known = scenes.facts(state, scenes.items_of(situation), now)
    joining, waiting = foresee_everybody(situation, known, asked, rule(state, situation.desks))
    return _Group(
        {queue: one for queue, one in zip(queues, joining, strict=True) if one is not None},
        {
            TicketId(who.ref): one
            for who, one in zip(situation.waiting, waiting, strict=True)
            if one is not None
        },
    )


def _by_average(state: HallState, queues: list[QueueId], now: Millis) -> _Group:
    """The same for a crowd, by the average rule: everybody by their place among those of their queue."""
    joining: dict[QueueId, Foreseen] = {}
    tickets: dict[TicketId, Foreseen] = {}
    for queue in queues:
        rows = [
            (scenes.place_of(state, priority, state.tickets[one].place_at), one)
            for priority, row in state.lines.get(queue, {}).items()
            for one in row
        ]
        turn = usual_rule(state, queue, 1, now)
        for ahead, (_, one) in enumerate(sorted(rows)):
            tickets[one] = _in_a_crowd(state, turn * ahead, now)
        joining[queue] = _in_a_crowd(state, turn * len(rows), now)
    return _Group(joining, tickets, crowd=True)


def _interval_in_a_crowd(found: Foreseen) -> e.Interval:
    return interval(Told(found.p50, found.p90, WaitBasis.AVERAGE), found.beyond)
