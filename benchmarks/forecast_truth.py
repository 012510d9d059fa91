"""What really happens on a day: an event-driven simulation of a hall with random numbers of its own.

It shares no code with the forecaster and tells only what a hall's log would say, as :class:`Seen`
records in the order of time. Service times, gaps, absences, pauses, the mood of a day and how well people and
clerks keep to plans are drawn here and nowhere told.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.forecast_days import (
    CLOSES,
    LAST_CALL,
    OPENS,
    TICKETS_UNTIL,
    Post,
    Shape,
    TrueItem,
)

PRIORITY_WORTH, BOOKED_WORTH = 20.0, 15.0
"""Minutes of waiting that the law's priority and a kept appointment are worth at a call."""
PUNCTUAL_AFTER = 15.0
"""Minutes after the booked time until which an appointment is kept; later it counts for nothing."""
PRIORITY_RUN = 3
"""Priority calls in a row at one window before an ordinary visitor is called."""
MEAN_CALL_TO_BEGIN, MEAN_GAP, MEAN_REACTION = 0.6, 0.5, 0.25


@dataclass(frozen=True)
class Seen:
    """One line of the hall's log. ``kind``: opened, paused, closed, booked, came, called, begun, done, absent, left."""

    at: float
    kind: str
    window: str = ""
    clerk: str = ""
    visitor: int = -1
    item: str = ""
    queue: str = ""
    priority: bool = False
    booked: float | None = None


@dataclass
class _Visitor:
    id: int
    item: TrueItem
    came: float
    priority: bool
    booked: float | None

    @property
    def place(self) -> float:
        """The moment that orders visitors among each other."""
        if self.priority:
            return self.came - PRIORITY_WORTH
        if self.booked is not None and self.came <= self.booked + PUNCTUAL_AFTER:
            return self.booked - BOOKED_WORTH
        return self.came


@dataclass
class _Window:
    post: Post
    open: bool = False
    busy: bool = False
    token: int = 0
    """A timed event of an older token is out of date."""
    run: int = 0
    away: list[tuple[float, float]] = field(default_factory=list)
    paused_until: float = 0.0
    ready: float = 0.0


def _lognormal(random: Random, mean: float, cv: float) -> float:
    sigma2 = math.log(1 + cv * cv)
    return random.lognormvariate(math.log(mean) - sigma2 / 2, math.sqrt(sigma2))


def _draw(random: Random, item: TrueItem) -> float:
    shape = 1 / item.cv**2
    match item.law:
        case "gamma":
            return random.gammavariate(shape, item.mean / shape)
        case "lognormal":
            return _lognormal(random, item.mean, item.cv)
        case _:
            short = random.random() < 0.2
            part = 0.25 if short else (1 - 0.2 * 0.25) / 0.8
            return part * random.gammavariate(shape, item.mean / shape)


