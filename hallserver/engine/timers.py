"""What becomes due by the passing of time alone: computed from the state, carried out as commands."""

from hallserver.engine.state import HallState
from qingting.contract.commands import LeaveUnrated, ReturnTicket
from qingting.contract.ids import Millis
from qingting.contract.ratings import RATING_SECONDS
from qingting.contract.states import NotRatedReason

PAD_GRACE_MS = 15_000
"""A rating pad ends its own silence; this much later the hall does it for a pad that is dead."""


def silent_ratings(state: HallState, now: Millis) -> list[LeaveUnrated]:
    """Visits whose rating was asked for and never answered (60 s without a press: not rated)."""
    due = now - RATING_SECONDS * 1000 - PAD_GRACE_MS
    found = []
    for life in state.windows.values():
        if life.to_rate is None:
            continue
        case = state.tickets[life.to_rate].case_by(life.to_rate_case)
        if case is not None and case.finished_at <= due:
            found.append(
                LeaveUnrated(ticket=life.to_rate, case=case.number, reason=NotRatedReason.TIMEOUT)
            )
    return found


def parks_over(state: HallState, now: Millis) -> list[ReturnTicket]:
    """Parked visitors whose time is over stand in line again."""
    return [
        ReturnTicket(ticket=one)
        for one in state.parked
        if (until := state.tickets[one].park_until) is not None and until <= now
    ]
