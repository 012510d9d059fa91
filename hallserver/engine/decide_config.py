"""Rules of configuration, bookings and the city's directives."""

from hallserver.engine.decide_windows import closing
from hallserver.engine.state import HallState
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract.config import HallConfig, Queue, Staff, Window, config_faults
from qingting.contract.config_parts import edited
from qingting.contract.errors import Refusal
from qingting.contract.faults import Fault, FaultyConfig
from qingting.contract.ids import BookingId
from qingting.contract.states import OPEN_TICKET_STATES, BookingState


def _config_refusal(state: HallState, config: HallConfig) -> Refusal | None:
    if faults := config_faults(config):
        return FaultyConfig(faults)
    if state.config is not None:
        if state.config.hall.id != config.hall.id:
            return FaultyConfig(
                [
                    Fault(
                        "fault.other_hall", "hall", name=config.hall.name, what=state.config.hall.id
                    )
                ]
            )
        if config.version < state.config.version:
            return Refusal("config.older", version=config.version)
    return _in_use(state, config)


def _in_use(state: HallState, config: HallConfig) -> Refusal | None:
    """Nobody may be left where nothing calls or serves them any more: in a queue, at a window or with a
    clerk that the new configuration does not have."""
    queues, windows = {one.id for one in config.queues}, {one.id for one in config.windows}
    staff = {one.id for one in config.staff}
    for ticket in state.tickets.values():
        if ticket.state not in OPEN_TICKET_STATES:
            continue
        for queue in (ticket.queue, *(errand.queue for errand in ticket.back)):
            if queue not in queues:
                return Refusal("config.in_use", name=_name(state.queues.get(queue), queue))
    for life in state.windows.values():
        if life.ticket is None or life.staff is None:
            continue
        if life.id not in windows:
            return Refusal("config.in_use", name=_name(state.window_config.get(life.id), life.id))
        if life.staff not in staff:
            return Refusal("config.in_use", name=_name(state.staff.get(life.staff), life.staff))
    return None


def _name(known: Queue | Window | Staff | None, key: str) -> str:
    return known.name if known is not None else key


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
    if (refusal := _config_refusal(state, config)) is not None:
        raise refusal
    return [*_closings(state, config), e.ConfigEdited(version=version, part=command.part)]


def apply_directive(state: HallState, command: c.ApplyDirective, now: int) -> list[e.EventBody]:
    """Every directive becomes an event in its turn, also one that is refused or not understood."""
    if command.no <= state.directive_no:
        return []
    if command.no > state.directive_no + 1:
        raise Refusal("directive.gap", no=command.no)
    if command.expires_at is not None and now > command.expires_at:
        return [e.DirectiveRefused(no=command.no, code="directive.expired")]
    try:
        events = _directed(state, command.directive)
    except Refusal as refusal:
        return [e.DirectiveRefused(no=command.no, code=refusal.code)]
    return [*events, e.DirectiveApplied(no=command.no)]


def _directed(state: HallState, directive: d.Directive | None) -> list[e.EventBody]:
    match directive:
        case None:
            raise Refusal("directive.unknown")
        case d.PutConfig(config=config):
            if (refusal := _config_refusal(state, config)) is not None:
                raise refusal
            return [*_closings(state, config), e.ConfigApplied(config=config)]
        case d.PutNotice(text=text, text_en=text_en):
            return [e.NoticePut(text=text, text_en=text_en)]
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


def _check_changeable(state: HallState, booking: BookingId) -> None:
    life = state.bookings.get(booking)
    if life is None:
        return
    if life.state is BookingState.ARRIVED:
        number = state.tickets[life.ticket].number if life.ticket in state.tickets else "—"
        raise Refusal("booking.arrived", number=number)
    if life.state is BookingState.MISSED:
        raise Refusal("booking.over")
