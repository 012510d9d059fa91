"""Two runs of one day side by side, in minutes as people count them."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from math import ceil

import msgspec

from hallserver.engine.days import MINUTE_MS
from hallserver.engine.whatif.day import DayLog
from hallserver.engine.whatif.ledger import Desk, Ledger, Person
from hallserver.engine.whatif.reading import read_day
from hallserver.engine.whatif.running import replay
from hallserver.engine.whatif.script import Script
from hallserver.engine.whatif.variant import Variant
from qingting.contract.ids import Millis, TicketId, WindowId

MOVERS = 10
"""How many of those who gain or lose most are named."""
NOTICED_MINUTES = 1.0
"""A smaller change counts as none."""
USUAL_BOUND = 60
"""The bound that shares are counted over when the rules set none (minutes)."""
STEPS = (5, 10, 15, 20, 30, 45, 60, 90)
"""Upper ends of the bars of waiting times (minutes); one more holds the rest."""


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """Waiting of some people in minutes; ``over`` is the share who waited longer than the bound."""

    people: int = 0
    mean: float = 0.0
    p50: float = 0.0
    p90: float = 0.0
    longest: float = 0.0
    over: float = 0.0


class WindowUse(msgspec.Struct, frozen=True, kw_only=True):
    """One window's day in minutes. ``idle`` is open without a visitor."""

    number: str
    served: int
    no_shows: int
    open: float
    paused: float
    busy: float
    idle: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a day went. ``waits`` counts people who were called at least once, by all their waiting;
    ``queues`` count each spell in a line. ``priority_run`` is the longest run of priority calls at one
    window. ``bars`` are people by :data:`STEPS`."""

    tickets: int
    called: int
    served: int
    not_reached: int
    left: int
    no_shows: int
    priority_run: int
    waits: Waits
    classes: dict[str, Waits]
    queues: dict[str, Waits]
    windows: dict[WindowId, WindowUse]
    bars: tuple[int, ...]


class Mover(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose waiting changes, in minutes; None: not reached."""

    number: str
    priority: str
    before: float | None
    after: float | None
    change: float


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """How well the replay with nothing changed meets what happened: share of calls with the same visitor,
    window and second, and the mean difference of waiting in minutes."""

    same_calls: float
    mean_minutes: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """``before`` is what happened, ``after`` the replay. ``gained`` and ``lost`` count people whose
    waiting changes by more than a minute, ``reached`` and ``missed`` those who are called only in one of both."""

    day: str
    bound: int
    before: Outcome
    after: Outcome
    gained: int
    lost: int
    same: int
    reached: int
    missed: int
    gainers: tuple[Mover, ...]
    losers: tuple[Mover, ...]
    fidelity: Fidelity


def compare(
    log: DayLog, variant: Variant, progress: Callable[[float], None] = lambda done: None
) -> Comparison:
    """Reads the day, replays it unchanged as a proof, then under ``variant``.

    Blocking: about a second for a thousand tickets. ``progress`` gets 0 to 1. Raises
    ``config.invalid``, ``replay.staff_busy``.
    """
    script = read_day(log, lambda done: progress(done / 3))
    same = replay(log, script, Variant(), lambda done: progress((1 + done) / 3))
    after = replay(log, script, variant, lambda done: progress((2 + done) / 3))
    return _comparison(log, script, same, after, variant)


def _comparison(
    log: DayLog, script: Script, same: Ledger, after: Ledger, variant: Variant
) -> Comparison:
    bound = _bound(script, variant)
    movers = _movers(script.ledger, after)
    changed = [one for one in movers if one.before is not None and one.after is not None]
    gained = sorted(one.change for one in changed if one.change <= -NOTICED_MINUTES)
    lost = [one.change for one in changed if one.change >= NOTICED_MINUTES]
    numbers = _numbers(script, variant)
    return Comparison(
        day=log.head.day,
        bound=bound,
        before=outcome(script.ledger, numbers, bound),
        after=outcome(after, numbers, bound),
        gained=len(gained),
        lost=len(lost),
        same=len(changed) - len(gained) - len(lost),
        reached=sum(one.before is None for one in movers),
        missed=sum(one.after is None for one in movers),
        gainers=_most(movers, -1),
        losers=_most(movers, 1),
        fidelity=_fidelity(script.ledger, same),
    )


def _bound(script: Script, variant: Variant) -> int:
    tried = variant.rules.max_delay_minutes if variant.rules is not None else 0
    held = script.config.rules.max_delay_minutes if script.config is not None else 0
    return tried or held or USUAL_BOUND


