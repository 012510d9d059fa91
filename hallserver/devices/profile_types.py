"""Shape of a device profile: everything in which one model differs from another, as data.

Pure types; :mod:`hallserver.devices.profiles` reads them from ``firmware_profiles``.
"""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from hallserver.devices.protocols.hid_reports import HidReports
from hallserver.devices.protocols.led.options import LedProtocol
from qingting.contract.base import Strict
from qingting.contract.states import Condition, DeviceKind

_SLOT = re.compile(r"\{(\w+):(u8|ascii4)\}")


class HexBytes(bytes):
    """Bytes written as hexadecimal pairs, ``"1B 40"``."""

    @classmethod
    def parse(cls, text: str) -> "HexBytes":
        """Raises ValueError when ``text`` is not hexadecimal or empty."""
        value = cls(bytes.fromhex(text))
        if not value:
            raise ValueError("no bytes")
        return value


class HexTemplate:
    """Bytes with slots: ``{feed:u8}`` is one byte, ``{id:ascii4}`` four decimal digits."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: list[bytes | tuple[str, str]] = []
        at = 0
        for slot in _SLOT.finditer(text):
            self._parts.append(bytes.fromhex(text[at : slot.start()]))
            self._parts.append((slot[1], slot[2]))
            at = slot.end()
        self._parts.append(bytes.fromhex(text[at:]))
        if not text.strip():
            raise ValueError("no bytes")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HexTemplate) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(part[0] for part in self._parts if isinstance(part, tuple))

    def fill(self, **values: int) -> bytes:
        """The bytes with every slot filled; raises KeyError for a slot without a value."""
        return b"".join(
            part if isinstance(part, bytes) else _slot_bytes(part[1], values[part[0]])
            for part in self._parts
        )


def _slot_bytes(kind: str, value: int) -> bytes:
    return bytes([value]) if kind == "u8" else f"{value % 10_000:04d}".encode("ascii")


def decode_special(kind: type, value: Any) -> Any:
    """Hook for ``msgspec.convert``: hexadecimal text becomes bytes."""
    if kind is HexBytes and isinstance(value, str):
        return HexBytes.parse(value)
    if kind is HexTemplate and isinstance(value, str):
        return HexTemplate(value)
    raise ValueError(f"expected hexadecimal text, got {type(value).__name__}")


Byte = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
PositiveMs = Annotated[int, msgspec.Meta(ge=1, le=60_000)]


# ---- every profile ------------------------------------------------------------------------------


class SerialLine(Strict, frozen=True, kw_only=True):
    """Line parameters of a serial port; a ``baud`` in the device's URL wins."""

    baud: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)]


class TcpPort(Strict, frozen=True, kw_only=True):
    """The port that the model listens at, for TCP and UDP alike."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class Reconnect(Strict, frozen=True, kw_only=True):
    """Waiting between attempts to open the line, in seconds; see ``kernel.aio.backoff``."""

    first_s: Annotated[float, msgspec.Meta(gt=0)]
    factor: Annotated[float, msgspec.Meta(ge=1)]
    max_s: Annotated[float, msgspec.Meta(gt=0)]
    jitter: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Transport(Strict, frozen=True, kw_only=True):
    """How the device is reached and how soon its silence is a fault.

    ``poll_ms`` is the pause between two looks at an idle device; a look is lost after
    ``request_timeout_ms``; ``fails_to_down`` lost looks in a row make the device lost.
    """

    carriers: tuple[Literal["serial", "tcp", "udp", "usblp", "hidraw", "evdev", "usb"], ...]
    serial: SerialLine
    tcp: TcpPort
    open_timeout_ms: PositiveMs
    request_timeout_ms: PositiveMs
    poll_ms: PositiveMs
    fails_to_down: Annotated[int, msgspec.Meta(ge=1, le=10)]
    reconnect: Reconnect
    hid: HidReports | None = None

    def __post_init__(self) -> None:
        if "hidraw" in self.carriers and self.hid is None:
            raise ValueError("hidraw needs [transport.hid]")


class Identity(Strict, frozen=True, kw_only=True):
    """How the model says who it is: ``expect`` is a regular expression that is searched in what it says.

    A device that says nothing is not doubted, because a model's way of speaking is all that its profile knows.
    """

    expect: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.expect)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error

    def fits(self, said: str) -> bool:
        """True when the model calls itself so."""
        return re.search(self.expect, said) is not None


class Hint(Strict, frozen=True, kw_only=True):
    """What the person in front of this very model should do, where that is more than
    ``conditions.toml`` can say for every model."""

    zh: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    en: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Profile(Strict, frozen=True, kw_only=True):
    """What every profile says. ``evidence`` tells how far its bytes are proven; ``hints`` are read by the
    city's pages."""

    schema: Literal[1]
    id: str
    kind: DeviceKind
    driver: str
    vendor: str
    model: str
    revision: Annotated[int, msgspec.Meta(ge=1)]
    evidence: Literal["vendor-doc", "sdk-derived", "field-tested", "simulated"]
    sources: tuple[str, ...]
    transport: Transport
    inherits: str = ""
    hints: dict[Condition, Hint] = msgspec.field(default_factory=dict)


