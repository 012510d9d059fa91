"""Frames of the link between a hall and the city (architecture §4).

One binary WebSocket message is one frame: a byte for the codec (1 = zlib) and the compressed JSON of
one of these types. Events travel as the exact JSON text that the hall stored, so that the city can
check the hash chain over the same bytes.
"""

import hashlib
import zlib
from typing import Annotated

import msgspec

from qingting.contract.base import Record
from qingting.contract.directives import Directive
from qingting.contract.ids import HallId, Millis
from qingting.contract.releases import ReleaseId
from qingting.contract.views import DeviceView, QueueView

LINK_VERSION = 1
MAX_FRAME_EVENTS = 500
MAX_FRAME_BYTES = 256 * 1024
"""Bound of the events of one frame, before compression; a single larger event travels alone."""
MAX_RAW_BYTES = 8 * 1024 * 1024
"""Bound that a receiver puts on a decompressed frame."""
GENESIS = "0" * 64
"""Hash before the first event of the first epoch."""


def chain_hash(previous: str, event: bytes) -> str:
    """``SHA-256(previous ‖ event)`` as hex; ``event`` is the stored JSON."""
    return hashlib.sha256(previous.encode("ascii") + event).hexdigest()


class Hello(Record, frozen=True, kw_only=True, tag="HELLO", tag_field="f"):
    """Hall → city. ``first`` is the oldest event kept; ``parent_epoch``/``parent_seq`` tell where a fork began.

    ``box_key`` is the public half (hex, X25519) for boxes that only this hall opens. ``directive_no`` is the number of
    the last directive that became an event here, 0 for none; -1: an older hall that does not say."""

    proto: tuple[int, int]
    hall: HallId
    key: str
    epoch: int
    head: int
    head_hash: str
    first: int
    clock: Millis
    build: str = ""
    parent_epoch: int = 0
    parent_seq: int = 0
    box_key: str = ""
    directive_no: int = -1


class Welcome(Record, frozen=True, kw_only=True, tag="WELCOME", tag_field="f"):
    """City → hall. ``verdict``: ``resume``, ``fork`` or ``refuse`` (``code`` then says why).

    ``keys``: what opens the persons in this city's directives, in a box for the ``box_key`` of HELLO."""

    proto: int
    session: str
    cursor: int
    hash_at_cursor: str
    credit: int
    verdict: str
    code: str = ""
    retry_after: float = 0.0
    keys: str = ""


class Events(Record, frozen=True, kw_only=True, tag="EVENTS", tag_field="f"):
    """Hall → city. ``events[0]`` has sequence ``first``; ``prev_hash`` is the chain before it."""

    epoch: int
    first: int
    prev_hash: str
    events: tuple[str, ...]


class Ack(Record, frozen=True, kw_only=True, tag="ACK", tag_field="f"):
    """City → hall, only after the commit; cumulative. ``credit`` frames may be in flight."""

    epoch: int
    upto: int
    hash: str
    credit: int


class Nack(Record, frozen=True, kw_only=True, tag="NACK", tag_field="f"):
    """``code``: ``gap``, ``hash``, ``epoch``, ``size``, ``auth`` or ``busy``; ``expect`` is the next sequence wanted."""

    code: str
    expect: int
    retry_after: float = 0.0


class LinkPing(Record, frozen=True, kw_only=True, tag="PING", tag_field="f"):
    t0: Millis


class LinkPong(Record, frozen=True, kw_only=True, tag="PONG", tag_field="f"):
    t0: Millis
    t1: Millis


class Live(Record, frozen=True, kw_only=True, tag="LIVE", tag_field="f"):
    """Droppable present state, ahead of any backlog: latest wins. ``backup_bad`` is since when the hall has no
    fresh backup of itself, 0 while it has one."""

    at: Millis
    oldest_unacked: Millis
    backup_bad: Millis = 0
    queues: tuple[QueueView, ...] = ()
    devices: tuple[DeviceView, ...] = ()


class Dir(Record, frozen=True, kw_only=True, tag="DIR", tag_field="f"):
    """City → hall: directive ``no`` (gap-free per hall). ``directive`` stays raw JSON, so that a kind
    which an older hall does not know leaves the frame readable (:func:`read_directive`)."""

    no: int
    directive: msgspec.Raw
    expires_at: Millis | None = None


class Dack(Record, frozen=True, kw_only=True, tag="DACK", tag_field="f"):
    """Hall → city: all directives up to ``no`` have become events."""

    no: int


class File(Record, frozen=True, kw_only=True, tag="FILE", tag_field="f"):
    """Hall → city: what an act of the city's brought back, base64; kept for minutes, droppable, never in the log."""

    act: str
    media: str
    data: str


class Want(Record, frozen=True, kw_only=True, tag="WANT", tag_field="f"):
    """Hall → city: the piece of a release's archive that begins at byte ``offset``. Only for a release that the city told of."""

    release: ReleaseId
    offset: int


class Piece(Record, frozen=True, kw_only=True, tag="PIECE", tag_field="f"):
    """City → hall: the answer to :class:`Want`, base64. Empty ``data``: there is no such piece."""

    release: ReleaseId
    offset: int
    data: str


class LinkBye(Record, frozen=True, kw_only=True, tag="BYE", tag_field="f"):
    code: str
    retry_after: float = 0.0


Frame = (
    Hello
    | Welcome
    | Events
    | Ack
    | Nack
    | LinkPing
    | LinkPong
    | Live
    | Dir
    | Dack
    | File
    | Want
    | Piece
    | LinkBye
)

_directives: msgspec.json.Decoder[Directive] = msgspec.json.Decoder(Directive)


def read_directive(raw: msgspec.Raw) -> Directive | None:
    """The directive of a frame; None when this program does not understand it."""
    try:
        return _directives.decode(raw)
    except msgspec.ValidationError:
        return None


def write_directive(directive: Directive) -> msgspec.Raw:
    """Inverse of :func:`read_directive`."""
    return msgspec.Raw(_encoder.encode(directive))


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_ZLIB = b"\x01"


class FrameError(ValueError):
    """The bytes are no frame: unknown codec, damaged, too large or not one of the types."""


def encode_frame(frame: Frame) -> bytes:
    return _ZLIB + zlib.compress(_encoder.encode(frame), 1)


def decode_frame(data: bytes) -> Frame:
    """Inverse of :func:`encode_frame`; raises :class:`FrameError`, never expands past ``MAX_RAW_BYTES``."""
    if data[:1] != _ZLIB:
        raise FrameError("unknown codec")
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(data[1:], MAX_RAW_BYTES)
    except zlib.error as error:
        raise FrameError("damaged") from error
    if inflater.unconsumed_tail or not inflater.eof:
        raise FrameError("too large or cut short")
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FrameError("not a frame") from error


Seconds = Annotated[float, msgspec.Meta(ge=0)]
