"""A hall as it sees itself: reads the log of a day, learns, and forecasts each ticket as it is taken.

It knows the configuration, the roster and the calling rule, as a hall does, and of :mod:`benchmarks.forecast_truth`
only the log lines.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.forecast_days import CLOSES, LAST_CALL, OPENS, Layout, Post
from benchmarks.forecast_truth import Seen
from hallserver.engine.forecast import arrivals as coming
from hallserver.engine.forecast import calibration as calibrating
from hallserver.engine.forecast import durations as learning
from hallserver.engine.forecast.arrivals import Arrivals
from hallserver.engine.forecast.calibration import Calibration, Made
from hallserver.engine.forecast.durations import Durations
from hallserver.engine.forecast.scene import MINUTE, Facts
from hallserver.engine.forecast.simulate import foresee
from hallserver.engine.forecast.situation import Desk, Situation, Stream, Visitor
from qingting.contract.ids import ItemId, Millis, QueueId, StaffId, WindowId

PRIORITY_WORTH, BOOKED_WORTH, KEPT_UNTIL = 20.0, 15.0, 15.0
"""The hall's published rule, in minutes."""
EARLY = 5.0
"""Minutes before their time that booked people usually come."""
NEAR_A_BREAK = 12.0
"""A window that pauses so many minutes before a planned absence has begun it."""
BASE = 1_795_564_800_000
"""Some midnight; the clock of the benchmark's halls is UTC."""


def ms(minutes: float) -> Millis:
    return BASE + round(minutes * MINUTE)


@dataclass
class Place:
    """A window as the log leaves it. ``visitor`` -1: nobody."""

    open: bool = False
    visitor: int = -1
    called: float = 0.0
    begun: float = 0.0
    idle: float = 0.0
    pause: float = 0.0


@dataclass
class Average:
    """A running average."""

    total: float = 0.0
    count: int = 0

    def take(self, value: float) -> None:
        self.total += value
        self.count += 1

    def value(self, first: float) -> float:
        return self.total / self.count if self.count else first


@dataclass(frozen=True)
class Forecast:
    """What was forecast for one ticket, in minutes. ``rule`` is the average of the whole hall times people ahead over
    windows, ``queue_rule`` the same with the average of the ticket's queue; ``beyond`` the probability not to be reached."""

    seen: Seen
    made: Made
    rule: float
    queue_rule: float
    beyond: float


