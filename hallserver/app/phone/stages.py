"""What a ticket's page can show, as a table: one row a stage, one rule a ticket state."""

from collections.abc import Callable
from dataclasses import dataclass

from hallserver.engine.decide_tickets import LEFT
from hallserver.engine.state import Ticket
from qingting.contract.states import TicketState

NEAR = 3
"""So many people ahead, or fewer, and the page says that it is time to come near."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One face of the page. ``name`` is its part of the text keys ``phone.<name>.say|todo|title|since``.

    ``tone`` is the icon and colour, ``alert`` what a phone that was allowed to sounds on entering it.
    ``can_…`` say what the citizen may do here.
    """

    name: str
    tone: str
    alert: str = ""
    can_leave: bool = False
    can_return: bool = False
    waits: bool = False


WAITING = Stage("waiting", "clock", can_leave=True, waits=True)
NEARLY = Stage("near", "people", alert="near", can_leave=True, waits=True)
CALLED = Stage("called", "arrow", alert="called")
SERVING = Stage("serving", "window")
PARKED = Stage("parked", "clock", can_leave=True, can_return=True)
DONE = Stage("done", "done")
RATED = Stage("rated", "done")
MISSED = Stage("missed", "caution", can_return=True)
NO_SHOW = Stage("no_show", "caution")
GONE = Stage("left", "off")
CANCELLED = Stage("cancelled", "off")

STAGES = (
    WAITING,
    NEARLY,
    CALLED,
    SERVING,
    PARKED,
    DONE,
    RATED,
    MISSED,
    NO_SHOW,
    GONE,
    CANCELLED,
)

_OF_STATE: dict[TicketState, Callable[[Ticket, int, bool], Stage]] = {
    TicketState.WAITING: lambda ticket, ahead, back: NEARLY if ahead <= NEAR else WAITING,
    TicketState.CALLED: lambda ticket, ahead, back: CALLED,
    TicketState.SERVING: lambda ticket, ahead, back: SERVING,
    TicketState.PARKED: lambda ticket, ahead, back: PARKED,
    TicketState.DONE: lambda ticket, ahead, back: DONE if unrated(ticket) else RATED,
    TicketState.NO_SHOW: lambda ticket, ahead, back: MISSED if back else NO_SHOW,
    TicketState.CANCELLED: lambda ticket, ahead, back: (
        GONE if ticket.cancelled == LEFT else CANCELLED
    ),
}
"""A new ticket state needs a row here, a stage above and its texts; a test asks for all three."""


def stage_of(ticket: Ticket, ahead: int, may_return: bool) -> Stage:
    """``ahead`` counts the people before a waiting ticket; ``may_return`` as the rules of the hall say."""
    return _OF_STATE[ticket.state](ticket, ahead, may_return)


def unrated(ticket: Ticket) -> int:
    """How many of its finished cases have no rating."""
    return sum(not case.rated for case in ticket.cases)
