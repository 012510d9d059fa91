"""What an agent keeps on its disk to give numbers alone: the kit, and every number it has given.

The ledger is a file a day of one JSON line each, written and synced before a number is shown. Nothing
in it can be read as a person: people are sealed for the hall.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from qingting.contract.base import Record
from qingting.contract.continuity import LeasedBlock, LeasedTicket, OfflineKit
from qingting.contract.ids import KeyText, QueueId

log = structlog.get_logger(__name__)


class Given(Record, frozen=True, kw_only=True, tag="given", tag_field="t"):
    """A number that was given for the press ``key``, with its signature (hex)."""

    key: KeyText
    ticket: LeasedTicket
    signature: str


class Settled(Record, frozen=True, kw_only=True, tag="settled", tag_field="t"):
    """The hall has the number, or refused it for good with ``code``."""

    queue: QueueId
    serial: int
    code: str = ""


Line = Given | Settled
_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode
KIT_FILE = "kit.json"
SHORTEST_LINE = 180
"""Bytes of the shortest line of a number: its signature and token alone take more than half of them."""


class SavedKit(Record, frozen=True, kw_only=True):
    """The kit with how far the hall's clock was ahead of this machine's."""

    kit: OfflineKit
    skew_ms: int = 0


_read_saved = msgspec.json.Decoder(SavedKit).decode


class LeaseLedger:
    """One day's numbers of one kiosk. All methods block for the disk; raises ``OSError``."""

    def __init__(self, folder: Path, day: str) -> None:
        self.day = day
        self.given: dict[str, Given] = {}
        """By the key of the press."""
        self.settled: dict[tuple[QueueId, int], Settled] = {}
        self.damaged = 0
        """How many numbers may lie in lines that cannot be read; as many are skipped in every queue."""
        self._path = folder / f"ledger-{day}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._torn = False
        self._unread = 0
        """Lines that cannot be read and are not counted as damaged yet: the end that is torn."""
        self._load()

    def _load(self) -> None:
        if not self._path.exists():
            return
        *lines, end = self._path.read_bytes().split(b"\n")
        for line in lines:
            self._read(line)
        self._torn = end != b""
        # What follows the last line end was being written when the power went and was never shown, unless it is
        # as long as a number: the damage may have taken no more than the line end.
        if len(end) >= SHORTEST_LINE:
            self._read(end)
        else:
            self._unread = int(self._torn)
        if self.damaged:
            log.error("agent.ledger_damaged", day=self.day, lines=self.damaged)

    def _read(self, line: bytes) -> None:
        try:
            self._take(_opened(line))
        except (ValueError, msgspec.DecodeError):
            self.damaged += _numbers_in(line)

    def _take(self, line: Line) -> None:
        match line:
            case Given(key=key):
                self.given[key] = line
            case Settled(queue=queue, serial=serial):
                self.settled[queue, serial] = line

    def append(self, line: Line) -> None:
        """Returns once the line would survive a power cut."""
        data = _closed(line)
        if self._torn:
            data = b"\n" + data
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(descriptor, data) != len(data):
                self._torn = True
                self._unread += 1
                raise OSError("the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # A torn line has become one that cannot be read: it was never shown.
        self.damaged += self._unread
        self._torn, self._unread = False, 0
        self._take(line)

    def delete(self) -> None:
        """Removes the file of a day that nobody asks about any more."""
        self._path.unlink(missing_ok=True)

    def owed(self) -> list[Given]:
        """Numbers that the hall has not settled, in the order in which they were given."""
        return [
            one
            for one in self.given.values()
            if (one.ticket.queue, one.ticket.serial) not in self.settled
        ]

    def refused(self) -> list[Settled]:
        return [one for one in self.settled.values() if one.code]

    def free(self, kit: OfflineKit, queue: QueueId) -> Iterator[int]:
        """Serials of a queue that may still be given, lowest first. None twice, also after damage."""
        gone = {one.ticket.serial for one in self.given.values() if one.ticket.queue == queue}
        skip = self.damaged
        for block in kit.blocks:
            if block.queue != queue:
                continue
            for serial in range(block.first, block.last + 1):
                if serial in gone or serial in block.used:
                    continue
                if skip:
                    skip -= 1
                    continue
                yield serial


def _closed(line: Line) -> bytes:
    """A line with the sum that tells whether it is still what was written."""
    data = _encode(line)
    return b"%08x %b\n" % (zlib.crc32(data), data)


def _opened(line: bytes) -> Line:
    """Raises ``ValueError`` or ``msgspec.DecodeError`` for a line that is not as it was written; one byte more at its
    end is a line end that was damaged."""
    said, _, data = line.partition(b" ")
    told = int(said, 16)
    if told != zlib.crc32(data):
        data = data[:-1]
        if told != zlib.crc32(data):
            raise ValueError("the sum is wrong")
    found: Line = _decode(data)
    return found


def _numbers_in(damaged: bytes) -> int:
    """At most so many numbers lie in damaged bytes: lines may have run together."""
    return 1 + len(damaged) // SHORTEST_LINE


def prefix_of(kit: OfflineKit, queue: QueueId) -> str:
    found: LeasedBlock | None = next((one for one in kit.blocks if one.queue == queue), None)
    return found.prefix if found is not None else ""


def save_kit(folder: Path, saved: SavedKit) -> None:
    """Replaces the kit in one step, readable by the owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{KIT_FILE}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(_encode(saved))
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(folder / KIT_FILE)


def load_kit(folder: Path) -> SavedKit | None:
    """The kit of the last connection; None when there is none that can be read."""
    try:
        return _read_saved((folder / KIT_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        log.warning("agent.kit_damaged", hint="it comes anew with the next connection")
        return None


def days_owed(folder: Path) -> list[str]:
    """Days of which a ledger lies here, oldest first."""
    return sorted(
        path.stem.removeprefix("ledger-") for path in folder.glob("ledger-????-??-??.jsonl")
    )
