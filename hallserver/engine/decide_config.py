"""Rules of configuration, bookings and the city's directives."""

from collections import Counter

from hallserver.engine import decide_acts
from hallserver.engine.decide_windows import closing
from hallserver.engine.state import HallState
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract.config import HallConfig, Item, Queue, Staff, Window, config_faults
from qingting.contract.config_parts import edited
from qingting.contract.errors import Refusal
from qingting.contract.faults import Fault, FaultyConfig
from qingting.contract.ids import BookingId
from qingting.contract.states import OPEN_TICKET_STATES, BookingState


def _config_refusal(state: HallState, config: HallConfig) -> Refusal | None:
    if faults := config_faults(config):
        return FaultyConfig(_with_names(state, faults))
    if state.config is not None:
        if state.config.hall.id != config.hall.id:
            return FaultyConfig(
                [
                    Fault(
                        "fault.other_hall",
                        "hall",
                        name=config.hall.name,
                        what=state.config.hall.id,
                        name_en=config.hall.name_en,
                    )
                ]
            )
        if config.version < state.config.version:
            return Refusal("config.older", version=config.version)
    return _in_use(state, config)


def _in_use(state: HallState, config: HallConfig) -> Refusal | None:
    """Nobody may be left where nothing calls or serves them any more: in a queue, at a window or with a
    clerk that the new configuration does not have."""
    queues = {one.id for one in config.queues}
    for ticket in state.tickets.values():
        if ticket.state not in OPEN_TICKET_STATES:
            continue
        for queue in (ticket.queue, *(errand.queue for errand in ticket.back)):
            if queue not in queues:
                return _used(state.queues.get(queue), queue)
    return _at_work(state, config)


def _at_work(state: HallState, config: HallConfig) -> Refusal | None:
    windows, staff = {one.id for one in config.windows}, {one.id for one in config.staff}
    for life in state.windows.values():
        if life.ticket is None or life.staff is None:
            continue
        if life.id not in windows:
            return _used(state.window_config.get(life.id), life.id)
        if life.staff not in staff:
            return _used(state.staff.get(life.staff), life.staff)
    return None


def _promised(state: HallState, config: HallConfig) -> Refusal | None:
    """What the hall's own manager may not take back: items that somebody waits for or has booked, and
    letters of today's numbers, which would name two people alike."""
    items = {one.id for one in config.items}
    gone = {key: item for key, item in state.items.items() if key not in items}
    waited = {
        item
        for ticket in state.tickets.values()
        if gone and ticket.state in OPEN_TICKET_STATES
        for item in (ticket.item, *ticket.todo, *(errand.item for errand in ticket.back))
    }
    booked = Counter(
        item
        for life in state.bookings.values()
        if life.state is BookingState.DUE
        for item in set(life.booking.items)
    )
    for key, item in gone.items():
        if key in waited:
            return _used(item, key)
        if count := booked[key]:
            return Refusal("config.booked", name=item.name, name_en=item.name_en, count=count)
    return _letters(state, config)


def _letters(state: HallState, config: HallConfig) -> Refusal | None:
    fresh = {
        one.prefix: one
        for one in config.queues
        if one.id not in state.queues or state.queues[one.id].prefix != one.prefix
    }
    if not fresh:
        return None
    for ticket in state.tickets.values():
        queue = fresh.get(ticket.number.rstrip("0123456789"))
        if queue is not None and not ticket.id.startswith(f"{state.day}-{queue.id}-"):
            return Refusal(
                "config.letter_used", letter=queue.prefix, name=queue.name, name_en=queue.name_en
            )
    return None


def _used(known: Queue | Window | Staff | Item | None, key: str) -> Refusal:
    if known is None:
        return Refusal("config.in_use", name=key)
    if isinstance(known, Staff):
        return Refusal("config.in_use", name=known.name)
    return Refusal("config.in_use", name=known.name, name_en=known.name_en)


def _with_names(state: HallState, faults: list[Fault]) -> list[Fault]:
    """What is gone is named as people knew it."""
    known: dict[str, dict[str, tuple[str, str]]] = {
        "fault.no_queue": {one.id: (one.name, one.name_en) for one in state.queues.values()},
        "fault.no_window": {
            one.id: (one.name, one.name_en) for one in state.window_config.values()
        },
        "fault.no_staff": {one.id: (one.name, "") for one in state.staff.values()},
        "fault.no_item": {one.id: (one.name, one.name_en) for one in state.items.values()},
    }
    return [_named(one, known.get(one.code, {}).get(one.what)) for one in faults]


