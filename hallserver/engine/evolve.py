"""What an event does to the state. Deterministic and total: it never refuses and reads no clock."""

from collections.abc import Callable
from typing import Any, cast

from hallserver.engine.state import (
    TAKEN_KEPT,
    Board,
    DeviceLife,
    HallState,
    Served,
    Ticket,
    WindowLife,
)
from qingting.contract import events as e
from qingting.contract.ids import BusinessDay
from qingting.contract.states import (
    BAD_LEVELS,
    PrintOutcome,
    PrintState,
    TicketState,
    WindowState,
)

BOARD_LINES = 12
"""Calls that the display board keeps."""
_PRINT_STATES = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.FAILED: PrintState.FAILED,
    PrintOutcome.UNKNOWN: PrintState.UNKNOWN,
}
Step = Callable[[HallState, Any, e.Event], None]


def evolve(state: HallState, event: e.Event) -> None:
    """Applies one event in place."""
    _STEPS[cast("type", type(event.b))](state, event.b, event)
    state.seq = event.s
    state.at = max(state.at, event.at)
    state.last_command = event.cmd


def next_day_state(state: HallState, day: BusinessDay) -> HallState:
    """A copy of ``state`` as it is when ``day`` opens: windows and devices stay, tickets are gone."""
    return HallState(
        seq=state.seq,
        at=state.at,
        day=day,
        config=state.config,
        departments=state.departments,
        queues=state.queues,
        items=state.items,
        window_config=state.window_config,
        staff=state.staff,
        waiting={queue: {} for queue in state.queues},
        windows={
            life.id: WindowLife(id=life.id, state=life.state, staff=life.staff, reason=life.reason)
            for life in state.windows.values()
        },
        devices=state.devices,
        children=state.children,
        call_no=state.call_no,
        help=state.help,
        notice=state.notice,
        notice_en=state.notice_en,
        directive_no=state.directive_no,
        last_command=state.last_command,
    )


def _day_opened(state: HallState, body: e.DayOpened, event: e.Event) -> None:
    fresh = next_day_state(state, body.day)
    for field in HallState.__struct_fields__:
        setattr(state, field, getattr(fresh, field))


def _day_closed(state: HallState, body: e.DayClosed, event: e.Event) -> None:
    state.board = []


def _config_applied(state: HallState, body: e.ConfigApplied, event: e.Event) -> None:
    config = body.config
    state.config = config
    state.departments = {one.id: one for one in config.departments}
    state.queues = {one.id: one for one in config.queues}
    state.items = {one.id: one for one in config.items}
    state.window_config = {one.id: one for one in config.windows}
    state.staff = {one.id: one for one in config.staff}
    for queue in config.queues:
        state.waiting.setdefault(queue.id, {})
    for window in config.windows:
        state.windows.setdefault(window.id, WindowLife(id=window.id))
    for device in config.devices:
        _enter_device(
            state,
            e.DeviceRegistered(
                device=device.id,
                kind=device.kind,
                name=device.name,
                name_en=device.name_en,
                parent=device.parent,
                window=device.window,
            ),
            event,
        )
    _index_children(state)


def _put_device(state: HallState, body: e.DeviceRegistered, event: e.Event) -> None:
    _enter_device(state, body, event)
    _index_children(state)


def _index_children(state: HallState) -> None:
    state.children = {}
    for life in state.devices.values():
        if life.parent is not None:
            state.children.setdefault(life.parent, []).append(life.id)


def _enter_device(state: HallState, body: e.DeviceRegistered, event: e.Event) -> None:
    life = state.devices.get(body.device)
    if life is None or life.kind is not body.kind:
        state.devices[body.device] = DeviceLife(
            id=body.device,
            kind=body.kind,
            name=body.name,
            name_en=body.name_en,
            parent=body.parent,
            window=body.window,
            since=event.at,
        )
        return
    life.name, life.name_en, life.parent, life.window = (
        body.name,
        body.name_en,
        body.parent,
        body.window,
    )


def _device_changed(state: HallState, body: e.DeviceChanged, event: e.Event) -> None:
    life = state.devices.get(body.device)
    if life is None:
        life = state.devices[body.device] = DeviceLife(
            id=body.device, kind=body.kind, name=body.device
        )
    if life.state is not body.state:
        life.state, life.since = body.state, event.at
    life.conditions = {one: life.conditions.get(one, event.at) for one in body.conditions}
    life.detail = body.detail


def _help_requested(state: HallState, body: e.HelpRequested, event: e.Event) -> None:
    state.help[body.device] = event.at


def _help_answered(state: HallState, body: e.HelpAnswered, event: e.Event) -> None:
    state.help.pop(body.device, None)


def _notice_put(state: HallState, body: e.NoticePut, event: e.Event) -> None:
    state.notice, state.notice_en = body.text, body.text_en


def _directive(
    state: HallState, body: e.DirectiveApplied | e.DirectiveRefused, event: e.Event
) -> None:
    state.directive_no = body.no


def _issued(state: HallState, body: e.TicketIssued, event: e.Event) -> None:
    state.tickets[body.ticket] = Ticket(
        id=body.ticket,
        number=body.number,
        serial=body.serial,
        queue=body.queue,
        item=body.item,
        department=body.department,
        token=body.token,
        state=TicketState.WAITING,
        issued_at=event.at,
        since=event.at,
        ahead=body.ahead,
        wait=body.wait,
        person=body.person,
        device=body.device,
        language=body.language,
    )
    state.tokens[body.token] = body.ticket
    if body.device is not None:
        state.taken_at[body.device] = [
            *state.taken_at.get(body.device, ())[-TAKEN_KEPT + 1 :],
            body.ticket,
        ]
    state.serials[body.queue] = body.serial
    state.waiting.setdefault(body.queue, {})[body.ticket] = event.at


