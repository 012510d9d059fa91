"""The forward simulation: when each of the people asked for will be called.

People are served in their order (:mod:`.order`) in a few dozen futures (:mod:`.tables`), with durations drawn from
their distributions and windows that come and go. The spread of the futures is the spread of the forecast.
"""

from bisect import insort
from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace
from math import exp, inf
from typing import NamedTuple

from hallserver.engine.forecast import durations as learning
from hallserver.engine.forecast import order as ordering
from hallserver.engine.forecast.scene import MINUTE, Facts, Person, Scene
from hallserver.engine.forecast.situation import Pick, Situation, Visitor
from hallserver.engine.forecast.tables import Design, design_for, turns
from qingting.contract.ids import ItemId

DOUBT_CAP = 0.5
"""Largest standard deviation, on the log scale, that not knowing the means adds."""


class Foreseen(NamedTuple):
    """Minutes until the call. ``beyond`` is the probability not to be called before the hall closes."""

    p50: float
    p90: float
    beyond: float


def foresee(
    situation: Situation, facts: Facts, asked: Sequence[Visitor], pick: Pick | None = None
) -> list[Foreseen | None]:
    """When each of ``asked`` will be called if they join those who wait; None: no window, open or
    planned, would call them. Without ``pick`` the order of place is the whole rule.

    Ask for people of one calling class at a time when there are streams.
    """
    return _run(Scene(situation, facts, asked, all_places=pick is not None), situation, pick)


def foresee_everybody(
    situation: Situation, facts: Facts, asked: Sequence[Visitor], pick: Pick | None = None
) -> tuple[list[Foreseen | None], list[Foreseen | None]]:
    """The same for ``asked`` and, in one simulation, for those who wait, in the situation's order; None
    for who is not connected with ``asked``."""
    scene = Scene(situation, facts, asked, all_places=True, everybody=True)
    found = _run(scene, situation, pick)
    return found[: len(asked)], found[len(asked) :]


def _run(scene: Scene, situation: Situation, pick: Pick | None) -> list[Foreseen | None]:
    found: list[Foreseen | None] = [None] * scene.watched
    if scene.desks:
        order = ordering.by_place(scene) if pick is None else ordering.rehearse(scene, pick)
        closing = inf if situation.closing is None else (situation.closing - situation.now) / MINUTE
        design = design_for(len(order))
        starts = _at_once(scene, order, design) or play(scene, order, design)
        for one in order:
            if one.watched >= 0:
                calls, last = starts[one.watched], scene.last_call(one)
                found[one.watched] = _foreseen(design, calls, last, closing)
    return found


def _at_once(scene: Scene, order: list[Person], design: Design) -> list[list[float]]:
    """The call of somebody before whom nobody is, when a window is idle; empty in any other case."""
    if len(order) != 1:
        return []
    for w in order[0].desks:
        desk = scene.desks[w]
        if not desk.items and not desk.pause and _back(scene.away[w], 0.0) == 0:
            return [list(scene.free(w, design))]
    return []


def _foreseen(design: Design, starts: list[float], last: float, closing: float) -> Foreseen | None:
    """Who is not called in a future is taken as called at the last moment, if there is one."""
    beyond = sum(1 for one in starts if one > closing or one == inf) / design.replicas
    ordered = sorted(min(one, last) for one in starts)
    if ordered[-1] == inf:
        return None
    return Foreseen(design.quantile(ordered, 0.5), design.quantile(ordered, 0.9), beyond)


class _Future(NamedTuple):
    """What all replicas have in common. ``lines`` are places in the order, by who may call them, each closed by
    the length of the order; ``calls`` are the lines of each window; ``changes`` its first absence; ``watched`` says who
    of the order is, and ``wanted`` how many."""

    lines: list[list[int]]
    calls: list[list[int]]
    watched: list[int]
    paces: list[float]
    away: list[tuple[tuple[float, float], ...]]
    changes: list[float]
    wanted: int


def play(scene: Scene, order: list[Person], design: Design) -> list[list[float]]:
    """Minutes until the call of each one asked for, in every replica."""
    future, later = _future(scene, order, design)
    rows = zip(*_columns(scene, order, design), strict=True)
    free = zip(
        *(design.windows[w % 32](scene.free(w, design)) for w in range(len(scene.desks))),
        strict=True,
    )
    doubts = _doubts(scene, order, design)
    simple = not later and len(future.lines) == 1 and future.wanted == 1 and all(future.calls)
    found: list[list[float]] = [[] for _ in range(scene.watched)]
    for r, (row, starts) in enumerate(zip(rows, free, strict=True)):
        heap = [(at, w) for w, at in enumerate(starts)]
        heapify(heap)
        if simple:
            calls = [_one_line(future, row, heap)]
        else:
            arrivals = sorted(((at[r], n, line) for n, line, at in later), reverse=True)
            calls = _many_lines(future, row, heap, arrivals, scene.watched)
        for one, at in zip(found, calls, strict=True):
            one.append(at * doubts[r])
    return found


