"""How a case comes to its rating. The only place where a level is set, and only from ``rating.given``."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from qingting.contract import events as e
from qingting.contract.rules import ORDINARY

Row = dict[str, Any]


@dataclass(slots=True)
class Rows:
    """The rows of one hall that a batch touches: visits by ticket, cases by their number."""

    visits: dict[str, Row] = field(default_factory=dict)
    cases: dict[str, Row] = field(default_factory=dict)


def touched(event: e.Event) -> tuple[str | None, str | None]:
    """Ticket and case that ``event`` is about."""
    match event.b:
        case e.ServiceFinished() | e.RatingGiven() | e.RatingNotGiven():
            return event.b.ticket, event.b.case
        case e.TicketIssued() | e.TicketTransferred() | e.PrioritySet():
            return event.b.ticket, None
        case _:
            return None, None


def fold(rows: Rows, event: e.Event) -> None:
    """Applies one event. ``KeyError`` for a ticket that the log never issued, a case that it never finished."""
    body = event.b
    match body:
        case e.TicketIssued():
            rows.visits[body.ticket] = _visit(body)
        case e.TicketTransferred():
            rows.visits[body.ticket].update(item=body.item, department=body.department)
        case e.PrioritySet():
            rows.visits[body.ticket].update(priority=body.placing.priority)
        case e.ServiceFinished():
            _finished(rows, body, event.at)
        case e.RatingGiven():
            _rated(rows.cases[body.case], body, event.at)
        case e.RatingNotGiven():
            row = rows.cases[body.case]
            # A rating that came first stands, whatever a late timer says.
            if row["level"] is None:
                row["not_rated"] = body.reason.value
        case _:
            pass


def _visit(body: e.TicketIssued) -> Row:
    return {
        "ticket": body.ticket,
        "day": date.fromisoformat(body.day),
        "number": body.number,
        "item": body.item,
        "department": body.department,
        "priority": body.placing.priority if body.placing is not None else ORDINARY,
        "booked": body.booking is not None,
        "tags": [],
        "words": "",
    }


def _finished(rows: Rows, body: e.ServiceFinished, at: int) -> None:
    visit = rows.visits[body.ticket]
    shared = ("ticket", "day", "number", "item", "department", "priority", "booked")
    rows.cases[body.case] = {
        **{name: visit[name] for name in shared},
        "case_no": body.case,
        "win": body.window,
        "staff": body.staff,
        "finished_at": at,
        "level": None,
        "tags": [],
        "words": "",
        "channel": None,
        "seconds": None,
        "rated_at": None,
        "not_rated": None,
    }
    onward = body.onward or body.back
    if onward is not None:
        visit.update(item=onward.item, department=onward.department)


def _rated(row: Row, body: e.RatingGiven, at: int) -> None:
    row.update(
        win=body.window,
        staff=body.staff,
        item=body.item,
        department=body.department,
        level=body.level.value,
        tags=list(body.tags),
        words=body.words,
        channel=body.channel.value,
        seconds=body.seconds,
        rated_at=at,
        not_rated=None,
    )