# ---- printers -----------------------------------------------------------------------------------


class BitRow(Strict, frozen=True, kw_only=True, rename={"means": "is"}):
    """Bits of a status byte that mean a condition. A mask of several bits says how it matches."""

    mask: Annotated[int, msgspec.Meta(ge=1, le=0xFF)]
    means: Condition
    byte: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0
    all: bool = False
    any: bool = False
    not_all: bool = False

    def __post_init__(self) -> None:
        said = self.all + self.any + self.not_all
        if said > 1 or (self.mask.bit_count() > 1 and said != 1):
            raise ValueError("a mask of several bits needs exactly one of all, any, not_all")

    def holds(self, answer: bytes) -> bool:
        """True when ``answer`` shows this condition."""
        if self.byte >= len(answer):
            return False
        bits = answer[self.byte] & self.mask
        if self.not_all:
            return bits != self.mask
        return bits == self.mask if self.all else bits != 0


class ReplyShape(Strict, frozen=True, kw_only=True):
    """A valid answer has ``length`` bytes, begins with ``prefix``, and ``byte & fixed_mask == fixed_value``
    for each."""

    length: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1
    fixed_mask: Byte = 0x93
    fixed_value: Byte = 0x12
    prefix: HexBytes | None = None

    @property
    def is_plain(self) -> bool:
        """No fixed bits: only recognisable while its query is outstanding."""
        return self.fixed_mask == 0


class StatusQuery(Strict, frozen=True, kw_only=True):
    """A real-time status question and what its answer's bits mean."""

    name: str
    send: HexBytes
    bits: tuple[BitRow, ...]
    reply: ReplyShape = ReplyShape()


class StatusPush(Strict, frozen=True, kw_only=True):
    """Automatic status back: ``enable`` makes the printer send four bytes on every change."""

    enable: HexBytes
    bits: tuple[BitRow, ...]


class FenceReply(Strict, frozen=True, kw_only=True):
    """Meaning of the byte that answers the in-order fence."""

    bits: tuple[BitRow, ...]


class PrinterStatus(Strict, frozen=True, kw_only=True):
    query: Annotated[tuple[StatusQuery, ...], msgspec.Meta(min_length=1)]
    push: StatusPush | None = None
    fence_reply: FenceReply | None = None


class Confirm(StrEnum):
    """How a printer proves that a job was printed.

    ``process_id``: GS ( H answers when printing completed. ``gs_r``: an in-order status request
    behind the job is answered. ``poll``: no proof, only a healthy status afterwards.
    """

    PROCESS_ID = "process_id"
    GS_R = "gs_r"
    POLL = "poll"


class Capabilities(Strict, frozen=True, kw_only=True):
    """What the mechanism can do. ``columns`` are half-width columns of font A (12 × 24 dots).

    ``text`` is ``drawn`` for a printer without a usable Chinese font: every line is sent as a picture.
    """

    width_dots: Annotated[int, msgspec.Meta(ge=200, le=2000)]
    columns: Annotated[int, msgspec.Meta(ge=16, le=160)]
    dpi: Annotated[int, msgspec.Meta(ge=100, le=600)]
    mm_per_s: Annotated[float, msgspec.Meta(gt=0)]
    qr: Literal["raster", "gs_k"]
    near_end_sensor: bool
    presenter: bool
    confirm: Confirm
    chinese_scale_max: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    text: Literal["written", "drawn"] = "written"

    def __post_init__(self) -> None:
        if self.text == "drawn" and self.qr != "raster":
            raise ValueError(
                'a printer whose text is drawn has its QR codes drawn too: qr = "raster"'
            )


