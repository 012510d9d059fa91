"""Topics: a snapshot for who comes, numbered deltas for who stays, each encoded once for all."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from hallserver.boards.view import PREFIX as BOARD_PREFIX
from hallserver.boards.view import board_entries
from hallserver.engine.state import HallState
from hallserver.engine.view_devices import kiosk_ticket
from hallserver.engine.views import Ambient, entries, topics_touched
from hallserver.hub import codec
from hallserver.hub.session import Session
from qingting.contract import events as e
from qingting.contract.errors import Refusal
from qingting.contract.hub import Delta, Snapshot
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.states import DeviceKind
from qingting.contract.views import View

log = structlog.get_logger(__name__)

COALESCE_SECONDS = 0.2
REFRESH_SECONDS = 10.0
"""How often views are computed again although nothing happened: waits, opening hours and ages move on."""
_AT_ONCE = ("board", "window:", "rating:", "kiosk:", "help")
"""People stand before these and wait; all other topics are gathered for a fifth of a second."""
_AT_WINDOWS = (e.TicketCalled, e.TicketRecalled, e.ServiceBegun, e.ServiceFinished, e.TicketNoShow)
"""Nobody stands at the kiosk any more when these happen to its ticket."""
LOOKED_UP_MS = 3 * 60_000
"""How long a kiosk keeps showing a ticket whose code was scanned there."""


@dataclass(slots=True)
class _Topic:
    """``entries`` is what subscribers have; ``snapshot`` its encoding while nothing changed."""

    seq: int
    entries: dict[str, View]
    snapshot: bytes | None = None
    subscribers: set[Session] = field(default_factory=set)


def _urgent(topic: str, event: e.Event) -> bool:
    """A window whose waiting list only grew may wait a moment; who is called may not."""
    if topic.startswith("window:"):
        return topic == f"window:{getattr(event.b, 'window', None)}"
    if topic == "board" or topic.startswith(BOARD_PREFIX):
        return isinstance(event.b, (e.TicketCalled, e.TicketRecalled))
    if topic.startswith("kiosk:"):
        return not isinstance(event.b, _AT_WINDOWS)
    return topic.startswith(_AT_ONCE)


class Topics:
    """Who sees what. ``state`` and ``ambient`` give the present; the hub calls ``committed``."""

    def __init__(self, state: Callable[[], HallState], ambient: Callable[[], Ambient]) -> None:
        self._state = state
        self._ambient = ambient
        self._topics: dict[str, _Topic] = {}
        self._later: set[str] = set()
        self._wake = asyncio.Event()
        self._seq: dict[str, int] = {}
        self._looked_up: dict[DeviceId, dict[TicketId, int]] = {}
        self._watchers: list[Callable[[set[str]], None]] = []

    # ---- subscriptions --------------------------------------------------------------------------

    def subscribe(self, session: Session, topic: str) -> None:
        """Sends the snapshot and from now on each delta. Raises ``hub.unknown_topic``."""
        known = self._topics.get(topic)
        if known is None:
            found = self._entries(topic)
            known = self._topics[topic] = _Topic(self._next_seq(topic), found)
        else:
            self.flush((topic,))
        if known.snapshot is None:
            known.snapshot = codec.encode(
                Snapshot(topic=topic, seq=known.seq, entries=known.entries)
            )
        known.subscribers.add(session)
        session.topics.add(topic)
        session.outbox.put(known.snapshot)

    def leave(self, session: Session, topics: Iterable[str] | None = None) -> None:
        """Ends subscriptions, all of them at the end of a session; forgets topics nobody sees."""
        for topic in list(session.topics if topics is None else topics):
            session.topics.discard(topic)
            known = self._topics.get(topic)
            if known is not None:
                known.subscribers.discard(session)
                if not known.subscribers:
                    del self._topics[topic]

    def watch(self, watcher: Callable[[set[str]], None]) -> Callable[[], None]:
        """Calls ``watcher`` with the names of changed topics, seen by somebody or not; for pages."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    # ---- changes --------------------------------------------------------------------------------

    def committed(self, events: tuple[e.Event, ...]) -> None:
        """After a commit: urgent topics now, the others within :data:`COALESCE_SECONDS`."""
        state = self._state()
        now: set[str] = set()
        later: set[str] = set()
        for event in events:
            touched = topics_touched(event, state) | self._kiosks_showing(event)
            touched |= self._boards_showing(event, touched)
            urgent = {topic for topic in touched if _urgent(topic, event)}
            now |= urgent
            later |= touched - urgent
        self.touch(later - now)
        self.flush(now)
        for watcher in list(self._watchers):
            watcher(now | later)

    def touch(self, topics: Iterable[str]) -> None:
        """Marks topics to be looked at soon."""
        self._later.update(topic for topic in topics if topic in self._topics)
        if self._later:
            self._wake.set()

    def flush(self, topics: Iterable[str]) -> None:
        """Brings subscribers of ``topics`` up to date."""
        for name in topics:
            self._later.discard(name)
            topic = self._topics.get(name)
            if topic is not None:
                self._flush(name, topic)

    def _flush(self, name: str, topic: _Topic) -> None:
        try:
            fresh = self._entries(name)
        except Refusal:
            fresh = {}  # the window or device was taken out of the configuration
        except Exception:
            log.exception("hub.topic_failed", topic=name)
            for session in list(topic.subscribers):
                session.end("internal")
            return
        old = topic.entries
        changed = {key: view for key, view in fresh.items() if old.get(key) != view}
        gone = tuple(key for key in old if key not in fresh)
        if not changed and not gone:
            return
        topic.entries = fresh
        topic.seq = self._next_seq(name)
        topic.snapshot = None
        data = codec.encode(Delta(topic=name, seq=topic.seq, set=changed, gone=gone))
        for session in list(topic.subscribers):
            session.outbox.put(data)

    def _next_seq(self, topic: str) -> int:
        """Numbers go on when a topic comes back, so an old delta is never taken for a new one."""
        self._seq[topic] = self._seq.get(topic, 0) + 1
        return self._seq[topic]

    def _entries(self, topic: str) -> dict[str, View]:
        ambient = self._ambient()
        state = self._state()
        if topic.startswith(BOARD_PREFIX):
            board = DeviceId(topic.removeprefix(BOARD_PREFIX))
            return dict(board_entries(state, board, ambient.now))
        found = dict(entries(state, topic, ambient))
        if topic.startswith("kiosk:"):
            for ticket in self._shown_at(DeviceId(topic.removeprefix("kiosk:")), ambient.now):
                if ticket in state.tickets:
                    found[f"ticket:{ticket}"] = kiosk_ticket(
                        state, state.tickets[ticket], ambient.now, ambient.waits(state)
                    )
        return found

    # ---- tickets found by their code ------------------------------------------------------------

    def look_up(self, kiosk: DeviceId, ticket: TicketId) -> None:
        """Shows ``ticket`` in the kiosk's topic for some minutes."""
        until = self._ambient().now + LOOKED_UP_MS
        self._looked_up.setdefault(kiosk, {})[ticket] = until
        self.flush((f"kiosk:{kiosk}",))

    def shows(self, kiosk: DeviceId, ticket: TicketId) -> bool:
        """True when the ticket's code was scanned at this kiosk a moment ago."""
        return ticket in self._shown_at(kiosk, self._ambient().now)

    def forget(self, kiosk: DeviceId) -> None:
        """The citizen left."""
        if self._looked_up.pop(kiosk, None):
            self.touch((f"kiosk:{kiosk}",))

    def _shown_at(self, kiosk: DeviceId, now: int) -> list[TicketId]:
        shown = self._looked_up.get(kiosk, {})
        for ticket in [one for one, until in shown.items() if until <= now]:
            del shown[ticket]
        return list(shown)

    def _kiosks_showing(self, event: e.Event) -> set[str]:
        ticket = getattr(event.b, "ticket", None)
        return {f"kiosk:{kiosk}" for kiosk, shown in self._looked_up.items() if ticket in shown}

    def _boards_showing(self, event: e.Event, touched: set[str]) -> set[str]:
        """Topics of single boards: each has its own layout of what the common topic holds, and windows'
        states besides."""
        if isinstance(event.b, e.CallAnnounced | e.CallUnsaid | e.DeviceChanged):
            return self._boards_relieved(event.b.device)
        if touched.isdisjoint(("board", "windows")):
            return set()
        return {topic for topic in self._topics if topic.startswith(BOARD_PREFIX)}

    def _boards_relieved(self, device: DeviceId) -> set[str]:
        """What a board owes changes by itself, and with any loudspeaker that speaks in its stead."""
        life = self._state().devices.get(device)
        if life is not None and life.kind is DeviceKind.SPEAKER:
            return {topic for topic in self._topics if topic.startswith(BOARD_PREFIX)}
        return {f"{BOARD_PREFIX}{device}"} & self._topics.keys()

    # ---- service --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Flushes what was gathered, and everything now and then."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time() + REFRESH_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(refresh_at):
                    await self._wake.wait()
                await asyncio.sleep(COALESCE_SECONDS)
            except TimeoutError:
                refresh_at = loop.time() + REFRESH_SECONDS
                self.touch(set(self._topics))
            self._wake.clear()
            for name in sorted(self._later):
                self.flush((name,))
                await asyncio.sleep(0)  # a screen that waits for its call goes first