class Day:
    """One day of a hall; :meth:`run` gives its log. ``number`` is the day's place in the series, from 0."""

    def __init__(self, shape: Shape, number: int, random: Random) -> None:
        self.shape = shape
        self.start = number * 1440.0
        self.random = random
        self.mood = random.lognormvariate(0, 0.08)
        self.windows = [_Window(post) for post in shape.layout.posts]
        self.waiting: dict[int, _Visitor] = {}
        self.events: list[tuple[float, int, str, int, int]] = []
        self.visitors: list[_Visitor] = []
        self.log: list[Seen] = []
        self.ticks = 0

    def run(self) -> list[Seen]:
        self._plan_windows()
        self._plan_visitors()
        while self.events:
            at, _, kind, who, token = heapq.heappop(self.events)
            getattr(self, f"_on_{kind}")(at, who, token)
        return self.log

    # ---- plans ----------------------------------------------------------------------------------

    def _at(self, at: float, kind: str, who: int, token: int = 0) -> None:
        self.ticks += 1
        heapq.heappush(self.events, (at, self.ticks, kind, who, token))

    def _say(self, at: float, kind: str, **more: object) -> None:
        self.log.append(Seen(at=at + self.start, kind=kind, **more))  # type: ignore[arg-type]

    def _plan_windows(self) -> None:
        r = self.random
        for index, window in enumerate(self.windows):
            self._at(OPENS + r.gauss(0, 2), "open", index)
            for begin, end in window.post.away:
                window.away.append((begin + r.gauss(0, 3), end + r.gauss(1, 3)))
            minute = OPENS + r.expovariate(self.shape.pauses / 60)
            while minute < window.post.until - 30:
                window.away.append((minute, minute + _lognormal(r, 8, 0.7)))
                minute += 30 + r.expovariate(self.shape.pauses / 60)
            window.away.sort()
            for begin, _ in window.away:
                self._at(begin, "leave", index)
            self._at(window.post.until, "leave", index)
        self._at(LAST_CALL, "home", 0)

    def _plan_visitors(self) -> None:
        r = self.random
        busy = r.lognormvariate(0, 0.1)
        for hour, load in enumerate(self.shape.load):
            begin = OPENS + 60 * hour
            for queue, rate in self._capacity().items():
                minute = begin + r.expovariate(rate * load * busy)
                while minute < min(begin + 60, TICKETS_UNTIL):
                    self._plan_visitor(queue, minute)
                    minute += r.expovariate(rate * load * busy)

    def _plan_visitor(self, queue: str, minute: float) -> None:
        r = self.random
        items = [one for one in self.shape.layout.items if one.queue == queue]
        item = r.choices(items, [one.share for one in items])[0]
        priority = r.random() < self.shape.priority
        visitor = _Visitor(len(self.visitors), item, minute, priority, None)
        self.visitors.append(visitor)
        if r.random() < self.shape.booked:
            visitor.booked = min(TICKETS_UNTIL - 20, 15 * round(minute / 15))
            self._say(
                0.0,
                "booked",
                visitor=visitor.id,
                item=item.name,
                queue=queue,
                booked=visitor.booked + self.start,
            )
            if r.random() < 0.15:
                return
            visitor.came = min(max(OPENS, visitor.booked + r.gauss(-6, 8)), TICKETS_UNTIL)
        self._at(visitor.came, "come", visitor.id)

    def _capacity(self) -> dict[str, float]:
        """Visitors a minute that the windows of each queue can serve, shared windows counted in part."""
        work: dict[str, list[tuple[float, float]]] = {}
        for item in self.shape.layout.items:
            work.setdefault(item.queue, []).append((item.share, item.mean))
        found = dict.fromkeys(work, 0.0)
        for post in self.shape.layout.posts:
            for queue in post.queues:
                found[queue] += 1 / len(post.queues)
        over = MEAN_CALL_TO_BEGIN + MEAN_GAP
        return {
            queue: number
            / (sum(s * m for s, m in work[queue]) / sum(s for s, _ in work[queue]) + over)
            for queue, number in found.items()
        }

    # ---- events ---------------------------------------------------------------------------------

    def _on_open(self, at: float, who: int, token: int) -> None:
        window = self.windows[who]
        window.open = True
        self._say(at, "opened", window=window.post.name, clerk=window.post.clerk)
        self._free(window, at)

    def _on_come(self, at: float, who: int, token: int) -> None:
        one = self.visitors[who]
        self.waiting[who] = one
        booked = one.booked + self.start if one.booked is not None else None
        self._say(
            at,
            "came",
            visitor=who,
            item=one.item.name,
            queue=one.item.queue,
            priority=one.priority,
            booked=booked,
        )
        for index, window in enumerate(self.windows):
            if (
                window.open
                and not window.busy
                and one.item.queue in window.post.queues
                and window.ready <= at
            ):
                window.token += 1
                window.ready = at + _lognormal(self.random, MEAN_REACTION, 0.8)
                self._at(window.ready, "call", index, window.token)
                return

    def _on_leave(self, at: float, who: int, token: int) -> None:
        window = self.windows[who]
        if window.open and not window.busy:
            self._go_away(window, at)

    def _go_away(self, window: _Window, at: float) -> bool:
        """Leaves the window if a plan or the end of the day asks for it."""
        if at >= window.post.until and not (window.post.until == CLOSES and self._somebody(window)):
            window.open = False
            self._say(at, "closed", window=window.post.name, clerk=window.post.clerk)
            return True
        for begin, end in window.away:
            if begin <= at < end - 1:
                window.open = False
                window.token += 1
                self._say(at, "paused", window=window.post.name, clerk=window.post.clerk)
                self._at(end, "open", self.windows.index(window))
                return True
        return False

    def _somebody(self, window: _Window) -> bool:
        return any(one.item.queue in window.post.queues for one in self.waiting.values())

    def _free(self, window: _Window, at: float) -> None:
        """The window may call again after a gap, or leaves."""
        window.busy = False
        if not self._go_away(window, at):
            window.token += 1
            window.ready = at
            if self._somebody(window):
                window.ready = at + _lognormal(self.random, MEAN_GAP, 0.8)
                self._at(window.ready, "call", self.windows.index(window), window.token)

    def _on_call(self, at: float, who: int, token: int) -> None:
        window = self.windows[who]
        if token != window.token or not window.open or window.busy:
            return
        if self._go_away(window, at):
            return
        one = self._next(window, at)
        if one is None:
            window.ready = at
            return
        del self.waiting[one.id]
        window.busy = True
        self._say(at, "called", window=window.post.name, clerk=window.post.clerk, visitor=one.id)
        missing = min(0.6, self.shape.absent * (0.6 + (at - one.came) / 40))
        if self.random.random() < missing:
            self._at(at + self.random.uniform(1.0, 2.5), "absent", who, one.id)
            return
        self._at(at + _lognormal(self.random, MEAN_CALL_TO_BEGIN, 0.6), "begin", who, one.id)

    def _next(self, window: _Window, at: float) -> _Visitor | None:
        """The hall's rule: the longest wait, priority and appointments counted in; at most three priority
        calls in a row while ordinary visitors wait."""
        there = [one for one in self.waiting.values() if one.item.queue in window.post.queues]
        if not there:
            return None
        ordinary = [one for one in there if not one.priority]
        if window.run >= PRIORITY_RUN and ordinary:
            there = ordinary
        chosen = min(there, key=lambda one: (one.place, one.id))
        window.run = window.run + 1 if chosen.priority else 0
        return chosen

    def _on_absent(self, at: float, who: int, token: int) -> None:
        window = self.windows[who]
        self._say(at, "absent", window=window.post.name, visitor=token)
        self._free(window, at)

    def _on_begin(self, at: float, who: int, token: int) -> None:
        window = self.windows[who]
        self._say(at, "begun", window=window.post.name, visitor=token)
        speed = self.shape.layout.speeds.get(window.post.clerk, 1.0)
        slow = 1.12 if at > 960 or at < 540 else 1.0
        length = _draw(self.random, self.visitors[token].item) * speed * self.mood * slow
        self._at(at + max(0.3, length), "finish", who, token)

    def _on_finish(self, at: float, who: int, token: int) -> None:
        window = self.windows[who]
        self._say(at, "done", window=window.post.name, visitor=token)
        self._free(window, at)

    def _on_home(self, at: float, who: int, token: int) -> None:
        """Who still waits is sent home."""
        for one in self.waiting.values():
            self._say(at, "left", visitor=one.id)
        self.waiting = {}


def days(shape: Shape, count: int, seed: int) -> Iterator[list[Seen]]:
    """``count`` days of one hall one after the other, always the same for the same seed."""
    for number in range(count):
        yield sorted(
            Day(shape, number, Random(f"{shape.name}/{seed}/{number}")).run(),
            key=lambda one: one.at,
        )
