"""Views of windows, rating pads and the board."""

from collections.abc import Callable
from itertools import islice

from hallserver.engine.calling import Choice, may_call, next_ticket
from hallserver.engine.lines import (
    class_of,
    count,
    in_order,
    sent_to,
    turns,
    waiting,
    window_line,
)
from hallserver.engine.roster import planned_now
from hallserver.engine.state import (
    HallState,
    Tally,
    Ticket,
    WindowLife,
    permissions_of,
    queues_of,
    staff_name,
)
from hallserver.engine.view_tickets import booked_at, brief, item_names, may_return, names_of
from qingting.contract import views as v
from qingting.contract.config import WindowOrder
from qingting.contract.ids import Millis, QueueId, WindowId
from qingting.contract.ratings import RATING_SECONDS
from qingting.contract.states import TicketState

QUEUE_SHOWN = 12
"""Waiting tickets that a call pad lists."""
MISSED_SHOWN = 6
"""Missed tickets that a call pad lists."""


def _visit(state: HallState, ticket: Ticket, queues: tuple[QueueId, ...]) -> v.CurrentVisit:
    name, name_en = names_of(state, ticket)
    department = state.departments.get(ticket.department)
    item = state.items.get(ticket.item)
    group = class_of(state, ticket.priority)
    return v.CurrentVisit(
        ticket=ticket.id,
        number=ticket.number,
        state=ticket.state,
        item=ticket.item,
        item_name=name,
        item_name_en=name_en,
        department_name=department.name if department is not None else "",
        department_name_en=department.name_en if department is not None else "",
        masked_name=ticket.person.masked_name if ticket.person is not None else "",
        masked_number=ticket.person.masked_number if ticket.person is not None else "",
        issued_at=ticket.issued_at,
        called_at=ticket.called_at,
        since=ticket.since,
        calls=ticket.calls,
        reason=ticket.reason,
        materials=item.materials if item is not None else (),
        materials_en=item.materials_en if item is not None else (),
        why=ticket.why,
        priority=group.id,
        priority_name=group.name,
        priority_name_en=group.name_en,
        proof=group.proof,
        proof_en=group.proof_en,
        booked=booked_at(state, ticket),
        late=ticket.late,
        party=ticket.party,
        todo=item_names(state, ticket, queues),
        note=ticket.note,
        back_to=_back_to(state, ticket),
        waiver=ticket.waiver,
        misses=ticket.misses,
        recall_at=ticket.last_call_at + state.rules.recall_pause_seconds * 1000,
        told=ticket.wait,
        face_check=ticket.face_check,
    )


def _back_to(state: HallState, ticket: Ticket) -> str:
    """Number of the window to which a visitor returns after this one."""
    if not ticket.back:
        return ""
    for config in state.window_config.values():
        if ticket.back[-1].line == window_line(config.id):
            return config.number
    return ""


Suits = Callable[[Ticket], bool]


def _suits(state: HallState, life: WindowLife) -> Suits | None:
    """Who of its queues the window may call; None: everybody, which spares looking at each."""
    staff = state.staff.get(life.staff) if life.staff is not None else None
    lacking = staff is not None and any(
        one.skill and one.skill not in staff.skills for one in state.items.values()
    )
    if not lacking and not state.window_config[life.id].appointment_only:
        return None
    return lambda ticket: may_call(state, life, ticket)


def _counted(state: HallState, life: WindowLife, now: Millis) -> tuple[int, int]:
    """How many wait whom the window may call, and how many of its queues only others may call."""
    queues, suits = queues_of(state, life.id, now), _suits(state, life)
    every = here = sum(count(state, one) for one in queues)
    if suits is not None:
        rows = (row for one in queues for row in state.lines.get(one, {}).values())
        here = sum(suits(state.tickets[one]) for row in rows for one in row)
    sent = sum(count(state, one) for one in sent_to(state, life.id, life.staff))
    return here + sent, every - here


def listed(
    state: HallState, window: WindowId, now: Millis, choice: Choice | None
) -> list[tuple[Ticket, bool]]:
    """The first of those who wait for a window, each with whether they were sent to it: whom the rules choose now,
    then who was sent here, then by score, a preferred queue before the others; only whom it may call."""
    life = state.windows[window]
    suits = _suits(state, life)
    sent_lines = sent_to(state, window, life.staff)
    sent = [one for line in sent_lines for one in islice(in_order(state, line, now), QUEUE_SHOWN)]
    by_queue = state.window_config[window].order is WindowOrder.LISTED
    front: list[tuple[int, float, int, Millis, int, Ticket]] = []
    for order, queue in enumerate(queues_of(state, window, now)):
        meant = (one for one in turns(state, queue, now) if suits is None or suits(one[1]))
        for (points, at, arrival), ticket in islice(meant, QUEUE_SHOWN):
            front.append((order if by_queue else 0, points, order, at, arrival, ticket))
    front.sort(key=lambda one: one[:5])
    shown = [(one, True) for one in sent]
    shown += [(one[-1], False) for one in front[:QUEUE_SHOWN]]
    if choice is not None:
        first = (state.tickets[choice.ticket], choice.reason == "sent")
        shown = [first, *(one for one in shown if one[0].id != choice.ticket)]
    return shown[:QUEUE_SHOWN]


