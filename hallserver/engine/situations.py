"""The live hall as the forecast sees it: windows with their plans, who waits, who is due, who may still come."""

from collections.abc import Iterable

from hallserver.engine import learning
from hallserver.engine.days import MINUTE_MS
from hallserver.engine.forecast import arrivals as coming
from hallserver.engine.forecast.scene import Facts
from hallserver.engine.forecast.situation import Desk, Situation, Stream, Visitor
from hallserver.engine.lines import class_of, staff_line, window_line
from hallserver.engine.state import HallState, Ticket, WindowLife, queues_of
from qingting.contract.bookings import punctuality_of
from qingting.contract.ids import ItemId, Millis, QueueId, StaffId, WindowId
from qingting.contract.rules import BOOKED, PriorityClass
from qingting.contract.states import WindowState

LATE_OPENING_MS = 15 * MINUTE_MS
"""A window that its shift has begun for and that is not open is expected for this long."""
SOON_MS = 5 * MINUTE_MS
"""When it is expected."""
BOOKED_EARLY_MS = 5 * MINUTE_MS
"""Booked people are expected this much before their time."""
SENT_FIRST_MS = 10**11
"""Whoever was sent to a window goes before everybody else there: a place far in the past."""


def situation(state: HallState, queue: QueueId, priority: str, now: Millis) -> Situation:
    """All that the waiting of somebody of a calling class in ``queue`` depends on."""
    windows = windows_of(state, queue, now)
    desks = [one for window in windows if (one := _desk(state, window, now)) is not None]
    queues = dict.fromkeys(one for desk in desks for one in desk.queues)
    hours = state.plan.hours
    return Situation(
        now=now,
        desks=tuple(desks),
        waiting=tuple(_waiting(state, queues, desks)),
        due=(*_due(state, queues, now), *_parked(state, queues, now)),
        streams=tuple(_streams(state, queues, class_of(state, priority), now)),
        closing=hours[-1][1] if hours else None,
    )


def facts(state: HallState, items: Iterable[ItemId], now: Millis) -> Facts:
    """What was learned, with the configured minutes of the items that matter."""
    typical = {one: learning.typical_minutes(state, one) for one in items}
    return Facts(state.learned.durations, typical, learning.band_of(state, now))


def items_of(scene: Situation) -> set[ItemId]:
    """Every item that somebody in the situation has come for."""
    found = {item for one in (*scene.waiting, *scene.due) for item in one.items}
    found.update(item for desk in scene.desks for item in desk.items)
    found.update(item for stream in scene.streams for item in stream.items)
    return found


def place_of(state: HallState, priority: str, at: Millis) -> Millis:
    """The place that orders people of all classes where all classes age alike: the earlier, the better."""
    group = class_of(state, priority)
    return at - head_start(group)


def head_start(group: PriorityClass) -> Millis:
    """What a class is worth in waiting time."""
    return round(group.weight / group.ageing * MINUTE_MS)


# ---- windows ------------------------------------------------------------------------------------


def windows_of(state: HallState, queue: QueueId, now: Millis) -> list[WindowId]:
    """Windows on which waiting in ``queue`` depends, those lent to any of their queues included."""
    found = list(state.plan.joined.get(queue, ()))
    lent = [
        one.id
        for one in state.windows.values()
        if one.lent and now < one.lent_until and one.id in state.window_config
    ]
    queues = {one for window in found for one in state.window_config[window].queues} | {queue}
    for window in lent:
        if window not in found and not queues.isdisjoint(queues_of(state, window, now)):
            found.append(window)
    return found


def _desk(state: HallState, window: WindowId, now: Millis) -> Desk | None:
    """A window that is open, paused, or expected by its shift; None when nobody expects it."""
    life = state.windows[window]
    away = [one for one in learning.absences(state, life) if one[1] > now]
    pause: Millis = 0
    clerk = life.staff
    if life.state is WindowState.OPEN:
        away = [one for one in away if one[0] > now]
    elif life.state is WindowState.PAUSED:
        back = learning.planned_back(state, life, life.since)
        if back is not None and back > now:
            away = [(now, back), *(one for one in away if one[0] > now)]
        else:
            pause = life.since
    else:
        start = _expected(state, life, now)
        if start is None:
            return None
        opens, clerk = start
        away = [(now, opens), *(one for one in away if one[0] > opens)]
    return _filled(state, life, clerk, away, pause, now)


def _expected(state: HallState, life: WindowLife, now: Millis) -> tuple[Millis, StaffId] | None:
    """When a closed window opens by its shifts, and for whom."""
    for one in state.plan.roster.get(life.id, ()):
        if now < one.start:
            return one.start, one.staff
        if now < min(one.end, one.start + LATE_OPENING_MS):
            return now + SOON_MS, one.staff
    return None


