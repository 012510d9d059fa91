"""What a profile says of its controller's protocol, one structure for each framing."""

from typing import Annotated, Literal

import msgspec

from qingting.contract.base import Strict
from qingting.contract.layouts import Colour, Motion

Byte = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
Word = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


class BxkOptions(Strict, frozen=True, kw_only=True, tag="onbon_bxk", tag_field="framing"):
    """Onbon BX-K cards with fonts (仰邦字库卡). ``colours`` are digits of the colour escape.

    ``pixels``: places are in dots; else in columns of eight dots. ``speed`` 0 is the fastest. ``other_models``
    are the device types in an answer's header that belong to cards of another series.
    """

    screen: Word
    device_type: Byte
    pixels: bool
    speed: Byte
    colours: dict[Colour, Annotated[int, msgspec.Meta(ge=1, le=9)]]
    effects: dict[Motion, Byte]
    other_models: tuple[Byte, ...] = ()


class QyledOptions(Strict, frozen=True, kw_only=True, tag="qyled", tag_field="framing"):
    """QYLED cards. ``bus``: the frame is wrapped for RS-485 and addressed to ``address``, eight bytes.

    ``lamps`` is the code of the panel's colours, ``stay`` of how long a text rests.
    """

    bus: bool
    address: str
    lamps: Byte
    speed: Byte
    stay: Byte
    colours: dict[Colour, Byte]
    effects: dict[Motion, Byte]

    def __post_init__(self) -> None:
        if len(bytes.fromhex(self.address)) != 8:
            raise ValueError("an address has eight bytes")


class StripOptions(Strict, frozen=True, kw_only=True, tag="ascii_strip", tag_field="framing"):
    """Text between a beginning and an end, both hexadecimal. ``address`` is the byte of the first
    line, later lines count on; None: no such byte."""

    start: str
    end: str
    address: Byte | None = None

    def __post_init__(self) -> None:
        bytes.fromhex(self.start)
        if not bytes.fromhex(self.end):
            raise ValueError("a text without an end never ends")


class ModbusOptions(Strict, frozen=True, kw_only=True, tag="modbus_text", tag_field="framing"):
    """Text in holding registers, two bytes each. A line has ``registers`` of them, from ``first`` on."""

    mode: Literal["rtu", "tcp"]
    unit: Annotated[int, msgspec.Meta(ge=1, le=247)]
    first: Word
    registers: Annotated[int, msgspec.Meta(ge=1, le=123)]


LedProtocol = BxkOptions | QyledOptions | StripOptions | ModbusOptions
