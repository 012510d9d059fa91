"""What an event does to the projection tables: compiled statements with parameters, in order.

A pure function of the event, so that the tables can be dropped and built again from the log. The
constraints of :mod:`hallserver.store.tables` refuse whatever the engine should never have decided.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import BindParameter, bindparam, insert, null, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hallserver.store import tables as t
from hallserver.store.sql import Change, Row, compile_sql
from qingting.contract import events as e
from qingting.contract.config import Device, Window
from qingting.contract.config_parts import RosterPart
from qingting.contract.people import Person
from qingting.contract.rules import ORDINARY
from qingting.contract.states import DeviceState, Origin, PrintState, TicketState, WindowState

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
_FORGET = compile_sql(
    update(t.ticket)
    .where(t.ticket.c.person_index == _ID)
    .values(
        dict.fromkeys(
            ("person_kind", "masked_name", "masked_number", "sealed", "person_index"), null()
        )
    )
)
_PHASE = compile_sql(insert(t.phase))
_TICKET_ITEM = compile_sql(
    update(t.ticket)
    .where(t.ticket.c.id == _ID)
    .values(state=bindparam("state"), item=bindparam("item"), department=bindparam("department"))
)
_TICKET_CLASS = compile_sql(
    update(t.ticket).where(t.ticket.c.id == _ID).values(priority=bindparam("priority"))
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


def _person_forgotten(body: e.PersonForgotten, event: e.Event) -> list[Change]:
    return [(_FORGET, {"b_id": body.index})]


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
        "issued_at": body.taken_at if body.taken_at is not None else event.at,
        "ahead": body.ahead,
        "wait_low": body.wait.low if body.wait is not None else None,
        "wait_high": body.wait.high if body.wait is not None else None,
        "device": body.device,
        "language": body.language.value,
        **_person(body.person),
        "party": body.party,
        "priority": body.placing.priority if body.placing is not None else ORDINARY,
        "origin": body.origin.value,
        "booking": body.booking,
        "late": int(body.late),
        "waiver": body.waiver,
    }
    line = body.placing.line if body.placing is not None else body.queue
    waits = _phase(body.ticket, TicketState.WAITING, line, event)
    waits[1]["at"] = row["issued_at"]
    changes = [(_ISSUE, row), waits]
    if body.origin is Origin.LEASED:  # its kiosk had printed it before the hall knew
        told = {"b_id": body.ticket, "print_state": PrintState.PRINTED.value, "print_cause": None}
        changes.append((_PRINT_TOLD, told))
    return changes


def _phase(ticket: str, state: TicketState, place: str, event: e.Event) -> Change:
    row = {"seq": event.s, "ticket": ticket, "state": state.value, "place": place, "at": event.at}
    return (_PHASE, row)


def _moved(ticket: str, state: TicketState, place: str, event: e.Event) -> list[Change]:
    return [
        (_TICKET_STATE, {"b_id": ticket, "state": state.value}),
        _phase(ticket, state, place, event),
    ]


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
    return [*_moved(body.ticket, TicketState.CALLED, body.window, event), (_CALL, visit)]


def _recalled(body: e.TicketRecalled, event: e.Event) -> list[Change]:
    return [(_RECALL, {"b_ticket": body.ticket, "calls": body.calls})]


def _begun(body: e.ServiceBegun, event: e.Event) -> list[Change]:
    return [
        *_moved(body.ticket, TicketState.SERVING, body.window, event),
        (_BEGIN, {"b_ticket": body.ticket, "begun_at": event.at, "staff": body.staff}),
    ]


def _end_visit(ticket: str, outcome: str, case: str | None, event: e.Event) -> Change:
    row = {"b_ticket": ticket, "ended_at": event.at, "outcome": outcome, "case_no": case}
    return (_END_VISIT, row)


def _ended(
    ticket: str, state: TicketState, why: str, case: str | None, event: e.Event
) -> list[Change]:
    row = {"b_id": ticket, "state": state.value, "ended_at": event.at, "ended_by": why}
    return [
        (_TICKET_END, row),
        _phase(ticket, state, "", event),
        _end_visit(ticket, state.value, case, event),
    ]


def _finished(body: e.ServiceFinished, event: e.Event) -> list[Change]:
    onward = body.onward or body.back
    if onward is None:
        return _ended(body.ticket, TicketState.DONE, "finished", body.case, event)
    return [
        _end_visit(body.ticket, TicketState.DONE.value, body.case, event),
        *_sent_on(body.ticket, onward, onward.placing.line, event),
    ]


def _sent_on(
    ticket: str, target: e.Onward | e.TicketTransferred, line: str, event: e.Event
) -> list[Change]:
    row = {
        "b_id": ticket,
        "state": TicketState.WAITING.value,
        "item": target.item,
        "department": target.department,
    }
    return [(_TICKET_ITEM, row), _phase(ticket, TicketState.WAITING, line, event)]


def _no_show(body: e.TicketNoShow, event: e.Event) -> list[Change]:
    return _ended(body.ticket, TicketState.NO_SHOW, "no_show", None, event)


def _cancelled(body: e.TicketCancelled, event: e.Event) -> list[Change]:
    return _ended(body.ticket, TicketState.CANCELLED, body.reason, None, event)


def _parked(body: e.TicketParked, event: e.Event) -> list[Change]:
    return [
        *_moved(body.ticket, TicketState.PARKED, body.window, event),
        _end_visit(body.ticket, TicketState.PARKED.value, None, event),
    ]


def _returned(body: e.TicketReturned, event: e.Event) -> list[Change]:
    row = {"b_id": body.ticket, "state": TicketState.WAITING.value}
    return [
        (_TICKET_END, {**row, "ended_at": None, "ended_by": None}),
        _phase(body.ticket, TicketState.WAITING, body.placing.line, event),
    ]


def _transferred(body: e.TicketTransferred, event: e.Event) -> list[Change]:
    return [
        *_sent_on(body.ticket, body, body.placing.line, event),
        _end_visit(body.ticket, "transferred", None, event),
    ]


def _handed_back(body: e.TicketHandedBack, event: e.Event) -> list[Change]:
    return [
        *_moved(body.ticket, TicketState.WAITING, body.placing.line, event),
        _end_visit(body.ticket, "handed_back", None, event),
    ]


def _priority(body: e.PrioritySet, event: e.Event) -> list[Change]:
    return [(_TICKET_CLASS, {"b_id": body.ticket, "priority": body.placing.priority})]


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


def _config_edited(body: e.ConfigEdited, event: e.Event) -> list[Change]:
    if not isinstance(body.part, RosterPart):
        return []
    return [_config_window(window, event.at) for window in body.part.windows]


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
    e.ConfigEdited: _config_edited,
    e.TicketParked: _parked,
    e.TicketReturned: _returned,
    e.TicketTransferred: _transferred,
    e.TicketHandedBack: _handed_back,
    e.PrioritySet: _priority,
    e.TicketIssued: _issued,
    e.PrintRequested: _print_requested,
    e.PrintReported: _print_reported,
    e.TicketCalled: _called,
    e.TicketRecalled: _recalled,
    e.ServiceBegun: _begun,
    e.ServiceFinished: _finished,
    e.TicketNoShow: _no_show,
    e.TicketCancelled: _cancelled,
    e.PersonForgotten: _person_forgotten,
    e.RatingGiven: _rated,
    e.RatingNotGiven: _not_rated,
    e.WindowOpened: _window_opened,
    e.WindowPaused: _window_paused,
    e.WindowClosed: _window_closed,
    e.DeviceRegistered: _registered,
    e.DeviceChanged: _device_changed,
}
