"""The day at a glance for the clerk at a window: pressure, own figures, the visitor's other visits."""

from collections.abc import Iterator

from hallserver.engine.calling import next_ticket
from hallserver.engine.clerks import serving_ms
from hallserver.engine.days import MINUTE_MS
from hallserver.engine.lines import count, waiting
from hallserver.engine.pressure import (
    AMBER,
    ARRIVAL_MINUTES,
    RED,
    Load,
    expected_minutes,
    pressure,
    terms,
    windows_needed,
)
from hallserver.engine.state import Case, ClerkDay, HallState, Ticket, queues_of
from hallserver.engine.view_windows import listed
from hallserver.engine.waiting import Outlook, mean_minutes
from qingting.contract import views as v
from qingting.contract import views_desk as d
from qingting.contract.ids import ItemId, Millis, QueueId, StaffId, WindowId
from qingting.contract.states import Origin, RatingLevel, TicketState, WindowState

VISITS_SHOWN = 8
"""Other visits of a visitor that a call pad lists."""
ITEMS_SHOWN = 6
"""Items of the clerk that a call pad compares with the hall."""


def desk(state: HallState, window: WindowId, now: Millis, waits: Outlook) -> dict[str, v.View]:
    """Entries of the topic ``desk:<window>``."""
    life = state.windows[window]
    shown: dict[str, v.View] = {
        "pulse": _pulse(state, window, now),
        "waits": _waits(state, window, now, waits),
    }
    if life.staff is not None:
        shown["figures"] = _figures(state, life.staff)
    ticket = state.tickets[life.ticket] if life.ticket is not None else None
    if ticket is not None and ticket.person is not None:
        shown["visitor"] = _visitor(state, ticket)
    return shown


# ---- the hall now -------------------------------------------------------------------------------


def _pulse(state: HallState, window: WindowId, now: Millis) -> d.DeskPulse:
    lives = [one for one in state.windows.values() if one.id in state.window_config]
    return d.DeskPulse(
        waiting=waiting(state),
        windows_open=sum(one.state is WindowState.OPEN for one in lives),
        windows=len(lives),
        served=sum(one.count for one in state.served.values()),
        pressure=_pressure(state, queues_of(state, window, now), now),
    )


def _pressure(state: HallState, queues: tuple[QueueId, ...], now: Millis) -> d.PressureView:
    arrivals = sum(1 for one in _lately(state, now) if one.queue in queues)
    serving = [
        one
        for one in state.windows.values()
        if one.id in state.window_config
        and not set(queues).isdisjoint(queues_of(state, one.id, now))
    ]
    missed = sum(one.tally.no_show for one in serving)
    load = Load(
        arrivals_per_minute=arrivals / ARRIVAL_MINUTES,
        service_minutes=_service_minutes(state, queues),
        windows=sum(one.state is WindowState.OPEN for one in serving),
        waiting=sum(count(state, one) for one in queues),
        missed=missed,
        called=missed + sum(one.tally.served for one in serving),
        seats=state.config.hall.seats if state.config is not None else None,
        crowd=waiting(state),
    )
    value, wait = pressure(load), expected_minutes(load)
    return d.PressureView(
        value=round(value, 1),
        level=_level(value),
        parts=tuple(
            d.PressurePart(name=name, points=round(points, 1), most=round(most, 1))
            for name, (points, most) in terms(load).items()
        ),
        arrivals=arrivals,
        waiting=load.waiting,
        windows=load.windows,
        windows_needed=windows_needed(load),
        wait_minutes=round(wait, 1)
        if load.windows or (not load.waiting and not arrivals)
        else None,
    )


def _level(value: float) -> d.PressureLevel:
    if value >= RED:
        return d.PressureLevel.OVERLOADED
    return d.PressureLevel.BUSY if value >= AMBER else d.PressureLevel.CALM


def _lately(state: HallState, now: Millis) -> Iterator[Ticket]:
    """Tickets of the last half hour; what a kiosk gave while it was cut off may stand out of order."""
    since = now - ARRIVAL_MINUTES * MINUTE_MS
    for ticket in reversed(state.tickets.values()):
        if ticket.issued_at >= since:
            yield ticket
        elif ticket.origin is not Origin.LEASED:
            return


