"""Follows the tickets whose pages are open. Work is done for those only, and for many at a time.

A ticket's own events are told at once. Places in a queue and waiting times are gathered for a quarter
of a second; after a costly look the next one waits, so that phones never take more than a fifth of
the loop from kiosks and pads.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from hallserver.app.phone.standing import Look, Standing
from hallserver.engine.state import HallState, queues_of
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.ids import Millis, QueueId, TicketId, WindowId

GATHER_SECONDS = 0.25
REFRESH_SECONDS = 10.0
"""How often waiting times are computed again although nothing happened: visits last longer by then."""
REST = 4
"""A look that took t seconds is followed by at least so many t of rest."""
CHUNK = 20
"""Tickets between two turns of everybody else."""
STREAMS_PER_TICKET = 6
QUIET = (
    e.PrintRequested,
    e.PrintReported,
    e.NumbersLeased,
    e.BookingPut,
    e.BookingDropped,
    e.BookingMissed,
    e.PersonForgotten,
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
    e.DirectiveApplied,
    e.DirectiveRefused,
)
"""Nothing on a ticket's page comes from these."""


@dataclass(eq=False, slots=True)
class Follower:
    """One open page. ``standing`` is the newest, None once the ticket is over; ``news`` tells of it.

    ``gone`` is true when the phone has left, which its stream notices only when it speaks next.
    """

    standing: Standing | None
    gone: Callable[[], bool]
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Watch:
    """``state`` and ``now`` give the present; ``limit`` is how many pages may be open at once."""

    def __init__(
        self, state: Callable[[], HallState], now: Callable[[], Millis], limit: int
    ) -> None:
        self._state = state
        self._now = now
        self._limit = limit
        self._known: dict[TicketId, Standing] = {}
        self._followers: dict[TicketId, list[Follower]] = {}
        self._count = 0
        self._touched: set[QueueId] = set()
        self._everything = False
        self._wake = asyncio.Event()
        self._closed = False

    @property
    def open_pages(self) -> int:
        return self._count

    def followers(self, ticket: TicketId) -> tuple[Follower, ...]:
        """The open pages of a ticket."""
        return tuple(self._followers.get(ticket, ()))

    @contextmanager
    def follow(self, ticket: TicketId, gone: Callable[[], bool]) -> Iterator[Follower]:
        """Raises ``ticket.too_many_pages`` when this ticket or the hall has too many open."""
        if len(self._followers.get(ticket, ())) >= STREAMS_PER_TICKET:
            self._forget_gone([ticket])
        if self._count >= self._limit:
            self._forget_gone(list(self._followers))
        crowded = len(self._followers.get(ticket, ())) >= STREAMS_PER_TICKET
        if self._closed or crowded or self._count >= self._limit:
            raise Refusal("ticket.too_many_pages")
        self._look_at(ticket, Look(self._state(), self._now()), full=True)
        mine = Follower(self._known.get(ticket), gone)
        self._followers.setdefault(ticket, []).append(mine)
        self._count += 1
        try:
            yield mine
        finally:
            self._leave(ticket, mine)

    def _forget_gone(self, tickets: list[TicketId]) -> None:
        """A page that was loaded again and again leaves streams that nobody reads any more."""
        for ticket in tickets:
            for follower in list(self._followers[ticket]):
                if follower.gone():
                    self._leave(ticket, follower)
                    follower.news.set()

    def _leave(self, ticket: TicketId, mine: Follower) -> None:
        followers = self._followers.get(ticket, [])
        if mine not in followers:
            return
        followers.remove(mine)
        self._count -= 1
        if not followers:
            del self._followers[ticket]
            self._known.pop(ticket, None)

    # ---- changes --------------------------------------------------------------------------------

    def committed(self, events: tuple[e.Event, ...]) -> None:
        """Listener of the hall."""
        if not self._followers:
            return
        look = Look(self._state(), self._now())
        for event in events:
            if isinstance(event.b, QUIET):
                continue
            self._mark(event.b)
            ticket = getattr(event.b, "ticket", None)
            if ticket in self._followers:
                self._look_at(ticket, look, full=True)
            self._wake.set()

    def _mark(self, body: Any) -> None:
        """Which queues move: the ticket's, those of the window, those that are named."""
        state = self._state()
        ticket = state.tickets.get(getattr(body, "ticket", None) or TicketId(""))
        window = getattr(body, "window", None) or WindowId("")
        known = window in state.window_config
        queues = set(queues_of(state, window, self._now())) if known else set()
        queues |= set(getattr(body, "queues", ()))
        queues |= {ticket.queue} if ticket is not None else set()
        queues |= {body.queue} if hasattr(body, "queue") else set()
        self._touched |= queues
        self._everything = self._everything or not queues

    def _look_at(self, ticket_id: TicketId, look: Look, *, full: bool) -> None:
        """Tells the followers of a ticket when it stands otherwise; ``full`` asks for its time anew."""
        ticket = self._state().tickets.get(ticket_id)
        if ticket is None:
            self._known.pop(ticket_id, None)
            self._tell(ticket_id, None)
            return
        last = self._known.get(ticket_id)
        fresh = look.place(ticket)
        if full or last is None or replace(last, wait=None) != fresh:
            fresh = replace(fresh, wait=look.wait(ticket))
        else:
            fresh = last
        if fresh != last:
            self._known[ticket_id] = fresh
            self._tell(ticket_id, fresh)

    def _tell(self, ticket: TicketId, standing: Standing | None) -> None:
        for follower in self._followers.get(ticket, ()):
            follower.standing = standing
            follower.news.set()

    # ---- service --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Looks at the watched tickets after changes, and at all of them now and then."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time() + REFRESH_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(refresh_at):
                    await self._wake.wait()
                await asyncio.sleep(GATHER_SECONDS)
            except TimeoutError:
                self._everything = True
            self._wake.clear()
            if self._everything:
                refresh_at = loop.time() + REFRESH_SECONDS
            await asyncio.sleep(REST * await self.look_around())

    async def look_around(self) -> float:
        """One look at every watched ticket; returns the seconds of processor time that it took."""
        touched, everything = self._touched, self._everything
        self._touched, self._everything = set(), False
        spent, began = 0.0, time.thread_time()
        look, seq = Look(self._state(), self._now()), self._state().seq
        for done, ticket_id in enumerate(list(self._followers), start=1):
            ticket = self._state().tickets.get(ticket_id)
            full = everything or (ticket is not None and ticket.queue in touched)
            self._look_at(ticket_id, look, full=full)
            if done % CHUNK == 0:
                spent += time.thread_time() - began
                await asyncio.sleep(0)
                began = time.thread_time()
                if self._state().seq != seq:  # an old look would tell an old place
                    look, seq = Look(self._state(), self._now()), self._state().seq
        return spent + time.thread_time() - began

    @property
    def closed(self) -> bool:
        """The server goes down; pages come back by themselves."""
        return self._closed

    def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        for followers in self._followers.values():
            for follower in followers:
                follower.news.set()
