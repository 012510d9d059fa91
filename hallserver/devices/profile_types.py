"""Shape of a device profile: everything in which one model differs from another, as data.

Pure types; :mod:`hallserver.devices.profiles` reads them from ``firmware_profiles``.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from hallserver.devices.profile_base import Byte as Byte
from hallserver.devices.profile_base import HexBytes as HexBytes
from hallserver.devices.profile_base import HexTemplate as HexTemplate
from hallserver.devices.profile_base import Identity as Identity
from hallserver.devices.profile_base import PositiveMs as PositiveMs
from hallserver.devices.profile_base import Profile as Profile
from hallserver.devices.profile_base import Transport as Transport
from hallserver.devices.profile_base import decode_special as decode_special
from hallserver.devices.profile_speakers import SpeakerProfile as SpeakerProfile
from hallserver.devices.protocols.led.options import LedProtocol
from qingting.contract.base import Strict
from qingting.contract.states import Condition

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

    ``text`` is ``drawn`` for a printer without a usable Chinese font: every line is sent as a picture. ``pictures`` are
    ``raster`` (GS v 0) or ``bands`` of 24 dots (ESC *), for models that lack the former.
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
    pictures: Literal["raster", "bands"] = "raster"

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
    band_spacing: HexBytes = HexBytes(b"\x1b\x33\x18")
    """Sets the line spacing to the 24 dots of a band (ESC 3); its unit differs between models."""
    band_end: HexBytes = HexBytes(b"\x1b\x32")
    """Sets the usual line spacing again (ESC 2)."""


class Presenter(Strict, frozen=True, kw_only=True):
    """What becomes of a ticket that nobody takes: after ``after_s`` the printer is told once to ``clear`` its exit, by
    drawing the ticket in or dropping it. That it did is seen from its status."""

    clear: HexBytes
    after_s: Annotated[float, msgspec.Meta(ge=5, le=600)]


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
    presenter: Presenter | None = None
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
