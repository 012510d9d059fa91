"""Configurations as they lie in the database, and as plain documents to compare."""

import zlib
from typing import Any

import msgspec

from qingting.contract.config import HallConfig

_configs = msgspec.json.Decoder(HallConfig)
Document = dict[str, Any]


def pack(config: HallConfig) -> bytes:
    return zlib.compress(msgspec.json.encode(config))


def unpack(body: bytes) -> HallConfig:
    return _configs.decode(zlib.decompress(body))


def document(config: HallConfig) -> Document:
    """Plain JSON values without the version: that differs between any two."""
    found: Document = msgspec.json.decode(msgspec.json.encode(config))
    del found["version"]
    return found


def configuration(found: Document, version: int) -> HallConfig:
    """Raises ``msgspec.ValidationError`` for a document that is no configuration."""
    return msgspec.convert({**found, "version": version}, HallConfig)
