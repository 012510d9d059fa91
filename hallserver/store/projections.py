"""What an event does to the projection tables: compiled statements with parameters, in order.

A pure function of the event, so that the tables can be dropped and built again from the log. The
constraints of :mod:`hallserver.store.tables` refuse whatever the engine should never have decided.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import BindParameter, bindparam, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hallserver.store import tables as t
from hallserver.store.sql import Change, Row, compile_sql
from qingting.contract import events as e
from qingting.contract.config import Device, Window
from qingting.contract.people import Person
from qingting.contract.states import DeviceState, PrintState, TicketState, WindowState

Step = Callable[[Any, e.Event], list[Change]]

_TICKET: BindParameter[str] = bindparam("b_ticket")
_ID: BindParameter[str] = bindparam("b_id")

_ISSUE = compile_sql(
    insert(t.ticket).values(
        {
            column.name: bindparam(column.name)
            for column in t.ticket.columns
            if column.name
            not in ("ended_at", "ended_by", "attempt", "print_state", "print_cause", "not_rated")
        }
    )
)
_TICKET_STATE = compile_sql(
    update(t.ticket).where(t.ticket.c.id == _ID).values(state=bindparam("state"))
)
_TICKET_END = compile_sql(
    update(t.ticket)
    .where(t.ticket.c.id == _ID)
    .values(
        state=bindparam("state"), ended_at=bindparam("ended_at"), ended_by=bindparam("ended_by")
    )
)
_PRINT_ASKED = compile_sql(
    update(t.ticket)
    .where(t.ticket.c.id == _ID)
    .values(
        attempt=bindparam("attempt"),
        print_state=bindparam("print_state"),
        print_cause=bindparam("print_cause"),
    )
)
_PRINT_TOLD = compile_sql(
    update(t.ticket)
    .where(t.ticket.c.id == _ID)
    .values(print_state=bindparam("print_state"), print_cause=bindparam("print_cause"))
)
_NOT_RATED = compile_sql(
    update(t.ticket).where(t.ticket.c.id == _ID).values(not_rated=bindparam("not_rated"))
)
_CALL = compile_sql(
    insert(t.visit).values(
        {
            name: bindparam(name)
            for name in ("seq", "ticket", "window", "staff", "reason", "calls", "called_at")
        }
    )
)
_OPEN_VISIT = (t.visit.c.ticket == _TICKET) & t.visit.c.ended_at.is_(None)
_RECALL = compile_sql(update(t.visit).where(_OPEN_VISIT).values(calls=bindparam("calls")))
_BEGIN = compile_sql(
    update(t.visit)
    .where(_OPEN_VISIT)
    .values(begun_at=bindparam("begun_at"), staff=bindparam("staff"))
)
_END_VISIT = compile_sql(
    update(t.visit)
    .where(_OPEN_VISIT)
    .values(
        ended_at=bindparam("ended_at"), outcome=bindparam("outcome"), case_no=bindparam("case_no")
    )
)
_RATE = compile_sql(insert(t.rating))
_WINDOW_STATE = compile_sql(
    update(t.window)
    .where(t.window.c.id == _ID)
    .values(
        {
            "state": bindparam("state"),
            "staff": bindparam("staff"),
            "reason": bindparam("reason"),
            "since": bindparam("since"),
        }
    )
)
_put_window = upsert(t.window).values(
    {name: bindparam(name) for name in ("id", "number", "state", "staff", "reason", "since")}
)
_PUT_WINDOW = compile_sql(
    _put_window.on_conflict_do_update(
        index_elements=["id"], set_={"number": _put_window.excluded.number}
    )
)
_put_device = upsert(t.device).values(
    {column.name: bindparam(column.name) for column in t.device.columns}
)
_PUT_DEVICE = compile_sql(
    _put_device.on_conflict_do_update(
        index_elements=["id"],
        set_={
            name: _put_device.excluded[name]
            for name in ("kind", "name", "name_en", "parent", "window")
        },
    )
)
_TELL_DEVICE = compile_sql(
    _put_device.on_conflict_do_update(
        index_elements=["id"],
        set_={
            name: _put_device.excluded[name]
            for name in ("state", "conditions", "detail", "changed_at")
        },
    )
)


def changes(event: e.Event) -> list[Change]:
    """The statements for one event; empty when it touches no projection."""
    step = _STEPS.get(cast("type", type(event.b)))
    return [] if step is None else step(event.b, event)


def _person(person: Person | None) -> Row:
    if person is None:
        return dict.fromkeys(
            ("person_kind", "masked_name", "masked_number", "sealed", "person_index")
        )
    return {
        "person_kind": person.kind.value,
        "masked_name": person.masked_name,
        "masked_number": person.masked_number,
        "sealed": person.sealed,
        "person_index": person.index,
    }


def _issued(body: e.TicketIssued, event: e.Event) -> list[Change]:
    row = {
        "id": body.ticket,
        "day": body.day,
        "queue": body.queue,
        "serial": body.serial,
        "number": body.number,
        "item": body.item,
        "department": body.department,
        "token": body.token,
        "state": TicketState.WAITING.value,
        "issued_at": event.at,
        "ahead": body.ahead,
        "wait_low": body.wait.low if body.wait is not None else None,
        "wait_high": body.wait.high if body.wait is not None else None,
        "device": body.device,
        "language": body.language.value,
        **_person(body.person),
    }
    return [(_ISSUE, row)]


def _print_requested(body: e.PrintRequested, event: e.Event) -> list[Change]:
    row = {
        "b_id": body.ticket,
        "attempt": body.attempt,
        "print_state": PrintState.PENDING.value,
        "print_cause": None,
    }
    return [(_PRINT_ASKED, row)]


def _print_reported(body: e.PrintReported, event: e.Event) -> list[Change]:
    cause = body.cause.value if body.cause is not None else None
    row = {"b_id": body.ticket, "print_state": body.outcome.value, "print_cause": cause}
    return [(_PRINT_TOLD, row)]


def _called(body: e.TicketCalled, event: e.Event) -> list[Change]:
    visit = {
        "seq": event.s,
        "ticket": body.ticket,
        "window": body.window,
        "staff": body.staff,
        "reason": body.reason,
        "calls": 1,
        "called_at": event.at,
    }
    return [
        (_TICKET_STATE, {"b_id": body.ticket, "state": TicketState.CALLED.value}),
        (_CALL, visit),
    ]


def _recalled(body: e.TicketRecalled, event: e.Event) -> list[Change]:
    return [(_RECALL, {"b_ticket": body.ticket, "calls": body.calls})]


def _begun(body: e.ServiceBegun, event: e.Event) -> list[Change]:
    return [
        (_TICKET_STATE, {"b_id": body.ticket, "state": TicketState.SERVING.value}),
        (_BEGIN, {"b_ticket": body.ticket, "begun_at": event.at, "staff": body.staff}),
    ]


def _ended(ticket: str, at: int, state: TicketState, why: str, case: str | None) -> list[Change]:
    return [
        (_TICKET_END, {"b_id": ticket, "state": state.value, "ended_at": at, "ended_by": why}),
        (
            _END_VISIT,
            {"b_ticket": ticket, "ended_at": at, "outcome": state.value, "case_no": case},
        ),
    ]


def _finished(body: e.ServiceFinished, event: e.Event) -> list[Change]:
    return _ended(body.ticket, event.at, TicketState.DONE, "finished", body.case)


def _no_show(body: e.TicketNoShow, event: e.Event) -> list[Change]:
    return _ended(body.ticket, event.at, TicketState.NO_SHOW, "no_show", None)


def _cancelled(body: e.TicketCancelled, event: e.Event) -> list[Change]:
    return _ended(body.ticket, event.at, TicketState.CANCELLED, body.reason, None)


def _rated(body: e.RatingGiven, event: e.Event) -> list[Change]:
    row = {
        "seq": event.s,
        "ticket": body.ticket,
        "case_no": body.case,
        "bd": event.bd,
        "at": event.at,
        "window": body.window,
        "staff": body.staff,
        "item": body.item,
        "department": body.department,
        "level": body.level.value,
        "tags": json.dumps(body.tags),
        "words": body.words,
        "channel": body.channel.value,
        "seconds": body.seconds,
    }
    return [(_RATE, row), (_NOT_RATED, {"b_id": body.ticket, "not_rated": None})]


def _not_rated(body: e.RatingNotGiven, event: e.Event) -> list[Change]:
    return [(_NOT_RATED, {"b_id": body.ticket, "not_rated": body.reason.value})]


def _window(
    window: str, state: WindowState, staff: str | None, reason: str, at: int
) -> list[Change]:
    row = {"b_id": window, "state": state.value, "staff": staff, "reason": reason, "since": at}
    return [(_WINDOW_STATE, row)]


def _window_opened(body: e.WindowOpened, event: e.Event) -> list[Change]:
    return _window(body.window, WindowState.OPEN, body.staff, "", event.at)


def _window_paused(body: e.WindowPaused, event: e.Event) -> list[Change]:
    return _window(body.window, WindowState.PAUSED, body.staff, body.reason, event.at)


def _window_closed(body: e.WindowClosed, event: e.Event) -> list[Change]:
    return _window(body.window, WindowState.CLOSED, None, "", event.at)


def _config_window(window: Window, at: int) -> Change:
    row = {
        "id": window.id,
        "number": window.number,
        "state": WindowState.CLOSED.value,
        "staff": None,
        "reason": "",
        "since": at,
    }
    return (_PUT_WINDOW, row)


def _device_row(device: Device | e.DeviceRegistered, device_id: str, at: int) -> Row:
    return {
        "id": device_id,
        "kind": device.kind.value,
        "name": device.name,
        "name_en": device.name_en,
        "parent": device.parent,
        "window": device.window,
        "state": DeviceState.ABSENT.value,
        "conditions": "[]",
        "detail": "",
        "changed_at": at,
    }


def _config_applied(body: e.ConfigApplied, event: e.Event) -> list[Change]:
    windows = [_config_window(window, event.at) for window in body.config.windows]
    devices = [
        (_PUT_DEVICE, _device_row(device, device.id, event.at)) for device in body.config.devices
    ]
    return windows + devices


def _registered(body: e.DeviceRegistered, event: e.Event) -> list[Change]:
    return [(_PUT_DEVICE, _device_row(body, body.device, event.at))]


def _device_changed(body: e.DeviceChanged, event: e.Event) -> list[Change]:
    row = {
        "id": body.device,
        "kind": body.kind.value,
        "name": body.device,
        "name_en": "",
        "parent": None,
        "window": None,
        "state": body.state.value,
        "conditions": json.dumps(body.conditions),
        "detail": body.detail,
        "changed_at": event.at,
    }
    return [(_TELL_DEVICE, row)]


_STEPS: dict[type, Step] = {
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
    e.DeviceRegistered: _registered,
    e.DeviceChanged: _device_changed,
}
