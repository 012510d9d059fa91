"""What an event does to the state. Deterministic and total: it never refuses and reads no clock."""

from collections.abc import Callable
from typing import Any, cast

import msgspec

from hallserver.engine import learning
from hallserver.engine.evolve_acts import ACT_STEPS
from hallserver.engine.evolve_tickets import TICKET_STEPS
from hallserver.engine.evolve_windows import WINDOW_STEPS
from hallserver.engine.forecast.learned import next_day
from hallserver.engine.plans import day_plan
from hallserver.engine.state import (
    BookingLife,
    DayPlan,
    DeviceLife,
    HallState,
    Knocks,
    Lease,
    WindowLife,
    classes_of,
)
from qingting.contract import events as e
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import edited
from qingting.contract.ids import BusinessDay
from qingting.contract.people import NOBODY
from qingting.contract.states import BookingState, TurnedAway

Step = Callable[[HallState, Any, e.Event], None]
TURNED_AWAY_MS = 24 * 3_600_000
"""How long refusals at the door are shown that nobody settled."""


def evolve(state: HallState, event: e.Event) -> None:
    """Applies one event in place."""
    _STEPS[cast("type", type(event.b))](state, event.b, event)
    state.seq = event.s
    state.at = max(state.at, event.at)
    state.last_command = event.cmd


def next_day_state(state: HallState, day: BusinessDay) -> HallState:
    """A copy of ``state`` as it is when ``day`` opens: windows, devices, later bookings and what was learned
    stay, tickets are gone."""
    bookings = {one: life for one, life in state.bookings.items() if life.booking.day >= day}
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
        rules=state.rules,
        classes=state.classes,
        bookings=bookings,
        booking_codes={life.booking.code: one for one, life in bookings.items()},
        due={
            one: life.booking.start
            for one, life in bookings.items()
            if life.booking.day == day and life.state is BookingState.DUE
        },
        plan=day_plan(state.config, day) if state.config is not None else DayPlan(),
        learned=next_day(state.learned),
        windows={life.id: _tomorrow(life) for life in state.windows.values()},
        devices=state.devices,
        children=state.children,
        call_no=state.call_no,
        acts=state.acts,
        hands=state.hands,
        bundles=state.bundles,
        help=state.help,
        turned_away={
            name: one
            for name, one in state.turned_away.items()
            if state.at - one.last < TURNED_AWAY_MS
        },
        notice=state.notice,
        notice_en=state.notice_en,
        directive_no=state.directive_no,
        last_command=state.last_command,
    )


def _tomorrow(life: WindowLife) -> WindowLife:
    return WindowLife(
        id=life.id,
        state=life.state,
        since=life.since,
        staff=life.staff,
        reason=life.reason,
        lent=life.lent,
        lent_until=life.lent_until,
    )


def _day_opened(state: HallState, body: e.DayOpened, event: e.Event) -> None:
    fresh = next_day_state(state, body.day)
    for field in HallState.__struct_fields__:
        setattr(state, field, getattr(fresh, field))


def _day_closed(state: HallState, body: e.DayClosed, event: e.Event) -> None:
    state.board = []
    state.calls = {}


def _config_applied(state: HallState, body: e.ConfigApplied, event: e.Event) -> None:
    _put_config(state, body.config)
    for device in body.config.devices:
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


def _config_edited(state: HallState, body: e.ConfigEdited, event: e.Event) -> None:
    assert state.config is not None
    _put_config(state, edited(state.config, body.version, body.part))
    for life in state.devices.values():
        if life.window is not None and life.window not in state.window_config:
            life.window = None


def _put_config(state: HallState, config: HallConfig) -> None:
    state.config = config
    state.departments = {one.id: one for one in config.departments}
    state.queues = {one.id: one for one in config.queues}
    state.items = {one.id: one for one in config.items}
    state.window_config = {one.id: one for one in config.windows}
    state.staff = {one.id: one for one in config.staff}
    state.rules, state.classes = config.rules, classes_of(config.rules)
    state.plan = day_plan(config, state.day)
    for window in config.windows:
        state.windows.setdefault(window.id, WindowLife(id=window.id))


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


def _refused(state: HallState, body: e.DeviceRefused, event: e.Event) -> None:
    unknown = body.why is TurnedAway.UNKNOWN_DEVICE
    name = body.why.value if unknown else f"{body.why.value}:{body.device}"
    knocks = state.turned_away.get(name)
    if knocks is None:
        knocks = state.turned_away[name] = Knocks(
            device=body.device, why=body.why, origin=body.origin, first=event.at
        )
    knocks.device, knocks.origin, knocks.by = body.device, body.origin, body.by
    knocks.count, knocks.last = knocks.count + body.count, event.at


def _keyed(state: HallState, body: e.DeviceKeyed, event: e.Event) -> None:
    settled = [
        name for name, one in state.turned_away.items() if body.device in (one.device, one.by)
    ]
    for name in settled:
        del state.turned_away[name]


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


def _booking_put(state: HallState, body: e.BookingPut, event: e.Event) -> None:
    former = state.bookings.get(body.booking.id)
    if former is not None and state.booking_codes.get(former.booking.code) == body.booking.id:
        del state.booking_codes[former.booking.code]
    state.bookings[body.booking.id] = BookingLife(booking=body.booking)
    state.booking_codes[body.booking.code] = body.booking.id
    state.due.pop(body.booking.id, None)
    if body.booking.day == state.day:
        state.due[body.booking.id] = body.booking.start


def _booking_dropped(state: HallState, body: e.BookingDropped, event: e.Event) -> None:
    state.bookings[body.booking].state = BookingState.CANCELLED
    state.due.pop(body.booking, None)


def _booking_missed(state: HallState, body: e.BookingMissed, event: e.Event) -> None:
    learning.booking_missed(state)
    state.bookings[body.booking].state = BookingState.MISSED
    state.due.pop(body.booking, None)


def _person_forgotten(state: HallState, body: e.PersonForgotten, event: e.Event) -> None:
    """Whoever is still expected keeps the name until then: the hall finds the booking by the card."""
    for ticket in state.people.pop(body.index, ()):
        state.tickets[ticket].person = None
    for life in state.bookings.values():
        if life.booking.person.index == body.index and life.state is not BookingState.DUE:
            life.booking = msgspec.structs.replace(life.booking, person=NOBODY)


def _leased(state: HallState, body: e.NumbersLeased, event: e.Event) -> None:
    state.leases.append(
        Lease(device=body.device, queue=body.queue, first=body.first, last=body.last)
    )


_STEPS: dict[type, Step] = {
    **TICKET_STEPS,
    **WINDOW_STEPS,
    **ACT_STEPS,
    e.DayOpened: _day_opened,
    e.DayClosed: _day_closed,
    e.ConfigApplied: _config_applied,
    e.ConfigEdited: _config_edited,
    e.BookingPut: _booking_put,
    e.BookingDropped: _booking_dropped,
    e.BookingMissed: _booking_missed,
    e.PersonForgotten: _person_forgotten,
    e.NumbersLeased: _leased,
    e.DeviceRegistered: _put_device,
    e.DeviceChanged: _device_changed,
    e.DeviceRefused: _refused,
    e.DeviceKeyed: _keyed,
    e.HelpRequested: _help_requested,
    e.HelpAnswered: _help_answered,
    e.NoticePut: _notice_put,
    e.DirectiveApplied: _directive,
    e.DirectiveRefused: _directive,
}