def _print_requested(state: HallState, body: e.PrintRequested, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.attempt, ticket.print_device, ticket.print_asked_at = body.attempt, body.device, event.at
    ticket.print_state, ticket.print_cause = PrintState.PENDING, None


def _print_reported(state: HallState, body: e.PrintReported, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.print_state, ticket.print_cause = _PRINT_STATES[body.outcome], body.cause


def _called(state: HallState, body: e.TicketCalled, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    state.waiting[ticket.queue].pop(ticket.id, None)
    ticket.state, ticket.since = TicketState.CALLED, event.at
    ticket.window, ticket.staff, ticket.reason = body.window, body.staff, body.reason
    ticket.called_at = ticket.last_call_at = event.at
    ticket.calls = 1
    state.windows[body.window].ticket = ticket.id
    _announce(state, ticket, event)


def _recalled(state: HallState, body: e.TicketRecalled, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.calls, ticket.last_call_at = body.calls, event.at
    _announce(state, ticket, event)


def _announce(state: HallState, ticket: Ticket, event: e.Event) -> None:
    state.call_no += 1
    state.board = [line for line in state.board if line.ticket != ticket.id][-BOARD_LINES + 1 :]
    if ticket.window is not None:
        state.board.append(
            Board(ticket=ticket.id, window=ticket.window, call_no=state.call_no, called_at=event.at)
        )


def _begun(state: HallState, body: e.ServiceBegun, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.state, ticket.since, ticket.begun_at, ticket.staff = (
        TicketState.SERVING,
        event.at,
        event.at,
        body.staff,
    )


def _finished(state: HallState, body: e.ServiceFinished, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.state, ticket.since, ticket.finished_at = TicketState.DONE, event.at, event.at
    ticket.case, ticket.staff = body.case, body.staff
    life = state.windows[body.window]
    life.ticket, life.to_rate = None, ticket.id
    duration = max(0, event.at - ticket.begun_at)
    life.tally.served += 1
    life.tally.serving_ms += duration
    served = state.served.setdefault(ticket.item, Served())
    served.count += 1
    served.total_ms += duration


def _no_show(state: HallState, body: e.TicketNoShow, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.state, ticket.since = TicketState.NO_SHOW, event.at
    life = state.windows[body.window]
    life.ticket = None
    life.tally.no_show += 1


def _cancelled(state: HallState, body: e.TicketCancelled, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    state.waiting.get(ticket.queue, {}).pop(ticket.id, None)
    if ticket.window is not None and state.windows[ticket.window].ticket == ticket.id:
        state.windows[ticket.window].ticket = None
    ticket.state, ticket.since = TicketState.CANCELLED, event.at
    ticket.cancelled = body.reason


def _rated(state: HallState, body: e.RatingGiven, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    tally = state.windows[body.window].tally
    if ticket.rating_closed:
        tally.not_rated -= 1
    ticket.rated = True
    ticket.rating_closed = True
    tally.ratings += 1
    tally.bad_ratings += body.level in BAD_LEVELS
    _clear_rating(state, ticket)


def _not_rated(state: HallState, body: e.RatingNotGiven, event: e.Event) -> None:
    ticket = state.tickets[body.ticket]
    ticket.rating_closed = True
    if ticket.window is not None:
        state.windows[ticket.window].tally.not_rated += 1
    _clear_rating(state, ticket)


def _clear_rating(state: HallState, ticket: Ticket) -> None:
    if ticket.window is not None and state.windows[ticket.window].to_rate == ticket.id:
        state.windows[ticket.window].to_rate = None


def _window_opened(state: HallState, body: e.WindowOpened, event: e.Event) -> None:
    life = state.windows[body.window]
    life.state, life.staff, life.reason = WindowState.OPEN, body.staff, ""


def _window_paused(state: HallState, body: e.WindowPaused, event: e.Event) -> None:
    life = state.windows[body.window]
    life.state, life.reason = WindowState.PAUSED, body.reason


def _window_closed(state: HallState, body: e.WindowClosed, event: e.Event) -> None:
    life = state.windows[body.window]
    life.state, life.staff, life.reason = WindowState.CLOSED, None, ""


_STEPS: dict[type, Step] = {
    e.DayOpened: _day_opened,
    e.DayClosed: _day_closed,
    e.ConfigApplied: _config_applied,
    e.TicketIssued: _issued,
    e.PrintRequested: _print_requested,
    e.PrintReported: _print_reported,
    e.TicketCalled: _called,
    e.TicketRecalled: _recalled,
    e.ServiceBegun: _begun,
    e.ServiceFinished: _finished,
    e.TicketNoShow: _no_show,
    e.TicketCancelled: _cancelled,
    e.RatingGiven: _rated,
    e.RatingNotGiven: _not_rated,
    e.WindowOpened: _window_opened,
    e.WindowPaused: _window_paused,
    e.WindowClosed: _window_closed,
    e.DeviceRegistered: _put_device,
    e.DeviceChanged: _device_changed,
    e.HelpRequested: _help_requested,
    e.HelpAnswered: _help_answered,
    e.NoticePut: _notice_put,
    e.DirectiveApplied: _directive,
    e.DirectiveRefused: _directive,
}
