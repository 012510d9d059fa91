"""The rules of the uplink without any I/O: what is new in a frame, and whether it continues the log.

Epochs of a hall only grow. After a fork the numbers go on: the first event of the new epoch has the
number after ``parent_seq`` and is chained to that event's hash. A store made anew on a lost disk has
no parent and starts at 1. So ``(epoch, seq)`` orders a hall's log.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from qingting.contract.base import Record
from qingting.contract.events import DirectiveApplied, DirectiveRefused
from qingting.contract.link import (
    MAX_FRAME_BYTES,
    MAX_FRAME_EVENTS,
    Events,
    Nack,
    chain_hash,
)

UNKNOWN_KIND = "?"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to where the city holds a hall's log, and the chain's hash there."""

    epoch: int
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """One event as it will be stored. ``at`` is None when the event does not say it."""

    seq: int
    raw: bytes
    hash: str
    kind: str
    at: int | None
    day: date | None


@dataclass(frozen=True, slots=True)
class Fresh:
    """New events that continue the log; empty when the city has them all."""

    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """All of it is old: ``hash`` must be the stored one at ``seq``."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Fork:
    """The hall's log and the city's differ at or before ``seq``."""

    seq: int


class _Kind(Record, frozen=True):
    k: str


class _Head(Record, frozen=True):
    """What must be known of any event, also of a type that this program does not know."""

    s: int
    at: int
    bd: str
    b: _Kind


class _No(Record, frozen=True):
    no: int


class _Answer(Record, frozen=True):
    b: _No


class _Time(Record, frozen=True):
    at: int


_times = msgspec.json.Decoder(_Time)
_heads = msgspec.json.Decoder(_Head)
_answers = msgspec.json.Decoder(_Answer)
_ANSWERS = frozenset(str(one.__struct_config__.tag) for one in (DirectiveApplied, DirectiveRefused))


def check_frame(cursor: Cursor, frame: Events) -> Fresh | Repeat | Fork | Nack:
    """Judges ``frame`` against ``cursor``."""
    expect = cursor.seq + 1
    if frame.epoch != cursor.epoch:
        return Nack(code="epoch", expect=expect)
    if len(frame.events) > MAX_FRAME_EVENTS:
        return Nack(code="size", expect=expect)
    if frame.first > expect or frame.first < 1:
        return Nack(code="gap", expect=expect)
    if not frame.events:
        return Fresh(())
    raws = [event.encode() for event in frame.events]
    if len(raws) > 1 and sum(map(len, raws)) > MAX_FRAME_BYTES:
        return Nack(code="size", expect=expect)
    return _walk(cursor, frame, raws)


def _walk(cursor: Cursor, frame: Events, raws: list[bytes]) -> Fresh | Repeat | Fork | Nack:
    links: list[Link] = []
    running, seq = frame.prev_hash, frame.first - 1
    if seq == cursor.seq and running != cursor.hash:
        return Fork(seq)
    for raw in raws:
        running, seq = chain_hash(running, raw), seq + 1
        if seq == cursor.seq and running != cursor.hash:
            return Fork(seq)
        if seq > cursor.seq:
            link = _link(seq, raw, running)
            if link is None:
                return Nack(code="gap", expect=cursor.seq + 1)
            links.append(link)
    if not links and seq < cursor.seq:
        return Repeat(seq, running)
    return Fresh(tuple(links))


def answered(links: Sequence[Link]) -> int:
    """The highest number of a directive that these events answer; 0 for none."""
    found = 0
    for link in links:
        if link.kind in _ANSWERS:
            with contextlib.suppress(msgspec.DecodeError):
                found = max(found, _answers.decode(link.raw).b.no)
    return found


def frame_instants(frame: Events) -> set[int]:
    """Times of the events that say one, one an hour: enough to know which months they need."""
    found: dict[int, int] = {}
    for event in frame.events:
        try:
            at = _times.decode(event).at
        except msgspec.DecodeError:
            continue
        found[at // 3_600_000] = at
    return set(found.values())


def _link(seq: int, raw: bytes, running: str) -> Link | None:
    """None when the event carries another number than its place: the frame is put together wrong."""
    try:
        head = _heads.decode(raw)
    except msgspec.DecodeError:
        return Link(seq, raw, running, UNKNOWN_KIND, None, None)
    if head.s != seq:
        return None
    return Link(seq, raw, running, head.b.k, head.at, _day(head.bd))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