def _numbers(script: Script, variant: Variant) -> dict[WindowId, str]:
    numbers = {one.id: str(one.id) for one in variant.plans.values()}
    windows = script.config.windows if script.config is not None else ()
    return numbers | {one.id: one.number for one in windows}


# ---- one run ------------------------------------------------------------------------------------


def outcome(ledger: Ledger, numbers: dict[WindowId, str], bound: int) -> Outcome:
    """The figures of one run."""
    people = list(ledger.people.values())
    called = [one for one in people if one.calls]
    by_class: dict[str, list[Millis]] = defaultdict(list)
    by_queue: dict[str, list[Millis]] = defaultdict(list)
    for person in called:
        by_class[person.priority].append(person.waited)
        for queue, ms in person.waits:
            by_queue[queue].append(ms)
    return Outcome(
        tickets=len(people),
        called=len(called),
        served=sum(one.served for one in people),
        not_reached=sum(not one.calls and not one.left for one in people),
        left=sum(one.left for one in people),
        no_shows=sum(one.no_shows for one in people),
        priority_run=max((one.longest_run for one in ledger.desks.values()), default=0),
        waits=_waits([one.waited for one in called], bound),
        classes={name: _waits(found, bound) for name, found in sorted(by_class.items())},
        queues={name: _waits(found, bound) for name, found in sorted(by_queue.items())},
        windows={
            one: _use(desk, numbers.get(one, str(one)))
            for one, desk in sorted(ledger.desks.items())
            if desk.open_ms or desk.paused_ms
        },
        bars=_bars(one.waited for one in called),
    )


def _waits(found: list[Millis], bound: int) -> Waits:
    if not found:
        return Waits()
    ordered = sorted(found)
    return Waits(
        people=len(ordered),
        mean=_minutes(sum(ordered) / len(ordered)),
        p50=_minutes(_at(ordered, 0.5)),
        p90=_minutes(_at(ordered, 0.9)),
        longest=_minutes(ordered[-1]),
        over=round(sum(one > bound * MINUTE_MS for one in ordered) / len(ordered), 4),
    )


def _at(ordered: list[Millis], share: float) -> Millis:
    """The nearest-rank quantile."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _minutes(ms: float) -> float:
    return round(ms / MINUTE_MS, 1)


def _use(desk: Desk, number: str) -> WindowUse:
    return WindowUse(
        number=number,
        served=desk.served,
        no_shows=desk.no_shows,
        open=_minutes(desk.open_ms),
        paused=_minutes(desk.paused_ms),
        busy=_minutes(desk.busy_ms),
        idle=_minutes(max(0, desk.open_ms - desk.busy_ms)),
    )


def _bars(waits: Iterable[Millis]) -> tuple[int, ...]:
    counts = [0] * (len(STEPS) + 1)
    for ms in waits:
        place = next((n for n, end in enumerate(STEPS) if ms < end * MINUTE_MS), len(STEPS))
        counts[place] += 1
    return tuple(counts)


# ---- both runs ----------------------------------------------------------------------------------


def _movers(before: Ledger, after: Ledger) -> list[Mover]:
    """Everybody who is called in at least one of both runs."""
    found = []
    for ticket, one in before.people.items():
        other = after.people.get(ticket)
        if other is not None and (one.calls or other.calls):
            found.append(_mover(one, other))
    return found


def _mover(one: Person, other: Person) -> Mover:
    before = one.waited / MINUTE_MS if one.calls else None
    after = other.waited / MINUTE_MS if other.calls else None
    change = after - before if before is not None and after is not None else 0.0
    return Mover(
        number=one.number,
        priority=one.priority,
        before=round(before, 1) if before is not None else None,
        after=round(after, 1) if after is not None else None,
        change=round(change, 1),
    )


def _most(movers: list[Mover], sign: int) -> tuple[Mover, ...]:
    """Those whose waiting changes most in one direction, by number where equal."""
    moved = [one for one in movers if one.change * sign >= NOTICED_MINUTES]
    return tuple(sorted(moved, key=lambda one: (-abs(one.change), one.number))[:MOVERS])


def _fidelity(real: Ledger, same: Ledger) -> Fidelity:
    def calls(ledger: Ledger) -> set[tuple[Millis, TicketId, WindowId]]:
        return {(at // 1000, ticket, window) for at, ticket, window in ledger.order}

    happened, again = calls(real), calls(same)
    differences = [
        abs(one.waited - same.people[ticket].waited)
        for ticket, one in real.people.items()
        if ticket in same.people
    ]
    return Fidelity(
        same_calls=round(len(happened & again) / len(happened), 4) if happened else 1.0,
        mean_minutes=round(sum(differences) / len(differences) / MINUTE_MS, 2)
        if differences
        else 0.0,
    )
