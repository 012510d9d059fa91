"""Who is next at a window, and why: the calling rules of :mod:`qingting.contract.rules` at work.

Only the front of each class of each line can be next, since within a class nothing breaks the order of
place; so a choice looks at a handful of tickets however long the lines are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hallserver.engine.days import MINUTE_MS, hall_time, within
from hallserver.engine.lines import class_of, score, sent_to
from hallserver.engine.state import RECENT_CALLS, HallState, Ticket, WindowLife, queues_of
from qingting.contract import rules as r
from qingting.contract.config import WindowOrder
from qingting.contract.ids import Millis, TicketId, WindowId


@dataclass(frozen=True, slots=True)
class Choice:
    """The ticket to call and why: a reason code and its parameters."""

    ticket: TicketId
    reason: str
    why: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The front of one class of one line. ``order`` is the line's rank at this window."""

    ticket: Ticket
    line: str
    order: int
    group: str
    """The class as the rules know it: one that they do not have any more is the ordinary one."""
    score: float
    waited: Millis

    @property
    def rank(self) -> tuple[float, int, Millis, int]:
        """Sorts the best first: points, then the window's own order, then arrival."""
        return (-self.score, self.order, self.ticket.place_at, self.ticket.order)


@dataclass(frozen=True, slots=True)
class _Desk:
    """A window that looks for its next visitor."""

    state: HallState
    life: WindowLife
    now: Millis
    ordinary: list[Candidate]
    """Fronts of its queues."""
    sent: list[Candidate]
    """Fronts of those sent to this window or clerk."""


def next_ticket(state: HallState, window: WindowId, now: Millis) -> Choice | None:
    """Who is next at ``window``; None when nobody waits whom it may call.

    The same state and instant give the same choice, on every replay.
    """
    return _choose(_look(state, window, now))


def next_among(
    state: HallState,
    life: WindowLife,
    ordinary: list[Candidate],
    sent: list[Candidate],
    now: Millis,
) -> Choice | None:
    """Who would be next at a window among given fronts: for looking ahead. ``life`` may be a copy with calls
    that have not happened."""
    return _choose(_Desk(state, life, now, ordinary, sent))


def _choose(desk: _Desk) -> Choice | None:
    for step in _STEPS:
        if (choice := step(desk)) is not None:
            return choice
    return None


def someone_for(state: HallState, window: WindowId, now: Millis) -> bool:
    """Whether anybody waits whom ``window`` may call: :func:`next_ticket` without the choice."""
    life = state.windows[window]
    own = queues_of(state, window, now)
    return (
        any(line in state.lines for line in sent_to(state, window, life.staff))
        or any(next(_fronts(state, life, line, 0, now), None) is not None for line in own)
        or bool(_stranded(state, life, own, now))
    )


def may_call(state: HallState, life: WindowLife, ticket: Ticket) -> bool:
    """Whether this window's clerk can serve the ticket at all: skill, appointment-only window."""
    item = state.items.get(ticket.item)
    if item is not None and item.skill:
        staff = state.staff.get(life.staff) if life.staff is not None else None
        if staff is None or item.skill not in staff.skills:
            return False
    config = state.window_config[life.id]
    return not config.appointment_only or (ticket.booking is not None and not ticket.late)


def _look(state: HallState, window: WindowId, now: Millis) -> _Desk:
    life = state.windows[window]
    lines = queues_of(state, window, now)
    ordinary = [
        one for order, line in enumerate(lines) for one in _fronts(state, life, line, order, now)
    ]
    sent = [
        one
        for line in sent_to(state, window, life.staff)
        for one in _fronts(state, life, line, 0, now, sent=True)
    ]
    ordinary += _stranded(state, life, lines, now)
    return _Desk(state, life, now, ordinary, sent)


def _fronts(
    state: HallState, life: WindowLife, line: str, order: int, now: Millis, *, sent: bool = False
) -> Iterator[Candidate]:
    """The first of each class whom the window may call: anybody whom a colleague ``sent`` to it, since
    nobody else would."""
    for name, row in state.lines.get(line, {}).items():
        ticket = next(
            (
                one
                for one in map(state.tickets.__getitem__, row)
                if sent or may_call(state, life, one)
            ),
            None,
        )
        if ticket is not None:
            group = class_of(state, name)
            points = score(group, ticket.place_at, now)
            yield Candidate(ticket, line, order, group.id, points, now - ticket.place_at)


def _stranded(
    state: HallState, life: WindowLife, lines: tuple[str, ...], now: Millis
) -> list[Candidate]:
    """Visitors sent to another window who have waited past the bound: any window of their queue may help."""
    bound = state.rules.max_delay_minutes * MINUTE_MS
    own = sent_to(state, life.id, life.staff)
    if not bound:
        return []
    return [
        one
        for line in state.lines
        if line.startswith("@") and line not in own
        for one in _fronts(state, life, line, len(lines), now)
        if one.waited >= bound and one.ticket.queue in lines
    ]


def _best(candidates: list[Candidate]) -> Candidate | None:
    return min(candidates, key=lambda one: one.rank, default=None)