def _filled(
    state: HallState,
    life: WindowLife,
    clerk: StaffId | None,
    away: list[tuple[Millis, Millis]],
    pause: Millis,
    now: Millis,
) -> Desk:
    config = state.window_config[life.id]
    staff = state.staff.get(clerk) if clerk is not None else None
    visit = state.tickets[life.ticket] if life.ticket is not None else None
    return Desk(
        id=life.id,
        queues=queues_of(state, life.id, now),
        clerk=clerk,
        skills=staff.skills if staff is not None else (),
        booked_only=config.appointment_only,
        items=(visit.item,) if visit is not None else (),
        called=visit.called_at if visit is not None else 0,
        begun=visit.begun_at if visit is not None else 0,
        idle=life.idle_since if visit is None else 0,
        pause=pause if visit is None else 0,
        away=tuple(away),
        until=_until(state, life, now),
    )


def _until(state: HallState, life: WindowLife, now: Millis) -> Millis | None:
    """The end of a window's last shift, if that is before the hall closes: whoever still waits at closing may
    well be served, whoever waits for a window that goes home may not."""
    roster, hours = state.plan.roster.get(life.id), state.plan.hours
    if not roster or roster[-1].end <= now:
        return None
    end = max(one.end for one in roster)
    return end if not hours or end < hours[-1][1] else None


# ---- people -------------------------------------------------------------------------------------


def _waiting(state: HallState, queues: dict[QueueId, None], desks: list[Desk]) -> Iterable[Visitor]:
    bound: dict[str, Desk] = {}
    for desk in desks:
        bound[window_line(desk.id)] = desk
        if desk.clerk is not None:
            bound[staff_line(desk.clerk)] = desk
    for line, rows in state.lines.items():
        desk_of = bound.get(line)
        if desk_of is None and line not in queues:
            continue
        for priority, row in rows.items():
            for ticket in row:
                yield visitor(state, state.tickets[ticket], line, priority, desk_of)


def visitor(
    state: HallState, ticket: Ticket, line: str, priority: str, desk: Desk | None
) -> Visitor:
    """A waiting ticket. Somebody sent to a window or clerk waits for that ``desk`` alone."""
    item = state.items.get(ticket.item)
    place = place_of(state, priority, ticket.place_at)
    return Visitor(
        queue=ticket.queue if desk is None else desk.queues[0],
        items=(ticket.item,),
        line=f"{line}/{priority}",
        since=place if desk is None else place - SENT_FIRST_MS,
        came=ticket.issued_at,
        window=desk.id if desk is not None else None,
        skill=item.skill if item is not None else "",
        booked=ticket.booking is not None and not ticket.late,
        ref=ticket.id,
    )


def _due(state: HallState, queues: dict[QueueId, None], now: Millis) -> Iterable[Visitor]:
    """Booked people who have not come yet and may still come in time."""
    for booking_id, start in state.due.items():
        booking = state.bookings[booking_id].booking
        late = punctuality_of(booking, state.rules.punctuality).late_minutes * MINUTE_MS
        item = state.items.get(booking.items[0])
        if item is None or item.queue not in queues or now > booking.end + late:
            continue
        yield Visitor(
            queue=item.queue,
            items=(item.id,),
            line=f"{item.queue}/{BOOKED}",
            since=place_of(state, BOOKED, start),
            due=max(start - BOOKED_EARLY_MS, now + MINUTE_MS),
            shows=state.learned.durations.booked.value,
            skill=item.skill,
            booked=True,
        )


def _parked(state: HallState, queues: dict[QueueId, None], now: Millis) -> Iterable[Visitor]:
    """Parked people with a time at which they stand in line again."""
    for one in state.parked:
        ticket = state.tickets[one]
        if ticket.park_until is None or ticket.queue not in queues:
            continue
        mine = ticket.window if ticket.park_mine else None
        place = place_of(state, ticket.priority, ticket.place_at)
        yield Visitor(
            queue=ticket.queue,
            items=(ticket.item,),
            line=f"{ticket.queue}/{ticket.priority}",
            since=place if mine is None else place - SENT_FIRST_MS,
            due=max(ticket.park_until, now + MINUTE_MS),
            window=mine,
            booked=True,
            ref=ticket.id,
        )


def _streams(
    state: HallState, queues: dict[QueueId, None], own: PriorityClass, now: Millis
) -> Iterable[Stream]:
    """People of better classes who will still come. Those who booked are known by name instead."""
    better = [
        one for one in state.rules.classes if one.id != BOOKED and head_start(one) > head_start(own)
    ]
    arrivals = state.learned.arrivals
    if not any(arrivals.kinds.get(one.id) for one in better):
        return
    hour = learning.hour_of(state, now)
    for queue in queues:
        items = tuple(state.plan.items.get(queue, ()))
        for group in better if items else ():
            rate = coming.per_hour(arrivals, queue, group.id, hour)
            if rate > 0:
                yield Stream(
                    queue=queue,
                    items=items,
                    per_hour=rate,
                    head_start=head_start(group),
                    line=f"{queue}/{group.id}",
                )