def _future(
    scene: Scene, order: list[Person], design: Design
) -> tuple[_Future, list[tuple[int, int, Sequence[float]]]]:
    """The common part, and for those not yet here: place, line and arrivals over the replicas."""
    numbers: dict[tuple[int, ...], int] = {}
    lines: list[list[int]] = []
    later: list[tuple[int, int, Sequence[float]]] = []
    for n, one in enumerate(order):
        line = numbers.setdefault(one.desks, len(numbers))
        if line == len(lines):
            lines.append([])
        if one.arrives > 0:
            later.append((n, line, _arrivals(scene, one, design)))
        else:
            lines[line].append(n)
    calls = [
        [line for desks, line in numbers.items() if w in desks] for w in range(len(scene.desks))
    ]
    future = _Future(
        lines=[[*line, len(order)] for line in lines],
        calls=calls,
        watched=[one.watched for one in order],
        paces=scene.paces,
        away=scene.away,
        changes=[one[0][0] if one else inf for one in scene.away],
        wanted=sum(one.watched >= 0 for one in order),
    )
    return future, later


def _columns(scene: Scene, order: list[Person], design: Design) -> list[tuple[float, ...]]:
    """Turn times of each person over the replicas; none for those asked for."""
    learned = scene.facts.learned
    overhead = round(scene.overhead(), 1)
    missed = round(learned.missed.value + learned.gap.value, 1)
    none = (0.0,) * design.replicas
    found: list[tuple[float, ...]] = []
    at = 0.0
    for n, one in enumerate(order):
        if scene.newcomer(one):
            found.append(none)
            continue
        visitor = one.visitor
        waited = (
            max(0.0, at - one.arrives) if one.arrives else at + (scene.now - visitor.came) / MINUTE
        )
        absent = round(learning.absence(learned, waited), 2)
        stay_away = round(1 - visitor.shows, 2)
        table = turns(design.replicas, one.mean, one.cv, overhead, absent, missed, stay_away)
        found.append(design.visitors[n % 64](table))
        at += one.mean / len(scene.desks)
    return found


def _arrivals(scene: Scene, one: Person, design: Design) -> Sequence[float]:
    """When somebody not yet here comes, over the replicas; ``inf``: too late to be called first."""
    if one.stream < 0:
        return (one.arrives,) * design.replicas
    rate = scene.streams[one.stream].per_hour / 60
    limit = scene.overtaking_until(one.stream)
    total: Sequence[float] = (0.0,) * design.replicas
    for k in range(one.nth + 1):
        gaps = design.streams[(13 * one.stream + k) % 31](design.exponential)
        total = [a + b / rate for a, b in zip(total, gaps, strict=True)]
    return [one if one < limit else inf for one in total]


def _doubts(scene: Scene, order: list[Person], design: Design) -> tuple[float, ...]:
    """A factor for each replica: the means themselves are only known so well."""
    work: dict[tuple[ItemId, ...], float] = {}
    for desk in scene.desks:
        work[desk.items] = work.get(desk.items, 0.0) + scene.visit(desk.items)[0]
    for one in order:
        if not scene.newcomer(one):
            work[one.visitor.items] = work.get(one.visitor.items, 0.0) + one.mean
    learned = scene.facts.learned
    total = sum(work.values()) or 1.0
    square = learned.today.var
    for items, part in work.items():
        own = sum(learning.item_level(learned, one).var for one in items)
        square += (part / total) ** 2 * own
    sd = min(square**0.5, DOUBT_CAP)
    return design.doubt([exp(sd * one - sd * sd / 2) for one in design.normal])


def _back(away: tuple[tuple[float, float], ...], t: float) -> float:
    """When a window is there again; ``t`` itself when it is not away."""
    for begin, end in away:
        if begin <= t < end:
            return end
    return t


def _one_line(future: _Future, row: Sequence[float], heap: list[tuple[float, int]]) -> float:
    """The plain case: everybody can go to every window, the last in the order is asked for."""
    paces, changes = future.paces, future.changes
    n, last = 0, len(row) - 1
    while heap:
        t, w = heap[0]
        if t >= changes[w] and (back := _back(future.away[w], t)) > t:
            if back == inf:
                heappop(heap)
            else:
                heapreplace(heap, (back, w))
        elif n == last:
            return t
        else:
            heapreplace(heap, (t + row[n] * paces[w], w))
            n += 1
    return inf


def _many_lines(
    future: _Future,
    row: Sequence[float],
    heap: list[tuple[float, int]],
    arrivals: list[tuple[float, int, int]],
    watched: int,
) -> list[float]:
    """One future of any hall: who of those watched is called when."""
    lines = [line.copy() for line in future.lines] if arrivals else future.lines
    heads = [0] * len(lines)
    starts = [inf] * watched
    left, end = future.wanted, len(row)
    while heap:
        t, w = heap[0]
        while arrivals and arrivals[-1][0] <= t:
            _, n, line = arrivals.pop()
            insort(lines[line], n, heads[line])
        back = t if t < future.changes[w] else _back(future.away[w], t)
        if back == t:
            best, mine = end, -1
            for line in future.calls[w]:
                first = lines[line][heads[line]]
                if first < best:
                    best, mine = first, line
            if mine >= 0:
                heads[mine] += 1
                if future.watched[best] >= 0:
                    starts[future.watched[best]] = t
                    left -= 1
                    if not left:
                        break
                heapreplace(heap, (t + row[best] * future.paces[w], w))
                continue
            back = arrivals[-1][0] if arrivals else inf
        if back == inf:
            heappop(heap)
        else:
            heapreplace(heap, (back, w))
    return starts
