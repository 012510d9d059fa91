"""A situation made ready for simulating: only what is connected with the people asked for, in minutes from now."""

from collections.abc import Iterator, Sequence
from math import exp, inf
from typing import NamedTuple

from hallserver.engine.forecast import durations as learning
from hallserver.engine.forecast.durations import Durations
from hallserver.engine.forecast.situation import (
    Desk,
    Situation,
    Stream,
    Visitor,
    connected,
    may_call,
)
from hallserver.engine.forecast.tables import COARSEST, Design, remaining, turns
from qingting.contract.ids import ItemId, Millis

MINUTE = 60_000
MAY_STILL_COME = 12
"""People of one stream who can still overtake; more are not followed."""
PAUSE_CV, REACTION_CV = 0.9, 0.9


class Facts(NamedTuple):
    """What a forecast is told besides the situation: what was learned, configured minutes by item, and the
    hour band of now."""

    learned: Durations
    typical: dict[ItemId, float]
    band: int


class Person(NamedTuple):
    """Somebody in the scene. ``desks`` are the places in the scene of windows that may call them;
    ``arrives`` is 0 for who is here; ``mean`` and ``cv`` are those of the visit at an average clerk. ``nth``
    of ``stream`` when nobody knows yet who it is. ``watched`` is the place among those
    whose call is wanted, or -1."""

    visitor: Visitor
    desks: tuple[int, ...]
    arrives: float
    mean: float
    cv: float
    stream: int = -1
    nth: int = 0
    watched: int = -1


