"""The same day again: a queue of instants, the real ``decide`` and ``evolve``, a :class:`Script`."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import msgspec

from hallserver.engine.calling import someone_for
from hallserver.engine.days import MINUTE_MS
from hallserver.engine.decide import decide
from hallserver.engine.evolve import evolve
from hallserver.engine.lines import staff_line, window_line
from hallserver.engine.state import HallState, Ticket
from hallserver.engine.whatif.day import DayLog
from hallserver.engine.whatif.ledger import Ledger
from hallserver.engine.whatif.reading import anybodys_at, free
from hallserver.engine.whatif.script import Beat, End, Fact, Leg, Press, Script, Turn
from hallserver.engine.whatif.variant import Variant, turns_of, varied
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.bookings import punctuality_of
from qingting.contract.errors import Refusal
from qingting.contract.ids import (
    BusinessDay,
    CommandKey,
    Millis,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.rules import BOOKED, ORDINARY, Place
from qingting.contract.states import TicketState, WindowState

_KEY = CommandKey("replay")
_LATER = 10**15
"""Numbers of what the log does not hold: after everything of the same instant that it does."""
_AWAY = (TicketState.PARKED, TicketState.NO_SHOW)
_GONE = (TicketState.DONE, TicketState.CANCELLED)


@dataclass(slots=True)
class _Plan:
    """What a free window will do next; ``beat`` None: its clerk did nothing more that day."""

    at: Millis
    seq: int
    beat: Beat | None


class Running:
    """One run. ``ledger`` holds the account afterwards."""

    def __init__(self, log: DayLog, script: Script, variant: Variant) -> None:
        self.script, self.variant = script, variant
        self.state: HallState = log.opening()
        self.now = script.begin
        self._last = script.begin
        self._seq = count(_LATER)
        self._heap: list[tuple[Millis, int, int, int, Callable[[], None]]] = []
        self._legs = {one: list(legs) for one, legs in script.legs.items()}
        self._clerks = {one: list(beats) for one, beats in script.beats.items()}
        self._spells: dict[WindowId, Millis] = {}
        self._plans: dict[WindowId, _Plan] = {}
        self._wanted: dict[WindowId, Turn] = {}
        self._turns = turns_of(script, self.state, variant)
        self._rests = {
            one: spans
            for one, spans in script.rests.items()
            if one not in variant.plans or variant.plans[one].hours is None
        }
        if self.state.config is not None and (variant.rules or variant.roster):
            self._evolve(e.ConfigApplied(config=varied(self.state.config, variant)))
        self.ledger = Ledger(self.state, script.begin)

    def run(self, progress: Callable[[float], None]) -> Ledger:
        for fact in self.script.facts:
            self._push(fact.at, fact.seq, lambda fact=fact: self._fact(fact))  # type: ignore[misc]
        for turn in self._turns:
            at = max(turn.at, self.script.begin)
            self._push(at, turn.seq, lambda turn=turn: self._turn(turn))  # type: ignore[misc]
        span = max(1, self.script.end - self.script.begin)
        steps = 0
        while self._heap and self._heap[0][0] <= self.script.end:
            self.now, _, _, _, step = heappop(self._heap)
            step()
            steps += 1
            if steps % 500 == 0:
                progress((self.now - self.script.begin) / span)
        self.ledger.close(max(self._last, self.script.last))
        return self.ledger

    # ---- doing ------------------------------------------------------------------------------

    def _push(self, at: Millis, seq: int, step: Callable[[], None], rank: int = 0) -> None:
        """``rank`` 1: after everything else with the same number."""
        heappush(self._heap, (at, seq, rank, next(self._seq), step))

    def _evolve(self, body: e.EventBody) -> None:
        day = self.state.day or BusinessDay("")
        evolve(self.state, e.Event(s=0, at=self.now, bd=day, by="replay", cmd=_KEY, b=body))

    def _apply(self, body: e.EventBody) -> None:
        self._evolve(body)
        self.ledger.note(self.state, body, self.now)
        self._last = self.now
        if (alarm := anybodys_at(self.state, body)) is not None:
            self._push(max(self.now, alarm), next(self._seq), self._look)

    def _do(self, command: c.Command) -> None:
        """Raises Refusal; nothing has happened then."""
        envelope = c.Envelope(key=_KEY, at=self.now, actor="replay", command=command)
        for body in decide(self.state, envelope):
            self._apply(body)

    def _try(self, command: c.Command) -> bool:
        try:
            self._do(command)
        except Refusal:
            return False
        return True

    # ---- what comes from outside ------------------------------------------------------------

    def _fact(self, fact: Fact) -> None:
        match fact.body:
            case e.TicketIssued():
                self._apply(self._arrival(fact.body))
            case e.ConfigApplied(config=config):
                self._apply(e.ConfigApplied(config=varied(config, self.variant)))
            case e.ConfigEdited():
                self._edited(fact.body)
            case e.TicketCancelled(ticket=ticket):
                self._try(c.LeaveQueue(ticket=ticket))
            case e.PrioritySet(ticket=ticket, placing=placing):
                self._try(c.SetPriority(ticket=ticket, priority=placing.priority))
            case e.WindowLent(window=window, queues=queues, until=until):
                if window in self.state.windows:
                    self._apply(e.WindowLent(window=window, queues=queues, until=until))
            case _:
                self._apply(fact.body)
        self._look()

    def _edited(self, body: e.ConfigEdited) -> None:
        self._apply(body)
        if self.variant.rules is not None or self.variant.roster is not None:
            assert self.state.config is not None
            self._apply(e.ConfigApplied(config=varied(self.state.config, self.variant)))

    def _arrival(self, body: e.TicketIssued) -> e.TicketIssued:
        """A booked visitor is early, on time or late by the rules that are tried."""
        if self.variant.rules is None or body.booking is None or body.placing is None:
            return body
        life = self.state.bookings.get(body.booking)
        if life is None:
            return body
        rules, booking = self.variant.rules, life.booking
        rule = punctuality_of(booking, rules.punctuality)
        late = self.now > booking.end + rule.late_minutes * MINUTE_MS
        claimed = body.placing.priority if body.placing.priority != BOOKED else ORDINARY
        priority, at = claimed, self.now
        if not late:
            at = booking.start
            classes = self.state.classes
            mine = classes.get(claimed, classes[ORDINARY])
            priority = BOOKED if classes[BOOKED].weight >= mine.weight else claimed
        placing = e.Placing(line=body.placing.line, at=at, priority=priority)
        return msgspec.structs.replace(body, placing=placing, late=late)

    # ---- windows ----------------------------------------------------------------------------

    def _turn(self, turn: Turn) -> None:
        self._wanted[turn.window] = turn
        self._settle()
        self._look()

    def _settle(self) -> None:
        """Brings windows to the state that their staff wants, as soon as nobody is there."""
        for window in [one for one, turn in self._wanted.items() if self._turned(turn)]:
            del self._wanted[window]

    def _turned(self, turn: Turn) -> bool:
        life = self.state.windows.get(turn.window)
        if life is None:
            return True
        if turn.state is WindowState.CLOSED:
            return self._try(c.CloseWindow(window=turn.window))
        if turn.staff is None or turn.staff not in self.state.staff:
            return True
        if turn.state is WindowState.PAUSED:
            if life.state is WindowState.CLOSED or life.staff != turn.staff:
                return True
            return self._try(c.PauseWindow(window=turn.window, reason=turn.reason))
        taken = life.state is not WindowState.CLOSED and life.staff != turn.staff
        if taken and not self._try(c.CloseWindow(window=turn.window)):
            return False
        return self._try(c.OpenWindow(window=turn.window, staff=turn.staff))

    def _look(self) -> None:
        """Sees which clerks can call now and plans when they do."""
        for window in self.state.windows:
            if not free(self.state, window) or self._resting(window):
                self._spells.pop(window, None)
                self._plans.pop(window, None)
                continue
            can = someone_for(self.state, window, self.now)
            if can:
                self._spells.setdefault(window, self.now)
            elif self._spells.pop(window, None) is not None:
                self._drop_lapse(window)
            self._plan(window)

    def _resting(self, window: WindowId) -> bool:
        return any(start <= self.now < end for start, end in self._rests.get(window, ()))

    def _beats(self, window: WindowId) -> list[Beat]:
        staff = self.state.windows[window].staff
        assert staff is not None
        return self._clerks.setdefault(staff, [])

    def _drop_lapse(self, window: WindowId) -> None:
        """Somebody else called the visitor, as that day."""
        beats = self._beats(window)
        head = next((one for one in beats if one.press in (Press.CALL, Press.LAPSE)), None)
        if head is not None and head.press is Press.LAPSE:
            beats.remove(head)

    def _plan(self, window: WindowId) -> None:
        wanted = self._next(window)
        former = self._plans.get(window)
        if wanted is None:
            self._plans.pop(window, None)
            return
        if former is not None and former.beat is wanted.beat and former.at == wanted.at:
            return
        self._plans[window] = wanted
        lapse = wanted.beat is not None and wanted.beat.press is Press.LAPSE
        self._push(wanted.at, wanted.seq, lambda: self._press(window, wanted), rank=int(lapse))

    def _next(self, window: WindowId) -> _Plan | None:
        beats, life = self._beats(window), self.state.windows[window]
        since = self._spells.get(window)
        while beats and self._too_late(beats[0]):
            del beats[0]
        for beat in beats:
            if beat.press in (Press.PICK, Press.RESUME):
                ticket = self._meant(beat)
                if ticket is not None and _can(beat, ticket):
                    could = max(life.idle_since, ticket.since)
                    return self._planned(max(self.now, could + beat.ms), beat)
                continue
            if since is None:
                return None
            return self._planned(max(self.now, since + beat.ms), beat)
        if since is None:
            return None
        return _Plan(max(self.now, since + self.script.beat), next(self._seq), None)

    def _meant(self, beat: Beat) -> Ticket | None:
        return self.state.tickets.get(beat.ticket) if beat.ticket is not None else None

    def _too_late(self, beat: Beat) -> bool:
        """Somebody whom the clerk called out of turn that day has been served already."""
        ticket = self._meant(beat)
        return ticket is not None and ticket.state in _GONE

    def _planned(self, at: Millis, beat: Beat) -> _Plan:
        return _Plan(at, beat.seq, beat)

    def _press(self, window: WindowId, plan: _Plan) -> None:
        if self._plans.get(window) is not plan:
            return
        del self._plans[window]
        beat = plan.beat
        if beat is not None:
            self._beats(window).remove(beat)
            if beat.press is Press.LAPSE:
                self._plan(window)
                return
        command: c.Command = c.CallNext(window=window)
        if beat is not None and beat.ticket is not None:
            command = (
                c.CallTicket(window=window, ticket=beat.ticket, reason=beat.reason or "—")
                if beat.press is Press.PICK
                else c.ResumeVisit(window=window, ticket=beat.ticket)
            )
        if self._try(command):
            self._spells.pop(window, None)
            self._visit(window)
        self._look()

    # ---- visits -----------------------------------------------------------------------------

    def _visit(self, window: WindowId, *, begun: bool = False) -> None:
        """Plans how the visit that has just begun at a window goes on."""
        ticket = self._at(window)
        legs = self._legs.get(ticket.id)
        leg = legs.pop(0) if legs else self._unknown(ticket)
        called = self.now
        for after, item, seq in leg.added:
            command = c.AddItem(window=window, item=item)
            self._push(called + after, seq, lambda command=command: self._quietly(command))  # type: ignore[misc]
        if begun or (leg.walk is None and leg.end is not End.OPEN):
            self._end_later(window, ticket.id, leg, called)
        else:
            walk = leg.walk if leg.walk is not None else max(self.script.walk, leg.delay)
            seq = leg.walk_seq or next(self._seq)
            self._push(called + walk, seq, lambda: self._begin(window, ticket.id, leg))

    def _at(self, window: WindowId) -> Ticket:
        ticket = self.state.windows[window].ticket
        assert ticket is not None
        return self.state.tickets[ticket]

    def _unknown(self, ticket: Ticket) -> Leg:
        """A visit that did not happen that day: the usual way, the mean time of the item."""
        return Leg(called=0, walk=self.script.walk, end=End.FINISHED, delay=self._usual(ticket))

    def _usual(self, ticket: Ticket) -> Millis:
        item = self.state.items.get(ticket.item)
        typical = round(item.minutes * MINUTE_MS) if item is not None else 10 * MINUTE_MS
        return self.script.serving.get(ticket.item, typical)

    def _quietly(self, command: c.Command) -> None:
        if self._try(command):
            self._look()

    def _begin(self, window: WindowId, ticket: TicketId, leg: Leg) -> None:
        self._do(c.BeginService(window=window))
        self._end_later(window, ticket, leg, self.now)

    def _end_later(self, window: WindowId, ticket: TicketId, leg: Leg, since: Millis) -> None:
        delay = leg.delay
        if leg.end is End.OPEN:
            known = delay + 1 if leg.walk is not None else 0
            delay = max(known, self._usual(self.state.tickets[ticket]))
        seq = leg.end_seq or next(self._seq)
        self._push(since + delay, seq, lambda: self._over(window, ticket, leg))

    def _over(self, window: WindowId, ticket: TicketId, leg: Leg) -> None:
        stays = False
        match leg.end:
            case End.NO_SHOW:
                self._do(c.MarkNoShow(window=window))
            case End.PARKED:
                self._do(c.ParkVisit(window=window, minutes=leg.minutes, mine=leg.mine))
            case End.HANDED_BACK:
                self._do(c.HandBack(window=window))
            case End.TRANSFERRED:
                self._transfer(window, ticket, leg)
            case End.FINISHED | End.OPEN:
                stays = leg.stay and self._try(c.FinishService(window=window, stay=True))
                if not stays:
                    self._do(c.FinishService(window=window))
        if leg.return_after is not None:
            back = c.ReturnTicket(ticket=ticket, by_staff=leg.by_staff)
            seq = leg.return_seq or next(self._seq)
            self._push(self.now + leg.return_after, seq, lambda: self._quietly(back))
        if stays:
            self._visit(window, begun=True)
            return
        self._settle()
        self._look()

    def _transfer(self, window: WindowId, ticket: TicketId, leg: Leg) -> None:
        """To the same line; when nobody is there this time, to the back of the queue."""
        queue_alone = not leg.line.startswith("@") and leg.item is None
        sent = self._try(
            c.TransferVisit(
                window=window,
                to_queue=QueueId(leg.line) if queue_alone else None,
                to_window=self._window_of(leg.line),
                to_staff=self._staff_of(leg.line),
                item=leg.item,
                place=leg.place,
                back=leg.back,
            )
        )
        if not sent:
            queue = self.state.tickets[ticket].queue
            self._do(
                c.TransferVisit(window=window, to_queue=queue, place=Place.LAST, back=leg.back)
            )

    def _window_of(self, line: str) -> WindowId | None:
        return next((one for one in self.state.windows if window_line(one) == line), None)

    def _staff_of(self, line: str) -> StaffId | None:
        return next((one for one in self.state.staff if staff_line(one) == line), None)


def _can(beat: Beat, ticket: Ticket) -> bool:
    if beat.press is Press.PICK:
        return ticket.state is TicketState.WAITING
    return ticket.state in _AWAY


def replay(
    log: DayLog,
    script: Script,
    variant: Variant,
    progress: Callable[[float], None] = lambda done: None,
) -> Ledger:
    """Runs the day again under ``variant``. ``progress`` gets 0 to 1 now and then.

    Raises ``config.invalid`` or ``replay.staff_busy`` for a variant that cannot be.
    """
    return Running(log, script, variant).run(progress)
