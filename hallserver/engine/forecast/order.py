"""Who comes after whom: by place where that is the whole rule, else by rehearsing the day with the hall's own."""

from collections import deque
from heapq import heapify, heappop, heapreplace
from math import inf

from hallserver.engine.forecast.scene import MINUTE, Person, Scene
from hallserver.engine.forecast.situation import Pick


def by_place(scene: Scene) -> list[Person]:
    """Everybody in the order of place; of equals, those asked for last."""
    everyone = [*scene.people]
    for stream in range(len(scene.streams)):
        everyone += scene.expected(stream)
    everyone += scene.asked
    everyone.sort(key=lambda one: one.visitor.since)
    return everyone


def rehearse(scene: Scene, pick: Pick) -> list[Person]:
    """Serves everybody once with mean durations, ``pick`` deciding each call; the order of the calls, up to
    the last of those asked for."""
    return _Rehearsal(scene, pick).run()


class _Rehearsal:
    def __init__(self, scene: Scene, pick: Pick) -> None:
        self.scene = scene
        self.pick = pick
        streams = [one for n in range(len(scene.streams)) for one in scene.expected(n)]
        later = [one for one in scene.people if one.arrives > 0] + streams
        self.later = sorted(later, key=lambda one: one.arrives, reverse=True)
        self.lines: dict[tuple[str, tuple[int, ...]], deque[Person]] = {}
        here = [one for one in scene.people if one.arrives <= 0] + scene.asked
        for one in sorted(here, key=lambda one: one.visitor.since):
            self._join(one)
        self.overhead = scene.overhead()
        self.comes = 1 - scene.facts.learned.absent.value

    def run(self) -> list[Person]:
        scene = self.scene
        heap = [(scene.likely_free(w), w) for w in range(len(scene.desks))]
        heapify(heap)
        order: list[Person] = []
        left = scene.watched
        while heap and left:
            t, w = heap[0]
            while self.later and self.later[-1].arrives <= t:
                self._join(self.later.pop())
            back = next((b for a, b in scene.away[w] if a <= t < b), t)
            one = self._choose(w, t) if back == t else None
            if one is not None:
                order.append(one)
                left -= one.watched >= 0
                heapreplace(heap, (t + self._turn(one) * scene.paces[w], w))
                continue
            if back == t:
                back = self.later[-1].arrives if self.later else inf
            if back == inf:
                heappop(heap)
            else:
                heapreplace(heap, (back, w))
        return self._with_late_comers(order)

    def _join(self, one: Person) -> None:
        line = self.lines.setdefault((one.visitor.line, one.desks), deque())
        place = len(line)
        while place and line[place - 1].visitor.since > one.visitor.since:
            place -= 1
        line.insert(place, one)

    def _turn(self, one: Person) -> float:
        if self.scene.newcomer(one):
            return 0.0
        return one.visitor.shows * (self.comes * one.mean + self.overhead)

    def _choose(self, w: int, t: float) -> Person | None:
        fronts = [line for (_, desks), line in self.lines.items() if line and w in desks]
        if not fronts:
            return None
        now = self.scene.now + round(t * MINUTE)
        index = self.pick(self.scene.desks[w], [line[0].visitor for line in fronts], now)
        return fronts[index].popleft() if index is not None else None

    def _with_late_comers(self, order: list[Person]) -> list[Person]:
        """Those whom nobody called in the rehearsal stay behind, but for people of streams not yet here at its
        end: in some futures they come earlier, and before those asked for. Somebody asked for whom no window
        called is last."""
        late = [one for one in self.later if one.stream >= 0]
        called = {one.watched for one in order}
        missing = [
            one
            for one in (*self.scene.people, *self.scene.asked)
            if one.watched >= 0 and one.watched not in called
        ]
        newcomers = (n for n, one in enumerate(order) if self.scene.newcomer(one))
        first = next(newcomers, len(order))
        return [*order[:first], *reversed(late), *order[first:], *missing]
