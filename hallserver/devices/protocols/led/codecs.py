"""From a profile's protocol to its codec."""

from hallserver.devices.protocols.led.bxk import BxkCodec
from hallserver.devices.protocols.led.line import LedCodec
from hallserver.devices.protocols.led.modbus import ModbusCodec
from hallserver.devices.protocols.led.options import (
    BxkOptions,
    LedProtocol,
    ModbusOptions,
    QyledOptions,
    StripOptions,
)
from hallserver.devices.protocols.led.qyled import QyledCodec
from hallserver.devices.protocols.led.strip import StripCodec


def codec_for(protocol: LedProtocol, charset: str, max_bytes: int) -> LedCodec:
    """A fresh codec; ``max_bytes`` bounds the text of one line."""
    match protocol:
        case BxkOptions():
            return BxkCodec(protocol, charset, max_bytes)
        case QyledOptions():
            return QyledCodec(protocol, charset, max_bytes)
        case StripOptions():
            return StripCodec(protocol, charset, max_bytes)
        case ModbusOptions():
            return ModbusCodec(protocol, charset, max_bytes)