class PrinterCommands(Strict, frozen=True, kw_only=True):
    """Command bytes. ``cut_feed`` is the feed before the cut in the printer's vertical units."""

    init: HexBytes
    cut: HexTemplate
    cut_feed: Byte
    fence: HexTemplate
    recover: HexBytes | None = None


class PrinterSimulator(Strict, frozen=True, kw_only=True):
    """Answers of a healthy printer by query name, for the simulator."""

    initial: dict[str, Byte | tuple[Byte, ...]] = msgspec.field(default_factory=dict)
    initial_push: tuple[Byte, ...] = ()


class PrinterIdentity(Identity, frozen=True, kw_only=True):
    """``send`` asks for the name (GS I); the answer is ``5F``, printable characters and ``00``."""

    send: HexBytes


class PrinterProfile(Profile, frozen=True, kw_only=True):
    """A ticket printer's model."""

    identify: PrinterIdentity | None = None
    driver: Literal["escpos"]
    capabilities: Capabilities
    commands: PrinterCommands
    status: PrinterStatus
    simulator: PrinterSimulator = PrinterSimulator()


# ---- ID card readers ----------------------------------------------------------------------------


class SamReply(StrEnum):
    """Meaning of the third status byte of a SAM reply."""

    OK = "ok"
    CARD_FOUND = "card_found"
    NO_CARD = "no_card"
    SELECT_FAILED = "select_failed"
    BAD_REQUEST = "bad_request"
    CARD_REJECTED = "card_rejected"
    UNKNOWN_CARD = "unknown_card"
    READ_ERROR = "read_error"
    SAM_FAULT = "sam_fault"
    UNAUTHORISED = "unauthorised"
    NO_CONTENT = "no_content"


class SamCommands(Strict, frozen=True, kw_only=True):
    """Command and parameter bytes, between the length and the checksum of a frame."""

    status: HexBytes
    sam_id: HexBytes
    find: HexBytes
    select: HexBytes
    read: HexBytes


class ReaderBehaviour(Strict, frozen=True, kw_only=True):
    """Timing of the reader and the record types it may give (type flag of the text record)."""

    find_ms: PositiveMs
    read_timeout_ms: PositiveMs
    read_tries: Annotated[int, msgspec.Meta(ge=1, le=5)]
    records: tuple[Literal["citizen", "J", "I", "Y"], ...]


class IdReaderProfile(Profile, frozen=True, kw_only=True):
    """An ID card reader's model. ``replies`` maps SW3, as two hexadecimal digits, to its meaning; ``identify`` is
    about the module's number as it is printed on it."""

    identify: Identity | None = None
    driver: Literal["samv"]
    reader: ReaderBehaviour
    commands: SamCommands
    replies: dict[Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{2}$")], SamReply]
    simulator: dict[str, int] = msgspec.field(default_factory=dict)

    def reply_meaning(self, sw3: int) -> SamReply | None:
        """None for a code that the profile does not know."""
        return self.replies.get(f"{sw3:02X}")


# ---- scanners -----------------------------------------------------------------------------------


class ScannerBehaviour(Strict, frozen=True, kw_only=True):
    """How codes end, how long they may be and when a repetition is the same scan."""

    terminators: tuple[HexBytes, ...]
    idle_gap_ms: PositiveMs
    max_bytes: Annotated[int, msgspec.Meta(ge=8, le=4096)]
    repeat_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)]
    encodings: Annotated[tuple[Literal["utf-8", "gb18030"], ...], msgspec.Meta(min_length=1)]


class ScannerCommands(Strict, frozen=True, kw_only=True):
    """Commands of a triggered module. ``ack`` is what it answers to each before any code, if it does."""

    trigger: HexBytes
    stop: HexBytes
    ack: HexBytes | None = None