def _minutes(desk: _Desk, candidate: Candidate) -> int:
    """What the clerk may read as waiting: a place can be earlier than the visitor, who was put first or had
    booked."""
    here_since = max(candidate.ticket.place_at, candidate.ticket.issued_at)
    return max(0, (desk.now - here_since) // MINUTE_MS)


# ---- the steps, in their order ------------------------------------------------------------------


def _sent_here(desk: _Desk) -> Choice | None:
    best = _best(desk.sent)
    if best is None:
        return None
    reason = "returned" if best.ticket.returned else "sent"
    return Choice(best.ticket.id, reason, {"minutes": _minutes(desk, best)})


def _overdue(desk: _Desk) -> Choice | None:
    bound = desk.state.rules.max_delay_minutes * MINUTE_MS
    late = [one for one in desk.ordinary if bound and one.waited >= bound]
    if not late:
        return None
    longest = min(late, key=lambda one: (one.ticket.place_at, one.ticket.order))
    return Choice(longest.ticket.id, "max_delay", {"minutes": _minutes(desk, longest)})


def _condition(desk: _Desk) -> Choice | None:
    for condition in desk.state.rules.conditions:
        meant = [one for one in desk.ordinary if _meant(one, condition.classes, condition.queues)]
        if meant and all(_holds(desk, test) for test in condition.when):
            best = _best(meant)
            assert best is not None
            names = {"name": condition.name, "name_en": condition.name_en or condition.name}
            return Choice(best.ticket.id, "condition", {**names})
    return None


def _meant(one: Candidate, classes: tuple[str, ...], queues: tuple[str, ...]) -> bool:
    return (not classes or one.group in classes) and (not queues or one.line in queues)


def _holds(desk: _Desk, test: r.RuleTest) -> bool:
    match test:
        case r.WaitingOver(minutes=minutes, classes=classes, queues=queues):
            since = desk.now - minutes * MINUTE_MS
            tickets = desk.state.tickets
            return any(
                tickets[row[0]].place_at <= since for row in _standing(desk, classes, queues)
            )
        case r.LineAtLeast(people=people, classes=classes, queues=queues):
            return sum(map(len, _standing(desk, classes, queues))) >= people
        case r.CalledFewer(classes=classes, than=than, of=of):
            return sum(one in classes for one in desk.life.recent[-of:]) < than
        case r.Between(period=period):
            return within((period,), desk.now, desk.state.config)


def _standing(
    desk: _Desk, classes: tuple[str, ...], queues: tuple[str, ...]
) -> Iterator[list[TicketId]]:
    """Rows of these classes in these queues; in the window's own when none are named."""
    for line in queues or queues_of(desk.state, desk.life.id, desk.now):
        for name, row in desk.state.lines.get(line, {}).items():
            if not classes or class_of(desk.state, name).id in classes:
                yield row


def _capped(desk: _Desk) -> Choice | None:
    cap = desk.state.rules.priority_in_a_row
    recent = desk.life.recent[-cap:] if cap else []
    if not cap or len(recent) < cap or r.ORDINARY in recent:
        return None
    best = _best([one for one in desk.ordinary if one.group == r.ORDINARY])
    return Choice(best.ticket.id, "priority_cap", {"calls": cap}) if best is not None else None


def _ratio(desk: _Desk) -> Choice | None:
    for ratio in desk.state.rules.ratios:
        fronts = {
            name: [one for one in desk.ordinary if one.group == name]
            for name in (ratio.first, ratio.second)
        }
        if not all(fronts.values()):
            continue
        span = [one for one in desk.life.recent if one in fronts][-(ratio.a + ratio.b - 1) :]
        due = ratio.first if span.count(ratio.first) < ratio.a else ratio.second
        best = _best(fronts[due])
        assert best is not None
        return Choice(best.ticket.id, "ratio", {"a": ratio.a, "b": ratio.b})
    return None


def _by_score(desk: _Desk) -> Choice | None:
    candidates = desk.ordinary
    listed = desk.state.window_config[desk.life.id].order is WindowOrder.LISTED
    if listed and candidates:
        first = min(one.order for one in candidates)
        candidates = [one for one in candidates if one.order == first]
    best = _best(candidates)
    if best is None:
        return None
    return Choice(best.ticket.id, *_reason(desk, best, listed))


def _reason(desk: _Desk, best: Candidate, listed: bool) -> tuple[str, dict[str, str | int]]:
    """In one line why the best is the best."""
    ticket, waited = best.ticket, {"minutes": _minutes(desk, best)}
    if ticket.returned:
        return "returned", dict(waited)
    if best.group == r.BOOKED and ticket.booking is not None:
        booking = desk.state.bookings[ticket.booking].booking
        return "appointment", {
            "time": hall_time(booking.start, desk.state.config).strftime("%H:%M")
        }
    oldest = min(desk.ordinary, key=lambda one: (one.ticket.place_at, one.ticket.order))
    if best.group != r.ORDINARY and oldest.ticket is not ticket:
        name = class_of(desk.state, ticket.priority)
        return "priority", {"class": name.name, "class_en": name.name_en, **waited}
    if listed and oldest.ticket is not ticket:
        return "preferred_queue", dict(waited)
    if (
        len(desk.ordinary) == 1
        and len(desk.state.lines.get(best.line, {}).get(ticket.priority, ())) == 1
    ):
        return "only_one", dict(waited)
    return "longest_waiting", dict(waited)


_STEPS: tuple[Callable[[_Desk], Choice | None], ...] = (
    _sent_here,
    _overdue,
    _condition,
    _capped,
    _ratio,
    _by_score,
)


def remember_call(state: HallState, life: WindowLife, priority: str) -> None:
    """Notes the class of a call for caps, ratios and conditions."""
    life.recent = [*life.recent, class_of(state, priority).id][-RECENT_CALLS:]
