"""What an ESC/POS printer says: bytes to status frames, frames to canonical conditions.

The fixed bits of each answer tell the kinds apart (derived from the manuals of Epson, Citizen and
SNBC): ``b & 93h == 12h`` answers DLE EOT, ``== 10h`` begins a block of four (automatic status back),
``37h`` begins a response block that NUL ends, ``b & 90h == 0`` answers an in-order request (GS r), ``5Fh``
begins the printer's name (GS I) when it was asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hallserver.devices.profile_types import BitRow, Capabilities, PrinterStatus, ReplyShape
from qingting.contract.conditions import blocks_printing
from qingting.contract.states import Condition

PUSH_LENGTH = 4
RESPONSE_HEAD = 0x37
PROCESS_ID_MARK = 0x22
PROCESS_ID_LENGTH = 7
NAME_HEAD = 0x5F
MAX_NAME = 80
"""Longer than any model calls itself."""


@dataclass(frozen=True, slots=True)
class RealTimeAnswer:
    """Answer of a DLE EOT query; it does not say of which one."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PushedStatus:
    """Four bytes of automatic status back."""

    data: bytes


@dataclass(frozen=True, slots=True)
class InOrderAnswer:
    """Answer of GS r: everything sent before it has been taken up."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ProcessDone:
    """Answer of GS ( H function 48: the job with this four-digit id was printed."""

    id: int


@dataclass(frozen=True, slots=True)
class ModelName:
    """Answer of GS I: how the printer calls itself."""

    name: str


StatusFrame = RealTimeAnswer | PushedStatus | InOrderAnswer | ProcessDone | ModelName


class StatusCodec:
    """Cuts the printer's bytes into frames; keeps partial input, drops what fits nothing."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._plain: ReplyShape | None = None
        self.name_due = False
        """Somebody asked for the name and it has not come. Only then is it known from noise: its letters look like
        answers in order."""

    def expect(self, shape: ReplyShape | None) -> None:
        """Announces the query that is outstanding. Answers without fixed bits are only then known."""
        self._plain = shape if shape is not None and shape.is_plain else None

    def reset(self) -> None:
        """Forgets partial input, for a new line."""
        self._buffer.clear()
        self._plain = None
        self.name_due = False

    def feed(self, data: bytes) -> list[StatusFrame]:
        """The frames that ``data`` completes."""
        self._buffer += data
        if self._plain is not None:
            return self._feed_plain(self._plain)
        frames: list[StatusFrame] = []
        while self._buffer:
            length, frame = self._first()
            if length == 0:
                break
            del self._buffer[:length]
            if frame is not None:
                frames.append(frame)
        return frames

    def _feed_plain(self, shape: ReplyShape) -> list[StatusFrame]:
        if shape.prefix is not None:
            return self._feed_prefixed(shape.prefix, shape.length)
        # The answer is the last that came: whatever stands before it is line noise or late.
        if len(self._buffer) < shape.length:
            return []
        answer = bytes(self._buffer[-shape.length :])
        self._answered()
        return [RealTimeAnswer(answer)]

    def _feed_prefixed(self, prefix: bytes, length: int) -> list[StatusFrame]:
        start = self._buffer.find(prefix)
        if start < 0:
            del self._buffer[: len(self._buffer) - len(prefix) + 1]
            return []
        del self._buffer[:start]
        if len(self._buffer) < length:
            return []
        answer = bytes(self._buffer[:length])
        self._answered()
        return [RealTimeAnswer(answer)]

    def _answered(self) -> None:
        self._buffer.clear()
        self._plain = None

    def _first(self) -> tuple[int, StatusFrame | None]:
        """Length and meaning of what stands first; length 0 asks for more input."""
        head = self._buffer[0]
        if head == RESPONSE_HEAD:
            return self._response_block()
        if head == NAME_HEAD and self.name_due:
            return self._name_block()
        if head & 0x93 == 0x12:
            return 1, RealTimeAnswer(bytes([head]))
        if head & 0x93 == 0x10:
            return self._push_block()
        if head & 0x90 == 0:
            return 1, InOrderAnswer(bytes([head]))
        return 1, None

    def _push_block(self) -> tuple[int, StatusFrame | None]:
        rest = self._buffer[1:PUSH_LENGTH]
        if any(byte & 0x90 for byte in rest):
            return 1, None
        if len(rest) < PUSH_LENGTH - 1:
            return 0, None
        return PUSH_LENGTH, PushedStatus(bytes(self._buffer[:PUSH_LENGTH]))

    def _name_block(self) -> tuple[int, StatusFrame | None]:
        end = self._buffer.find(0)
        name = bytes(self._buffer[1:end] if end > 0 else self._buffer[1:])
        if len(name) > MAX_NAME or any(not 0x20 <= byte < 0x7F for byte in name):
            return 1, None
        if end < 0:
            return 0, None
        self.name_due = False
        return end + 1, ModelName(name.decode("ascii"))

    def _response_block(self) -> tuple[int, StatusFrame | None]:
        block = bytes(self._buffer[:PROCESS_ID_LENGTH])
        digits = block[2:6]
        sound = block[1:2] in (b"", bytes([PROCESS_ID_MARK])) and (digits.isdigit() or not digits)
        if not sound or (len(block) == PROCESS_ID_LENGTH and block[6] != 0):
            return 1, None
        if len(block) < PROCESS_ID_LENGTH:
            return 0, None
        return PROCESS_ID_LENGTH, ProcessDone(int(digits))


def is_valid_answer(shape: ReplyShape, answer: bytes) -> bool:
    """True when ``answer`` has the length, the beginning and the fixed bits of ``shape``."""
    return (
        answer.startswith(shape.prefix or b"")
        and len(answer) == shape.length
        and all(byte & shape.fixed_mask == shape.fixed_value for byte in answer)
    )


def conditions_in(bits: Iterable[BitRow], answer: bytes) -> frozenset[Condition]:
    """The conditions that ``answer`` shows by the rows ``bits``."""
    return frozenset(row.means for row in bits if row.holds(answer))


class StatusBoard:
    """What is known of a printer, from polls and pushes alike.

    Each source replaces only what it can express: a push knows nothing of a presenter, a poll
    without answers nothing at all.
    """

    def __init__(self, status: PrinterStatus, capabilities: Capabilities) -> None:
        self._status = status
        self._capabilities = capabilities
        self._known: frozenset[Condition] = frozenset()

    def polled(self, answers: Mapping[str, bytes]) -> None:
        """Takes the answers of one round of queries, by query name."""
        asked = [query for query in self._status.query if query.name in answers]
        rows = [row for query in asked for row in query.bits]
        present = [c for query in asked for c in conditions_in(query.bits, answers[query.name])]
        self._apply(rows, present)

    def pushed(self, block: bytes) -> None:
        """Takes a block of automatic status back."""
        if self._status.push is not None:
            rows = self._status.push.bits
            self._apply(rows, conditions_in(rows, block))

    def clear(self) -> None:
        """Forgets everything, for a new line."""
        self._known = frozenset()

    @property
    def conditions(self) -> frozenset[Condition]:
        """What the hall is told: causes before symptoms, and no word that a sensor cannot know."""
        shown = set(self._known)
        if not self._capabilities.near_end_sensor or Condition.PAPER_OUT in shown:
            shown.discard(Condition.PAPER_LOW)
        causes = {c for c in shown if blocks_printing(c)} - {Condition.OFFLINE}
        if causes:
            shown.discard(Condition.OFFLINE)
        return frozenset(shown)

    def _apply(self, rows: Iterable[BitRow], present: Iterable[Condition]) -> None:
        self._known = (self._known - {row.means for row in rows}) | frozenset(present)
