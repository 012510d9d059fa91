"""What each event teaches the forecasts. Called from ``evolve`` before the event has changed the state."""

from hallserver.engine.days import MINUTE_MS, offset_minutes
from hallserver.engine.forecast import arrivals as coming
from hallserver.engine.forecast import calibration as calibrating
from hallserver.engine.forecast import durations as learning
from hallserver.engine.forecast.calibration import Made, Told
from hallserver.engine.forecast.durations import Mean
from hallserver.engine.forecast.learned import AVERAGE_WEIGHT
from hallserver.engine.state import HallState, Ticket, WindowLife
from qingting.contract import events as e
from qingting.contract.ids import ItemId, Millis, QueueId
from qingting.contract.rules import ORDINARY
from qingting.contract.states import WaitBasis, WindowState

LONGEST_GAP, LONGEST_WALK, LONGEST_MISS, LONGEST_PAUSE, LONGEST_VISIT = 10, 5, 10, 60, 240
"""Minutes that count at most: beyond them somebody forgot to press."""
NEAR_A_BREAK_MS = 12 * MINUTE_MS
"""A window that pauses this shortly before a planned absence has begun it."""
USUAL_MINUTES = 10.0
"""Typical minutes of an item that the configuration has no more."""


def typical_minutes(state: HallState, item: ItemId) -> float:
    """Configured minutes of an item."""
    found = state.items.get(item)
    return found.minutes if found is not None else USUAL_MINUTES


def hour_of(state: HallState, at: Millis) -> int:
    """Hour of the day in the hall."""
    return (at // MINUTE_MS + offset_minutes(state.config)) // 60 % 24


def band_of(state: HallState, at: Millis) -> int:
    """Hour band of an instant, as durations are learned."""
    return hour_of(state, at) // learning.HOUR_BAND


def average_of(state: HallState, queue: QueueId) -> Mean:
    """The plain average visit of a queue in minutes, begun with the configured ones."""
    found = state.learned.averages.get(queue)
    if found is not None:
        return found
    own = [typical_minutes(state, one) for one in state.plan.items.get(queue, ())]
    return Mean(sum(own) / len(own) if own else USUAL_MINUTES, AVERAGE_WEIGHT)


def issued(state: HallState, body: e.TicketIssued, at: Millis) -> None:
    priority = body.placing.priority if body.placing is not None else ORDINARY
    learned = state.learned
    coming.observe_arrival(learned.arrivals, body.queue, priority, hour_of(state, at), at)
    if body.booking is not None:
        learned.durations.booked.take(True)


def booking_missed(state: HallState) -> None:
    state.learned.durations.booked.take(False)


def called(state: HallState, ticket: Ticket, life: WindowLife, at: Millis) -> None:
    """Gap or reaction of the clerk, and the score of the forecast."""
    durations = state.learned.durations
    if ticket.line and life.idle_since:
        if ticket.since < life.idle_since:
            durations.gap.take((at - life.idle_since) / MINUTE_MS, LONGEST_GAP)
        else:
            durations.reaction.take((at - ticket.since) / MINUTE_MS, LONGEST_GAP)
    made = ticket.forecast
    if made is None or ticket.wait is None:
        return
    low, high, basis = ticket.wait.low, ticket.wait.high, ticket.wait.basis
    told = Told(made.p50 / 60, made.p90 / 60, basis)
    if basis is not WaitBasis.SIMULATION:
        told = Told(float(low), float(high), basis)
    calibrating.observe(
        state.learned.calibration,
        ticket.queue,
        ticket.item,
        (at - ticket.issued_at) / MINUTE_MS,
        Made(made.p50 / 60, made.p90 / 60, made.rule / 60, told),
    )


def begun(state: HallState, ticket: Ticket, at: Millis) -> None:
    durations = state.learned.durations
    durations.walk.take((at - ticket.called_at) / MINUTE_MS, LONGEST_WALK)
    _answered(state, ticket, came=True)


def missed(state: HallState, ticket: Ticket, at: Millis) -> None:
    durations = state.learned.durations
    durations.missed.take((at - ticket.called_at) / MINUTE_MS, LONGEST_MISS)
    _answered(state, ticket, came=False)


def _answered(state: HallState, ticket: Ticket, *, came: bool) -> None:
    """Only first calls: who has been here before is here, and who was missed once is another matter."""
    if not ticket.misses and not ticket.cases:
        waited = (ticket.called_at - ticket.issued_at) / MINUTE_MS
        learning.observe_call(state.learned.durations, waited, came=came)


def finished(state: HallState, ticket: Ticket, body: e.ServiceFinished, at: Millis) -> None:
    if not ticket.begun_at:
        return
    minutes = min((at - ticket.begun_at) / MINUTE_MS, LONGEST_VISIT)
    learning.observe_visit(
        state.learned.durations,
        ticket.item,
        body.staff,
        band_of(state, ticket.begun_at),
        minutes=minutes,
        typical=typical_minutes(state, ticket.item),
    )
    average = state.learned.averages[ticket.queue] = average_of(state, ticket.queue)
    average.take(minutes, LONGEST_VISIT)


def opened(state: HallState, life: WindowLife, at: Millis) -> None:
    """The end of a pause that nobody had planned."""
    if life.state is WindowState.PAUSED and planned_back(state, life, life.since) is None:
        minutes = (at - life.since) / MINUTE_MS
        state.learned.durations.pause.take(minutes, LONGEST_PAUSE)


def planned_back(state: HallState, life: WindowLife, since: Millis) -> Millis | None:
    """End of the planned absence that a pause since then belongs to; None when it was not planned."""
    for begin, back in absences(state, life):
        if begin - NEAR_A_BREAK_MS <= since < back:
            return back
    return None


def absences(state: HallState, life: WindowLife) -> list[tuple[Millis, Millis]]:
    """Times today at which nobody is planned at a window between its first and last hour: by its shifts,
    without any by the hall's hours."""
    roster = state.plan.roster.get(life.id)
    spans = [(one.start, one.end) for one in roster] if roster else state.plan.hours or []
    found: list[tuple[Millis, Millis]] = []
    end = spans[0][0] if spans else 0
    for begin, back in spans:
        if begin > end:
            found.append((end, begin))
        end = max(end, back)
    return found