def _away(state: HallState, window: WindowId) -> tuple[v.TicketBrief, ...]:
    """Who is parked and comes back to this window."""
    return tuple(
        brief(state, ticket)
        for ticket in map(state.tickets.__getitem__, state.parked)
        if ticket.window == window
    )


def _missed(state: HallState, window: WindowId, now: Millis) -> tuple[v.TicketBrief, ...]:
    """Who was called here in vain and may still come, latest first."""
    found = [
        state.tickets[one]
        for one in state.missed
        if state.tickets[one].window == window and may_return(state, state.tickets[one], now)
    ]
    return tuple(brief(state, one) for one in reversed(found[-MISSED_SHOWN:]))


def window(state: HallState, window_id: WindowId, now: Millis) -> dict[str, v.View]:
    config, life = state.window_config[window_id], state.windows[window_id]
    choice = next_ticket(state, window_id, now)
    queue = listed(state, window_id, now, choice)
    here, elsewhere = _counted(state, life, now)
    queues = queues_of(state, window_id, now)
    staff = state.staff.get(life.staff) if life.staff is not None else None
    lent = life.lent if now < life.lent_until else ()
    planned = planned_now(state, now).get(window_id)
    view = v.WindowView(
        id=window_id,
        number=config.number,
        name=config.name,
        name_en=config.name_en,
        state=life.state,
        staff=life.staff,
        staff_name=staff_name(state, life),
        pause_reason=life.reason,
        visit=_visit(state, state.tickets[life.ticket], queues) if life.ticket else None,
        waiting=here,
        elsewhere=elsewhere,
        queue=tuple(brief(state, ticket, sent=sent) for ticket, sent in queue),
        counts=_counts(life.tally),
        away=_away(state, window_id),
        missed=_missed(state, window_id, now),
        permissions=permissions_of(staff) if staff is not None else (),
        queues=queues,
        lent=lent,
        lent_until=life.lent_until if lent else None,
        on_shift=state.staff[planned].name if planned is not None else "",
        next=choice.ticket if choice is not None else None,
        next_reason=choice.reason if choice is not None else "",
        next_why=choice.why if choice is not None else {},
    )
    return {"window": view}


def _counts(tally: Tally) -> v.WindowCounts:
    return v.WindowCounts(
        served=tally.served,
        no_show=tally.no_show,
        serving_seconds=tally.serving_ms // 1000,
        ratings=tally.ratings,
        bad_ratings=tally.bad_ratings,
        not_rated=tally.not_rated,
    )


def windows(state: HallState, now: Millis) -> dict[str, v.View]:
    shown: dict[str, v.View] = {}
    roster = planned_now(state, now)
    for config in state.window_config.values():
        life = state.windows[config.id]
        planned = roster.get(config.id)
        queues = queues_of(state, config.id, now)
        shown[config.id] = v.WindowBrief(
            id=config.id,
            number=config.number,
            name=config.name,
            name_en=config.name_en,
            state=life.state,
            staff_name=staff_name(state, life),
            ticket_number=state.tickets[life.ticket].number if life.ticket is not None else "",
            pause_reason=life.reason,
            waiting=_counted(state, life, now)[0],
            served=life.tally.served,
            staff=life.staff,
            queues=queues,
            planned=planned,
            planned_name=state.staff[planned].name if planned is not None else "",
        )
    return shown


def _rating_request(state: HallState, life: WindowLife) -> v.RatingRequest | None:
    if life.to_rate is None:
        return None
    ticket = state.tickets[life.to_rate]
    case = ticket.case_by(life.to_rate_case)
    assert case is not None
    item = state.items.get(case.item)
    return v.RatingRequest(
        ticket=ticket.id,
        number=ticket.number,
        item_name=item.name if item is not None else "",
        item_name_en=item.name_en if item is not None else "",
        until=case.finished_at + RATING_SECONDS * 1000,
        case=case.number,
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
            waiting=waiting(state),
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