def _service_minutes(state: HallState, queues: tuple[QueueId, ...]) -> float:
    """Mean serving time of the items of these queues, each as often as it was asked for today."""
    total = weight = 0.0
    for item in state.items.values():
        if item.queue in queues:
            times = state.issued.get(f"item:{item.id}", 0) + 0.01
            total += times * mean_minutes(state, item.id)
            weight += times
    return total / weight if weight else 10.0


def _waits(state: HallState, window: WindowId, now: Millis, waits: Outlook) -> d.DeskWaits:
    """Of those on the window's list alone, so that a pad costs no more however many wait."""
    who = [one for one, _ in listed(state, window, now, next_ticket(state, window, now))]
    known = {one.id: waits.ticket(one) for one in who}
    return d.DeskWaits(waits={one: wait for one, wait in known.items() if wait is not None})


# ---- the clerk's day ----------------------------------------------------------------------------


def _figures(state: HallState, staff: StaffId) -> d.DeskFigures:
    day = state.clerks.get(staff) or ClerkDay()
    often = sorted(day.items, key=lambda one: -day.items[one].count)[:ITEMS_SHOWN]
    return d.DeskFigures(
        staff=staff,
        served=sum(day.hours.values()),
        serving_seconds=serving_ms(day) // 1000,
        no_show=day.no_show,
        not_rated=day.not_rated,
        hours=tuple(
            d.HourCount(hour=hour, served=served) for hour, served in sorted(day.hours.items())
        ),
        items=tuple(_item_time(state, day, one) for one in often),
        levels=tuple(
            d.LevelCount(level=level, count=day.levels.get(level, 0)) for level in RatingLevel
        ),
    )


def _item_time(state: HallState, day: ClerkDay, item: ItemId) -> d.ItemTime:
    own, hall = day.items[item], state.served[item]
    found = state.items.get(item)
    return d.ItemTime(
        item=item,
        name=found.name if found is not None else item,
        name_en=found.name_en if found is not None else "",
        served=own.count,
        seconds=own.total_ms // own.count // 1000,
        hall_seconds=hall.total_ms // hall.count // 1000,
    )


# ---- the visitor's day --------------------------------------------------------------------------


def _visitor(state: HallState, ticket: Ticket) -> d.VisitorDay:
    assert ticket.person is not None
    visits: list[d.PastVisit] = []
    for one in map(state.tickets.__getitem__, state.people.get(ticket.person.index, ())):
        visits += [_served_visit(state, one, case) for case in one.cases]
        if one.id != ticket.id and one.state is not TicketState.DONE:
            visits.append(_open_visit(state, one))
    visits.sort(key=lambda one: (one.ended_at or one.issued_at, one.issued_at), reverse=True)
    return d.VisitorDay(ticket=ticket.id, visits=tuple(visits[:VISITS_SHOWN]))


def _served_visit(state: HallState, ticket: Ticket, case: Case) -> d.PastVisit:
    return d.PastVisit(
        ticket=ticket.id,
        number=ticket.number,
        **_named(state, case.item),
        window_number=_number(state, case.window),
        state=TicketState.DONE,
        issued_at=ticket.issued_at,
        begun_at=case.begun_at,
        ended_at=case.finished_at,
    )


def _open_visit(state: HallState, ticket: Ticket) -> d.PastVisit:
    over = ticket.state in (TicketState.NO_SHOW, TicketState.CANCELLED)
    return d.PastVisit(
        ticket=ticket.id,
        number=ticket.number,
        **_named(state, ticket.item),
        window_number=_number(state, ticket.window),
        state=ticket.state,
        issued_at=ticket.issued_at,
        begun_at=ticket.begun_at,
        ended_at=ticket.since if over else 0,
    )


def _named(state: HallState, item: ItemId) -> dict[str, str]:
    found = state.items.get(item)
    return {
        "item_name": found.name if found is not None else item,
        "item_name_en": found.name_en if found is not None else "",
    }


def _number(state: HallState, window: WindowId | None) -> str:
    config = state.window_config.get(window) if window is not None else None
    return config.number if config is not None else ""