def _named(fault: Fault, names: tuple[str, str] | None) -> Fault:
    """``names``: Chinese and English ones of what the fault misses; the shell keeps its id."""
    if names is None:
        return fault
    name, name_en = names
    detail = fault.line().partition(": ")[2]
    return fault._replace(what=name, what_en=name_en, detail=detail)


def _closings(state: HallState, config: HallConfig) -> list[e.EventBody]:
    """Idle windows that the new configuration does not have, or whose clerk it does not have, close."""
    windows, staff = {one.id for one in config.windows}, {one.id for one in config.staff}
    return [
        event
        for life in state.windows.values()
        if life.staff is not None and (life.id not in windows or life.staff not in staff)
        for event in closing(state, life)
    ]


def apply_config(state: HallState, command: c.ApplyConfig, now: int) -> list[e.EventBody]:
    if state.config == command.config:
        return []
    if (refusal := _config_refusal(state, command.config)) is not None:
        raise refusal
    return [*_closings(state, command.config), e.ConfigApplied(config=command.config)]


def edit_config(state: HallState, command: c.EditConfig, now: int) -> list[e.EventBody]:
    """Compare and set: an edit made on an older version than the present is refused, never merged."""
    if state.config is None:
        raise Refusal("config.none")
    if command.base != state.config.version:
        raise Refusal("config.moved_on", version=state.config.version)
    version = state.config.version + 1
    config = edited(state.config, version, command.part)
    if edited(state.config, state.config.version, command.part) == state.config:
        return []
    refusal = _config_refusal(state, config) or _promised(state, config)
    if refusal is not None:
        raise refusal
    return [*_closings(state, config), e.ConfigEdited(version=version, part=command.part)]


def apply_directive(state: HallState, command: c.ApplyDirective, now: int) -> list[e.EventBody]:
    """Every directive becomes an event in its turn, also one that is refused or not understood."""
    if command.no <= state.directive_no:
        return []
    if command.no > state.directive_no + 1:
        raise Refusal("directive.gap", no=command.no)
    if command.expires_at is not None and now > command.expires_at:
        return [_refused(command, Refusal("directive.expired"))]
    try:
        events = _directed(state, command.directive, now)
    except Refusal as refusal:
        return [_refused(command, refusal)]
    return [*events, e.DirectiveApplied(no=command.no)]


def _refused(command: c.ApplyDirective, refusal: Refusal) -> e.DirectiveRefused:
    return e.DirectiveRefused(no=command.no, code=refusal.code, params=refusal.told)


def _directed(state: HallState, directive: d.Directive | None, now: int) -> list[e.EventBody]:
    match directive:
        case None:
            raise Refusal("directive.unknown")
        case d.PutConfig(config=config):
            if (refusal := _put_refusal(state, directive)) is not None:
                raise refusal
            return [*_closings(state, config), e.ConfigApplied(config=config)]
        case d.PutNotice(text=text, text_en=text_en):
            return [e.NoticePut(text=text, text_en=text_en)]
        case d.DirectAct() | d.PutProfiles() | d.PutRelease():
            return decide_acts.directed(state, directive, now)
        case d.PutBooking() | d.DropBooking() | d.ForgetPerson():
            return _about_citizens(state, directive)


def _about_citizens(
    state: HallState, directive: d.PutBooking | d.DropBooking | d.ForgetPerson
) -> list[e.EventBody]:
    match directive:
        case d.PutBooking(booking=booking):
            _check_changeable(state, booking.id)
            if any(item not in state.items for item in booking.items):
                raise Refusal("ticket.unknown_item")
            return [e.BookingPut(booking=booking)]
        case d.DropBooking(booking=booking_id):
            if booking_id not in state.bookings:
                raise Refusal("booking.unknown")
            _check_changeable(state, booking_id)
            return [e.BookingDropped(booking=booking_id)]
        case d.ForgetPerson(person=person):
            if not person.index:
                raise Refusal("person.unreadable")
            return [e.PersonForgotten(index=person.index)]


def _put_refusal(state: HallState, put: d.PutConfig) -> Refusal | None:
    """One that was written on a version that is in force no more would undo what the hall did meanwhile."""
    if put.base and state.config is not None and put.base != state.config.version:
        return Refusal("config.moved_on", version=state.config.version)
    refusal = _config_refusal(state, put.config)
    return refusal or (_promised(state, put.config) if put.base else None)


def _check_changeable(state: HallState, booking: BookingId) -> None:
    life = state.bookings.get(booking)
    if life is None:
        return
    if life.state is BookingState.ARRIVED:
        number = state.tickets[life.ticket].number if life.ticket in state.tickets else "—"
        raise Refusal("booking.arrived", number=number)
    if life.state is BookingState.MISSED:
        raise Refusal("booking.over")
