"""What every device profile says, and the bytes it is written in; families are in :mod:`hallserver.devices.profile_types`."""

import re
from typing import Annotated, Any, Literal

import msgspec

from hallserver.devices.protocols.hid_reports import HidReports
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

    carriers: tuple[
        Literal["serial", "tcp", "udp", "usblp", "hidraw", "evdev", "usb", "sound"], ...
    ]
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


class ProfileHead(Strict, frozen=True, kw_only=True):
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
    inherits: str = ""
    hints: dict[Condition, Hint] = msgspec.field(default_factory=dict)


class Profile(ProfileHead, frozen=True, kw_only=True):
    """What every profile says of a device to which a driver here speaks."""

    transport: Transport