class SsiWords(Strict, frozen=True, kw_only=True):
    """Opcodes of SSI: ``ask`` is a harmless question that proves presence, ``decode`` brings a code, ``ack``
    acknowledges it."""

    ask: Byte
    decode: Byte
    ack: Byte


class ScannerProfile(Profile, frozen=True, kw_only=True):
    """A code scanner's model. ``identify`` is about the answer to the ssi driver's question."""

    identify: Identity | None = None
    driver: Literal["line", "gm65", "unified", "syn", "ssi"]
    scanner: ScannerBehaviour
    commands: ScannerCommands | None = None
    ssi: SsiWords | None = None
    simulator: dict[str, int] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.driver in ("gm65", "unified", "syn") and self.commands is None:
            raise ValueError(f"the {self.driver} driver needs [commands]")
        if self.driver == "ssi" and self.ssi is None:
            raise ValueError("the ssi driver needs [ssi]")
        if self.driver != "ssi" and self.identify is not None:
            raise ValueError(f"the {self.driver} driver asks nobody who they are")


# ---- face terminals ------------------------------------------------------------------------------


class FaceWord(StrEnum):
    """Meaning of a word of a face terminal."""

    DARK = "dark"
    LOOKING = "looking"
    NOBODY = "nobody"


class FaceBehaviour(Strict, frozen=True, kw_only=True):
    """How lines end and how long they may be; ``credential`` opens the line that hands one out; ``look_s`` is the
    longest look."""

    terminators: Annotated[tuple[HexBytes, ...], msgspec.Meta(min_length=1)]
    max_bytes: Annotated[int, msgspec.Meta(ge=64, le=4096)]
    credential: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    look_s: Annotated[float, msgspec.Meta(ge=3, le=60)]


class FaceCommands(Strict, frozen=True, kw_only=True):
    """``ask`` for its state, ``look`` for one face, ``stop`` looking."""

    ask: HexBytes
    look: HexBytes
    stop: HexBytes


class FaceProfile(Profile, frozen=True, kw_only=True):
    """A face terminal's model. ``words`` are its whole lines by meaning, ``faults`` those that tell a condition."""

    driver: Literal["face"]
    face: FaceBehaviour
    commands: FaceCommands
    words: dict[str, FaceWord]
    faults: dict[str, Condition] = msgspec.field(default_factory=dict)
    simulator: dict[str, int] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = {FaceWord.DARK, FaceWord.LOOKING} - set(self.words.values())
        if missing:
            raise ValueError(f"words: none means {', '.join(sorted(missing))}")
        if twice := sorted(set(self.words) & set(self.faults)):
            raise ValueError(f"{twice[0]!r} is both a word and a fault")


# ---- LED controllers ----------------------------------------------------------------------------


class LedBehaviour(Strict, frozen=True, kw_only=True):
    """What every controller has, whatever it speaks.

    ``lines`` is how many lines it takes, ``max_bytes`` how long the text of one may be. ``answers``: each
    frame is answered; without, nobody knows whether the panel is there, and what it shows is sent again
    every ``refresh_s``. ``errors`` maps its codes, as two hexadecimal digits, to conditions.
    """

    lines: Annotated[int, msgspec.Meta(ge=1, le=8)]
    charset: Literal["gbk", "gb2312"]
    max_bytes: Annotated[int, msgspec.Meta(ge=8, le=1000)]
    answers: bool
    refresh_s: Annotated[float, msgspec.Meta(ge=5, le=3600)]
    errors: dict[Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{2}$")], Condition] = msgspec.field(
        default_factory=dict
    )

    def condition_of(self, error: int) -> Condition:
        """What an error code means; one that the profile does not know is a fault of the exchange."""
        return self.errors.get(f"{error:02X}", Condition.COMM_ERROR)


class LedProfile(Profile, frozen=True, kw_only=True):
    """An LED controller's model (LED 控制卡)."""

    driver: Literal["led"]
    led: LedBehaviour
    protocol: LedProtocol
    simulator: dict[str, int] = msgspec.field(default_factory=dict)


AnyProfile = PrinterProfile | IdReaderProfile | ScannerProfile | LedProfile | FaceProfile
