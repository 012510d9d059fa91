"""Reads a day's log into a :class:`Script`: replays it and notes what a second run has to know."""

from collections.abc import Callable
from heapq import heappop, heappush
from statistics import median
from typing import Any, cast

from hallserver.engine.calling import someone_for
from hallserver.engine.days import MINUTE_MS, next_midnight
from hallserver.engine.evolve import evolve
from hallserver.engine.state import HallState
from hallserver.engine.whatif.day import DayLog
from hallserver.engine.whatif.ledger import Ledger
from hallserver.engine.whatif.script import Beat, End, Fact, Leg, Press, Script, Turn
from qingting.contract import events as e
from qingting.contract.ids import Millis, TicketId, WindowId
from qingting.contract.rules import Place
from qingting.contract.states import ReturnCause, WindowState

USUAL_WALK_MS = MINUTE_MS // 2
"""From a call to the beginning of service where the day shows none."""
_FACTS = (
    e.TicketIssued,
    e.ConfigApplied,
    e.ConfigEdited,
    e.BookingPut,
    e.BookingDropped,
    e.NumbersLeased,
    e.WindowLent,
    e.PrioritySet,
)
_QUIET = (
    e.PrintRequested,
    e.PrintReported,
    e.TicketRecalled,
    e.RatingGiven,
    e.RatingNotGiven,
    e.DeviceRegistered,
    e.DeviceChanged,
    e.DeviceRefused,
    e.DeviceKeyed,
    e.DeviceActAsked,
    e.DeviceActEnded,
    e.ProfilesPut,
    e.ReleasePut,
    e.ReleaseKept,
    e.HelpRequested,
    e.HelpAnswered,
    e.NoticePut,
    e.PersonForgotten,
    e.DirectiveApplied,
    e.DirectiveRefused,
    e.DayOpened,
    e.DayClosed,
)
"""Events that change nothing about who can be called."""


def _of_the_turn(body: e.EventBody) -> bool:
    """Part of the day's end, which may be written long after everybody has gone home."""
    if isinstance(body, e.TicketCancelled):
        return body.reason == "day_end"
    return isinstance(body, e.DayClosed | e.BookingMissed)


def free(state: HallState, window: WindowId) -> bool:
    """Open, and nobody there."""
    life = state.windows[window]
    return life.state is WindowState.OPEN and life.ticket is None and window in state.window_config


def anybodys_at(state: HallState, body: e.EventBody) -> Millis | None:
    """When somebody who was just sent to one window has waited past the bound, so that others may help."""
    placing: e.Placing | None = None
    if isinstance(body, e.ServiceFinished):
        placing = body.back.placing if body.back is not None else None
    elif isinstance(body, e.TicketTransferred | e.TicketReturned | e.TicketHandedBack):
        placing = body.placing
    if placing is None or not placing.line.startswith("@"):
        return None
    bound = state.rules.max_delay_minutes * MINUTE_MS
    return placing.at + bound if bound else None


