"""How a visit comes to its rating. The only place where a level is set, and only from ``rating.given``."""

from datetime import date
from typing import Any

from qingting.contract import events as e

Row = dict[str, Any]


def touched(event: e.Event) -> str | None:
    """The ticket whose visit or rating ``event`` is about."""
    match event.b:
        case e.TicketIssued() | e.ServiceFinished() | e.RatingGiven() | e.RatingNotGiven():
            return event.b.ticket
        case _:
            return None


def fold(rows: dict[str, Row], event: e.Event) -> None:
    """Applies one event. ``KeyError`` for a ticket that the log never issued."""
    body, at = event.b, event.at
    match body:
        case e.TicketIssued():
            rows[body.ticket] = _visit(body)
        case e.ServiceFinished():
            rows[body.ticket].update(
                win=body.window, staff=body.staff, case_no=body.case, finished_at=at
            )
        case e.RatingGiven():
            rows[body.ticket].update(
                win=body.window,
                staff=body.staff,
                case_no=body.case,
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
        case e.RatingNotGiven():
            row = rows[body.ticket]
            # A rating that came first stands, whatever a late timer says.
            if row["level"] is None:
                row.update(case_no=body.case, not_rated=body.reason.value)
        case _:
            pass


def _visit(body: e.TicketIssued) -> Row:
    return {
        "ticket": body.ticket,
        "day": date.fromisoformat(body.day),
        "number": body.number,
        "item": body.item,
        "department": body.department,
        "win": None,
        "staff": None,
        "case_no": None,
        "finished_at": None,
        "level": None,
        "tags": [],
        "words": "",
        "channel": None,
        "seconds": None,
        "rated_at": None,
        "not_rated": None,
    }