class Watcher:
    """One hall over a series of days."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.typical = {ItemId(one.name): one.typical for one in layout.items}
        self.items = {
            queue: tuple(ItemId(one.name) for one in layout.items if one.queue == queue)
            for queue in dict.fromkeys(one.queue for one in layout.items)
        }
        self.learned = Durations()
        self.arrivals = Arrivals()
        self.calibration = Calibration()
        self.average = Average()
        self.queue_average = {queue: Average() for queue in self.items}
        self.hear: dict[str, Callable[[Seen], None]] = {
            kind: getattr(self, f"_{kind}")
            for kind in (
                *("opened", "paused", "closed", "booked", "came"),
                *("called", "begun", "absent", "done", "left"),
            )
        }
        self._clear(0)

    def begin_day(self, number: int) -> None:
        """The turn of the day: what was learned stays, the rest is gone."""
        learning.night(self.learned)
        coming.night(self.arrivals)
        calibrating.night(self.calibration)
        self._clear(number)

    def _clear(self, number: int) -> None:
        self.start = number * 1440.0
        self.places = {post.name: Place() for post in self.layout.posts}
        self.waiting: dict[int, Seen] = {}
        self.present: dict[int, Seen] = {}
        self.due: dict[int, Seen] = {}
        self.forecasts: dict[int, Forecast] = {}

    # ---- log --------------------------------------------------------------------------------------

    def read(self, line: Seen) -> None:
        for one in [one for one in self.due.values() if line.at > _time(one) + 2 * KEPT_UNTIL]:
            del self.due[one.visitor]
            self.learned.booked.take(False)
        self.hear[line.kind](line)

    def _opened(self, line: Seen) -> None:
        place = self.places[line.window]
        if place.pause and self._planned(self._post(line.window), place.pause) is None:
            self.learned.pause.take(line.at - place.pause, 60)
        place.open, place.idle, place.pause = True, line.at, 0.0

    def _paused(self, line: Seen) -> None:
        place = self.places[line.window]
        place.open, place.pause = False, line.at

    def _closed(self, line: Seen) -> None:
        self.places[line.window] = Place()

    def _booked(self, line: Seen) -> None:
        self.due[line.visitor] = line

    def _came(self, line: Seen) -> None:
        if self.due.pop(line.visitor, None) is not None:
            self.learned.booked.take(True)
        self.waiting[line.visitor] = self.present[line.visitor] = line
        hour = int(line.at % 1440 // 60)
        coming.observe_arrival(
            self.arrivals, QueueId(line.queue), str(line.priority), hour, ms(line.at)
        )

    def _called(self, line: Seen) -> None:
        one, place = self.waiting.pop(line.visitor), self.places[line.window]
        if one.at < place.idle:
            self.learned.gap.take(line.at - place.idle, 10)
        else:
            self.learned.reaction.take(line.at - one.at, 10)
        place.visitor, place.called, place.begun = line.visitor, line.at, 0.0
        if line.visitor in self.forecasts:
            made = self.forecasts[line.visitor].made
            calibrating.observe(
                self.calibration, QueueId(one.queue), ItemId(one.item), line.at - one.at, made
            )

    def _begun(self, line: Seen) -> None:
        place = self.places[line.window]
        place.begun = line.at
        self.learned.walk.take(line.at - place.called, 5)
        waited = place.called - self.present[line.visitor].at
        learning.observe_call(self.learned, waited, came=True)

    def _absent(self, line: Seen) -> None:
        place = self.places[line.window]
        self.learned.missed.take(line.at - place.called, 10)
        waited = place.called - self.present[line.visitor].at
        learning.observe_call(self.learned, waited, came=False)
        place.visitor, place.idle = -1, line.at

    def _done(self, line: Seen) -> None:
        place, one = self.places[line.window], self.present[line.visitor]
        minutes, item = line.at - place.begun, ItemId(one.item)
        clerk = StaffId(self._post(line.window).clerk)
        band = learning.band_of(ms(place.begun), 0)
        learning.observe_visit(
            self.learned, item, clerk, band, minutes=minutes, typical=self.typical[item]
        )
        self.average.take(minutes)
        self.queue_average[one.queue].take(minutes)
        place.visitor, place.idle = -1, line.at

    def _left(self, line: Seen) -> None:
        del self.waiting[line.visitor]

    def _post(self, window: str) -> Post:
        return next(one for one in self.layout.posts if one.name == window)

    def _planned(self, post: Post, at: float) -> float | None:
        """End of the planned absence that a pause at ``at`` belongs to."""
        minute = at - self.start
        ends = [b for a, b in post.away if a - NEAR_A_BREAK <= minute < b]
        return self.start + ends[0] if ends else None

    # ---- forecast ---------------------------------------------------------------------------------

    def forecast(self, line: Seen) -> Forecast:
        """What the hall says to the person of ``line``, who is not among those waiting yet."""
        situation = self.situation(line.at, line.priority)
        facts = Facts(self.learned, self.typical, learning.band_of(situation.now, 0))
        foreseen = foresee(situation, facts, [self._visitor(line)])[0]
        assert foreseen is not None, "every queue has windows"
        queue, item = QueueId(line.queue), ItemId(line.item)
        p50, p90 = calibrating.corrected(self.calibration, queue, foreseen.p50, foreseen.p90)
        rule, queue_rule = self.rules(line)
        told = calibrating.tell(self.calibration.items.get(item), p50, p90, rule)
        return Forecast(line, Made(p50, p90, rule, told), rule, queue_rule, foreseen.beyond)

    def rules(self, line: Seen) -> tuple[float, float]:
        """Average times people ahead over open windows, with the hall's average and the queue's own."""
        ahead = sum(
            one.queue == line.queue and one.priority >= line.priority
            for one in self.waiting.values()
        )
        windows = [one for one in self.layout.posts if line.queue in one.queues]
        turns = ahead / max(1, sum(self.places[one.name].open for one in windows))
        own = [self.typical[one] for one in self.items[line.queue]]
        hall = self.average.value(sum(self.typical.values()) / len(self.typical))
        return turns * hall, turns * self.queue_average[line.queue].value(sum(own) / len(own))

    def situation(self, at: float, priority: bool) -> Situation:
        """The hall at ``at`` for somebody who comes now."""
        return Situation(
            now=ms(at),
            desks=tuple(
                one for post in self.layout.posts if (one := self._desk(post, at)) is not None
            ),
            waiting=tuple(self._visitor(one) for one in self.waiting.values()),
            due=tuple(
                self._due(one, at) for one in self.due.values() if _time(one) + KEPT_UNTIL > at
            ),
            streams=() if priority else self._streams(at),
            closing=ms(self.start + LAST_CALL),
        )

    def _visitor(self, one: Seen) -> Visitor:
        place = one.at
        if one.priority:
            place -= PRIORITY_WORTH
        elif one.booked is not None and one.at <= one.booked + KEPT_UNTIL:
            place = one.booked - BOOKED_WORTH
        return Visitor(
            queue=QueueId(one.queue),
            items=(ItemId(one.item),),
            line=f"{one.queue}/{one.priority}",
            since=ms(place),
            came=ms(one.at),
        )

    def _due(self, one: Seen, at: float) -> Visitor:
        return Visitor(
            queue=QueueId(one.queue),
            items=(ItemId(one.item),),
            line=f"{one.queue}/booked",
            since=ms(_time(one) - BOOKED_WORTH),
            due=ms(max(_time(one) - EARLY, at + 1)),
            shows=self.learned.booked.value,
        )

    def _streams(self, at: float) -> tuple[Stream, ...]:
        """People with priority who will still come."""
        hour = int(at % 1440 // 60)
        return tuple(
            Stream(
                queue=QueueId(queue),
                items=items,
                per_hour=rate,
                head_start=round(PRIORITY_WORTH * MINUTE),
                line=f"{queue}/True",
            )
            for queue, items in self.items.items()
            if (rate := coming.per_hour(self.arrivals, QueueId(queue), "True", hour)) > 0
        )

    def _desk(self, post: Post, at: float) -> Desk | None:
        """A window that is open, or that will be as far as the roster or a pause say."""
        place = self.places[post.name]
        away = [
            (ms(a + self.start), ms(b + self.start)) for a, b in post.away if b + self.start > at
        ]
        pause = 0
        if place.pause:
            back = self._planned(post, place.pause)
            if back is None:
                pause = ms(place.pause)
            elif back > at:
                away.append((ms(at), ms(back)))
        elif not place.open and at > self.start + OPENS + 10:
            return None
        serving = self.present[place.visitor].item if place.visitor >= 0 else ""
        return Desk(
            id=WindowId(post.name),
            queues=tuple(QueueId(one) for one in post.queues),
            clerk=StaffId(post.clerk),
            items=(ItemId(serving),) if serving else (),
            called=ms(place.called),
            begun=ms(place.begun) if place.begun else 0,
            idle=ms(place.idle) if not serving and place.idle else 0,
            pause=pause,
            away=tuple(sorted(away)),
            until=ms(self.start + (post.until if post.until < CLOSES else LAST_CALL)),
        )


def _time(one: Seen) -> float:
    """The booked time of somebody who has one."""
    assert one.booked is not None
    return one.booked
