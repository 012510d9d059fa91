"""What of a hall decides who is called when: windows, people who wait, people who are due.

Plain frozen data in the hall's own terms, so that a forecast can be made of the live state, of a past day
or of a plan. Nothing here knows how a hall decides: a calling rule that is more than an order of place
comes as a :data:`Pick`.
"""

from collections.abc import Callable, Sequence

import msgspec

from qingting.contract.ids import ItemId, Millis, QueueId, StaffId, WindowId

Span = tuple[Millis, Millis]
"""From and to, end exclusive."""


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who waits, is due, or may come.

    People of one ``line`` keep its order: ``since``, the place (a class that goes first has an earlier one
    than it arrived). ``came`` is when waiting began. ``due`` is when somebody not yet here is expected and
    ``shows`` the probability that they come. ``window``, ``clerk`` and ``skill`` bind the visitor; ``booked`` lets
    appointment-only windows call them. ``ref`` is what a :data:`Pick` knows the visitor by.
    """

    queue: QueueId
    items: tuple[ItemId, ...]
    line: str = ""
    since: Millis = 0
    came: Millis = 0
    due: Millis = 0
    shows: float = 1.0
    window: WindowId | None = None
    clerk: StaffId | None = None
    skill: str = ""
    booked: bool = False
    ref: str = ""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """A window (窗口) that is open, or will be.

    ``items`` is the visit it serves, ``called`` and ``begun`` since when (``begun`` 0: called and not yet
    there). Without a visit, ``idle`` is since when it could have called. ``pause`` is when a pause without a
    planned end began, 0 when there is none. ``away`` are the planned absences still to come or running, in
    order; ``until`` the planned end of its day.
    """

    id: WindowId
    queues: tuple[QueueId, ...]
    clerk: StaffId | None = None
    skills: tuple[str, ...] = ()
    booked_only: bool = False
    items: tuple[ItemId, ...] = ()
    called: Millis = 0
    begun: Millis = 0
    idle: Millis = 0
    pause: Millis = 0
    away: tuple[Span, ...] = ()
    until: Millis | None = None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """People not known yet who are called before others of their queue: ``per_hour`` come, one after the
    other for one of ``items``. ``head_start`` is how much earlier (ms) than their arrival their place is."""

    queue: QueueId
    items: tuple[ItemId, ...]
    per_hour: float
    head_start: Millis
    line: str = ""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """A hall at the instant ``now``. ``closing`` is when the hall closes, None when nobody has said."""

    now: Millis
    desks: tuple[Desk, ...]
    waiting: tuple[Visitor, ...]
    due: tuple[Visitor, ...] = ()
    streams: tuple[Stream, ...] = ()
    closing: Millis | None = None


Pick = Callable[[Desk, Sequence[Visitor], Millis], int | None]
"""A calling rule: which of the visitors comes next at the desk, if any. It is shown the first of each line
whom the desk may call, as nothing breaks the order within a line."""


def may_call(desk: Desk, visitor: Visitor) -> bool:
    """True when the desk serves the visitor's queue and no binding, skill or appointment forbids it."""
    if visitor.window is not None and visitor.window != desk.id:
        return False
    if visitor.clerk is not None and visitor.clerk != desk.clerk:
        return False
    if visitor.skill and visitor.skill not in desk.skills:
        return False
    return visitor.queue in desk.queues and (visitor.booked or not desk.booked_only)


def connected(desks: Sequence[Desk], queues: set[QueueId]) -> list[Desk]:
    """Windows that serve the queues, or any queue that such a window serves, and so on."""
    left = list(desks)
    found: list[Desk] = []
    while new := [one for one in left if not queues.isdisjoint(one.queues)]:
        found += new
        left = [one for one in left if queues.isdisjoint(one.queues)]
        queues = queues.union(*(one.queues for one in new))
    return found
