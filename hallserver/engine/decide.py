"""What a command does to a hall: events, or a refusal. Pure: reads the state, changes nothing."""

from collections.abc import Callable
from typing import Any, cast

from hallserver.engine import (
    announcing,
    decide_acts,
    decide_config,
    decide_devices,
    decide_issue,
    decide_tickets,
    decide_visits,
    decide_windows,
)
from hallserver.engine.days import business_day
from hallserver.engine.evolve import next_day_state
from hallserver.engine.state import HallState
from qingting.contract import commands as c
from qingting.contract.events import (
    BookingMissed,
    DayClosed,
    DayOpened,
    EventBody,
    TicketCancelled,
)
from qingting.contract.ids import BusinessDay
from qingting.contract.states import OPEN_TICKET_STATES, BookingState

Rule = Callable[[HallState, Any, int], list[EventBody]]
"""``(state, command, now) → events``; raises Refusal."""


def _close_day(state: HallState, command: c.CloseDay, now: int) -> list[EventBody]:
    return close_day(state)


_RULES: dict[type, Rule] = {
    c.IssueTicket: decide_issue.issue,
    c.ReportPrint: decide_acts.report_print,
    c.ReprintTicket: decide_tickets.reprint,
    c.LeaveQueue: decide_tickets.leave,
    c.RateVisit: decide_tickets.rate,
    c.LeaveUnrated: decide_tickets.leave_unrated,
    c.CallNext: decide_visits.call_next,
    c.Recall: decide_visits.recall,
    c.ReportAnnounced: announcing.announced,
    c.ReportUnsaid: announcing.unsaid,
    c.BeginService: decide_visits.begin,
    c.FinishService: decide_visits.finish,
    c.MarkNoShow: decide_visits.no_show,
    c.CallTicket: decide_visits.call_ticket,
    c.ParkVisit: decide_visits.park,
    c.ResumeVisit: decide_visits.resume,
    c.ReturnTicket: decide_tickets.return_ticket,
    c.TransferVisit: decide_visits.transfer,
    c.HandBack: decide_visits.hand_back,
    c.AddItem: decide_visits.add_item,
    c.SetPriority: decide_tickets.set_priority,
    c.LeaseNumbers: decide_issue.lease,
    c.EditConfig: decide_config.edit_config,
    c.LendWindow: decide_windows.lend,
    c.OpenWindow: decide_windows.open_window,
    c.PauseWindow: decide_windows.pause,
    c.CloseWindow: decide_windows.close_window,
    c.RegisterDevice: decide_devices.register,
    c.ReportDevice: decide_devices.report,
    c.RefuseDevice: decide_devices.refuse,
    c.KeyDevice: decide_devices.key,
    c.AskAct: decide_acts.ask,
    c.EndAct: decide_acts.end,
    c.ReportRelease: decide_acts.report_release,
    c.RequestHelp: decide_devices.request_help,
    c.AnswerHelp: decide_devices.answer_help,
    c.ApplyConfig: decide_config.apply_config,
    c.ApplyDirective: decide_config.apply_directive,
    c.CloseDay: _close_day,
}


def close_day(state: HallState, before: BusinessDay | None = None) -> list[EventBody]:
    """Ends the present business day: every open ticket is cancelled, who had booked and did not come is
    noted, numbers are done. ``before`` is the day that begins: days between, on which nothing ran, have
    their missed bookings too."""
    if state.day is None:
        return []
    events: list[EventBody] = [
        TicketCancelled(ticket=ticket.id, reason="day_end")
        for ticket in state.tickets.values()
        if ticket.state in OPEN_TICKET_STATES
    ]
    events += [
        BookingMissed(booking=one.booking.id)
        for one in state.bookings.values()
        if one.state is BookingState.DUE
        and (one.booking.day <= state.day or (before is not None and one.booking.day < before))
    ]
    events.append(DayClosed(day=state.day))
    return events


def decide(state: HallState, envelope: c.Envelope) -> list[EventBody]:
    """The events of a command; when the business day has turned, the turn comes first.

    Raises :class:`qingting.contract.errors.Refusal`; the state is never changed.
    """
    today = business_day(envelope.at, state.config)
    turn: list[EventBody] = []
    if state.day is None or today > state.day:
        turn = [*close_day(state, today), DayOpened(day=today)]
        if isinstance(envelope.command, c.CloseDay):
            return turn  # the turn has closed the day that was meant; the new one has just begun
        state = next_day_state(state, today)
    rule = _RULES[cast("type", type(envelope.command))]
    return turn + rule(state, envelope.command, envelope.at)