class Scene:
    """See the module. ``people`` are those here and due, in no order; without ``all_places`` only those with a
    place before the last of the people asked for. ``asked`` are newcomers. With ``everybody`` those who wait
    are watched as well: ``watched`` says how many are, the newcomers first, then those of the situation in
    their order."""

    def __init__(
        self,
        situation: Situation,
        facts: Facts,
        asked: Sequence[Visitor],
        *,
        all_places: bool = False,
        everybody: bool = False,
    ) -> None:
        self.now = situation.now
        self.facts = facts
        self.desks = connected(situation.desks, {one.queue for one in asked})
        hour = learning.hour_pace(facts.learned, facts.band)
        self.paces = [learning.pace(facts.learned, one.clerk) * hour for one in self.desks]
        queues = {queue for one in self.desks for queue in one.queues}
        last = inf if all_places else max(one.since for one in asked)
        self._may: dict[tuple[object, ...], tuple[int, ...]] = {}
        self._visits: dict[tuple[ItemId, ...], tuple[float, float]] = {}
        self.asked = [self.person(one, 0.0, watched=n) for n, one in enumerate(asked)]
        self.watched = len(asked) + (len(situation.waiting) if everybody else 0)
        self.people = [
            self.person(one, 0.0, watched=n if everybody else -1)
            for n, one in enumerate(situation.waiting, start=len(asked))
            if one.queue in queues and one.since <= last
        ]
        self.people += [
            self.person(one, max(0.001, (one.due - self.now) / MINUTE))
            for one in situation.due
            if one.queue in queues and one.since <= last
        ]
        self._longest = _longest(self.people)
        self.streams = [one for one in situation.streams if one.queue in queues]
        self.away = [spans(one, self.now) for one in self.desks]

    def person(
        self, visitor: Visitor, arrives: float, stream: int = -1, nth: int = 0, watched: int = -1
    ) -> Person:
        key = (visitor.queue, visitor.window, visitor.clerk, visitor.skill, visitor.booked)
        desks = self._may.get(key)
        if desks is None:
            desks = tuple(n for n, desk in enumerate(self.desks) if may_call(desk, visitor))
            self._may[key] = desks
        mean, cv = self.visit(visitor.items)
        return Person(visitor, desks, arrives, mean, cv, stream, nth, watched)

    def visit(self, items: tuple[ItemId, ...]) -> tuple[float, float]:
        """Mean and coefficient of variation of a visit for ``items``, one after the other."""
        found = self._visits.get(items)
        if found is None:
            found = self._visits[items] = visit(self.facts, items)
        return found

    def last_call(self, one: Person) -> float:
        """Minutes until the last window for somebody ends its day; ``inf`` when no end is planned."""
        ends = [self.away[w][-1] if self.away[w] else (inf, 0.0) for w in one.desks]
        if any(back != inf for _, back in ends):
            return inf
        return max((begin for begin, _ in ends), default=inf)

    def expected(self, stream: int) -> Iterator[Person]:
        """People of a stream as they would come if evenly spaced, as far as they are called before those
        asked for."""
        source: Stream = self.streams[stream]
        limit = self.overtaking_until(stream)
        for nth in range(MAY_STILL_COME):
            arrives = (nth + 0.5) * 60 / source.per_hour
            if arrives >= limit:
                return
            visitor = Visitor(
                queue=source.queue,
                items=(source.items[nth % len(source.items)],),
                line=source.line,
                since=self.now + round(arrives * MINUTE) - source.head_start,
                came=self.now + round(arrives * MINUTE),
            )
            yield self.person(visitor, arrives, stream, nth)

    def overtaking_until(self, stream: int) -> float:
        """Minutes from now until which somebody of the stream who comes gets a better place than those asked."""
        place = max(one.visitor.since for one in self.asked)
        return (place + self.streams[stream].head_start - self.now) / MINUTE

    def newcomer(self, one: Person) -> bool:
        """True for somebody only asked for: it takes no time, so that several can be asked for at once."""
        return 0 <= one.watched < len(self.asked)

    def overhead(self) -> float:
        """Minutes between two visits at a window: next call and walk."""
        return self.facts.learned.walk.value + self.facts.learned.gap.value

    def free(self, w: int, design: Design) -> Sequence[float]:
        """Quantiles of when a window can call next, planned absences left aside."""
        learned, desk = self.facts.learned, self.desks[w]
        if desk.pause:
            gone = (self.now - desk.pause) / MINUTE
            return remaining(design, learned.pause.value, PAUSE_CV, gone)
        if not desk.items:
            return remaining(design, learned.reaction.value, REACTION_CV, self._let_wait(w))
        mean, cv = self.visit(desk.items)
        mean *= self.paces[w]
        if desk.begun:
            gone = (self.now - desk.begun) / MINUTE
            return [one + learned.gap.value for one in remaining(design, mean, cv, gone)]
        return self._called(mean, cv, (self.now - desk.called) / MINUTE, design)

    def _let_wait(self, w: int) -> float:
        """Minutes for which an idle window has not called somebody whom it may call."""
        came = min((at for desks, at in self._longest.items() if w in desks), default=self.now)
        return max(0.0, (self.now - max(came, self.desks[w].idle)) / MINUTE)

    def _called(self, mean: float, cv: float, gone: float, design: Design) -> Sequence[float]:
        """The same at a window that called ``gone`` minutes ago and where nobody has come yet."""
        learned = self.facts.learned
        here = (1 - learned.absent.value) * exp(-gone / max(learned.walk.value, 0.05))
        absent = learned.absent.value / (learned.absent.value + here)
        overhead = max(learned.walk.value - gone, 0.1) + learned.gap.value
        missed = max(learned.missed.value - gone, 0.2) + learned.gap.value
        return turns(
            design.replicas,
            mean,
            cv,
            overhead=round(overhead, 1),
            absent=round(absent, 1),
            missed=round(missed, 1),
            stay_away=0.0,
        )

    def likely_free(self, w: int) -> float:
        """Mean minutes until a window can call next."""
        return sum(self.free(w, COARSEST)) / COARSEST.replicas


def _longest(people: Sequence[Person]) -> dict[tuple[int, ...], Millis]:
    """When the first of those who are here came, by the desks that may call them."""
    found: dict[tuple[int, ...], Millis] = {}
    for one in people:
        if not one.arrives:
            found[one.desks] = min(one.visitor.came, found.get(one.desks, one.visitor.came))
    return found


def visit(facts: Facts, items: Sequence[ItemId]) -> tuple[float, float]:
    """Mean minutes and coefficient of variation of the items one after the other, at an average clerk."""
    mean = square = 0.0
    for item in items:
        one = learning.expected_minutes(facts.learned, item, facts.typical.get(item, 10.0))
        mean += one
        square += (one * learning.variation(facts.learned, item)) ** 2
    return mean, square**0.5 / mean if mean else 0.0


def spans(desk: Desk, now: Millis) -> tuple[tuple[float, float], ...]:
    """Planned absences in minutes from now, the end of the window's day as the last."""
    found = [((a - now) / MINUTE, (b - now) / MINUTE) for a, b in desk.away if b > now]
    if desk.until is not None:
        found.append(((desk.until - now) / MINUTE, inf))
    return tuple(sorted(found))