class Reader:
    """Goes through the events of a day once."""

    def __init__(self, log: DayLog) -> None:
        self.state = log.opening()
        begin = log.events[0].at if log.events else 0
        self.script = Script(Ledger(self.state, begin), begin)
        self._spells: dict[WindowId, Millis] = {}
        """Windows whose clerk could call, and since when."""
        self._alarms: list[Millis] = []
        self._served: dict[str, list[Millis]] = {}
        self._closed = False
        self._before: dict[type, Callable[[Any, e.Event, Millis], None]] = {
            e.TicketCalled: self._called,
            e.ServiceBegun: self._begun,
            e.ServiceFinished: self._finished,
            e.TicketNoShow: self._no_show,
            e.TicketParked: self._parked,
            e.TicketTransferred: self._transferred,
            e.TicketHandedBack: self._handed_back,
            e.TicketReturned: self._returned,
            e.TicketCancelled: self._cancelled,
            e.ItemAdded: self._item_added,
            e.WindowOpened: self._opened,
            e.WindowPaused: self._stopped,
            e.WindowClosed: self._stopped,
        }

    def read(self, log: DayLog, progress: Callable[[float], None]) -> Script:
        at = last = self.script.begin
        for number, event in enumerate(log.events):
            at = max(at, event.at)
            while self._alarms and self._alarms[0] < at:
                self._look(heappop(self._alarms), event.s)
            if isinstance(event.b, e.DayOpened):
                continue  # the opening is this day's already
            step = self._before.get(cast("type", type(event.b)))
            if step is not None:
                step(event.b, event, at)
            if isinstance(event.b, _FACTS):
                self.script.facts.append(Fact(at, event.s, event.b))
            evolve(self.state, event)
            self.script.ledger.note(self.state, event.b, at)
            if _of_the_turn(event.b):
                self._closed = self._closed or isinstance(event.b, e.DayClosed)
                continue
            if (alarm := anybodys_at(self.state, event.b)) is not None:
                heappush(self._alarms, max(at, alarm))
            if not isinstance(event.b, _QUIET):
                last = at
                self._look(at, event.s)
            if number % 500 == 0:
                progress(number / len(log.events))
        self._end(last, max(last, min(at, next_midnight(last, self.state.config) - 1)))
        return self.script

    # ---- clerks -----------------------------------------------------------------------------

    def _look(self, at: Millis, seq: int) -> None:
        """Notes where a clerk can call from now on, and where that is over without a call."""
        for window, life in self.state.windows.items():
            can = free(self.state, window) and someone_for(self.state, window, at)
            since = self._spells.get(window)
            if can and since is None:
                self._spells[window] = at
            elif not can and since is not None:
                del self._spells[window]
                if life.staff is not None:
                    self._beat(life.staff, Beat(Press.LAPSE, at - since, seq))

    def _beat(self, staff: str, beat: Beat) -> None:
        self.script.beats.setdefault(cast("Any", staff), []).append(beat)

    def _called(self, body: e.TicketCalled, event: e.Event, at: Millis) -> None:
        legs = self.script.legs.setdefault(body.ticket, [])
        if body.reason == "chain":
            legs[-1].stay = True
            legs.append(Leg(called=at))
            return
        legs.append(Leg(called=at))
        since = self._spells.pop(body.window, None)
        if body.reason in ("picked", "resumed"):
            if since is not None:
                self._beat(body.staff, Beat(Press.LAPSE, at - since, event.s))
            since = self._could_since(body)
            press = Press.PICK if body.reason == "picked" else Press.RESUME
            reason = str(body.why.get("text", ""))
            self._beat(body.staff, Beat(press, at - since, event.s, body.ticket, reason))
            return
        self._beat(body.staff, Beat(Press.CALL, at - since if since is not None else 0, event.s))

    def _could_since(self, body: e.TicketCalled) -> Millis:
        """Since when this ticket could be called at this window."""
        life = self.state.windows[body.window]
        return max(life.idle_since, self.state.tickets[body.ticket].since)

    def _opened(self, body: e.WindowOpened, event: e.Event, at: Millis) -> None:
        self._turn(body.window, event.s, at, WindowState.OPEN, body.staff, "")

    def _stopped(self, body: e.WindowPaused | e.WindowClosed, event: e.Event, at: Millis) -> None:
        since = self._spells.pop(body.window, None)
        if since is not None:
            self.script.rests.setdefault(body.window, []).append((since, at))
        if isinstance(body, e.WindowPaused):
            self._turn(body.window, event.s, at, WindowState.PAUSED, body.staff, body.reason)
        else:
            self._turn(body.window, event.s, at, WindowState.CLOSED, body.staff, "")

    def _turn(
        self, window: WindowId, seq: int, at: Millis, state: WindowState, staff: Any, reason: str
    ) -> None:
        self.script.turns.append(Turn(at, seq, window, state, staff, reason))

    # ---- visits -----------------------------------------------------------------------------

    def _leg(self, ticket: TicketId) -> Leg:
        return self.script.legs[ticket][-1]

    def _over(self, ticket: TicketId, end: End, event: e.Event, at: Millis) -> Leg:
        leg = self._leg(ticket)
        leg.end, leg.end_seq = end, event.s
        leg.delay = at - leg.called - (leg.walk or 0)
        return leg

    def _begun(self, body: e.ServiceBegun, event: e.Event, at: Millis) -> None:
        leg = self._leg(body.ticket)
        leg.walk, leg.walk_seq = at - leg.called, event.s

    def _finished(self, body: e.ServiceFinished, event: e.Event, at: Millis) -> None:
        leg = self._over(body.ticket, End.FINISHED, event, at)
        item = self.state.tickets[body.ticket].item
        self._served.setdefault(item, []).append(leg.delay)

    def _no_show(self, body: e.TicketNoShow, event: e.Event, at: Millis) -> None:
        self._over(body.ticket, End.NO_SHOW, event, at)

    def _parked(self, body: e.TicketParked, event: e.Event, at: Millis) -> None:
        leg = self._over(body.ticket, End.PARKED, event, at)
        leg.mine = body.mine
        if body.until is not None:
            leg.minutes = max(1, (body.until - event.at) // MINUTE_MS)

    def _transferred(self, body: e.TicketTransferred, event: e.Event, at: Millis) -> None:
        leg = self._over(body.ticket, End.TRANSFERRED, event, at)
        ticket = self.state.tickets[body.ticket]
        leg.line, leg.back = body.placing.line, bool(body.back)
        leg.item = body.item if body.item != ticket.item else None
        if body.placing.at < ticket.place_at:
            leg.place = Place.FIRST
        elif body.placing.at > ticket.place_at:
            leg.place = Place.LAST

    def _handed_back(self, body: e.TicketHandedBack, event: e.Event, at: Millis) -> None:
        self._over(body.ticket, End.HANDED_BACK, event, at)

    def _item_added(self, body: e.ItemAdded, event: e.Event, at: Millis) -> None:
        leg = self._leg(body.ticket)
        leg.added.append((at - leg.called, body.item, event.s))

    def _returned(self, body: e.TicketReturned, event: e.Event, at: Millis) -> None:
        if body.cause is ReturnCause.WINDOW_CLOSED:
            return  # follows from the window's closing
        leg = self._leg(body.ticket)
        leg.return_after = at - max(leg.called, self.state.tickets[body.ticket].since)
        leg.return_seq = event.s
        leg.by_staff = body.cause is ReturnCause.STAFF or event.by.startswith("staff:")

    def _cancelled(self, body: e.TicketCancelled, event: e.Event, at: Millis) -> None:
        if body.reason == "left":
            self.script.facts.append(Fact(at, event.s, body))

    # ---- the end ----------------------------------------------------------------------------

    def _end(self, at: Millis, end: Millis) -> None:
        script = self.script
        script.last, script.end, script.config = at, end, self.state.config
        for window, since in self._spells.items():
            script.rests.setdefault(window, []).append((since, end + 1))
        # A visit that nobody ended on a day that is over held its window to the end.
        until = end + 1 if self._closed else at
        for legs in script.legs.values():
            if legs[-1].end is End.OPEN:
                legs[-1].delay = until - legs[-1].called - (legs[-1].walk or 0)
        script.serving = {
            cast("Any", item): round(sum(times) / len(times))
            for item, times in self._served.items()
        }
        walks = [leg.walk for legs in script.legs.values() for leg in legs if leg.walk is not None]
        script.walk = round(median(walks)) if walks else USUAL_WALK_MS
        calls = [
            beat.ms for beats in script.beats.values() for beat in beats if beat.press is Press.CALL
        ]
        script.beat = round(median(calls)) if calls else 0
        script.ledger.close(at)


def read_day(log: DayLog, progress: Callable[[float], None] = lambda done: None) -> Script:
    """The script of a day and the account of what happened. ``progress`` gets 0 to 1 now and then."""
    return Reader(log).read(log, progress)
