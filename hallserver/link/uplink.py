"""What a hall sends to the city next: the rules of the uplink without sockets, threads or clocks.

The log is the outbox. The city's cursor decides where to go on; ``acked`` here only follows it. Any
fault ends the session, and the next WELCOME starts again from the cursor, so the only things to
remember are what was sent, what was acknowledged and how many frames may be in flight.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from hallserver.store.batch import StoredEvent, Tip
from qingting.contract.base import Record
from qingting.contract.ids import Millis
from qingting.contract.link import MAX_FRAME_BYTES, MAX_FRAME_EVENTS, Ack, Events, Nack, Welcome

ACK_SECONDS = 30.0
"""A frame that is not acknowledged after this long is lost, whatever the connection believes."""


class LinkState(StrEnum):
    """What the link is doing. ``quarantined`` and ``refused`` need a person at the city."""

    OFFLINE = "offline"
    CONNECTED = "connected"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class LinkFaultError(Exception):
    """The session must end. ``state`` is what the link then is, ``retry_after`` the least pause in seconds."""

    def __init__(
        self, code: str, *, state: LinkState = LinkState.OFFLINE, retry_after: float = 0.0
    ) -> None:
        self.code = code
        self.state = state
        self.retry_after = retry_after
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A frame on its way: its last event, when it left, when its first and last event happened."""

    end: Tip
    left_at: float
    oldest: Millis
    newest: Millis


class _Time(Record, frozen=True):
    at: Millis


_times: msgspec.json.Decoder[_Time] = msgspec.json.Decoder(_Time)


def event_time(stored: StoredEvent) -> Millis:
    """When a stored event happened, also of a type that this program does not know."""
    return _times.decode(stored.json).at


class Uplink:
    """State of the event lane over all sessions of one epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.acked = Tip()
        self.sent = Tip()
        self.credit = 0
        self.progress = 0
        """Events acknowledged in this session."""
        self._limit = MAX_FRAME_EVENTS
        self._flights: deque[_Flight] = deque()
        self._waiting_since: Millis = 0

    def open(self, welcome: Welcome, head: Tip, hash_at_cursor: str) -> None:
        """Begins a session. ``hash_at_cursor`` is our own chain at ``welcome.cursor``, empty when beyond it.

        Raises :class:`LinkFaultError` when the city does not want our events or holds another log.
        """
        self.close()
        if welcome.verdict == "fork":
            raise _quarantine(welcome.code or "link.fork", welcome.retry_after)
        if welcome.verdict != "resume":
            raise LinkFaultError(
                welcome.code or "link.version",
                state=LinkState.REFUSED,
                retry_after=welcome.retry_after,
            )
        if welcome.cursor > head.seq or welcome.hash_at_cursor != hash_at_cursor:
            raise _quarantine("link.fork", welcome.retry_after)
        self.acked = self.sent = Tip(welcome.cursor, hash_at_cursor)
        self.credit = welcome.credit
        self.progress = 0

    def close(self) -> None:
        """The session is over; what was in flight counts as not sent."""
        self._waiting_since = self.waiting_since
        self._flights.clear()
        self.sent = self.acked
        self.credit = 0

    @property
    def may_send(self) -> bool:
        return len(self._flights) < self.credit

    @property
    def waiting_since(self) -> Millis:
        """When the oldest unacknowledged event happened, or shortly before; meaningless without a lag."""
        return self._flights[0].oldest if self._flights else self._waiting_since

    def first_waits(self, at: Millis) -> None:
        """The first event after ``acked`` happened at ``at``."""
        self._waiting_since = at

    def frame(self, stored: Sequence[StoredEvent], now: float) -> Events:
        """The next frame from events that follow ``sent``; ``now`` is monotonic, in seconds."""
        if not stored or stored[0].seq != self.sent.seq + 1:
            raise ValueError("events do not follow what was sent")
        chosen = _first_frame(stored, self._limit)
        frame = Events(
            epoch=self.epoch,
            first=chosen[0].seq,
            prev_hash=self.sent.hash,
            events=tuple(one.json.decode() for one in chosen),
        )
        self.sent = Tip(chosen[-1].seq, chosen[-1].hash)
        times = event_time(chosen[0]), event_time(chosen[-1])
        self._flights.append(_Flight(self.sent, now, *times))
        return frame

    def ack(self, ack: Ack) -> None:
        """The city has committed everything up to ``ack.upto``. Raises :class:`LinkFaultError`."""
        if ack.epoch != self.epoch or ack.upto > self.sent.seq:
            raise LinkFaultError("link.fork")
        self.credit = ack.credit
        while self._flights and self._flights[0].end.seq <= ack.upto:
            done = self._flights.popleft()
            self._waiting_since = done.newest
            if done.end.seq == ack.upto and done.end.hash != ack.hash:
                raise _quarantine("link.fork", 0.0)
        if ack.upto > self.acked.seq:
            self.progress += ack.upto - self.acked.seq
            self.acked = Tip(ack.upto, ack.hash)
            self._limit = MAX_FRAME_EVENTS

    def nack(self, nack: Nack) -> LinkFaultError:
        """What a refused frame means; always the end of the session."""
        if nack.code in ("hash", "epoch"):
            return _quarantine("link.fork", nack.retry_after)
        if nack.code == "auth":
            return LinkFaultError(
                "link.unknown_hall", state=LinkState.REFUSED, retry_after=nack.retry_after
            )
        if nack.code == "size":
            self._limit = max(1, self._limit // 2)
        return LinkFaultError(f"nack.{nack.code}", retry_after=nack.retry_after)

    def overdue(self, now: float) -> bool:
        """True when a frame has waited too long for its acknowledgement."""
        return bool(self._flights) and now - self._flights[0].left_at > ACK_SECONDS


def _quarantine(code: str, retry_after: float) -> LinkFaultError:
    return LinkFaultError(code, state=LinkState.QUARANTINED, retry_after=retry_after)


def _first_frame(stored: Sequence[StoredEvent], limit: int) -> Sequence[StoredEvent]:
    size = 0
    for count, one in enumerate(stored[:limit]):
        size += len(one.json)
        if size > MAX_FRAME_BYTES and count:
            return stored[:count]
    return stored[:limit]
