"""Views of windows, rating pads and the board."""

from itertools import islice

from hallserver.engine.state import HallState, Ticket, WindowLife, staff_name
from qingting.contract import views as v
from qingting.contract.ids import WindowId
from qingting.contract.ratings import RATING_SECONDS
from qingting.contract.states import TicketState

QUEUE_SHOWN = 12
"""Waiting tickets that a call pad lists."""


def _item_names(state: HallState, ticket: Ticket) -> tuple[str, str]:
    item = state.items.get(ticket.item)
    return (item.name, item.name_en) if item is not None else ("", "")


def _visit(state: HallState, ticket: Ticket) -> v.CurrentVisit:
    name, name_en = _item_names(state, ticket)
    department = state.departments.get(ticket.department)
    item = state.items.get(ticket.item)
    return v.CurrentVisit(
        ticket=ticket.id,
        number=ticket.number,
        state=ticket.state,
        item=ticket.item,
        item_name=name,
        item_name_en=name_en,
        department_name=department.name if department is not None else "",
        masked_name=ticket.person.masked_name if ticket.person is not None else "",
        masked_number=ticket.person.masked_number if ticket.person is not None else "",
        issued_at=ticket.issued_at,
        called_at=ticket.called_at,
        since=ticket.since,
        calls=ticket.calls,
        reason=ticket.reason,
        materials=item.materials if item is not None else (),
    )


def _brief(state: HallState, ticket: Ticket) -> v.TicketBrief:
    name, name_en = _item_names(state, ticket)
    return v.TicketBrief(
        ticket=ticket.id,
        number=ticket.number,
        item_name=name,
        item_name_en=name_en,
        since=ticket.issued_at,
        masked_name=ticket.person.masked_name if ticket.person is not None else "",
    )


def _waiting(state: HallState, window: WindowId) -> tuple[int, tuple[v.TicketBrief, ...]]:
    """How many wait for a window, and the first of them in calling order."""
    total = 0
    front: list[tuple[int, int, int, Ticket]] = []
    for order, queue in enumerate(state.window_config[window].queues):
        line = state.waiting.get(queue, {})
        total += len(line)
        for ticket_id in islice(line, QUEUE_SHOWN):
            ticket = state.tickets[ticket_id]
            front.append((ticket.issued_at, order, ticket.serial, ticket))
    front.sort(key=lambda one: one[:3])
    return total, tuple(_brief(state, one[3]) for one in front[:QUEUE_SHOWN])


def window(state: HallState, window_id: WindowId) -> dict[str, v.View]:
    config, life = state.window_config[window_id], state.windows[window_id]
    waiting, queue = _waiting(state, window_id)
    tally = life.tally
    return {
        "window": v.WindowView(
            id=window_id,
            number=config.number,
            name=config.name,
            name_en=config.name_en,
            state=life.state,
            staff=life.staff,
            staff_name=staff_name(state, life),
            pause_reason=life.reason,
            visit=_visit(state, state.tickets[life.ticket]) if life.ticket is not None else None,
            waiting=waiting,
            queue=queue,
            counts=v.WindowCounts(
                served=tally.served,
                no_show=tally.no_show,
                serving_seconds=tally.serving_ms // 1000,
                ratings=tally.ratings,
                bad_ratings=tally.bad_ratings,
                not_rated=tally.not_rated,
            ),
        )
    }


def windows(state: HallState) -> dict[str, v.View]:
    shown: dict[str, v.View] = {}
    for config in state.window_config.values():
        life = state.windows[config.id]
        shown[config.id] = v.WindowBrief(
            id=config.id,
            number=config.number,
            name=config.name,
            name_en=config.name_en,
            state=life.state,
            staff_name=staff_name(state, life),
            ticket_number=state.tickets[life.ticket].number if life.ticket is not None else "",
            pause_reason=life.reason,
            waiting=sum(len(state.waiting.get(queue, ())) for queue in config.queues),
            served=life.tally.served,
        )
    return shown


def _rating_request(state: HallState, life: WindowLife) -> v.RatingRequest | None:
    if life.to_rate is None:
        return None
    ticket = state.tickets[life.to_rate]
    name, name_en = _item_names(state, ticket)
    return v.RatingRequest(
        ticket=ticket.id,
        number=ticket.number,
        item_name=name,
        item_name_en=name_en,
        until=ticket.finished_at + RATING_SECONDS * 1000,
    )


def rating_pad(state: HallState, window_id: WindowId) -> dict[str, v.View]:
    config, life = state.window_config[window_id], state.windows[window_id]
    staff = state.staff.get(life.staff) if life.staff is not None else None
    serving = state.tickets[life.ticket] if life.ticket is not None else None
    return {
        "pad": v.RatingPadView(
            window=window_id,
            window_number=config.number,
            window_name=config.name,
            window_name_en=config.name_en,
            state=life.state,
            clerk_name=staff.name if staff is not None else "",
            clerk_number=staff.number if staff is not None else "",
            clerk_photo=staff.photo if staff is not None else "",
            serving_number=serving.number if serving is not None else "",
            request=_rating_request(state, life),
        )
    }


def board(state: HallState) -> dict[str, v.View]:
    if state.config is None:
        return {}
    hall = state.config.hall
    shown: dict[str, v.View] = {
        "info": v.BoardInfo(
            hall_name=hall.name,
            hall_name_en=hall.name_en,
            notice=state.notice,
            notice_en=state.notice_en,
            waiting=sum(len(line) for line in state.waiting.values()),
        )
    }
    for line in state.board:
        ticket, config = state.tickets[line.ticket], state.window_config.get(line.window)
        if config is None:
            continue
        shown[f"call:{ticket.id}"] = v.BoardCall(
            ticket=ticket.id,
            number=ticket.number,
            window_number=config.number,
            window_name=config.name,
            window_name_en=config.name_en,
            masked_name=ticket.person.masked_name if ticket.person is not None else "",
            called_at=line.called_at,
            calls=ticket.calls,
            call_no=line.call_no,
            active=ticket.state in (TicketState.CALLED, TicketState.SERVING),
        )
    return shown
