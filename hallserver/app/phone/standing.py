"""Where tickets stand now: stage, place and waiting time, for one page or for many at a time."""

from dataclasses import dataclass, replace

from hallserver.app.phone.stages import Stage, stage_of, unrated
from hallserver.engine.lines import ahead as people_ahead
from hallserver.engine.lines import staff_line, window_line
from hallserver.engine.state import HallState, Ticket
from hallserver.engine.view_tickets import may_return
from hallserver.engine.waiting import Outlook, open_windows
from qingting.contract.events import Interval
from qingting.contract.ids import Millis, QueueId
from qingting.contract.states import TicketState, WindowState


@dataclass(frozen=True, slots=True)
class Standing:
    """All of a ticket that its page shows and that can change.

    ``windows`` are the numbers of the open windows that call from its line, ``window`` the one it is or
    was at, ``calls`` how often it was called there. ``until`` is when a pause ends by itself.
    ``unrated`` counts its finished cases without a rating; ``again`` says why it stands in line again.
    """

    stage: Stage
    ahead: int = 0
    windows: tuple[str, ...] = ()
    window: str = ""
    calls: int = 0
    until: Millis | None = None
    item: str = ""
    unrated: int = 0
    again: str = ""
    wait: Interval | None = None

    @property
    def mark(self) -> str:
        """Changes when the page needs another face, and not when only figures move."""
        parts = (self.stage.name, self.window, self.calls, self.item, self.unrated, self.again)
        return ".".join(str(one) for one in (*parts, self.until or ""))


class Look:
    """One look at the hall; what the tickets of a line share is worked out once."""

    def __init__(self, state: HallState, now: Millis) -> None:
        self._state = state
        self._now = now
        self._outlook = Outlook(state, now)
        self._windows: dict[tuple[str, QueueId], tuple[str, ...]] = {}

    def place(self, ticket: Ticket) -> Standing:
        """Everything but the waiting time, which costs many times as much."""
        waiting = ticket.state is TicketState.WAITING
        ahead = people_ahead(self._state, ticket, self._now)
        window = self._state.window_config.get(ticket.window) if ticket.window else None
        return Standing(
            stage=stage_of(ticket, ahead, may_return(self._state, ticket, self._now)),
            ahead=ahead,
            windows=self._serving(ticket) if waiting else (),
            window=window.number if window is not None else "",
            calls=ticket.calls,
            until=ticket.park_until,
            item=ticket.item,
            unrated=unrated(ticket),
            again=ticket.returned if waiting else "",
        )

    def timed(self, ticket: Ticket) -> Standing:
        """The place with its waiting time."""
        place = self.place(ticket)
        return replace(place, wait=self.wait(ticket))

    def wait(self, ticket: Ticket) -> Interval | None:
        """The waiting time of a waiting ticket; None for any other and when nobody can say."""
        if ticket.state is not TicketState.WAITING:
            return None
        return self._outlook.ticket(ticket)

    def _serving(self, ticket: Ticket) -> tuple[str, ...]:
        key = (ticket.line, ticket.queue)
        if key not in self._windows:
            self._windows[key] = self._numbers(ticket)
        return self._windows[key]

    def _numbers(self, ticket: Ticket) -> tuple[str, ...]:
        """Windows that call from the ticket's line: of its queue, or the one it was sent to."""
        config = self._state.window_config
        if not ticket.line.startswith("@"):
            found = open_windows(self._state, ticket.queue, self._now)
        else:
            found = [
                life
                for life in self._state.windows.values()
                if life.state is WindowState.OPEN
                and life.id in config
                and life.staff is not None
                and ticket.line in (window_line(life.id), staff_line(life.staff))
            ]
        return tuple(config[life.id].number for life in found)
